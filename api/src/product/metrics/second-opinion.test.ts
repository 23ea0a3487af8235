// A second opinion: the numbers computed again from the events as they were made up, slowly and obviously, in another
// language than the product's SQL; they must agree with the API for hundreds of random windows.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomOf } from '../../../demo/traffic.ts';
import { partitions, type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES } from '../../features.ts';
import { addDays, eachDay } from '../../ground/lib/days.ts';
import { alarmsIn } from '../../operations/alerts/rules.ts';
import { visitorIdOf } from '../events/enrich.ts';

const SEED = Number(process.env.SEED ?? 20240229);
const FIRST = '2024-02-12'; // a leap day inside, so that a day too many or too few shows
const DAYS = 40;
const WINDOWS = Number(process.env.WINDOWS ?? 100);
/** A site in each: half hours, quarters, days of 23 and 25 hours (St John's and Casablanca in March), a midnight that is not there (Havana). */
const ZONES = {
  bakery: 'UTC',
  florist: 'Asia/Kolkata',
  chandler: 'America/St_Johns',
  shepherd: 'Pacific/Chatham',
  tanner: 'Africa/Casablanca',
  cigarmaker: 'America/Havana',
};

const random = randomOf(SEED);
const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!;
const SOURCES = ['direct', 'organic_search', 'paid_search', 'social', 'email', 'referral'];

const FORMS = ['news', 'order'].flatMap((formName) => [{ formName, role: 'lead' }, { formName }]);

interface Made extends Recorded {
  ms: number;
  /** Without an id of its own: who it is changes at midnight UTC, unless a visit goes on. `visitor` is who it is in the end. */
  isDay: boolean;
  /** By the calendar of its site's zone. */
  day: string;
}

/** The local calendar and clock, by the time zone data of Node, not of PostgreSQL. */
function calendarOf(zone: string): (ms: number) => { day: string; sinceMidnightMs: number } {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return (ms) => {
    const [day = '', time = ''] = format.format(ms).split(' ');
    return { day, sinceMidnightMs: Date.parse(`1970-01-01T${time}Z`) };
  };
}

/** Visits of some visitors over the days: breaks, borders at midnight, bots, forms, flags. */
function makeUp(site: string, zone: string): Made[] {
  const made: Made[] = [];
  const local = calendarOf(zone);
  const noon = Date.parse(`${FIRST}T12:00:00Z`);
  const start = noon - local(noon).sinceMidnightMs; // about midnight there
  for (let v = 0; v < 45; v += 1) {
    const visitor = `${site} visitor ${v}`;
    const isBot = v % 11 === 0;
    const isDay = v % 3 === 1 && !isBot;
    const own: Made[] = [];
    for (let visit = 0; visit < 1 + Math.floor(random() * 5); visit += 1) {
      // every third visit begins within the hour before midnight
      const day = Math.floor(random() * (DAYS - 1));
      let at =
        start + day * 86_400_000 + (random() < 0.33 ? 82_800_000 : 0) + Math.floor(random() * 3_600_000);
      const source = pick(SOURCES);
      for (let n = 0; n < 1 + Math.floor(random() * 6); n += 1) {
        const type = pick(['page_view', 'page_view', 'page_view', 'cta_click', 'form_start', 'form_submit']);
        own.push({
          id: `${site} ${made.length + own.length}`,
          isDay,
          visitor,
          at: new Date(at).toISOString(),
          ms: at,
          day: local(at).day,
          type,
          path: pick(['/', '/bread', '/cake', '/order']),
          source: n === 0 ? source : 'internal',
          // some forms are searches: they are no lead's
          ...(type.startsWith('form')
            ? { props: pick<Record<string, string>>([...FORMS, { formName: 'find', role: 'search' }]) }
            : {}),
          ...(type === 'page_view' && random() < 0.3 ? { engaged_ms: Math.floor(random() * 12_000) } : {}),
          ...(isBot || (random() < 0.03 && !isDay) ? { bot_reason: pick(['user_agent', 'declared']) } : {}),
          ...(random() < 0.04 ? { is_conversion: true } : {}),
        });
        // mostly minutes; sometimes a silence on either side of the half hour
        at +=
          random() < 0.2
            ? pick([1_799_000, 1_800_000, 1_800_001, 5_400_000])
            : Math.floor(random() * 900_000);
      }
    }
    made.push(...(isDay ? byDays(own) : own));
  }
  return made;
}

const utcDay = (ms: number) => new Date(ms).toISOString().slice(0, 10);
const onDay = ({ visitor }: Made, ms: number) => `${visitor.replace(/ on .*/, '')} on ${utcDay(ms)}`;

/** Who each is by the contract: another one every UTC day, but whoever was active within the half hour goes on. */
function byDays(events: Made[]): Made[] {
  const seen = new Map<string, number>();
  return [...events]
    .sort((a, b) => a.ms - b.ms)
    .map((event) => {
      const yesterday = onDay(event, event.ms - 86_400_000);
      const goesOn = (seen.get(yesterday) ?? Number.NEGATIVE_INFINITY) >= event.ms - 1_800_000;
      const visitor = goesOn ? yesterday : onDay(event, event.ms);
      seen.set(visitor, event.ms);
      return { ...event, visitor };
    });
}

/** As the door makes it: who it would be today, and shortly after midnight who it was yesterday. */
const sent = (siteId: string, event: Made): Recorded =>
  event.isDay
    ? {
        ...event,
        visitor: onDay(event, event.ms),
        is_day_visitor: true,
        // asked for six hours
        ...(event.ms % 86_400_000 < 21_600_000
          ? { day_before: visitorIdOf(siteId, onDay(event, event.ms - 86_400_000)) }
          : {}),
      }
    : event;

interface Visit {
  visitor: string;
  events: Made[];
  source: string;
}

/**
 * Sessions by the contract: silence of more than 30 minutes ends one, counting what humans did; a visit without a source
 * of its own has that of the visit before.
 */
function visitsOf(events: Made[]): Visit[] {
  const visits: Visit[] = [];
  for (const visitor of new Set(events.map((event) => event.visitor))) {
    const own = events
      .filter((event) => event.visitor === visitor && !event.bot_reason)
      .sort((a, b) => a.ms - b.ms);
    let current: Visit | null = null;
    let cameFrom = 'direct';
    for (const event of own) {
      if (!current || event.ms - current.events.at(-1)!.ms > 1_800_000) {
        if (event.source !== 'internal') cameFrom = event.source!;
        current = { visitor, events: [], source: cameFrom };
        visits.push(current);
      }
      current.events.push(event);
    }
  }
  return visits;
}

const isOfLeadForm = (event: Made) =>
  /^form_/.test(event.type!) && !['search', 'signin'].includes(`${event.props?.role}`);
const isLeads = (event: Made) => event.type === 'form_submit' && isOfLeadForm(event);
const attentionOf = (events: Made[]) => events.reduce((sum, event) => sum + (event.engaged_ms ?? 0), 0);

function opinion(events: Made[], visits: Visit[], from: string, to: string) {
  const inside = ({ day }: Made) => day >= from && day <= to;
  const human = events.filter((event) => !event.bot_reason);
  const seen = new Set(human.filter(inside).map((event) => event.visitor));
  const dayVisitors = new Set(
    human.filter((event) => inside(event) && event.isDay).map((event) => event.visitor),
  );
  const known = seen.size - dayVisitors.size; // with an id of their own: nobody can know more of the others
  const earlier = new Set(human.filter((event) => event.day < from).map((event) => event.visitor));
  const sessions = visits.filter((visit) => inside(visit.events[0]!));
  const entered = sessions.filter((visit) => visit.events.some((event) => event.type === 'page_view'));
  const converted = entered.filter((visit) => {
    const entrance = visit.events.find((event) => event.type === 'page_view')!;
    return visit.events.some((event) => event.ms >= entrance.ms && (isLeads(event) || event.is_conversion));
  });
  const bounced = entered.filter(
    ({ events: own }) =>
      own.filter((event) => event.type === 'page_view').length === 1 &&
      attentionOf(own) < 10_000 &&
      own.every((event) => event.type === 'page_view' && !event.is_conversion),
  );
  let started = 0;
  let submitted = 0;
  for (const visit of sessions)
    for (const form of ['news', 'order', 'find']) {
      const of = visit.events.filter((event) => event.props?.formName === form && isOfLeadForm(event));
      if (of.length > 0) started += 1;
      if (of.some(isLeads)) submitted += 1;
    }
  const mix: Record<string, number> = {};
  for (const visit of sessions) {
    mix[visit.source] = (mix[visit.source] ?? 0) + 1;
  }
  const ratio = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return {
    uniqueVisitors: seen.size,
    returningVisitorsPct: ratio(
      [...seen].filter((visitor) => earlier.has(visitor) && !dayVisitors.has(visitor)).length,
      known,
    ),
    dayVisitors: dayVisitors.size,
    uniquesMethod: dayVisitors.size > 0 ? 'with_day_visitors' : 'exact',
    totalPageViews: human.filter((event) => inside(event) && event.type === 'page_view').length,
    sessions: sessions.length,
    landingPageConversionRate: ratio(converted.length, entered.length),
    formCompletionRate: ratio(submitted, started),
    pagesPerSession: ratio(
      human.filter((event) => inside(event) && event.type === 'page_view').length,
      sessions.length,
    ),
    bounceRate: ratio(bounced.length, entered.length),
    avgEngagedSeconds: ratio(
      entered.reduce((sum, visit) => sum + attentionOf(visit.events), 0) / 1000,
      entered.length,
    ),
    trafficSourceMix: Object.fromEntries(
      Object.entries(mix).map(([source, count]) => [source, count / sessions.length]),
    ),
    botEvents: events.filter((event) => inside(event) && event.bot_reason).length,
  };
}

let server: TestServer;
const sites: { key: string; siteId: string; events: Made[]; visits: Visit[] }[] = [];

const shuffled = <T>(list: T[]): T[] =>
  list
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);

before(async () => {
  server = await startServer();
  await partitions(server.database.owner, addDays(FIRST, -2), addDays(FIRST, DAYS + 2));
  for (const [key, timeZone] of Object.entries(ZONES)) {
    const { body } = await call(`${server.url}/v1/sites`, 'POST', { key, settings: { timeZone } }, admin);
    const events = makeUp(key, timeZone);
    sites.push({ key, siteId: body.site.siteId, events, visits: visitsOf(events) });
  }
  // Mostly in order; some days late and shuffled, after their neighbours were rolled up already; some sent twice.
  for (const { siteId, events } of sites) {
    // of those without an id only afternoons: whether a visit goes on past midnight is seen when its next event comes, not later
    const mayBeLate = ({ isDay, ms }: Made) =>
      !isDay || (ms % 86_400_000 > 43_200_000 && ms % 86_400_000 < 82_800_000);
    const late = new Set(shuffled(events.filter(mayBeLate)).slice(0, events.length / 5));
    const punctual = events.filter((event) => !late.has(event)).sort((a, b) => a.ms - b.ms);
    const send = (list: Made[]) =>
      record(
        server.database.app,
        siteId,
        list.map((event) => sent(siteId, event)),
      );
    await send(punctual);
    await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
    for (const event of shuffled([...late, ...shuffled(events).slice(0, 60)])) await send([event]);
  }
  const { body } = await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  assert.equal(body.run?.state, 'succeeded', JSON.stringify(body));
});
after(() => server.end());

test(`a second opinion agrees in ${WINDOWS} random windows of six zones (seed ${SEED})`, async () => {
  for (let n = 0; n < WINDOWS; n += 1) {
    const { key, events, visits } = pick(sites);
    const from = addDays(FIRST, Math.floor(random() * (DAYS + 4)) - 3);
    const to = addDays(from, Math.floor(random() * (random() < 0.5 ? 4 : DAYS)));
    const { status, body } = await call(
      `${server.url}/v1/metrics/summary?from=${from}&to=${to}&propertyId=${key}`,
      'GET',
      undefined,
      admin,
    );
    assert.equal(status, 200);
    assert.equal(body.timeZone, ZONES[key as keyof typeof ZONES]);
    const { trafficSourceMix, ...metrics } = body.metrics;
    const told = {
      ...Object.fromEntries(
        Object.entries(metrics).map(([name, each]) => [name, (each as { value: number | null }).value]),
      ),
      trafficSourceMix,
      botEvents: body.quality.botEvents,
      dayVisitors: body.quality.dayVisitors,
      uniquesMethod: body.quality.uniquesMethod,
    } as Record<string, unknown>;
    for (const [name, value] of Object.entries(opinion(events, visits, from, to)))
      assert.deepEqual(told[name], value, `${key} ${from} … ${to}: ${name}`);
  }
});

const ROLLUPS = [
  'daily_metric_rollups',
  'daily_ingest_rollups',
  'daily_breakdowns',
  'visitor_days',
  'visitor_returns',
  'conversions',
];
async function bytes(): Promise<string> {
  const all = [];
  for (const table of ROLLUPS)
    all.push(
      (
        await server.database.owner.query(
          `select md5(coalesce(string_agg(r::text, e'\\n' order by r::text), '')) as sum from ${table} r`,
        )
      ).rows[0].sum,
    );
  return all.join(' ');
}

test('rolled up twice, in any order, the rows are the same to the byte', async () => {
  const range = { from: FIRST, to: addDays(FIRST, DAYS) };
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', range, admin);
  const once = await bytes();
  for (const day of shuffled(eachDay(FIRST, addDays(FIRST, DAYS))))
    await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', { from: day, to: day }, admin);
  assert.equal(await bytes(), once);
});

test('the nightly comparison of raw rows with rollups finds nothing, and finds a falsified number', async () => {
  const range = { from: FIRST, to: addDays(FIRST, DAYS) };
  const clean = await call(`${server.url}/v1/admin/jobs/discrepancy`, 'POST', range, admin);
  assert.ok(clean.body.run.result.daysCompared >= 2 * (DAYS - 2));
  assert.deepEqual(clean.body.run.result.differences, []);
  const day = addDays(FIRST, 7);
  await server.database.owner.query(
    'update daily_metric_rollups set page_views = page_views + 1 where day = $1 and site_id = $2',
    [day, sites[0]!.siteId],
  );
  const found = await call(`${server.url}/v1/admin/jobs/discrepancy`, 'POST', range, admin);
  assert.equal(found.body.run.result.discrepancies, 1);
  assert.equal(found.body.run.result.differences[0].number, 'page_views');
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', { from: day, to: day }, admin);
});

test('the ledger balances for every site and day; a missing count is found, kept in the table of runs and an alarm', async () => {
  const run = async (options = {}) =>
    (await call(`${server.url}/v1/admin/jobs/ledger`, 'POST', options, admin)).body.run.result;
  const clean = await run();
  assert.deepEqual([clean.days >= 2 * (DAYS - 2), clean.imbalances, clean.unbalanced], [true, 0, []]);
  // longer ago than the status page looks by itself
  const day = addDays(FIRST, 7);
  const lose = (by: number) =>
    server.database.owner.query(
      // in one of its slots
      `update ingest_ledger set count = count + $3 where site_id = $1 and day = $2 and outcome = 'received'
         and slot = (select min(slot) from ingest_ledger where site_id = $1 and day = $2 and outcome = 'received')`,
      [sites[0]!.siteId, day, by],
    );
  await lose(-1);
  const found = await run({ from: FIRST, to: addDays(FIRST, DAYS) });
  assert.equal(found.imbalances, 1);
  const { received, accepted, duplicate, rejected, ...where } = found.unbalanced[0];
  assert.deepEqual(where, { siteId: sites[0]!.siteId, day });
  assert.equal(received, accepted + duplicate + rejected - 1);
  const status = await server.services.status();
  assert.ok(
    alarmsIn(
      status,
      FEATURES.flatMap((feature) => feature.readings ?? []),
    ).some(({ id }) => id === 'ledger'),
  );
  const { body } = await call(`${server.url}/v1/admin/jobs/ledger`, 'GET', undefined, admin);
  assert.deepEqual(
    body.runs.map((each: { result: { imbalances: number } }) => each.result.imbalances),
    [1, 0],
  );
  await lose(1);
  assert.equal((await run()).imbalances, 0);
});

test('a changed verdict takes a visitor out of every day and brings them back', async () => {
  const once = await bytes();
  const { siteId } = sites[0]!;
  const change = async (reason: string | null) => {
    await server.database.owner.query(
      `with judged as (update events set bot_reason = $2 where site_id = $1 and visitor_id = (
         select visitor_id from visitor_days where site_id = $1 group by 1 order by count(*) desc, 1 limit 1)
         and bot_reason is not distinct from $3 returning occurred_at)
       insert into dirty_days (site_id, day, cause) select distinct $1::uuid, occurred_at::date, 'verdict' from judged`,
      [siteId, reason, reason === null ? 'judged' : null],
    );
    await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  };
  const visitor = (
    await server.database.owner.query(
      'select visitor_id from visitor_days where site_id = $1 group by 1 order by count(*) desc, 1 limit 1',
      [siteId],
    )
  ).rows[0].visitor_id;
  await change('judged');
  assert.notEqual(await bytes(), once);
  const left = await server.database.owner.query('select from visitor_days where visitor_id = $1', [visitor]);
  assert.equal(left.rowCount, 0);
  await server.database.owner.query(
    `with judged as (update events set bot_reason = null where bot_reason = 'judged' returning site_id, occurred_at)
     insert into dirty_days (site_id, day, cause) select distinct site_id, occurred_at::date, 'verdict' from judged`,
  );
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  assert.equal(await bytes(), once);
});
