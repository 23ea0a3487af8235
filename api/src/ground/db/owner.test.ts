// The owner of the database, as a new installation makes it (postgres/owner.sql): no superuser, and yet all that migrations,
// trial restores, upgrades and the purge need.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { PEPPER, startCluster } from '../../../test/cluster.ts';
import { FUNCTIONS } from '../../features.ts';
import { dropPutAside, listPutAside, takeSnapshot, undoRestore } from '../../operations/backups/put-aside.ts';
import { makeLog } from '../lib/log.ts';
import { appUrl, migrate, refuseUnsafe } from './migrate.ts';
import { makePool } from './pool.ts';

const PASSWORD = "it's the owner's";
const silent = makeLog('silent');
let cluster: Awaited<ReturnType<typeof startCluster>>;
let ownerUrl: string;

async function run(url: string, ...statements: string[]) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    let last: pg.QueryResult | null = null;
    for (const statement of statements) last = await client.query(statement);
    return last!.rows;
  } finally {
    await client.end();
  }
}

before(async () => {
  cluster = await startCluster();
  await run(cluster.url(), 'create database marketing');
  // as psql reads it
  const sql = readFileSync(new URL('../../../../postgres/owner.sql', import.meta.url), 'utf8')
    .replace(/^\\getenv .*$/m, '')
    .replace(":'password'", pg.escapeLiteral(PASSWORD));
  await run(cluster.url('marketing'), sql);
  const url = new URL(cluster.url('marketing'));
  url.username = 'marketing_owner';
  url.password = encodeURIComponent(PASSWORD);
  ownerUrl = url.href;
});
after(() => cluster.remove());

test('the owner migrates, makes the app’s role, and the API serves', async () => {
  await migrate(ownerUrl, FUNCTIONS, silent);
  const pool = makePool(await appUrl(ownerUrl, PEPPER), {
    name: 'test',
    connectionsMax: 2,
    statementTimeoutMs: 30_000,
    log: silent,
  });
  try {
    await refuseUnsafe(pool);
    await pool.query("select make_event_partitions('2020-01-01', '2020-01-02')");
    const { rows } = await pool.query("select drop_event_partitions('2020-01-02') as name");
    assert.deepEqual(rows, [{ name: 'events_20200101' }]);
  } finally {
    await pool.end();
  }
  assert.deepEqual(await run(ownerUrl, 'select count(*)::int as sites from sites'), [{ sites: 1 }]);
});

test('an upgrade’s copy, its undo and a scratch database need no superuser, though others are connected', async () => {
  const app = new pg.Client(await appUrl(ownerUrl, PEPPER));
  app.on('error', () => {});
  await app.connect();
  const copy = await takeSnapshot({ ownerUrl, folder: tmpdir() });
  const refused = await undoRestore({ ownerUrl }, copy);
  await dropPutAside({ ownerUrl }, refused);
  assert.deepEqual(await listPutAside({ ownerUrl }), []);
  const server = ownerUrl.replace(/\/marketing$/, '/postgres');
  await run(server, 'create database marketing_check_x template template0');
  await run(server, 'drop database marketing_check_x with (force)');
  await app.end().catch(() => {});
});

test('whoever has the owner has the database and not the server; the superuser lets nobody in', async () => {
  for (const statement of [
    "copy (select 1) to program 'id'",
    "select pg_read_file('/etc/passwd')",
    "create table t (a text); copy t from '/etc/passwd'",
    'alter role postgres login',
    'alter role marketing_owner superuser',
    'grant pg_execute_server_program to marketing_owner',
    "alter system set archive_command = 'id'",
    "create function f() returns int language c as 'libc', 'system'",
  ])
    await assert.rejects(
      run(ownerUrl, statement),
      /permission denied|must be superuser|Only roles/,
      statement,
    );
  await assert.rejects(run(cluster.url(), 'select 1'), /password authentication failed/);
});
