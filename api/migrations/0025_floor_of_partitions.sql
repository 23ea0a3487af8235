-- Raw events of the day that is are never dropped, whatever a clock or a hand asks for: as its sisters refuse what is too young.

create or replace function drop_event_partitions(before_day date) returns setof text
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  old text;
begin
  if before_day > (now() at time zone 'UTC')::date then
    raise exception 'too young to drop';
  end if;
  perform pg_advisory_xact_lock(hashtext('event_partitions'));
  for old in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'public.events'::regclass and c.relname < 'events_' || to_char(before_day, 'YYYYMMDD')
    order by 1
  loop
    execute format('drop table public.%I', old);
    return next old;
  end loop;
end $$;
