-- Rows of a breakdown say how many visitors they are and of how many entrances their conversions; a day says how many visits bounced.

alter table daily_breakdowns add column visitors bigint not null default 0, add column entrances bigint not null default 0;
comment on column daily_breakdowns.visitors is 'distinct within the day';
comment on column daily_breakdowns.page_views is 'of this day, also those of a session that began on the day before and counts there';
comment on column daily_breakdowns.entrances is 'of the sessions those with a page_view: what their conversions are a share of';
alter table daily_metric_rollups add column bounces bigint not null default 0, add column engaged_ms bigint not null default 0;
comment on column daily_metric_rollups.bounces is 'of the entrances those with one page view, under ten seconds of attention and no deed';
comment on column daily_metric_rollups.engaged_ms is 'attention in the sessions with an entrance';
comment on column daily_metric_rollups.entrances is 'sessions with a page_view; landing_conversions are those that submitted a lead form, or were flagged, at or after it';
comment on column daily_metric_rollups.forms_started is 'distinct (session, lead form); a submit without a start counts as started';

-- Those that can be counted again are.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
insert into dirty_days (site_id, day, cause) select site_id, day, 'counted_anew' from rollup_state where sealed_at is null;
