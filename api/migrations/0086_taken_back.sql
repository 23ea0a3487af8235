-- What is said of sums of days takes off what people who were erased since may have had in them: asked at each building of a
-- feed, and read off the erasures of the window alone. Those of whose time was over take no visit along.
create index erasures_asked on erasures (site_id, erased_at) where cause is distinct from 'time' and erased <> '{}';

-- Who asks that nothing of them be shown is told of no more, whether or not they ever allowed it: the feed hears of that too,
-- where there is no permission whose end tells it.
create trigger feed_changed_by_hiding after update of display_withdrawn_at on leads for each row
  when (old.display_withdrawn_at is distinct from new.display_withdrawn_at) execute function tell_feed();
