// Forgets on time: every table by its own rule (ground/tables.ts), in bounded bites, the dry run by the same conditions.
import type { Pool } from '../db/pool.ts';
import { inSites } from '../db/transaction.ts';
import { boundOf, keptOf, type Settings, type Tables } from '../tables.ts';
import { type Along, endsRows, goingIn, type Timed } from './going.ts';

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
  /** SQL, of a row called target: whether no rule of its own ends it in this run. */
  stays: (table: string, row?: string) => string;
  /** SQL, of a row of the rule's table called target: whether no rule before this one ends it. */
  left: string;
}) => Promise<Ended>;

export interface PurgeOptions {
  siteIds: string[];
  tables: Tables;
  endings: Record<string, Ending>;
  settings: Settings;
  dryRun: boolean;
  now?: number;
  signal?: AbortSignal | undefined;
  progress?: (line: string) => void;
}

export interface Purged {
  dryRun: boolean;
  /** By table, or by what of a table was forgotten. */
  rows: Record<string, number>;
  /** What no purge ends: by the job that does, its tables; and those that have no end. */
  elsewhere: { jobs: Record<string, string[]>; never: string[] };
  [said: string]: unknown;
}

/**
 * Of a table or what ends it. First what only empties rows, so that a run counts what its dry run told also where the row
 * goes later; then the endings, which seal the days whose raw rows go; then rows, what stands on something before it; at last
 * the endings that leave others behind with nothing to hold on to: those end with the next run, as the dry run said.
 */
function timedRules(tables: Tables): { table: string; rule: Timed }[] {
  const all = Object.entries(tables).flatMap(([table, rule]) =>
    keptOf(rule).flatMap((kept) => ('for' in kept ? [{ table, rule: kept }] : [])),
  );
  return [
    ...all.filter(({ rule }) => rule.forgets && !rule.by),
    ...all.filter(({ rule }) => rule.by && !rule.last),
    ...all.filter(({ rule }) => !rule.forgets && !rule.by).reverse(),
    ...all.filter(({ rule }) => rule.last),
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
  const rules = timedRules(tables);
  const going = goingIn(tables, settings, now);
  for (const [index, { table, rule }] of rules.entries()) {
    const bound = boundOf(rule.for, settings, now);
    const before = rules
      .slice(0, index)
      .flatMap((one) => (one.table === table && endsRows(one.rule) ? [one.rule] : []));
    if (endsRows(rule))
      for (const along of going.along(table, rule, before))
        count(along.table, await countRows(db, siteIds, along));
    if (rule.by) {
      const ending = endings[rule.by];
      if (!ending) throw new Error(`No feature ends ${table} by ${rule.by}.`);
      const done = await ending({
        siteIds,
        bound,
        dryRun,
        signal,
        progress,
        stays: going.stays,
        left: going.left(before),
      });
      for (const [name, more] of Object.entries(done.rows ?? {})) count(name, more);
      const warnings = [said.warnings, done.says?.warnings].flatMap((some) => some ?? []);
      Object.assign(said, done.says, warnings.length > 0 && { warnings });
    } else {
      const ends = [going.endedBy(rule, dryRun), ...(dryRun ? [going.left(before)] : [])].join(' and ');
      count(rule.counted ?? table, await purgeRows(db, { table, rule, ends, bound }, options));
    }
  }
  return { dryRun, ...said, rows, elsewhere: elsewhere(tables) };
}

/** Tables that a purge leaves to others, or to nobody: a table in which anything ends by the clock is in none of them. */
function elsewhere(tables: Tables): Purged['elsewhere'] {
  const jobs: Record<string, string[]> = {};
  const never: string[] = [];
  for (const [table, rule] of Object.entries(tables)) {
    const kept = keptOf(rule);
    for (const one of kept) if ('job' in one) jobs[one.job] = [...(jobs[one.job] ?? []), table];
    if (kept.every((one) => 'ever' in one)) never.push(table);
  }
  return { jobs, never };
}

/** Of what goes along, before it does: the same is counted by a run and by its dry run. */
const countRows = (db: Pool, siteIds: string[], { table, where }: Along): Promise<number> =>
  inSites(db, siteIds, async (client) => {
    const { rows } = await client.query<{ count: number }>(
      `select count(*) as count from ${table} target where site_id = any (current_sites()) and ${where}`,
    );
    return rows[0]!.count;
  });

async function purgeRows(
  db: Pool,
  { table, rule: { forgets }, ends, bound }: { table: string; rule: Timed; ends: string; bound: Date },
  { siteIds, dryRun, signal }: PurgeOptions,
): Promise<number> {
  const condition = `site_id = any (current_sites()) and ${ends}`;
  let gone = 0;
  for (;;) {
    if (signal?.aborted) return gone;
    const { rows, chosen } = await inSites(db, siteIds, async (client) => {
      if (dryRun) {
        const { rows } = await client.query<{ count: number }>(
          `select count(*) as count from ${table} target where ${condition}`,
          [bound],
        );
        return { rows: rows[0]!.count, chosen: 0 };
      }
      // What a condition asks of other tables may change meanwhile: whoever begins to need a row holds it and is let through;
      // the rest is held, so that nobody can begin to, and asked once more.
      const held = await client.query<{ place: string }>(
        `select ctid::text as place from ${table} target where ${condition} limit ${BITE_ROWS} for update skip locked`,
        [bound],
      );
      const still = `ctid = any ($2::tid[]) and ${condition}`;
      const done = await client.query(
        forgets
          ? `update ${table} target set ${forgets} where ${still}`
          : `delete from ${table} target where ${still}`,
        [bound, held.rows.map(({ place }) => place)],
      );
      return { rows: done.rowCount ?? 0, chosen: held.rows.length };
    });
    gone += rows;
    if (chosen < BITE_ROWS) return gone;
  }
}
