-- Days of a site's zone. A day is a range of instants from its first midnight to the next one's, never 24 hours more: it
-- has 23 or 25 hours when clocks change, and begins later where its midnight does not exist. Site settings: timeZone.

-- The first instant of a day in a zone. Where a midnight comes twice (clocks go back over it) PostgreSQL would take the
-- second; the day begins with the first.
create or replace function day_starts(day date, zone text) returns timestamptz language sql immutable strict parallel safe as $$
  select case when zone = 'UTC' then day::timestamp at time zone 'UTC' else (
    select case when usual < stated and usual at time zone zone >= day::timestamp then usual else stated end
    from (
      select stated, (day::timestamp - ((stated - interval '3 hours') at time zone zone - (stated - interval '3 hours') at time zone 'UTC'))
        at time zone 'UTC' as usual
      from (select day::timestamp at time zone zone as stated) as by_postgres
    ) as both_midnights
  ) end
$$;

-- The day in whose range an instant lies.
create or replace function day_of(at timestamptz, zone text) returns date language sql immutable strict parallel safe as $$
  select case when zone = 'UTC' then (at at time zone 'UTC')::date
    when at >= day_starts((at at time zone zone)::date + 1, zone) then (at at time zone zone)::date + 1
    else (at at time zone zone)::date end
$$;

create or replace function site_zone(for_site uuid) returns text language sql stable strict parallel safe as $$
  select coalesce((select settings ->> 'timeZone' from sites where site_id = for_site), 'UTC')
$$;
create or replace function site_day(for_site uuid, at timestamptz) returns date language sql stable strict parallel safe as $$
  select day_of(at, site_zone(for_site))
$$;
create or replace function site_day_starts(for_site uuid, day date) returns timestamptz language sql stable strict parallel safe as $$
  select day_starts(day, site_zone(for_site))
$$;
comment on function day_starts is 'the first instant of a day in a zone; see src/product/sites/site_days.sql';
comment on function day_of is 'the day in which an instant lies in a zone; see src/product/sites/site_days.sql';
comment on function site_day is 'the site''s day in which an instant lies; see src/product/sites/site_days.sql';
comment on function site_day_starts is 'the first instant of a site''s day; see src/product/sites/site_days.sql';
