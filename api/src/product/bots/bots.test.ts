// Robots take part in nothing human: not in visits, first sights and touches, nor later when a verdict is given or taken back.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { anon, hours, makeEvent, minutes } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

let server: TestServer;
let site = '';
before(async () => {
  server = await startServer();
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const sent = (anonId: string, ago: number, fields: object = {}, headers: Record<string, string> = {}) =>
  call(
    `${server.url}/v1/events`,
    'POST',
    makeEvent({ anonId, timestamp: Date.now() - ago, ...fields }),
    headers,
  );
const capture = (body: object, headers?: Record<string, string>) =>
  call(`${server.url}/v1/leads/capture`, 'POST', body, headers);
const judge = (anonId: string, bot: boolean) =>
  call(`${server.url}/v1/admin/bots`, 'POST', { anonId, bot }, admin);
const humanSessions = (visitorId: string) =>
  rows('select * from sessions where visitor_id = $1 and not is_bot order by started_at', [visitorId]);
const rollUp = () => call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
const factsOf = async (email: string) => {
  await rollUp();
  return (
    await rows('select f.* from lead_facts f join leads l using (site_id, lead_id) where email = $1', [email])
  )[0];
};

const PREFETCH = { 'sec-purpose': 'prefetch' };
const ROBOTS: [string, object, Record<string, string>][] = [
  ['a prefetch', {}, PREFETCH],
  ['a crawler by its user agent', {}, { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' }],
  ['one that says so', { traffic: { deviceType: 'bot' } }, {}],
];
for (const [robot, fields, headers] of ROBOTS) {
  test(`${robot} is nobody's first sight and no first touch`, async () => {
    const anonId = anon();
    const email = `${randomUUID()}@example.com`;
    await sent(anonId, hours(3), { referrer: 'https://www.google.com/', ...fields }, headers);
    await sent(anonId, minutes(30));
    await capture({ email, anonId });
    const [lead] = await rows('select * from leads where email = $1', [email]);
    assert.equal(lead.first_source, 'direct');
    const facts = await factsOf(email);
    assert.equal(facts.source, 'direct');
    assert.ok(Math.abs(facts.hours - 0.5) < 0.02, String(facts.hours));
    const { body } = await call(
      `${server.url}/v1/metrics/attribution?from=${dayOf(Date.now())}&to=${dayOf(Date.now())}&model=first`,
      'GET',
      undefined,
      admin,
    );
    assert.ok(!JSON.stringify(body).includes('organic_search'));
  });

  for (const [order, times] of [
    ['in order', [60, 35, 10]],
    ['late', [10, 35, 60]],
  ] as const)
    test(`${robot} bridges no silence of a human, ${order}`, async () => {
      const anonId = anon();
      let visitorId = '';
      for (const ago of times)
        ({ visitorId } = (
          await sent(anonId, minutes(ago), ago === 35 ? fields : {}, ago === 35 ? headers : {})
        ).body);
      assert.equal((await humanSessions(visitorId)).length, 2);
    });

  test(`${robot} with a campaign cuts no visit of a human`, async () => {
    const anonId = anon();
    await sent(anonId, minutes(20));
    await sent(anonId, minutes(15), { ...fields, utm: { source: 'ads', medium: 'cpc' } }, headers);
    const { body } = await sent(anonId, minutes(10));
    assert.deepEqual(
      (await humanSessions(body.visitorId)).map(({ source }) => source),
      ['direct'],
    );
  });
}

/** What is derived of a visitor who came from a search, went on by a campaign, and left an address. */
async function derived(visitorId: string, email: string) {
  await rollUp();
  const sessions = await humanSessions(visitorId);
  const [visitor] = await rows('select first_human_at from visitors where visitor_id = $1', [visitorId]);
  const [lead] = await rows('select first_source, first_path from leads where email = $1', [email]);
  const facts = await factsOf(email);
  const days = await rows('select day::text from visitor_days where visitor_id = $1 order by 1', [visitorId]);
  return {
    sessions: sessions.map(({ source, landing_path, device_type, started_at, last_activity_at }) => [
      source,
      landing_path,
      device_type,
      started_at.getTime(),
      last_activity_at.getTime(),
    ]),
    firstSeen: visitor.first_human_at,
    lead,
    facts: [facts.source, facts.hours],
    days,
  };
}

test('a verdict holds for what comes later, either way, and taken back everything derived is as it was', async () => {
  const anonId = anon();
  const email = `${randomUUID()}@example.com`;
  await sent(anonId, hours(3), {
    path: '/found',
    referrer: 'https://www.google.com/',
    traffic: { deviceType: 'tablet' },
  });
  await sent(anonId, hours(2), { utm: { source: 'news', medium: 'email' } });
  const { body } = await capture({ email, anonId });
  const { visitorId } = body;
  const before = await derived(visitorId, email);
  assert.deepEqual(before.lead, { first_source: 'organic_search', first_path: '/found' });
  await judge(anonId, true);
  const judged = await derived(visitorId, email);
  assert.deepEqual([judged.sessions, judged.firstSeen, judged.days], [[], null, []]);
  await sent(anonId, minutes(1));
  assert.deepEqual(await humanSessions(visitorId), []);
  await judge(anonId, false);
  const back = await derived(visitorId, email);
  assert.deepEqual(back.sessions.slice(0, 2), before.sessions.slice(0, 2));
  // the event that came in between may lie on another day
  assert.deepEqual(back.days.slice(0, before.days.length), before.days);
  assert.deepEqual({ ...back, sessions: [], days: [] }, { ...before, sessions: [], days: [] });
});

test('who is human after all stays it, whatever their browser is called', async () => {
  const anonId = anon();
  const robot = { 'user-agent': 'Mozilla/5.0 (compatible; Googlebot/2.1)' };
  await sent(anonId, minutes(10), {}, robot);
  await judge(anonId, false);
  const { body } = await sent(anonId, minutes(5), {}, robot);
  assert.equal((await humanSessions(body.visitorId)).length, 1);
  const reasons = await rows('select distinct bot_reason from events where visitor_id = $1', [
    body.visitorId,
  ]);
  assert.deepEqual(reasons, [{ bot_reason: null }]);
  // what nobody looked at is no visit, whoever did not look
  await sent(anonId, minutes(1), {}, PREFETCH);
  const [last] = await rows(
    'select bot_reason from events where visitor_id = $1 order by occurred_at desc limit 1',
    [body.visitorId],
  );
  assert.equal(last.bot_reason, 'prefetch');
});

for (const order of ['the beacon first', 'the submission first'])
  test(`a quarantined submission's own beacon is spam, ${order}, until it is released`, async () => {
    const anonId = anon();
    const eventId = randomUUID();
    const email = `${randomUUID()}@mailinator.com`;
    const beacon = () => sent(anonId, 0, { eventId, eventType: 'form_submit', timestamp: undefined });
    await sent(anonId, minutes(2), { path: '/order' });
    if (order === 'the beacon first') await beacon();
    const held = await capture(
      {
        email,
        anonId,
        eventId,
        payload: {
          message: 'https://a.example https://b.example https://c.example https://d.example [url=x] casino',
        },
      },
      { 'user-agent': BROWSER },
    );
    assert.equal(held.status, 200);
    if (order !== 'the beacon first') await beacon();
    const [waiting] = await rows('select quarantine_id from quarantine where email_normalized = $1', [email]);
    assert.ok(waiting, 'it was held back');
    const ofForm = async () =>
      (await rows('select bot_reason, session_id from events where event_id = $1', [eventId]))[0];
    assert.equal((await ofForm()).bot_reason, 'spam');
    const [visit] = await humanSessions(held.body.visitorId);
    assert.equal(visit.landing_path, '/order');
    assert.notEqual((await ofForm()).session_id, visit.session_id);
    await call(`${server.url}/v1/admin/quarantine/${waiting.quarantine_id}/release`, 'POST', {}, admin);
    assert.deepEqual(await ofForm(), { bot_reason: null, session_id: visit.session_id });
    const [lead] = await rows('select first_path from leads where email = $1', [email]);
    assert.equal(lead.first_path, '/order');
  });

test('numbers of a window hold nothing of robots', async () => {
  await rollUp();
  const today = dayOf(Date.now());
  const [counted] = await rows(
    'select sum(sessions)::int as sessions from daily_metric_rollups where site_id = $1 and day between $2 and $3',
    [site, addDays(today, -1), today],
  );
  const [cut] = await rows(
    'select count(*)::int as sessions from sessions s where site_id = $1 and not is_bot and exists (select from events e where e.site_id = s.site_id and e.session_id = s.session_id and e.bot_reason is null)',
    [site],
  );
  assert.equal(counted.sessions, cut.sessions);
});
