// Kills: the API, all of PostgreSQL, and a stop under load, at random moments, while clients resend what was not
// acknowledged. Nothing acknowledged may be lost, nothing counted twice, and the ledger must balance.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { PEPPER, startCluster } from '../../../test/cluster.ts';
import { killPostgres, pause } from '../../../test/kill.ts';
import { BROWSER } from '../../../test/server.ts';
import { freePort } from '../../ground/db/embedded.ts';

const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 1e9));
let state = seed;
/** Numerical Recipes' generator: the moments of a failed run can be had again with TEST_SEED. */
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const PATIENCE_MS = 60_000;

// A server of its own: the others' tests would not survive its death.
let cluster: Awaited<ReturnType<typeof startCluster>>;
let port: number;
let api: ChildProcess | null = null;
before(async () => {
  cluster = await startCluster();
  port = await freePort();
});
after(async () => {
  api?.kill('SIGKILL');
  await cluster.remove();
});

async function startApi(): Promise<void> {
  api = spawn(process.execPath, ['src/main.ts'], {
    stdio: 'ignore',
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: cluster.url(),
      IP_HASH_PEPPER: PEPPER,
      RATE_LIMITS: 'off',
      LOG_LEVEL: 'silent',
    },
  });
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await pause(50);
  }
  throw new Error('the API did not become ready');
}
const exited = (child: ChildProcess) =>
  new Promise<number | null>((done) =>
    child.exitCode !== null || child.signalCode !== null ? done(child.exitCode) : child.on('exit', done),
  );

/** Clients that each send events one after the other and resend each until it is acknowledged. */
function clients(count: number) {
  const acknowledged: string[] = [];
  const sent: string[] = [];
  let running = true;
  let abandoned = false;
  const work = Array.from({ length: count }, async (_, client) => {
    const anonId = `client-${client}-${randomUUID()}`;
    while (running) {
      const event = {
        eventId: randomUUID(),
        anonId,
        eventType: 'page_view',
        path: `/${sent.length}`,
        timestamp: Date.now(),
      };
      sent.push(event.eventId);
      while (!abandoned) {
        const answer = await fetch(`http://127.0.0.1:${port}/v1/events`, {
          method: 'POST',
          headers: { 'content-type': 'text/plain', 'user-agent': BROWSER },
          body: JSON.stringify(event),
        }).catch(() => null);
        const status = answer?.status;
        await answer?.text().catch(() => null);
        if (status === 202) {
          acknowledged.push(event.eventId);
          break;
        }
        assert.ok(status === undefined || status === 503, `answered ${status}`);
        await pause(50);
      }
    }
  });
  return {
    acknowledged,
    sent,
    /** Waits until so many more are acknowledged: a moment of the work, wherever on the clock it is. */
    async acknowledges(more: number) {
      const wanted = acknowledged.length + more;
      const end = Date.now() + PATIENCE_MS;
      while (acknowledged.length < wanted) {
        assert.ok(Date.now() < end, `${acknowledged.length} of ${wanted} events were acknowledged`);
        await pause(1);
      }
    },
    async stop() {
      running = false;
      await Promise.all(work);
    },
    /** For a test that fails: lets no client try for ever. */
    abandon() {
      running = false;
      abandoned = true;
    },
  };
}

async function assertNothingLost(acknowledged: string[], sent: string[]): Promise<void> {
  const db = new pg.Client(cluster.url());
  await db.connect();
  try {
    const stored = (await db.query('select event_id from events where event_id = any ($1)', [sent])).rows.map(
      (row) => row.event_id,
    );
    assert.equal(stored.length, new Set(stored).size, 'an event was stored twice');
    const there = new Set(stored);
    assert.deepEqual(
      acknowledged.filter((id) => !there.has(id)),
      [],
      'acknowledged events were lost',
    );
    const { rows } = await db.query('select outcome, sum(count)::int as n from ingest_ledger group by 1');
    const counts = Object.fromEntries(rows.map((row) => [row.outcome, row.n]));
    assert.equal(
      counts.received,
      counts.accepted + (counts.duplicate ?? 0) + (counts.rejected ?? 0),
      JSON.stringify(counts),
    );
    assert.equal(
      counts.accepted,
      (await db.query('select count(*)::int as n from events')).rows[0].n,
      'the ledger and the events disagree',
    );
    const twice = await db.query(
      'select count(*)::int as n from (select visitor_id from sessions group by visitor_id having count(*) > 1) v',
    );
    assert.equal(twice.rows[0].n, 0, 'a visitor without a pause has two sessions');
  } finally {
    await db.end();
  }
}

test(`the API killed under load loses nothing it acknowledged (TEST_SEED=${seed})`, async (t) => {
  await startApi();
  const load = clients(12);
  t.after(load.abandon);
  for (let i = 0; i < 4; i += 1) {
    await load.acknowledges(40 + random() * 400);
    api!.kill('SIGKILL');
    await exited(api!);
    await startApi();
  }
  await load.stop();
  assert.ok(load.acknowledged.length > 100);
  await assertNothingLost(load.acknowledged, load.sent);
});

test(`all of PostgreSQL killed under load loses nothing that was acknowledged (TEST_SEED=${seed})`, async (t) => {
  const load = clients(12);
  t.after(load.abandon);
  for (let i = 0; i < 3; i += 1) {
    await load.acknowledges(40 + random() * 400);
    await killPostgres(cluster);
    await cluster.start();
  }
  await load.acknowledges(40);
  await load.stop();
  assert.ok(load.acknowledged.length > 100);
  await assertNothingLost(load.acknowledged, load.sent);
});

test(`a stop under load answers what it took in, exits 0, and loses nothing (TEST_SEED=${seed})`, async (t) => {
  const load = clients(12);
  t.after(load.abandon);
  for (let i = 0; i < 3; i += 1) {
    await load.acknowledges(40 + random() * 400);
    api!.kill('SIGTERM');
    assert.equal(await exited(api!), 0);
    await startApi();
  }
  await load.stop();
  await assertNothingLost(load.acknowledged, load.sent);
});
