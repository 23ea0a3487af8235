// marketing jobs, rollups, retention: a job run now, as the API would run it, under the same lock, whether or not it runs.
import { z } from 'zod';
import type { Config } from '../../config.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { servingUrl } from '../../ground/db/migrate.ts';
import { makePool, type Pool } from '../../ground/db/pool.ts';
import { type Job, makeRunner } from '../../ground/jobs/runner.ts';
import { type Log, makeLog } from '../../ground/lib/log.ts';
import { leadWork } from '../../product/captures/start.ts';
import { forgetting } from '../../product/erasure/forget.ts';
import { metricsCache } from '../../product/metrics/cache.ts';
import { rollupStatus } from '../../product/metrics/rollup.ts';
import { knownSites, type Sites } from '../../product/sites/recognise.ts';
import { schedule } from '../../schedule.ts';
import { backupSettings } from '../backups/settings.ts';
import { noteNumbers } from './numbers.ts';
import { print } from './print.ts';
import { settings } from './settings.ts';
import { UsageFault } from './verb.ts';

interface Range {
  from: string | undefined;
  to: string | undefined;
  site: string | undefined;
}
/** As a job takes them; what is undefined was not said. */
type Options = Record<string, string | boolean | undefined>;
/** How the command line says what a job calls otherwise. */
const SPOKEN: Record<string, string> = { propertyId: 'site', dryRun: 'dry-run' };
const spoken = (name: PropertyKey) => `--${SPOKEN[String(name)] ?? String(name)}`;
const rangeOf = ({ from, to, site }: Range): Options => ({ from, to, propertyId: site });

export async function jobs(name: string, { dryRun, ...range }: Range & { dryRun: true | undefined }) {
  const options = { ...rangeOf(range), dryRun };
  if (name) await runJob(name, options);
  else if (Object.values(options).some((value) => value !== undefined))
    throw new UsageFault('jobs', 'options need the name of a job; marketing jobs tells which there are');
  else await opened(600_000, async (house) => list(await jobsOf(house)));
}

export async function rollUp(range: Range): Promise<void> {
  await runJob('rollup', rangeOf(range));
}

export async function discrepancy(range: Range): Promise<void> {
  const result = await runJob('discrepancy', rangeOf(range));
  if (result?.discrepancies !== 0) process.exitCode = 1;
}

export async function purge(options: { dryRun: boolean }): Promise<void> {
  await runJob('purge', options);
}

/** site  its key or id; undefined: a line for each */
export async function rollupsStatus(site: string | undefined): Promise<void> {
  await opened(60_000, async ({ db, sites }) => {
    const chosen = sites.list().filter(({ key, siteId }) => !site || site === key || site === siteId);
    if (site && chosen.length === 0) throw new Error(`There is no site ${site}`);
    for (const { key, siteId } of chosen)
      print(JSON.stringify({ site: key, ...(await rollupStatus(db, [siteId])) }));
  });
}

interface House {
  config: Config;
  log: Log;
  /** Of the role the API serves as. */
  url: string;
  db: Pool;
  sites: Sites;
}

/** Opens what a job works with, and closes it whatever happens. */
async function opened<T>(statementTimeoutMs: number, work: (house: House) => Promise<T>): Promise<T> {
  const config = settings();
  const log = makeLog('warn');
  const url = await servingUrl(config);
  const db = makePool(url, { name: 'cli', connectionsMax: 2, statementTimeoutMs, log });
  try {
    const sites = await knownSites(db, [], log);
    try {
      return await work({ config, log, url, db, sites });
    } finally {
      sites.close();
    }
  } finally {
    await db.end();
  }
}

async function jobsOf({ config, log, db, sites }: House): Promise<Job[]> {
  const leads = await leadWork(config, db, log);
  return schedule(FEATURES, {
    config,
    db,
    sites,
    backups: backupSettings(config),
    metrics: metricsCache(0),
    leads,
    forget: forgetting(db, tablesOf(FEATURES), leads.forgetJournal),
  });
}

function list(all: Job[]): void {
  for (const { name, cron, why } of all) print(`${name.padEnd(20)}${(cron ?? 'by hand').padEnd(14)}${why}`);
}

/** Prints how far it is and what it did; returns what it did. */
function runJob(name: string, given: Options): Promise<Record<string, unknown> | null> {
  return opened(600_000, async (house) => {
    const all = await jobsOf(house);
    const job = all.find((each) => each.name === name);
    if (!job) {
      list(all);
      throw new Error(`There is no job ${name}`);
    }
    const options = optionsOf(job, given);
    const db = makePool(house.url, {
      name: 'cli-runs',
      connectionsMax: 2,
      statementTimeoutMs: 15_000,
      log: house.log,
    });
    try {
      const run = await makeRunner({ db, jobs: all, log: house.log }).runNow(name, options, (line) =>
        process.stderr.write(`${line}\n`),
      );
      noteNumbers({ result: run.result });
      print(JSON.stringify(run.result));
      return run.result;
    } finally {
      await db.end();
    }
  });
}

/** throws  UsageFault: a job that does not know "dryRun" would drop it and do its work for real */
function optionsOf(job: Job, given: Options): Record<string, unknown> {
  const known = job.options instanceof z.ZodObject ? Object.keys(job.options.shape) : [];
  const surplus = Object.keys(given).find((name) => given[name] !== undefined && !known.includes(name));
  if (surplus)
    throw new UsageFault(
      `jobs ${job.name}`,
      `this job has no ${spoken(surplus)}; its options are: ${known.map(spoken).join(', ') || 'none'}`,
    );
  const parsed = job.options?.safeParse(given);
  if (parsed && !parsed.success)
    throw new UsageFault(
      `jobs ${job.name}`,
      parsed.error.issues.map(({ path, message }) => `${path.map(spoken).join('.')} ${message}`).join('; '),
    );
  return (parsed?.data ?? {}) as Record<string, unknown>;
}
