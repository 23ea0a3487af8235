-- Consent for each purpose, with who asked as it was shown; an unsubscribe that binds what is imported years later.

alter table consent_records add column purpose text check (purpose in ('email', 'all', 'other'));
comment on column consent_records.purpose is 'what for: email; all (a withdrawal of everything); other: consent_details.purpose names it, and an erasure forgets the name. Null: written before there were purposes, and hashed as then: a withdrawal was of all, the rest of email';
alter table consent_records drop constraint consent_records_action_check, add constraint consent_records_action_check check (
  action in ('requested', 'granted', 'regranted', 'renewed', 'reaffirmed', 'confirmed', 'withdrawn', 'expired', 'imported'));
create index consent_records_expiring on consent_records (site_id, expires_at) where expires_at is not null;

alter table consent_details
  add column purpose text check (purpose ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
  add column sender_name text,
  add column sender_address text,
  add column sender_contact text;
comment on column consent_details.sender_name is 'who asked, as the site said it then; with sender_address and sender_contact what CASL asks for';
-- its digest is made in two ways now: record_consent.sql
drop function if exists consent_details_digest(consent_details);

-- Every address that unsubscribed, once, by its hash: what is carried in later with older consent stays withdrawn.
alter table withdrawal_requests add column purpose text not null default 'all' check (purpose in ('all', 'email'));
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
delete from withdrawal_requests w using withdrawal_requests later
where later.site_id = w.site_id and later.email_hash = w.email_hash
  and (later.requested_at, later.request_id) > (w.requested_at, w.request_id);
create unique index withdrawal_requests_once on withdrawal_requests (site_id, email_hash, purpose);
drop index withdrawal_requests_by_address;
create index withdrawal_requests_by_age on withdrawal_requests (site_id, requested_at);
comment on table withdrawal_requests is 'every unsubscribe by address, known or not: the same write for both; binds captures under way and imports to come';
