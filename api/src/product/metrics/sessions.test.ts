// Visits one by one are the rows behind the numbers: as many as were counted, with what happened in each, and nobody named.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { storeTraffic } from '../../../demo/store.ts';
import { ago, makeEvent } from '../../../test/make.ts';
import { newOwner } from '../../../test/people.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { rollUp } from './rollup.ts';

const TODAY = dayOf(Date.now());
const [FROM, TO] = [addDays(TODAY, -3), addDays(TODAY, -1)];

let server: TestServer;
before(async () => {
  server = await startServer();
  const { siteId } = server.services.sites.fallback();
  await storeTraffic(server.services.db, {
    siteId,
    seed: 'rye',
    first: FROM,
    last: TO,
    until: Date.now(),
    visitorsPerDay: 12,
  });
  await rollUp(server.services.db, { siteIds: [siteId] });
});
after(() => server.end());

const look = (path: string, headers: Record<string, string> = admin) =>
  call(`${server.url}/v1/metrics/${path}`, 'GET', undefined, headers);
const days = `from=${FROM}&to=${TO}`;

interface Listed {
  sessionId: string;
  startedAt: string;
  source: string;
  pageViews: number;
  converted: boolean;
}
async function all(question: string, limit: number): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor = '';
  do {
    const { status, body } = await look(
      `sessions?${question}&limit=${limit}${cursor && `&cursor=${cursor}`}`,
    );
    assert.equal(status, 200, JSON.stringify(body));
    found.push(...body.sessions);
    cursor = body.nextCursor ?? '';
  } while (cursor);
  return found;
}

test('as many visits are listed as the summary counts, each once however long the pages are, the newest first', async () => {
  const { body } = await look(`summary?${days}`);
  const visits = await all(days, 500);
  assert.ok(visits.length > 20);
  const ofEachDay = (name: string) =>
    body.trend.reduce((sum: number, day: Record<string, number>) => sum + day[name]!, 0);
  assert.equal(visits.length, ofEachDay('sessions'));
  assert.equal(
    visits.reduce((sum, { pageViews }) => sum + pageViews, 0),
    ofEachDay('pageViews'),
  );
  assert.deepEqual(await all(days, 7), visits);
  const times = visits.map(({ startedAt }) => startedAt);
  assert.deepEqual(times, times.toSorted().reverse());
});

test('only those that came by a source are listed when it is asked for, as many as its row of the breakdown', async () => {
  const { body } = await look(`breakdown?${days}&by=sources`);
  const [row] = body.rows;
  const visits = await all(`${days}&source=${encodeURIComponent(row.name)}`, 500);
  assert.equal(visits.length, row.sessions);
  assert.ok(visits.every(({ source }) => source === row.name));
});

test('a visit tells what happened in it, in order, and neither whose it was nor what events said', async () => {
  const anonId = `browser-${randomUUID()}`;
  const events = [
    makeEvent({ anonId, path: '/bread?to=ada', props: { note: 'for my aunt' } }),
    makeEvent({ anonId, path: '/order', eventType: 'order_begun', props: { note: 'for my aunt' } }),
    makeEvent({ anonId, path: '/thanks' }),
  ].map((event, n) => ({ ...event, timestamp: ago((3 - n) * 1000) }));
  const stored = await call(`${server.url}/v1/events`, 'POST', { events }, { 'user-agent': BROWSER });
  assert.equal(stored.status, 202, JSON.stringify(stored.body));
  const { body: listed } = await look(`sessions?from=${TODAY}&to=${TODAY}`);
  const visit = listed.sessions.find(({ landingPath }: { landingPath: string }) => landingPath === '/bread');
  assert.deepEqual([visit.exitPath, visit.pageViews, visit.events], ['/thanks', 2, 3]);
  const { body } = await look(`sessions/${visit.sessionId}`);
  const text = JSON.stringify(body);
  assert.deepEqual(body.session, visit);
  assert.deepEqual(
    body.steps.map(({ eventType, path }: { eventType: string; path: string }) => `${eventType} ${path}`),
    ['page_view /bread', 'order_begun /order', 'page_view /thanks'],
  );
  for (const secret of ['visitor', 'hash', 'aunt', anonId, 'props', 'email'])
    assert.ok(!text.includes(secret), secret);
});

test('what a robot did is no visit; what is no id, or nobody’s, is found by nobody', async () => {
  const robot = { 'user-agent': 'Googlebot/2.1 (+http://www.google.com/bot.html)' };
  const event = makeEvent({ anonId: `robot-${randomUUID()}`, path: '/only-robots' });
  const { body } = await call(`${server.url}/v1/events`, 'POST', event, robot);
  const listed = await look(`sessions?from=${TODAY}&to=${TODAY}`);
  assert.ok(!JSON.stringify(listed.body).includes('/only-robots'));
  for (const id of [body.sessionId ?? randomUUID(), randomUUID(), 'nonsense'])
    assert.equal((await look(`sessions/${id}`)).status, 404, id);
});

test('as a table a page of them has a row each; a look at one visit leaves a line that names it', async () => {
  const { body } = await look(`sessions?${days}&limit=5&format=csv`);
  const lines = body.trimEnd().split('\r\n');
  assert.equal(lines.length, 6);
  assert.match(lines[0]!, /^sessionId,siteId,startedAt,/);
  const owner = await newOwner(server, 'ada@people.example', 'rye, oats and a spoon');
  const sessionId = lines[1]!.split(',')[0]!;
  assert.equal((await look(`sessions/${sessionId}`, owner.headers)).status, 200);
  const { rows } = await server.database.owner.query('select actor from audit_log where target = $1', [
    sessionId,
  ]);
  assert.deepEqual(rows, [{ actor: `user:${owner.userId}` }]);
});
