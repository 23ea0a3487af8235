// Which rows are a person's: read off what the features say of their tables, for the erasure and for the export alike.
import type { Db } from '../../ground/db/pool.ts';
import type { TableRule } from '../../ground/tables.ts';
import { isAnothers } from '../leads/belongings.ts';

export interface Person {
  leadId: string | null;
  /** null: only its hash is known. */
  normalized: string | null;
  /** Keyed, as \x… */
  hash: string | null;
  /** Browsers that are nobody else's. */
  own: string[];
  /** Browsers that are another lead's too: of those only what hangs on this person's own submissions. */
  shared: string[];
}

/** SQL: whether a form from a visitor that another sent waits for a decision. $1: the site, $3: the address; null: every one is another. */
export const isAwaited = (visitor: string): string =>
  `exists (select from quarantine q join event_keys k on k.site_id = q.site_id and k.event_id = q.event_id
    where q.site_id = $1 and q.email_normalized is distinct from $3 and q.email_normalized is not null and k.visitor_id = ${visitor})`;

/** SQL, of the table t: events of the person's own forms, waiting ones too. $2: the lead, $3: the address */
export const OF_THEIR_FORMS = `(t.visitor_id, t.occurred_at, t.event_id) in (
  select k.visitor_id, k.occurred_at, k.event_id from event_keys k where k.site_id = $1 and k.event_id in (
    select event_id from submissions where site_id = $1 and lead_id = $2::uuid
    union select event_id from quarantine where site_id = $1 and email_normalized = $3::text))`;

/**
 * The person's browsers: on the evidence of a form or an admin, never of an address alone; and those of their submissions
 * under GPC, which made no link.
 */
export async function browsersOf(
  db: Db,
  siteId: string,
  leadId: string | null,
  normalized: string | null,
): Promise<Pick<Person, 'own' | 'shared'>> {
  const { rows } = await db.query<{ visitor_id: string; is_shared: boolean }>(
    `with theirs as (
       select visitor_id from lead_identities where site_id = $1 and lead_id = $2
         and (link_source = 'form_submit' or (link_source = 'manual_merge' and unlinked_at is null))
       union select k.visitor_id from submissions s join event_keys k on k.site_id = s.site_id and k.event_id = s.event_id
         where s.site_id = $1 and s.lead_id = $2
       union select k.visitor_id from quarantine q join event_keys k on k.site_id = q.site_id and k.event_id = q.event_id
         where q.site_id = $1 and q.email_normalized = $3
     )
     select visitor_id, ${isAnothers('theirs.visitor_id', '$2')} or ${isAwaited('theirs.visitor_id')} as is_shared
     from theirs`,
    [siteId, leadId, normalized],
  );
  const idsWhere = (isShared: boolean) =>
    rows
      .filter((row) => row.is_shared === isShared)
      .map((row) => row.visitor_id)
      .sort();
  return { own: idsWhere(false), shared: idsWhere(true) };
}

/** Events of forms they sent, waiting ones too, and when: of those whose rows are in the archive only this is known. */
export async function formsOf(
  db: Db,
  siteId: string,
  leadId: string | null,
  normalized: string | null,
): Promise<{ eventId: string; at: string }[]> {
  const { rows } = await db.query<{ eventId: string; at: string }>(
    `select event_id as "eventId", instant_text(submitted_at) as at from submissions where site_id = $1 and lead_id = $2 and event_id is not null
     union all select event_id, instant_text(received_at) from quarantine where site_id = $1 and email_normalized = $3 and event_id is not null`,
    [siteId, leadId, normalized],
  );
  return rows;
}

/** SQL of which rows of a table are theirs, after its `whose`; $1 is the site, $2 the value. */
export function theirRows(
  { whose }: TableRule,
  { leadId, normalized, hash, own }: Person,
): { where: string; value: unknown } {
  switch (whose) {
    case 'visitor':
      return { where: 'visitor_id = any ($2::uuid[])', value: own };
    case 'address':
      return { where: 'email_normalized = $2', value: normalized };
    case 'hash':
      return { where: 'email_hash = $2::bytea', value: hash };
    case 'lead or visitor':
    case 'lead, visitor or hash':
      return {
        // told with an address it is that person's, whoever sat at the browser
        where: `(lead_id = ($2::json ->> 0)::uuid or (visitor_id in (select json_array_elements_text($2::json -> 1)::uuid)${
          whose === 'lead or visitor'
            ? ')'
            : ' and lead_id is null and email_hash is null) or email_hash = ($2::json ->> 2)::bytea'
        })`,
        value: JSON.stringify([leadId, own, hash]),
      };
    default:
      return { where: 'lead_id = $2::uuid', value: leadId };
  }
}
