// What only one may do at a time: held by a row that is renewed, and anybody's once its holder went silent.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { endLeasesOf, holdLease, takeLease } from './lease.ts';

let database: TestDatabase;
before(async () => {
  database = await makeDatabase();
});
after(() => database.drop());

const rows = async (sql: string, values: unknown[] = []) => (await database.owner.query(sql, values)).rows;

test('of many who reach for a lease one has it, and the next one after it was released', async () => {
  const reached = await Promise.all(Array.from({ length: 8 }, () => holdLease(database.app, 'one')));
  const [mine, ...more] = reached.filter((lease) => lease !== null);
  assert.deepEqual(more, []);
  await mine!.release();
  const next = await holdLease(database.app, 'one');
  assert.ok(next);
  await next.release();
  assert.deepEqual(await rows("select from leases where name = 'one'"), []);
});

test('a lease whose holder went silent is anybody’s, and the holder hears that it is gone', async () => {
  const silent = await holdLease(database.app, 'silent', null, { renewEveryMs: 20 });
  // as if it had been renewed too long ago, and another came before the next time
  await rows(
    "update leases set until = now() - interval '1 second', holder = gen_random_uuid() where name = 'silent'",
  );
  const next = await holdLease(database.app, 'silent');
  assert.ok(next);
  if (!silent!.lost.aborted) await new Promise((done) => silent!.lost.addEventListener('abort', done));
  await silent!.release();
  assert.equal((await rows("select from leases where name = 'silent'")).length, 1, 'it ends nobody else’s');
  await next.release();
});

test('a lease is renewed by its holder, kept from others, and ends with a process that is known to have ended', async () => {
  const [processId, other] = [randomUUID(), randomUUID()];
  assert.equal(await takeLease(database.app, 'kept', processId, processId), true);
  assert.equal(await takeLease(database.app, 'kept', processId, processId), true);
  assert.equal(await takeLease(database.app, 'kept', other, other), false);
  await endLeasesOf(database.app, processId);
  assert.equal(await takeLease(database.app, 'kept', other, other), true);
});
