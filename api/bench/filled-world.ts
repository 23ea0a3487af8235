// A world of years for the bench: made by set-based SQL, a day a statement, as the doors would have left it.
import pg from 'pg';
import { overfillJournal } from '../test/overfill.ts';
import type { Place } from '../test/world.ts';

const DAYS = 90;
const EVENTS_A_VISIT = 5;
/** Of the sites, so many have visits; the first has half of them. */
const BUSY_SITES = 20;
const PERSON_DAYS = 60;
const PERSON_EVENTS_A_VISIT = 50;

export interface World {
  events: number;
  leads: number;
  sites: number;
  /** Addresses of nobody that unsubscribed. */
  strangers: number;
  /** Events of the one person whose export and erasure are asked for. */
  ofPerson: number;
}

export const worldOf = (events: number): World => ({
  events,
  leads: Math.round(events / 100),
  sites: 5000,
  strangers: Math.round(events / 10),
  ofPerson: Math.min(100_000, Math.round(events / 10)),
});

/** $1 the busy sites, $2 days ago, $3 how many visits. Every third visitor came on another day too. */
const A_DAY = `with visits as materialized (
    select ($1::uuid[])[case when v % 2 = 0 then 1 else 2 + v / 2 % ($4::int - 1) end] as site_id,
      md5('session ' || $2 || ' ' || v)::uuid as session_id,
      md5('visitor ' || v || case when v % 3 > 0 then ' ' || $2 else '' end)::uuid as visitor_id,
      -- not into the future, nor beyond midnight
      date_trunc('day', now(), 'UTC') - $2::int * interval '1 day'
        + random() * (case when $2::int = 0 then now() - date_trunc('day', now(), 'UTC') else interval '1 day' end - interval '2 minutes') as at,
      (array['direct', 'organic_search', 'social', 'email', 'referral', 'paid_search'])[1 + floor(random() ^ 2 * 6)::int] as source,
      case when v % 5 = 0 then jsonb_build_object('source', 'news', 'medium', 'email', 'campaign', 'campaign ' || v % 40) end as utm,
      (array['desktop', 'mobile'])[1 + v % 2] as device, (array['Chrome', 'Safari', 'Firefox', 'Edge'])[1 + v % 4] as browser,
      (array['CA', 'US', 'FR', 'DE'])[1 + v % 4] as country
    from generate_series(1, $3::int) v
  ), people as (
    insert into visitors (site_id, visitor_id, first_seen_at, last_seen_at, first_human_at, ip_hash, ua_hash)
    select site_id, visitor_id, min(at), max(at) + interval '80 s', min(at), sha256(visitor_id::text::bytea), sha256('browser')
    from visits group by 1, 2 on conflict do nothing
  ), cut as (
    insert into sessions (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, source, utm, device_type, browser, os, country)
    select site_id, session_id, visitor_id, at, at + interval '80 s', '/page-1', source, utm, device, browser, 'Linux', country from visits
  ), made as materialized (
    select v.*, n, gen_random_uuid() as event_id, at + n * interval '20 s' as occurred_at from visits v cross join generate_series(0, ${EVENTS_A_VISIT - 1}) n
  ), keyed as (
    insert into event_keys (site_id, event_id, visitor_id, occurred_at) select site_id, event_id, visitor_id, occurred_at from made
  ), ledger as (
    insert into ingest_ledger (site_id, day, outcome, slot, count)
    select site_id, (now() at time zone 'UTC')::date - $2::int, outcome, 0, count(*) from made
    cross join (values ('received'), ('accepted')) as o (outcome) group by 1, 3
  )
  insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, referrer, source, utm, clamped,
    privacy_signal, is_conversion, engaged_ms, ttfb_ms, props, device_type, browser, os, country)
  select site_id, event_id, visitor_id, session_id, occurred_at, occurred_at,
    case when n = 4 then 'cta_click' else 'page_view' end, '/page-' || floor(random() ^ 3 * 3000), 'https://www.example.com/', case when n = 0 then source else 'internal' end,
    case when n = 0 then utm end, false, false, false, 1200, 100 + random() * 400,
    case when n = 1 then jsonb_build_object('plan', 'pro', 'position', n) end, device, browser, 'Linux', country
  from made`;

/** $1 the site, $2 the person's browser, $3 how many visits. */
const A_PERSON = `with visits as materialized (
    select md5('of the person ' || v)::uuid as session_id,
      date_trunc('day', now(), 'UTC') - (1 + v % ${PERSON_DAYS}) * interval '1 day' + v / ${PERSON_DAYS} * interval '20 minutes' as at
    from generate_series(1, $3::int) v
  ), cut as (
    insert into sessions (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, source, device_type, browser, os, country)
    select $1, session_id, $2, at, at + ${PERSON_EVENTS_A_VISIT} * interval '10 s', '/page-1', 'direct', 'desktop', 'Chrome', 'Linux', 'CA' from visits
  ), made as materialized (
    select *, gen_random_uuid() as event_id, at + n * interval '10 s' as occurred_at from visits cross join generate_series(1, ${PERSON_EVENTS_A_VISIT}) n
  ), keyed as (
    insert into event_keys (site_id, event_id, visitor_id, occurred_at) select $1, event_id, $2, occurred_at from made
  ), ledger as (
    insert into ingest_ledger as l (site_id, day, outcome, slot, count)
    select $1, (occurred_at at time zone 'UTC')::date, outcome, 0, count(*) from made cross join (values ('received'), ('accepted')) as o (outcome) group by 2, 3
    on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + excluded.count
  )
  insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, source, clamped,
    privacy_signal, is_conversion, engaged_ms, props, device_type, browser, os, country)
  select $1, event_id, $2, session_id, occurred_at, occurred_at, 'page_view', '/page-' || n, 'direct', false, false, false, 1200,
    jsonb_build_object('wish', 'rye bread with ' || n), 'desktop', 'Chrome', 'Linux', 'CA' from made`;

/** $1 the busy sites, $2 how many leads: each of a visitor of the site, with a submission and consent in the same words. */
const PEOPLE = [
  `insert into leads (site_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, first_source, first_path, first_form_name,
      first_visitor_id, unsubscribe_key)
    select v.site_id, 'lead' || v.n || '@example.com', 'lead' || v.n || '@example.com', 'example.com', v.last_seen_at, v.last_seen_at, 'organic_search', '/page-1',
      'newsletter', v.visitor_id, 'key ' || v.n
    from (select *, row_number() over () as n from visitors n where site_id = any ($1)
      and not exists (select from lead_identities i where i.site_id = n.site_id and i.visitor_id = n.visitor_id) limit $2) v`,
  `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
    select site_id, lead_id, first_visitor_id, 'form_submit', 1, first_captured_at from leads where site_id = any ($1) and email like 'lead%' and $2::int > 0`,
  `insert into submissions (site_id, lead_id, form_name, path, payload, submitted_at)
    select site_id, lead_id, 'newsletter', '/page-1', jsonb_build_object('message', 'Do you bake rye bread? ' || repeat('Please tell me. ', 20)), first_captured_at
    from leads where site_id = any ($1) and email like 'lead%' and $2::int > 0`,
  `insert into conversions (site_id, conversion_id, kind, origin, lead_id, occurred_at)
    select site_id, 'signup of ' || lead_id, 'signup', 'server', lead_id, first_captured_at + interval '1 hour'
    from leads where site_id = any ($1) and email like 'lead%5@%' and $2::int > 0`,
  `insert into dirty_leads (site_id, lead_id) select site_id, lead_id from leads where site_id = any ($1) and email like 'lead%' and $2::int > 0`,
];
const CONSENT = `select count(record_consent(site_id, lead_id, json_build_object('status', 'express', 'basis', 'form', 'words', 'The bakery may write to me.',
    'occurred_at', first_captured_at, 'page', '/page-1', 'form_name', 'newsletter'))) from leads where site_id = $1 and email like 'lead%'`;

/** As if nobody looked: without triggers, and without waiting for the disk. */
export async function fillWorld(ownerUrl: string, place: Place, folder: string, world: World): Promise<void> {
  const client = new pg.Client(ownerUrl);
  await client.connect();
  const ask = (sql: string, values: unknown[] = []) => client.query({ text: sql, values });
  try {
    await client.query(
      "set session_replication_role = replica; set statement_timeout = 0; set synchronous_commit = off; set work_mem = '64MB'",
    );
    await ask(
      "select make_event_partitions((now() at time zone 'UTC')::date - $1::int, (now() at time zone 'UTC')::date + 7)",
      [DAYS],
    );
    await ask(
      `insert into sites (key, name, domain, origins) select 'site-' || n, 'The site ' || n, 'site-' || n || '.example', array['https://site-' || n || '.example']
       from generate_series(1, $1::int) n`,
      [world.sites - 2],
    );
    const others = await ask(
      "select array_agg(site_id order by key) as ids from (select * from sites where key like 'site-%' order by key limit $1) s",
      [BUSY_SITES - 1],
    );
    const busy = [place.siteId, ...others.rows[0].ids];
    const visits = Math.round(world.events / EVENTS_A_VISIT / DAYS);
    for (let ago = DAYS - 1; ago >= 0; ago -= 1) {
      // the plain conflict of what the place's own calls counted today
      if (ago === 0) await ask('delete from ingest_ledger where site_id = $1', [place.siteId]);
      await ask(A_DAY, [busy, ago, visits, BUSY_SITES]);
      if (ago % 10 === 0) console.log(`filled up to ${ago} days ago`);
    }
    await ask(A_PERSON, [place.siteId, place.visitorId, Math.round(world.ofPerson / PERSON_EVENTS_A_VISIT)]);
    for (const sql of PEOPLE) await ask(sql, [busy, world.leads]);
    await ask(
      `insert into withdrawal_requests (site_id, email_hash, requested_at)
       select s.site_id, sha256((s.site_id::text || n)::bytea), now() - n * interval '1 minute' from sites s
       cross join generate_series(1, ($1::int / $2::int)) n`,
      [world.strangers, world.sites],
    );
    await client.query('vacuum analyze');
    for (const siteId of busy) {
      await client.query(`set marketing.sites = '${siteId}'`);
      await ask(CONSENT, [siteId]);
    }
  } finally {
    await client.end();
  }
  overfillJournal(`${folder}/journal/forgotten.ndjson`, place.siteId);
}
