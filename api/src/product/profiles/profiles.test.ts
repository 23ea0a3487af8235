// Profiles: of those alone who agreed, by the score as it is stated, gone with the agreement and with the person.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ago, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { scoreOf } from './score.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  await ask('PATCH /v1/sites/default', { settings: { visitorScores: true } });
});
after(() => server.end());

const ask = (at: string, body?: unknown, headers: Record<string, string> = admin) => {
  const [method, path] = at.split(' ') as [string, string];
  return call(server.url + path, method, body, headers);
};
const choose = async (anonId: string, mode: string, headers = {}) => {
  const choice = { choiceId: randomUUID(), mode, words: 'May we know you?', language: 'en', anonId };
  const { status, body } = await ask('POST /v1/choices', choice, headers);
  assert.equal(status, 200, JSON.stringify(body));
};
const send = async (anonId: string, fields: object, headers = {}) => {
  const answer = await ask('POST /v1/events', makeEvent({ anonId, ...fields }), headers);
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer;
};
const count = () => ask('POST /v1/admin/jobs/profiles', {});
const list = async () => (await ask('GET /v1/sites/default/visitors')).body;
const one = (anonId: string) => ask(`GET /v1/sites/default/visitors/${visitorIdOf(siteId, anonId)}`);
const near = (value: number, wanted: number) =>
  assert.ok(Math.abs(value - wanted) < 0.05, `${value}, not ${wanted}`);

test('the score is what is stated, over the visits of 30 days', async () => {
  const anonId = 'ada-browser-0';
  for (const hours of [20, 10])
    assert.equal((await send(anonId, { timestamp: ago(hours * 3_600_000) })).status, 202);
  await send(anonId, { eventType: 'engagement', traffic: { engagedTimeMs: 300_000 } });
  for (const eventType of ['cta_click', 'cta_click', 'form_start']) await send(anonId, { eventType });
  await choose(anonId, 'full');
  const { visitor, visits: shown } = (await one(anonId)).body;
  assert.deepEqual([visitor.sessions, shown.length, visitor.engagedMinutes, visitor.leadId], [2, 2, 5, null]);
  near(visitor.intent, 1 - 0.9 * 0.9 * 0.8);
  const days = (Date.now() - Date.parse(visitor.lastSeenAt)) / 86_400_000;
  near(
    visitor.behaviorScore,
    scoreOf({ days, sessions: visitor.sessions, engagedMinutes: 5, intent: visitor.intent }),
  );
  near(
    scoreOf({ days: 7, sessions: 3, engagedMinutes: 10, intent: 0.5 }),
    100 * (0.15 + 0.25 * 0.63212 + 0.2 * 0.63212 + 0.125),
  );

  await ask('PATCH /v1/sites/default', { settings: { intentWeights: { cta_click: 0.5 } } });
  near((await one(anonId)).body.visitor.intent, 0.75);
  assert.equal(
    (await ask('PATCH /v1/sites/default', { settings: { intentWeights: { cta_click: 1 } } })).status,
    400,
  );
  await ask('PATCH /v1/sites/default', { settings: { intentWeights: null } });
});

test('who did not agree, refused, sends a signal or is a robot has no profile', async () => {
  const gpc = { 'sec-gpc': '1' };
  for (const anonId of ['nobody-browser-1', 'counted-browser-1', 'signal-browser-1', 'robot-browser-1'])
    await send(anonId, {});
  await choose('counted-browser-1', 'measure');
  await choose('signal-browser-1', 'full');
  await send('signal-browser-1', {}, gpc);
  await choose('robot-browser-1', 'full');
  await ask('POST /v1/admin/bots', { anonId: 'robot-browser-1', bot: true });
  await count();
  const listed = (await list()).visitors.map(({ visitorId }: { visitorId: string }) => visitorId);
  for (const anonId of ['nobody-browser-1', 'counted-browser-1', 'signal-browser-1', 'robot-browser-1']) {
    assert.equal((await one(anonId)).status, 404, anonId);
    assert.ok(!listed.includes(visitorIdOf(siteId, anonId)), anonId);
  }
  assert.ok(listed.includes(visitorIdOf(siteId, 'ada-browser-0')));
  assert.equal((await ask(`GET /v1/sites/default/visitors/${randomUUID()}`)).status, 404);
});

test('who turns a signal on, or is found to be a robot, is in no list from then on, before anything is counted again', async () => {
  const people = ['turns-browser-1', 'chooses-browser-1', 'robot-browser-2', 'stays-browser-1'];
  for (const anonId of people) {
    await send(anonId, {});
    await choose(anonId, 'full');
  }
  await count();
  const listed = async () => {
    const all = (await list()).visitors.map(({ visitorId }: { visitorId: string }) => visitorId);
    return people.filter((anonId) => all.includes(visitorIdOf(siteId, anonId)));
  };
  assert.deepEqual(await listed(), people);
  await send('turns-browser-1', {}, { 'sec-gpc': '1' });
  await pause(5); // the newest choice is what holds
  await choose('chooses-browser-1', 'full', { 'sec-gpc': '1' });
  await ask('POST /v1/admin/bots', { anonId: 'robot-browser-2', bot: true });
  assert.deepEqual(await listed(), ['stays-browser-1']);
});

test('what a visitor who agreed did under a signal counts for no score', async () => {
  const anonId = 'half-signal-1';
  const gpc = { 'sec-gpc': '1' };
  await send(anonId, {});
  await choose(anonId, 'full');
  await send(anonId, { eventType: 'engagement', traffic: { engagedTimeMs: 300_000 } }, gpc);
  await send(anonId, { eventType: 'cta_click' }, gpc);
  await send(anonId, {});
  const { visitor } = (await one(anonId)).body;
  assert.deepEqual([visitor.sessions, visitor.engagedMinutes, visitor.intent], [1, 0, 0]);
});

test('each tenth has its lead rate, and pages go on by the score', async () => {
  for (let n = 0; n < 20; n += 1) {
    const anonId = `many-browser-${n}`;
    for (let times = 0; times < n; times += 1) await send(anonId, { eventType: 'cta_click' });
    await send(anonId, {});
    await choose(anonId, 'full');
    if (n >= 16) await ask('POST /v1/leads/capture', { email: `many${n}@example.com`, anonId }, {});
  }
  await count();
  const { visitors, deciles } = await list();
  assert.equal(deciles.length, 10);
  assert.equal(
    deciles.reduce((sum: number, { visitors }: { visitors: number }) => sum + visitors, 0),
    visitors.length,
  );
  assert.ok(deciles[0].leadRate === 1 && deciles[9].leadRate === 0, JSON.stringify(deciles));
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await ask(`GET /v1/sites/default/visitors?limit=6${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.visitors.map(({ visitorId }: { visitorId: string }) => visitorId));
    cursor = body.nextCursor;
  } while (cursor);
  assert.deepEqual(
    seen,
    visitors.map(({ visitorId }: { visitorId: string }) => visitorId),
  );
  const lead = visitors.find(({ leadId }: { leadId: string | null }) => leadId);
  assert.equal((await ask(`GET /v1/leads/${lead.leadId}`)).status, 200);
});

test('a profile ends with the agreement, and with the person', async () => {
  await choose('many-browser-3', 'measure');
  const gone = visitorIdOf(siteId, 'many-browser-3');
  const has = async (visitorId: string) =>
    (await list()).visitors.some((shown: { visitorId: string }) => shown.visitorId === visitorId);
  assert.equal(await has(gone), false);
  const rows = async (visitorId: string) =>
    (await server.database.owner.query('select from visitor_profiles where visitor_id = $1', [visitorId]))
      .rowCount;
  assert.equal(await rows(gone), 1);
  await count();
  assert.equal(await rows(gone), 0);

  const erased = visitorIdOf(siteId, 'many-browser-17');
  assert.equal(await has(erased), true);
  assert.equal((await ask('POST /v1/leads/delete', { email: 'many17@example.com' })).body.deleted, true);
  assert.deepEqual(
    [await has(erased), await rows(erased), (await one('many-browser-17')).status],
    [false, 0, 404],
  );
});

test('who objects to being profiled has no score of any browser of theirs, from that moment on', async () => {
  const anonId = 'many-browser-18';
  const visitorId = visitorIdOf(siteId, anonId);
  const has = async () =>
    (await list()).visitors.some((shown: { visitorId: string }) => shown.visitorId === visitorId);
  assert.equal(await has(), true);
  const { leads } = (await ask('POST /v1/leads/search', { q: 'many18@example.com' })).body;
  const { leadId } = leads[0];
  const objects = (profiling: boolean) =>
    ask(`POST /v1/leads/${leadId}/restrict`, { profiling, how: 'by mail' });
  assert.equal((await objects(true)).status, 200);
  assert.deepEqual([await has(), (await one(anonId)).status], [false, 404]);
  await count();
  const { rowCount } = await server.database.owner.query(
    'select from visitor_profiles where visitor_id = $1',
    [visitorId],
  );
  assert.equal(rowCount, 0);
  assert.equal((await objects(false)).status, 200);
  assert.equal((await one(anonId)).status, 200);
});

test('who agreed before the site said that it scores is scored once they agree again', async () => {
  const anonId = 'early-browser-1';
  const visitorId = visitorIdOf(siteId, anonId);
  const scores = (visitorScores: true | null) =>
    ask('PATCH /v1/sites/default', { settings: { visitorScores } });
  // whether they are listed, and the answer for them alone
  const shown = async () => [
    (await list()).visitors.some((listed: { visitorId: string }) => listed.visitorId === visitorId),
    (await one(anonId)).status,
  ];
  await send(anonId, { eventType: 'cta_click' });
  await choose(anonId, 'full');
  await count();
  assert.deepEqual(await shown(), [true, 200]);
  await scores(true);
  assert.deepEqual(await shown(), [true, 200], 'said again, it holds since the first time');
  await scores(null);
  await scores(true);
  assert.deepEqual(await shown(), [false, 404]);
  await count();
  assert.deepEqual(await shown(), [false, 404]);
  await choose(anonId, 'full');
  await count();
  assert.deepEqual(await shown(), [true, 200]);
});

test('a site that did not say so scores nobody, and one that does says it where people are asked', async () => {
  const told = async () => (await call(`${server.url}/v1/choices/control`)).body.question as string;
  const notice = async () => (await fetch(`${server.url}/v1/privacy?lang=en`)).text();
  assert.match(await told(), /a program works out how interested you seem/);
  assert.match(await notice(), /a program works out how interested you seem/);
  await ask('PATCH /v1/sites/default', { settings: { visitorScores: null } });
  assert.doesNotMatch(await told(), /interested/);
  assert.doesNotMatch(await notice(), /interested/);
  assert.deepEqual(await list(), { ok: true, scored: false, visitors: [], deciles: [], nextCursor: null });
  assert.equal((await one('early-browser-1')).status, 404);
  await count();
  assert.equal((await server.database.owner.query('select from visitor_profiles')).rowCount, 0);
});
