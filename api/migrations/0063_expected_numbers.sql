-- A table that was never analysed has no statistics, and PostgreSQL then takes one site for a two-hundredth of it. An index is
-- read by its site alone then, thousands of rows for the one that is meant, once for every row of another table; whoever sends
-- two thousand leads within the first minute pays for that until autovacuum has come round. Here it is told what is true of
-- nearly every installation, and of the others until it has looked: there is one site.
create function expect_one_site() returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  bare record;
  told integer := 0;
begin
  for bare in
    select c.relname, c.relkind = 'p' as is_parent from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'site_id' and not a.attisdropped
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.reltuples < 0 and a.atttypid = 'uuid'::regtype
    order by c.oid -- they are locked one after the other, against analyze
  loop
    perform pg_restore_attribute_stats('schemaname', 'public', 'relname', bare.relname::text, 'attname', 'site_id',
      'inherited', bare.is_parent, 'version', current_setting('server_version_num')::integer,
      'null_frac', 0::real, 'avg_width', 16, 'n_distinct', 1::real);
    told := told + 1;
  end loop;
  return told;
end $$;
revoke all on function expect_one_site from public;
grant execute on function expect_one_site to marketing_app;
comment on function expect_one_site is 'gives tables that were never analysed the statistics of an installation with one site; answers how many';

-- What is made ahead is told it too.
create or replace function make_event_partitions(first_day date, last_day date) returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  wanted date;
  made integer := 0;
begin
  if last_day - first_day > 1500 then
    raise exception 'too many partitions asked for: % to %', first_day, last_day;
  end if;
  -- two processes starting at once
  perform pg_advisory_xact_lock(hashtext('event_partitions'));
  for wanted in select generate_series(first_day, last_day, interval '1 day')::date loop
    if to_regclass('public.events_' || to_char(wanted, 'YYYYMMDD')) is null then
      execute format(
        'create table public.%I partition of public.events for values from (%L) to (%L)',
        'events_' || to_char(wanted, 'YYYYMMDD'), wanted::timestamp at time zone 'UTC', (wanted + 1)::timestamp at time zone 'UTC');
      -- reached only through events: without a policy of its own a partition shows nothing
      execute format('alter table public.%I enable row level security, force row level security',
        'events_' || to_char(wanted, 'YYYYMMDD'));
      execute format('revoke all on public.%I from marketing_app', 'events_' || to_char(wanted, 'YYYYMMDD'));
      made := made + 1;
    end if;
  end loop;
  if made > 0 then
    perform public.expect_one_site();
  end if;
  return made;
end $$;

create or replace function make_notification_partitions(first_day date, last_day date) returns integer
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  month date;
  month_name text;
  part text;
  made integer := 0;
begin
  if last_day - first_day > 1500 then
    raise exception 'too many partitions asked for: % to %', first_day, last_day;
  end if;
  for month in select generate_series(date_trunc('month', first_day::timestamp), last_day, interval '1 month')::date loop
    month_name := 'notification_events_' || to_char(month, 'YYYYMM');
    if to_regclass('public.' || month_name) is not null then
      continue;
    end if;
    perform pg_advisory_xact_lock(hashtext('notification_partitions'));
    execute format('create table if not exists public.%I partition of public.notification_events for values from (%L) to (%L) partition by hash (site_id)',
      month_name, month::timestamp at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
    execute format('alter table public.%I enable row level security, force row level security', month_name);
    execute format('revoke all on public.%I from marketing_app', month_name);
    for n in 0..7 loop
      part := month_name || '_' || n;
      if to_regclass('public.' || part) is null then
        execute format('create table public.%I partition of public.%I for values with (modulus 8, remainder %s)', part, month_name, n);
        execute format('alter table public.%I enable row level security, force row level security', part);
        execute format('revoke all on public.%I from marketing_app', part);
        made := made + 1;
      end if;
    end loop;
  end loop;
  if made > 0 then
    perform public.expect_one_site();
  end if;
  return made;
end $$;
