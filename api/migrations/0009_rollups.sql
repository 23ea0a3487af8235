-- Numbers of one site and one UTC day, overwritten whenever the day changes; and what distinct counts of any window need.

create table daily_metric_rollups (
  site_id uuid not null references sites,
  day date not null,
  human_events bigint not null,
  page_views bigint not null,
  unique_visitors bigint not null,
  sessions bigint not null,
  entrances bigint not null,
  landing_conversions bigint not null,
  forms_started bigint not null,
  forms_submitted bigint not null,
  email_verifies bigint not null,
  bot_events bigint not null,
  bots_by_reason jsonb not null,
  clamped_events bigint not null,
  late_events bigint not null,
  sessions_by_source jsonb not null,
  vitals jsonb not null,
  primary key (site_id, day)
);
comment on table daily_metric_rollups is 'human events only, save the bot columns; a session belongs to the UTC day of its first human event';
comment on column daily_metric_rollups.entrances is 'sessions with a page_view; landing_conversions are those that submitted a form, or were flagged, at or after it';
comment on column daily_metric_rollups.forms_started is 'distinct (session, form); a submit without a start counts as started';
comment on column daily_metric_rollups.late_events is 'arrived more than ten minutes after they happened';
comment on column daily_metric_rollups.vitals is 'mergeable histograms {"lcp": {bucket: count}}; bucket b holds (1.1^(b-1), 1.1^b] hundredths of a millisecond; of cls: ten-thousandths';
call isolate_sites('daily_metric_rollups');

create table daily_ingest_rollups (
  site_id uuid not null references sites,
  day date not null,
  received bigint not null,
  accepted bigint not null,
  duplicate bigint not null,
  rejected bigint not null,
  rejected_by_reason jsonb not null,
  latencies jsonb not null,
  primary key (site_id, day)
);
comment on table daily_ingest_rollups is 'the ledger of a UTC day of arrival, summed over its slots; latencies: the day''s histogram of server time';
call isolate_sites('daily_ingest_rollups');

create table daily_breakdowns (
  site_id uuid not null references sites,
  day date not null,
  kind text not null,
  name text not null,
  detail text not null default '',
  sessions bigint not null default 0,
  page_views bigint not null default 0,
  conversions bigint not null default 0,
  events bigint not null default 0,
  engaged_ms bigint not null default 0,
  primary key (site_id, day, kind, name, detail)
);
comment on table daily_breakdowns is 'at most 1000 names a kind and day; the rest is summed under (other), so that made-up paths cannot fill the disk';
call isolate_sites('daily_breakdowns');

create table visitor_days (
  site_id uuid not null,
  day date not null,
  visitor_id uuid not null,
  previous_day date,
  primary key (site_id, day, visitor_id)
);
comment on table visitor_days is 'which human visitors were there on a day, and when before; kept as long as raw events';
comment on column visitor_days.previous_day is 'the visitor''s last day before this one; null: never seen before, or not within the retention';
create index visitor_days_by_visitor on visitor_days (site_id, visitor_id, day);
call isolate_sites('visitor_days');

create table visitor_returns (
  site_id uuid not null references sites,
  day date not null,
  previous_day date,
  visitors bigint not null
);
comment on table visitor_returns is 'a day''s visitors by the day they were seen before: distinct visitors of any window [from, to] are the sum over its days where previous_day is null or < from. Exact, no ids, kept as long as rollups';
create unique index visitor_returns_once on visitor_returns (site_id, day, previous_day) include (visitors) nulls not distinct;
call isolate_sites('visitor_returns');

create table rollup_state (
  site_id uuid not null references sites,
  day date not null,
  rolled_up_at timestamptz(3) not null,
  ledger_seen bigint not null,
  sealed_at timestamptz(3),
  primary key (site_id, day)
) with (fillfactor = 70);
comment on column rollup_state.sealed_at is 'its raw rows were about to be purged: the day is never recomputed again';
comment on column rollup_state.ledger_seen is 'sum of the ledger''s counts when it was rolled up; today is redone when that moved';
call isolate_sites('rollup_state');

create table conversions (
  site_id uuid not null references sites,
  conversion_id text not null check (length(conversion_id) between 1 and 200),
  kind text not null check (kind in ('signup', 'activation', 'purchase', 'email_verify')),
  origin text not null check (origin in ('server', 'browser')),
  lead_id uuid,
  visitor_id uuid,
  occurred_at timestamptz(3) not null,
  amount numeric(18, 4),
  currency text check (currency ~ '^[A-Z]{3}$'),
  received_at timestamptz(3) not null default now(),
  primary key (site_id, origin, conversion_id)
);
comment on table conversions is 'what became of leads: told by the customer''s server (by email, kept as the lead''s id only, or by anonId), or seen as events of that name';
create index conversions_by_lead on conversions (site_id, lead_id, kind) where lead_id is not null;
create index conversions_by_visitor on conversions (site_id, visitor_id, kind) where visitor_id is not null;
create index conversions_by_time on conversions (site_id, occurred_at);
call isolate_sites('conversions');

create table ad_spend (
  site_id uuid not null references sites,
  day date not null,
  source text not null,
  campaign text not null default '',
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  amount numeric(18, 4) not null check (amount >= 0),
  updated_at timestamptz(3) not null default now(),
  primary key (site_id, day, source, campaign, currency)
);
comment on table ad_spend is 'what was paid for advertising; sent again for the same key it replaces the amount';
comment on column ad_spend.source is 'as in utm_source, e.g. google';
call isolate_sites('ad_spend');

create table bot_verdicts (
  site_id uuid not null references sites,
  verdict_id uuid not null default uuidv7(),
  visitor_id uuid not null,
  bot_reason text,
  judged_by text not null check (judged_by in ('admin', 'pattern')),
  judged_at timestamptz(3) not null default now(),
  events bigint not null,
  primary key (site_id, verdict_id)
);
comment on table bot_verdicts is 'every later verdict about a visitor; bot_reason null: human after all';
create index bot_verdicts_by_visitor on bot_verdicts (site_id, visitor_id, judged_at desc);
call isolate_sites('bot_verdicts');

-- Realtime asks for the last half hour; rows come nearly in time order, so some kB of ranges find them.
create index events_by_time on events using brin (occurred_at) with (pages_per_range = 16);
