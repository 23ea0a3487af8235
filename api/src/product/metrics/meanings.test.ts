// What the numbers mean to a marketer, family by family: what converts, what is not counted, what a change may be compared
// with, and one name in one spelling.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { partitions, type Recorded } from '../../../test/record.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { DAY, form, on, type Seen, smallSites, utm } from '../../../test/small-site.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

let server: TestServer;
let { rows, post, rollUp, siteWith } = {} as ReturnType<typeof smallSites>;
before(async () => {
  server = await startServer({ METRICS_SUMMARY_CACHE_TTL_MS: '0' });
  ({ rows, post, rollUp, siteWith } = smallSites(server));
  await partitions(server.database.owner, addDays(DAY, -30), addDays(DAY, 12));
});
after(() => server.end());

test('a search and a sign-in are no conversions; a lead form, also one that says nothing of itself, and a flag are', async () => {
  const cases: [string, string, Partial<Recorded>, boolean][] = [
    ['searches', 'form_submit', form('find', 'search'), false],
    ['signs in', 'form_submit', form('login', 'signin'), false],
    ['sends a form', 'form_submit', form('contact'), true],
    ['sends a lead form', 'form_submit', form('news', 'lead'), true],
    ['does what counts', 'call_clicked', { is_conversion: true, source: 'internal' }, true],
    ['clicks', 'cta_click', { source: 'internal' }, false],
  ];
  const site = await siteWith(
    'converting',
    cases.flatMap(([visitor, type, more]): Seen[] => [
      [visitor, '10:00', 'page_view'],
      [visitor, '10:01', type, more],
    ]),
  );
  const { totals, metrics } = await site.get('summary');
  assert.equal(totals.landingConversions, cases.filter(([, , , converts]) => converts).length);
  assert.equal(metrics.formCompletionRate.value, 1);
  const forms = await site.get('breakdown?by=forms');
  assert.deepEqual(
    forms.rows.map(({ name, conversions }: { name: string; conversions: number }) => [name, conversions]),
    [
      ['contact', 1],
      ['news', 1],
    ],
  );
});

test('a capture makes the submission a lead’s, also when the browser told of it first and took it for another', async () => {
  const site = await siteWith('capturing');
  const eventId = crypto.randomUUID();
  const ada = { anonId: 'ada-browser', propertyId: 'capturing', path: '/' };
  const events = [
    { ...ada, eventType: 'page_view' },
    { ...ada, eventType: 'form_submit', eventId, props: { formName: 'own', role: 'signin' } },
  ];
  await call(`${server.url}/v1/events`, 'POST', { events });
  const today = dayOf(Date.now());
  await rollUp();
  assert.equal((await site.get('summary', today)).totals.landingConversions, 0);
  await post('/v1/leads/capture', { ...ada, email: 'ada@capturing.example', formName: 'own', eventId });
  await rollUp();
  assert.equal((await site.get('summary', today)).totals.landingConversions, 1);
  await post('/v1/leads/delete', { email: 'ada@capturing.example', propertyId: 'capturing' });
  await rollUp();
  assert.equal(
    (await site.get('summary', today)).totals.landingConversions,
    1,
    'an erasure changes no number',
  );
});

test('a column that is not counted for a kind of row is null or empty, and never 0', async () => {
  const site = await siteWith('columns', [
    ['ada', '10:00', 'page_view', { ...utm('google', 'cpc', 'spring'), referrer: 'https://google.com/' }],
    ['ada', '10:01', 'form_submit', form('news', 'lead')],
    ['ada', '10:02', 'ordered', { props: { plan: 'loaf' }, source: 'internal' }],
  ]);
  const visits = 'visitors sessions entrances pageViews conversions';
  for (const [by, known] of [
    ['pages', 'visitors pageViews events engagedMs'],
    ['entrances', visits],
    ['exits', 'visitors sessions'],
    ['sources', `${visits} leads`],
    ['campaigns', `${visits} leads`],
    ['utm_source', `${visits} leads`],
    ['utm_medium', `${visits} leads`],
    ['referrers', visits],
    ['devices', visits],
    ['countries', visits],
    ['events', 'visitors conversions events'],
    ['forms', 'visitors sessions conversions'],
    ['prop:plan', 'visitors pageViews conversions events'],
  ] as const) {
    const { rows: told, totals } = await site.get(`breakdown?by=${by}`);
    assert.ok(told.length > 0, by);
    const columns = `${visits} events engagedMs leads`.split(' ');
    for (const column of columns) {
      assert.equal(told[0][column] !== null, known.split(' ').includes(column), `${by} ${column}`);
      if (column in totals)
        assert.equal(totals[column] === null, told[0][column] === null, `${by} ${column}`);
    }
    const [head, first] = (await site.get(`breakdown?by=${by}&format=csv`)).split('\r\n');
    const cells = first.split(',');
    for (const [i, column] of head.split(',').entries())
      if (columns.includes(column))
        assert.equal(cells[i] === '', told[0][column] === null, `${by} ${column}`);
  }
});

test('rates and page views by source are those of the headline, also when a visit crosses midnight', async () => {
  const next = addDays(DAY, 1);
  const site = await siteWith('midnight', [
    ['ada', '23:50', 'page_view', { source: 'email' }],
    ['ada', `${next}T00:05:00.000Z`, 'page_view', { source: 'internal', path: '/bread' }],
    ['ada', `${next}T00:06:00.000Z`, 'form_submit', form('news', 'lead')],
    ['bob', '12:00', 'cta_click', { source: 'email' }],
    ['cleo', `${next}T09:00:00.000Z`, 'page_view', { source: 'social' }],
  ]);
  for (const [from, to] of [
    [DAY, DAY],
    [next, next],
    [DAY, next],
  ] as const) {
    const { metrics, totals } = await site.get('summary', from, to);
    for (const by of ['sources', 'entrances', 'devices']) {
      const told = await site.get(`breakdown?by=${by}`, from, to);
      assert.equal(told.totals.pageViews, metrics.totalPageViews.value, `${by} ${from} ${to}`);
      assert.equal(told.totals.conversions, totals.landingConversions, `${by} ${from} ${to}`);
      assert.equal(told.totals.entrances, totals.entrances, `${by} ${from} ${to}`);
    }
  }
  const { rows: sources } = await site.get('breakdown?by=sources');
  // bob saw no page: he is no entrance that could have converted
  assert.deepEqual([sources[0].name, sources[0].sessions, sources[0].conversionRate], ['email', 2, 1]);
  const { rows: after } = await site.get('breakdown?by=sources', next);
  const email = after.find(({ name }: { name: string }) => name === 'email');
  assert.deepEqual([email.sessions, email.visitors, email.pageViews], [0, 1, 1]);
});

test('one campaign, source or medium in several spellings is one row, named as it was mostly written', async () => {
  const site = await siteWith('spelling', [
    ['ada', '10:00', 'page_view', utm('Facebook', 'Social', 'Spring')],
    ['bob', '10:00', 'page_view', utm('facebook', 'social', 'spring')],
    ['cleo', '10:00', 'page_view', utm('facebook', 'social', 'spring')],
    ['dan', '10:00', 'page_view', utm('joe', 'affiliate')],
  ]);
  await site.lead('eve', `${DAY}T11:00:00Z`, null);
  await rows("update leads set first_utm = $2 where site_id = $1 and email like 'eve@%'", [
    site.siteId,
    { source: 'FACEBOOK', medium: 'social', campaign: 'SPRING' },
  ]);
  await rollUp();
  const told = async (by: string) =>
    (await site.get(`breakdown?by=${by}`)).rows.map(
      (row: { name: string; detail: string; sessions: number; leads: number }) => [
        row.name,
        row.detail,
        row.sessions,
        row.leads,
      ],
    );
  assert.deepEqual(await told('campaigns'), [['spring', 'facebook / social', 3, 1]]);
  assert.deepEqual(await told('utm_source'), [
    ['facebook', '', 3, 1],
    ['joe', '', 1, 0],
  ]);
  assert.deepEqual(await told('utm_medium'), [
    ['social', '', 3, 1],
    ['affiliate', '', 1, 0],
  ]);
  for (const row of ['source=Facebook&campaign=SPRING', 'source=facebook&campaign=spring'])
    await post('/v1/ad-spend', {
      propertyId: 'spelling',
      rows: [
        { day: DAY, ...Object.fromEntries(new URLSearchParams(row)), amount: '229.025', currency: 'CAD' },
      ],
    });
  const { rows: paid } = await site.get('breakdown?by=spend');
  assert.equal(paid.length, 1);
  assert.deepEqual([paid[0].amount, paid[0].leads, paid[0].costPerLead], [458.05, 1, 458.05]);
  const { totals } = await site.get('summary');
  assert.deepEqual([totals.spendByCurrency, totals.spendDays], [{ CAD: 458.05 }, 1]);
});

test('apps are referrers, and values of own properties are rows, addresses excepted', async () => {
  const app = { source: 'social', referrer: 'android-app://com.facebook.katana/' };
  const site = await siteWith('apps', [
    ['ada', '10:00', 'page_view', app],
    ['bob', '10:00', 'page_view', { source: 'referral', referrer: 'https://www.baker.example/x' }],
    ['bob', '10:01', 'ordered', { props: { plan: 'loaf', by: 'bob@apps.example', n: 2, deep: { a: 1 } } }],
  ]);
  const names = async (by: string) =>
    (await site.get(`breakdown?by=${by}`)).rows.map(({ name }: { name: string }) => name);
  assert.deepEqual(await names('referrers'), ['baker.example', 'com.facebook.katana']);
  for (const [by, wanted] of [
    ['prop:plan', ['loaf']],
    ['prop:n', ['2']],
    ['prop:by', []],
    ['prop:deep', []],
  ] as const)
    assert.deepEqual(await names(by), wanted, by);
});

test('a visit bounces with one page, little attention and no deed', async () => {
  const quiet = { source: 'internal' };
  const site = await siteWith('bouncing', [
    ['leaves', '10:00', 'page_view'],
    ['leaves', '10:01', 'engagement', { ...quiet, engaged_ms: 9_999 }],
    ['leaves', '10:01', 'web_vitals', quiet],
    ['reads', '10:00', 'page_view'],
    ['reads', '10:01', 'engagement', { ...quiet, engaged_ms: 10_001 }],
    ['clicks', '10:00', 'page_view'],
    ['clicks', '10:01', 'cta_click', quiet],
    ['goes on', '10:00', 'page_view'],
    ['goes on', '10:01', 'page_view', quiet],
  ]);
  const { metrics } = await site.get('summary');
  assert.equal(metrics.bounceRate.value, 1 / 4);
  assert.equal(metrics.pagesPerSession.value, 5 / 4);
  assert.equal(metrics.avgEngagedSeconds.value, 20 / 4);
  const { series } = await site.get('timeseries');
  assert.deepEqual([series[0].bounceRate, series[0].avgEngagedSeconds], [1 / 4, 20 / 4]);
});

test('nothing is compared with too little, with days before the first event, or while the day goes on', async () => {
  const people = (count: number, at: string): Seen[] =>
    Array.from({ length: count }, (_, n) => [`visitor ${n}`, at, 'page_view'] as Seen);
  const day = (n: number) => `${addDays(DAY, n)}T10:00:00.000Z`;
  const site = await siteWith('comparing', [
    ...people(9, day(0)),
    ...people(10, day(1)),
    ...people(15, day(2)),
  ]);
  for (const [from, to, delta] of [
    [2, 2, 0.5],
    [1, 1, null], // nine before
    [0, 0, null], // nothing before
    [1, 2, null], // the day before the first
  ] as const) {
    const asked = await site.get('summary?compareTo=yes', addDays(DAY, from), addDays(DAY, to));
    assert.equal(asked.metrics.totalPageViews.delta, delta, `${from} ${to}`);
    assert.equal(asked.partial, false);
  }
  const today = dayOf(Date.now());
  const now = await site.get('summary?compareTo=yes', addDays(today, -2), addDays(today, 3));
  assert.equal(now.partial, true);
  assert.deepEqual(
    now.trend.map(({ day: of, partial }: { day: string; partial: boolean }) => [of, partial]),
    [
      [addDays(today, -2), false],
      [addDays(today, -1), false],
      [today, true],
    ],
  );
  assert.ok(
    Object.values(now.metrics as Record<string, { delta?: unknown }>).every(({ delta }) => delta == null),
  );
  assert.equal((await site.get('timeseries', addDays(today, -2), addDays(today, 3))).series.length, 3);
  assert.equal((await site.get('quality', addDays(today, -2), addDays(today, 3))).days.length, 3);
  assert.deepEqual((await site.get('summary', addDays(today, 1), addDays(today, 3))).trend, []);
});

test('a day without a verified lead shows 0 on a site that verifies, and null on one that never did', async () => {
  for (const [key, verifies, told] of [
    ['verifying', true, 0],
    ['trusting', false, null],
  ] as const) {
    const site = await siteWith(key, verifies ? [['zoe', on(21), 'email_verify']] : []);
    await site.lead('ada', `${DAY}T10:00:00Z`, null);
    await rollUp();
    assert.equal((await site.get('summary')).metrics.emailVerificationRate.value, told, key);
  }
});

test('staff are in no number, are told apart from bots, and may come back', async () => {
  const site = await siteWith('staffed', [
    ['baker', '10:00', 'page_view'],
    ['ada', '10:00', 'page_view'],
    ['robot', '10:00', 'page_view', { bot_reason: 'user_agent' }],
  ]);
  const judge = (bot: boolean) =>
    post('/v1/admin/bots', { visitorId: site.visitor('baker'), bot, kind: 'staff', propertyId: 'staffed' });
  const told = async () => {
    await rollUp();
    const { metrics, quality } = await site.get('summary');
    return [metrics.uniqueVisitors.value, quality.botEvents, quality.staffEvents, quality.botsByReason];
  };
  await judge(true);
  assert.deepEqual(await told(), [1, 1, 1, { user_agent: 1 }]);
  await judge(false);
  assert.deepEqual(await told(), [2, 1, 0, { user_agent: 1 }]);
});

test('the table of a summary holds all of it, and realtime’s minutes add up to its total', async () => {
  const soon = new Date(Date.now() + 4 * 60_000).toISOString();
  const site = await siteWith('tables', [
    ['ada', new Date().toISOString(), 'page_view'],
    ['ahead', soon, 'page_view'],
  ]);
  const table = (await site.get('summary?format=csv', dayOf(Date.now()))) as string;
  for (const name of ['totals.leads', 'ingest.totalEventsAccepted', 'quality.countriesKnown'])
    assert.match(table, new RegExp(`^${name},`, 'm'));
  assert.match(table, new RegExp(`^trend\\.${dayOf(Date.now())}\\.uniqueVisitors,`, 'm'));
  assert.match(table, /^quality\.countriesKnown,false,/m);
  const now = await site.get('realtime');
  const sum = (of: string) =>
    now.minutes.reduce((total: number, minute: Record<string, number>) => total + minute[of]!, 0);
  assert.deepEqual([now.pageViews, now.events], [sum('pageViews'), sum('events')]);
});
