// Seats of a site: people with a role there, and open invitations to it. Owners have every site and take none.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { planHasRoom } from '../plans/use.ts';
import { inAccounts } from './in-accounts.ts';

async function seatsOf(db: Db, siteId: string): Promise<number> {
  const { rows } = await db.query<{ seats: number }>(
    `select (select count(*) from site_grants where site_id = $1)::int + (select count(*) from one_time_links
       where kind = 'invitation' and used_at is null and expires_at > now() and $1 = any (site_ids))::int as seats`,
    [siteId],
  );
  return rows[0]!.seats;
}

export const countSeats = (db: Pool, siteId: string): Promise<number> =>
  inAccounts(db, (tx) => seatsOf(tx, siteId));

/**
 * Whether one more fits at each of these sites; inside the transaction that makes it, after it was made: of two at once the
 * second waits for the first.
 * throws  plan_limit_reached
 */
export async function mustHaveSeats(tx: Db, siteIds: readonly string[]): Promise<void> {
  for (const siteId of [...siteIds].sort()) {
    await tx.query("select pg_advisory_xact_lock(hashtextextended('seats ' || $1, 0))", [siteId]);
    await tx.query("select set_config('marketing.sites', $1, true)", [siteId]);
    await planHasRoom(tx, siteId, 'seats', await seatsOf(tx, siteId));
  }
  await tx.query("select set_config('marketing.sites', '', true)");
}
