// Forgets on time: seals the days whose raw rows go, drops their partitions, and takes bounded bites of everything else.

import { rollUp } from '../../product/metrics/rollup.ts';
import type { Pool } from '../db/pool.ts';
import { inSites } from '../db/transaction.ts';
import { addDays, dayOf } from '../lib/days.ts';
import { type Policy, STEPS } from './policy.ts';

// Small enough that ingestion waits for some milliseconds at most.
const BITE_ROWS = 5000;

export interface PurgeOptions {
  siteIds: string[];
  policy: Policy;
  dryRun: boolean;
  now?: number;
  signal?: AbortSignal;
  progress?: (line: string) => void;
}

export interface Purged {
  dryRun: boolean;
  /** First UTC day whose raw events are kept. */
  keptFrom: string;
  sealed: number;
  partitions: string[];
  rows: Record<string, number>;
}

/**
 * dryRun  tells what would go, and changes nothing
 * throws  before anything is dropped, when a day could not be rolled up and sealed
 */
export async function purge(db: Pool, options: PurgeOptions): Promise<Purged> {
  const { siteIds, policy, dryRun, now = Date.now(), signal, progress = () => {} } = options;
  const today = dayOf(now);
  const keptFrom = addDays(today, -policy.eventDays);
  const at = new Date(now);
  const rollupsFrom = dayOf(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() - policy.rollupMonths, 1));
  const bounds = [keptFrom, rollupsFrom, addDays(today, -policy.rejectionDays)];

  // Whatever is marked or was never counted is counted first; then nothing can change any more.
  if (!dryRun) await rollUp(db, { siteIds, signal });
  let sealed = 0;
  for (const siteId of siteIds) {
    const days = await inSites(
      db,
      siteId,
      async (client) =>
        (
          await client.query<{ day: string }>(
            'select day from rollup_state where site_id = $1 and day < $2 and sealed_at is null order by day',
            [siteId, keptFrom],
          )
        ).rows,
    );
    for (const { day } of days) {
      if (signal?.aborted) break;
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
  if (sealed > 0) progress(`${sealed} days ${dryRun ? 'would be ' : ''}sealed`);

  const old = await inSites(db, siteIds, async (client) =>
    (
      await client.query<{ name: string }>(
        `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
           where i.inhparent = 'public.events'::regclass and c.relname < 'events_' || to_char($1::date, 'YYYYMMDD') order by 1`,
        [keptFrom],
      )
    ).rows.map((row) => row.name),
  );
  if (!dryRun && old.length > 0) {
    // In one transaction: a raw event of an unsealed day keeps all of them.
    await inSites(db, siteIds, async (client) => {
      await client.query("set local lock_timeout = '5s'");
      const { rows } = await client.query<{ left: number }>(
        `select count(*) as left from (select distinct site_id, (occurred_at at time zone 'UTC')::date as day from events
           where occurred_at < $1::date::timestamp at time zone 'UTC') raw
         where not exists (select from rollup_state s where s.site_id = raw.site_id and s.day = raw.day and s.sealed_at is not null)`,
        [keptFrom],
      );
      if (rows[0]!.left > 0)
        throw new Error(
          `${rows[0]!.left} site days have raw events but no sealed rollup; nothing was dropped`,
        );
      await client.query('select drop_event_partitions($1)', [keptFrom]);
    });
    progress(`dropped ${old.length} partitions before ${keptFrom}`);
  }

  const rows: Record<string, number> = {};
  for (const { table, where } of STEPS) {
    let gone = 0;
    for (;;) {
      if (signal?.aborted) break;
      const count = await inSites(db, siteIds, async (client) => {
        // every parameter has a type, used or not
        const typed = 'and ($1::date, $2::date, $3::date) is not null';
        if (dryRun)
          return (
            await client.query<{ count: number }>(
              `select count(*) as count from ${table} target where ${where} ${typed}`,
              bounds,
            )
          ).rows[0]!.count;
        return (
          (
            await client.query(
              `delete from ${table} where ctid = any (array(select ctid from ${table} target where ${where} ${typed} limit ${BITE_ROWS}))`,
              bounds,
            )
          ).rowCount ?? 0
        );
      });
      gone += count;
      if (dryRun || count < BITE_ROWS) break;
    }
    if (gone > 0) rows[table] = gone;
  }
  return { dryRun, keptFrom, sealed, partitions: old, rows };
}
