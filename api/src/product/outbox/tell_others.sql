-- Writes into the outbox that something happened, in the transaction of its cause; the last thing that transaction does, since
-- the site's row is locked until its end: a number is never seen before the one below it. Nothing when nobody listens, nor
-- of a lead that is restricted: it is kept and nothing else.
--
-- happened   what it was about, by ids: never an address
-- returns    its number; null: nobody is told
create or replace function tell_others(for_site uuid, of_type text, happened jsonb, of_lead uuid, of_visitor uuid default null)
returns bigint language plpgsql as $$
declare
  number bigint;
begin
  update outbox_heads set last_seq = last_seq + 1 where site_id = for_site and listened_until > now()
    and not exists (select from leads l where l.site_id = for_site and l.lead_id = of_lead and l.restricted) returning last_seq into number;
  if number is null then
    return null;
  end if;
  insert into outbox (site_id, seq, type, data, lead_id, visitor_id)
  values (for_site, number, of_type, happened, of_lead, of_visitor);
  -- now and then, so that no flood makes it long; the purge ends what is older than a day
  if number % 500 = 0 then
    delete from outbox where site_id = for_site and seq <= number - 10000;
  end if;
  return number;
end $$;
comment on function tell_others is 'writes into the outbox; see src/product/outbox/tell_others.sql';
