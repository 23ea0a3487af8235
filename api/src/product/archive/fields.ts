// What a site defines of the props of its events: visitors' own stand among them, and are theirs.
import type { Db } from '../../ground/db/pool.ts';
import type { Field } from '../custom-fields/values.ts';

/** Inside inSites. */
export async function fieldsOfProps(db: Db, siteId: string): Promise<Field[]> {
  const { rows } = await db.query<Field>(
    `select name, field_type as "fieldType", personal, options from custom_fields
     where site_id = $1 and applies_to = 'event' and not personal order by name`,
    [siteId],
  );
  return rows;
}
