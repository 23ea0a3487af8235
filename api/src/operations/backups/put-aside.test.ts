// Databases beside the live one, on a server of their own: an undo names what it undoes, and nothing goes but by its name.
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, beforeEach, test } from 'node:test';
import pg from 'pg';
import { startCluster } from '../../../test/cluster.ts';
import { alarmsIn } from '../alerts/rules.ts';
import { dropPutAside, listPutAside, putAside, takeSnapshot, undoRestore } from './put-aside.ts';
import { putAsideReading } from './put-aside-reading.ts';
import { BackupError, databaseUrl } from './tools.ts';

let cluster: Awaited<ReturnType<typeof startCluster>>;
let ownerUrl: string;
before(async () => {
  cluster = await startCluster();
  ownerUrl = cluster.url('marketing');
});
after(() => cluster.remove());

async function run<T extends object>(sql: string, url = cluster.url()): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}
const names = async () => (await listPutAside({ ownerUrl })).map(({ name }) => name);
const months = async () =>
  (await run<{ month: string }>('select month from leads order by month', ownerUrl)).map((row) => row.month);
/** Nothing is free on it: the place of /dev/full in the world of folders. */
const FULL = '/proc';
const noneOfThatName = (error: unknown) => error instanceof BackupError && error.reason === 'no_backup';

beforeEach(async () => {
  for (const name of await names()) await run(`drop database ${name}`);
  await run('drop database if exists marketing with (force)');
  await run('create database marketing');
  await run("create table leads (month text); insert into leads values ('09 September')", ownerUrl);
});

/** A copy of months ago that nobody dropped, and what came since. */
async function leftover(): Promise<string> {
  const made = await takeSnapshot({ ownerUrl, folder: tmpdir() });
  const old = 'marketing_before_20260901t021500z';
  await run(`alter database ${made} rename to ${old}`);
  await run("insert into leads values ('10 October'), ('11 November')", ownerUrl);
  return old;
}

test('a failed upgrade never brings back a copy that another upgrade left', async () => {
  const old = await leftover();
  const mine = await takeSnapshot({ ownerUrl, folder: tmpdir() });
  assert.deepEqual(await names(), [old, mine], 'making a copy dropped the one before it');
  await run("insert into leads values ('12 of the new release')", ownerUrl);
  const refused = await undoRestore({ ownerUrl }, mine);
  assert.deepEqual(await months(), ['09 September', '10 October', '11 November']);
  assert.deepEqual((await names()).sort(), [old, refused].sort());
});

test('an undo whose copy was never made changes nothing and says which there are', async () => {
  const old = await leftover();
  for (const name of [
    'marketing_before_20261126t090000z',
    '',
    'marketing',
    'postgres',
    'template1',
    old.slice(0, -1),
  ])
    for (const act of [undoRestore, dropPutAside])
      await assert.rejects(act({ ownerUrl }, name), noneOfThatName, `${act.name} ${name}`);
  assert.deepEqual(await months(), ['09 September', '10 October', '11 November']);
  assert.deepEqual(await names(), [old]);
  await assert.rejects(undoRestore({ ownerUrl }, 'marketing_before_20261126t090000z'), new RegExp(old));
});

test('what an undo replaced is kept until somebody names it', async () => {
  const mine = await takeSnapshot({ ownerUrl, folder: tmpdir() });
  await run("insert into leads values ('12 of the new release')", ownerUrl);
  const refused = await undoRestore({ ownerUrl }, mine);
  assert.deepEqual(await run('select month from leads', databaseUrl(ownerUrl, refused)), [
    { month: '09 September' },
    { month: '12 of the new release' },
  ]);
  // and it can be undone itself
  const later = new Date(Date.now() + 5000);
  const again = await undoRestore({ ownerUrl, now: () => later }, refused);
  assert.deepEqual(await months(), ['09 September', '12 of the new release']);
  await dropPutAside({ ownerUrl }, again);
  assert.deepEqual(await names(), []);
});

test('a copy that has no room is refused, names what is left from before, and drops none of it', async () => {
  const old = await leftover();
  await assert.rejects(
    takeSnapshot({ ownerUrl, folder: FULL }),
    (error) => error instanceof BackupError && error.reason === 'disk_short' && error.message.includes(old),
  );
  assert.deepEqual(await names(), [old]);
});

test('a database left aside is told by the status and rings after half an hour', async () => {
  const old = await leftover();
  const client = new pg.Client(cluster.url());
  await client.connect();
  try {
    const value = putAsideReading.shape.parse(await putAside(client));
    assert.deepEqual(
      value.map(({ name, at }) => [name, at]),
      [[old, '2026-09-01T02:15:00.000Z']],
    );
    assert.match(putAsideReading.line!(value)!, new RegExp(`${old} \\(\\d+ MB\\)`));
    const [alarm] = alarmsIn({ putAside: value }, [putAsideReading]);
    assert.match(alarm!.message, new RegExp(`${old}.*restore-finish`));
    assert.equal(putAsideReading.rules![0]!.minutes, 30);
    assert.deepEqual(alarmsIn({ putAside: [] }, [putAsideReading]), []);
    assert.equal(putAsideReading.line!([]), null);
  } finally {
    await client.end();
  }
});
