// What the dashboard's page is made of: the same numbers as each report for itself, and a mark that says when not to believe.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { partitions, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays } from '../../ground/lib/days.ts';
import type { Summary } from './reports/summary-shape.ts';
import { trustOf } from './reports/trust.ts';

const FROM = '2026-05-04';
const TO = '2026-05-17';
let server: TestServer;

const ask = async (path: string) => {
  const { status, body } = await call(`${server.url}/v1/metrics/${path}`, 'GET', undefined, admin);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};

before(async () => {
  server = await startServer();
  const { owner, app } = server.database;
  const { siteId } = server.services.sites.fallback();
  await partitions(owner, '2026-04-18', '2026-05-20');
  const visits = Array.from({ length: 60 }, (_, n) => ({
    id: `view ${n}`,
    visitor: `visitor ${n % 25}`,
    at: `${addDays('2026-04-20', n % 28)}T09:00:00.000Z`,
    path: n % 3 ? '/bread' : '/',
    source: n % 2 ? 'direct' : 'email',
  }));
  await record(app, siteId, visits);
  const run = await call(
    `${server.url}/v1/admin/jobs/rollup`,
    'POST',
    { from: '2026-04-20', to: '2026-05-19' },
    admin,
  );
  assert.ok(run.status < 300, JSON.stringify(run.body));
});
after(() => server.end());

test('the page’s numbers are those of the summary, the series and each breakdown', async () => {
  const page = await ask(`page?from=${FROM}&to=${TO}`);
  assert.deepEqual(page.summary, await summary('yes'));
  assert.ok(page.summary.metrics.totalPageViews.value > 0);
  assert.deepEqual(page.series, (await ask(`timeseries?from=${FROM}&to=${TO}`)).series);
  for (const by of Object.keys(page.breakdowns)) {
    const { totals, rows } = await ask(`breakdown?from=${FROM}&to=${TO}&by=${by}&limit=10`);
    assert.deepEqual(page.breakdowns[by], { totals, rows }, by);
  }
  assert.deepEqual(page.vitals, (await ask(`breakdown?from=${FROM}&to=${TO}&by=vitals`)).rows);
});

const summary = async (compareTo: string) => {
  const { ok: _ok, ...told } = await ask(`summary?from=${FROM}&to=${TO}&compareTo=${compareTo}`);
  return told;
};

test('the analytics of a site are its summary, by key or by id, and of no other site', async () => {
  const { fallback } = server.services.sites;
  for (const site of [fallback().key, fallback().siteId]) {
    const url = `${server.url}/v1/sites/${site}/analytics?start=${FROM}&end=${TO}&compareTo=yes`;
    const { status, body } = await call(url, 'GET', undefined, admin);
    const { ok: _ok, notifications, tests, ...told } = body;
    assert.deepEqual([status, told], [200, await summary('yes')]);
    assert.deepEqual([notifications, tests], [[], []]);
  }
  await call(`${server.url}/v1/sites`, 'POST', { key: 'mill' }, admin);
  const mill = await call(
    `${server.url}/v1/sites/mill/analytics?start=${FROM}&end=${TO}`,
    'GET',
    undefined,
    admin,
  );
  assert.deepEqual(
    [mill.body.site.propertyId, mill.body.metrics.totalPageViews.value, mill.body.trend.length],
    ['mill', 0, 14],
  );
  const wrong = await call(
    `${server.url}/v1/sites/mill/analytics?start=${TO}&end=${FROM}`,
    'GET',
    undefined,
    admin,
  );
  assert.deepEqual([wrong.status, wrong.body.issues], [400, [{ path: 'end', message: 'is before start' }]]);
});

test('the receipt of each number is that number, and its parts make it', async () => {
  const { metrics, quality, ingest } = (await ask(`page?from=${FROM}&to=${TO}`)).summary;
  for (const [metric, { value }] of Object.entries<{ value: number | null }>(metrics)) {
    if (metric === 'trafficSourceMix') continue;
    const receipt = await ask(`receipts?from=${FROM}&to=${TO}&metric=${metric}`);
    assert.equal(receipt.value, value, metric);
    const { numerator, denominator, leftOut } = receipt;
    if (value !== null)
      assert.ok(Math.abs(numerator.value / (denominator?.value ?? 1) - value) < 1e-9, metric);
    else assert.ok(denominator.value === 0 || numerator.value === 0, metric);
    assert.ok(receipt.definition.length > 10 && receipt.rows.events > 0, metric);
    assert.deepEqual([leftOut.bots, leftOut.rejected], [quality.botEvents, ingest.rejectedByReason]);
    const drilled = await call(server.url + receipt.drill, 'GET', undefined, admin);
    assert.equal(drilled.status, 200, receipt.drill);
  }
  const { checks } = await ask(`receipts?from=${FROM}&to=${TO}&metric=sessions`);
  assert.deepEqual(checks[1], { name: 'discrepancy', at: null, ok: null }, 'nothing was compared yet');
  const run = await call(`${server.url}/v1/admin/jobs/discrepancy`, 'POST', { from: FROM, to: TO }, admin);
  assert.equal(run.status, 200, JSON.stringify(run.body));
  server.services.metrics.clear();
  const compared = (await ask(`receipts?from=${FROM}&to=${TO}&metric=sessions`)).checks;
  assert.deepEqual(
    compared.map(({ ok }: { ok: boolean }) => ok),
    [true, true],
  );
});

test('a window that is not directly before is compared with by its own numbers alone', async () => {
  const week = 'from=2026-05-11&to=2026-05-17';
  const before = await ask(`page?from=2026-04-20&to=2026-04-26&vs=none`);
  const page = await ask(`page?${week}&vs=2026-04-20..2026-04-26`);
  assert.deepEqual(page.summary.compareTo, { from: '2026-04-20', to: '2026-04-26' });
  assert.deepEqual(page.seriesBefore, before.series);
  const [now, then] = [page, before].map((one) => one.summary.metrics.totalPageViews.value);
  assert.equal(page.summary.metrics.totalPageViews.delta, (now - then) / then);
  assert.deepEqual((await ask(`page?${week}&vs=none`)).seriesBefore, []);
});

test('what cannot be compared with is refused, with the name of the field', async () => {
  const { status, body } = await call(
    `${server.url}/v1/metrics/page?from=${FROM}&to=${TO}&vs=yesterday`,
    'GET',
    undefined,
    admin,
  );
  assert.equal(status, 400);
  assert.equal(body.issues[0].path, 'vs');
});

test('a new installation has been away for no minute, also before its first heartbeat', async () => {
  const { owner } = server.database;
  const kept = (await owner.query('delete from service_days returning day, minutes')).rows;
  server.services.metrics.clear();
  const { trust } = await ask(`page?from=${FROM}&to=${TO}`);
  for (const { day, minutes } of kept)
    await owner.query('insert into service_days (day, minutes) values ($1, $2)', [day, minutes]);
  assert.ok(
    !trust.remarks.some(({ code }: { code: string }) => code === 'service_away'),
    JSON.stringify(trust),
  );
});

test('numbers carry a mark: nothing to say, remarks, or not to be relied on', async () => {
  const { summary } = await ask(`page?from=${FROM}&to=${TO}`);
  const events = { totalEventsAccepted: 100, totalEventsDuplicate: 5, totalEventsRejected: 5 };
  const whole: Summary = {
    ...summary,
    freshness: { ...summary.freshness, rolledUpThrough: TO, lagDays: 30 },
    ingest: { ...summary.ingest, ...events },
    quality: { ...summary.quality, minutesWithoutService: 0, dayVisitors: 0, lateEvents: 1 },
  };
  assert.deepEqual(trustOf(whole, 110), { level: 'exact', remarks: [] });
  const said = (change: Partial<Summary['quality']>, received = 110) =>
    trustOf({ ...whole, quality: { ...whole.quality, ...change } }, received);
  const remarks: [Partial<Summary['quality']>, string, number][] = [
    [{ dayVisitors: 3 }, 'day_visitors', 3],
    [{ uniquesMethod: 'exact_but_absences_over_90_days' }, 'absences_forgotten', 1],
    [{ minutesWithoutService: 7 }, 'minutes_without_service', 7],
    [{ sealedDays: 2 }, 'sealed_days', 2],
    [{ daysInOtherZone: 1 }, 'days_in_other_zone', 1],
    [{ lateEvents: 2 }, 'late_events', 2],
  ];
  for (const [change, code, n] of remarks)
    assert.deepEqual(said(change), { level: 'remarks', remarks: [{ code, n }] });
  const behind = { ...whole, freshness: { ...whole.freshness, rolledUpThrough: addDays(TO, -4) } };
  assert.deepEqual(trustOf(behind, 110).remarks, [{ code: 'not_counted_yet', n: 4 }]);
  assert.deepEqual(said({}, 112), { level: 'not_reliable', remarks: [{ code: 'ledger_off', n: 2 }] });
  assert.equal(said({ minutesWithoutService: 14 * 144 + 1 }).level, 'not_reliable');
});
