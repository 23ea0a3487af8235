// The migrations as files: their names and reasons, that none is ever edited, and the snapshot of what they make.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { describeSchema, readSnapshot } from '../../../test/schema.ts';
import { FUNCTIONS } from '../../features.ts';
import { makeLog } from '../lib/log.ts';
import { inOrder } from './in-order.ts';
import { migrate, migrationFiles } from './migrate.ts';

const folder = new URL('../../../migrations/', import.meta.url);
const log = makeLog('silent');
let database: TestDatabase;
let owner: pg.Client;
before(async () => {
  database = await makeDatabase();
  owner = new pg.Client(database.ownerUrl);
  await owner.connect();
});
after(async () => {
  await owner.end();
  await database.drop();
});

test('the numbers of migrations begin with 1 and leave none out, and no two share one', () => {
  const names = readdirSync(folder).filter((name) => name !== 'schema.sql');
  assert.deepEqual(names.sort(), migrationFiles(), 'nothing but migrations and the snapshot lies there');
  assert.deepEqual(
    names.map((name) => Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1])),
    names.map((_, i) => i + 1),
  );
});

test('every migration begins with its reason', () => {
  for (const name of migrationFiles())
    assert.match(readFileSync(new URL(name, folder), 'utf8'), /^-- [A-Z].{30,}\n/, name);
});

test('migrations are run in the order of their numbers', async () => {
  const { rows } = await owner.query(
    "select name from schema_migrations where name ~ '^[0-9]{4}_' order by applied_at, name",
  );
  assert.deepEqual(
    rows.map(({ name }) => name),
    migrationFiles(),
  );
});

test('a migration that was edited after it was applied is refused, and named, with what to do', async () => {
  const [first, second] = migrationFiles();
  const { rows } = await owner.query('select name, sha256 from schema_migrations where name = any ($1)', [
    [first, second],
  ]);
  await owner.query('update schema_migrations set sha256 = md5(name) where name = any ($1)', [
    [first, second],
  ]);
  await assert.rejects(migrate(database.ownerUrl, FUNCTIONS, log), (error: Error) => {
    assert.ok(error.message.includes(`${first}, ${second}`), error.message);
    assert.match(error.message, /put the file back .* a migration of its own with the next number/);
    return true;
  });
  for (const { name, sha256 } of rows)
    await owner.query('update schema_migrations set sha256 = $2 where name = $1', [name, sha256]);
  assert.deepEqual(await migrate(database.ownerUrl, FUNCTIONS, log), []);
});

test('a migration that fails is named with its cause, and none after it is run', async () => {
  const ran: string[] = [];
  const cause = new Error('no such column');
  const failing = inOrder(['1_a', '2_b', '3_c', '4_d'], ['1_a'], async (name) => {
    ran.push(name);
    if (name === '3_c') throw cause;
  });
  await assert.rejects(failing, { message: 'The migration 3_c failed: no such column', cause });
  assert.deepEqual(ran, ['2_b', '3_c']);
});

test('the snapshot of the schema is what the migrations make', async () => {
  const made = await describeSchema(owner);
  assert.ok(made === readSnapshot(), 'migrations/schema.sql is not current: run `npm run schema` in api/');
});

test('the snapshot shows columns, constraints, indexes, policies, triggers, functions and grants', async () => {
  const today = await describeSchema(owner);
  const shown = async (statement: string, expected: string) => {
    await owner.query('begin');
    try {
      await owner.query(statement);
      const text = await describeSchema(owner);
      const added = text.split('\n').filter((line) => !today.includes(line));
      assert.ok(
        added.some((line) => line.includes(expected)),
        `${statement}\n${added.join('\n')}`,
      );
    } finally {
      await owner.query('rollback');
    }
  };
  await shown("alter table leads add shoe_size text default '44' not null", "shoe_size text default '44'");
  await shown('alter table leads alter column email drop not null', 'email text,');
  await shown('alter table leads add constraint odd check (email <> $$x$$)', 'constraint odd');
  await shown('create index odd on leads (email)', 'odd ON leads');
  await shown('create policy odd on leads using (true)', 'create policy odd on leads');
  await shown('alter table leads set (fillfactor = 61)', 'fillfactor=61');
  await shown(
    'create trigger odd before insert on leads for each row execute function mark_lead()',
    'TRIGGER odd',
  );
  await shown('create function odd(a integer) returns text language sql return $$x$$', 'odd(a integer)');
  await shown('revoke all on function current_sites() from public', 'revoke all on current_sites()');
  await shown('grant truncate on leads to marketing_app', 'truncate');
  await shown('create type odd as (a integer)', 'create type odd as');
  await shown('create table odd (a integer generated always as identity)', 'a integer generated always');
  await shown('create view odd as select 1 as a', 'create view odd');
});

test('partitions of days come and go without changing the snapshot', async () => {
  await owner.query("select make_event_partitions('2020-01-01', '2020-01-02')");
  assert.ok((await describeSchema(owner)) === readSnapshot());
});
