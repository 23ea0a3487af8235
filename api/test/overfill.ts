// Makes tables far larger than the memory that the container gives Node, so that whoever holds one of them whole dies.
import { appendFileSync } from 'node:fs';
import type { Pool } from '../src/ground/db/pool.ts';
import type { Place } from './world.ts';

/** One is about 130 MB of text a table, which 160 MB of heap do not hold beside the process itself. */
export const SCALE = Number(process.env.OVERFILL ?? 1);

// PostgreSQL keeps a repeated text small; whoever reads it has all of it.
const LONG = `repeat('x', 7990)`;

/** By table: $1 the site, $2 its lead, $3 the lead's visitor, $4 how many rows. */
const FILLS: Record<string, { rows: number; sql: string }> = {
  events: {
    rows: 16_000,
    sql: `insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, source, clamped,
        privacy_signal, is_conversion, props, device_type)
      select $1, gen_random_uuid(), $3, gen_random_uuid(), now() - n * interval '50 ms', now(), 'page_view',
        '/page ' || n || repeat('p', 400), 'direct', false, false, false, jsonb_build_object('words', ${LONG}), 'desktop'
      from generate_series(1, $4::int) n where $2::uuid is not null`,
  },
  sessions: {
    rows: 8_000,
    sql: `insert into sessions (site_id, visitor_id, started_at, last_activity_at, landing_path, referrer, source, device_type)
      select $1, $3, now() - n * interval '1 s', now(), ${LONG}, ${LONG}, 'direct', 'desktop' from generate_series(1, $4::int) n where $2::uuid is not null`,
  },
  submissions: {
    rows: 12_000,
    sql: `insert into submissions (site_id, lead_id, form_name, payload, submitted_at)
      select $1, $2, 'form', jsonb_build_object('words', ${LONG}, 'more', repeat('y', 4000)), now() - n * interval '1 s'
      from generate_series(1, $4::int) n where $3::uuid is not null`,
  },
  lead_identities: {
    rows: 40_000,
    sql: `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
      select $1, $2, gen_random_uuid(), case when n <= 100 then 'form_submit' else 'same_ip_ua_window' end, 0.1, now()
      from generate_series(1, $4::int) n where $3::uuid is not null`,
  },
  consent_texts: {
    rows: 16_000,
    sql: `insert into consent_texts (site_id, name, version, words, words_hash, origin)
      select $1, 'wording ' || n, 1, n || ${LONG}, sha256(convert_to(n::text, 'UTF8')), 'admin'
      from generate_series(1, $4::int) n where $2::uuid is not null and $3::uuid is not null`,
  },
  consent_records: {
    rows: 16_000,
    sql: `with made as (
        insert into consent_records (site_id, lead_id, seq, action, status, kind, basis, occurred_at, details_digest, previous_hash, hash)
        select $1, $2, n + 10, 'regranted', 'express', 'express', 'form', now(), '\\x00', '\\x00', '\\x00' from generate_series(1, $4::int) n
        where $3::uuid is not null returning record_id
      ) insert into consent_details (site_id, record_id, lead_id, salt, email_normalized, text_id)
      select $1, record_id, $2, '\\x00', 'someone', (select text_id from consent_texts where site_id = $1 and name = 'wording 1') from made`,
  },
  conversions: {
    rows: 50_000,
    sql: `insert into conversions (site_id, conversion_id, kind, origin, lead_id, occurred_at)
      select $1, n || repeat('c', 190), 'signup', 'server', $2, now() from generate_series(1, $4::int) n where $3::uuid is not null`,
  },
  quarantine: {
    rows: 10_000,
    sql: `insert into quarantine (site_id, received_at, email_normalized, capture, score, reasons)
      select $1, now(), 'held' || n || '@example.com', json_build_object('email', 'held' || n || '@example.com', 'form_name', 'form',
        'payload', json_build_object('words', ${LONG}, 'more', repeat('y', 4000))), 1, '{too_fast}'
      from generate_series(1, $4::int) n where $2::uuid is not null and $3::uuid is not null`,
  },
  leads: {
    rows: 10_000,
    sql: `insert into leads (site_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, first_path, first_referrer, unsubscribe_key)
      select $1, 'lead' || n || '@example.com', 'lead' || n || '@example.com', 'example.com', now() - n * interval '1 s', now(), ${LONG}, ${LONG},
        'key ' || n from generate_series(1, $4::int) n where $2::uuid is not null and $3::uuid is not null`,
  },
  // what reports read: as many names as there are rows
  daily_breakdowns: {
    rows: 80_000,
    sql: `insert into daily_breakdowns (site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
      select $1, current_date - n % 300, (array['page', 'campaign'])[1 + n % 2], n || repeat('n', 490), repeat('d', 500), 1, 1, 1, 1, 1, 1, 1
      from generate_series(1, $4::int) n where $2::uuid is not null and $3::uuid is not null`,
  },
  lead_facts: {
    rows: 25_000,
    sql: `with made as (
        insert into lead_facts (site_id, lead_id, day, first_captured_at, source, campaign, domain_class, signed_up_at)
        select $1, gen_random_uuid(), current_date, date_trunc('day', now()) + n * interval '10 ms', 'campaign', n || repeat('f', 230), 'business', now()
        from generate_series(1, $4::int) n where $2::uuid is not null and $3::uuid is not null returning lead_id, first_captured_at
      ), touched as (
        insert into lead_touches (site_id, lead_id, session_id, visitor_id, started_at, source, campaign, is_weak)
        select $1, lead_id, gen_random_uuid(), gen_random_uuid(), first_captured_at - k * interval '1 hour', 'campaign', k || lead_id::text || repeat('t', 200), false
        from made cross join generate_series(1, 4) k
      ) insert into lead_credits (site_id, lead_id, kind, nth, part, at, captured_at, source, campaign, conversions, touches, first, last, linear, time_decay, position)
      select $1, lead_id, 'lead', 1, k, first_captured_at, first_captured_at, 'campaign', k || lead_id::text || repeat('t', 200), (k = 1)::int, 1,
        250000, 250000, 250000, 250000, 250000
      from made cross join generate_series(1, 4) k`,
  },
  ad_spend: {
    rows: 30_000,
    sql: `insert into ad_spend (site_id, day, source, campaign, currency, amount)
      select $1, current_date, 'source' || repeat('s', 200), n || repeat('c', 200), 'CAD', 1 from generate_series(1, $4::int) n
      where $2::uuid is not null and $3::uuid is not null`,
  },
  audit_log: {
    rows: 16_000,
    sql: `insert into audit_log (site_id, actor, action, outcome, details)
      select $1, 'admin_key', 'GET /v1/leads', 200, jsonb_build_object('words', ${LONG}) from generate_series(1, $4::int) where $2::uuid is not null and $3::uuid is not null`,
  },
  bot_verdicts: {
    rows: 30_000,
    sql: `insert into bot_verdicts (site_id, visitor_id, bot_reason, judged_by, events)
      select $1, gen_random_uuid(), 'admin', 'admin', 1 from generate_series(1, $4::int) where $2::uuid is not null and $3::uuid is not null`,
  },
  breaches: {
    rows: 10_000,
    sql: `insert into breaches (site_id, title, description, discovered_at, measures)
      select $1, 'breach ' || n, ${LONG}, now(), ${LONG} from generate_series(1, $4::int) n where $2::uuid is not null and $3::uuid is not null`,
  },
  job_runs: {
    rows: 16_000,
    sql: `insert into job_runs (job, trigger, state, finished_at, result)
      select 'ledger', 'by_hand', 'succeeded', now(), jsonb_build_object('words', ${LONG}) from generate_series(1, $4::int)
      where $1::uuid is not null and $2::uuid is not null and $3::uuid is not null`,
  },
  rejections: {
    rows: 100_000,
    sql: `insert into rejections (site_id, route, reason) select $1, 'events', 'invalid_request' from generate_series(1, $4::int)
      where $2::uuid is not null and $3::uuid is not null`,
  },
  outgoing_mails: {
    rows: 60_000,
    sql: `insert into outgoing_mails (site_id, lead_id, kind, sent_at) select $1, $2, 'confirm', now() from generate_series(1, $4::int) where $3::uuid is not null`,
  },
  withdrawal_requests: {
    rows: 100_000,
    sql: `insert into withdrawal_requests (site_id, email_hash, requested_at) select $1, sha256(n::text::bytea), now() from generate_series(1, $4::int) n
      where $2::uuid is not null and $3::uuid is not null`,
  },
};

/** Fills each table in one statement, without its triggers: what they mark is not what is looked at. */
export async function overfill(owner: Pool, { siteId, leadId, visitorId }: Place): Promise<void> {
  const client = await owner.connect();
  try {
    await client.query(
      `set session_replication_role = replica; set statement_timeout = 0; set synchronous_commit = off`,
    );
    for (const [table, { rows, sql }] of Object.entries(FILLS))
      await client.query(sql, [siteId, leadId, visitorId, Math.round(rows * SCALE)]).catch((error) => {
        throw new Error(`${table}: ${error.message}`);
      });
    await client.query('analyze');
  } finally {
    client.release(true);
  }
}

const LINES_AT_ONCE = 50_000;

/** The journal of what was forgotten, with lines of people that the database does not know. */
export function overfillJournal(path: string, siteId: string): void {
  const lines = Math.round(400_000 * SCALE);
  const at = new Date().toISOString();
  for (let from = 0; from < lines; from += LINES_AT_ONCE)
    appendFileSync(
      path,
      Array.from({ length: LINES_AT_ONCE }, (_, n) => {
        const leadId = `00000000-0000-7000-8000-${String(from + n).padStart(12, '0')}`;
        return `\n${JSON.stringify({ kind: 'withdrawal', siteId, leadId, at })}`;
      }).join(''),
    );
}
