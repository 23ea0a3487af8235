-- A tool that mails from a list has to hear of everyone it may no longer write to, and asks since when: a restriction and the site's own
-- impliedConsent: false have a moment like a withdrawal. Of those of before nobody noted when: they are told once, with this release.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
alter table leads add column restricted_at timestamptz(3);
comment on column leads.restricted_at is 'since when it is restricted; null: it is not';
update leads set restricted_at = now() where restricted;
create function note_restriction() returns trigger language plpgsql as $$
begin
  new.restricted_at := case when new.restricted then now() end;
  return new;
end $$;
create trigger restricted_since before update of restricted on leads for each row
  when (old.restricted is distinct from new.restricted) execute function note_restriction();

alter table sites add column implied_ended_at timestamptz(3);
comment on column sites.implied_ended_at is 'since when its setting impliedConsent is false; null: it is not';
update sites set implied_ended_at = now() where not coalesce((settings ->> 'impliedConsent')::boolean, true);
create function note_implied_end() returns trigger language plpgsql as $$
begin
  new.implied_ended_at := case when not coalesce((new.settings ->> 'impliedConsent')::boolean, true) then coalesce(new.implied_ended_at, now()) end;
  return new;
end $$;
create trigger implied_ended_since before insert or update of settings on sites for each row execute function note_implied_end();

-- whom such a list may be about, without reading every lead; few rows each
create index leads_restricted on leads (site_id, restricted_at) where restricted_at is not null;
create index consent_records_ended on consent_records (site_id, recorded_at) include (lead_id) where status in ('withdrawn', 'expired');
create index consent_details_by_purpose on consent_details (site_id, purpose, lead_id) where purpose <> 'email' and purpose <> 'all';
