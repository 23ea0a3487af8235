// Filtered numbers: of random traffic, over days that are kept narrow and days that still change, they add up to the numbers of
// all, and a filter that everything meets changes nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { partitions, type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { DIMS } from '../segments/filters.ts';

const SEED = process.env.SEED ?? 'filters';
const ZONES = { bakery: 'UTC', chandler: 'America/St_Johns', shepherd: 'Pacific/Chatham' };
const TODAY = dayOf(Date.now());
const FROM = addDays(TODAY, -20);
const TO = addDays(TODAY, -1);

let server: TestServer;
const random = randomFrom(SEED);
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;

/** A visit of up to seven events; some of bots, some over midnight, with names in several spellings and none. */
function visit(site: string, n: number): Recorded[] {
  let at = Date.parse(FROM) + random() * 20 * 86_400_000;
  const visitor = `${site} visitor ${below(60)}`;
  const origin = {
    country: pick(['CA', 'FR', undefined]),
    browser: pick(['Firefox', 'Safari', undefined]),
    os: pick(['Linux', undefined]),
    device_type: pick(['desktop', 'mobile', 'unknown'] as const),
    ...(random() < 0.08 ? { bot_reason: 'user_agent' } : {}),
  };
  return Array.from({ length: 1 + below(7) }, (_, i) => {
    const type = pick(['page_view', 'page_view', 'page_view', 'cta_click', 'form_start', 'form_submit']);
    at = Math.min(at + below(12 * 60_000) + 1, Date.now());
    return {
      id: `${site} ${n} ${i}`,
      visitor,
      at: new Date(at).toISOString(),
      type,
      path: pick(['/', '/bread', '/Bread', '/cake', `/loaf-${below(5)}`]),
      source: i === 0 ? pick(['direct', 'social', 'email', 'referral']) : 'internal',
      ...(i === 0 && random() < 0.5 ? { referrer: `https://www.${pick(['a', 'b'])}.example/x` } : {}),
      ...(i === 0 && random() < 0.4
        ? { utm: { source: pick(['x', 'y']), campaign: pick(['Spring', 'spring', 'SALE']) } }
        : {}),
      ...(type === 'page_view' && random() < 0.3 ? { engaged_ms: below(12_000) } : {}),
      ...(random() < 0.3 ? { props: { formName: pick(['news', 'order']) } } : {}),
      ...(random() < 0.05 ? { is_conversion: true } : {}),
      ...origin,
    } as Recorded;
  });
}

before(async () => {
  server = await startServer();
  const { owner, app } = server.database;
  await partitions(owner, addDays(FROM, -2), addDays(TODAY, 2));
  for (const [key, timeZone] of Object.entries(ZONES)) {
    const made = await call(`${server.url}/v1/sites`, 'POST', { key, settings: { timeZone } }, admin);
    const visits = Array.from({ length: 260 }, (_, n) => visit(key, n));
    await record(app, made.body.site.siteId, visits.flat());
  }
  const run = await call(
    `${server.url}/v1/admin/jobs/rollup`,
    'POST',
    { from: addDays(FROM, -1), to: TODAY },
    admin,
  );
  assert.equal(run.status, 200, JSON.stringify(run.body));
});
after(() => server.end());

const ask = async (site: string, report: string, more = '', filters: readonly string[] = []) => {
  const f = filters.map((one) => `&f=${encodeURIComponent(one)}`).join('');
  const url = `${server.url}/v1/metrics/${report}?propertyId=${site}&from=${FROM}&to=${TO}${more}${f}`;
  const { status, body } = await call(url, 'GET', undefined, admin);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};
const EVERYTHING = 'source~is_not~no such source';
const BY: Record<(typeof DIMS)[number], string> = {
  source: 'sources',
  campaign: 'campaigns',
  referrer: 'referrers',
  landing: 'entrances',
  page: 'pages',
  device: 'devices',
  browser: 'browsers',
  os: 'os',
  country: 'countries',
};
type Named = Record<string, unknown> & { name: string };

/** Whatever is a number of visits is the same by both; what is none is null. */
function isSame(filtered: unknown, whole: unknown, at: string): void {
  if (filtered === null) return;
  if (typeof filtered === 'object' && typeof whole === 'object' && whole !== null)
    for (const [name, value] of Object.entries(filtered!))
      isSame(value, (whole as Record<string, unknown>)[name], `${at}.${name}`);
  else assert.deepEqual(filtered, whole, at);
}

for (const site of Object.keys(ZONES)) {
  test(`a filter that every visit meets changes no number (${site}, seed ${SEED})`, async () => {
    const { rows } = await server.database.owner.query(
      'select (select count(*)::int from session_days) as kept, (select count(*)::int from visit_facts) as open',
    );
    assert.ok(rows[0].kept > 100 && rows[0].open > 20, `both kinds of days: ${JSON.stringify(rows[0])}`);
    const whole = await ask(site, 'page', '&vs=none');
    const filtered = await ask(site, 'page', '&vs=none', [EVERYTHING]);
    assert.deepEqual([whole.summary.basis, filtered.summary.basis], ['rollups', 'sessions']);
    const { basis: _basis, ...summary } = filtered.summary;
    isSame(summary, whole.summary, 'summary');
    assert.ok(whole.summary.metrics.sessions.value > 100);
    for (const name of ['uniqueVisitors', 'sessions', 'totalPageViews', 'bounceRate', 'formCompletionRate'])
      assert.equal(filtered.summary.metrics[name].value, whole.summary.metrics[name].value, name);
    isSame(filtered.series, whole.series, 'series');
    for (const [by, { totals, rows: told }] of Object.entries<{ totals: object; rows: Named[] }>(
      filtered.breakdowns,
    ))
      if (['events', 'forms'].includes(by)) assert.deepEqual([told, totals], [[], { ...totals, rows: 0 }]);
      else {
        const all = await ask(site, 'breakdown', `&by=${by}&limit=1000`);
        isSame(totals, all.totals, by);
        // of rows that are alike in size either may stand first
        const keyOf = ({ name, detail }: Record<string, unknown>) =>
          by === 'campaigns' ? `${name} ${detail}`.toLowerCase() : `${name} ${detail}`;
        const named = new Map(all.rows.map((row: Named) => [keyOf(row), row]));
        assert.ok(told.length > 0, by);
        for (const row of told) {
          const { share: _share, name, detail, ...numbers } = row;
          isSame(numbers, named.get(keyOf({ name, detail })), `${by} ${name}`);
        }
      }
    for (const every of ['week', 'month'])
      isSame(
        (await ask(site, 'timeseries', `&interval=${every}`, [EVERYTHING])).series,
        (await ask(site, 'timeseries', `&interval=${every}`)).series,
        every,
      );
  });

  test(`the values of any dimension add up to all visits and page views (${site}, seed ${SEED})`, async () => {
    const count = async (filters: string[] = []) => {
      const { series } = await ask(site, 'timeseries', '&interval=month', filters);
      const sum = (name: string) =>
        series.reduce((total: number, step: Record<string, number>) => total + step[name]!, 0);
      return { sessions: sum('sessions'), views: sum('pageViews') };
    };
    const all = await count();
    for (const dim of DIMS) {
      const { rows } = await ask(site, 'breakdown', `&by=${BY[dim]}&limit=1000`);
      const spelt = (name: string) => (dim === 'campaign' ? name.toLowerCase() : name);
      const names = [...new Set(rows.map(({ name }: Named) => spelt(name))), ''];
      let sessions = 0;
      let views = 0;
      for (const name of names) {
        const own = await count([`${dim}~is~${name}`]);
        sessions += own.sessions;
        views += own.views;
        if (name !== names[0]) continue;
        const others = await count([`${dim}~is_not~${name}`]);
        assert.deepEqual(
          [own.sessions + others.sessions, own.views + others.views],
          [all.sessions, all.views],
          `${dim} ${name}`,
        );
      }
      // a visit has many pages
      if (dim === 'page') continue;
      assert.deepEqual({ sessions, views }, all, dim);
    }
  });

  test(`who viewed a page are the visits that its row counts (${site}, seed ${SEED})`, async () => {
    const { rows } = await ask(site, 'breakdown', '&by=pages&limit=5');
    for (const { name, visitors, pageViews } of rows) {
      const of = await ask(site, 'breakdown', '&by=pages&limit=1000', [`page~is~${name}`]);
      const row = of.rows.find((one: Named) => one.name === name);
      assert.deepEqual([row.visitors, row.pageViews], [visitors, pageViews], name);
    }
  });
}

test('several values of one dimension are alternatives, different dimensions are met together, and case counts for paths alone', async () => {
  const sessions = async (...filters: string[]) =>
    (await ask('bakery', 'summary', '', filters)).metrics.sessions.value;
  const [social, email] = [await sessions('source~is~social'), await sessions('source~is~email')];
  assert.ok(social > 0 && email > 0);
  assert.equal(await sessions('source~is~social', 'source~is~email'), social + email);
  assert.equal(
    (await sessions('source~is~social', 'device~is~mobile')) +
      (await sessions('source~is~social', 'device~is_not~mobile')),
    social,
  );
  assert.equal(await sessions('campaign~is~SPRING'), await sessions('campaign~contains~prin'));
  const [small, large] = [await sessions('landing~is~/bread'), await sessions('landing~is~/Bread')];
  assert.ok(small > 0 && large > 0);
  assert.equal(await sessions('landing~contains~READ'), small + large);
  assert.equal(await sessions('source~is~social', 'source~is_not~social'), 0);
  assert.equal(await sessions("source~is~'); drop table events; --"), 0);
});

test('a filtered question is kept and told apart from another', async () => {
  const tagOf = async (...filters: string[]) => {
    const f = filters.map((one) => `&f=${one}`).join('');
    const url = `${server.url}/v1/metrics/summary?propertyId=bakery&from=${FROM}&to=${TO}${f}`;
    return (await call(url, 'GET', undefined, admin)).headers.get('etag');
  };
  const [one, other] = [await tagOf('source~is~social'), await tagOf('source~is~email')];
  assert.notEqual(one, other);
  assert.equal(await tagOf('source~is~social'), one);
  assert.notEqual(await tagOf(), one);
});

test('days of which only sums are left cannot be filtered, and the first possible day is named', async () => {
  const first = addDays(TODAY, -90);
  const url = `${server.url}/v1/metrics/summary?propertyId=bakery&from=${addDays(first, -1)}&to=${TO}`;
  const { status, body } = await call(`${url}&f=source~is~email`, 'GET', undefined, admin);
  assert.deepEqual(
    [status, body.issues],
    [400, [{ path: 'from', message: `with filters not before ${first}` }]],
  );
  assert.equal((await call(url, 'GET', undefined, admin)).status, 200);
  // before which nothing can be compared either
  const page = `${server.url}/v1/metrics/page?propertyId=bakery&from=${addDays(TODAY, -60)}&to=${TO}&f=source~is~email`;
  const compared = await call(page, 'GET', undefined, admin);
  assert.deepEqual([compared.status, compared.body.summary.compareTo], [200, null]);
});

test('what is no filter is refused with the name of the field, and what is counted of no visits too', async () => {
  const refused = async (path: string) => {
    const { status, body } = await call(
      `${server.url}/v1/metrics/${path}&propertyId=bakery&from=${FROM}&to=${TO}`,
      'GET',
      undefined,
      admin,
    );
    assert.equal(status, 400, JSON.stringify(body));
    return body.issues[0].path;
  };
  for (const wrong of ['source', 'source~is', 'shoe~is~x', 'source~like~x', 'source~contains~'])
    assert.equal(await refused(`summary?f=${wrong}`), 'f.0', wrong);
  assert.equal(await refused(`summary?${'f=source~is~x&'.repeat(21)}x=`), 'f');
  for (const by of ['events', 'forms', 'vitals', 'spend', 'prop:colour'])
    assert.equal(await refused(`breakdown?by=${by}&f=source~is~x`), 'by', by);
});

test('the nightly comparison finds a kept visit that is missing or wrong, and the next count cures it', async () => {
  const { owner } = server.database;
  const job = async (name: string, options: object = {}) => {
    const { status, body } = await call(`${server.url}/v1/admin/jobs/${name}`, 'POST', options, admin);
    assert.equal(status, 200, JSON.stringify(body));
    return body.run.result;
  };
  const differing = async () =>
    (await job('discrepancy', { from: FROM, to: TO })).differences.map(
      ({ number }: { number: string }) => number,
    );
  await job('rollup');
  assert.deepEqual(await differing(), []);
  const one = `where ctid = (select ctid from session_days where day = '${addDays(TODAY, -9)}' and landing_id > 0 limit 1)`;
  for (const wrong of [
    `delete from session_days ${one}`,
    `update session_days set pages = pages || landing_id ${one}`,
    `update session_days set landing_id = 0 ${one}`,
    `update session_days set converted = not converted ${one}`,
  ]) {
    await owner.query(wrong);
    assert.deepEqual(await differing(), ['kept visits'], wrong);
    await job('rollup');
    assert.deepEqual(await differing(), [], wrong);
  }
});

test('visits of days before an upgrade are waited for, not left out', async () => {
  const { owner } = server.database;
  await owner.query('update rollup_state set visits_kept = false where day = $1', [FROM]);
  server.services.metrics.clear();
  const url = `${server.url}/v1/metrics/summary?propertyId=bakery&from=${FROM}&to=${TO}&f=source~is~email`;
  const waiting = await call(url, 'GET', undefined, admin);
  assert.equal(waiting.status, 503);
  assert.ok(waiting.headers.get('retry-after'));
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', { from: FROM, to: FROM }, admin);
  assert.equal((await call(url, 'GET', undefined, admin)).status, 200);
});

for (const site of Object.keys(ZONES))
  test(`the hours of a day add up to the day, of all visits and of some (${site}, seed ${SEED})`, async () => {
    const day = addDays(TODAY, -9);
    const window = `?propertyId=${site}&from=${day}&to=${addDays(day, 1)}`;
    const seriesOf = async (more: string) => {
      const { status, body } = await call(
        `${server.url}/v1/metrics/timeseries${window}${more}`,
        'GET',
        undefined,
        admin,
      );
      assert.equal(status, 200, JSON.stringify(body));
      return body.series as Record<string, never>[];
    };
    const ADDED = [
      'pageViews',
      'sessions',
      'entrances',
      'landingConversions',
      'formsStarted',
      'formsSubmitted',
    ];
    for (const more of ['', '&f=device~is~mobile', '&f=landing~is~/bread&f=landing~is~/']) {
      const days = await seriesOf(more);
      const hours = await seriesOf(`${more}&interval=hour`);
      for (const { from, ...numbers } of days) {
        const own = hours.filter((hour) => hour.from === from);
        assert.equal(own.length, 24);
        for (const name of ADDED)
          assert.equal(
            own.reduce((sum, hour) => sum + hour[name]!, 0),
            numbers[name],
            `${from} ${name} ${more}`,
          );
        assert.ok(own.every((hour) => hour.uniqueVisitors! <= numbers.uniqueVisitors!));
      }
      assert.equal(new Set(hours.map((hour) => hour.at)).size, hours.length);
    }
  });

test('hours are asked for of three days at most, of those that are kept, and of today only those that have begun', async () => {
  const ask = (from: string, to: string) =>
    call(
      `${server.url}/v1/metrics/timeseries?propertyId=bakery&from=${from}&to=${to}&interval=hour`,
      'GET',
      undefined,
      admin,
    );
  const long = await ask(addDays(TODAY, -4), TODAY);
  assert.deepEqual([long.status, long.body.issues[0].path], [400, 'to']);
  const old = await ask(addDays(TODAY, -91), addDays(TODAY, -91));
  assert.deepEqual([old.status, old.body.issues[0].path], [400, 'from']);
  const { series } = (await ask(TODAY, addDays(TODAY, 1))).body;
  assert.ok(series.length > 0);
  assert.equal(series.at(-1).partial, true);
  assert.ok(series.every(({ at }: { at: string }) => Date.parse(at) <= Date.now()));
});
