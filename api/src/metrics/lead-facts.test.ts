// The kept facts of leads are never older than the question: after any change, seen or not yet by a rollup, they are what
// their sources say; and whatever the filter, the leads behind a number are as many as the number.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../demo/traffic.ts';
import { idOf, record } from '../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../test/server.ts';
import { inSites } from '../db/transaction.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { addDays, dayOf } from '../lib/days.ts';
import { LEAD_FACTS } from './queries.ts';

const SEED = process.env.SEED ?? 'facts';
const random = randomFrom(SEED);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

let server: TestServer;
let siteId: string;
const TODAY = dayOf(Date.now());
const FROM = addDays(TODAY, -2);
const PEOPLE = Array.from({ length: 12 }, (_, n) => ({
  email: `person${n}@example.com`,
  anonId: `browser-${n}`,
}));
before(async () => {
  server = await startServer({ METRICS_SUMMARY_CACHE_TTL_MS: '0' });
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const post = async (path: string, body: unknown, wanted = [200]) => {
  const answer = await call(`${server.url}${path}`, 'POST', body, admin);
  assert.ok(wanted.includes(answer.status), `${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const rollUp = () => post('/v1/admin/jobs/rollup', {});
const rows = async (sql: string, values: unknown[] = [siteId]) =>
  (await server.database.owner.query(sql, values)).rows;

/** From the sources, in plain words: correlated questions a lead, nothing shared with the product's SQL. */
const TRUTH = `
  select l.lead_id::text, l.first_captured_at, l.first_source as source, l.first_utm ->> 'campaign' as campaign, l.domain_class,
    coalesce(l.verified_at, (select min(occurred_at) from conversions c where c.kind = 'email_verify' and c.occurred_at >= l.first_captured_at
      and (c.lead_id = l.lead_id or c.visitor_id in (select visitor_id from strong s where s.lead_id = l.lead_id)))) as verified_at,
    (select min(occurred_at) from conversions c where c.kind = 'signup' and c.occurred_at >= l.first_captured_at
      and (c.lead_id = l.lead_id or c.visitor_id in (select visitor_id from strong s where s.lead_id = l.lead_id))) as signed_up_at,
    (select min(occurred_at) from conversions c where c.kind = 'activation' and c.occurred_at >= l.first_captured_at
      and (c.lead_id = l.lead_id or c.visitor_id in (select visitor_id from strong s where s.lead_id = l.lead_id))) as activated_at,
    (select greatest(0, extract(epoch from l.first_captured_at - v.first_seen_at) / 3600)::float8 from visitors v where v.visitor_id = l.first_visitor_id
      and exists (select from strong s where s.lead_id = l.lead_id and s.visitor_id = v.visitor_id and s.link_source = 'form_submit')) as hours
  from leads l where l.site_id = $1 and l.imported_at is null order by l.lead_id`;
const truth = () =>
  rows(
    `with strong as (select * from lead_identities where site_id = $1 and unlinked_at is null and link_source <> 'same_ip_ua_window') ${TRUTH}`,
  );
const told = async (facts = LEAD_FACTS) =>
  (
    await inSites(server.database.app, siteId, (db) =>
      db.query(
        `select lead_id::text, first_captured_at, source, campaign, domain_class, verified_at, signed_up_at, activated_at, hours
         from (${facts}) facts order by lead_id`,
        [siteId, FROM, addDays(TODAY, 1)],
      ),
    )
  ).rows;

const STEPS: Record<string, () => Promise<unknown>> = {
  capture: () => {
    const { email, anonId } = pick(PEOPLE);
    return post('/v1/leads/capture', {
      email,
      anonId: random() < 0.8 ? anonId : pick(PEOPLE).anonId,
      ...(random() < 0.3
        ? { utm: { source: 'google', medium: 'cpc', campaign: pick(['spring', 'bread']) } }
        : {}),
    });
  },
  visit: () =>
    record(server.database.app, siteId, [
      {
        id: `visit ${random()}`,
        visitor: pick(PEOPLE).anonId,
        at: new Date(Date.now() - 1000).toISOString(),
        type: pick(['page_view', 'signup', 'email_verify']),
      },
    ]),
  // earlier than anything known of its visitor
  'late event': () =>
    record(server.database.app, siteId, [
      {
        id: `late ${random()}`,
        visitor: pick(PEOPLE).anonId,
        at: new Date(Date.now() - Math.floor(random() * 80_000_000)).toISOString(),
      },
    ]),
  'conversion by email': () =>
    post('/v1/conversions', {
      id: `c ${random()}`,
      kind: pick(['signup', 'activation', 'purchase']),
      email: pick(PEOPLE).email,
    }),
  'conversion by anonId': () =>
    post('/v1/conversions', {
      id: `c ${random()}`,
      kind: pick(['signup', 'activation']),
      anonId: pick(PEOPLE).anonId,
      occurredAt: new Date(Date.now() + Math.floor((random() - 0.3) * 3_600_000)).toISOString(),
    }),
  merge: async () => {
    const [lead] = await rows('select lead_id from leads where site_id = $1 and email = $2', [
      siteId,
      pick(PEOPLE).email,
    ]);
    if (lead)
      await post(
        '/v1/identities/merge',
        { leadId: lead.lead_id, visitorId: visitorIdOf(siteId, pick(PEOPLE).anonId) },
        [200, 201, 404],
      );
  },
  unmerge: async () => {
    const [link] = await rows(
      "select lead_id, visitor_id from lead_identities where site_id = $1 and link_source = 'manual_merge' and unlinked_at is null limit 1",
    );
    if (link) await post('/v1/identities/unmerge', { leadId: link.lead_id, visitorId: link.visitor_id });
  },
  verification: () =>
    rows('update leads set verified_at = now() where site_id = $1 and email = $2 and verified_at is null', [
      siteId,
      pick(PEOPLE).email,
    ]),
  verdict: () =>
    post('/v1/admin/bots', { visitorId: visitorIdOf(siteId, pick(PEOPLE).anonId), bot: random() < 0.5 }),
  erasure: () =>
    random() < 0.4 ? post('/v1/leads/delete', { email: pick(PEOPLE).email }, [200, 404]) : Promise.resolve(),
  rollup: rollUp,
};

test(`after whatever happens, the facts are what their sources say (seed ${SEED})`, async () => {
  const done = new Map<string, number>();
  for (let step = 0; step < 160; step += 1) {
    const name = step < 12 ? 'capture' : pick(Object.keys(STEPS));
    done.set(name, (done.get(name) ?? 0) + 1);
    await STEPS[name]!();
    assert.deepEqual(await told(), await truth(), `step ${step}: ${name}`);
  }
  assert.equal(done.size, Object.keys(STEPS).length);
  await rollUp();
  const kept = await told('select * from lead_facts where site_id = $1 and day between $2 and $3');
  assert.deepEqual(kept, await truth());
  assert.ok(kept.length > 3 && kept.some((fact) => fact.signed_up_at) && kept.some((fact) => fact.hours > 0));
  assert.deepEqual(await rows('select * from dirty_leads where site_id = $1'), []);
});

test('a rollup that changes nothing marks no lead, and one that runs twice writes the same facts', async () => {
  await rollUp();
  const before = await rows('select f.*, xmin::text from lead_facts f where site_id = $1 order by lead_id');
  await post('/v1/admin/jobs/rollup', { from: FROM, to: TODAY });
  assert.deepEqual(await rows('select * from dirty_leads where site_id = $1'), []);
  assert.deepEqual(
    await rows('select f.*, xmin::text from lead_facts f where site_id = $1 order by lead_id'),
    before,
  );
});

test('an erased person leaves neither facts nor marks', async () => {
  await STEPS.capture!();
  const [{ lead_id, email }] = await rows(
    'select lead_id, email from leads where site_id = $1 order by last_submitted_at desc limit 1',
  );
  await rollUp();
  await post('/v1/conversions', { id: 'just before', kind: 'signup', email });
  await post('/v1/leads/delete', { email });
  for (const table of ['lead_facts', 'dirty_leads'])
    assert.deepEqual(await rows(`select * from ${table} where lead_id = $1`, [lead_id]), []);
});

test('an imported lead has no facts', async () => {
  await rows(
    `insert into leads (site_id, lead_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, unsubscribe_key, imported_at)
     values ($1, $2, 'old@example.com', 'old@example.com', 'example.com', now(), now(), 'old', now())`,
    [siteId, idOf('imported')],
  );
  await rollUp();
  assert.deepEqual(await told(), await truth());
  assert.deepEqual(await rows('select * from lead_facts where lead_id = $1', [idOf('imported')]), []);
});
