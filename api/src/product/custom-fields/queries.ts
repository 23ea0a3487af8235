// The SQL door of custom fields. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import { type CustomField, type CustomFieldPatch, FIELDS_MAX, type NewCustomField } from './schema.ts';

const AS_FIELD = `field_id as "fieldId", name, field_type as "fieldType", applies_to as "on", personal, options, version,
  instant_text(created_at) as "createdAt", instant_text(updated_at) as "updatedAt"`;

export async function listFields(db: Db, siteId: string): Promise<CustomField[]> {
  const { rows } = await db.query<CustomField>(
    `select ${AS_FIELD} from custom_fields where site_id = $1 order by applies_to, name`,
    [siteId],
  );
  return rows;
}

/** Of all sites that the transaction sees. */
export async function listAllFields(db: Db): Promise<(CustomField & { siteId: string })[]> {
  const { rows } = await db.query<CustomField & { siteId: string }>(
    `select site_id as "siteId", ${AS_FIELD} from custom_fields where site_id = any (current_sites()) order by site_id, applies_to, name`,
  );
  return rows;
}

export async function hasPersonalProp(db: Db, siteId: string, name: string): Promise<boolean> {
  const { rowCount } = await db.query(
    "select from custom_fields where site_id = $1 and name = $2 and applies_to <> 'lead' and personal",
    [siteId, name],
  );
  return rowCount === 1;
}

/** returns  null when the site has as many as it may; throws a unique violation when the name is taken */
export async function insertField(
  db: Db,
  siteId: string,
  field: NewCustomField,
): Promise<CustomField | null> {
  // one after the other, or two at once would both be the last
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' custom fields', 8))", [siteId]);
  const { rows } = await db.query<CustomField>(
    `insert into custom_fields (site_id, name, field_type, applies_to, personal, options)
     select $1, $2, $3, $4, $5, $6 where (select count(*) from custom_fields where site_id = $1) < ${FIELDS_MAX}
     returning ${AS_FIELD}`,
    [siteId, field.name, field.fieldType, field.on, field.personal, field.options ?? null],
  );
  return rows[0] ?? null;
}

/** Locked until the transaction ends. returns  null when the site has none of this id */
export async function lockField(db: Db, siteId: string, fieldId: string): Promise<CustomField | null> {
  const { rows } = await db.query<CustomField>(
    `select ${AS_FIELD} from custom_fields where site_id = $1 and field_id = $2 for update`,
    [siteId, fieldId],
  );
  return rows[0] ?? null;
}

export async function updateField(
  db: Db,
  siteId: string,
  fieldId: string,
  { personal, options }: CustomFieldPatch,
): Promise<CustomField> {
  const { rows } = await db.query<CustomField>(
    `update custom_fields set personal = coalesce($3, personal), options = coalesce($4, options), version = version + 1, updated_at = now()
     where site_id = $1 and field_id = $2 returning ${AS_FIELD}`,
    [siteId, fieldId, personal ?? null, options ?? null],
  );
  return rows[0]!;
}

export async function deleteField(db: Db, siteId: string, fieldId: string): Promise<void> {
  await db.query('delete from custom_fields where site_id = $1 and field_id = $2', [siteId, fieldId]);
}
