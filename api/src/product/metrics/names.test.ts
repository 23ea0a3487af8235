// The names of a day that strangers make up: as long as they may be, and as many as they like.
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { visitorIdOf } from '../events/enrich.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

/** Letters of four bytes each, of chance: nothing makes them shorter. */
const letters = (length: number) =>
  Array.from({ length }, () => String.fromCodePoint(randomInt(0x20000, 0x2a6d0))).join('');
const send = (event: Record<string, unknown>) => call(`${server.url}/v1/events`, 'POST', makeEvent(event));
const rollUp = async (body = {}) =>
  (await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', body, admin)).body.run;
const shown = async (): Promise<Record<string, number>> => {
  const { rows } = await server.database.owner.query(
    'select kind, count(*)::int as names from daily_breakdowns where site_id = $1 group by 1',
    [siteId],
  );
  return Object.fromEntries(rows.map(({ kind, names }) => [kind, names]));
};

test('the longest names that a browser may send are counted, of every kind', async () => {
  const utm = { source: 255, medium: 255, campaign: 255, term: 255, content: 255 };
  const answer = await send({
    anonId: 'a browser of many words',
    path: `/${letters(2047)}`,
    referrer: `https://${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example/${letters(1500)}`,
    utm: Object.fromEntries(Object.entries(utm).map(([name, length]) => [name, letters(length)])),
    props: { [letters(400)]: letters(450) },
  });
  assert.equal(answer.status, 202);
  for (const more of [
    { eventType: letters(64), isConversion: true },
    { eventType: 'form_start', props: { formName: letters(1900) } },
  ])
    assert.equal((await send({ anonId: 'a browser of many words', path: '/', ...more })).status, 202);
  assert.equal((await rollUp()).result.days, 1);
  const kinds = await shown();
  for (const kind of [
    'page',
    'entrance',
    'exit',
    'campaign',
    'utm_source',
    'utm_medium',
    'utm_term',
    'utm_content',
    'referrer',
    'event',
    'form',
  ])
    assert.ok(kinds[kind]! > 0, kind);
  assert.ok(Object.keys(kinds).some((kind) => kind.startsWith('prop:')));
});

/** Straight into the tables, as many visits of one event each. */
const visits = (from: number, count: number, what: (n: number) => Partial<Recorded>) =>
  record(
    server.database.app,
    siteId,
    Array.from({ length: count }, (_, n) => ({
      id: `names ${from + n}`,
      visitor: `of a name ${from + n}`,
      at: new Date(Date.now() - 60_000 - n).toISOString(),
      path: '/same',
      ...what(from + n),
    })),
    500,
  );
const open = async (kind: string) =>
  (
    await server.database.owner.query(
      `select count(*)::int as rows, coalesce(sum(events), 0)::int as events, coalesce(sum(visitors), 0)::int as visitors,
         coalesce(max(events) filter (where name = '(other)'), 0)::int as other
       from open_names where site_id = $1 and kind = $2`,
      [siteId, kind],
    )
  ).rows[0];
const discrepancies = async () => {
  await server.database.owner.query('analyze'); // as the server does by itself, some time later
  const { rows } = await server.database.owner.query(
    "select number, raw, rollup from compare_day($1, (now() at time zone 'UTC')::date)",
    [siteId],
  );
  return rows;
};

test('names beyond a bound are counted together, taken out again, and the day says that it is full', async () => {
  await visits(0, 4990, (n) => ({ path: `/made-up-${n}` }));
  await rollUp();
  const before = await open('page');
  assert.ok(before.rows > 4990 && before.other === 0, JSON.stringify(before));
  await visits(10_000, 600, (n) => ({ path: `/more-${n}` }));
  await rollUp();
  const full = await open('page');
  assert.equal(full.rows, 5001, 'the bound, and (other)');
  assert.equal(full.events, before.events + 600);
  assert.equal(full.other, 600 - (5000 - before.rows));
  assert.deepEqual(await discrepancies(), []);
  // a known name goes on, a new one gets no row, and what leaves is taken from where it was
  await visits(20_000, 3, (n) => ({ path: n === 20_000 ? '/made-up-1' : `/late-${n}` }));
  for (const n of [2, 10_599]) {
    const body = { visitorId: visitorIdOf(siteId, `of a name ${n}`), bot: true };
    assert.equal((await call(`${server.url}/v1/admin/bots`, 'POST', body, admin)).status, 200);
  }
  await rollUp();
  const later = await open('page');
  assert.deepEqual([later.rows, later.events, later.other], [5000, full.events + 3 - 2, full.other + 2 - 1]);
  assert.deepEqual(await discrepancies(), []);
  const summary = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  assert.ok(summary.body.fullDays.names >= 1, JSON.stringify(summary.body.fullDays));
});

test('a day that is full is the same after a whole count, save which names have a row', async () => {
  const before = await open('page');
  const day = new Date().toISOString().slice(0, 10);
  await rollUp({ from: day, to: day });
  const after = await open('page');
  assert.equal(after.rows, 5001);
  assert.ok(after.events <= before.events);
  assert.deepEqual(await discrepancies(), []);
});

test('properties that strangers make up end at a hundred, the others together', async () => {
  await visits(30_000, 150, (n) => ({ props: { [`property ${n}`]: 'x', known: `value ${n % 3}` } }));
  await rollUp();
  const { rows } = await server.database.owner.query(
    "select count(*)::int as kinds, count(*) filter (where kind = 'prop:known')::int as known from open_kinds where site_id = $1 and kind like 'prop:%'",
    [siteId],
  );
  assert.ok(rows[0].kinds <= 101, `${rows[0].kinds}`);
  assert.equal(rows[0].known, 1, 'the most frequent come first');
  assert.ok(!('prop:(other)' in (await shown())));
  assert.deepEqual(await discrepancies(), []);
});

test('signups that browsers make up end, and those of a lead’s browser are kept whatever the others send', async () => {
  const captured = await call(`${server.url}/v1/leads/capture`, 'POST', {
    email: 'ada@example.com',
    anonId: 'the browser of ada',
  });
  const signup = (visitor: string, id: number): Partial<Recorded> => ({
    visitor,
    type: 'signup',
    id: `signup ${id}`,
  });
  // one browser tells of a thousand
  await visits(40_000, 300, (n) => signup('a kiosk', n));
  await rollUp();
  const count = async () =>
    (
      await server.database.owner.query(
        "select count(*)::int as n from conversions where site_id = $1 and origin = 'browser'",
        [siteId],
      )
    ).rows[0].n;
  assert.equal(await count(), 100);
  await visits(50_000, 5100, (n) => signup(`nobody ${n}`, n));
  await rollUp();
  assert.equal(await count(), 5000);
  assert.equal((await send({ anonId: 'the browser of ada', eventType: 'signup', path: '/' })).status, 202);
  await rollUp();
  const { rows } = await server.database.owner.query(
    'select count(*)::int as n from conversions where site_id = $1 and visitor_id = $2',
    [siteId, captured.body.visitorId],
  );
  assert.deepEqual(rows, [{ n: 1 }]);
  assert.deepEqual(await discrepancies(), []);
  const status = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  assert.equal(status.body.fullDays.conversions, 1);
});

test('long names show as many as fit, and the others together', async () => {
  await visits(70_000, 300, (n) => ({ path: `/${n}${letters(500)}` }));
  await rollUp();
  const { rows } = await server.database.owner.query(
    `select sum(octet_length(name))::int as bytes, sum(events)::int as events, (select sum(events)::int from open_names where site_id = $1 and kind = 'page') as sent
     from daily_breakdowns where site_id = $1 and kind = 'page' and name <> '(other)'`,
    [siteId],
  );
  assert.ok(rows[0].bytes <= 256_000, `${rows[0].bytes}`);
  const { rows: all } = await server.database.owner.query(
    "select sum(events)::int as events from daily_breakdowns where site_id = $1 and kind = 'page'",
    [siteId],
  );
  assert.equal(all[0].events, rows[0].sent, 'nothing is lost');
});

test('of a sealed day that was sent too many names the first hundred stay, and the sums', async () => {
  const { owner } = server.database;
  const day = '2025-11-26';
  await owner.query(
    `insert into daily_breakdowns (site_id, day, kind, name, visitors, sessions, page_views, events)
     select $1, $2, kind, '/' || n, 1, 0, n, 1 from generate_series(1, 300) n cross join (values ('page'), ('exit')) k (kind)`,
    [siteId, day],
  );
  await owner.query(
    "insert into full_days (site_id, day, what) values ($1, $2, 'page'), ($1, $2, 'conversions')",
    [siteId, day],
  );
  const { result } = (await call(`${server.url}/v1/admin/jobs/purge`, 'POST', {}, admin)).body.run;
  assert.equal(result.folded, 200);
  const { rows } = await owner.query(
    `select kind, count(*)::int as names, sum(page_views)::int as views, max(events)::int as most from daily_breakdowns where site_id = $1 and day = $2 group by 1 order by 1`,
    [siteId, day],
  );
  const views = (300 * 301) / 2;
  assert.deepEqual(rows, [
    { kind: 'exit', names: 300, views, most: 1 },
    { kind: 'page', names: 101, views, most: 200 },
  ]);
});
