-- What a conversion is credited to is kept with the lead, so that a purge of raw rows changes no number; purchases can be voided.

alter table conversions add column voided_at timestamptz(3);
comment on column conversions.voided_at is 'cancelled or refunded: it counts nowhere';
create index conversions_bought on conversions (site_id, occurred_at) where kind = 'purchase';

alter table lead_facts add column touches_known_since timestamptz(3);
comment on column lead_facts.touches_known_since is 'raw rows from before were gone when the touches were first gathered; null: none were';
comment on column lead_facts.day is 'day of the first capture: of an imported lead, of its first form';
comment on column lead_facts.signed_up_at is 'the first not more than ten minutes before the capture, since two clocks tell of one form; activated_at likewise';
create index lead_facts_by_signup on lead_facts (site_id, signed_up_at) where signed_up_at is not null;
create index lead_facts_by_activation on lead_facts (site_id, activated_at) where activated_at is not null;
create index lead_facts_verified on lead_facts (site_id) where verified_at is not null;

create table lead_touches (
  site_id uuid not null,
  lead_id uuid not null,
  session_id uuid not null,
  visitor_id uuid not null,
  started_at timestamptz(3) not null,
  source text not null,
  utm_source text,
  utm_medium text,
  campaign text,
  is_weak boolean not null,
  primary key (site_id, lead_id, session_id),
  foreign key (site_id, lead_id) references lead_facts on delete cascade
);
comment on table lead_touches is 'the human sessions of a lead''s browsers, before and after its capture; written by refresh_lead_facts alone, and kept when the sessions are purged';
comment on column lead_touches.is_weak is 'came by itself: counts only where nothing else is known';
create index lead_touches_by_time on lead_touches (site_id, started_at);
call isolate_sites('lead_touches');

-- A visitor's own signup is that of one of its leads: another lead of the same browser may change whose.
drop trigger facts_by_new_link on lead_identities;
create trigger facts_by_new_link after insert on lead_identities for each row
  when (new.link_source <> 'same_ip_ua_window') execute function mark_visitor();
create trigger facts_of_others_by_changed_link after update on lead_identities for each row
  when (old.link_source <> 'same_ip_ua_window' or new.link_source <> 'same_ip_ua_window') execute function mark_visitor();
create trigger facts_of_others_by_gone_link after delete on lead_identities for each row
  when (old.link_source <> 'same_ip_ua_window') execute function mark_visitor();
-- Once an imported person sends a form, they are a lead of the site's forms.
create trigger facts_of_imported_lead after update of last_submitted_at on leads for each row
  when (new.imported_at is not null and old.last_submitted_at is distinct from new.last_submitted_at) execute function mark_lead();

-- Those there are already.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
update lead_facts f set touches_known_since = sealed.until
from (select site_id, max(ends_at) as until from rollup_state where sealed_at is not null group by 1) sealed
where sealed.site_id = f.site_id;
insert into dirty_leads (site_id, lead_id) select site_id, lead_id from leads;
