// Days of a site's zone: where they begin, what a change of zone does, and that nothing of today or of a late arrival is missed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { partitions, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { sealDays } from './seal.ts';

let server: TestServer;
before(async () => {
  server = await startServer({ METRICS_SUMMARY_CACHE_TTL_MS: '0' });
});
after(() => server.end());

const TODAY = dayOf(Date.now());
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const rollUp = async (options = {}) =>
  (await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', options, admin)).body.run.result;
const summary = async (propertyId: string, from: string, to: string) =>
  (
    await call(
      `${server.url}/v1/metrics/summary?from=${from}&to=${to}&propertyId=${propertyId}`,
      'GET',
      undefined,
      admin,
    )
  ).body;
const makeSite = async (key: string, timeZone: string): Promise<string> =>
  (await call(`${server.url}/v1/sites`, 'POST', { key, settings: { timeZone } }, admin)).body.site.siteId;
const setZone = (siteId: string, timeZone: string | null) =>
  call(`${server.url}/v1/sites/${siteId}`, 'PATCH', { settings: { timeZone } }, admin);

/** The first minute that the calendar of Node calls this day or a later one. */
function beginsAt(day: string, zone: string): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
  let at = Date.parse(`${addDays(day, -1)}T06:00:00Z`);
  while (format.format(at) < day) at += 60_000;
  return new Date(at).toISOString();
}

test('a day begins with its first midnight, wherever clocks change', async () => {
  const cases: [string, string, string][] = [
    ['UTC', '2024-03-31', 'no change at all'],
    ['Asia/Kolkata', '2024-03-31', 'half an hour'],
    ['Pacific/Chatham', '2024-04-07', 'three quarters, a day of 25 hours'],
    ['Pacific/Chatham', '2024-09-29', 'a day of 23 hours'],
    ['America/St_Johns', '2024-03-10', 'a day of 23 hours'],
    ['America/St_Johns', '2010-11-07', 'clocks went back at one past midnight'],
    ['Africa/Casablanca', '2024-03-10', 'clocks go back for Ramadan'],
    ['Africa/Casablanca', '2024-04-14', 'and on again'],
    ['America/Havana', '2024-03-10', 'its midnight does not exist'],
    ['America/Havana', '2024-11-03', 'its midnight comes twice'],
    ['Africa/Cairo', '2024-04-26', 'its midnight does not exist'],
    ['Africa/Cairo', '2024-11-01', 'the hour before it comes twice'],
    ['America/Sao_Paulo', '2018-11-04', 'its midnight does not exist'],
    ['Australia/Lord_Howe', '2024-04-07', 'clocks go back by half an hour'],
    ['Pacific/Apia', '2011-12-30', 'a day that was left out'],
  ];
  for (const [zone, day, why] of cases)
    for (const one of [addDays(day, -1), day, addDays(day, 1), addDays(day, 2)]) {
      const [row] = await rows(
        `select starts, day_of(starts, $2) as first, day_of(starts - interval '1 minute', $2) as before
         from (select day_starts($1, $2) as starts) s`,
        [one, zone],
      );
      assert.equal(row.starts.toISOString(), beginsAt(one, zone), `${zone} ${one}: ${why}`);
      assert.ok(row.before < one && row.first >= one, `${zone} ${one}: ${row.before}, ${row.first}`);
    }
});

test('what is no time zone is refused with its path', async () => {
  const siteId = await makeSite('somewhere', 'Europe/Paris');
  for (const zone of ['Mars/Olympus', 'europe/paris', 'EST5EDT4', '+02:00', '', 'posix/Europe/Paris']) {
    const { status, body } = await setZone(siteId, zone);
    assert.equal(status, 400, zone);
    assert.match(body.issues[0].path, /settings\.timeZone/);
  }
});

test('a change of zone counts again what still has raw rows; a sealed day keeps its own, and nothing is lost or counted twice', async () => {
  const key = 'mover';
  const siteId = await makeSite(key, 'UTC');
  const first = addDays(TODAY, -6);
  await partitions(server.database.owner, addDays(first, -2), TODAY);
  const events = Array.from({ length: 24 * 4 }, (_, hour) => ({
    id: `hour ${hour}`,
    visitor: `reader-${hour}`,
    at: new Date(Date.parse(`${first}T00:30:00Z`) + hour * 3_600_000).toISOString(),
  }));
  await record(server.database.app, siteId, events);
  await rollUp();
  await rows('update rollup_state set sealed_at = now() where site_id = $1 and day <= $2', [siteId, first]);
  const kept = () =>
    rows(
      `select m::text, r::text from daily_metric_rollups m left join visitor_returns r using (site_id, day)
       where site_id = $1 and m.page_views > 0 order by m.day, r.previous_day`,
      [siteId],
    );
  const inUtc = await kept();
  const window = [addDays(first, -1), TODAY] as const;
  for (const zone of ['Pacific/Auckland', 'America/Vancouver', 'Asia/Kolkata', null]) {
    assert.equal((await setZone(siteId, zone)).status, 200);
    await rollUp();
    const { timeZone, trend, quality, metrics } = await summary(key, ...window);
    assert.equal(timeZone, zone ?? 'UTC');
    assert.equal(quality.daysInOtherZone, zone ? 1 : 0);
    assert.equal(metrics.totalPageViews.value, events.length, zone ?? 'UTC');
    assert.equal(metrics.uniqueVisitors.value, events.length);
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone ?? 'UTC', dateStyle: 'short' });
    for (const { day, pageViews } of trend.filter((each: { day: string }) => each.day > addDays(first, 1)))
      assert.equal(pageViews, events.filter(({ at }) => format.format(Date.parse(at)) === day).length, day);
    const [{ ahead }] = await rows(
      'select count(*)::int as ahead from rollup_state where site_id = $1 and day > site_day($1, now())',
      [siteId],
    );
    assert.equal(ahead, 0);
  }
  assert.deepEqual(await kept(), inUtc);
});

test('a late arrival of the site’s yesterday is counted, whatever day it is in UTC', async () => {
  const hour = new Date().getUTCHours();
  const offset = 1 - hour < -12 ? 25 - hour : 1 - hour; // where it is past one in the night
  const key = 'night';
  const siteId = await makeSite(key, `Etc/GMT${offset > 0 ? '-' : '+'}${Math.abs(offset)}`);
  const send = (anonId: string) =>
    call(`${server.url}/v1/events`, 'POST', {
      propertyId: key,
      anonId,
      eventType: 'page_view',
      path: '/',
      timestamp: Date.now() - 3 * 3_600_000,
    });
  const [{ yesterday }] = await rows("select site_day($1, now() - interval '3 hours') as yesterday", [
    siteId,
  ]);
  for (const n of [1, 2]) {
    assert.equal((await send(`night-reader-${n}`)).status, 202);
    await rollUp();
    const { metrics, freshness } = await summary(key, yesterday, yesterday);
    assert.equal(metrics.totalPageViews.value, n);
    assert.deepEqual([freshness.rolledUpThrough, freshness.lagDays], [addDays(yesterday, 1), 0]);
  }
});

test('a rollup by hand into the future leaves out what has not come, and blinds nobody', async () => {
  const key = 'eager';
  await makeSite(key, 'UTC');
  const done = await rollUp({ from: TODAY, to: addDays(TODAY, 20), propertyId: key });
  assert.ok(done.days >= 1 && done.days + done.toCome === 21, JSON.stringify(done));
  assert.ok((await summary(key, TODAY, TODAY)).freshness.rolledUpThrough <= dayOf(Date.now()));
});

test('refusals of this very moment are in a rollup by hand', async () => {
  const key = 'strict';
  await makeSite(key, 'UTC');
  const send = (body: object) => call(`${server.url}/v1/events`, 'POST', { propertyId: key, ...body });
  assert.equal(
    (await send({ anonId: 'robot-12345', eventType: 'page_view', path: '/', honeypot: 'x' })).status,
    202,
  );
  assert.equal((await send({ anonId: 'robot-12345', eventType: '', path: '/' })).status, 400);
  await rollUp({ from: TODAY, to: addDays(TODAY, 1), propertyId: key });
  const { ingest } = await summary(key, TODAY, addDays(TODAY, 1));
  assert.equal(ingest.totalEventsRejected, 2);
});

test('a partition goes only when every day of the site that touches it is sealed; the numbers stay, also after a change of zone', async () => {
  const keptFrom = addDays(TODAY, -20);
  const first = addDays(keptFrom, -3);
  await partitions(server.database.owner, addDays(first, -1), addDays(keptFrom, 4));
  const siteIds: string[] = [];
  for (const [key, zone] of [
    ['east', 'Asia/Kolkata'],
    ['west', 'Pacific/Honolulu'],
  ] as const) {
    siteIds.push(await makeSite(key, zone));
    await record(
      server.database.app,
      siteIds.at(-1)!,
      Array.from({ length: 24 * 6 }, (_, hour) => ({
        id: `${key} ${hour}`,
        visitor: `${key}-reader-${hour}`,
        at: new Date(Date.parse(`${first}T00:30:00Z`) + hour * 3_600_000).toISOString(),
      })),
    );
  }
  await rollUp();
  const views = async () =>
    Promise.all(
      ['east', 'west'].map(
        async (key) => (await summary(key, addDays(first, -2), TODAY)).metrics.totalPageViews.value,
      ),
    );
  assert.deepEqual(await views(), [144, 144]);
  const end = sealDays(server.services.db, null);
  const others = server.services.sites.ids();
  const { says } = await end({
    siteIds: others,
    bound: new Date(`${keptFrom}T00:00:00Z`),
    dryRun: false,
    signal: undefined,
    progress: () => {},
    stays: () => 'true',
    left: 'true',
  });
  assert.ok(
    ((says?.partitions ?? []) as string[]).includes(`events_${addDays(keptFrom, -1).replaceAll('-', '')}`),
  );
  const [{ left }] = await rows('select count(*)::int as left from events where occurred_at < $1', [
    keptFrom,
  ]);
  assert.equal(left, 0);
  // counted again, in their zone and in another: what is sealed and what is left add up
  for (const zone of ['Asia/Kolkata', 'America/Toronto', 'Pacific/Auckland']) {
    for (const siteId of siteIds) await setZone(siteId, zone);
    await rollUp();
    await rollUp({ from: first, to: TODAY });
    assert.deepEqual(await views(), [144, 144], zone);
    const compared = await call(`${server.url}/v1/admin/jobs/discrepancy`, 'POST', {}, admin);
    assert.deepEqual(compared.body.run.result.differences, [], zone);
  }
});

test('the day in progress is the site’s, and what was bought in it is that day’s', async () => {
  for (const timeZone of ['Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
    const key = `shop-${timeZone.slice(8, 11).toLowerCase()}`;
    const siteId = await makeSite(key, timeZone);
    await rows(
      `insert into conversions (site_id, conversion_id, kind, origin, occurred_at, amount, currency)
       values ($1, 'loaf', 'purchase', 'server', now(), 4.5, 'CAD')`,
      [siteId],
    );
    const [{ today }] = await rows('select site_day($1, now()) as today', [siteId]);
    const { trend, partial } = await summary(key, addDays(today, -1), addDays(today, 2));
    assert.equal(partial, true);
    assert.deepEqual(
      trend.map(({ day, partial: goesOn }: { day: string; partial: boolean }) => [day, goesOn]),
      [
        [addDays(today, -1), false],
        [today, true],
      ],
    );
    for (const [day, sold] of [
      [addDays(today, -1), 0],
      [today, 1],
    ] as const)
      assert.equal((await summary(key, day, day)).totals.purchases, sold, `${timeZone} ${day}`);
  }
});
