-- Counts a site's days of notifications again from the rows that are kept, and overwrites them: running it twice changes nothing.
-- Human only: a verdict about a visitor, either way, holds for what they saw too.
create or replace function roll_up_notifications(for_site uuid, first_day date, last_day date) returns integer
language plpgsql set jit = off as $$
declare
  written integer;
begin
  with seen as (
    select site_day(e.site_id, e.occurred_at) as day, e.notification_id, e.visitor_id, e.kind,
      case when e.variant = 'a' or v.key is not null then e.variant else '' end as variant
    from notification_events e
    left join visitors b on b.site_id = e.site_id and b.visitor_id = e.visitor_id
    left join lateral (
      select a.key from ab_tests t join ab_variants a using (test_id)
      where t.site_id = e.site_id and t.notification_id = e.notification_id and a.key = e.variant limit 1
    ) v on e.variant <> 'a'
    where e.site_id = for_site and judged_reason(e.bot_reason, b.bot_verdict) is null
      and e.occurred_at >= site_day_starts(for_site, first_day) and e.occurred_at < site_day_starts(for_site, last_day + 1)
  ), sums as (
    select day, notification_id, variant,
      count(*) filter (where kind = 'exposed') as exposed, count(*) filter (where kind = 'shown') as shown,
      count(*) filter (where kind = 'hovered') as hovered, count(*) filter (where kind = 'clicked') as clicked,
      count(*) filter (where kind = 'dismissed') as dismissed,
      count(distinct visitor_id) filter (where kind = 'shown') as viewers,
      count(distinct visitor_id) filter (where kind = 'clicked') as clickers,
      count(distinct visitor_id) filter (where kind = 'dismissed') as dismissers
    from seen group by 1, 2, 3
  ), gone as (
    delete from daily_notification_rollups r where r.site_id = for_site and r.day between first_day and last_day
      and not exists (select from sums s where s.day = r.day and s.notification_id = r.notification_id and s.variant = r.variant)
  )
  insert into daily_notification_rollups as r (site_id, day, notification_id, variant, exposed, shown, hovered, clicked, dismissed,
    viewers, clickers, dismissers)
  select for_site, day, notification_id, variant, exposed, shown, hovered, clicked, dismissed, viewers, clickers, dismissers from sums
  order by day, notification_id, variant
  on conflict (site_id, day, notification_id, variant) do update
  set exposed = excluded.exposed, shown = excluded.shown, hovered = excluded.hovered, clicked = excluded.clicked,
    dismissed = excluded.dismissed, viewers = excluded.viewers, clickers = excluded.clickers, dismissers = excluded.dismissers;
  get diagnostics written = row_count;
  return written;
end $$;
comment on function roll_up_notifications is 'counts a site''s days of notifications again; see src/product/counting/roll_up_notifications.sql';
