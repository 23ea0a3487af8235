// Among whom a list looks, found by an index: few of many leads have left since yesterday, or were ever asked about a purpose.
import type { Db } from '../../ground/db/pool.ts';
import { EMAIL } from '../consent/purposes.ts';
import type { LeadFilter } from './filter.ts';

/** Of more than so many the list is read in its own order instead, until its page is full. */
const AMONG_MAX = 10_000;

// Whoever stands withdrawn, expired or restricted has a row of here; what their newest record says is looked at afterwards.
const MAY_HAVE_ENDED = `select lead_id from consent_records where site_id = $1 and status in ('withdrawn', 'expired') and recorded_at >= $2
  union all select lead_id from consent_records where site_id = $1 and expires_at >= $2
    and expires_at <= case when takes_implied($1) then now() else 'infinity' end
  union all select lead_id from leads where site_id = $1 and restricted_at >= $2`;
const WERE_ASKED = 'select lead_id from consent_details where site_id = $1 and purpose = $2';

/** returns  ids, among which are all that the filter finds; null: look at every lead. Inside inSites */
export async function amongWhom(
  db: Db,
  siteId: string,
  { purpose = EMAIL, consent, mailable, withdrawnSince }: LeadFilter,
): Promise<string[] | null> {
  const agreed = mailable === true || consent === 'express' || consent === 'implied';
  const [question, value] =
    withdrawnSince !== undefined
      ? [MAY_HAVE_ENDED, withdrawnSince]
      : agreed && purpose !== EMAIL
        ? [WERE_ASKED, purpose]
        : [null, null];
  if (question === null) return null;
  const { rows } = await db.query<{ id: string }>(
    `select lead_id as id from (${question} limit ${AMONG_MAX + 1}) found`,
    [siteId, value],
  );
  return rows.length > AMONG_MAX ? null : [...new Set(rows.map(({ id }) => id))];
}
