// npm run bench:filled: every route, every job, a backup with its trial, an export and an erasure of a person, in a process
// of the container's size, on a database of years. Prints what each made the process hold, beside what it may.
//
//   npm run bench:filled                          a million events, 10 000 leads, 5 000 sites, 100 000 unsubscribes of strangers
//   npm run bench:filled -- 10000000              ten times as much (5 GB, some 20 minutes to fill)
//   npm run bench:filled -- 10000000 --in DIR     the database stays there, and is taken as it is the next time
//   BENCH_ONLY='backup|erasure'                   only the calls whose name is like this
//   BENCH_PG_BIN=DIR                              pg_dump and pg_restore of PostgreSQL 18, for the backup
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { embeddedPostgres } from '../src/ground/db/embedded.ts';
import { makePool } from '../src/ground/db/pool.ts';
import { methodOf, pathOf, type Route } from '../src/ground/http/route.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import { largestOf, startConfined } from '../test/confined.ts';
import { makeDatabase, makeTemplate } from '../test/database.ts';
import { type Example, examplesOf } from '../test/examples.ts';
import { admin, startServer } from '../test/server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from '../test/world.ts';
import { fillWorld, worldOf } from './filled-world.ts';
import { cpuMs, family, residentMb } from './processes.ts';

const MB_MAX = 200;
const WITH_TOOLS = ['backup', 'verify_backup'];
/** Of the site with half of all visits, counted before the reports are asked for; the job counts the others. */
const REPORTED_DAYS = 14;
const { values, positionals } = parseArgs({ options: { in: { type: 'string' } }, allowPositionals: true });
const world = worldOf(Number(positionals[0] ?? 1_000_000));
const folder = resolve(values.in ?? mkdtempSync(join(tmpdir(), 'marketing-filled-')));

/** As the appliance has them, save what only its network and its disk need. */
const settings = Object.fromEntries(
  [
    ...readFileSync(new URL('../../postgres/postgresql.conf', import.meta.url), 'utf8').matchAll(
      /^(\w+) = '?([^'#]*?)'?\s*(?:#.*)?$/gm,
    ),
  ]
    .map(([, name, value]) => [name!, value!.trim()] as const)
    .filter(([name]) =>
      /mem|buffers|parallel|worker|io_method|jit|autovacuum|page_cost|wal_level|wal_senders|locks|temp_file/.test(
        name,
      ),
    ),
);

interface Kept {
  database: string;
  place: Place;
  routes: Pick<Route, 'at' | 'id'>[];
}
const keptPath = join(folder, 'world.json');

mkdirSync(folder, { recursive: true });
const cluster = await embeddedPostgres({
  dataDir: join(folder, 'db'),
  password: 'test',
  settings: {
    ...settings,
    max_connections: '40',
    max_wal_size: '2GB',
  },
});
await cluster.start();
const url = (database: string) => cluster.url(database);
const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(0);

async function fill(): Promise<Kept> {
  const began = performance.now();
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  const database = await makeDatabase();
  const data = join(folder, 'data');
  const server = await startServer(
    { ...WORLD_SETTINGS, DATA_DIR: data },
    { ...database, drop: async () => {} },
  );
  const place = await makePlace(server, 'bakery');
  const routes = server.routes.map(({ at, id }) => ({ at, id }));
  await server.stop();
  await fillWorld(database.ownerUrl, place, data, world);
  await database.owner.end();
  await database.app.end();
  const kept = { database: new URL(database.ownerUrl).pathname.slice(1), place, routes };
  writeFileSync(keptPath, JSON.stringify(kept));
  console.log(`filled in ${seconds(began)} s`);
  return kept;
}

const rows: Record<string, string | number>[] = [];
try {
  const { database, place, routes } = existsSync(keptPath)
    ? (JSON.parse(readFileSync(keptPath, 'utf8')) as Kept)
    : await fill();
  const owner = makePool(url('postgres'), {
    name: 'bench',
    connectionsMax: 1,
    statementTimeoutMs: 3_600_000,
    log: makeLog('silent'),
  });
  await owner.query('drop database if exists filled_run with (force)');
  await owner.query(`create database filled_run template ${database} strategy file_copy`);
  const { rows: sizes } = await owner.query("select pg_database_size('filled_run') as bytes");
  console.log(
    `${world.events} events, ${world.leads} leads, ${world.sites} sites: ${(sizes[0].bytes / 1e9).toFixed(2)} GB`,
  );
  const data = join(folder, 'run');
  rmSync(data, { recursive: true, force: true });
  cpSync(join(folder, 'data'), data, { recursive: true });

  const api = await startConfined(url('filled_run'), data, {
    ...(process.env.BENCH_PG_BIN ? { BACKUP_PG_BIN: process.env.BENCH_PG_BIN } : {}),
  });
  const postmaster = cluster.pid();
  /** What of its children held most, in MB. */
  let childMb = 0;
  const watch = setInterval(() => {
    for (const pid of family(api.pid).slice(1)) childMb = Math.max(childMb, residentMb(pid).all);
  }, 500);

  async function play(name: string, at: Route['at'], example: Example) {
    if (process.env.BENCH_ONLY && !new RegExp(process.env.BENCH_ONLY).test(name)) return;
    const before = [cpuMs(api.pid), cpuMs(postmaster)] as const;
    childMb = 0;
    const answer = await api.walk(name, { at }, example);
    const took = api.took.at(-1)!;
    rows.push({
      what: name.slice(0, 90),
      answer: answer.status,
      MB: (answer.bytes / 1e6).toFixed(1),
      s: (took.ms / 1000).toFixed(2),
      'node CPU s': ((cpuMs(api.pid) - before[0]) / 1000).toFixed(2),
      'postgres CPU s': ((cpuMs(postmaster) - before[1]) / 1000).toFixed(2),
      'held MB': took.mb,
      [`at most ${MB_MAX}`]: took.mb <= MB_MAX ? 'yes' : 'NO',
      ...(childMb ? { 'its tool MB': childMb } : {}),
    });
    if (process.env.BENCH_TELL) console.error(JSON.stringify(rows.at(-1)), JSON.stringify(answer.last));
  }
  rows.push({ what: 'the start', s: (api.took[0]!.ms / 1000).toFixed(2), 'held MB': api.took[0]!.mb });

  const job = (name: string, body = {}) =>
    play(`job ${name}`, 'POST /v1/admin/jobs/:job', { path: { job: name }, body });
  const all = examplesOf(place);
  const largest = largestOf(place);
  // the reports have something to read
  const ago = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  await job('rollup', { from: ago(REPORTED_DAYS), to: ago(0), propertyId: place.key });
  for (const { id, at } of routes) {
    if (['runJob', 'exportSubject', 'eraseSubject'].includes(id) || at.startsWith('DELETE')) continue;
    for (const example of [...all[id]!, ...(largest[id] ?? [])])
      await play(
        `${methodOf({ at })} ${pathOf({ at })} ${JSON.stringify(example).slice(0, 60)}`,
        at,
        example,
      );
  }
  await play('the export of a person', 'POST /v1/leads/export-subject', all.exportSubject![0]!);
  if (process.env.BENCH_PG_BIN) {
    for (const name of WITH_TOOLS) await job(name);
    for (const file of readdirSync(join(data, 'backups')))
      console.log(`${file}: ${(statSync(join(data, 'backups', file)).size / 1e6).toFixed(0)} MB`);
  }
  await play('the erasure of a person', 'POST /v1/leads/delete', { body: { email: place.email } });
  const listed = await fetch(`${api.url}/v1/admin/jobs`, { headers: admin });
  const { jobs } = (await listed.json()) as { jobs: { job: string }[] };
  for (const { job: name } of jobs)
    if (![...WITH_TOOLS, 'offsite', 'newer_release'].includes(name)) await job(name);
  clearInterval(watch);
  await api.end();
  await owner.query('drop database if exists filled_run with (force)');
  await owner.end();
} finally {
  await cluster.stop();
  if (!values.in) rmSync(folder, { recursive: true, force: true });
}
const held = (row: (typeof rows)[number]) => Number(row['held MB']);
rows.sort((a, b) => held(b) - held(a));
console.table(rows.slice(0, Number(process.env.BENCH_ROWS ?? 25)));
const over = rows.filter((row) => held(row) > MB_MAX).length;
console.log(
  `${rows.length} calls, all answered; the most held ${held(rows[0]!)} MB (target ${MB_MAX}), ${over} more than that; load ${loadavg()[0]!.toFixed(1)}`,
);
process.exit(over > 0 ? 1 : 0);
