-- What the numbers count of each lead, kept instead of gathered anew for each answer; and the marks of what changed since.

create table lead_facts (
  site_id uuid not null,
  lead_id uuid not null,
  day date not null,
  first_captured_at timestamptz(3) not null,
  source text not null,
  utm_source text,
  utm_medium text,
  campaign text,
  domain_class text not null,
  verified_at timestamptz(3),
  signed_up_at timestamptz(3),
  activated_at timestamptz(3),
  hours double precision,
  primary key (site_id, lead_id),
  foreign key (site_id, lead_id) references leads on delete cascade
) with (fillfactor = 90);
comment on table lead_facts is 'one row a lead from the site''s own forms; written by refresh_lead_facts alone. An answer takes a lead that is in dirty_leads from its sources instead';
comment on column lead_facts.day is 'UTC day of the first capture';
comment on column lead_facts.verified_at is 'confirmed, or an email_verify of one of its browsers since the capture; signed_up_at and activated_at likewise, or told by the customer''s server';
comment on column lead_facts.hours is 'from the first sight of the first capture''s visitor to that capture; null: no strong link to one';
create index lead_facts_by_capture on lead_facts (site_id, first_captured_at, lead_id);
call isolate_sites('lead_facts');

create table dirty_leads (
  mark_id bigint generated always as identity primary key,
  site_id uuid not null,
  lead_id uuid,
  visitor_id uuid,
  check (num_nonnulls(lead_id, visitor_id) = 1)
);
comment on table dirty_leads is 'leads whose facts are no longer right, marked by triggers in the transaction that made it so; removed by refresh_lead_facts';
comment on column dirty_leads.visitor_id is 'whose leads are looked up only when the mark is read: a link may be on its way at the same moment';
create index dirty_leads_by_site on dirty_leads (site_id, mark_id);
call isolate_sites('dirty_leads');

-- Triggers, because every writer of these tables would otherwise have to remember, and one that forgets makes a wrong number.
create function mark_lead() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or old.lead_id is distinct from new.lead_id) and old.lead_id is not null then
    insert into dirty_leads (site_id, lead_id) values (old.site_id, old.lead_id);
  end if;
  if tg_op <> 'DELETE' and new.lead_id is not null then
    insert into dirty_leads (site_id, lead_id) values (new.site_id, new.lead_id);
  end if;
  return null;
end $$;
create function mark_visitor() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' and (tg_op = 'DELETE' or old.visitor_id is distinct from new.visitor_id) and old.visitor_id is not null then
    insert into dirty_leads (site_id, visitor_id) values (old.site_id, old.visitor_id);
  end if;
  if tg_op <> 'DELETE' and new.visitor_id is not null then
    insert into dirty_leads (site_id, visitor_id) values (new.site_id, new.visitor_id);
  end if;
  return null;
end $$;

create trigger facts_of_new_lead after insert on leads for each row when (new.imported_at is null) execute function mark_lead();
create trigger facts_of_changed_lead after update on leads for each row
  when ((old.first_captured_at, old.first_source, old.first_utm, old.domain_class, old.verified_at, old.first_visitor_id, old.imported_at)
    is distinct from (new.first_captured_at, new.first_source, new.first_utm, new.domain_class, new.verified_at, new.first_visitor_id, new.imported_at))
  execute function mark_lead();
create trigger facts_by_new_link after insert on lead_identities for each row
  when (new.link_source <> 'same_ip_ua_window') execute function mark_lead();
create trigger facts_by_changed_link after update on lead_identities for each row
  when (old.link_source <> 'same_ip_ua_window' or new.link_source <> 'same_ip_ua_window') execute function mark_lead();
create trigger facts_by_gone_link after delete on lead_identities for each row
  when (old.link_source <> 'same_ip_ua_window') execute function mark_lead();
create trigger facts_by_conversion_of_lead after insert or update or delete on conversions for each row execute function mark_lead();
create trigger facts_by_conversion_of_visitor after insert or update or delete on conversions for each row execute function mark_visitor();
-- A visitor is there before anyone is linked to them and stays as long as the link, so only this one change matters.
create trigger facts_by_earlier_sight after update of first_seen_at on visitors for each row
  when (old.first_seen_at <> new.first_seen_at) execute function mark_visitor();

-- Those there are already.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
insert into dirty_leads (site_id, lead_id) select site_id, lead_id from leads where imported_at is null;
