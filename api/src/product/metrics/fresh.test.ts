// Freshness costs what is new, and is never another number: days counted on, visit by visit, under random traffic are to the
// byte what counting them whole makes of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { rollUp } from './rollup.ts';

const SEED = process.env.SEED ?? 'fresh';
const ROUNDS = Number(process.env.ROUNDS ?? 12);
const ZONES = { bakery: 'UTC', chandler: 'America/St_Johns', shepherd: 'Pacific/Chatham' };
const HOUR = 3_600_000;

let server: TestServer;
const sites: { key: string; siteId: string }[] = [];
before(async () => {
  server = await startServer({ SMTP_URL: 'smtp://127.0.0.1:9', MAIL_FROM: 'mail@marketing.example' });
  for (const [key, timeZone] of Object.entries(ZONES)) {
    const made = await call(`${server.url}/v1/sites`, 'POST', { key, settings: { timeZone } }, admin);
    sites.push({ key, siteId: made.body.site.siteId });
  }
  // anyone may wait for the next minute, not only who is still moving
  await rows(`create or replace function still_moving(for_site uuid, marks bigint[]) returns uuid[] language sql as $$
    select array_agg(v) filter (where random() < 0.5) from dirty_visits cross join lateral unnest(visitor_ids) v
    where site_id = for_site and mark_id = any (marks) $$`);
});
after(() => server.end());

const random = randomFrom(SEED);
const below = (n: number) => Math.floor(random() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const post = async (path: string, body: unknown, method = 'POST') => {
  const { status, body: answer } = await call(server.url + path, method, body, admin);
  assert.ok(status < 300 || status === 404 || status === 409, `${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
};

const TYPES = [
  'page_view',
  'page_view',
  'page_view',
  'cta_click',
  'form_start',
  'form_submit',
  'signup',
  'email_verify',
];
let events = 0;

/** A visit of up to eight events; some with a campaign, a form, words of their own, times of loading. */
function visit(visitor: string, from: number): Recorded[] {
  let at = from;
  const bot = random() < 0.07 ? { bot_reason: pick(['user_agent', 'prefetch']) } : {};
  return Array.from({ length: 1 + below(8) }, (_, n) => {
    at += below(15 * 60_000) + 1;
    events += 1;
    return {
      id: `${SEED} ${events}`,
      visitor,
      at: new Date(Math.min(at, Date.now())).toISOString(),
      received_at: new Date().toISOString(),
      type: pick(TYPES),
      path: pick(['/', '/bread', '/cake', `/loaf-${below(40)}`, `/${'long-'.repeat(120)}${below(3)}`]),
      source: n === 0 ? pick(['direct', 'social', 'email', 'referral']) : pick(['internal', 'carried']),
      country: pick(['CA', 'FR']),
      browser: pick(['Firefox', 'Safari']),
      ...(n === 0 || random() < 0.05 ? { referrer: `https://www.${pick(['a', 'b'])}.example/x` } : {}),
      ...(random() < 0.1
        ? { utm: { source: pick(['x', 'y']), medium: 'cpc', campaign: `c${below(4)}` } }
        : {}),
      ...(random() < 0.3 ? { engaged_ms: below(9000), ttfb_ms: below(900), cls_score: random() } : {}),
      ...(random() < 0.4
        ? {
            props: {
              formName: pick(['news', 'order']),
              [`word${below(30)}`]: below(5),
              ...(random() < 0.2 ? { role: 'search' } : {}),
            },
          }
        : {}),
      ...(random() < 0.05 ? { is_conversion: true } : {}),
      ...bot,
    };
  });
}

const visitorOf = () => `visitor-${below(40)}`;
const someone = () => `person${below(12)}@example.com`;

/** What happens at a site, each a kind of change that numbers must follow. */
const HAPPENINGS: ((site: { key: string; siteId: string }) => Promise<unknown>)[] = [
  ({ siteId }) => record(server.database.app, siteId, visit(visitorOf(), Date.now() - 20 * 60_000)),
  ({ siteId }) => record(server.database.app, siteId, visit(visitorOf(), Date.now() - below(3 * HOUR))),
  // late, of up to a day ago, in any order
  ({ siteId }) =>
    record(
      server.database.app,
      siteId,
      visit(visitorOf(), Date.now() - below(24 * HOUR)).sort(() => random() - 0.5),
      1 + below(3),
    ),
  ({ key, siteId }) =>
    post('/v1/admin/bots', {
      propertyId: key,
      visitorId: visitorIdOf(siteId, visitorOf()),
      bot: random() < 0.5,
      ...(random() < 0.3 ? { as: 'staff' } : {}),
    }),
  ({ key }) =>
    post('/v1/leads/capture', {
      email: someone(),
      anonId: visitorOf(),
      propertyId: key,
      formName: 'news',
      path: '/bread',
    }),
  // one that looks like spam waits; some are let through
  async ({ key }) => {
    await post('/v1/leads/capture', {
      email: someone(),
      anonId: visitorOf(),
      propertyId: key,
      payload: { message: '<a href="https://cheap.example">cheap</a>' },
    });
    const { quarantined } = await post(`/v1/admin/quarantine?propertyId=${key}`, undefined, 'GET');
    if (quarantined.length > 0 && random() < 0.6)
      await post(
        `/v1/admin/quarantine/${pick<{ quarantineId: string }>(quarantined).quarantineId}/release`,
        undefined,
      );
  },
  ({ key }) =>
    post('/v1/conversions', {
      id: `${key} ${events}`,
      kind: 'activation',
      email: someone(),
      propertyId: key,
    }),
  ({ key }) => post('/v1/identities/merge', { email: someone(), anonId: visitorOf(), propertyId: key }),
  async ({ key }) => {
    if (random() < 0.25) await post('/v1/leads/delete', { email: someone(), propertyId: key });
  },
  // the clock's own minute
  () => rollUp(server.database.app, { siteIds: sites.map(({ siteId }) => siteId), patient: true }),
  async ({ siteId }) => {
    if (random() < 0.1)
      await post(
        `/v1/sites/${siteId}`,
        { settings: { timeZone: pick(['Asia/Kolkata', 'America/Havana', 'UTC']) } },
        'PATCH',
      );
  },
];

const TABLES = [
  'daily_metric_rollups',
  'daily_ingest_rollups',
  'daily_breakdowns',
  'visitor_days',
  'visitor_returns',
  'conversions',
  'open_names',
  'lead_facts',
  'lead_touches',
  'lead_credits',
];

test(`days counted on are to the byte what a whole count makes, after every round (seed ${SEED})`, async () => {
  const siteIds = sites.map(({ siteId }) => siteId);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let n = 0; n < 20; n += 1) await pick(HAPPENINGS)(pick(sites));
    await post('/v1/admin/jobs/rollup', {});
    const { rows: left } = await inSites(server.database.app, siteIds, (db) =>
      db.query('select from dirty_visits'),
    );
    assert.equal(left.length, 0);
    await assert.rejects(
      inSites(server.database.app, siteIds, async (db) => {
        const told = async () => {
          const all: Record<string, string[]> = {};
          for (const table of TABLES) {
            const found = await db.query<{ row: string }>(`select t::text as row from ${table} t order by 1`);
            all[table] = found.rows.map(({ row }) => row);
          }
          return all;
        };
        const fresh = await told();
        const days = (
          await db.query<{ site_id: string; day: string }>('select site_id, day::text from rollup_state')
        ).rows;
        for (const { site_id, day } of days) await db.query('select roll_up_day($1, $2)', [site_id, day]);
        for (const siteId of siteIds) await db.query('select refresh_lead_facts($1, 100000)', [siteId]);
        const whole = await told();
        for (const table of TABLES) assert.deepEqual(fresh[table], whole[table], `${table}, round ${round}`);
        for (const { site_id, day } of days) {
          const { rows: apart } = await db.query('select * from compare_day($1, $2)', [site_id, day]);
          assert.deepEqual(apart, [], `${day}, round ${round}`);
        }
        throw new Error('nothing of this is kept');
      }),
      /nothing of this is kept/,
    );
  }
  const [{ visits }] = await rows('select count(*)::int as visits from visit_facts');
  assert.ok(visits > 5 * ROUNDS, `${visits} visits`);
});
