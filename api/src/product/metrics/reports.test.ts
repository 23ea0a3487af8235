// The reports beside the summary: their sums are the headline's, whatever is asked.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { idOf, partitions, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays } from '../../ground/lib/days.ts';
import { type Histogram, percentile } from '../../ground/lib/histogram.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { credit, split } from './credit.model.ts';
import { MODELS } from './reports/credits.ts';

let server: TestServer;
let siteId: string;
const FROM = '2026-05-04'; // a Monday
const TO = '2026-05-24';
const SOURCES = ['direct', 'organic_search', 'paid_search', 'email'];
const LEADS = 40;

const get = async (path: string) => {
  const answer = await call(`${server.url}/v1/metrics/${path}`, 'GET', undefined, admin);
  assert.equal(answer.status, 200, `${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const at = (day: number, hour: number) => `${addDays(FROM, day)}T${String(hour).padStart(2, '0')}:00:00.000Z`;

before(async () => {
  server = await startServer();
  const { owner, app } = server.database;
  siteId = server.services.sites.fallback().siteId;
  await partitions(owner, '2026-05-01', '2026-05-26');
  const events = [];
  // Visitor n comes on n % 7 + 1 days, two days apart, each time from another source; then leaves an address.
  for (let n = 0; n < LEADS; n += 1)
    for (let visit = 0; visit <= n % 7; visit += 1)
      for (const [i, path] of ['/', '/bread'].entries())
        events.push({
          id: `${n} ${visit} ${i}`,
          visitor: `visitor ${n}`,
          at: at(visit * 2 + (n % 5), 8),
          path,
          source: i === 0 ? SOURCES[(n + visit) % 4]! : 'internal',
          ...((n + visit) % 4 === 2
            ? { utm: { source: 'google', medium: 'cpc', campaign: n % 2 ? 'spring' : 'bread' } }
            : {}),
        });
  await record(app, siteId, events);
  for (let n = 0; n < LEADS; n += 1) {
    const captured = at((n % 7) * 2 + (n % 5), 9);
    await owner.query(
      `insert into leads (site_id, lead_id, email, email_normalized, email_domain, domain_class, first_captured_at, last_submitted_at, first_source,
         first_utm, first_visitor_id, verified_at, unsubscribe_key)
       values ($1, $2, $3, $3, 'example.com', $4, $5, $5, $6, $7, $8, $9, $3)`,
      [
        siteId,
        idOf(`lead ${n}`),
        `lead${n}@example.com`,
        ['business', 'free_mail', 'disposable'][n % 3],
        captured,
        SOURCES[(n + (n % 7)) % 4],
        (n + (n % 7)) % 4 === 2
          ? { source: 'google', medium: 'cpc', campaign: n % 2 ? 'spring' : 'bread' }
          : null,
        visitorIdOf(siteId, `visitor ${n}`),
        n % 2 ? captured : null,
      ],
    );
    await owner.query(
      "insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at) values ($1, $2, $3, 'form_submit', 1, $4)",
      [siteId, idOf(`lead ${n}`), visitorIdOf(siteId, `visitor ${n}`), captured],
    );
  }
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
});
after(() => server.end());

test('a conversion told twice, by email or by anonId, counts once', async () => {
  const door = `${server.url}/v1/conversions`;
  const signup = {
    id: 'order-1',
    kind: 'signup',
    email: ' LEAD1@example.com',
    occurredAt: '2026-06-01T10:00:00Z',
  };
  assert.equal((await call(door, 'POST', signup)).status, 401);
  const first = await call(door, 'POST', signup, admin);
  assert.deepEqual(first.body.results, [{ id: 'order-1', matched: true, duplicate: false }]);
  const again = await call(door, 'POST', signup, admin);
  assert.deepEqual(again.body.results, [{ id: 'order-1', matched: true, duplicate: true }]);
  const batch = await call(
    door,
    'POST',
    {
      conversions: [
        { id: 'order-2', kind: 'signup', anonId: 'visitor 2', occurredAt: '2026-06-01T10:00:00Z' },
        { id: 'order-3', kind: 'activation', email: 'lead2@example.com', occurredAt: '2026-06-20T10:00:00Z' },
        { id: 'order-4', kind: 'signup', email: 'nobody@example.com' },
        // before the capture: not since
        { id: 'order-5', kind: 'signup', email: 'lead3@example.com', occurredAt: '2026-04-01T10:00:00Z' },
        { id: 'order-6', kind: 'purchase', email: 'lead4@example.com', amount: '12.50', currency: 'cad' },
      ],
    },
    admin,
  );
  assert.deepEqual(
    batch.body.results.map((each: { matched: boolean }) => each.matched),
    [true, true, false, true, true],
  );
  const { totals } = await get(`summary?from=${FROM}&to=${TO}`);
  assert.equal(totals.leads, LEADS);
  assert.equal(totals.leadsSignedUp, 2);
  assert.equal(totals.leadsActivated, 1);
  const wrong = await call(door, 'POST', { id: 'x', kind: 'signup' }, admin);
  assert.equal(wrong.status, 400);
});

test('ad spend comes as JSON or CSV, replaces, keeps its currency, and is told per campaign', async () => {
  const door = `${server.url}/v1/ad-spend`;
  const table = `day,source,campaign,amount,currency\r\n${FROM},google,spring,100,CAD\r\n${FROM},google,bread,20.50,cad\r\n`;
  for (let round = 0; round < 2; round += 1) {
    const { status, body } = await call(door, 'POST', table, { ...admin, 'content-type': 'text/csv' });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.stored, 2);
  }
  const row = { day: FROM, source: 'google', campaign: 'bread', amount: 20, currency: 'CAD' };
  assert.equal((await call(door, 'POST', { rows: [row] }, admin)).status, 200);
  const summary = await get(`summary?from=${FROM}&to=${TO}`);
  assert.equal(summary.metrics.costPerLead.value, 120 / LEADS);
  const { rows } = await get(`breakdown?from=${FROM}&to=${TO}&by=spend`);
  const drill = await get(`leads?from=${FROM}&to=${TO}&campaign=spring`);
  assert.equal(rows[0].campaign, 'spring');
  assert.equal(rows[0].leads, drill.total);
  assert.equal(rows[0].costPerLead, Number((100 / drill.total).toFixed(4)));
  // a second currency has no common sum
  await call(door, 'POST', { rows: [{ ...row, currency: 'USD' }] }, admin);
  const two = await get(`summary?from=${FROM}&to=${TO}`);
  assert.equal(two.metrics.costPerLead.value, null);
  assert.deepEqual(two.totals.spendByCurrency, { CAD: 120, USD: 20 });
  for (const bad of [
    { ...row, day: '2026-02-30' },
    { ...row, amount: -1 },
    { ...row, currency: 'dollars' },
  ])
    assert.equal((await call(door, 'POST', { rows: [bad] }, admin)).status, 400);
  assert.equal((await call(door, 'POST', 'a,b\r\n"', { ...admin, 'content-type': 'text/csv' })).status, 400);
});

test('breakdowns sum to the headline, and the leads behind a row are as many as it says', async () => {
  const summary = await get(`summary?from=${FROM}&to=${TO}`);
  for (const by of ['entrances', 'exits', 'sources', 'devices', 'browsers', 'os', 'countries']) {
    const { totals } = await get(`breakdown?from=${FROM}&to=${TO}&by=${by}&limit=1`);
    assert.equal(totals.sessions, summary.metrics.sessions.value, by);
  }
  assert.equal(
    (await get(`breakdown?from=${FROM}&to=${TO}&by=pages`)).totals.pageViews,
    summary.metrics.totalPageViews.value,
  );
  const sources = await get(`breakdown?from=${FROM}&to=${TO}&by=sources`);
  assert.equal(sources.totals.leads, LEADS);
  for (const { name, leads } of sources.rows)
    assert.equal((await get(`leads?from=${FROM}&to=${TO}&source=${name}`)).total, leads);
  // random filters: the page count never changes the total, and halves make a whole
  for (const filter of ['', '&domainClass=business', '&source=email', '&campaign=spring', '&signedUp=yes']) {
    const whole = await get(`leads?from=${FROM}&to=${TO}${filter}&limit=3`);
    const halves = await Promise.all(
      ['yes', 'no'].map((verified) => get(`leads?from=${FROM}&to=${TO}${filter}&verified=${verified}`)),
    );
    assert.equal(whole.total, halves[0].total + halves[1].total);
    const seen = new Set<string>();
    let cursor = '';
    for (;;) {
      const page = await get(`leads?from=${FROM}&to=${TO}${filter}&limit=3${cursor}`);
      for (const { leadId } of page.leads) seen.add(leadId);
      if (!page.nextCursor) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    assert.equal(seen.size, whole.total);
  }
});

test('every way to break a window down is answered, also those that have no rows', async () => {
  for (const by of ['pages', 'campaigns', 'referrers', 'events', 'forms', 'vitals', 'spend']) {
    const answer = await get(`breakdown?from=${FROM}&to=${TO}&by=${by}`);
    assert.equal(answer.by, by);
    assert.ok(Array.isArray(answer.rows), by);
  }
  const { rows } = await get(`breakdown?from=${FROM}&to=${TO}&by=vitals`);
  assert.deepEqual(
    rows.map(({ name }: { name: string }) => name),
    ['lcpMs', 'inpMs', 'clsScore', 'fcpMs', 'ttfbMs'],
  );
});

test('series are distinct within each interval and cover the window', async () => {
  const weeks = await get(`timeseries?from=${FROM}&to=${TO}&interval=week`);
  assert.deepEqual(
    weeks.series.map((week: { from: string; to: string }) => `${week.from} ${week.to}`),
    ['2026-05-04 2026-05-10', '2026-05-11 2026-05-17', '2026-05-18 2026-05-24'],
  );
  for (const week of weeks.series) {
    const { metrics, totals } = await get(`summary?from=${week.from}&to=${week.to}`);
    assert.equal(week.uniqueVisitors, metrics.uniqueVisitors.value);
    assert.equal(week.newLeads, totals.leads);
  }
  assert.equal((await get(`timeseries?from=${FROM}&to=${TO}`)).series.length, 21);
  assert.equal((await get(`timeseries?from=${FROM}&to=${TO}&interval=month`)).series.length, 1);
});

test('cohorts hold every lead once, and later weeks never hold fewer', async () => {
  const { cohorts } = await get(`cohorts?from=${FROM}&to=${TO}&weeks=6`);
  assert.equal(
    cohorts.reduce((sum: number, each: { captured: number }) => sum + each.captured, 0),
    LEADS,
  );
  for (const cohort of cohorts) {
    assert.equal(cohort.signedUpAfter.length, 7);
    for (const name of ['verifiedAfter', 'signedUpAfter', 'activatedAfter'])
      for (let n = 1; n < 7; n += 1) assert.ok(cohort[name][n] >= cohort[name][n - 1]);
  }
  assert.equal(
    cohorts.reduce((sum: number, each: { signedUpAfter: number[] }) => sum + each.signedUpAfter[6]!, 0),
    2,
  );
});

test('the credits of every model sum to the conversions, exactly', async () => {
  for (const [of, total] of [
    ['lead', LEADS],
    ['signup', 2],
    ['activation', 1],
  ] as const) {
    const { conversions, rows } = await get(`attribution?from=${FROM}&to=${TO}&of=${of}&by=capture`);
    assert.equal(conversions, total);
    for (const model of MODELS)
      assert.equal(
        rows.reduce((sum: number, row: Record<string, number>) => sum + Math.round(row[model]! * 1e6), 0),
        total * 1e6,
        `${of} ${model}`,
      );
  }
});

test('credits of a path are what the model says', () => {
  const week = 7 * 86_400_000;
  for (const [model, ages, share] of [
    ['first', [3, 2, 1], [1e6, 0, 0]],
    ['last', [3, 2, 1], [0, 0, 1e6]],
    ['linear', [3, 2, 1], [333333, 333333, 333334]],
    ['position', [4, 3, 2, 1], [400000, 100000, 100000, 400000]],
    ['position', [2, 1], [500000, 500000]],
    ['position', [1], [1e6]],
    ['time_decay', [week, 0], [333333, 666667]],
    ['time_decay', [week * 5000, 0], [0, 1e6]],
  ] as const)
    assert.deepEqual(credit(model, [...ages]), [...share], `${model} ${ages}`);
  assert.equal(
    split([0.1, 0.2, 0.7]).reduce((sum, part) => sum + part),
    1e6,
  );
});

test('a percentile of merged histograms is within five percent of the true one', () => {
  const values = Array.from({ length: 1000 }, (_, i) => 20 + i * 3.7);
  const histogram: Histogram = {};
  for (const value of values) {
    const bucket = Math.ceil(Math.log(value * 100) / Math.log(1.1));
    histogram[bucket] = (histogram[bucket] ?? 0) + 1;
  }
  for (const share of [0.5, 0.75, 0.95, 0.99]) {
    const truth = values[Math.ceil(values.length * share) - 1]!;
    const told = percentile(histogram, share)!;
    assert.ok(Math.abs(told - truth) / truth < 0.05, `${share}: ${told} for ${truth}`);
  }
  assert.equal(percentile({}, 0.95), null);
});

test('realtime shows who is there now, minute by minute, and no bots', async () => {
  const now = new Date().toISOString();
  await record(server.database.app, siteId, [
    { id: 'now 1', visitor: 'here', at: now, path: '/now' },
    { id: 'now 2', visitor: 'robot', at: now, path: '/now', bot_reason: 'user_agent' },
  ]);
  const answer = await get('realtime');
  assert.equal(answer.activeVisitors, 1);
  assert.equal(answer.minutes.length, 30);
  assert.deepEqual(answer.pages, [{ name: '/now', visitors: 1, pageViews: 1 }]);
});

test('quality tells bots, refusals and domains day by day, and each report is a table too', async () => {
  const { domains, days } = await get(`quality?from=${FROM}&to=${TO}`);
  assert.deepEqual(domains.byClass, { business: 14, free_mail: 13, disposable: 13 });
  assert.equal(days.length, 21);
  assert.ok(days.every((day: { balanced: boolean }) => day.balanced));
  for (const report of ['timeseries', 'breakdown', 'cohorts', 'attribution', 'quality', 'leads']) {
    const answer = await call(
      `${server.url}/v1/metrics/${report}?from=${FROM}&to=${TO}&format=csv`,
      'GET',
      undefined,
      admin,
    );
    assert.match(answer.headers.get('content-type')!, /text\/csv/);
    const [header, first] = answer.body.split('\r\n');
    assert.ok(header.includes(','), report);
    assert.ok(first, report);
  }
  const realtime = await call(`${server.url}/v1/metrics/realtime?format=csv`, 'GET', undefined, admin);
  assert.match(realtime.body, /^minute,visitors,pageViews,events\r\n/);
});
