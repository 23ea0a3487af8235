// The kept facts of leads are never older than the question: after any change, seen or not yet by a rollup, they are what
// their sources say; and whatever the filter, the leads behind a number are as many as the number.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { leadSteps, PEOPLE } from '../../../test/lead-steps.ts';
import { idOf, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { LEAD_FACTS } from './reports/queries.ts';

const SEED = process.env.SEED ?? 'facts';
const random = randomFrom(SEED);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;

let server: TestServer;
let siteId: string;
let { STEPS, post, rollUp, rows } = {} as ReturnType<typeof leadSteps>;
// the day of the start: what is asked of it reaches a day further, so midnight may come in between
const TODAY = dayOf(Date.now());
const FROM = addDays(TODAY, -2);
before(async () => {
  server = await startServer({ METRICS_SUMMARY_CACHE_TTL_MS: '0' });
  siteId = server.services.sites.fallback().siteId;
  ({ STEPS, post, rollUp, rows } = leadSteps(server, siteId, random));
  STEPS['visit under a signal'] = () =>
    record(server.database.app, siteId, [
      {
        id: `signal ${random()}`,
        visitor: pick(PEOPLE).anonId,
        at: new Date(Date.now() - Math.floor(random() * 80_000_000)).toISOString(),
        privacy_signal: true,
      },
    ]);
});
after(() => server.end());

/** What people did, and whether the visit it belongs to began under Global Privacy Control: such a one is tied to nobody. */
const DONE = `done as (
    select visitor_id, session_id, occurred_at, occurred_at = min(occurred_at) over (partition by visitor_id) as is_first,
      first_value(privacy_signal) over (partition by session_id order by occurred_at, event_id) as under_signal
    from events where site_id = $1 and bot_reason is null)`;
/** From the sources, in plain words: correlated questions a lead, nothing shared with the product's SQL. */
const TRUTH = `
  select l.lead_id::text, l.at as first_captured_at, l.first_source as source, l.first_utm ->> 'campaign' as campaign, l.domain_class,
    coalesce(l.verified_at, (select min(occurred_at) from theirs t where t.lead_id = l.lead_id and t.kind = 'email_verify' and t.occurred_at >= l.at)) as verified_at,
    (select min(occurred_at) from theirs t where t.lead_id = l.lead_id and t.kind = 'signup' and t.occurred_at >= l.at - interval '10 min') as signed_up_at,
    (select min(occurred_at) from theirs t where t.lead_id = l.lead_id and t.kind = 'activation' and t.occurred_at >= l.at - interval '10 min') as activated_at,
    (select case when count(*) > 0 then greatest(0, extract(epoch from l.at - min(e.occurred_at)) / 3600)::float8 end from done e
      where e.visitor_id = l.first_visitor_id and not e.under_signal and (e.is_first or e.occurred_at <= l.at)
      and exists (select from strong s where s.lead_id = l.lead_id and s.visitor_id = e.visitor_id and s.link_source = 'form_submit')) as hours
  from captured l order by l.lead_id`;
const truth = () =>
  rows(
    `with captured as (
       select l.*, case when imported_at is null then first_captured_at
         else (select min(submitted_at) from submissions s where s.lead_id = l.lead_id) end as at
       from leads l where l.site_id = $1 and (imported_at is null or exists (select from submissions s where s.lead_id = l.lead_id))
     ), strong as (
       select i.*, case when i.link_source = 'form_submit' then i.linked_at else c.at end as since
       from lead_identities i left join captured c using (lead_id)
       where i.site_id = $1 and i.unlinked_at is null and i.link_source <> 'same_ip_ua_window'
     ), theirs as (
       select c.kind, c.occurred_at, coalesce(c.lead_id, (
         select s.lead_id from strong s where c.email_hash is null and s.visitor_id = c.visitor_id and s.since <= c.occurred_at + interval '10 min'
         order by abs(extract(epoch from c.occurred_at - s.since)), s.lead_id limit 1)) as lead_id
       from conversions c where c.site_id = $1 and c.voided_at is null
     ), ${DONE} ${TRUTH}`,
  );
/** Likewise what each is credited to: the human sessions of its browsers. */
const touchesInTruth = () =>
  rows(
    `with ${DONE} select distinct i.lead_id::text, s.session_id::text, s.started_at, s.source from lead_facts f
     join lead_identities i using (site_id, lead_id) join sessions s using (site_id, visitor_id)
     where f.site_id = $1 and i.unlinked_at is null and i.link_source <> 'same_ip_ua_window' and s.source <> 'internal'
       and exists (select from done e where e.session_id = s.session_id and not e.under_signal)
     order by 1, 2`,
  );
const touchesKept = () =>
  rows(
    'select lead_id::text, session_id::text, started_at, source from lead_touches where site_id = $1 order by 1, 2',
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

test(`after whatever happens, the facts are what their sources say (seed ${SEED})`, async () => {
  const done = new Map<string, number>();
  for (let step = 0; step < 160; step += 1) {
    const name = step < 12 ? 'capture' : pick(Object.keys(STEPS));
    done.set(name, (done.get(name) ?? 0) + 1);
    await STEPS[name]!();
    assert.deepEqual(await told(), await truth(), `step ${step}: ${name}`);
    if (name === 'rollup') assert.deepEqual(await touchesKept(), await touchesInTruth(), `step ${step}`);
  }
  assert.equal(done.size, Object.keys(STEPS).length);
  await rollUp();
  const kept = await told('select * from lead_facts where site_id = $1 and day between $2 and $3');
  assert.deepEqual(kept, await truth());
  assert.deepEqual(await touchesKept(), await touchesInTruth());
  assert.ok(kept.length > 3 && kept.some((fact) => fact.signed_up_at) && kept.some((fact) => fact.hours > 0));
  assert.deepEqual(await rows('select * from dirty_leads where site_id = $1'), []);
});

test('a rollup that changes nothing marks no lead, and one that runs twice writes the same facts', async () => {
  await rollUp();
  const before = await rows('select f.*, xmin::text from lead_facts f where site_id = $1 order by lead_id');
  await post('/v1/admin/jobs/rollup', { from: FROM, to: addDays(TODAY, 1) });
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
  for (const table of ['lead_facts', 'lead_touches', 'dirty_leads'])
    assert.deepEqual(await rows(`select * from ${table} where lead_id = $1`, [lead_id]), []);
});

test('captures, erasures, links and rollups at the same moment wait for each other, and never for ever', async () => {
  let stop = false;
  const untilDone = async (work: () => Promise<unknown>) => {
    while (!stop) await work();
  };
  const refreshing = untilDone(() =>
    inSites(server.database.app, siteId, (db) => db.query('select refresh_lead_facts($1, 5)', [siteId])),
  );
  const people = Array.from({ length: 3 }, (_, n) => PEOPLE[n]!);
  await Promise.all(
    people.flatMap(({ email, anonId }) =>
      [
        () => post('/v1/leads/capture', { email, anonId }),
        () => post('/v1/leads/delete', { email }, [200, 404]),
        () => post('/v1/conversions', { id: crypto.randomUUID(), kind: 'signup', email }),
      ].map(async (work) => {
        for (let round = 0; round < 25; round += 1) await work();
      }),
    ),
  );
  stop = true;
  await refreshing;
  assert.deepEqual(await told(), await truth());
  await rollUp();
  assert.deepEqual(
    await told('select * from lead_facts where site_id = $1 and day between $2 and $3'),
    await truth(),
  );
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

test(`from any aggregate to its leads the sums are equal, for random windows and filters (seed ${SEED})`, async () => {
  const start = addDays(TODAY, -60);
  const at = (day: number) =>
    `${addDays(start, day)}T${String(Math.floor(random() * 24)).padStart(2, '0')}:15:00.000Z`;
  const leads = Array.from({ length: 250 }, (_, n) => {
    const day = Math.floor(random() * 50);
    const captured = at(day);
    const later = () =>
      random() < 0.4 ? new Date(Date.parse(captured) + random() * 40 * 86_400_000).toISOString() : null;
    return {
      lead_id: idOf(`drill ${n}`),
      email: `drill${n}@example.com`,
      domain_class: pick(['free_mail', 'business', 'disposable']),
      captured,
      source: pick(['direct', 'email', 'paid_search', 'social']),
      // one campaign under several media, one name in two spellings, and a campaign without source or medium
      utm: pick([
        null,
        { source: 'google', medium: 'cpc', campaign: 'spring' },
        { source: 'Google', medium: 'cpc', campaign: 'Spring' },
        { source: 'google', medium: 'display', campaign: 'spring' },
        { source: 'facebook', medium: 'paid', campaign: 'spring' },
        { campaign: 'spring' },
        { source: 'google', medium: 'cpc' },
      ]),
      verified_at: later(),
      signed_up_at: later(),
      activated_at: later(),
      visitor_id: random() < 0.5 ? visitorIdOf(siteId, pick(PEOPLE).anonId) : null,
    };
  });
  await rows(
    `with told as (
       select * from json_to_recordset($2) as l (lead_id uuid, email text, domain_class text, captured timestamptz, source text, utm jsonb,
         verified_at timestamptz, signed_up_at timestamptz, activated_at timestamptz, visitor_id uuid)
     ), stored as (
       insert into leads (site_id, lead_id, email, email_normalized, email_domain, domain_class, first_captured_at, last_submitted_at, first_source,
         first_utm, verified_at, first_visitor_id, unsubscribe_key)
       select $1, lead_id, email, email, 'example.com', domain_class, captured, captured, source, utm, verified_at, visitor_id, email from told
     ), linked as (
       insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
       select $1, lead_id, visitor_id, 'form_submit', 1, captured from told where visitor_id is not null
     )
     insert into conversions (site_id, conversion_id, kind, origin, lead_id, occurred_at)
     select $1, kind || lead_id, kind, 'server', lead_id, happened from told
     cross join lateral (values ('signup', signed_up_at), ('activation', activated_at)) as c (kind, happened) where happened is not null`,
    [siteId, JSON.stringify(leads)],
  );
  for (const [source, campaign] of [
    ['google', 'spring'],
    ['google', ''],
    ['facebook', 'spring'],
  ])
    await post('/v1/ad-spend', {
      rows: [{ day: addDays(start, 20), source, campaign, amount: 10, currency: 'CAD' }],
    });

  const get = async (path: string, query: Record<string, unknown>) => {
    const asked = new URLSearchParams(
      Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)])),
    );
    const { status, body } = await call(`${server.url}/v1/metrics/${path}?${asked}`, 'GET', undefined, admin);
    assert.equal(status, 200, `${path}?${asked} ${JSON.stringify(body)}`);
    return body;
  };
  // Two windows are asked while all facts are marked, the others once they are kept.
  for (let round = 0; round < 8; round += 1) {
    if (round === 2) await rollUp();
    const from = addDays(start, Math.floor(random() * 45));
    const to = addDays(from, Math.floor(random() * 25));
    const filter: Record<string, unknown> = {};
    if (random() < 0.5) filter.source = pick(['direct', 'email', 'paid_search', 'social']);
    if (random() < 0.3) filter.campaign = pick(['spring', 'Spring', 'nothing']);
    if (random() < 0.3) filter.domainClass = pick(['free_mail', 'business', 'disposable']);
    for (const flag of ['verified', 'signedUp', 'activated', 'timed'])
      if (random() < 0.25) filter[flag] = pick(['yes', 'no']);
    const about = `round ${round} ${from} ${to} ${JSON.stringify(filter)}`;
    const behind = async (more: Record<string, unknown> = {}) =>
      get('leads', { from, to, limit: 1000, ...more });
    const count = async (more: Record<string, unknown> = {}) => (await behind(more)).total as number;

    // a filter's leads are those of the made-up list, and any other filter splits them without a rest
    const whole = await behind(filter);
    assert.equal(whole.total, whole.leads.length, about);
    const sums: [string, number][] = [];
    for (const flag of ['verified', 'signedUp', 'activated', 'timed'].filter((name) => !(name in filter)))
      sums.push([
        flag,
        (await count({ ...filter, [flag]: 'yes' })) + (await count({ ...filter, [flag]: 'no' })),
      ]);
    for (const [name, values] of [
      ['source', ['direct', 'email', 'paid_search', 'social']],
      ['domainClass', ['free_mail', 'business', 'disposable']],
    ] as const)
      if (!(name in filter)) {
        let sum = 0;
        for (const value of values) sum += await count({ ...filter, [name]: value });
        sums.push([name, sum]);
      }
    for (const [name, sum] of sums) assert.equal(sum, whole.total, `${about} by ${name}`);

    const { totals, metrics } = await get('summary', { from, to });
    assert.equal(totals.leads, await count(), about);
    assert.equal(totals.leadsVerified, await count({ verified: 1 }), about);
    assert.equal(totals.leadsSignedUp, await count({ signedUp: 1 }), about);
    assert.equal(totals.leadsActivated, await count({ activated: 1 }), about);
    const timed = await behind({ timed: 'yes' });
    assert.equal(totals.leadsTimed, timed.total, about);
    const mean =
      timed.leads.reduce(
        (sum: number, lead: { hoursToFirstCapture: number }) => sum + lead.hoursToFirstCapture,
        0,
      ) / timed.total;
    assert.equal(
      metrics.avgTimeToFirstCaptureHrs.value?.toFixed(6),
      timed.total === 0 ? undefined : mean.toFixed(6),
      about,
    );
    assert.equal(
      totals.leads,
      leads.filter((lead) => lead.captured.slice(0, 10) >= from && lead.captured.slice(0, 10) <= to).length +
        (
          await rows(
            "select from leads where site_id = $1 and imported_at is null and email like 'person%' and (first_captured_at at time zone 'UTC')::date between $2 and $3",
            [siteId, from, to],
          )
        ).length,
      about,
    );

    const sources = await get('breakdown', { from, to, by: 'sources', limit: 1000 });
    assert.equal(sources.totals.leads, totals.leads, about);
    for (const row of sources.rows)
      assert.equal(row.leads, await count({ source: row.name }), `${about} ${row.name}`);
    const campaigns = await get('breakdown', { from, to, by: 'campaigns', limit: 1000 });
    for (const row of campaigns.rows)
      assert.equal(
        row.leads,
        await count({ campaign: row.name, detail: row.detail }),
        `${about} ${row.name} ${row.detail}`,
      );
    const spend = await get('breakdown', { from, to, by: 'spend' });
    for (const row of spend.rows)
      assert.equal(
        row.leads,
        await count({ paidSource: row.source, ...(row.campaign ? { paidCampaign: row.campaign } : {}) }),
        `${about} ${row.source} ${row.campaign}`,
      );
    const { domains } = await get('quality', { from, to });
    for (const [domainClass, number] of Object.entries(domains.byClass))
      assert.equal(number, await count({ domainClass }), about);
    for (const interval of ['day', 'week', 'month'])
      for (const each of pickSome((await get('timeseries', { from, to, interval })).series, 2)) {
        const own = { from: each.from, to: each.to };
        assert.equal(each.newLeads, await count(own), `${about} ${each.from}`);
        assert.equal(each.leadsVerified, await count({ ...own, verified: 1 }), `${about} ${each.from}`);
        assert.equal(each.leadsSignedUp, await count({ ...own, signedUp: 1 }), `${about} ${each.from}`);
      }
    for (const each of pickSome((await get('cohorts', { from, to, weeks: 8 })).cohorts, 3)) {
      const sunday = addDays(each.week, 6);
      const own = {
        from: [each.week, from].sort()[1],
        to: [sunday, to].sort()[0],
        source: each.source,
      };
      assert.equal(each.captured, await count(own), `${about} ${each.week}`);
      assert.equal(each.verified, await count({ ...own, verified: 1 }), `${about} ${each.week}`);
      assert.equal(each.signedUp, await count({ ...own, signedUp: 1 }), `${about} ${each.week}`);
      assert.equal(each.activated, await count({ ...own, activated: 1 }), `${about} ${each.week}`);
    }
    for (const [of, more] of [
      ['lead', {}],
      ['signup', { signedUp: 1 }],
      ['activation', { activated: 1 }],
    ] as const) {
      const asked = { from, to, of, by: 'capture' };
      const { conversions, models, rows: credited } = await get('attribution', asked);
      assert.equal(conversions, await count(more), `${about} ${of}`);
      for (const model of models)
        assert.equal(
          credited.reduce(
            (sum: number, row: Record<string, number>) => sum + Math.round(row[model]! * 1e6),
            0,
          ),
          conversions * 1e6,
          `${about} ${of} ${model}`,
        );
    }
  }
});

// biome-ignore lint/suspicious/noExplicitAny: rows of reports
function pickSome(list: any[], count: number): any[] {
  return list.length <= count ? list : Array.from({ length: count }, () => pick(list));
}

test('who stands behind a number is kept by no browser; the number is, and asked for anew each time', async () => {
  const window = `from=${FROM}&to=${TODAY}`;
  const kept = async (path: string) =>
    (await call(`${server.url}/v1/metrics/${path}?${window}`, 'GET', undefined, admin)).headers.get(
      'cache-control',
    );
  assert.equal(await kept('leads'), 'no-store');
  assert.equal(await kept('summary'), 'private, no-cache');
});
