-- What is said of sums of days takes off what people who were erased since may have had in them: asked at each building of a
-- feed, and read off the erasures of the window alone. Those of whose time was over take no visit along.
create index erasures_asked on erasures (site_id, erased_at) where cause is distinct from 'time' and erased <> '{}';
