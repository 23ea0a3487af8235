// A visitor whom somebody else holds (an erasure under way) lets nobody else wait; a database that stands still is noticed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { makeEvent } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { isDatabaseAway, isStandingStill } from '../../ground/db/faults.ts';
import { makePool } from '../../ground/db/pool.ts';
import { transaction } from '../../ground/db/transaction.ts';
import { makeLog } from '../../ground/lib/log.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const send = (anonId: string) => call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId }));

test('events of others are stored while one visitor is held, and that one is asked to come again', async () => {
  const { visitorId } = (await send('held-visitor')).body;
  const holder = new pg.Client(server.database.ownerUrl);
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('select from visitors where visitor_id = $1 for update', [visitorId]);
    const [one, ...others] = await Promise.all(
      ['held-visitor', ...Array.from({ length: 20 }, (_, n) => `free-visitor-${n}`)].map(send),
    );
    assert.deepEqual(
      others.map(({ status }) => status),
      others.map(() => 202),
    );
    assert.equal(one!.status, 503);
    assert.ok(Number(one!.headers.get('retry-after')) > 0);
    // known by now: nobody waits for it a second time
    const again = await Promise.all([send('held-visitor'), send('free-visitor-1')]);
    assert.deepEqual(
      again.map(({ status }) => status),
      [503, 202],
    );
  } finally {
    await holder.query('rollback');
    await holder.end();
  }
});

test('a server that stands still is taken for one that is away', { timeout: 60_000 }, async () => {
  const pool = makePool(server.database.appUrl, {
    name: 'still',
    connectionsMax: 2,
    statementTimeoutMs: 200,
    log: makeLog('silent'),
  });
  const stopped: number[] = [];
  try {
    await assert.rejects(
      transaction(pool, async (client) => {
        const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
        stopped.push(rows[0]!.pid);
        process.kill(rows[0]!.pid, 'SIGSTOP');
        await client.query('select 1');
      }),
      (error) => isDatabaseAway(error) && isStandingStill(error),
    );
    assert.equal(
      (await pool.query('select 1 as one')).rows[0].one,
      1,
      'the next one has a connection of its own',
    );
  } finally {
    for (const pid of stopped) process.kill(pid, 'SIGCONT');
    await pool.end();
  }
});
