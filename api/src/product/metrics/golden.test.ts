// A week at the bakery, small enough to count by hand: every number of the contract's §5, with the sum beside it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { idOf, partitions, type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { visitorIdOf } from '../events/enrich.ts';

let server: TestServer;
let siteId: string;

// visitor  day and time      type         path      what matters beside it
const WEEK = `
  ada      02-27 10:00       page_view    /         source=direct
  ada      03-02 09:00       page_view    /bread    source=organic_search
  ada      03-02 09:05       form_start   /bread    form=newsletter
  ada      03-02 09:06       form_submit  /bread    form=newsletter
  bob      03-02 23:50       page_view    /         source=paid_search campaign=spring
  bob      03-03 00:10       page_view    /bread
  bob      03-03 00:12       form_submit  /bread    form=order
  cleo     03-03 12:00       page_view    /cake     source=social ttfb=100
  cleo     03-03 12:01       form_start   /cake     form=newsletter
  cleo     03-03 12:01       form_start   /cake     form=newsletter
  cleo     03-03 14:00       page_view    /cake     source=direct ttfb=200
  dan      03-04 08:00       cta_click    /bread    source=direct
  robot    03-04 08:00       page_view    /bread    bot=user_agent
  robot    03-04 08:01       form_submit  /bread    bot=user_agent form=newsletter
  ada      03-04 20:00       page_view    /         source=direct conversion
  bob      03-08 10:00       page_view    /         source=email
  bob      03-08 10:02       signup       /
`;

const EVENTS: Recorded[] = WEEK.trim()
  .split('\n')
  .map((line, i) => {
    const [visitor = '', day = '', time = '', type = '', path = '', ...more] = line.trim().split(/\s+/);
    const facts = Object.fromEntries(more.map((word) => word.split('='))) as Record<string, string>;
    return {
      id: `golden ${i}`,
      visitor,
      at: `2026-${day}T${time}:00.000Z`,
      type,
      path,
      source: facts.source ?? 'internal',
      ...(facts.campaign ? { utm: { source: 'google', medium: 'cpc', campaign: facts.campaign } } : {}),
      ...(facts.form ? { props: { formName: facts.form, role: 'lead' } } : {}),
      ...(facts.bot ? { bot_reason: facts.bot } : {}),
      ...(facts.ttfb ? { ttfb_ms: Number(facts.ttfb) } : {}),
      ...('conversion' in facts ? { is_conversion: true } : {}),
    };
  });

/** A lead as capture leaves it: Ada and Bob sent forms; Eve came without JavaScript. */
async function lead(
  name: string,
  at: string,
  visitor: string | null,
  verifiedAt: string | null,
): Promise<void> {
  const { owner } = server.database;
  const visitorId = visitor ? visitorIdOf(siteId, visitor) : null;
  await owner.query(
    `insert into leads (site_id, lead_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, first_source,
       first_visitor_id, verified_at, unsubscribe_key)
     values ($1, $2, $3, $3, 'example.com', $4, $4, 'organic_search', $5, $6, $3)`,
    [siteId, idOf(name), `${name}@example.com`, at, visitorId, verifiedAt],
  );
  if (visitorId)
    await owner.query(
      `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at) values ($1, $2, $3, 'form_submit', 1, $4)`,
      [siteId, idOf(name), visitorId, at],
    );
}

before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  await partitions(server.database.owner, '2026-02-25', '2026-03-10');
  await record(server.database.app, siteId, EVENTS);
  await record(server.database.app, siteId, EVENTS.slice(3, 6)); // sent again: duplicates
  await lead('ada', '2026-03-02T09:06:00Z', 'ada', '2026-03-02T10:00:00Z');
  await lead('bob', '2026-03-03T00:12:00Z', 'bob', null);
  await lead('eve', '2026-03-04T00:00:00Z', null, null);
  await server.database.owner.query(
    `insert into ad_spend (site_id, day, source, campaign, currency, amount) values ($1, '2026-03-02', 'google', 'spring', 'CAD', 30), ($1, '2026-03-05', 'google', '', 'CAD', 15)`,
    [siteId],
  );
  await server.database.owner.query(
    `insert into ingest_ledger (site_id, day, outcome, reason, slot, count) values ($1, '2026-03-03', 'received', '', 99, 4),
       ($1, '2026-03-03', 'rejected', 'invalid_request', 99, 3), ($1, '2026-03-03', 'rejected', 'rate_limited', 99, 1)`,
    [siteId],
  );
  const rolled = await call(
    `${server.url}/v1/admin/jobs/rollup`,
    'POST',
    { from: '2026-02-25', to: '2026-03-09' },
    admin,
  );
  assert.equal(rolled.status, 200, JSON.stringify(rolled.body));
});
after(() => server.end());

const summary = (query: string) => call(`${server.url}/v1/metrics/summary?${query}`, 'GET', undefined, admin);

test('every headline number of the golden week is what a hand counts', async () => {
  const { status, body } = await summary('from=2026-03-02&to=2026-03-04&compareTo=yes');
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(body.window, { from: '2026-03-02', to: '2026-03-04' });
  assert.deepEqual(body.compareTo, { from: '2026-02-27', to: '2026-03-01' });
  const value = Object.fromEntries(
    Object.entries(body.metrics).map(([name, told]) => [name, (told as { value: unknown }).value]),
  );
  // ada, bob, cleo, dan; the robot is none
  assert.equal(value.uniqueVisitors, 4);
  // ada was there on 27 February; bob's return lies inside the window
  assert.equal(value.returningVisitorsPct, 1 / 4);
  // ada 1 + bob 2 + cleo 2 + ada 1
  assert.equal(value.totalPageViews, 6);
  // ada 2, bob 1 (across midnight, one), cleo 2 (two hours of silence), dan 1
  assert.equal(value.sessions, 6);
  // organic_search ada; paid_search bob; social cleo; direct cleo, dan, ada
  assert.deepEqual(body.metrics.trafficSourceMix, {
    direct: 3 / 6,
    organic_search: 1 / 6,
    paid_search: 1 / 6,
    social: 1 / 6,
  });
  // started: ada newsletter, bob order (a submit counts as started), cleo newsletter (once); submitted: ada, bob
  assert.equal(value.formCompletionRate, 2 / 3);
  // entrances: ada 2, bob, cleo 2 (dan has no page view); converted: ada's form, bob's form after midnight, ada's flagged view
  assert.equal(value.landingPageConversionRate, 3 / 5);
  // ada, bob, eve ÷ 4 visitors
  assert.equal(value.leadCaptureRate, 3 / 4);
  assert.equal(value.emailVerificationRate, 1 / 3);
  // 45 CAD would be the month; in the window 30 CAD ÷ 3 leads
  assert.equal(value.costPerLead, 10);
  // ada: 27 Feb 10:00 → 2 Mar 9:06 is 71.1 h; bob: 23:50 → 00:12 is 22 min; eve has no visitor
  assert.equal((value.avgTimeToFirstCaptureHrs as number).toFixed(9), ((71.1 + 22 / 60) / 2).toFixed(9));
  // bob signed up on the 8th, after his capture: since counts, also beyond the window
  assert.equal(value.leadToSignupRate, 1 / 3);
  assert.equal(value.leadToActivationRate, 0);
});

test('deltas compare with the window of the same length before; a base under ten is none', async () => {
  const { body } = await summary('from=2026-03-02&to=2026-03-04&compareTo=1');
  // before: ada alone, one session, one view: three times as much says nothing
  for (const name of ['uniqueVisitors', 'totalPageViews', 'returningVisitorsPct', 'costPerLead'])
    assert.equal(body.metrics[name].delta, null, name);
  const alone = await summary('from=2026-03-02&to=2026-03-04');
  assert.equal(alone.body.compareTo, null);
  assert.equal(alone.body.metrics.uniqueVisitors.delta, null);
});

test('ingestion, quality and the trend are counted beside it', async () => {
  const { body } = await summary('from=2026-03-02&to=2026-03-04');
  // 14 events of the three days; the three sent again are duplicates of today's ledger (that is when they arrived)
  assert.equal(body.ingest.totalEventsAccepted, 14);
  assert.equal(body.ingest.totalEventsRejected, 4);
  assert.equal(body.ingest.successPct, 14 / 18);
  assert.deepEqual(body.ingest.rejectedByReason, { invalid_request: 3, rate_limited: 1 });
  assert.ok(Math.abs(body.ingest.p95TtfbMs - 200) <= 10); // 100 and 200 ms; within 5 %
  assert.equal(body.quality.botEvents, 2);
  assert.deepEqual(body.quality.botsByReason, { user_agent: 2 });
  assert.equal(body.quality.uniquesMethod, 'exact');
  assert.deepEqual(
    body.trend.map((day: Record<string, unknown>) => [
      day.day,
      day.uniqueVisitors,
      day.pageViews,
      day.sessions,
      day.newLeads,
    ]),
    [
      ['2026-03-02', 2, 2, 2, 1],
      ['2026-03-03', 2, 3, 2, 1],
      ['2026-03-04', 2, 1, 2, 1],
    ],
  );
});

test('an empty window answers zeros and nulls, and every day of it', async () => {
  const { status, body } = await summary('from=2024-02-28&to=2024-03-01&compareTo=true');
  assert.equal(status, 200);
  assert.deepEqual(body.metrics.uniqueVisitors, { value: 0, delta: null });
  assert.deepEqual(body.metrics.leadCaptureRate, { value: null, delta: null });
  assert.deepEqual(body.metrics.trafficSourceMix, {});
  assert.equal(body.ingest.successPct, null);
  assert.deepEqual(
    body.trend.map(({ day }: { day: string }) => day),
    ['2024-02-28', '2024-02-29', '2024-03-01'],
  );
});

test('a window that is none is refused with the field that is wrong', async () => {
  for (const [query, path] of [
    ['from=2026-03-02', 'to'],
    ['from=2026-02-30&to=2026-03-02', 'from'],
    ['from=2026-03-02&to=2026-03-01', 'to'],
    ['from=2025-03-01&to=2026-03-02', 'to'], // 367 days
    ['from=2026-03-02&to=2026-03-03&compareTo=perhaps', 'compareTo'],
    ['from=2026-03-02&to=2026-03-03&propertyId=nobody', 'propertyId'],
  ] as const) {
    const { status, body } = await summary(query);
    assert.equal(status, 400, query);
    assert.ok(
      body.issues.some((issue: { path: string }) => issue.path === path),
      `${query}: ${JSON.stringify(body.issues)}`,
    );
  }
  assert.equal((await summary('from=2025-03-02&to=2026-03-02')).status, 200); // 366 days
  assert.equal((await call(`${server.url}/v1/metrics/summary?from=2026-03-02&to=2026-03-03`)).status, 401);
});

test('the same answer is not sent twice, and a finished rollup makes a new one', async () => {
  const first = await summary('from=2026-03-02&to=2026-03-04');
  const etag = first.headers.get('etag')!;
  const again = await call(
    `${server.url}/v1/metrics/summary?from=2026-03-02&to=2026-03-04`,
    'GET',
    undefined,
    { ...admin, 'if-none-match': etag },
  );
  assert.equal(again.status, 304);
  assert.match(again.headers.get('server-timing')!, /cache/);
  await record(server.database.app, siteId, [{ id: 'late', visitor: 'zoe', at: '2026-03-04T11:00:00.000Z' }]);
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const changed = await summary('from=2026-03-02&to=2026-03-04');
  assert.equal(changed.body.metrics.uniqueVisitors.value, 5);
});

test('the summary is a table too', async () => {
  const { headers, body } = await summary('from=2026-03-02&to=2026-03-03&format=csv');
  assert.match(headers.get('content-type')!, /text\/csv/);
  assert.match(body, /^metric,value,delta\r\nuniqueVisitors,3,\r\n/);
});
