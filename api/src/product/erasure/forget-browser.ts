// Forgets a browser that is nobody's lead: who left no address, but was counted under an id of their own.
import { withRetries } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Tables } from '../../ground/tables.ts';
import { eraseInArchives } from '../archive/marks.ts';
import { type Forgotten, rememberForgotten } from '../consent/forget-journal.ts';
import { isAnothers } from '../leads/belongings.ts';
import { ERASURE_MS_MAX, type Erased } from './forget.ts';
import { isAwaited, theirRows } from './theirs.ts';
import { moveVisits, recount } from './visits.ts';

export interface BrowserErasure {
  siteId: string;
  visitorId: string;
  /** Keyed, of the visitor's id: by it the proof is found again. */
  hash: string;
  /** Replaying after a restore: when it was forgotten. */
  again?: string;
}

/** isSomebodys: an address was left in it, whose erasure takes it along; nothing was done. */
export type ErasedBrowser = Erased & { isSomebodys: boolean };
export type ForgetBrowser = (request: BrowserErasure) => Promise<ErasedBrowser>;

/**
 * tables    of all features
 * journal   path of the journal of what was forgotten, written before the commit; null: none
 */
export const forgettingBrowsers =
  (pool: Pool, tables: Tables, journal: string | null): ForgetBrowser =>
  (request) =>
    withRetries(() => inSites(pool, request.siteId, (db) => forgetIn(db, tables, request, journal)));

/** Guesses are no evidence; what was undone is the lead's own word that it is not theirs. */
async function isSomebodys(db: Db, siteId: string, visitorId: string): Promise<boolean> {
  const { rows } = await db.query<{ is: boolean }>(
    `select ${isAnothers('$2::uuid', 'null')} or ${isAwaited('$2::uuid')}
       or exists (select from conversions where site_id = $1 and visitor_id = $2 and (lead_id is not null or email_hash is not null)) as is`,
    [siteId, visitorId, null],
  );
  return rows[0]!.is;
}

async function forgetIn(
  db: Db,
  tables: Tables,
  { siteId, visitorId, hash, again }: BrowserErasure,
  journal: string | null,
): Promise<ErasedBrowser> {
  await db.query(`set local statement_timeout = ${ERASURE_MS_MAX}`);
  // whoever sends a form from it takes this too: it is somebody's then, or begins anew
  await db.query('select from visitors where site_id = $1 and visitor_id = $2 for update', [
    siteId,
    visitorId,
  ]);
  if (await isSomebodys(db, siteId, visitorId))
    return { found: true, isSomebodys: true, erased: {}, erasureId: '', erasedAt: '' };
  const archives = await eraseInArchives(db, { siteId, visitorIds: [visitorId], events: [] }, journal);
  const { rows: erased, days } = await moveVisits(db, tables, siteId, [visitorId]);
  const count = (table: string, rows: number | null) => {
    if (rows) erased[table] = (erased[table] ?? 0) + rows;
  };
  count('archives', archives);
  const person = { leadId: null, normalized: null, hash: null, own: [visitorId], shared: [] };
  for (const [table, rule] of Object.entries(tables)) {
    if (rule.whose !== 'lead or visitor' && rule.whose !== 'lead, visitor or hash') continue;
    const { where, value } = theirRows(rule, person);
    const gone = await db.query(`delete from ${table} where site_id = $1 and ${where}`, [siteId, value]);
    if (!rule.derived) count(table, gone.rowCount);
  }
  const guesses = await db.query(
    "delete from lead_identities where site_id = $1 and visitor_id = $2 and link_source = 'same_ip_ua_window'",
    [siteId, visitorId],
  );
  count('lead_identities', guesses.rowCount);
  await recount(db, siteId, days);
  const found = Object.keys(erased).length > 0;
  if (!found) return { found, isSomebodys: false, erased, erasureId: '', erasedAt: '' };
  const { rows } = await db.query<{ erasure_id: string; erased_at: Date }>(
    `insert into erasures (site_id, email_hash, erased_at, erased, cause)
     values ($1, $2, coalesce($3, clock_timestamp())::timestamptz(3), $4, 'request') returning erasure_id, erased_at`,
    [siteId, hash, again ?? null, JSON.stringify(erased)],
  );
  const at = rows[0]!.erased_at.toISOString();
  const entry: Forgotten = { kind: 'browser', siteId, visitorId, hash, at };
  if (journal) await rememberForgotten(journal, entry);
  return { found, isSomebodys: false, erased, erasureId: rows[0]!.erasure_id, erasedAt: at };
}
