-- Visitors without an id of their own are told apart for a day; bots keep visits of their own; a verdict stands; sources are carried.

-- Of the whole installation, not of a site. PostgreSQL makes the salt, so that processes that meet at midnight find one.
create table day_salts (
  day date primary key,
  salt bytea not null default sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())),
  made_at timestamptz(3) not null default now()
);
comment on table day_salts is 'key of a UTC day''s visitors without an id of their own; forgotten when it is 48 h old, never in a backup: after that nobody can tell who they were';
comment on column day_salts.salt is '32 bytes: the digest of three random uuids, 366 random bits';

alter table visitors
  add column first_human_at timestamptz(3),
  add column is_day_visitor boolean not null default false,
  add column bot_verdict text;
comment on column visitors.first_human_at is 'first sight of the human; null: only ever a bot''s events';
comment on column visitors.is_day_visitor is 'without an id of their own: visitor_id is HMAC-SHA256(salt of the day; site, network, user agent), and no hash is kept';
comment on column visitors.bot_verdict is 'the verdict that stands, also for events to come: a reason, human (after all), or null';
comment on column visitors.ip_hash is 'HMAC-SHA256(address, pepper) of the last request; the address is never stored; null for day visitors';

alter table sessions
  add column is_bot boolean not null default false,
  add column is_carried boolean not null default false;
comment on column sessions.is_bot is 'of bot events: they cut, bridge and start no session of a human';
comment on column sessions.is_carried is 'its first event had no source of its own, so source is that of the visitor''s session before';

-- With these a session that is cut anew has its first event's, in whatever order they came.
alter table events
  add column device_type text,
  add column browser text,
  add column os text,
  add column country text;
comment on column events.device_type is 'null: stored before this was kept; its session has it';

alter type arrived_event add attribute day_before uuid, add attribute is_day_visitor boolean, add attribute follows boolean;

alter table visitor_days add column is_day_visitor boolean not null default false;
alter table visitor_returns add column day_visitors bigint not null default 0;
comment on column visitor_returns.day_visitors is 'of these visitors, those without an id of their own';

alter table dirty_leads add column is_first_touch boolean not null default false;
comment on column dirty_leads.is_first_touch is 'the visitor''s sessions were cut anew: the first touch may be another';

select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);

drop trigger facts_by_earlier_sight on visitors;
update visitors v set first_human_at = v.first_seen_at;
update visitors v set first_human_at = seen.human_at
from (
  select site_id, visitor_id, min(occurred_at) filter (where bot_reason is null) as human_at from events
  group by 1, 2 having bool_or(bot_reason is not null)
) seen where v.site_id = seen.site_id and v.visitor_id = seen.visitor_id;
update visitors v set bot_verdict = coalesce(standing.bot_reason, 'human')
from (select distinct on (site_id, visitor_id) site_id, visitor_id, bot_reason from bot_verdicts order by site_id, visitor_id, judged_at desc) standing
where v.site_id = standing.site_id and v.visitor_id = standing.visitor_id;
update sessions s set is_bot = true
from (select site_id, session_id from events group by 1, 2 having bool_and(bot_reason is not null)) seen
where s.site_id = seen.site_id and s.session_id = seen.session_id;
-- Visits that an own page led to carry the source of the one before; days that still have their rows are counted again.
insert into dirty_days (site_id, day, cause)
select distinct site_id, (started_at at time zone 'UTC')::date, 'late_event' from sessions where source = 'internal';
with chained as (
  select site_id, session_id, visitor_id, started_at, source, count(*) filter (where source <> 'internal')
    over (partition by site_id, visitor_id, is_bot order by started_at, session_id) as chain, is_bot
  from sessions
), sourced as (
  select site_id, session_id, source, first_value(nullif(source, 'internal'))
    over (partition by site_id, visitor_id, is_bot, chain order by started_at, session_id) as came_from
  from chained
)
update sessions s set source = coalesce(c.came_from, 'direct'), is_carried = c.came_from is not null
from sourced c where c.source = 'internal' and s.site_id = c.site_id and s.session_id = c.session_id;
create trigger facts_by_earlier_sight after update of first_human_at on visitors for each row
  when (old.first_human_at is distinct from new.first_human_at) execute function mark_visitor();
