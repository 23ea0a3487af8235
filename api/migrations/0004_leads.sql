-- People who left an address: leads, what they submitted, which visitors they are, and what has to be forgotten or sent.

create table leads (
  site_id uuid not null references sites,
  lead_id uuid not null default uuidv7(),
  email text not null check (length(email) <= 400),
  email_normalized text not null check (length(email_normalized) <= 400),
  email_domain text not null,
  domain_class text not null default 'business' check (domain_class in ('free_mail', 'business', 'disposable')),
  first_captured_at timestamptz(3) not null,
  last_submitted_at timestamptz(3) not null,
  first_source text not null default 'direct',
  first_utm jsonb,
  first_path text,
  first_referrer text,
  first_form_name text,
  source_channel text,
  first_visitor_id uuid,
  privacy_signal boolean not null default false,
  verified_at timestamptz(3),
  consent_status text not null default 'pending' check (consent_status in ('pending', 'implied', 'express', 'withdrawn', 'expired')),
  consent_at timestamptz(3),
  consent_expires_at timestamptz(3),
  consent_seq integer not null default 0,
  consent_head bytea,
  unsubscribe_key text not null,
  imported_at timestamptz(3),
  primary key (site_id, lead_id),
  unique (site_id, email_normalized),
  unique (site_id, unsubscribe_key)
);
comment on table leads is 'one row for each normalized address and site; a quarantined submission makes no lead before its release, so every row here counts';
comment on column leads.email is 'as typed first; email_normalized is trimmed, lower-case, NFC, with the domain in ASCII';
comment on column leads.first_source is 'traffic source class of the visitor''s first session we still have, else of the capture itself; first touch, never overwritten';
comment on column leads.first_visitor_id is 'visitor of the first capture; null for a form without JavaScript, under GPC/DNT, or imported';
comment on column leads.imported_at is 'set for rows of a CSV import: they did not come from this site''s forms';
comment on column leads.consent_head is 'hash of the lead''s newest consent record (consent_seq of them), so that a shortened chain shows too';
comment on column leads.unsubscribe_key is 'random, kept as it is: the link in an old mail must work after key rotation and after a restore';
create index leads_by_capture on leads (site_id, first_captured_at, lead_id);
create index leads_expiring on leads (consent_expires_at) where consent_expires_at is not null and consent_status = 'implied';
call isolate_sites('leads');

create table lead_identities (
  site_id uuid not null,
  identity_id uuid not null default uuidv7(),
  lead_id uuid not null,
  visitor_id uuid not null,
  link_source text not null check (link_source in ('form_submit', 'same_ip_ua_window', 'manual_merge')),
  confidence real not null check (confidence > 0 and confidence <= 1),
  linked_at timestamptz(3) not null default now(),
  unlinked_at timestamptz(3),
  primary key (site_id, identity_id),
  foreign key (site_id, lead_id) references leads on delete cascade
);
comment on table lead_identities is 'claims "this visitor is that lead"; a pair may have one active edge of each source, the strongest speaks';
comment on column lead_identities.unlinked_at is 'null: active. An undone edge stays as history';
create unique index lead_identities_active on lead_identities (site_id, lead_id, visitor_id, link_source) where unlinked_at is null;
create index lead_identities_by_visitor on lead_identities (site_id, visitor_id);
call isolate_sites('lead_identities');

create table submissions (
  site_id uuid not null,
  submission_id uuid not null default uuidv7(),
  lead_id uuid not null,
  event_id uuid,
  body_key uuid,
  form_name text not null,
  path text,
  source_channel text,
  payload jsonb,
  submitted_at timestamptz(3) not null,
  spam_score real not null default 0,
  primary key (site_id, submission_id),
  foreign key (site_id, lead_id) references leads on delete cascade
);
comment on column submissions.event_id is 'the form_submit event; null when the browser had no visitor id (JavaScript off)';
comment on column submissions.payload is 'the other fields of the form; dropped after 12 months';
create unique index submissions_once on submissions (site_id, lead_id, event_id) where event_id is not null;
create index submissions_by_lead on submissions (site_id, lead_id, submitted_at);
call isolate_sites('submissions');

create table quarantine (
  site_id uuid not null references sites,
  quarantine_id uuid not null default uuidv7(),
  received_at timestamptz(3) not null,
  email_normalized text,
  capture json,
  score real not null,
  reasons text[] not null,
  event_id uuid,
  decision text check (decision in ('released', 'dropped')),
  decided_at timestamptz(3),
  primary key (site_id, quarantine_id),
  check ((decision is null) = (decided_at is null))
);
comment on table quarantine is 'suspicious submissions; no lead, no mail, no consent before an admin releases one. Its event is stored with bot_reason ''spam'' until then';
comment on column quarantine.capture is 'everything capture_lead needs on release; null once decided';
create index quarantine_open on quarantine (site_id, received_at desc) where decision is null;
create index quarantine_by_address on quarantine (site_id, email_normalized) where email_normalized is not null;
call isolate_sites('quarantine');

create table opt_ins (
  site_id uuid not null,
  opt_in_id uuid not null default uuidv7(),
  lead_id uuid not null,
  token text not null,
  requested_at timestamptz(3) not null,
  confirmed_at timestamptz(3),
  cancelled_at timestamptz(3),
  request json not null,
  primary key (site_id, opt_in_id),
  unique (site_id, token),
  foreign key (site_id, lead_id) references leads on delete cascade
);
comment on table opt_ins is 'double opt-in: an express consent that waits for its second step';
comment on column opt_ins.request is 'the consent as record_consent takes it, written to the ledger when the address is confirmed';
create index opt_ins_by_lead on opt_ins (site_id, lead_id, requested_at desc);
call isolate_sites('opt_ins');

create table outgoing_mails (
  site_id uuid not null,
  mail_id uuid not null default uuidv7(),
  lead_id uuid not null,
  kind text not null check (kind in ('confirm')),
  opt_in_id uuid,
  queued_at timestamptz(3) not null default now(),
  next_attempt_at timestamptz(3) not null default now(),
  attempts smallint not null default 0,
  sent_at timestamptz(3),
  given_up_at timestamptz(3),
  last_error text,
  primary key (site_id, mail_id),
  foreign key (site_id, lead_id) references leads on delete cascade
);
comment on table outgoing_mails is 'queue of mails; address and words are read when it is sent, so nothing personal is copied here';
comment on column outgoing_mails.last_error is 'what the server''s refusal was, by code only';
create index outgoing_mails_due on outgoing_mails (next_attempt_at) where sent_at is null and given_up_at is null;
call isolate_sites('outgoing_mails');

create table withdrawal_requests (
  site_id uuid not null references sites,
  request_id uuid not null default uuidv7(),
  email_hash bytea not null,
  requested_at timestamptz(3) not null,
  primary key (site_id, request_id)
);
comment on table withdrawal_requests is 'every unsubscribe by address, known or not: the same write for both, and a capture still in flight finds it';
comment on column withdrawal_requests.email_hash is 'HMAC-SHA256(site and normalized address, pepper)';
create index withdrawal_requests_by_address on withdrawal_requests (site_id, email_hash, requested_at desc);
call isolate_sites('withdrawal_requests');

create table erasures (
  site_id uuid not null references sites,
  erasure_id uuid not null default uuidv7(),
  lead_id uuid,
  email_hash bytea not null,
  erased_at timestamptz(3) not null,
  unsubscribe_hash bytea,
  erased jsonb not null default '{}',
  primary key (site_id, erasure_id)
);
comment on table erasures is 'proof that an address was forgotten: hashes and times only; a capture that began before it is dropped';
comment on column erasures.erased is 'rows per table';
comment on column erasures.unsubscribe_hash is 'SHA-256 of the link''s key: an old mail''s link still answers that nothing more is sent';
create index erasures_by_address on erasures (site_id, email_hash, erased_at desc);
call isolate_sites('erasures');
create index erasures_by_link on erasures (site_id, unsubscribe_hash) where unsubscribe_hash is not null;
