-- What the raw rows of a UTC day are, site by site, to the last column: a copy of them in the archive is one of these rows and of
-- no others. The order of the rows does not matter.
create or replace function archive_sums(for_day date) returns table (site_id uuid, raw_rows integer, raw_sum numeric)
language sql stable set jit = off set timezone = 'UTC' as $$
  select e.site_id, count(*)::integer, sum(hashtextextended(e::text, 0)::numeric) from events e
  where e.site_id = any (current_sites()) and e.occurred_at >= for_day::timestamp at time zone 'UTC'
    and e.occurred_at < (for_day + 1)::timestamp at time zone 'UTC'
  group by 1
$$;
comment on function archive_sums is 'the raw rows of a day by site, summed up; see src/product/archive/archive_sums.sql';
