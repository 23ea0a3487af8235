// Migrations, roles and row level security, on a real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { PEPPER } from '../../../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { FUNCTIONS } from '../../features.ts';
import { makeLog } from '../lib/log.ts';
import { appUrl, migrate, migrationFiles, refuseUnsafe } from './migrate.ts';
import { inSites } from './transaction.ts';

const log = makeLog('silent');
let database: TestDatabase;
let site: string;
let other: string;
before(async () => {
  database = await makeDatabase();
  site = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  other = (await database.owner.query("insert into sites (key) values ('other') returning site_id")).rows[0]
    .site_id;
});
after(() => database.drop());

const fresh = async (name: string) => {
  await database.owner.query(`create database ${name}`);
  const url = new URL(database.ownerUrl);
  url.pathname = `/${name}`;
  return url.href;
};

test('two processes that start at once run each migration once', async () => {
  const url = await fresh('twice');
  const done = await Promise.all([migrate(url, FUNCTIONS, log), migrate(url, FUNCTIONS, log)]);
  assert.deepEqual(done.flat().sort(), migrationFiles());
  assert.deepEqual(await migrate(url, FUNCTIONS, log), []);
  await database.owner.query('drop database twice');
});

test('a database that is newer than the code is refused, and says what to do', async () => {
  const url = await fresh('newer');
  await migrate(url, FUNCTIONS, log);
  const client = new pg.Client(url);
  await client.connect();
  await client.query("insert into schema_migrations (name, sha256) values ('9999_future.sql', '')");
  await client.end();
  await assert.rejects(migrate(url, FUNCTIONS, log), /newer than this version \(9999_future\.sql\)/);
  await database.owner.query('drop database newer');
});

test('the app role is neither superuser nor owner, and the start refuses one that is', async () => {
  await refuseUnsafe(database.app);
  await assert.rejects(refuseUnsafe(database.owner), /is a superuser[\s\S]*owns tables/);
});

test('unsafe durability stops the start', async () => {
  const pool = new pg.Pool({ connectionString: database.appUrl, options: '-c synchronous_commit=off' });
  await assert.rejects(refuseUnsafe(pool), /synchronous_commit is off/);
  await pool.end();
});

test('every table with a site_id has row level security enabled and forced', async () => {
  const { rows } = await database.owner.query(
    `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
     join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id'
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not (c.relrowsecurity and c.relforcerowsecurity)`,
  );
  assert.deepEqual(rows, []);
});

test('a transaction sees and writes only the sites it named; without a name it sees nothing', async () => {
  const mark = (siteId: string) =>
    ["insert into dirty_days (site_id, day, cause) values ($1, '2026-01-01', 'test')", [siteId]] as [
      string,
      string[],
    ];
  await inSites(database.app, site, (db) => db.query(...mark(site)));
  await inSites(database.app, other, (db) => db.query(...mark(other)));
  assert.equal((await database.app.query('select from dirty_days')).rowCount, 0);
  assert.equal((await inSites(database.app, site, (db) => db.query('select from dirty_days'))).rowCount, 1);
  assert.equal(
    (await inSites(database.app, [site, other], (db) => db.query('select from dirty_days'))).rowCount,
    2,
  );
  await assert.rejects(
    inSites(database.app, site, (db) => db.query(...mark(other))),
    /row-level security/,
  );
  await assert.rejects(
    inSites(database.app, "x'; drop table sites; --", async () => {}),
    /not a site id/,
  );
});

test('of a table that was never analysed one site is expected to have it all, also of the days made ahead', async () => {
  const { rows } = await database.owner.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id'
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not a.attisdropped
     and not exists (select from pg_index where indrelid = c.oid and indisunique and indkey::text = a.attnum::text)`,
  );
  assert.ok(rows.length > 50);
  const expected = async (sql: string) =>
    (await database.owner.query(`explain (format json) ${sql}`)).rows[0]['QUERY PLAN'][0].Plan['Plan Rows'];
  for (const { name } of rows)
    assert.equal(
      await expected(`select from ${name} where site_id = '${site}'`),
      await expected(`select from ${name} where site_id is not null`),
      name,
    );
});

test('a partition cannot be read around its table', async () => {
  const { rows } = await database.owner.query(
    "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'events'::regclass limit 1",
  );
  await assert.rejects(database.app.query(`select from ${rows[0].name}`), /permission denied/);
});

test('the app role may not make, change or drop anything', async () => {
  for (const statement of [
    'create table mine (a int)',
    'alter table events disable row level security',
    'drop table events',
    'truncate events',
    'set role postgres',
  ]) {
    await assert.rejects(database.app.query(statement), /permission denied|must be owner/, statement);
  }
});

test("a day's partition is dropped with its rows, and later days stay", async () => {
  await database.owner.query("select make_event_partitions('2020-01-01', '2020-01-03')");
  const { rows } = await database.app.query("select drop_event_partitions('2020-01-03') as name");
  assert.deepEqual(
    rows.map((row) => row.name),
    ['events_20200101', 'events_20200102'],
  );
  assert.equal(
    (await database.owner.query("select to_regclass('events_20200103') as there")).rows[0].there,
    'events_20200103',
  );
});

test('an owner whose app role has another password gets it set right', async () => {
  await database.owner.query("alter role marketing_app password 'something else'");
  const url = await appUrl(database.ownerUrl, PEPPER);
  const client = new pg.Client(url);
  await client.connect();
  assert.equal((await client.query('select current_user')).rows[0].current_user, 'marketing_app');
  await client.end();
});

test('the day that is, and those to come, are never dropped, whatever a clock or a hand asks for', async () => {
  const before = (
    await database.owner.query(
      "select count(*)::int as count from pg_inherits where inhparent = 'events'::regclass",
    )
  ).rows;
  await assert.rejects(
    database.app.query("select drop_event_partitions((now() at time zone 'UTC')::date + 2)"),
    /too young to drop/,
  );
  assert.deepEqual(
    (
      await database.owner.query(
        "select count(*)::int as count from pg_inherits where inhparent = 'events'::regclass",
      )
    ).rows,
    before,
  );
});
