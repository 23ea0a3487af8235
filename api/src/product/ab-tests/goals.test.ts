// Who of a test reached its goal, of every kind of goal; and what the arms did to the page besides.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { goalsADay, readGuards } from './queries.ts';
import type { Goal } from './schema.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  await rows("select make_event_partitions((now() - interval '20 days')::date, now()::date)");
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WITHIN_DAYS = 3;
const EXPOSED = Date.now() - 5 * DAY + 4 * HOUR;
const at = (ms: number) => new Date(EXPOSED + ms);

async function makeTest(): Promise<string> {
  const [row] = await rows(
    `insert into ab_tests (site_id, notification_id, status, control_share, goal, min_days, max_days, winner, stop_unproven, started_at)
     values ($1, gen_random_uuid(), 'running', 0.5, '{}', 14, 56, 'manual', false, now() - interval '10 days') returning test_id`,
    [siteId],
  );
  return row.test_id;
}
const expose = (testId: string, visitorId: string, arm = 'warm', exposedAt = at(0)) =>
  rows(
    'insert into ab_exposures (site_id, test_id, visitor_id, arm, first_exposed_at) values ($1, $2, $3, $4, $5)',
    [siteId, testId, visitorId, arm, exposedAt],
  );

interface Did {
  type?: string;
  ms: number;
  path?: string;
  props?: object;
  bot?: string;
  cls?: number;
  inp?: number;
}
const put = (visitorId: string, { type = 'page_view', ms, path = '/', props, bot, cls, inp }: Did) =>
  rows(
    `insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, clamped, privacy_signal,
       is_conversion, props, bot_reason, cls_score, inp_ms)
     values ($1, gen_random_uuid(), $2, gen_random_uuid(), $3, $3, $4, $5, false, false, false, $6, $7, $8, $9)`,
    [siteId, visitorId, at(ms), type, path, props ?? null, bot ?? null, cls ?? null, inp ?? null],
  );
interface Told {
  kind: string;
  ms: number;
  visitorId?: string | null;
  leadId?: string | null;
  isVoided?: boolean;
}
async function tell({ kind, ms, visitorId = null, leadId = null, isVoided = false }: Told): Promise<string> {
  const id = randomUUID();
  await rows(
    `insert into conversions (site_id, conversion_id, kind, origin, lead_id, visitor_id, occurred_at, voided_at)
     values ($1, $2, $3, 'server', $4, $5, $6, $7)`,
    [siteId, id, kind, leadId, visitorId, at(ms), isVoided ? new Date() : null],
  );
  return id;
}
/** Somebody who left an address in this browser. */
async function known(): Promise<{ visitorId: string; leadId: string }> {
  const { status, body } = await call(`${server.url}/v1/leads/capture`, 'POST', {
    email: address(),
    anonId: anon(),
  });
  assert.ok(status < 300, JSON.stringify(body));
  const [row] = await rows('select lead_id from lead_identities where visitor_id = $1', [body.visitorId]);
  return { visitorId: body.visitorId, leadId: row.lead_id };
}
const count = (testId: string, of: string, path: string | null = null) =>
  rows('select count_goals($1, $2, $3, $4, $5)', [siteId, testId, of, path, WITHIN_DAYS]);
/** In ms after the exposure; null: not reached. */
async function reached(testId: string, visitorId: string): Promise<number | null> {
  const [row] = await rows('select converted_at from ab_exposures where test_id = $1 and visitor_id = $2', [
    testId,
    visitorId,
  ]);
  return row.converted_at === null ? null : row.converted_at.getTime() - EXPOSED;
}

const form = (ms: number, more: Partial<Did> = {}): Did => ({ type: 'form_submit', ms, ...more });
const EVENTS: [what: string, of: string, path: string | null, did: Did[], at: number | null][] = [
  ['a form is a lead', 'leads', null, [form(HOUR)], HOUR],
  ['the first of two', 'leads', null, [form(5 * HOUR), form(2 * HOUR)], 2 * HOUR],
  ['a search is none', 'leads', null, [form(HOUR, { props: { role: 'search' } })], null],
  ['signing in is none', 'leads', null, [form(HOUR, { props: { role: 'signin' } })], null],
  ['another role is one', 'leads', null, [form(HOUR, { props: { role: 'signup' } })], HOUR],
  ['one before the exposure is none', 'leads', null, [form(-HOUR)], null],
  ['one in its very moment is none', 'leads', null, [form(0)], null],
  ['the last moment counts', 'leads', null, [form(WITHIN_DAYS * DAY)], WITHIN_DAYS * DAY],
  ['too late is none', 'leads', null, [form(WITHIN_DAYS * DAY + 1)], null],
  ['a robot’s is none', 'leads', null, [form(HOUR, { bot: 'headless' })], null],
  ['a page view is no lead', 'leads', null, [{ ms: HOUR }], null],
  [
    'of one page, whatever its query',
    'leads',
    '/contact',
    [form(HOUR, { path: '/contact?from=card' })],
    HOUR,
  ],
  ['not of another page', 'leads', '/contact', [form(HOUR, { path: '/contact/us' })], null],
  ['a page is looked at', 'page_views', '/thanks', [{ ms: HOUR, path: '/thanks?n=7' }], HOUR],
  ['another page is not', 'page_views', '/thanks', [{ ms: HOUR, path: '/thank' }], null],
  [
    'what is done on it is not',
    'page_views',
    '/thanks',
    [{ type: 'order', ms: HOUR, path: '/thanks' }],
    null,
  ],
  ['an event of the site’s own', 'event:order', null, [{ type: 'order', ms: HOUR }], HOUR],
  ['not one of a longer name', 'event:order', null, [{ type: 'order_again', ms: HOUR }], null],
  ['an event of a page', 'event:order', '/cart', [{ type: 'order', ms: HOUR, path: '/' }], null],
  ['a purchase is no event', 'purchases', null, [{ type: 'purchases', ms: HOUR }], null],
];
test('what a browser does reaches the goal, once, within its days', async (t) => {
  for (const [what, of, path, did, when] of EVENTS)
    await t.test(`${of}: ${what}`, async () => {
      const [testId, visitorId, other] = [await makeTest(), randomUUID(), randomUUID()];
      await expose(testId, visitorId);
      await expose(testId, other);
      for (const one of did) await put(visitorId, one);
      await count(testId, of, path);
      assert.equal(await reached(testId, visitorId), when);
      assert.equal(await reached(testId, other), null, 'nobody else’s');
      await count(testId, of, path);
      assert.equal(await reached(testId, visitorId), when, 'counted again it stays');
    });
});

const TOLD: [what: string, of: string, told: Omit<Told, 'visitorId' | 'leadId'>[], at: number | null][] = [
  ['a purchase', 'purchases', [{ kind: 'purchase', ms: HOUR }], HOUR],
  ['a sign-up', 'signups', [{ kind: 'signup', ms: HOUR }], HOUR],
  ['an activation', 'activations', [{ kind: 'activation', ms: HOUR }], HOUR],
  ['of another kind', 'purchases', [{ kind: 'signup', ms: HOUR }], null],
  ['taken back', 'purchases', [{ kind: 'purchase', ms: HOUR, isVoided: true }], null],
  [
    'the first that was not taken back',
    'purchases',
    [
      { kind: 'purchase', ms: HOUR, isVoided: true },
      { kind: 'purchase', ms: 3 * HOUR },
      { kind: 'purchase', ms: 2 * HOUR },
    ],
    2 * HOUR,
  ],
  ['before the exposure', 'purchases', [{ kind: 'purchase', ms: -HOUR }], null],
  ['too late', 'purchases', [{ kind: 'purchase', ms: WITHIN_DAYS * DAY + 1 }], null],
];
test('what a server tells reaches the goal, of this browser or of the person who left an address in it', async (t) => {
  for (const [what, of, told, when] of TOLD)
    await t.test(`${of}: ${what}`, async () => {
      const testId = await makeTest();
      const [visitorId, person] = [randomUUID(), await known()];
      await expose(testId, visitorId);
      await expose(testId, person.visitorId);
      for (const one of told) {
        await tell({ ...one, visitorId });
        await tell({ ...one, leadId: person.leadId });
      }
      await count(testId, of);
      assert.deepEqual(
        [await reached(testId, visitorId), await reached(testId, person.visitorId)],
        [when, when],
      );
    });
});

test('a link that is a guess, was taken away or has ended makes nobody’s purchase another’s; one that is voided later is taken back', async () => {
  const testId = await makeTest();
  const people = [await known(), await known(), await known(), await known()];
  const [guessed, unlinked, voided, ended] = people as [
    (typeof people)[0],
    (typeof people)[0],
    (typeof people)[0],
    (typeof people)[0],
  ];
  for (const { visitorId } of people) await expose(testId, visitorId);
  await rows("update lead_identities set link_source = 'same_ip_ua_window' where visitor_id = $1", [
    guessed.visitorId,
  ]);
  await rows('update lead_identities set ended_at = $2 where visitor_id = $1', [
    ended.visitorId,
    at(HOUR - 1),
  ]);
  await rows('update lead_identities set unlinked_at = now() where visitor_id = $1', [unlinked.visitorId]);
  const ids = [];
  for (const { leadId } of people) ids.push(await tell({ kind: 'purchase', ms: HOUR, leadId }));
  const all = () => Promise.all(people.map(({ visitorId }) => reached(testId, visitorId)));
  await count(testId, 'purchases');
  assert.deepEqual(await all(), [null, null, HOUR, null]);
  await rows('update conversions set voided_at = now() where conversion_id = $1', [ids[2]]);
  await count(testId, 'purchases');
  assert.deepEqual(await all(), [null, null, null, null]);
  assert.equal(await reached(testId, voided.visitorId), null);
});

test('two days after its time is over nobody is looked at again', async () => {
  const testId = await makeTest();
  const visitorId = randomUUID();
  await expose(testId, visitorId, 'warm', new Date(Date.now() - (WITHIN_DAYS + 2) * DAY - HOUR));
  await put(visitorId, form(HOUR));
  await count(testId, 'leads');
  assert.equal(await reached(testId, visitorId), null);
});

test('the guards are of each arm: three quarters of layout shift and reaction, forms sent of forms begun, after the exposure', async () => {
  const testId = await makeTest();
  const inArm = (arm: string, n: number) =>
    Promise.all(
      Array.from({ length: n }, async () => {
        const visitorId = randomUUID();
        await expose(testId, visitorId, arm);
        return visitorId;
      }),
    );
  const [control, warm] = [await inArm('control', 5), await inArm('warm', 2)];
  const shifts = [0.02, 0.31, 0.07, 0.19, 0.11];
  const reactions = [80, 250, 120, 60, 400];
  for (const [n, visitorId] of control.entries()) {
    await put(visitorId, { ms: HOUR, cls: shifts[n]!, inp: reactions[n]! });
    // before the exposure, and of robots: of no arm
    await put(visitorId, { ms: -HOUR, cls: 9, inp: 9000 });
    await put(visitorId, { ms: HOUR, cls: 9, inp: 9000, bot: 'headless' });
    if (n < 4) await put(visitorId, { type: 'form_start', ms: HOUR });
    if (n < 4) await put(visitorId, { type: 'form_start', ms: 2 * HOUR });
    if (n < 1) await put(visitorId, form(2 * HOUR));
    if (n > 2) await put(visitorId, form(-2 * HOUR));
  }
  // more sent than begun: somebody whose beginning was not seen
  await put(warm[0]!, { type: 'form_start', ms: HOUR });
  for (const visitorId of warm) await put(visitorId, form(2 * HOUR));
  const p75 = (values: number[]) => {
    const sorted = values.toSorted((a, b) => a - b);
    const place = (sorted.length - 1) * 0.75;
    const below = sorted[Math.floor(place)]!;
    return below + (sorted[Math.ceil(place)]! - below) * (place % 1);
  };
  const guards = await inSites(server.database.app, siteId, (tx) => readGuards(tx, siteId, testId));
  // kept as single precision
  assert.ok(Math.abs(guards.cls.control! - p75(shifts)) < 1e-6, JSON.stringify(guards));
  assert.equal(guards.inp.control, p75(reactions));
  assert.deepEqual(guards.formCompletion, { control: 0.25, warm: 1 });
  assert.deepEqual([guards.cls.warm, guards.inp.warm], [null, null]);
});

test('a site’s pace is that of who could take part: browsers that keep an id, each once, and people who are known in one', async () => {
  const sent = [anon(), anon()].flatMap((anonId) => [
    makeEvent({ anonId, eventType: 'bake' }),
    makeEvent({ anonId, eventType: 'bake' }),
  ]);
  const { status } = await call(`${server.url}/v1/events`, 'POST', {
    events: [...sent, makeEvent({ anonId: undefined, eventType: 'bake' })],
  });
  assert.equal(status, 202);
  const visitors = await rows(
    `select distinct visitor_id, is_day_visitor from events join visitors using (site_id, visitor_id)
     where site_id = $1 and event_type = 'bake' order by is_day_visitor`,
    [siteId],
  );
  assert.deepEqual(
    visitors.map((one) => one.is_day_visitor),
    [false, false, true],
  );
  const of = (goal: string) =>
    inSites(server.database.app, siteId, (tx) =>
      goalsADay(tx, siteId, { of: goal, where: {}, withinDays: 7 } as Goal),
    );
  assert.equal(await of('event:bake'), 2 / 28);

  await rows("delete from conversions where kind = 'activation'");
  const told = { kind: 'activation', ms: HOUR };
  const someone = await known();
  await tell(told);
  await tell({ ...told, visitorId: visitors[2].visitor_id });
  assert.equal(await of('activations'), null);
  for (let n = 0; n < 2; n += 1) {
    await tell({ ...told, visitorId: visitors[0].visitor_id });
    await tell({ ...told, leadId: someone.leadId });
  }
  assert.equal(await of('activations'), 2 / 28);
  await rows("update visitors set bot_verdict = 'bot' where visitor_id = $1", [visitors[0].visitor_id]);
  assert.deepEqual([await of('activations'), await of('event:bake')], [1 / 28, 1 / 28]);
});
