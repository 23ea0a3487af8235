// Forgets on time: every table by its own rule (ground/tables.ts), in bounded bites, the dry run by the same conditions.
import type { Pool } from '../db/pool.ts';
import { inSites } from '../db/transaction.ts';
import { boundOf, type Kept, keptOf, type Tables } from '../tables.ts';

// Small enough that ingestion waits for some milliseconds at most.
const BITE_ROWS = 5000;

export interface Ended {
  /** How many, by what; with dryRun how many it would be. */
  rows?: Record<string, number>;
  /** What else a run says. */
  says?: Record<string, unknown>;
}
/** What ends otherwise than by deleting or emptying rows. */
export type Ending = (work: {
  siteIds: string[];
  /** What is older goes. */
  bound: Date;
  dryRun: boolean;
  signal: AbortSignal | undefined;
  progress: (line: string) => void;
}) => Promise<Ended>;

export interface PurgeOptions {
  siteIds: string[];
  tables: Tables;
  endings: Record<string, Ending>;
  settings: Parameters<typeof boundOf>[1];
  dryRun: boolean;
  now?: number;
  signal?: AbortSignal | undefined;
  progress?: (line: string) => void;
}

export interface Purged {
  dryRun: boolean;
  /** By table, or by what of a table was forgotten. */
  rows: Record<string, number>;
  [said: string]: unknown;
}

type Timed = Extract<Kept, { for: unknown }>;

/**
 * Of a table or what ends it. First what only empties rows, so that a run counts what its dry run told also where the row
 * goes later; then the endings, which seal the days whose raw rows go.
 */
function timedRules(tables: Tables): { table: string; rule: Timed }[] {
  const all = Object.entries(tables).flatMap(([table, rule]) =>
    keptOf(rule).flatMap((kept) => ('for' in kept ? [{ table, rule: kept }] : [])),
  );
  return [
    ...all.filter(({ rule }) => rule.forgets && !rule.by),
    ...all.filter(({ rule }) => rule.by),
    ...all.filter(({ rule }) => !rule.forgets && !rule.by),
  ];
}

/** dryRun  tells what would go, and changes nothing */
export async function purge(db: Pool, options: PurgeOptions): Promise<Purged> {
  const { siteIds, tables, endings, settings, dryRun, signal, progress = () => {} } = options;
  const now = new Date(options.now ?? Date.now());
  const rows: Record<string, number> = {};
  const said: Record<string, unknown> = {};
  const count = (name: string, more: number) => {
    rows[name] = (rows[name] ?? 0) + more;
  };
  for (const { table, rule } of timedRules(tables)) {
    const bound = boundOf(rule.for, settings, now);
    if (rule.by) {
      const ending = endings[rule.by];
      if (!ending) throw new Error(`No feature ends ${table} by ${rule.by}.`);
      const done = await ending({ siteIds, bound, dryRun, signal, progress });
      for (const [name, more] of Object.entries(done.rows ?? {})) count(name, more);
      Object.assign(said, done.says);
    } else count(rule.counted ?? table, await purgeRows(db, table, rule, bound, options));
  }
  return { dryRun, ...said, rows };
}

/** By day or by moment, as the column is. */
const olderThan = (since: string) =>
  `${since} < ${since === 'day' ? '$1::timestamptz::date' : '$1::timestamptz'}`;

async function purgeRows(
  db: Pool,
  table: string,
  { since, where, forgets }: Timed,
  bound: Date,
  { siteIds, dryRun, signal }: PurgeOptions,
): Promise<number> {
  const condition = `site_id = any (current_sites()) and ${olderThan(since)}${where ? ` and ${where}` : ''}`;
  let gone = 0;
  for (;;) {
    if (signal?.aborted) return gone;
    const count = await inSites(db, siteIds, async (client) => {
      if (dryRun) {
        const { rows } = await client.query<{ count: number }>(
          `select count(*) as count from ${table} target where ${condition}`,
          [bound],
        );
        return rows[0]!.count;
      }
      const chosen = `ctid = any (array(select ctid from ${table} target where ${condition} limit ${BITE_ROWS}))`;
      const done = await client.query(
        forgets ? `update ${table} set ${forgets} where ${chosen}` : `delete from ${table} where ${chosen}`,
        [bound],
      );
      return done.rowCount ?? 0;
    });
    gone += count;
    if (dryRun || count < BITE_ROWS) return gone;
  }
}
