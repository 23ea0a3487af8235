-- Freshness costs what is new: marks of visits that changed, the facts of each visit of days that still change, and what
-- those facts sum to by name, so that a round takes the old facts of changed visits out of the sums and puts the new ones in.

create table dirty_visits (
  mark_id bigint generated always as identity,
  site_id uuid not null,
  since timestamptz(3) not null,
  until timestamptz(3) not null,
  visitor_ids uuid[] not null,
  primary key (site_id, mark_id)
);
comment on table dirty_visits is 'visitors of whom something changed, marked in the transaction that changed it; append-only for writers, removed by the rollup';
comment on column dirty_visits.since is 'what changed lies between these two instants, and so does the beginning of the visits it belongs to';
call isolate_sites('dirty_visits');

create table visit_facts (
  site_id uuid not null,
  day date not null,
  visitor_id uuid not null,
  session_id uuid not null,
  begun smallint,
  source text,
  referrer text,
  campaign text,
  utm_source text,
  utm_medium text,
  utm_term text,
  utm_content text,
  device_type text,
  browser text,
  os text,
  country text,
  landing text,
  leaving text,
  human_events integer not null,
  page_views integer not null,
  email_verifies integer not null,
  clamped_events integer not null,
  late_events integer not null,
  converted smallint not null,
  bounced smallint not null,
  engaged_ms bigint not null,
  kinds text[] not null,
  names text[] not null,
  name_views integer[] not null,
  name_conversions integer[] not null,
  name_events integer[] not null,
  name_engaged_ms bigint[] not null,
  vitals smallint[] not null,
  has_at boolean not null,
  primary key (site_id, day, visitor_id, session_id)
);
comment on table visit_facts is 'what a day''s numbers count of a visit, a row a visit and day of the site; only of days that still change (rollup_state.is_open)';
comment on column visit_facts.begun is '1: the visit counts for this day; 0: for the day before, only its page views are this day''s; null: nothing human, or no visit';
comment on column visit_facts.referrer is 'the referring host, where it is one';
comment on column visit_facts.landing is 'path of the entrance; null: none';
comment on column visit_facts.engaged_ms is 'attention of the whole visit; by name (name_engaged_ms) that of this day';
comment on column visit_facts.vitals is 'loading times measured, each as 1000 × (1 fcp, 2 lcp, 3 inp, 4 ttfb, 5 cls) + its bucket of the histogram';
comment on column visit_facts.has_at is 'one of its texts may hold an address: an erasure looks no further';
comment on column visit_facts.kinds is 'with names and the name_… columns a list: what the visit''s events of this day are summed under';
create index visit_facts_holding_addresses on visit_facts (site_id) where has_at;
call isolate_sites('visit_facts');

create table open_names (
  site_id uuid not null,
  day date not null,
  kind text not null,
  name text not null,
  detail text not null,
  visitors bigint not null,
  sessions bigint not null,
  entrances bigint not null,
  page_views bigint not null,
  conversions bigint not null,
  events bigint not null,
  engaged_ms bigint not null,
  primary key (site_id, day, kind, name, detail)
) with (fillfactor = 80);
create index open_names_ranked on open_names (site_id, day, kind, sessions desc, page_views desc, events desc, name);
comment on table open_names is 'sums of visit_facts by name, none folded into (other): daily_breakdowns shows the first of each kind';
call isolate_sites('open_names');

create table open_kinds (
  site_id uuid not null,
  day date not null,
  kind text not null,
  visitors bigint not null,
  sessions bigint not null,
  entrances bigint not null,
  page_views bigint not null,
  conversions bigint not null,
  events bigint not null,
  engaged_ms bigint not null,
  primary key (site_id, day, kind)
) with (fillfactor = 70);
comment on table open_kinds is 'sums of open_names by kind';
call isolate_sites('open_kinds');

alter table rollup_state add column is_open boolean not null default false;
comment on column rollup_state.is_open is 'the facts of its visits are kept and are what its numbers count, so that what changes is counted alone';

-- what a lead's facts say is in answers too
create trigger metrics_changed after insert or update or delete on lead_facts for each statement execute function tell_metrics_changed();

-- As in 0017; the days that have not come yet in the new zone have facts of visits now.
create or replace function days_in_new_zone() returns trigger language plpgsql as $$
declare
  zone constant text := coalesce(new.settings ->> 'timeZone', 'UTC');
  today constant date := day_of(now(), zone);
  before constant text := coalesce(current_setting('marketing.sites', true), '');
begin
  perform set_config('marketing.sites', new.site_id::text, true);
  -- neither a day nor a lead's facts are being counted by the old zone meanwhile
  perform pg_advisory_xact_lock(7301003, hashtext(new.site_id::text));
  perform pg_advisory_xact_lock(7301004, hashtext(new.site_id::text));
  insert into dirty_days (site_id, day, cause)
  select site_id, day, 'time_zone' from rollup_state where site_id = new.site_id and sealed_at is null and day <= today
  union select new.site_id, today, 'time_zone'
  -- what is left of the first day that was whole before may now lie on the day before it
  union select site_id, min(day) - 1, 'time_zone' from rollup_state s where site_id = new.site_id and sealed_at is null
    group by 1 having not exists (select from rollup_state z where z.site_id = new.site_id and z.day = min(s.day) - 1);
  -- east of here it is tomorrow already; here it is not
  delete from daily_metric_rollups where site_id = new.site_id and day > today;
  delete from daily_breakdowns where site_id = new.site_id and day > today;
  delete from visitor_days where site_id = new.site_id and day > today;
  delete from visitor_returns where site_id = new.site_id and day > today;
  delete from visit_facts where site_id = new.site_id and day > today;
  delete from open_names where site_id = new.site_id and day > today;
  delete from open_kinds where site_id = new.site_id and day > today;
  delete from rollup_state where site_id = new.site_id and day > today;
  update lead_facts set day = day_of(first_captured_at, zone) where site_id = new.site_id and day <> day_of(first_captured_at, zone);
  perform set_config('marketing.sites', before, true);
  return null;
end $$;
