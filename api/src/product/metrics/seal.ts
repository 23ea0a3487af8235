// Ends raw days: what they count to is sealed first, then their partitions are dropped; of days that were sent too many names
// the others are summed up.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { dayOf } from '../../ground/lib/days.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import type { ArchiveGuard } from '../archive/guard.ts';
import { rollUp } from './rollup.ts';

/**
 * archive  null: none is set, and a day that is sealed may go
 * throws   before anything is dropped, when a day could not be rolled up and sealed
 */
export function sealDays(db: Pool, archive: ArchiveGuard | null): Ending {
  return async ({ siteIds, bound, dryRun, signal, progress }) => {
    const keptFrom = dayOf(bound);
    // Whatever is marked or was never counted is counted first; then nothing can change any more. Before a dry run too: it is
    // what every minute does, and else the two would not see the same days.
    await rollUp(db, { siteIds, signal });
    const sealed = await seal(db, siteIds, keptFrom, dryRun, signal);
    if (sealed > 0) progress(`${sealed} days ${dryRun ? 'would be ' : ''}sealed`);
    const partitions = await inSites(db, siteIds, async (client) =>
      (
        await client.query<{ name: string }>(
          `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = 'public.events'::regclass and c.relname < 'events_' || to_char($1::date, 'YYYYMMDD') order by 1`,
          [keptFrom],
        )
      ).rows.map((row) => row.name),
    );
    // what was not even sealed, or not by this run, is for another one
    if (dryRun || partitions.length === 0 || signal?.aborted) {
      const events = partitions.length > 0 ? await countBefore(db, siteIds, keptFrom) : 0;
      return { rows: { events }, says: { keptFrom, sealed, partitions } };
    }
    const kept = await archive?.keep({ siteIds, signal, progress }, keptFrom);
    const { dropped, events, from } = await dropDays(db, siteIds, keptFrom, archive);
    if (dropped.length > 0) progress(`dropped ${dropped.length} partitions before ${from}`);
    return {
      rows: { events },
      says: {
        keptFrom,
        sealed,
        partitions: dropped,
        ...(kept && { archived: kept.archived, stayed: partitions.length - dropped.length }),
        ...(kept && kept.warnings.length > 0 ? { warnings: kept.warnings } : {}),
      },
    };
  };
}

async function seal(
  db: Pool,
  siteIds: string[],
  keptFrom: string,
  dryRun: boolean,
  signal: AbortSignal | undefined,
): Promise<number> {
  let sealed = 0;
  for (const siteId of siteIds) {
    const { rows } = await inSites(db, siteId, (client) =>
      client.query<{ day: string }>(
        'select day from rollup_state where site_id = $1 and day_starts(day, time_zone) < $2::date::timestamp at time zone $3 and sealed_at is null order by day',
        [siteId, keptFrom, 'UTC'],
      ),
    );
    for (const { day } of rows) {
      if (signal?.aborted) return sealed;
      if (!dryRun)
        await inSites(db, siteId, async (client) => {
          await client.query('select roll_up_day($1, $2)', [siteId, day]);
          await client.query('update rollup_state set sealed_at = now() where site_id = $1 and day = $2', [
            siteId,
            day,
          ]);
        });
      sealed += 1;
    }
  }
  return sealed;
}

const countBefore = (db: Pool, siteIds: string[], keptFrom: string): Promise<number> =>
  inSites(db, siteIds, (client) => countIn(client, keptFrom));

async function countIn(db: Db, keptFrom: string): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    "select count(*)::int as count from events where site_id = any (current_sites()) and occurred_at < $1::date::timestamp at time zone 'UTC'",
    [keptFrom],
  );
  return rows[0]!.count;
}

/**
 * Of sealed days that were sent too many names. Only doing it tells how many are left, so the dry run does it too and takes it
 * back; what is there again for the rule that ends numbers is counted there.
 */
export function foldFullDays(db: Pool): Ending {
  return async ({ siteIds, bound, dryRun, stays }) => {
    const keptFrom = dayOf(bound);
    return inSites(db, siteIds, async (client): ReturnType<Ending> => {
      const { rows: full } = await client.query<{ siteId: string; day: string }>(
        `select distinct site_id as "siteId", day from full_days
         where site_id = any (current_sites()) and day < $1 and what <> 'conversions'`,
        [keptFrom],
      );
      if (full.length === 0) return { rows: { full_days: 0 } };
      const there = async () => {
        const { rows } = await client.query<{ days: number; names: number }>(
          `with looked_at as (select * from unnest($1::uuid[], $2::date[]) as d (site_id, day))
           select (select count(*)::int from full_days join looked_at using (site_id, day)) as days,
             (select count(*)::int from daily_breakdowns d join looked_at using (site_id, day)
               where ${dryRun ? stays('daily_breakdowns', 'd') : 'true'}) as names`,
          [full.map(({ siteId }) => siteId), full.map(({ day }) => day)],
        );
        return rows[0]!;
      };
      const before = await there();
      await client.query('savepoint unfolded');
      const { rows } = await client.query<{ folded: number }>('select fold_full_days($1) as folded', [
        keptFrom,
      ]);
      const after = await there();
      if (dryRun) await client.query('rollback to savepoint unfolded');
      const { folded } = rows[0]!;
      return {
        rows: { full_days: before.days - after.days, daily_breakdowns: before.names - after.names },
        says: folded > 0 ? { folded } : {},
      };
    });
  };
}

/**
 * In one transaction: a raw event of an unsealed day keeps all of them, and one that the archive does not hold as it is keeps
 * its day and those after it.
 */
function dropDays(
  db: Pool,
  siteIds: string[],
  keptFrom: string,
  archive: ArchiveGuard | null,
): Promise<{ dropped: string[]; events: number; from: string }> {
  return inSites(db, siteIds, async (client) => {
    await client.query("set local lock_timeout = '5s'");
    const { rows } = await client.query<{ left: number }>(
      `select count(*) as left from (
         -- a partition is a UTC day; the site's days that touch it may be two
         select distinct site_id, day_of(occurred_at, coalesce(settings ->> 'timeZone', 'UTC')) as day from events join sites using (site_id)
         where occurred_at < $1::date::timestamp at time zone 'UTC') raw
       where not exists (select from rollup_state s where s.site_id = raw.site_id and s.day = raw.day and s.sealed_at is not null)`,
      [keptFrom],
    );
    if (rows[0]!.left > 0)
      throw new Error(`${rows[0]!.left} site days have raw events but no sealed rollup; nothing was dropped`);
    const from = archive ? await archive.provenBefore(client, keptFrom) : keptFrom;
    const events = await countIn(client, from);
    const { rows: gone } = await client.query<{ name: string }>('select drop_event_partitions($1) as name', [
      from,
    ]);
    return { dropped: gone.map(({ name }) => name), events, from };
  });
}
