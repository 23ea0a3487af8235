// The operator's command line, inside the container ("marketing VERB") and for npm run: backups, restore, status, canary.
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Config, ConfigError, readConfig } from './config.ts';
import { appUrl, migrate } from './ground/db/migrate.ts';
import { makePool } from './ground/db/pool.ts';
import { makeRunner } from './ground/jobs/runner.ts';
import { makeLog } from './ground/lib/log.ts';
import { policyOf } from './ground/retention/policy.ts';
import { type BackupSettings, runBackup } from './operations/backups/dump.ts';
import { mergeJournal } from './operations/backups/journal.ts';
import {
  finishRestore,
  inspectBackup,
  restoreBackup,
  schemaOf,
  takeSnapshot,
  undoRestore,
} from './operations/backups/restore.ts';
import { listBackups } from './operations/backups/rotate.ts';
import { backupSettings } from './operations/backups/settings.ts';
import { BackupError } from './operations/backups/tools.ts';
import { verifyBackup } from './operations/backups/verify.ts';
import { canary } from './operations/cli/canary.ts';
import { showStatus } from './operations/cli/show-status.ts';
import { leadWork } from './product/captures/start.ts';
import { forgetAgain } from './product/erasure/forget-again.ts';
import { metricsCache } from './product/metrics/cache.ts';
import { rollupStatus } from './product/metrics/rollup.ts';
import { knownSites } from './product/sites/recognise.ts';
import { schedule } from './schedule.ts';

interface Verb {
  help: string;
  /** throws or sets the exit code when it did not succeed */
  run(args: string[]): Promise<void>;
}

const print = (text: string) => process.stdout.write(`${text}\n`);
const config = (): Config => readConfig(process.env);
const backups = (): BackupSettings => backupSettings(config());
const known = () =>
  readdirSync(new URL('../migrations/', import.meta.url))
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort();

/** The value after an option; undefined when the option isn't there. */
function option(args: string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}

async function identityOf(args: string[]): Promise<string | null> {
  const file = option(args, '--identity');
  if (!file) return null;
  // the file age-keygen writes has comments beside the key
  return /^AGE-SECRET-KEY-\S+/m.exec(await readFile(file, 'utf8'))?.[0] ?? 'none';
}

async function newest(plain: boolean): Promise<string> {
  const { folder } = backups();
  const sets = await listBackups(folder);
  const found = plain ? sets.findLast((set) => set.plain) : sets.at(-1);
  if (!found) throw new BackupError('no_backup', 'There is no backup yet; make one with: scripts/backup');
  return `marketing-${found.stamp}.dump${found.encrypted && !plain ? '.age' : ''}`;
}

const verbs: Record<string, Verb> = {
  backup: {
    help: 'makes a backup, reads it back, copies it off the machine where that is set up; --name prints only its name',
    async run(args) {
      const result = await runBackup(backups());
      print(args.includes('--name') ? result.file : JSON.stringify(result));
      for (const { target, ok, message } of result.copies)
        if (!ok) process.stderr.write(`the copy to ${target} failed: ${message}\n`);
      if (result.copies.some(({ ok }) => !ok)) process.exitCode = 4;
    },
  },
  verify: {
    help: 'restores the newest backup into a scratch database and compares it',
    async run() {
      const check = await verifyBackup(backups());
      print(JSON.stringify(check));
      if (!check.ok) process.exitCode = 1;
    },
  },
  newest: {
    help: 'prints the name of the newest backup; --plain: of the newest one in the clear',
    async run(args) {
      print(await newest(args.includes('--plain')));
    },
  },
  inspect: {
    help: 'FILE [--identity FILE]: checks a backup as far as that is possible without a database',
    async run(args) {
      const { manifest, temporary, dump } = await inspectBackup({
        ...backups(),
        file: args[0] ?? '',
        identity: await identityOf(args),
        knownMigrations: known(),
      });
      if (temporary) await (await import('node:fs/promises')).rm(dump, { force: true });
      const rows = Object.values(manifest.content.tables).reduce((sum, table) => sum + Number(table.rows), 0);
      print(
        `${basename(args[0]!)}: whole; made ${manifest.createdAt} by release ${manifest.version}, ${rows} rows`,
      );
    },
  },
  restore: {
    help: 'FILE [--identity FILE]: puts a backup in the place of the database; the API must be stopped (use scripts/restore)',
    async run(args) {
      const settings = backups();
      const log = makeLog('warn');
      await mergeJournal(join(dirname(args[0] ?? ''), 'forgotten.ndjson'), settings.journal);
      const { old } = await restoreBackup({
        ...settings,
        file: args[0] ?? '',
        identity: await identityOf(args),
        knownMigrations: known(),
        migrate: async (url) => {
          const done = await migrate(url, log);
          if (done.length > 0) print(`brought up to this release by ${done.join(', ')}`);
        },
        replayJournal,
        say: print,
      });
      print(`kept: ${old}`);
    },
  },
  'restore-finish': {
    help: 'drops the database that was kept, once the restored one serves',
    async run() {
      print(`dropped ${(await finishRestore(backups())).join(', ') || 'nothing'}`);
    },
  },
  'restore-undo': {
    help: 'puts the kept database back; the API must be stopped',
    async run() {
      const back = await undoRestore(backups());
      if (!back) throw new Error('There is no kept database to put back.');
      print(`${back} is the database again`);
    },
  },
  snapshot: {
    help: 'keeps a copy of the database beside it, for restore-undo; the API must be stopped',
    async run() {
      print(`kept: ${await takeSnapshot(backups())}`);
    },
  },
  migrations: {
    help: 'prints the migrations this release knows; --done: those the database has seen',
    async run(args) {
      for (const name of args.includes('--done') ? await schemaOf(config().DATABASE_URL) : known())
        print(name);
    },
  },
  journal: {
    help: 'replay --since INSTANT: repeats erasures and withdrawals asked for since then (a restore does it by itself)',
    async run(args) {
      const since = option(args, '--since');
      if (args[0] !== 'replay' || !since || Number.isNaN(Date.parse(since)))
        throw new Error('say: journal replay --since 2026-01-31T02:15:00.000Z (the moment of the backup)');
      print(await replayJournal(config().DATABASE_URL, new Date(since).toISOString()));
    },
  },
  rollups: {
    help: 'run | backfill --from DAY --to DAY | status | discrepancy [--from DAY --to DAY]; --site KEY for one site',
    run: rollups,
  },
  retention: {
    help: 'purge [--dry-run]: forgets what is older than the policy says, or tells what would go',
    async run(args) {
      if (args[0] !== 'purge') throw new Error('retention knows one word: purge');
      await runJob('purge', { dryRun: args.includes('--dry-run') });
    },
  },
  jobs: {
    help: '[NAME [--from DAY --to DAY] [--site KEY] [--dry-run]]: runs any job now and waits for it; without a name tells which there are',
    async run([name, ...args]) {
      await runJob(name, {
        from: option(args, '--from'),
        to: option(args, '--to'),
        propertyId: option(args, '--site'),
        dryRun: args.includes('--dry-run') || undefined,
      });
    },
  },
  status: {
    help: 'everything at a glance; --json for machines; exit status 1 when something needs a person',
    async run(args) {
      const well = await showStatus(config(), { json: args.includes('--json'), print });
      if (!well) process.exitCode = 1;
    },
  },
  canary: {
    help: 'sends an event and a lead through, reads the number, erases the lead: does this release really work?',
    async run() {
      await canary(config(), print);
    },
  },
};

/**
 * Runs a job as the API would, under the same lock, whether or not the API runs; prints how far it is and what it did.
 * name  undefined: prints which jobs there are
 */
async function runJob(
  name: string | undefined,
  options: Record<string, unknown>,
): Promise<Record<string, unknown> | null> {
  const settings = config();
  const log = makeLog('warn');
  const url = settings.DATABASE_APP_URL ?? (await appUrl(settings.DATABASE_URL, settings.IP_HASH_PEPPER));
  const db = makePool(url, { name: 'cli', connectionsMax: 2, statementTimeoutMs: 600_000, log });
  const locks = makePool(url, { name: 'cli-locks', connectionsMax: 2, statementTimeoutMs: 15_000, log });
  const sites = await knownSites(db, [], log);
  try {
    const jobs = schedule({
      db,
      sites,
      backups: backups(),
      metrics: metricsCache(0),
      policy: policyOf(settings),
      leads: await leadWork(settings, db, log),
    });
    const job = jobs.find((each) => each.name === name);
    if (!name || !job) {
      for (const each of jobs)
        print(`${each.name.padEnd(16)}${(each.cron ?? 'by hand').padEnd(14)}${each.why}`);
      if (name) throw new Error(`There is no job ${name}`);
      return null;
    }
    const parsed = (job.options?.safeParse(options) ?? { success: true, data: {} }) as {
      success: boolean;
      data?: Record<string, unknown>;
      error?: { issues: { path: PropertyKey[]; message: string }[] };
    };
    if (!parsed.success)
      throw new Error(
        parsed.error!.issues.map((issue) => `--${issue.path.join('.')} ${issue.message}`).join('; '),
      );
    const run = await makeRunner({ locks, jobs, log }).runNow(name, parsed.data, (line) =>
      process.stderr.write(`${line}\n`),
    );
    print(JSON.stringify(run.result));
    return run.result;
  } finally {
    sites.close();
    await db.end();
    await locks.end();
  }
}

async function rollups([word = 'run', ...args]: string[]): Promise<void> {
  const range = {
    from: option(args, '--from'),
    to: option(args, '--to'),
    propertyId: option(args, '--site'),
  };
  if (word === 'run') await runJob('rollup', range);
  else if (word === 'backfill') {
    if (!range.from || !range.to) throw new Error('Say which days: --from 2026-01-01 --to 2026-01-31');
    await runJob('rollup', range);
  } else if (word === 'discrepancy') {
    const result = await runJob('discrepancy', range);
    if (result?.discrepancies !== 0) process.exitCode = 1;
  } else if (word === 'status') {
    const settings = config();
    const log = makeLog('warn');
    const url = settings.DATABASE_APP_URL ?? (await appUrl(settings.DATABASE_URL, settings.IP_HASH_PEPPER));
    const db = makePool(url, { name: 'cli', connectionsMax: 2, statementTimeoutMs: 60_000, log });
    const sites = await knownSites(db, [], log);
    try {
      for (const site of sites.list()) {
        const status = await rollupStatus(db, [site.siteId]);
        print(JSON.stringify({ site: site.key, ...status }));
      }
    } finally {
      sites.close();
      await db.end();
    }
  } else throw new Error('rollups knows: run, backfill, status, discrepancy');
}

/** Erasures and withdrawals are kept outside the database; url: of the restored one. returns  a sentence for the operator */
async function replayJournal(url: string, since: string): Promise<string> {
  const { IP_HASH_PEPPER: pepper } = config();
  const pool = makePool(await appUrl(url, pepper), {
    name: 'restore',
    connectionsMax: 1,
    statementTimeoutMs: 600_000,
    log: makeLog('warn'),
  });
  try {
    const { erased, withdrawn, unknown } = await forgetAgain(pool, {
      journal: backups().journal,
      since,
      pepper,
    });
    return `since the backup ${erased} erasures and ${withdrawn} withdrawals were asked for and are repeated; ${unknown} of people it does not hold`;
  } finally {
    await pool.end();
  }
}

const [name = 'help', ...args] = process.argv.slice(2);
const verb = verbs[name];
if (!verb) {
  const lines = Object.entries(verbs).map(([word, { help }]) => `  ${word.padEnd(16)}${help}`);
  process.stderr.write(
    `${name === 'help' || name === '--help' ? '' : `There is no verb ${name}.\n`}marketing VERB [option…]\n${lines.join('\n')}\n`,
  );
  process.exitCode = name === 'help' || name === '--help' ? 0 : 2;
} else {
  try {
    await verb.run(args);
  } catch (error) {
    const plain = error instanceof BackupError || error instanceof ConfigError;
    process.stderr.write(
      `${name}: ${plain ? (error as Error).message : ((error as Error).message ?? error)}\n`,
    );
    process.exitCode = 3;
  }
  // pools and sockets of a verb that failed half-way must not keep the process
  setTimeout(() => process.exit(), 1000).unref();
}
