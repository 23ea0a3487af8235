-- Days are the site's: a rollup says in which zone it was counted and when its day ends, so that one index names what is
-- unfinished; and a change of zone has every day that can still be counted remade.

-- A setting of this name had no meaning before; what is no zone would stop the site's numbers.
update sites set settings = settings - 'timeZone'
where settings ? 'timeZone' and settings ->> 'timeZone' not in (select name from pg_timezone_names);

alter table rollup_state add column time_zone text not null default 'UTC';
alter table rollup_state add column ends_at timestamptz(3);
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
update rollup_state set ends_at = (day + 1)::timestamp at time zone 'UTC';
alter table rollup_state alter column ends_at set not null;
comment on column rollup_state.time_zone is 'in which its day was counted; a sealed day keeps the zone that the site had';
comment on column rollup_state.ends_at is 'when its day ends; rolled up before that, it is rolled up once more';
create index rollup_state_unfinished on rollup_state (site_id, day) where sealed_at is null and rolled_up_at < ends_at;
comment on table rollup_state is 'one row a site and day of its zone that was rolled up';

comment on table dirty_days is 'days (of the site''s zone) whose rollup is no longer right, marked in the transaction that made it so; append-only for writers, removed by the rollup (an upsert would make ingestion wait for it)';
comment on table daily_metric_rollups is 'human events only, save the bot columns; a session belongs to the site''s day of its first human event';
comment on column lead_facts.day is 'the site''s day of the first capture';

-- A trigger, because whoever changes the zone would otherwise have to remember.
create function days_in_new_zone() returns trigger language plpgsql as $$
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
  delete from rollup_state where site_id = new.site_id and day > today;
  update lead_facts set day = day_of(first_captured_at, zone) where site_id = new.site_id and day <> day_of(first_captured_at, zone);
  perform set_config('marketing.sites', before, true);
  return null;
end $$;
create trigger days_in_new_zone after update of settings on sites for each row
  when (coalesce(old.settings ->> 'timeZone', 'UTC') <> coalesce(new.settings ->> 'timeZone', 'UTC'))
  execute function days_in_new_zone();

-- An erasure looks for the address in the names of sealed days too, as 0010 does in raw rows; a name was cut at 512.
create index daily_breakdowns_holding_addresses on daily_breakdowns (site_id)
  where (name like '%@%' or name like '%\%40%' or detail like '%@%' or detail like '%\%40%' or length(name) = 512 or length(detail) = 512);
