// The numbers do not depend on how events came: in what order, how often, or in which time zone the process runs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { partitions, type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

const SEED = process.env.SEED ?? 'replay';
const zone = process.env.TZ;
const servers: TestServer[] = [];
const open = async () => {
  const server = await startServer();
  servers.push(server);
  await partitions(server.database.owner, '2026-02-26', '2026-03-04');
  return server;
};
let plain: TestServer;
before(async () => {
  plain = await open();
});
after(async () => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
  for (const server of servers) await server.end();
});

const random = randomFrom(SEED);
// One day of thirty visitors, on both sides of both midnights.
const DAY: Recorded[] = Array.from({ length: 30 }, (_, v) => {
  let at = Date.parse('2026-02-28T23:00:00Z') + Math.floor(random() * 25 * 3_600_000);
  return Array.from({ length: 1 + Math.floor(random() * 8) }, (_, n) => {
    at += Math.floor(random() * 2_700_000); // up to 45 minutes: some silences end a session
    return {
      id: `${v} ${n}`,
      visitor: `visitor ${v}`,
      at: new Date(at).toISOString(),
      type: ['page_view', 'page_view', 'form_start', 'form_submit'][Math.floor(random() * 4)]!,
      path: ['/', '/bread', '/cake'][Math.floor(random() * 3)]!,
      source: ['direct', 'social', 'email'][v % 3]!,
      props: { formName: 'news' },
    };
  });
}).flat();
const shuffled = <T>(list: T[]): T[] =>
  list
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);

async function numbers(server: TestServer) {
  const rolled = await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  assert.equal(rolled.status, 200);
  const { body } = await call(
    `${server.url}/v1/metrics/summary?from=2026-02-28&to=2026-03-02&compareTo=1`,
    'GET',
    undefined,
    admin,
  );
  const breakdown = await call(
    `${server.url}/v1/metrics/breakdown?from=2026-02-28&to=2026-03-02&by=entrances`,
    'GET',
    undefined,
    admin,
  );
  return {
    metrics: body.metrics,
    trend: body.trend,
    accepted: body.ingest.totalEventsAccepted,
    entrances: breakdown.body.rows,
  };
}

test(`a recorded day sent three times, shuffled, with drops and resends, gives identical numbers (seed ${SEED})`, async () => {
  const siteId = plain.services.sites.fallback().siteId;
  await record(
    plain.database.app,
    siteId,
    shuffled(DAY).sort((a, b) => (a.at < b.at ? -1 : 1)),
  );
  const expected = await numbers(plain);
  assert.ok(expected.metrics.sessions.value > 20);
  const other = await open();
  const otherSite = other.services.sites.fallback().siteId;
  for (let pass = 0; pass < 3; pass += 1)
    await record(
      other.database.app,
      otherSite,
      shuffled(DAY).filter(() => random() < 0.6),
      1 + Math.floor(random() * 20),
    );
  await record(other.database.app, otherSite, shuffled(DAY), 7); // what was dropped is sent again by its browser
  assert.deepEqual(await numbers(other), expected);
});

for (const name of ['Asia/Kolkata', 'America/Toronto'])
  test(`a process in ${name} has the same days`, async () => {
    const expected = await numbers(plain);
    process.env.TZ = name;
    const there = await open();
    await record(there.database.app, there.services.sites.fallback().siteId, DAY);
    assert.deepEqual(await numbers(there), expected);
  });
