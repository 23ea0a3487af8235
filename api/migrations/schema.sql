-- What the migrations and the functions beside the features make, as PostgreSQL tells it; nothing runs this file.
-- `npm run schema` writes it anew after a migration. Days' partitions are left out, and of functions the bodies.

alter default privileges in schema public grant delete, insert, select, update on tables to marketing_app;
alter default privileges in schema public grant select, usage on sequences to marketing_app;
grant usage on schema public to marketing_app;
grant usage on schema public to public;

create type arrived_event as (
  site_id uuid,
  event_id uuid,
  body_key uuid,
  visitor_id uuid,
  client_at timestamp(3) with time zone,
  received_at timestamp(3) with time zone,
  event_type text,
  path text,
  referrer text,
  source text,
  utm jsonb,
  bot_reason text,
  privacy_signal boolean,
  is_conversion boolean,
  engaged_ms integer,
  scroll_percent real,
  fcp_ms real,
  lcp_ms real,
  inp_ms real,
  ttfb_ms real,
  cls_score real,
  props jsonb,
  ip_hash bytea,
  ua_hash bytea,
  device_type text,
  browser text,
  os text,
  country text,
  day_before uuid,
  is_day_visitor boolean,
  follows boolean,
  is_linkable boolean
);

create table ab_exposures (
  site_id uuid not null,
  test_id uuid not null,
  visitor_id uuid not null,
  arm text not null,
  first_exposed_at timestamp(3) with time zone not null,
  converted_at timestamp(3) with time zone,
  constraint ab_exposures_pkey PRIMARY KEY (site_id, test_id, visitor_id),
  constraint ab_exposures_test_id_fkey FOREIGN KEY (test_id) REFERENCES ab_tests(test_id) ON DELETE CASCADE
);
CREATE INDEX ab_exposures_of_visitor ON ab_exposures USING btree (site_id, visitor_id);
alter table ab_exposures enable row level security;
alter table ab_exposures force row level security;
create policy own_sites on ab_exposures as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on ab_exposures to marketing_app;

create table ab_tests (
  test_id uuid default uuidv7() not null,
  site_id uuid not null,
  notification_id uuid not null,
  status text default 'draft'::text not null,
  control_share double precision not null,
  goal jsonb not null,
  min_days integer not null,
  max_days integer not null,
  winner text not null,
  stop_unproven boolean not null,
  split jsonb,
  verdict text default 'undecided'::text not null,
  chosen text,
  created_at timestamp(3) with time zone default now() not null,
  started_at timestamp(3) with time zone,
  decided_at timestamp(3) with time zone,
  ended_at timestamp(3) with time zone,
  constraint ab_tests_pkey PRIMARY KEY (test_id),
  constraint ab_tests_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint ab_tests_control_share_check CHECK (control_share >= 0.1::double precision AND control_share <= 0.9::double precision),
  constraint ab_tests_max_days_check CHECK (max_days >= 1 AND max_days <= 365),
  constraint ab_tests_min_days_check CHECK (min_days >= 1 AND min_days <= 365),
  constraint ab_tests_status_check CHECK (status = ANY (ARRAY['draft'::text, 'running'::text, 'ended'::text])),
  constraint ab_tests_verdict_check CHECK (verdict = ANY (ARRAY['undecided'::text, 'better'::text, 'harmful'::text, 'inconclusive'::text, 'invalid'::text])),
  constraint ab_tests_winner_check CHECK (winner = ANY (ARRAY['manual'::text, 'automatic'::text]))
);
CREATE INDEX ab_tests_of_site ON ab_tests USING btree (site_id, test_id);
CREATE UNIQUE INDEX ab_tests_running ON ab_tests USING btree (notification_id) WHERE status = 'running'::text;
alter table ab_tests enable row level security;
alter table ab_tests force row level security;
create policy own_sites on ab_tests as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on ab_tests to marketing_app;

create table ab_variants (
  test_id uuid not null,
  key text not null,
  site_id uuid not null,
  place integer not null,
  share double precision not null,
  texts jsonb,
  template_id uuid,
  trigger jsonb,
  constraint ab_variants_pkey PRIMARY KEY (test_id, key),
  constraint ab_variants_test_id_fkey FOREIGN KEY (test_id) REFERENCES ab_tests(test_id) ON DELETE CASCADE,
  constraint ab_variants_key_check CHECK (key ~ '^[a-z0-9_-]{1,32}$'::text AND key <> 'control'::text),
  constraint ab_variants_share_check CHECK (share > 0::double precision AND share < 1::double precision)
);
alter table ab_variants enable row level security;
alter table ab_variants force row level security;
create policy own_sites on ab_variants as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on ab_variants to marketing_app;

create table ab_verdicts (
  site_id uuid not null,
  test_id uuid not null,
  judged_at timestamp(3) with time zone default now() not null,
  verdict text not null,
  arms jsonb not null,
  comparisons jsonb not null,
  srm jsonb not null,
  constraint ab_verdicts_pkey PRIMARY KEY (site_id, test_id, judged_at),
  constraint ab_verdicts_test_id_fkey FOREIGN KEY (test_id) REFERENCES ab_tests(test_id) ON DELETE CASCADE
);
alter table ab_verdicts enable row level security;
alter table ab_verdicts force row level security;
create policy own_sites on ab_verdicts as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on ab_verdicts to marketing_app;

create table account_mails (
  mail_id uuid default uuidv7() not null,
  user_id uuid,
  kind text not null,
  language text not null,
  sealed bytea not null,
  key_id uuid not null,
  created_at timestamp(3) with time zone default now() not null,
  due_at timestamp(3) with time zone default now() not null,
  attempts integer default 0 not null,
  constraint account_mails_pkey PRIMARY KEY (mail_id),
  constraint account_mails_key_id_fkey FOREIGN KEY (key_id) REFERENCES encryption_keys(key_id),
  constraint account_mails_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint account_mails_language_check CHECK (language = ANY (ARRAY['en'::text, 'fr'::text]))
);
CREATE INDEX account_mails_due ON account_mails USING btree (due_at);
CREATE INDEX account_mails_of_user ON account_mails USING btree (user_id);
alter table account_mails enable row level security;
alter table account_mails force row level security;
create policy accounts on account_mails as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on account_mails to marketing_app;

create table ad_spend (
  site_id uuid not null,
  day date not null,
  source text not null,
  campaign text default ''::text not null,
  currency text not null,
  amount numeric(18,4) not null,
  updated_at timestamp(3) with time zone default now() not null,
  constraint ad_spend_pkey PRIMARY KEY (site_id, day, source, campaign, currency),
  constraint ad_spend_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint ad_spend_amount_check CHECK (amount >= 0::numeric),
  constraint ad_spend_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text)
);
alter table ad_spend enable row level security;
alter table ad_spend force row level security;
create policy own_sites on ad_spend as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER metrics_changed AFTER INSERT OR DELETE OR UPDATE ON ad_spend FOR EACH STATEMENT EXECUTE FUNCTION tell_metrics_changed();
grant delete, insert, select, update on ad_spend to marketing_app;

create table alert_rule_recipients (
  site_id uuid not null,
  rule_id uuid not null,
  recipient_id uuid not null,
  constraint alert_rule_recipients_pkey PRIMARY KEY (site_id, rule_id, recipient_id),
  constraint alert_rule_recipients_site_id_recipient_id_fkey FOREIGN KEY (site_id, recipient_id) REFERENCES mail_recipients(site_id, recipient_id) ON DELETE CASCADE,
  constraint alert_rule_recipients_site_id_rule_id_fkey FOREIGN KEY (site_id, rule_id) REFERENCES alert_rules(site_id, rule_id) ON DELETE CASCADE
);
CREATE INDEX alert_rule_recipients_of_recipient ON alert_rule_recipients USING btree (site_id, recipient_id);
alter table alert_rule_recipients enable row level security;
alter table alert_rule_recipients force row level security;
create policy own_sites on alert_rule_recipients as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on alert_rule_recipients to marketing_app;

create table alert_rules (
  site_id uuid not null,
  rule_id uuid default uuidv7() not null,
  kind text not null,
  sensitivity text not null,
  goal text,
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  told_at timestamp(3) with time zone,
  constraint alert_rules_pkey PRIMARY KEY (site_id, rule_id),
  constraint alert_rules_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint alert_rules_check CHECK ((kind = 'goal_zero'::text) = (goal IS NOT NULL)),
  constraint alert_rules_goal_check CHECK (length(goal) >= 1 AND length(goal) <= 64),
  constraint alert_rules_kind_check CHECK (kind = ANY (ARRAY['spike'::text, 'drop'::text, 'silence'::text, 'lead_drought'::text, 'goal_zero'::text])),
  constraint alert_rules_sensitivity_check CHECK (sensitivity = ANY (ARRAY['low'::text, 'normal'::text, 'high'::text]))
);
alter table alert_rules enable row level security;
alter table alert_rules force row level security;
create policy own_sites on alert_rules as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on alert_rules to marketing_app;

create table api_keys (
  key_id uuid default uuidv7() not null,
  name text not null,
  secret_hash bytea not null,
  scopes text[] not null,
  site_ids uuid[],
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  expires_at timestamp(3) with time zone not null,
  last_used_on date,
  revoked_at timestamp(3) with time zone,
  constraint api_keys_pkey PRIMARY KEY (key_id),
  constraint api_keys_name_check CHECK (length(name) >= 1 AND length(name) <= 200),
  constraint api_keys_scopes_check CHECK (cardinality(scopes) > 0),
  constraint api_keys_site_ids_check CHECK (cardinality(site_ids) > 0)
);
alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy accounts on api_keys as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on api_keys to marketing_app;

create table archive_erasures (
  site_id uuid not null,
  erasure_no bigint generated always as identity not null,
  day date not null,
  taken_visitor uuid,
  taken_event uuid,
  becomes uuid not null,
  since timestamp(3) with time zone default now() not null,
  constraint archive_erasures_pkey PRIMARY KEY (site_id, erasure_no),
  constraint archive_erasures_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint archive_erasures_check CHECK (num_nonnulls(taken_visitor, taken_event) = 1)
);
CREATE INDEX archive_erasures_by_day ON archive_erasures USING btree (site_id, day);
alter table archive_erasures enable row level security;
alter table archive_erasures force row level security;
create policy own_sites on archive_erasures as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on archive_erasures to marketing_app;

create table archive_removals (
  site_id uuid not null,
  file text not null,
  since timestamp(3) with time zone default now() not null,
  constraint archive_removals_pkey PRIMARY KEY (site_id, file),
  constraint archive_removals_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
alter table archive_removals enable row level security;
alter table archive_removals force row level security;
create policy own_sites on archive_removals as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on archive_removals to marketing_app;

create table archive_restores (
  site_id uuid not null,
  restore_id uuid default uuidv7() not null,
  from_day date not null,
  to_day date not null,
  state text default 'waiting'::text not null,
  days integer default 0 not null,
  rows bigint default 0 not null,
  why text,
  requested_by text not null,
  requested_at timestamp(3) with time zone default now() not null,
  finished_at timestamp(3) with time zone,
  constraint archive_restores_pkey PRIMARY KEY (site_id, restore_id),
  constraint archive_restores_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint archive_restores_check CHECK (from_day <= to_day),
  constraint archive_restores_state_check CHECK (state = ANY (ARRAY['waiting'::text, 'done'::text, 'failed'::text]))
);
CREATE UNIQUE INDEX archive_restores_waiting ON archive_restores USING btree (site_id) WHERE state = 'waiting'::text;
alter table archive_restores enable row level security;
alter table archive_restores force row level security;
create policy own_sites on archive_restores as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on archive_restores to marketing_app;

create table archive_runs (
  one boolean default true not null,
  at timestamp(3) with time zone not null,
  message text,
  failing_since timestamp(3) with time zone,
  days_waiting integer not null,
  constraint archive_runs_pkey PRIMARY KEY (one),
  constraint archive_runs_one_check CHECK (one)
);
grant delete, insert, select, update on archive_runs to marketing_app;

create table archives (
  site_id uuid not null,
  day date not null,
  file text not null,
  rows integer not null,
  bytes bigint not null,
  sha256 bytea not null,
  schema_version smallint not null,
  raw_rows integer not null,
  raw_sum numeric not null,
  visitors bytea not null,
  archived_at timestamp(3) with time zone default now() not null,
  rewritten_at timestamp(3) with time zone,
  constraint archives_pkey PRIMARY KEY (site_id, day),
  constraint archives_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint archives_file_check CHECK (length(file) <= 200),
  constraint archives_rows_check CHECK (rows > 0),
  constraint archives_sha256_check CHECK (length(sha256) = 32)
);
alter table archives enable row level security;
alter table archives force row level security;
create policy own_sites on archives as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on archives to marketing_app;

create table audit_log (
  site_id uuid not null,
  audit_id uuid default uuidv7() not null,
  at timestamp(3) with time zone default now() not null,
  actor text not null,
  action text not null,
  target text,
  outcome smallint not null,
  request_id uuid,
  details jsonb,
  constraint audit_log_pkey PRIMARY KEY (site_id, audit_id)
);
alter table audit_log enable row level security;
alter table audit_log force row level security;
create policy own_sites on audit_log as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant insert, select on audit_log to marketing_app;

create table auth_events (
  event_id uuid default uuidv7() not null,
  at timestamp(3) with time zone default now() not null,
  kind text not null,
  outcome text not null,
  method text,
  user_id uuid,
  actor text not null,
  request_id uuid,
  constraint auth_events_pkey PRIMARY KEY (event_id),
  constraint auth_events_outcome_check CHECK (outcome = ANY (ARRAY['done'::text, 'failed'::text]))
);
CREATE INDEX auth_events_of_user ON auth_events USING btree (user_id, at);
alter table auth_events enable row level security;
alter table auth_events force row level security;
create policy accounts on auth_events as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant insert, select on auth_events to marketing_app;

create table billed_subscriptions (
  site_id uuid not null,
  reference text not null,
  is_ours boolean default false not null,
  plan_id text,
  is_live boolean,
  told_at timestamp(3) with time zone,
  heard_at timestamp(3) with time zone default now() not null,
  settled_at timestamp(3) with time zone,
  constraint billed_subscriptions_pkey PRIMARY KEY (site_id, reference),
  constraint billed_subscriptions_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint billed_subscriptions_reference_check CHECK (length(reference) >= 1 AND length(reference) <= 255)
);
alter table billed_subscriptions enable row level security;
alter table billed_subscriptions force row level security;
create policy own_sites on billed_subscriptions as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on billed_subscriptions to marketing_app;

create table bot_verdicts (
  site_id uuid not null,
  verdict_id uuid default uuidv7() not null,
  visitor_id uuid not null,
  bot_reason text,
  judged_by text not null,
  judged_at timestamp(3) with time zone default now() not null,
  events bigint not null,
  constraint bot_verdicts_pkey PRIMARY KEY (site_id, verdict_id),
  constraint bot_verdicts_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint bot_verdicts_judged_by_check CHECK (judged_by = ANY (ARRAY['admin'::text, 'pattern'::text]))
);
CREATE INDEX bot_verdicts_by_visitor ON bot_verdicts USING btree (site_id, visitor_id, judged_at DESC);
alter table bot_verdicts enable row level security;
alter table bot_verdicts force row level security;
create policy own_sites on bot_verdicts as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER feed_changed_by_verdict AFTER INSERT ON bot_verdicts FOR EACH ROW EXECUTE FUNCTION tell_feed();
grant delete, insert, select, update on bot_verdicts to marketing_app;

create table breach_changes (
  site_id uuid not null,
  change_id uuid default uuidv7() not null,
  breach_id uuid not null,
  changed_at timestamp(3) with time zone default now() not null,
  before jsonb not null,
  constraint breach_changes_pkey PRIMARY KEY (site_id, change_id),
  constraint breach_changes_site_id_breach_id_fkey FOREIGN KEY (site_id, breach_id) REFERENCES breaches(site_id, breach_id)
);
CREATE INDEX breach_changes_of ON breach_changes USING btree (site_id, breach_id, change_id);
alter table breach_changes enable row level security;
alter table breach_changes force row level security;
create policy own_sites on breach_changes as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on breach_changes to marketing_app;

create table breaches (
  site_id uuid not null,
  breach_id uuid default uuidv7() not null,
  title text not null,
  description text not null,
  discovered_at timestamp(3) with time zone not null,
  happened_at timestamp(3) with time zone,
  affected_count integer,
  data_kinds text[] default '{}'::text[] not null,
  harm text,
  measures text,
  authority_told_at timestamp(3) with time zone,
  people_told_at timestamp(3) with time zone,
  closed_at timestamp(3) with time zone,
  created_at timestamp(3) with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  real_risk boolean,
  real_risk_why text,
  quebec_count integer,
  notices jsonb default '[]'::jsonb not null,
  authorities text[],
  tell_people boolean,
  tell_people_why text,
  site_count integer default 1 not null,
  constraint breaches_pkey PRIMARY KEY (site_id, breach_id),
  constraint breaches_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint breaches_affected_count_check CHECK (affected_count >= 0),
  constraint breaches_quebec_count_check CHECK (quebec_count >= 0),
  constraint breaches_site_count_check CHECK (site_count > 0)
);
CREATE INDEX breaches_by_day ON breaches USING btree (discovered_at DESC, breach_id);
alter table breaches enable row level security;
alter table breaches force row level security;
create policy own_sites on breaches as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on breaches to marketing_app;

create table browser_choice_words (
  site_id uuid not null,
  words_hash bytea not null,
  words text not null,
  first_shown_at timestamp(3) with time zone default now() not null,
  last_shown_at timestamp(3) with time zone default now() not null,
  constraint browser_choice_words_pkey PRIMARY KEY (site_id, words_hash),
  constraint browser_choice_words_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint browser_choice_words_words_check CHECK (length(words) <= 2000)
);
alter table browser_choice_words enable row level security;
alter table browser_choice_words force row level security;
create policy own_sites on browser_choice_words as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on browser_choice_words to marketing_app;

create table browser_choices (
  site_id uuid not null,
  choice_id uuid not null,
  mode text not null,
  visitor_id uuid,
  words_hash bytea not null,
  language text not null,
  privacy_signal boolean not null,
  chosen_at timestamp(3) with time zone not null,
  recorded_at timestamp(3) with time zone default now() not null,
  ends_at timestamp(3) with time zone not null,
  constraint browser_choices_pkey PRIMARY KEY (site_id, choice_id),
  constraint browser_choices_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint browser_choices_language_check CHECK (length(language) <= 35),
  constraint browser_choices_mode_check CHECK (mode = ANY (ARRAY['full'::text, 'measure'::text, 'page'::text, 'off'::text]))
);
CREATE INDEX browser_choices_ending ON browser_choices USING btree (site_id, ends_at);
CREATE INDEX browser_choices_newest ON browser_choices USING btree (site_id, chosen_at, choice_id);
CREATE INDEX browser_choices_of ON browser_choices USING btree (site_id, visitor_id, chosen_at) WHERE visitor_id IS NOT NULL;
CREATE INDEX browser_choices_words ON browser_choices USING btree (site_id, words_hash);
alter table browser_choices enable row level security;
alter table browser_choices force row level security;
create policy own_sites on browser_choices as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant insert, select on browser_choices to marketing_app;
grant update (visitor_id) on browser_choices to marketing_app;

create table consent_details (
  site_id uuid not null,
  record_id uuid not null,
  lead_id uuid not null,
  salt bytea not null,
  email_normalized text not null,
  text_id uuid,
  language text,
  policy_version text,
  purposes text,
  page text,
  form_name text,
  source text,
  evidence text,
  ip_hash bytea,
  ua_hash bytea,
  purpose text,
  sender_name text,
  sender_address text,
  sender_contact text,
  constraint consent_details_pkey PRIMARY KEY (site_id, record_id),
  constraint consent_details_purpose_check CHECK (purpose ~ '^[a-z0-9][a-z0-9_-]{0,63}$'::text)
);
CREATE INDEX consent_details_by_lead ON consent_details USING btree (site_id, lead_id);
CREATE INDEX consent_details_by_purpose ON consent_details USING btree (site_id, purpose, lead_id) WHERE purpose <> 'email'::text AND purpose <> 'all'::text;
CREATE INDEX consent_details_by_text ON consent_details USING btree (site_id, text_id) WHERE text_id IS NOT NULL;
alter table consent_details enable row level security;
alter table consent_details force row level security;
create policy own_sites on consent_details as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select on consent_details to marketing_app;

create table consent_records (
  site_id uuid not null,
  record_id uuid default uuidv7() not null,
  lead_id uuid not null,
  seq integer not null,
  action text not null,
  status text not null,
  kind text not null,
  basis text not null,
  text_hash bytea,
  privacy_signal boolean default false not null,
  occurred_at timestamp(3) with time zone not null,
  recorded_at timestamp(3) with time zone default now() not null,
  expires_at timestamp(3) with time zone,
  details_digest bytea not null,
  previous_hash bytea,
  hash bytea not null,
  purpose text,
  constraint consent_records_pkey PRIMARY KEY (site_id, record_id),
  constraint consent_records_site_id_lead_id_seq_key UNIQUE (site_id, lead_id, seq),
  constraint consent_records_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint consent_records_action_check CHECK (action = ANY (ARRAY['requested'::text, 'not_given'::text, 'granted'::text, 'regranted'::text, 'renewed'::text, 'reaffirmed'::text, 'confirmed'::text, 'withdrawn'::text, 'expired'::text, 'imported'::text])),
  constraint consent_records_basis_check CHECK (basis = ANY (ARRAY['form'::text, 'double_opt_in'::text, 'unsubscribe_link'::text, 'one_click'::text, 'unsubscribe_request'::text, 'self_service'::text, 'import'::text, 'expiry'::text, 'purchase'::text, 'admin'::text])),
  constraint consent_records_kind_check CHECK (kind = ANY (ARRAY['none'::text, 'express'::text, 'implied_inquiry'::text, 'implied_purchase'::text, 'implied_other'::text])),
  constraint consent_records_purpose_check CHECK (purpose = ANY (ARRAY['email'::text, 'all'::text, 'other'::text])),
  constraint consent_records_seq_check CHECK (seq >= 1),
  constraint consent_records_status_check CHECK (status = ANY (ARRAY['pending'::text, 'implied'::text, 'express'::text, 'withdrawn'::text, 'expired'::text]))
);
CREATE INDEX consent_records_ended ON consent_records USING btree (site_id, recorded_at) INCLUDE (lead_id) WHERE status = ANY (ARRAY['withdrawn'::text, 'expired'::text]);
CREATE INDEX consent_records_expiring ON consent_records USING btree (site_id, expires_at) WHERE expires_at IS NOT NULL;
alter table consent_records enable row level security;
alter table consent_records force row level security;
create policy own_sites on consent_records as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant insert, select on consent_records to marketing_app;

create table consent_texts (
  site_id uuid not null,
  text_id uuid default uuidv7() not null,
  name text not null,
  version integer not null,
  language text default 'en'::text not null,
  words text not null,
  words_hash bytea not null,
  origin text not null,
  created_at timestamp(3) with time zone default now() not null,
  constraint consent_texts_pkey PRIMARY KEY (site_id, text_id),
  constraint consent_texts_site_id_name_language_version_key UNIQUE (site_id, name, language, version),
  constraint consent_texts_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint consent_texts_origin_check CHECK (origin = ANY (ARRAY['admin'::text, 'form'::text])),
  constraint consent_texts_words_check CHECK (length(words) <= 8000)
);
CREATE UNIQUE INDEX consent_texts_by_words ON consent_texts USING btree (site_id, words_hash, language) WHERE origin = 'form'::text;
alter table consent_texts enable row level security;
alter table consent_texts force row level security;
create policy own_sites on consent_texts as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on consent_texts to marketing_app;

create table conversions (
  site_id uuid not null,
  conversion_id text not null,
  kind text not null,
  origin text not null,
  lead_id uuid,
  visitor_id uuid,
  occurred_at timestamp(3) with time zone not null,
  amount numeric(18,4),
  currency text,
  received_at timestamp(3) with time zone default now() not null,
  email_hash bytea,
  voided_at timestamp(3) with time zone,
  items text[],
  country text,
  privacy_signal boolean default false not null,
  constraint conversions_pkey PRIMARY KEY (site_id, origin, conversion_id),
  constraint conversions_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint conversions_conversion_id_check CHECK (length(conversion_id) >= 1 AND length(conversion_id) <= 200),
  constraint conversions_country_check CHECK (country ~ '^[A-Z]{2}$'::text),
  constraint conversions_currency_check CHECK (currency ~ '^[A-Z]{3}$'::text),
  constraint conversions_items_check CHECK (cardinality(items) <= 5),
  constraint conversions_kind_check CHECK (kind = ANY (ARRAY['signup'::text, 'activation'::text, 'purchase'::text, 'email_verify'::text])),
  constraint conversions_origin_check CHECK (origin = ANY (ARRAY['server'::text, 'browser'::text]))
);
CREATE INDEX conversions_bought ON conversions USING btree (site_id, occurred_at) WHERE kind = 'purchase'::text;
CREATE INDEX conversions_by_address ON conversions USING btree (site_id, email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX conversions_by_lead ON conversions USING btree (site_id, lead_id, kind) WHERE lead_id IS NOT NULL;
CREATE INDEX conversions_by_time ON conversions USING btree (site_id, occurred_at);
CREATE INDEX conversions_by_visitor ON conversions USING btree (site_id, visitor_id, kind) WHERE visitor_id IS NOT NULL;
alter table conversions enable row level security;
alter table conversions force row level security;
create policy own_sites on conversions as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER facts_by_conversion_of_lead AFTER INSERT OR DELETE OR UPDATE ON conversions FOR EACH ROW EXECUTE FUNCTION mark_lead();
CREATE TRIGGER facts_by_conversion_of_visitor AFTER INSERT OR DELETE OR UPDATE ON conversions FOR EACH ROW EXECUTE FUNCTION mark_visitor();
CREATE TRIGGER feed_changed_by_refund AFTER UPDATE ON conversions FOR EACH ROW WHEN (old.voided_at IS DISTINCT FROM new.voided_at) EXECUTE FUNCTION tell_feed();
CREATE TRIGGER metrics_changed AFTER INSERT OR DELETE OR UPDATE ON conversions FOR EACH STATEMENT EXECUTE FUNCTION tell_metrics_changed();
grant delete, insert, select, update on conversions to marketing_app;

create table custom_fields (
  site_id uuid not null,
  field_id uuid default uuidv7() not null,
  name text not null,
  field_type text not null,
  applies_to text not null,
  personal boolean not null,
  options text[],
  version integer default 1 not null,
  created_at timestamp(3) with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  constraint custom_fields_pkey PRIMARY KEY (site_id, field_id),
  constraint custom_fields_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint custom_fields_applies_to_check CHECK (applies_to = ANY (ARRAY['lead'::text, 'visitor'::text, 'event'::text])),
  constraint custom_fields_check CHECK ((options IS NOT NULL) = (field_type = 'enum'::text)),
  constraint custom_fields_field_type_check CHECK (field_type = ANY (ARRAY['text'::text, 'number'::text, 'boolean'::text, 'date'::text, 'enum'::text])),
  constraint custom_fields_name_check CHECK (length(name) >= 1 AND length(name) <= 64)
);
CREATE UNIQUE INDEX custom_fields_named ON custom_fields USING btree (site_id, (applies_to = 'lead'::text), name);
alter table custom_fields enable row level security;
alter table custom_fields force row level security;
create policy own_sites on custom_fields as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER custom_fields_changed AFTER INSERT OR DELETE OR UPDATE ON custom_fields FOR EACH STATEMENT EXECUTE FUNCTION tell_custom_fields_changed();
grant delete, insert, select, update on custom_fields to marketing_app;

create table daily_breakdowns (
  site_id uuid not null,
  day date not null,
  kind text not null,
  name text not null,
  detail text default ''::text not null,
  sessions bigint default 0 not null,
  page_views bigint default 0 not null,
  conversions bigint default 0 not null,
  events bigint default 0 not null,
  engaged_ms bigint default 0 not null,
  visitors bigint default 0 not null,
  entrances bigint default 0 not null,
  constraint daily_breakdowns_pkey PRIMARY KEY (site_id, day, kind, name, detail),
  constraint daily_breakdowns_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
CREATE INDEX daily_breakdowns_holding_addresses ON daily_breakdowns USING btree (site_id) WHERE may_hold_address(name) OR may_hold_address(detail) OR length(name) = 512 OR length(detail) = 512;
alter table daily_breakdowns enable row level security;
alter table daily_breakdowns force row level security;
create policy own_sites on daily_breakdowns as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on daily_breakdowns to marketing_app;

create table daily_ingest_rollups (
  site_id uuid not null,
  day date not null,
  received bigint not null,
  accepted bigint not null,
  duplicate bigint not null,
  rejected bigint not null,
  rejected_by_reason jsonb not null,
  latencies jsonb not null,
  constraint daily_ingest_rollups_pkey PRIMARY KEY (site_id, day),
  constraint daily_ingest_rollups_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
alter table daily_ingest_rollups enable row level security;
alter table daily_ingest_rollups force row level security;
create policy own_sites on daily_ingest_rollups as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on daily_ingest_rollups to marketing_app;

create table daily_metric_rollups (
  site_id uuid not null,
  day date not null,
  human_events bigint not null,
  page_views bigint not null,
  unique_visitors bigint not null,
  sessions bigint not null,
  entrances bigint not null,
  landing_conversions bigint not null,
  forms_started bigint not null,
  forms_submitted bigint not null,
  email_verifies bigint not null,
  bot_events bigint not null,
  bots_by_reason jsonb not null,
  clamped_events bigint not null,
  late_events bigint not null,
  sessions_by_source jsonb not null,
  vitals jsonb not null,
  bounces bigint default 0 not null,
  engaged_ms bigint default 0 not null,
  constraint daily_metric_rollups_pkey PRIMARY KEY (site_id, day),
  constraint daily_metric_rollups_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
alter table daily_metric_rollups enable row level security;
alter table daily_metric_rollups force row level security;
create policy own_sites on daily_metric_rollups as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on daily_metric_rollups to marketing_app;

create table daily_notification_rollups (
  site_id uuid not null,
  day date not null,
  notification_id uuid not null,
  variant text not null,
  exposed bigint not null,
  shown bigint not null,
  hovered bigint not null,
  clicked bigint not null,
  dismissed bigint not null,
  viewers bigint not null,
  clickers bigint not null,
  dismissers bigint not null,
  constraint daily_notification_rollups_pkey PRIMARY KEY (site_id, day, notification_id, variant)
);
alter table daily_notification_rollups enable row level security;
alter table daily_notification_rollups force row level security;
create policy own_sites on daily_notification_rollups as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on daily_notification_rollups to marketing_app;

create table day_salts (
  day date not null,
  salt bytea default sha256((uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) || uuid_send(gen_random_uuid())) not null,
  made_at timestamp(3) with time zone default now() not null,
  constraint day_salts_pkey PRIMARY KEY (day)
);
grant delete, insert, select, update on day_salts to marketing_app;

create table deliveries (
  site_id uuid not null,
  delivery_id uuid default uuidv7() not null,
  webhook_id uuid not null,
  type text not null,
  data jsonb not null,
  lead_id uuid,
  visitor_id uuid,
  happened_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone default now() not null,
  state text default 'pending'::text not null,
  due_at timestamp(3) with time zone default now() not null,
  tries integer default 0 not null,
  attempts jsonb default '[]'::jsonb not null,
  constraint deliveries_pkey PRIMARY KEY (site_id, delivery_id),
  constraint deliveries_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint deliveries_site_id_webhook_id_fkey FOREIGN KEY (site_id, webhook_id) REFERENCES webhooks(site_id, webhook_id) ON DELETE CASCADE,
  constraint deliveries_state_check CHECK (state = ANY (ARRAY['pending'::text, 'delivered'::text, 'dead'::text]))
);
CREATE INDEX deliveries_due ON deliveries USING btree (site_id, webhook_id, due_at) WHERE state = 'pending'::text;
CREATE INDEX deliveries_of_lead ON deliveries USING btree (site_id, lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX deliveries_of_webhook ON deliveries USING btree (site_id, webhook_id, delivery_id);
alter table deliveries enable row level security;
alter table deliveries force row level security;
create policy own_sites on deliveries as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on deliveries to marketing_app;

create table dirty_days (
  mark_id bigint generated always as identity not null,
  site_id uuid not null,
  day date not null,
  cause text not null,
  marked_at timestamp(3) with time zone default now() not null,
  constraint dirty_days_pkey PRIMARY KEY (mark_id)
);
alter table dirty_days enable row level security;
alter table dirty_days force row level security;
create policy own_sites on dirty_days as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on dirty_days to marketing_app;

create table dirty_leads (
  mark_id bigint generated always as identity not null,
  site_id uuid not null,
  lead_id uuid,
  visitor_id uuid,
  is_first_touch boolean default false not null,
  constraint dirty_leads_pkey PRIMARY KEY (mark_id),
  constraint dirty_leads_check CHECK (num_nonnulls(lead_id, visitor_id) = 1)
);
CREATE INDEX dirty_leads_by_site ON dirty_leads USING btree (site_id, mark_id);
alter table dirty_leads enable row level security;
alter table dirty_leads force row level security;
create policy own_sites on dirty_leads as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on dirty_leads to marketing_app;

create table dirty_visits (
  mark_id bigint generated always as identity not null,
  site_id uuid not null,
  since timestamp(3) with time zone not null,
  until timestamp(3) with time zone not null,
  visitor_ids uuid[] not null,
  marked_at timestamp(3) with time zone default now() not null,
  constraint dirty_visits_pkey PRIMARY KEY (site_id, mark_id)
);
alter table dirty_visits enable row level security;
alter table dirty_visits force row level security;
create policy own_sites on dirty_visits as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on dirty_visits to marketing_app;

create table display_consents (
  site_id uuid not null,
  record_id uuid default uuidv7() not null,
  lead_id uuid not null,
  seq integer not null,
  action text not null,
  basis text not null,
  fields text[] not null,
  words_hash bytea,
  occurred_at timestamp(3) with time zone not null,
  recorded_at timestamp(3) with time zone not null,
  details_digest bytea,
  previous_hash bytea,
  hash bytea not null,
  review_id uuid,
  constraint display_consents_pkey PRIMARY KEY (site_id, record_id),
  constraint display_consents_site_id_lead_id_seq_key UNIQUE (site_id, lead_id, seq),
  constraint display_consents_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint display_consents_action_check CHECK (action = ANY (ARRAY['granted'::text, 'withdrawn'::text])),
  constraint display_consents_basis_check CHECK (basis = ANY (ARRAY['form'::text, 'order'::text, 'link'::text, 'request'::text, 'restore'::text, 'admin'::text, 'import'::text])),
  constraint display_consents_fields_check CHECK (fields <@ ARRAY['name'::text, 'place'::text, 'product'::text])
);
alter table display_consents enable row level security;
alter table display_consents force row level security;
create policy own_sites on display_consents as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER feed_changed_by_display AFTER INSERT ON display_consents FOR EACH ROW EXECUTE FUNCTION tell_feed();
grant insert, select on display_consents to marketing_app;

create table display_details (
  site_id uuid not null,
  record_id uuid not null,
  lead_id uuid not null,
  salt bytea not null,
  given_name text,
  city text,
  region text,
  country text,
  page text,
  form_name text,
  review_hash bytea,
  evidence text,
  constraint display_details_pkey PRIMARY KEY (site_id, record_id),
  constraint display_details_city_check CHECK (length(city) <= 100),
  constraint display_details_country_check CHECK (country ~ '^[A-Z]{2}$'::text),
  constraint display_details_evidence_check CHECK (length(evidence) <= 2000),
  constraint display_details_given_name_check CHECK (length(given_name) <= 40),
  constraint display_details_region_check CHECK (length(region) <= 100)
);
CREATE INDEX display_details_of ON display_details USING btree (site_id, lead_id);
CREATE INDEX display_details_places ON display_details USING btree (site_id, country) WHERE country IS NOT NULL;
alter table display_details enable row level security;
alter table display_details force row level security;
create policy own_sites on display_details as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on display_details to marketing_app;

create table display_words (
  site_id uuid not null,
  words_hash bytea not null,
  words text not null,
  first_shown_at timestamp(3) with time zone default now() not null,
  constraint display_words_pkey PRIMARY KEY (site_id, words_hash),
  constraint display_words_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint display_words_words_check CHECK (length(words) <= 2000)
);
alter table display_words enable row level security;
alter table display_words force row level security;
create policy own_sites on display_words as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on display_words to marketing_app;

create table encryption_keys (
  key_id uuid default uuidv7() not null,
  purpose text not null,
  wrapped bytea not null,
  wrapped_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  constraint encryption_keys_pkey PRIMARY KEY (key_id),
  constraint encryption_keys_purpose_check CHECK (purpose = 'accounts'::text)
);
alter table encryption_keys enable row level security;
alter table encryption_keys force row level security;
create policy accounts on encryption_keys as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on encryption_keys to marketing_app;

create table erasures (
  site_id uuid not null,
  erasure_id uuid default uuidv7() not null,
  lead_id uuid,
  email_hash bytea not null,
  erased_at timestamp(3) with time zone not null,
  unsubscribe_hash bytea,
  erased jsonb default '{}'::jsonb not null,
  cause text,
  was_stranger boolean default false not null,
  constraint erasures_pkey PRIMARY KEY (site_id, erasure_id),
  constraint erasures_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint erasures_cause_check CHECK (cause = ANY (ARRAY['request'::text, 'time'::text]))
);
CREATE INDEX erasures_asked ON erasures USING btree (site_id, erased_at) WHERE cause IS DISTINCT FROM 'time'::text AND erased <> '{}'::jsonb;
CREATE INDEX erasures_by_address ON erasures USING btree (site_id, email_hash, erased_at DESC);
CREATE INDEX erasures_by_link ON erasures USING btree (site_id, unsubscribe_hash) WHERE unsubscribe_hash IS NOT NULL;
alter table erasures enable row level security;
alter table erasures force row level security;
create policy own_sites on erasures as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER feed_changed_by_erasure AFTER INSERT ON erasures FOR EACH ROW EXECUTE FUNCTION tell_feed();
CREATE TRIGGER metrics_changed AFTER INSERT ON erasures FOR EACH STATEMENT EXECUTE FUNCTION tell_metrics_changed();
grant delete, insert, select, update on erasures to marketing_app;

create table event_keys (
  site_id uuid not null,
  event_id uuid not null,
  visitor_id uuid not null,
  occurred_at timestamp(3) with time zone not null,
  constraint event_keys_pkey PRIMARY KEY (site_id, event_id)
);
CREATE INDEX event_keys_by_time ON event_keys USING brin (occurred_at);
alter table event_keys enable row level security;
alter table event_keys force row level security;
create policy own_sites on event_keys as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on event_keys to marketing_app;

create table events (
  site_id uuid not null,
  event_id uuid not null,
  visitor_id uuid not null,
  session_id uuid not null,
  occurred_at timestamp(3) with time zone not null,
  received_at timestamp(3) with time zone not null,
  event_type text not null,
  path text not null,
  referrer text,
  source text,
  utm jsonb,
  bot_reason text,
  clamped boolean not null,
  privacy_signal boolean not null,
  is_conversion boolean not null,
  engaged_ms integer,
  scroll_percent real,
  fcp_ms real,
  lcp_ms real,
  inp_ms real,
  ttfb_ms real,
  cls_score real,
  props jsonb,
  device_type text,
  browser text,
  os text,
  country text
) partition by RANGE (occurred_at);
CREATE INDEX events_by_time ON ONLY events USING brin (occurred_at) WITH (pages_per_range='16');
CREATE INDEX events_by_visitor ON ONLY events USING btree (site_id, visitor_id, occurred_at);
CREATE INDEX events_holding_addresses ON ONLY events USING btree (site_id, received_at) WHERE may_hold_address(path) OR may_hold_address(referrer) OR may_hold_address(utm::text) OR may_hold_address(props::text);
alter table events enable row level security;
alter table events force row level security;
create policy own_sites on events as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on events to marketing_app;

create table full_days (
  site_id uuid not null,
  day date not null,
  what text not null,
  since timestamp(3) with time zone default now() not null,
  constraint full_days_pkey PRIMARY KEY (site_id, day, what),
  constraint full_days_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
alter table full_days enable row level security;
alter table full_days force row level security;
create policy own_sites on full_days as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on full_days to marketing_app;

create table import_batches (
  site_id uuid not null,
  import_id uuid not null,
  seq integer not null,
  digest bytea not null,
  rows integer not null,
  constraint import_batches_pkey PRIMARY KEY (site_id, import_id, seq),
  constraint import_batches_site_id_import_id_fkey FOREIGN KEY (site_id, import_id) REFERENCES imports(site_id, import_id) ON DELETE CASCADE,
  constraint import_batches_seq_check CHECK (seq >= 0)
);
alter table import_batches enable row level security;
alter table import_batches force row level security;
create policy own_sites on import_batches as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on import_batches to marketing_app;

create table imported_days (
  site_id uuid not null,
  day date not null,
  kind text not null,
  name text not null,
  detail text default ''::text not null,
  import_id uuid not null,
  visitors bigint default 0 not null,
  visits bigint default 0 not null,
  pageviews bigint default 0 not null,
  bounces bigint default 0 not null,
  seconds bigint default 0 not null,
  events bigint default 0 not null,
  constraint imported_days_pkey PRIMARY KEY (site_id, day, kind, name, detail, import_id),
  constraint imported_days_site_id_import_id_fkey FOREIGN KEY (site_id, import_id) REFERENCES imports(site_id, import_id) ON DELETE CASCADE
);
CREATE INDEX imported_days_holding_addresses ON imported_days USING btree (site_id) WHERE may_hold_address(name) OR may_hold_address(detail) OR length(name) = 512 OR length(detail) = 512;
CREATE INDEX imported_days_of_import ON imported_days USING btree (site_id, import_id);
alter table imported_days enable row level security;
alter table imported_days force row level security;
create policy own_sites on imported_days as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on imported_days to marketing_app;

create table imports (
  site_id uuid not null,
  import_id uuid default uuidv7() not null,
  source text not null,
  files jsonb not null,
  time_zone text not null,
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  finished_at timestamp(3) with time zone,
  constraint imports_pkey PRIMARY KEY (site_id, import_id),
  constraint imports_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint imports_source_check CHECK (source = ANY (ARRAY['plausible'::text, 'umami'::text, 'ga4'::text, 'matomo'::text, 'goatcounter'::text, 'fathom'::text]))
);
alter table imports enable row level security;
alter table imports force row level security;
create policy own_sites on imports as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER metrics_changed AFTER DELETE OR UPDATE ON imports FOR EACH STATEMENT EXECUTE FUNCTION tell_metrics_changed();
grant delete, insert, select, update on imports to marketing_app;

create table inbound_deliveries (
  site_id uuid not null,
  integration_id uuid not null,
  delivery_key bytea not null,
  outcome text not null,
  received_at timestamp(3) with time zone default now() not null,
  constraint inbound_deliveries_pkey PRIMARY KEY (site_id, integration_id, delivery_key),
  constraint inbound_deliveries_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint inbound_deliveries_site_id_integration_id_fkey FOREIGN KEY (site_id, integration_id) REFERENCES integrations(site_id, integration_id) ON DELETE CASCADE,
  constraint inbound_deliveries_outcome_check CHECK (outcome = ANY (ARRAY['stored'::text, 'ignored'::text]))
);
alter table inbound_deliveries enable row level security;
alter table inbound_deliveries force row level security;
create policy own_sites on inbound_deliveries as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on inbound_deliveries to marketing_app;

create table ingest_latencies (
  site_id uuid not null,
  day date not null,
  bucket smallint not null,
  count bigint not null,
  constraint ingest_latencies_pkey PRIMARY KEY (site_id, day, bucket),
  constraint ingest_latencies_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
) with (fillfactor=70);
alter table ingest_latencies enable row level security;
alter table ingest_latencies force row level security;
create policy own_sites on ingest_latencies as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on ingest_latencies to marketing_app;

create table ingest_ledger (
  site_id uuid not null,
  day date not null,
  outcome text not null,
  reason text default ''::text not null,
  slot smallint default (pg_backend_pid() % 16) not null,
  count bigint not null,
  constraint ingest_ledger_pkey PRIMARY KEY (site_id, day, outcome, reason, slot),
  constraint ingest_ledger_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint ingest_ledger_outcome_check CHECK (outcome = ANY (ARRAY['received'::text, 'accepted'::text, 'duplicate'::text, 'rejected'::text]))
) with (fillfactor=70);
alter table ingest_ledger enable row level security;
alter table ingest_ledger force row level security;
create policy own_sites on ingest_ledger as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on ingest_ledger to marketing_app;

create table installation (
  only_one boolean default true not null,
  id uuid default gen_random_uuid() not null,
  pepper_mark text,
  constraint installation_pkey PRIMARY KEY (only_one),
  constraint installation_only_one_check CHECK (only_one)
);
grant delete, insert, select, update on installation to marketing_app;

create table integration_secrets (
  secret_id uuid default uuidv7() not null,
  site_id uuid not null,
  integration_id uuid not null,
  sealed bytea not null,
  key_id uuid not null,
  created_at timestamp(3) with time zone default now() not null,
  ends_at timestamp(3) with time zone,
  constraint integration_secrets_pkey PRIMARY KEY (secret_id),
  constraint integration_secrets_key_id_fkey FOREIGN KEY (key_id) REFERENCES encryption_keys(key_id),
  constraint integration_secrets_site_id_integration_id_fkey FOREIGN KEY (site_id, integration_id) REFERENCES integrations(site_id, integration_id) ON DELETE CASCADE
);
CREATE INDEX integration_secrets_of_integration ON integration_secrets USING btree (site_id, integration_id);
alter table integration_secrets enable row level security;
alter table integration_secrets force row level security;
create policy accounts on integration_secrets as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on integration_secrets to marketing_app;

create table integrations (
  site_id uuid not null,
  integration_id uuid default uuidv7() not null,
  kind text not null,
  mapping jsonb default '{}'::jsonb not null,
  version integer default 1 not null,
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  refused bigint default 0 not null,
  refused_at timestamp(3) with time zone,
  constraint integrations_pkey PRIMARY KEY (site_id, integration_id),
  constraint integrations_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint integrations_kind_check CHECK (kind = ANY (ARRAY['shopify'::text, 'woocommerce'::text, 'stripe'::text, 'standard_webhooks'::text, 'generic'::text]))
);
alter table integrations enable row level security;
alter table integrations force row level security;
create policy own_sites on integrations as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on integrations to marketing_app;

create table job_runs (
  run_id uuid default uuidv7() not null,
  job text not null,
  scheduled_for timestamp(3) with time zone,
  trigger text not null,
  state text default 'running'::text not null,
  started_at timestamp(3) with time zone default clock_timestamp() not null,
  finished_at timestamp(3) with time zone,
  attempts smallint default 1 not null,
  options jsonb default '{}'::jsonb not null,
  result jsonb,
  error text,
  constraint job_runs_pkey PRIMARY KEY (run_id),
  constraint job_runs_job_scheduled_for_key UNIQUE (job, scheduled_for),
  constraint job_runs_job_check CHECK (job ~ '^[a-z0-9_]{1,64}$'::text),
  constraint job_runs_state_check CHECK (state = ANY (ARRAY['running'::text, 'succeeded'::text, 'incomplete'::text, 'failed'::text, 'abandoned'::text])),
  constraint job_runs_trigger_check CHECK (trigger = ANY (ARRAY['schedule'::text, 'made_up'::text, 'by_hand'::text]))
);
CREATE INDEX job_runs_by_job ON job_runs USING btree (job, started_at DESC);
grant delete, insert, select, update on job_runs to marketing_app;

create table lead_credits (
  site_id uuid not null,
  lead_id uuid not null,
  kind text not null,
  nth integer not null,
  part smallint not null,
  at timestamp(3) with time zone not null,
  captured_at timestamp(3) with time zone not null,
  source text not null,
  campaign text,
  conversions smallint not null,
  touches smallint not null,
  known_since timestamp(3) with time zone,
  first integer not null,
  last integer not null,
  linear integer not null,
  time_decay integer not null,
  "position" integer not null,
  currency text,
  first_units bigint,
  last_units bigint,
  linear_units bigint,
  time_decay_units bigint,
  position_units bigint,
  constraint lead_credits_pkey PRIMARY KEY (site_id, lead_id, kind, nth, part),
  constraint lead_credits_site_id_lead_id_fkey FOREIGN KEY (site_id, lead_id) REFERENCES lead_facts(site_id, lead_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
  constraint lead_credits_kind_check CHECK (kind = ANY (ARRAY['lead'::text, 'signup'::text, 'activation'::text, 'purchase'::text]))
) with (fillfactor=90);
CREATE INDEX lead_credits_by_capture ON lead_credits USING btree (site_id, kind, captured_at) WHERE kind <> 'lead'::text;
CREATE INDEX lead_credits_by_time ON lead_credits USING btree (site_id, kind, at);
alter table lead_credits enable row level security;
alter table lead_credits force row level security;
create policy own_sites on lead_credits as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on lead_credits to marketing_app;

create table lead_facts (
  site_id uuid not null,
  lead_id uuid not null,
  day date not null,
  first_captured_at timestamp(3) with time zone not null,
  source text not null,
  utm_source text,
  utm_medium text,
  campaign text,
  domain_class text not null,
  verified_at timestamp(3) with time zone,
  signed_up_at timestamp(3) with time zone,
  activated_at timestamp(3) with time zone,
  hours double precision,
  touches_known_since timestamp(3) with time zone,
  constraint lead_facts_pkey PRIMARY KEY (site_id, lead_id)
) with (fillfactor=90);
CREATE INDEX lead_facts_by_activation ON lead_facts USING btree (site_id, activated_at) WHERE activated_at IS NOT NULL;
CREATE INDEX lead_facts_by_capture ON lead_facts USING btree (site_id, first_captured_at, lead_id);
CREATE INDEX lead_facts_by_signup ON lead_facts USING btree (site_id, signed_up_at) WHERE signed_up_at IS NOT NULL;
CREATE INDEX lead_facts_verified ON lead_facts USING btree (site_id) WHERE verified_at IS NOT NULL;
alter table lead_facts enable row level security;
alter table lead_facts force row level security;
create policy own_sites on lead_facts as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER metrics_changed AFTER INSERT OR DELETE OR UPDATE ON lead_facts FOR EACH STATEMENT EXECUTE FUNCTION tell_metrics_changed();
grant delete, insert, select, update on lead_facts to marketing_app;

create table lead_identities (
  site_id uuid not null,
  identity_id uuid default uuidv7() not null,
  lead_id uuid not null,
  visitor_id uuid not null,
  link_source text not null,
  confidence real not null,
  linked_at timestamp(3) with time zone default now() not null,
  unlinked_at timestamp(3) with time zone,
  ended_at timestamp(3) with time zone,
  constraint lead_identities_pkey PRIMARY KEY (site_id, identity_id),
  constraint lead_identities_site_id_lead_id_fkey FOREIGN KEY (site_id, lead_id) REFERENCES leads(site_id, lead_id) ON DELETE CASCADE,
  constraint lead_identities_confidence_check CHECK (confidence > 0::double precision AND confidence <= 1::double precision),
  constraint lead_identities_link_source_check CHECK (link_source = ANY (ARRAY['form_submit'::text, 'same_ip_ua_window'::text, 'manual_merge'::text]))
);
CREATE UNIQUE INDEX lead_identities_active ON lead_identities USING btree (site_id, lead_id, visitor_id, link_source) WHERE unlinked_at IS NULL;
CREATE INDEX lead_identities_by_visitor ON lead_identities USING btree (site_id, visitor_id);
alter table lead_identities enable row level security;
alter table lead_identities force row level security;
create policy own_sites on lead_identities as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER facts_by_changed_link AFTER UPDATE ON lead_identities FOR EACH ROW WHEN (old.link_source <> 'same_ip_ua_window'::text OR new.link_source <> 'same_ip_ua_window'::text) EXECUTE FUNCTION mark_lead();
CREATE TRIGGER facts_by_gone_link AFTER DELETE ON lead_identities FOR EACH ROW WHEN (old.link_source <> 'same_ip_ua_window'::text) EXECUTE FUNCTION mark_lead();
CREATE TRIGGER facts_by_new_link AFTER INSERT ON lead_identities FOR EACH ROW WHEN (new.link_source <> 'same_ip_ua_window'::text) EXECUTE FUNCTION mark_visitor();
CREATE TRIGGER facts_of_others_by_changed_link AFTER UPDATE ON lead_identities FOR EACH ROW WHEN (old.link_source <> 'same_ip_ua_window'::text OR new.link_source <> 'same_ip_ua_window'::text) EXECUTE FUNCTION mark_visitor();
CREATE TRIGGER facts_of_others_by_gone_link AFTER DELETE ON lead_identities FOR EACH ROW WHEN (old.link_source <> 'same_ip_ua_window'::text) EXECUTE FUNCTION mark_visitor();
grant delete, insert, select, update on lead_identities to marketing_app;

create table lead_rectifications (
  site_id uuid not null,
  rectification_id uuid default uuidv7() not null,
  lead_id uuid not null,
  rectified_at timestamp(3) with time zone default now() not null,
  email_hash bytea not null,
  evidence text,
  constraint lead_rectifications_pkey PRIMARY KEY (site_id, rectification_id),
  constraint lead_rectifications_site_id_lead_id_fkey FOREIGN KEY (site_id, lead_id) REFERENCES leads(site_id, lead_id) ON DELETE CASCADE,
  constraint lead_rectifications_evidence_check CHECK (length(evidence) <= 2000)
);
CREATE INDEX lead_rectifications_by_address ON lead_rectifications USING btree (site_id, email_hash);
CREATE INDEX lead_rectifications_of ON lead_rectifications USING btree (site_id, lead_id);
alter table lead_rectifications enable row level security;
alter table lead_rectifications force row level security;
create policy own_sites on lead_rectifications as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on lead_rectifications to marketing_app;

create table lead_touches (
  site_id uuid not null,
  lead_id uuid not null,
  session_id uuid not null,
  visitor_id uuid not null,
  started_at timestamp(3) with time zone not null,
  source text not null,
  utm_source text,
  utm_medium text,
  campaign text,
  is_weak boolean not null,
  constraint lead_touches_pkey PRIMARY KEY (site_id, lead_id, session_id),
  constraint lead_touches_site_id_lead_id_fkey FOREIGN KEY (site_id, lead_id) REFERENCES lead_facts(site_id, lead_id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX lead_touches_by_time ON lead_touches USING btree (site_id, started_at);
alter table lead_touches enable row level security;
alter table lead_touches force row level security;
create policy own_sites on lead_touches as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on lead_touches to marketing_app;

create table leads (
  site_id uuid not null,
  lead_id uuid default uuidv7() not null,
  email text not null,
  email_normalized text not null,
  email_domain text not null,
  domain_class text default 'business'::text not null,
  first_captured_at timestamp(3) with time zone not null,
  last_submitted_at timestamp(3) with time zone not null,
  first_source text default 'direct'::text not null,
  first_utm jsonb,
  first_path text,
  first_referrer text,
  first_form_name text,
  source_channel text,
  first_visitor_id uuid,
  privacy_signal boolean default false not null,
  verified_at timestamp(3) with time zone,
  consent_status text default 'pending'::text not null,
  consent_at timestamp(3) with time zone,
  consent_expires_at timestamp(3) with time zone,
  consent_seq integer default 0 not null,
  consent_head bytea,
  unsubscribe_key text not null,
  imported_at timestamp(3) with time zone,
  no_profiling boolean default false not null,
  restricted boolean default false not null,
  attributes jsonb,
  display_withdrawn_at timestamp(3) with time zone,
  restricted_at timestamp(3) with time zone,
  constraint leads_pkey PRIMARY KEY (site_id, lead_id),
  constraint leads_site_id_email_normalized_key UNIQUE (site_id, email_normalized),
  constraint leads_site_id_unsubscribe_key_key UNIQUE (site_id, unsubscribe_key),
  constraint leads_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint leads_consent_status_check CHECK (consent_status = ANY (ARRAY['pending'::text, 'implied'::text, 'express'::text, 'withdrawn'::text, 'expired'::text])),
  constraint leads_domain_class_check CHECK (domain_class = ANY (ARRAY['free_mail'::text, 'business'::text, 'disposable'::text])),
  constraint leads_email_check CHECK (length(email) <= 400),
  constraint leads_email_normalized_check CHECK (length(email_normalized) <= 400)
) with (fillfactor=85);
CREATE INDEX leads_by_capture ON leads USING btree (site_id, first_captured_at, lead_id);
CREATE INDEX leads_expiring ON leads USING btree (consent_expires_at) WHERE consent_expires_at IS NOT NULL;
CREATE INDEX leads_restricted ON leads USING btree (site_id, restricted_at) WHERE restricted_at IS NOT NULL;
alter table leads enable row level security;
alter table leads force row level security;
create policy own_sites on leads as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER facts_of_changed_lead AFTER UPDATE ON leads FOR EACH ROW WHEN (old.first_captured_at IS DISTINCT FROM new.first_captured_at OR old.first_source IS DISTINCT FROM new.first_source OR old.first_utm IS DISTINCT FROM new.first_utm OR old.domain_class IS DISTINCT FROM new.domain_class OR old.verified_at IS DISTINCT FROM new.verified_at OR old.first_visitor_id IS DISTINCT FROM new.first_visitor_id OR old.imported_at IS DISTINCT FROM new.imported_at) EXECUTE FUNCTION mark_lead();
CREATE TRIGGER facts_of_imported_lead AFTER UPDATE OF last_submitted_at ON leads FOR EACH ROW WHEN (new.imported_at IS NOT NULL AND old.last_submitted_at IS DISTINCT FROM new.last_submitted_at) EXECUTE FUNCTION mark_lead();
CREATE TRIGGER facts_of_new_lead AFTER INSERT ON leads FOR EACH ROW WHEN (new.imported_at IS NULL) EXECUTE FUNCTION mark_lead();
CREATE TRIGGER feed_changed_by_hiding AFTER UPDATE OF display_withdrawn_at ON leads FOR EACH ROW WHEN (old.display_withdrawn_at IS DISTINCT FROM new.display_withdrawn_at) EXECUTE FUNCTION tell_feed();
CREATE TRIGGER feed_changed_by_restriction AFTER UPDATE OF restricted ON leads FOR EACH ROW WHEN (old.restricted IS DISTINCT FROM new.restricted) EXECUTE FUNCTION tell_feed();
CREATE TRIGGER restricted_since BEFORE UPDATE OF restricted ON leads FOR EACH ROW WHEN (old.restricted IS DISTINCT FROM new.restricted) EXECUTE FUNCTION note_restriction();
grant delete, insert, select, update on leads to marketing_app;

create table leases (
  name text not null,
  holder uuid not null,
  process_id uuid,
  until timestamp(3) with time zone not null,
  constraint leases_pkey PRIMARY KEY (name)
) with (fillfactor=50);
grant delete, insert, select, update on leases to marketing_app;

create table machine_notes (
  note_id uuid default uuidv7() not null,
  at timestamp(3) with time zone not null,
  kind text not null,
  text text not null,
  release text,
  constraint machine_notes_pkey PRIMARY KEY (note_id),
  constraint machine_notes_kind_at_key UNIQUE (kind, at),
  constraint machine_notes_kind_check CHECK (kind = ANY (ARRAY['installed'::text, 'upgrade'::text, 'outage'::text, 'restore'::text])),
  constraint machine_notes_text_check CHECK (length(text) >= 1 AND length(text) <= 200)
);
grant delete, insert, select, update on machine_notes to marketing_app;

create table mail_recipient_addresses (
  recipient_id uuid not null,
  site_id uuid not null,
  sealed bytea not null,
  key_id uuid not null,
  constraint mail_recipient_addresses_pkey PRIMARY KEY (recipient_id),
  constraint mail_recipient_addresses_key_id_fkey FOREIGN KEY (key_id) REFERENCES encryption_keys(key_id),
  constraint mail_recipient_addresses_site_id_recipient_id_fkey FOREIGN KEY (site_id, recipient_id) REFERENCES mail_recipients(site_id, recipient_id) ON DELETE CASCADE
);
CREATE INDEX mail_recipient_addresses_of_recipient ON mail_recipient_addresses USING btree (site_id, recipient_id);
alter table mail_recipient_addresses enable row level security;
alter table mail_recipient_addresses force row level security;
create policy accounts on mail_recipient_addresses as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
create policy counted on mail_recipient_addresses as permissive for select to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check ();
grant delete, insert, select, update on mail_recipient_addresses to marketing_app;

create table mail_recipients (
  site_id uuid not null,
  recipient_id uuid default uuidv7() not null,
  mail_to text,
  language text not null,
  link_key text not null,
  asked_at timestamp(3) with time zone default now() not null,
  attempts integer default 0 not null,
  next_attempt_at timestamp(3) with time zone default now(),
  confirmed_at timestamp(3) with time zone,
  left_at timestamp(3) with time zone,
  email_hash bytea,
  constraint mail_recipients_pkey PRIMARY KEY (site_id, recipient_id),
  constraint mail_recipients_site_id_email_hash_key UNIQUE (site_id, email_hash),
  constraint mail_recipients_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint mail_recipients_language_check CHECK (language = ANY (ARRAY['en'::text, 'fr'::text]))
);
alter table mail_recipients enable row level security;
alter table mail_recipients force row level security;
create policy own_sites on mail_recipients as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on mail_recipients to marketing_app;

create table mail_report_copies (
  site_id uuid not null,
  report_id uuid not null,
  recipient_id uuid not null,
  told_through date not null,
  sent_at timestamp(3) with time zone,
  attempts integer default 0 not null,
  next_attempt_at timestamp(3) with time zone default now() not null,
  last_error text,
  constraint mail_report_copies_pkey PRIMARY KEY (site_id, report_id, recipient_id),
  constraint mail_report_copies_site_id_recipient_id_fkey FOREIGN KEY (site_id, recipient_id) REFERENCES mail_recipients(site_id, recipient_id) ON DELETE CASCADE,
  constraint mail_report_copies_site_id_report_id_fkey FOREIGN KEY (site_id, report_id) REFERENCES mail_reports(site_id, report_id) ON DELETE CASCADE
);
CREATE INDEX mail_report_copies_of_recipient ON mail_report_copies USING btree (site_id, recipient_id);
alter table mail_report_copies enable row level security;
alter table mail_report_copies force row level security;
create policy own_sites on mail_report_copies as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on mail_report_copies to marketing_app;

create table mail_reports (
  site_id uuid not null,
  report_id uuid default uuidv7() not null,
  every text not null,
  weekday smallint,
  hour smallint not null,
  time_zone text not null,
  language text not null,
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  constraint mail_reports_pkey PRIMARY KEY (site_id, report_id),
  constraint mail_reports_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint mail_reports_check CHECK ((every = 'week'::text) = (weekday IS NOT NULL)),
  constraint mail_reports_every_check CHECK (every = ANY (ARRAY['week'::text, 'month'::text])),
  constraint mail_reports_hour_check CHECK (hour >= 0 AND hour <= 23),
  constraint mail_reports_language_check CHECK (language = ANY (ARRAY['en'::text, 'fr'::text])),
  constraint mail_reports_weekday_check CHECK (weekday >= 1 AND weekday <= 7)
);
alter table mail_reports enable row level security;
alter table mail_reports force row level security;
create policy own_sites on mail_reports as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on mail_reports to marketing_app;

create table notes (
  site_id uuid not null,
  note_id uuid default uuidv7() not null,
  at timestamp(3) with time zone not null,
  kind text not null,
  text text not null,
  user_id uuid,
  import_id uuid,
  made_by text not null,
  version integer default 1 not null,
  created_at timestamp(3) with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  constraint notes_pkey PRIMARY KEY (site_id, note_id),
  constraint notes_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint notes_site_id_import_id_fkey FOREIGN KEY (site_id, import_id) REFERENCES imports(site_id, import_id) ON DELETE CASCADE,
  constraint notes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint notes_check CHECK ((kind = 'import'::text) = (import_id IS NOT NULL)),
  constraint notes_check1 CHECK ((kind = ANY (ARRAY['note'::text, 'deploy'::text, 'campaign'::text, 'incident'::text])) OR user_id IS NULL),
  constraint notes_kind_check CHECK (kind = ANY (ARRAY['note'::text, 'deploy'::text, 'campaign'::text, 'incident'::text, 'recount'::text, 'import'::text])),
  constraint notes_text_check CHECK (length(text) >= 1 AND length(text) <= 400)
);
CREATE INDEX notes_by_moment ON notes USING btree (site_id, at, note_id);
CREATE UNIQUE INDEX notes_of_import ON notes USING btree (site_id, import_id) WHERE import_id IS NOT NULL;
CREATE UNIQUE INDEX notes_of_recount ON notes USING btree (site_id, at, text) WHERE kind = 'recount'::text;
CREATE INDEX notes_of_user ON notes USING btree (user_id) WHERE user_id IS NOT NULL;
alter table notes enable row level security;
alter table notes force row level security;
create policy own_sites on notes as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on notes to marketing_app;

create table notification_events (
  site_id uuid not null,
  event_id uuid not null,
  visitor_id uuid not null,
  notification_id uuid not null,
  occurred_at timestamp(3) with time zone not null,
  created_at timestamp(3) with time zone default now() not null,
  kind text not null,
  variant text not null,
  receipt_id text,
  bot_reason text,
  constraint notification_events_pkey PRIMARY KEY (site_id, visitor_id, created_at, event_id),
  constraint notification_events_kind_check CHECK (kind = ANY (ARRAY['exposed'::text, 'shown'::text, 'hovered'::text, 'clicked'::text, 'dismissed'::text]))
) partition by RANGE (created_at);
CREATE INDEX notification_events_by_time ON ONLY notification_events USING brin (occurred_at);
alter table notification_events enable row level security;
alter table notification_events force row level security;
create policy own_sites on notification_events as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on notification_events to marketing_app;

create table notification_versions (
  site_id uuid not null,
  notification_id uuid not null,
  version integer not null,
  status text not null,
  name text not null,
  claim jsonb,
  source jsonb,
  texts jsonb not null,
  template_id uuid,
  settings jsonb not null,
  made_by text not null,
  made_at timestamp(3) with time zone default now() not null,
  constraint notification_versions_pkey PRIMARY KEY (site_id, notification_id, version),
  constraint notification_versions_site_id_notification_id_fkey FOREIGN KEY (site_id, notification_id) REFERENCES notifications(site_id, notification_id) ON DELETE CASCADE,
  constraint notification_versions_name_check CHECK (length(name) >= 1 AND length(name) <= 100)
);
alter table notification_versions enable row level security;
alter table notification_versions force row level security;
create policy own_sites on notification_versions as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant insert, select on notification_versions to marketing_app;

create table notifications (
  site_id uuid not null,
  notification_id uuid default uuidv7() not null,
  version integer default 1 not null,
  kind text not null,
  status text default 'draft'::text not null,
  created_at timestamp(3) with time zone default now() not null,
  changed_at timestamp(3) with time zone default now() not null,
  ended_at timestamp(3) with time zone,
  constraint notifications_pkey PRIMARY KEY (site_id, notification_id),
  constraint notifications_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint notifications_check CHECK ((status = 'ended'::text) = (ended_at IS NOT NULL)),
  constraint notifications_kind_check CHECK (kind = ANY (ARRAY['recent_activity'::text, 'count'::text, 'live_visitors'::text, 'review'::text, 'message'::text])),
  constraint notifications_status_check CHECK (status = ANY (ARRAY['draft'::text, 'scheduled'::text, 'running'::text, 'paused'::text, 'ended'::text]))
);
CREATE INDEX notifications_at_work ON notifications USING btree (site_id, status) WHERE status = ANY (ARRAY['scheduled'::text, 'running'::text]);
alter table notifications enable row level security;
alter table notifications force row level security;
create policy own_sites on notifications as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on notifications to marketing_app;

create table one_time_links (
  link_id uuid default uuidv7() not null,
  kind text not null,
  token_hash bytea not null,
  user_id uuid,
  role text,
  site_ids uuid[],
  email_encrypted bytea,
  email_key_id uuid,
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  expires_at timestamp(3) with time zone not null,
  used_at timestamp(3) with time zone,
  constraint one_time_links_pkey PRIMARY KEY (link_id),
  constraint one_time_links_token_hash_key UNIQUE (token_hash),
  constraint one_time_links_email_key_id_fkey FOREIGN KEY (email_key_id) REFERENCES encryption_keys(key_id),
  constraint one_time_links_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint one_time_links_check CHECK ((kind = ANY (ARRAY['reset'::text, 'email'::text])) = (user_id IS NOT NULL)),
  constraint one_time_links_check1 CHECK ((kind = ANY (ARRAY['reset'::text, 'email'::text])) = (role IS NULL)),
  constraint one_time_links_check2 CHECK ((role IS NULL OR role = 'owner'::text) = (site_ids IS NULL)),
  constraint one_time_links_kind_check CHECK (kind = ANY (ARRAY['setup'::text, 'invitation'::text, 'reset'::text, 'email'::text])),
  constraint one_time_links_role_check CHECK (role = ANY (ARRAY['owner'::text, 'admin'::text, 'analyst'::text, 'viewer'::text, 'privacy'::text]))
);
CREATE INDEX one_time_links_of_user ON one_time_links USING btree (user_id);
alter table one_time_links enable row level security;
alter table one_time_links force row level security;
create policy accounts on one_time_links as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on one_time_links to marketing_app;

create table open_kinds (
  site_id uuid not null,
  day date not null,
  kind text not null,
  visitors bigint not null,
  sessions bigint not null,
  entrances bigint not null,
  page_views bigint not null,
  conversions bigint not null,
  events bigint not null,
  engaged_ms bigint not null,
  names integer default 0 not null,
  is_full boolean default false not null,
  constraint open_kinds_pkey PRIMARY KEY (site_id, day, kind)
) with (fillfactor=70);
alter table open_kinds enable row level security;
alter table open_kinds force row level security;
create policy own_sites on open_kinds as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on open_kinds to marketing_app;

create table open_names (
  site_id uuid not null,
  day date not null,
  kind text not null,
  name text not null,
  detail text not null,
  visitors bigint not null,
  sessions bigint not null,
  entrances bigint not null,
  page_views bigint not null,
  conversions bigint not null,
  events bigint not null,
  engaged_ms bigint not null,
  constraint open_names_pkey PRIMARY KEY (site_id, day, kind, name, detail)
) with (fillfactor=80);
CREATE INDEX open_names_holding_addresses ON open_names USING btree (site_id) WHERE may_hold_address(name) OR may_hold_address(detail) OR length(name) = 512 OR length(detail) = 512;
CREATE INDEX open_names_ranked ON open_names USING btree (site_id, day, kind, sessions DESC, page_views DESC, events DESC, name);
alter table open_names enable row level security;
alter table open_names force row level security;
create policy own_sites on open_names as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on open_names to marketing_app;

create table opt_ins (
  site_id uuid not null,
  opt_in_id uuid default uuidv7() not null,
  lead_id uuid not null,
  token text not null,
  requested_at timestamp(3) with time zone not null,
  confirmed_at timestamp(3) with time zone,
  cancelled_at timestamp(3) with time zone,
  request json not null,
  constraint opt_ins_pkey PRIMARY KEY (site_id, opt_in_id),
  constraint opt_ins_site_id_token_key UNIQUE (site_id, token),
  constraint opt_ins_site_id_lead_id_fkey FOREIGN KEY (site_id, lead_id) REFERENCES leads(site_id, lead_id) ON DELETE CASCADE
);
CREATE INDEX opt_ins_by_lead ON opt_ins USING btree (site_id, lead_id, requested_at DESC);
alter table opt_ins enable row level security;
alter table opt_ins force row level security;
create policy own_sites on opt_ins as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on opt_ins to marketing_app;

create table outbox (
  site_id uuid not null,
  seq bigint not null,
  type text not null,
  data jsonb not null,
  lead_id uuid,
  visitor_id uuid,
  at timestamp(3) with time zone default now() not null,
  constraint outbox_pkey PRIMARY KEY (site_id, seq),
  constraint outbox_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE
);
alter table outbox enable row level security;
alter table outbox force row level security;
create policy own_sites on outbox as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER deliveries_of_news AFTER INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION queue_deliveries();
grant delete, insert, select, update on outbox to marketing_app;

create table outbox_heads (
  site_id uuid not null,
  last_seq bigint default 0 not null,
  listened_until timestamp(3) with time zone default '-infinity'::timestamp with time zone not null,
  lapsed bigint default 0 not null,
  constraint outbox_heads_pkey PRIMARY KEY (site_id),
  constraint outbox_heads_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE
);
alter table outbox_heads enable row level security;
alter table outbox_heads force row level security;
create policy own_sites on outbox_heads as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on outbox_heads to marketing_app;

create table outgoing_mails (
  site_id uuid not null,
  mail_id uuid default uuidv7() not null,
  lead_id uuid not null,
  kind text not null,
  opt_in_id uuid,
  queued_at timestamp(3) with time zone default now() not null,
  next_attempt_at timestamp(3) with time zone default now() not null,
  attempts smallint default 0 not null,
  sent_at timestamp(3) with time zone,
  given_up_at timestamp(3) with time zone,
  last_error text,
  asked_by bytea,
  constraint outgoing_mails_pkey PRIMARY KEY (site_id, mail_id),
  constraint outgoing_mails_site_id_lead_id_fkey FOREIGN KEY (site_id, lead_id) REFERENCES leads(site_id, lead_id) ON DELETE CASCADE,
  constraint outgoing_mails_kind_check CHECK (kind = 'confirm'::text)
);
CREATE INDEX outgoing_mails_due ON outgoing_mails USING btree (next_attempt_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
CREATE INDEX outgoing_mails_sent ON outgoing_mails USING btree (site_id, sent_at) WHERE sent_at IS NOT NULL;
alter table outgoing_mails enable row level security;
alter table outgoing_mails force row level security;
create policy own_sites on outgoing_mails as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on outgoing_mails to marketing_app;

create table page_origins (
  site_id uuid not null,
  origin text not null,
  taken bigint not null,
  refused bigint not null,
  first_seen_at timestamp(3) with time zone default now() not null,
  last_seen_at timestamp(3) with time zone default now() not null,
  constraint page_origins_pkey PRIMARY KEY (site_id, origin),
  constraint page_origins_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
) with (fillfactor=70);
alter table page_origins enable row level security;
alter table page_origins force row level security;
create policy own_sites on page_origins as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on page_origins to marketing_app;

create table passkeys (
  passkey_id uuid default uuidv7() not null,
  user_id uuid not null,
  credential_id bytea not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  created_at timestamp(3) with time zone default now() not null,
  used_at timestamp(3) with time zone,
  constraint passkeys_pkey PRIMARY KEY (passkey_id),
  constraint passkeys_credential_id_key UNIQUE (credential_id),
  constraint passkeys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint passkeys_name_check CHECK (length(name) >= 1 AND length(name) <= 100)
);
CREATE INDEX passkeys_of_user ON passkeys USING btree (user_id);
alter table passkeys enable row level security;
alter table passkeys force row level security;
create policy accounts on passkeys as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on passkeys to marketing_app;

create table people_requests (
  site_id uuid not null,
  request_id uuid default uuidv7() not null,
  kind text not null,
  email_hash bytea,
  received_at timestamp(3) with time zone not null,
  due_at timestamp(3) with time zone not null,
  how text,
  note text,
  outcome text,
  done_at timestamp(3) with time zone,
  constraint people_requests_pkey PRIMARY KEY (site_id, request_id),
  constraint people_requests_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint people_requests_check CHECK (due_at >= received_at),
  constraint people_requests_check1 CHECK ((outcome IS NULL) = (done_at IS NULL)),
  constraint people_requests_how_check CHECK (length(how) <= 500),
  constraint people_requests_kind_check CHECK (kind = ANY (ARRAY['access'::text, 'erasure'::text, 'correction'::text, 'objection'::text, 'restriction'::text, 'withdrawal'::text, 'portability'::text])),
  constraint people_requests_note_check CHECK (length(note) <= 2000),
  constraint people_requests_outcome_check CHECK (outcome = ANY (ARRAY['done'::text, 'refused'::text, 'dropped'::text]))
) with (fillfactor=90);
CREATE INDEX people_requests_open ON people_requests USING btree (due_at) WHERE done_at IS NULL;
alter table people_requests enable row level security;
alter table people_requests force row level security;
create policy own_sites on people_requests as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on people_requests to marketing_app;

create table plan_warnings (
  site_id uuid not null,
  month date not null,
  what text not null,
  percent integer not null,
  plan_limit bigint not null,
  warned_at timestamp(3) with time zone default now() not null,
  constraint plan_warnings_pkey PRIMARY KEY (site_id, month, what, percent, plan_limit),
  constraint plan_warnings_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint plan_warnings_percent_check CHECK (percent = ANY (ARRAY[80, 100])),
  constraint plan_warnings_what_check CHECK (what = ANY (ARRAY['events'::text, 'impressions'::text]))
);
alter table plan_warnings enable row level security;
alter table plan_warnings force row level security;
create policy own_sites on plan_warnings as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on plan_warnings to marketing_app;

create table plans (
  plan_id text not null,
  name text not null,
  events_a_month bigint,
  impressions_a_month bigint,
  notifications integer,
  tests integer,
  webhooks integer,
  seats integer,
  created_at timestamp(3) with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  version integer default 1 not null,
  constraint plans_pkey PRIMARY KEY (plan_id),
  constraint plans_events_a_month_check CHECK (events_a_month >= 0),
  constraint plans_impressions_a_month_check CHECK (impressions_a_month >= 0),
  constraint plans_name_check CHECK (length(name) >= 1 AND length(name) <= 100),
  constraint plans_notifications_check CHECK (notifications >= 0),
  constraint plans_plan_id_check CHECK (plan_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'::text),
  constraint plans_seats_check CHECK (seats >= 0),
  constraint plans_tests_check CHECK (tests >= 0),
  constraint plans_webhooks_check CHECK (webhooks >= 0)
);
grant delete, insert, select, update on plans to marketing_app;

create table processes (
  process_id uuid not null,
  started_at timestamp(3) with time zone default now() not null,
  seen_at timestamp(3) with time zone default now() not null,
  constraint processes_pkey PRIMARY KEY (process_id)
) with (fillfactor=50);
grant delete, insert, select, update on processes to marketing_app;

create table proof_keys (
  key_id text not null,
  public_key bytea not null,
  first_used_at timestamp(3) with time zone default now() not null,
  constraint proof_keys_pkey PRIMARY KEY (key_id)
);
grant insert, select on proof_keys to marketing_app;

create table quarantine (
  site_id uuid not null,
  quarantine_id uuid default uuidv7() not null,
  received_at timestamp(3) with time zone not null,
  email_normalized text,
  capture json,
  score real not null,
  reasons text[] not null,
  event_id uuid,
  decision text,
  decided_at timestamp(3) with time zone,
  constraint quarantine_pkey PRIMARY KEY (site_id, quarantine_id),
  constraint quarantine_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint quarantine_check CHECK ((decision IS NULL) = (decided_at IS NULL)),
  constraint quarantine_decision_check CHECK (decision = ANY (ARRAY['released'::text, 'dropped'::text]))
);
CREATE INDEX quarantine_by_address ON quarantine USING btree (site_id, email_normalized) WHERE email_normalized IS NOT NULL;
CREATE INDEX quarantine_open ON quarantine USING btree (site_id, received_at DESC) WHERE decision IS NULL;
alter table quarantine enable row level security;
alter table quarantine force row level security;
create policy own_sites on quarantine as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on quarantine to marketing_app;

create table receipt_acts (
  site_id uuid not null,
  act_id uuid default uuidv7() not null,
  receipt_id bytea not null,
  lead_id uuid not null,
  review_id uuid,
  conversion_id text,
  constraint receipt_acts_pkey PRIMARY KEY (site_id, act_id),
  constraint receipt_acts_site_id_receipt_id_key UNIQUE (site_id, receipt_id),
  constraint receipt_acts_site_id_receipt_id_fkey FOREIGN KEY (site_id, receipt_id) REFERENCES receipts(site_id, receipt_id) ON DELETE CASCADE
);
CREATE INDEX receipt_acts_of ON receipt_acts USING btree (site_id, lead_id);
alter table receipt_acts enable row level security;
alter table receipt_acts force row level security;
create policy own_sites on receipt_acts as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on receipt_acts to marketing_app;

create table receipt_words (
  site_id uuid not null,
  notification_id uuid not null,
  version integer not null,
  words_id bytea not null,
  words jsonb not null,
  constraint receipt_words_pkey PRIMARY KEY (site_id, notification_id, version, words_id),
  constraint receipt_words_site_id_notification_id_version_fkey FOREIGN KEY (site_id, notification_id, version) REFERENCES notification_versions(site_id, notification_id, version) ON DELETE CASCADE,
  constraint receipt_words_words_id_check CHECK (octet_length(words_id) = 16)
);
alter table receipt_words enable row level security;
alter table receipt_words force row level security;
create policy own_sites on receipt_words as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select on receipt_words to marketing_app;

create table receipts (
  site_id uuid not null,
  receipt_id bytea not null,
  notification_id uuid not null,
  version integer not null,
  value bigint,
  as_of timestamp(3) with time zone not null,
  excluded integer[],
  key_id text not null,
  signature bytea not null,
  words_id bytea not null,
  said text not null,
  window_from timestamp(3) with time zone,
  window_to timestamp(3) with time zone,
  constraint receipts_pkey PRIMARY KEY (site_id, receipt_id),
  constraint receipts_key_id_fkey FOREIGN KEY (key_id) REFERENCES proof_keys(key_id),
  constraint receipts_site_id_notification_id_version_fkey FOREIGN KEY (site_id, notification_id, version) REFERENCES notification_versions(site_id, notification_id, version) ON DELETE CASCADE,
  constraint receipts_site_id_notification_id_version_words_id_fkey FOREIGN KEY (site_id, notification_id, version, words_id) REFERENCES receipt_words(site_id, notification_id, version, words_id) ON DELETE CASCADE,
  constraint receipts_excluded_check CHECK (cardinality(excluded) = 3),
  constraint receipts_receipt_id_check CHECK (octet_length(receipt_id) = 16)
);
CREATE INDEX receipts_newest ON receipts USING btree (site_id, notification_id, as_of DESC);
CREATE INDEX receipts_of ON receipts USING btree (site_id, notification_id, as_of DESC);
alter table receipts enable row level security;
alter table receipts force row level security;
create policy own_sites on receipts as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select on receipts to marketing_app;
grant update (key_id) on receipts to marketing_app;

create table recent_bodies (
  site_id uuid not null,
  body_key uuid not null,
  event_id uuid not null,
  seen_at timestamp(3) with time zone not null,
  constraint recent_bodies_pkey PRIMARY KEY (site_id, body_key)
);
alter table recent_bodies enable row level security;
alter table recent_bodies force row level security;
create policy own_sites on recent_bodies as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on recent_bodies to marketing_app;

create table rejections (
  site_id uuid not null,
  rejection_id uuid default uuidv7() not null,
  received_at timestamp(3) with time zone default now() not null,
  route text not null,
  reason text not null,
  details jsonb,
  constraint rejections_pkey PRIMARY KEY (site_id, rejection_id),
  constraint rejections_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
alter table rejections enable row level security;
alter table rejections force row level security;
create policy own_sites on rejections as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on rejections to marketing_app;

create table restored_events (
  site_id uuid not null,
  event_id uuid not null,
  visitor_id uuid not null,
  session_id uuid not null,
  day date not null,
  site_day date not null,
  occurred_at timestamp(3) with time zone not null,
  received_at timestamp(3) with time zone not null,
  event_type text not null,
  path text not null,
  referrer text,
  source text,
  utm_source text,
  utm_medium text,
  utm_campaign text,
  utm_term text,
  utm_content text,
  bot_reason text,
  clamped boolean not null,
  privacy_signal boolean not null,
  is_conversion boolean not null,
  engaged_ms integer,
  scroll_percent real,
  fcp_ms real,
  lcp_ms real,
  inp_ms real,
  ttfb_ms real,
  cls_score real,
  props jsonb,
  device_type text,
  browser text,
  os text,
  country text,
  restored_at timestamp(3) with time zone default now() not null,
  constraint restored_events_pkey PRIMARY KEY (site_id, day, event_id),
  constraint restored_events_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
CREATE INDEX restored_events_by_visitor ON restored_events USING btree (site_id, visitor_id);
alter table restored_events enable row level security;
alter table restored_events force row level security;
create policy own_sites on restored_events as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select on restored_events to marketing_app;
grant update (restored_at) on restored_events to marketing_app;

create table reviews (
  site_id uuid not null,
  review_id uuid default uuidv7() not null,
  version integer default 1 not null,
  lead_id uuid,
  submission_id uuid,
  status text default 'waiting'::text not null,
  reason text,
  note text,
  rating smallint,
  words text,
  language text,
  product text,
  incentive text,
  relationship text,
  source text not null,
  source_url text,
  source_key bytea,
  written_at timestamp(3) with time zone not null,
  received_at timestamp(3) with time zone default now() not null,
  decided_at timestamp(3) with time zone,
  decided_by text,
  constraint reviews_pkey PRIMARY KEY (site_id, review_id),
  constraint reviews_site_id_source_source_key_key UNIQUE (site_id, source, source_key),
  constraint reviews_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint reviews_check CHECK ((status = 'declined'::text) = (reason IS NOT NULL)),
  constraint reviews_check1 CHECK (words IS NOT NULL OR rating IS NOT NULL),
  constraint reviews_incentive_check CHECK (length(incentive) <= 200),
  constraint reviews_language_check CHECK (length(language) <= 35),
  constraint reviews_note_check CHECK (length(note) <= 500),
  constraint reviews_product_check CHECK (length(product) <= 200),
  constraint reviews_rating_check CHECK (rating >= 1 AND rating <= 5),
  constraint reviews_reason_check CHECK (reason = ANY (ARRAY['spam'::text, 'fake'::text, 'duplicate'::text, 'off_topic'::text, 'abusive'::text, 'unlawful'::text, 'personal_data'::text, 'asked_by_author'::text])),
  constraint reviews_relationship_check CHECK (length(relationship) <= 200),
  constraint reviews_source_check CHECK (length(source) >= 1 AND length(source) <= 64),
  constraint reviews_source_url_check CHECK (length(source_url) <= 2048),
  constraint reviews_status_check CHECK (status = ANY (ARRAY['waiting'::text, 'published'::text, 'declined'::text])),
  constraint reviews_words_check CHECK (length(words) <= 4000)
);
CREATE INDEX reviews_of ON reviews USING btree (site_id, lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX reviews_written ON reviews USING btree (site_id, written_at);
alter table reviews enable row level security;
alter table reviews force row level security;
create policy own_sites on reviews as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER feed_changed_by_review AFTER UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION tell_feed();
grant delete, insert, select, update on reviews to marketing_app;

create table rollup_state (
  site_id uuid not null,
  day date not null,
  rolled_up_at timestamp(3) with time zone not null,
  ledger_seen bigint not null,
  sealed_at timestamp(3) with time zone,
  time_zone text default 'UTC'::text not null,
  ends_at timestamp(3) with time zone not null,
  recounted_at timestamp(3) with time zone,
  recount_ms integer,
  is_open boolean default false not null,
  visits_kept boolean default false not null,
  constraint rollup_state_pkey PRIMARY KEY (site_id, day),
  constraint rollup_state_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
) with (fillfactor=70);
CREATE INDEX rollup_state_unfinished ON rollup_state USING btree (site_id, day) WHERE sealed_at IS NULL AND rolled_up_at < ends_at;
alter table rollup_state enable row level security;
alter table rollup_state force row level security;
create policy own_sites on rollup_state as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER metrics_changed AFTER INSERT OR UPDATE ON rollup_state FOR EACH STATEMENT EXECUTE FUNCTION tell_metrics_changed();
grant delete, insert, select, update on rollup_state to marketing_app;

create table schema_migrations (
  name text not null,
  sha256 text not null,
  applied_at timestamp(3) with time zone default now() not null,
  constraint schema_migrations_pkey PRIMARY KEY (name)
);
grant select on schema_migrations to marketing_app;

create table segments (
  site_id uuid not null,
  segment_id uuid default uuidv7() not null,
  name text not null,
  filters text[] not null,
  user_id uuid,
  made_by text not null,
  version integer default 1 not null,
  created_at timestamp(3) with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  constraint segments_pkey PRIMARY KEY (site_id, segment_id),
  constraint segments_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint segments_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint segments_filters_check CHECK (cardinality(filters) >= 1 AND cardinality(filters) <= 20),
  constraint segments_name_check CHECK (length(name) >= 1 AND length(name) <= 400)
);
CREATE INDEX segments_of_user ON segments USING btree (user_id) WHERE user_id IS NOT NULL;
alter table segments enable row level security;
alter table segments force row level security;
create policy own_sites on segments as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER metrics_changed AFTER DELETE OR UPDATE ON segments FOR EACH STATEMENT EXECUTE FUNCTION tell_metrics_changed();
grant delete, insert, select, update on segments to marketing_app;

create table service_days (
  day date not null,
  minutes bit(1440) not null,
  constraint service_days_pkey PRIMARY KEY (day)
);
grant delete, insert, select, update on service_days to marketing_app;

create table session_days (
  site_id uuid not null,
  visitor_id uuid not null,
  day date not null,
  origin_id integer not null,
  landing_id integer not null,
  leaving_id integer not null,
  engaged_ms integer not null,
  nth smallint not null,
  forms_started smallint not null,
  forms_submitted smallint not null,
  again boolean not null,
  begun boolean not null,
  converted boolean not null,
  bounced boolean not null,
  pages integer[] not null
);
CREATE INDEX session_days_of_day ON session_days USING btree (site_id, day);
alter table session_days enable row level security;
alter table session_days force row level security;
create policy own_sites on session_days as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on session_days to marketing_app;

create table sessions (
  site_id uuid not null,
  session_id uuid default uuidv7() not null,
  visitor_id uuid not null,
  started_at timestamp(3) with time zone not null,
  last_activity_at timestamp(3) with time zone not null,
  landing_path text not null,
  referrer text,
  source text not null,
  utm jsonb,
  device_type text not null,
  browser text,
  os text,
  country text,
  is_bot boolean default false not null,
  is_carried boolean default false not null,
  privacy_signal boolean default false not null,
  constraint sessions_pkey PRIMARY KEY (site_id, session_id)
) with (fillfactor=85);
CREATE INDEX sessions_by_start ON sessions USING btree (site_id, started_at DESC, session_id DESC) WHERE NOT is_bot;
CREATE INDEX sessions_by_visitor ON sessions USING btree (site_id, visitor_id, started_at DESC);
CREATE INDEX sessions_holding_addresses ON sessions USING btree (site_id, session_id) WHERE may_hold_address(landing_path) OR may_hold_address(referrer) OR may_hold_address(utm::text);
alter table sessions enable row level security;
alter table sessions force row level security;
create policy own_sites on sessions as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on sessions to marketing_app;

create table shares (
  share_id uuid default uuidv7() not null,
  site_id uuid not null,
  name text not null,
  token_hash bytea not null,
  views text[] not null,
  password_phc text,
  hide_money boolean not null,
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  expires_at timestamp(3) with time zone not null,
  last_used_on date,
  revoked_at timestamp(3) with time zone,
  embed text[] default '{}'::text[] not null,
  segment_id uuid,
  constraint shares_pkey PRIMARY KEY (share_id),
  constraint shares_token_hash_key UNIQUE (token_hash),
  constraint shares_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint shares_embed_check CHECK (cardinality(embed) <= 5),
  constraint shares_name_check CHECK (length(name) >= 1 AND length(name) <= 200),
  constraint shares_views_check CHECK (cardinality(views) > 0)
);
CREATE INDEX shares_of_site ON shares USING btree (site_id);
alter table shares enable row level security;
alter table shares force row level security;
create policy accounts on shares as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on shares to marketing_app;

create table site_grants (
  user_id uuid not null,
  site_id uuid not null,
  role text not null,
  granted_at timestamp(3) with time zone default now() not null,
  granted_by text not null,
  constraint site_grants_pkey PRIMARY KEY (user_id, site_id),
  constraint site_grants_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint site_grants_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint site_grants_role_check CHECK (role = ANY (ARRAY['admin'::text, 'analyst'::text, 'viewer'::text, 'privacy'::text]))
);
CREATE INDEX site_grants_of_site ON site_grants USING btree (site_id);
alter table site_grants enable row level security;
alter table site_grants force row level security;
create policy accounts on site_grants as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on site_grants to marketing_app;

create table sites (
  site_id uuid default uuidv7() not null,
  key text not null,
  name text default ''::text not null,
  domain text,
  origins text[] default '{}'::text[] not null,
  settings jsonb default '{}'::jsonb not null,
  created_at timestamp(3) with time zone default now() not null,
  updated_at timestamp(3) with time zone default now() not null,
  over_plan boolean default false not null,
  data_region text,
  implied_ended_at timestamp(3) with time zone,
  scores_since timestamp(3) with time zone,
  constraint sites_pkey PRIMARY KEY (site_id),
  constraint sites_key_key UNIQUE (key),
  constraint sites_data_region_check CHECK (data_region ~ '^[a-z0-9][a-z0-9-]{1,31}$'::text),
  constraint sites_domain_check CHECK (domain = lower(domain)),
  constraint sites_key_check CHECK (length(key) >= 1 AND length(key) <= 128)
);
alter table sites enable row level security;
alter table sites force row level security;
create policy every_site on sites as permissive for all to public using (true) with check (true);
CREATE TRIGGER days_in_new_zone AFTER UPDATE OF settings ON sites FOR EACH ROW WHEN (COALESCE(old.settings ->> 'timeZone'::text, 'UTC'::text) <> COALESCE(new.settings ->> 'timeZone'::text, 'UTC'::text)) EXECUTE FUNCTION days_in_new_zone();
CREATE TRIGGER feed_changed_by_settings AFTER UPDATE ON sites FOR EACH ROW WHEN (old.settings IS DISTINCT FROM new.settings) EXECUTE FUNCTION tell_feed();
CREATE TRIGGER implied_ended_since BEFORE INSERT OR UPDATE OF settings ON sites FOR EACH ROW EXECUTE FUNCTION note_implied_end();
CREATE TRIGGER links_of_narrower_linking AFTER UPDATE OF settings ON sites FOR EACH ROW WHEN (COALESCE(old.settings ->> 'linking'::text, 'form'::text) <> COALESCE(new.settings ->> 'linking'::text, 'form'::text)) EXECUTE FUNCTION end_links_beyond();
CREATE TRIGGER scored_since BEFORE INSERT OR UPDATE OF settings ON sites FOR EACH ROW EXECUTE FUNCTION note_scores();
CREATE TRIGGER sites_changed AFTER INSERT OR DELETE OR UPDATE ON sites FOR EACH STATEMENT EXECUTE FUNCTION tell_sites_changed();
grant delete, insert, select, update on sites to marketing_app;

create table stream_tickets (
  ticket_hash bytea not null,
  site_id uuid not null,
  actor text not null,
  capabilities text[] not null,
  expires_at timestamp(3) with time zone not null,
  session_id uuid,
  constraint stream_tickets_pkey PRIMARY KEY (ticket_hash),
  constraint stream_tickets_session_id_fkey FOREIGN KEY (session_id) REFERENCES user_sessions(session_id) ON DELETE CASCADE,
  constraint stream_tickets_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE
);
CREATE INDEX stream_tickets_of_session ON stream_tickets USING btree (session_id);
CREATE INDEX stream_tickets_of_site ON stream_tickets USING btree (site_id);
alter table stream_tickets enable row level security;
alter table stream_tickets force row level security;
create policy accounts on stream_tickets as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on stream_tickets to marketing_app;

create table stripe_payments (
  site_id uuid not null,
  payment text not null,
  invoice text not null,
  heard_at timestamp(3) with time zone default now() not null,
  constraint stripe_payments_pkey PRIMARY KEY (site_id, payment),
  constraint stripe_payments_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint stripe_payments_invoice_check CHECK (length(invoice) >= 1 AND length(invoice) <= 255),
  constraint stripe_payments_payment_check CHECK (length(payment) >= 1 AND length(payment) <= 255)
);
alter table stripe_payments enable row level security;
alter table stripe_payments force row level security;
create policy own_sites on stripe_payments as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on stripe_payments to marketing_app;

create table submissions (
  site_id uuid not null,
  submission_id uuid default uuidv7() not null,
  lead_id uuid not null,
  event_id uuid,
  body_key uuid,
  form_name text not null,
  path text,
  source_channel text,
  payload jsonb,
  submitted_at timestamp(3) with time zone not null,
  spam_score real default 0 not null,
  constraint submissions_pkey PRIMARY KEY (site_id, submission_id),
  constraint submissions_site_id_lead_id_fkey FOREIGN KEY (site_id, lead_id) REFERENCES leads(site_id, lead_id) ON DELETE CASCADE
);
CREATE INDEX submissions_by_event ON submissions USING btree (site_id, event_id) WHERE event_id IS NOT NULL;
CREATE INDEX submissions_by_lead ON submissions USING btree (site_id, lead_id, submitted_at);
CREATE UNIQUE INDEX submissions_once ON submissions USING btree (site_id, lead_id, event_id) WHERE event_id IS NOT NULL;
alter table submissions enable row level security;
alter table submissions force row level security;
create policy own_sites on submissions as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on submissions to marketing_app;

create table subscriptions (
  site_id uuid not null,
  plan_id text not null,
  billing_url text,
  since timestamp(3) with time zone default now() not null,
  constraint subscriptions_pkey PRIMARY KEY (site_id),
  constraint subscriptions_plan_id_fkey FOREIGN KEY (plan_id) REFERENCES plans(plan_id),
  constraint subscriptions_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE
);
CREATE INDEX subscriptions_of_plan ON subscriptions USING btree (plan_id);
alter table subscriptions enable row level security;
alter table subscriptions force row level security;
create policy own_sites on subscriptions as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on subscriptions to marketing_app;

create table templates (
  site_id uuid not null,
  template_id uuid default uuidv7() not null,
  version integer default 1 not null,
  name text not null,
  tokens jsonb not null,
  css text,
  created_at timestamp(3) with time zone default now() not null,
  changed_at timestamp(3) with time zone default now() not null,
  constraint templates_pkey PRIMARY KEY (site_id, template_id),
  constraint templates_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint templates_css_check CHECK (octet_length(css) <= 16384),
  constraint templates_name_check CHECK (length(name) >= 1 AND length(name) <= 100)
);
alter table templates enable row level security;
alter table templates force row level security;
create policy own_sites on templates as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on templates to marketing_app;

create table usage_months (
  site_id uuid not null,
  month date not null,
  events bigint not null,
  impressions bigint default 0 not null,
  counted_at timestamp(3) with time zone default now() not null,
  constraint usage_months_pkey PRIMARY KEY (site_id, month),
  constraint usage_months_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint usage_months_month_check CHECK (EXTRACT(day FROM month) = 1::numeric)
);
alter table usage_months enable row level security;
alter table usage_months force row level security;
create policy own_sites on usage_months as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on usage_months to marketing_app;

create table used_refresh_tokens (
  token_hash bytea not null,
  session_id uuid not null,
  used_at timestamp(3) with time zone default now() not null,
  constraint used_refresh_tokens_pkey PRIMARY KEY (token_hash),
  constraint used_refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES user_sessions(session_id) ON DELETE CASCADE
);
CREATE INDEX used_refresh_tokens_of_session ON used_refresh_tokens USING btree (session_id);
alter table used_refresh_tokens enable row level security;
alter table used_refresh_tokens force row level security;
create policy accounts on used_refresh_tokens as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on used_refresh_tokens to marketing_app;

create table user_factors (
  user_id uuid not null,
  factor_id uuid default uuidv7() not null,
  kind text not null,
  secret_encrypted bytea,
  key_id uuid,
  secret_hash bytea,
  last_step bigint,
  created_at timestamp(3) with time zone default now() not null,
  confirmed_at timestamp(3) with time zone,
  constraint user_factors_pkey PRIMARY KEY (user_id, factor_id),
  constraint user_factors_key_id_fkey FOREIGN KEY (key_id) REFERENCES encryption_keys(key_id),
  constraint user_factors_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint user_factors_check CHECK ((kind = 'totp'::text) = (secret_encrypted IS NOT NULL)),
  constraint user_factors_check1 CHECK ((kind = 'totp'::text) = (key_id IS NOT NULL)),
  constraint user_factors_check2 CHECK ((kind = 'recovery'::text) = (secret_hash IS NOT NULL)),
  constraint user_factors_kind_check CHECK (kind = ANY (ARRAY['totp'::text, 'recovery'::text]))
);
CREATE UNIQUE INDEX user_factors_totp ON user_factors USING btree (user_id) WHERE kind = 'totp'::text;
alter table user_factors enable row level security;
alter table user_factors force row level security;
create policy accounts on user_factors as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on user_factors to marketing_app;

create table user_identities (
  identity_index bytea not null,
  user_id uuid not null,
  issuer text not null,
  created_at timestamp(3) with time zone default now() not null,
  used_at timestamp(3) with time zone default now() not null,
  constraint user_identities_pkey PRIMARY KEY (identity_index),
  constraint user_identities_user_id_issuer_key UNIQUE (user_id, issuer),
  constraint user_identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE
);
alter table user_identities enable row level security;
alter table user_identities force row level security;
create policy accounts on user_identities as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on user_identities to marketing_app;

create table user_sessions (
  session_id uuid default uuidv7() not null,
  user_id uuid not null,
  token_hash bytea not null,
  created_at timestamp(3) with time zone default now() not null,
  seen_at timestamp(3) with time zone default now() not null,
  proved_at timestamp(3) with time zone default now() not null,
  expires_at timestamp(3) with time zone not null,
  idle_minutes integer not null,
  device text not null,
  kind text default 'browser'::text not null,
  constraint user_sessions_pkey PRIMARY KEY (session_id),
  constraint user_sessions_token_hash_key UNIQUE (token_hash),
  constraint user_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(user_id) ON DELETE CASCADE,
  constraint user_sessions_kind_check CHECK (kind = ANY (ARRAY['browser'::text, 'token'::text]))
);
CREATE INDEX user_sessions_of_user ON user_sessions USING btree (user_id);
alter table user_sessions enable row level security;
alter table user_sessions force row level security;
create policy accounts on user_sessions as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on user_sessions to marketing_app;

create table users (
  user_id uuid default uuidv7() not null,
  email_encrypted bytea not null,
  email_key_id uuid not null,
  email_index bytea not null,
  full_name_encrypted bytea not null,
  full_name_key_id uuid not null,
  password_phc text,
  is_owner boolean default false not null,
  strong_since timestamp(3) with time zone,
  language text default 'en'::text not null,
  time_zone text default 'UTC'::text not null,
  created_at timestamp(3) with time zone default now() not null,
  disabled_at timestamp(3) with time zone,
  constraint users_pkey PRIMARY KEY (user_id),
  constraint users_email_index_key UNIQUE (email_index),
  constraint users_email_key_id_fkey FOREIGN KEY (email_key_id) REFERENCES encryption_keys(key_id),
  constraint users_full_name_key_id_fkey FOREIGN KEY (full_name_key_id) REFERENCES encryption_keys(key_id),
  constraint users_language_check CHECK (language = ANY (ARRAY['en'::text, 'fr'::text]))
);
alter table users enable row level security;
alter table users force row level security;
create policy accounts on users as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on users to marketing_app;

create table visit_facts (
  site_id uuid not null,
  day date not null,
  visitor_id uuid not null,
  session_id uuid not null,
  begun smallint,
  source text,
  referrer text,
  campaign text,
  utm_source text,
  utm_medium text,
  utm_term text,
  utm_content text,
  device_type text,
  browser text,
  os text,
  country text,
  landing text,
  leaving text,
  human_events integer not null,
  page_views integer not null,
  email_verifies integer not null,
  clamped_events integer not null,
  late_events integer not null,
  converted smallint not null,
  bounced smallint not null,
  engaged_ms bigint not null,
  kinds text[] not null,
  names text[] not null,
  name_views integer[] not null,
  name_conversions integer[] not null,
  name_events integer[] not null,
  name_engaged_ms bigint[] not null,
  vitals smallint[] not null,
  has_at boolean not null,
  constraint visit_facts_pkey PRIMARY KEY (site_id, day, visitor_id, session_id)
);
CREATE INDEX visit_facts_holding_addresses ON visit_facts USING btree (site_id, visitor_id) WHERE has_at;
alter table visit_facts enable row level security;
alter table visit_facts force row level security;
create policy own_sites on visit_facts as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on visit_facts to marketing_app;

create table visit_origins (
  site_id uuid not null,
  origin_id integer generated always as identity not null,
  source text not null,
  referrer text,
  campaign text,
  utm_source text,
  utm_medium text,
  utm_term text,
  utm_content text,
  device_type text not null,
  browser text not null,
  os text not null,
  country text not null,
  hash bigint not null,
  last_day date not null,
  has_at boolean not null,
  constraint visit_origins_pkey PRIMARY KEY (site_id, origin_id),
  constraint visit_origins_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE
);
CREATE INDEX visit_origins_by_hash ON visit_origins USING btree (site_id, hash);
CREATE INDEX visit_origins_holding_addresses ON visit_origins USING btree (site_id) WHERE has_at;
alter table visit_origins enable row level security;
alter table visit_origins force row level security;
create policy own_sites on visit_origins as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on visit_origins to marketing_app;

create table visit_paths (
  site_id uuid not null,
  path_id integer generated always as identity not null,
  path text not null,
  hash bigint not null,
  last_day date not null,
  has_at boolean not null,
  constraint visit_paths_pkey PRIMARY KEY (site_id, path_id),
  constraint visit_paths_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE
);
CREATE INDEX visit_paths_by_hash ON visit_paths USING btree (site_id, hash);
CREATE INDEX visit_paths_holding_addresses ON visit_paths USING btree (site_id) WHERE has_at;
alter table visit_paths enable row level security;
alter table visit_paths force row level security;
create policy own_sites on visit_paths as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on visit_paths to marketing_app;

create table visitor_days (
  site_id uuid not null,
  day date not null,
  visitor_id uuid not null,
  previous_day date,
  is_day_visitor boolean default false not null,
  constraint visitor_days_pkey PRIMARY KEY (site_id, day, visitor_id)
);
CREATE INDEX visitor_days_by_visitor ON visitor_days USING btree (site_id, visitor_id, day);
alter table visitor_days enable row level security;
alter table visitor_days force row level security;
create policy own_sites on visitor_days as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on visitor_days to marketing_app;

create table visitor_profiles (
  site_id uuid not null,
  visitor_id uuid not null,
  seen_at timestamp(3) with time zone not null,
  sessions integer not null,
  engaged_minutes double precision not null,
  intent double precision not null,
  score double precision not null,
  counted_at timestamp(3) with time zone default now() not null,
  constraint visitor_profiles_pkey PRIMARY KEY (site_id, visitor_id),
  constraint visitor_profiles_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint visitor_profiles_intent_check CHECK (intent >= 0::double precision AND intent <= 1::double precision),
  constraint visitor_profiles_score_check CHECK (score >= 0::double precision AND score <= 100::double precision)
);
CREATE INDEX visitor_profiles_by_score ON visitor_profiles USING btree (site_id, score DESC, visitor_id);
alter table visitor_profiles enable row level security;
alter table visitor_profiles force row level security;
create policy own_sites on visitor_profiles as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on visitor_profiles to marketing_app;

create table visitor_returns (
  site_id uuid not null,
  day date not null,
  previous_day date,
  visitors bigint not null,
  day_visitors bigint default 0 not null,
  constraint visitor_returns_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id)
);
CREATE UNIQUE INDEX visitor_returns_once ON visitor_returns USING btree (site_id, day, previous_day) INCLUDE (visitors) NULLS NOT DISTINCT;
alter table visitor_returns enable row level security;
alter table visitor_returns force row level security;
create policy own_sites on visitor_returns as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on visitor_returns to marketing_app;

create table visitors (
  site_id uuid not null,
  visitor_id uuid not null,
  first_seen_at timestamp(3) with time zone not null,
  last_seen_at timestamp(3) with time zone not null,
  ip_hash bytea,
  ua_hash bytea,
  privacy_signal boolean default false not null,
  first_human_at timestamp(3) with time zone,
  is_day_visitor boolean default false not null,
  bot_verdict text,
  events_on date,
  events_that_day integer,
  is_linkable boolean default false not null,
  constraint visitors_pkey PRIMARY KEY (site_id, visitor_id)
) with (fillfactor=85);
CREATE INDEX visitors_by_address ON visitors USING btree (site_id, ip_hash, ua_hash) WHERE is_linkable AND ip_hash IS NOT NULL;
alter table visitors enable row level security;
alter table visitors force row level security;
create policy own_sites on visitors as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
CREATE TRIGGER facts_by_earlier_sight AFTER UPDATE OF first_human_at ON visitors FOR EACH ROW WHEN (old.first_human_at IS DISTINCT FROM new.first_human_at) EXECUTE FUNCTION mark_visitor();
grant delete, insert, select, update on visitors to marketing_app;

create table webhook_secrets (
  secret_id uuid default uuidv7() not null,
  site_id uuid not null,
  webhook_id uuid not null,
  sealed bytea not null,
  key_id uuid not null,
  created_at timestamp(3) with time zone default now() not null,
  ends_at timestamp(3) with time zone,
  constraint webhook_secrets_pkey PRIMARY KEY (secret_id),
  constraint webhook_secrets_key_id_fkey FOREIGN KEY (key_id) REFERENCES encryption_keys(key_id),
  constraint webhook_secrets_site_id_webhook_id_fkey FOREIGN KEY (site_id, webhook_id) REFERENCES webhooks(site_id, webhook_id) ON DELETE CASCADE
);
CREATE INDEX webhook_secrets_of_webhook ON webhook_secrets USING btree (site_id, webhook_id);
alter table webhook_secrets enable row level security;
alter table webhook_secrets force row level security;
create policy accounts on webhook_secrets as permissive for all to public using (( SELECT in_accounts() AS in_accounts)) with check (( SELECT in_accounts() AS in_accounts));
grant delete, insert, select, update on webhook_secrets to marketing_app;

create table webhooks (
  site_id uuid not null,
  webhook_id uuid default uuidv7() not null,
  kind text not null,
  url text not null,
  types text[] not null,
  personal boolean default false not null,
  version integer default 1 not null,
  made_by text not null,
  created_at timestamp(3) with time zone default now() not null,
  disabled_at timestamp(3) with time zone,
  disabled_why text,
  failing_since timestamp(3) with time zone,
  failures integer default 0 not null,
  resting_until timestamp(3) with time zone default '-infinity'::timestamp with time zone not null,
  leased_until timestamp(3) with time zone default '-infinity'::timestamp with time zone not null,
  dropped bigint default 0 not null,
  constraint webhooks_pkey PRIMARY KEY (site_id, webhook_id),
  constraint webhooks_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id) ON DELETE CASCADE,
  constraint webhooks_check CHECK ((disabled_at IS NULL) = (disabled_why IS NULL)),
  constraint webhooks_disabled_why_check CHECK (disabled_why = ANY (ARRAY['by_hand'::text, 'gone'::text, 'failures'::text])),
  constraint webhooks_kind_check CHECK (kind = ANY (ARRAY['endpoint'::text, 'hook'::text])),
  constraint webhooks_types_check CHECK (cardinality(types) > 0),
  constraint webhooks_url_check CHECK (length(url) >= 1 AND length(url) <= 2000)
);
alter table webhooks enable row level security;
alter table webhooks force row level security;
create policy own_sites on webhooks as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on webhooks to marketing_app;

create table withdrawal_requests (
  site_id uuid not null,
  request_id uuid default uuidv7() not null,
  email_hash bytea not null,
  requested_at timestamp(3) with time zone not null,
  purpose text default 'all'::text not null,
  constraint withdrawal_requests_pkey PRIMARY KEY (site_id, request_id),
  constraint withdrawal_requests_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint withdrawal_requests_purpose_check CHECK (purpose = ANY (ARRAY['all'::text, 'email'::text, 'display'::text]))
);
CREATE INDEX withdrawal_requests_by_age ON withdrawal_requests USING btree (site_id, requested_at);
CREATE UNIQUE INDEX withdrawal_requests_once ON withdrawal_requests USING btree (site_id, email_hash, purpose);
alter table withdrawal_requests enable row level security;
alter table withdrawal_requests force row level security;
create policy own_sites on withdrawal_requests as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on withdrawal_requests to marketing_app;

create table your_data_links (
  site_id uuid not null,
  link_id uuid default uuidv7() not null,
  kind text not null,
  email_normalized text,
  mail_to text,
  email_hash bytea not null,
  asked_by bytea not null,
  asked_at timestamp(3) with time zone default now() not null,
  language text not null,
  token_hash bytea,
  expires_at timestamp(3) with time zone,
  uses smallint default 0 not null,
  attempts smallint default 0 not null,
  next_attempt_at timestamp(3) with time zone default now(),
  constraint your_data_links_pkey PRIMARY KEY (site_id, link_id),
  constraint your_data_links_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(site_id),
  constraint your_data_links_kind_check CHECK (kind = ANY (ARRAY['look'::text, 'address'::text])),
  constraint your_data_links_language_check CHECK (language = ANY (ARRAY['en'::text, 'fr'::text]))
) with (fillfactor=80);
CREATE INDEX your_data_links_by_age ON your_data_links USING btree (site_id, asked_at);
CREATE UNIQUE INDEX your_data_links_by_token ON your_data_links USING btree (site_id, token_hash) WHERE token_hash IS NOT NULL;
CREATE INDEX your_data_links_due ON your_data_links USING btree (next_attempt_at) WHERE next_attempt_at IS NOT NULL;
alter table your_data_links enable row level security;
alter table your_data_links force row level security;
create policy own_sites on your_data_links as permissive for all to public using (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[])) with check (site_id = ANY ((( SELECT current_sites() AS current_sites))::uuid[]));
grant delete, insert, select, update on your_data_links to marketing_app;

grant select, usage on archive_erasures_erasure_no_seq to marketing_app;

grant select, usage on dirty_days_mark_id_seq to marketing_app;

grant select, usage on dirty_leads_mark_id_seq to marketing_app;

grant select, usage on dirty_visits_mark_id_seq to marketing_app;

grant select, usage on visit_origins_origin_id_seq to marketing_app;

grant select, usage on visit_paths_path_id_seq to marketing_app;

create function adopt_conversions(for_site uuid, for_lead uuid, for_hash bytea, captured_at timestamp with time zone) returns void language plpgsql set enable_seqscan=off;

create function agrees_to_ties(for_site uuid, for_lead uuid) returns boolean language sql stable;

create function append_consent(lead leads, for_purpose text, draft consent_records, details consent_details, began timestamp with time zone, is_asking boolean) returns leads language plpgsql;

create function archive_sums(for_day date) returns TABLE(site_id uuid, raw_rows integer, raw_sum numeric) language sql stable set jit=off set TimeZone=UTC;

create function bucket_of(hundredths double precision) returns integer language sql immutable;

create function campaign_detail(source text, medium text) returns text language sql immutable;

create function capture_lead(capture json) returns json language plpgsql set enable_seqscan=off set enable_mergejoin=off set jit=off set plan_cache_mode=force_generic_plan;

create function captured_at(lead leads) returns timestamp with time zone language sql stable;

create function carry_source(for_site uuid, for_visitor uuid, of_bots boolean, after timestamp with time zone, came_from text) returns void language plpgsql;

create function compare_day(for_site uuid, for_day date) returns TABLE(number text, raw double precision, rollup double precision) language plpgsql set jit=off set enable_nestloop=off set work_mem=8MB;

create function compare_lead_facts(for_site uuid, after_lead uuid, at_most integer, OUT last_lead uuid, OUT differing uuid[]) returns record language plpgsql;

create function confirm_opt_in(confirmation json) returns text language plpgsql set enable_seqscan=off set jit=off set plan_cache_mode=force_generic_plan;

create function consent_action(asked text, basis text, at timestamp with time zone, began timestamp with time zone, ends_at timestamp with time zone, standing consent_records, newest consent_records, is_same boolean, says_more boolean, is_awaited boolean, is_asking boolean) returns text language plpgsql stable;

create function consent_at(status text, expires_at timestamp with time zone, moment timestamp with time zone) returns text language sql immutable parallel safe;

create function consent_details_digest(d consent_details, has_purpose boolean) returns bytea language sql immutable;

create function consent_hash(r consent_records) returns bytea language sql immutable;

create function consent_newest(for_site uuid, for_lead uuid, for_purpose text, is_standing boolean) returns consent_records language sql stable set enable_seqscan=off;

create function consent_standing(for_site uuid, for_lead uuid, for_purpose text) returns consent_records language sql stable;

create function consent_standings(for_site uuid, for_lead uuid) returns TABLE(purpose text, status text, since timestamp with time zone, expires_at timestamp with time zone) language sql stable set enable_seqscan=off;

create function consent_words(for_site uuid, by_id uuid, sent text, in_language text) returns consent_texts language plpgsql;

create function count_capture(for_site uuid, at timestamp with time zone, as_outcome text, because text) returns void language sql;

create function count_day(for_site uuid, for_day date, starts timestamp with time zone, ends timestamp with time zone, wanted uuid[], keeps boolean) returns void language plpgsql;

create function count_goals(for_site uuid, for_test uuid, goal_of text, on_path text, within_days integer) returns integer language plpgsql set jit=off;

create function count_outcomes(for_site uuid, starts timestamp with time zone, ends timestamp with time zone, wanted uuid[], tellers uuid[]) returns void language plpgsql set jit=off set enable_nestloop=on set enable_seqscan=off set plan_cache_mode=force_generic_plan;

create function count_returns(for_site uuid, for_day date, wanted uuid[], humans uuid[]) returns void language plpgsql set jit=off set enable_nestloop=on set enable_seqscan=off set plan_cache_mode=force_generic_plan;

create function count_visits(for_site uuid, for_day date, starts timestamp with time zone, ends timestamp with time zone, wanted uuid[], keeps boolean, OUT humans uuid[], OUT tellers uuid[]) returns record language plpgsql set jit=off set work_mem=8MB set enable_nestloop=off set enable_seqscan=off set plan_cache_mode=force_generic_plan;

create function current_sites() returns uuid[] language sql stable parallel safe;

create function cut_stretch(for_site uuid, for_visitor uuid, of_bots boolean, late timestamp with time zone[], since timestamp with time zone, until timestamp with time zone, inactivity interval) returns void language plpgsql;

create function day_of(at timestamp with time zone, zone text) returns date language sql immutable strict parallel safe;

create function day_starts(day date, zone text) returns timestamp with time zone language sql immutable strict parallel safe;

create function days_in_new_zone() returns trigger language plpgsql;

create function display_details_digest(d display_details) returns bytea language sql immutable;

create function display_hash(r display_consents) returns bytea language sql immutable;

create function display_standing(for_site uuid, for_lead uuid) returns display_consents language sql stable;

create function display_stands(for_site uuid, for_lead uuid) returns boolean language sql stable;

create function drop_event_partitions(before_day date) returns SETOF text language plpgsql security definer set search_path=pg_catalog, public;
revoke all on drop_event_partitions(date) from public;
grant execute on drop_event_partitions(date) to marketing_app;

create function drop_notification_partitions(before_day date) returns SETOF text language plpgsql security definer set search_path=pg_catalog, public;
revoke all on drop_notification_partitions(date) from public;
grant execute on drop_notification_partitions(date) to marketing_app;

create function end_links_beyond() returns trigger language plpgsql;

create function erase_from_details(for_site uuid, pattern text) returns bigint language plpgsql security definer set search_path=pg_catalog, public;
revoke all on erase_from_details(uuid,text) from public;
grant execute on erase_from_details(uuid,text) to marketing_app;

create function event_time(client_at timestamp with time zone, received_at timestamp with time zone) returns timestamp with time zone language sql stable;

create function expect_one_site() returns integer language plpgsql security definer set search_path=pg_catalog, public;
revoke all on expect_one_site() from public;
grant execute on expect_one_site() to marketing_app;

create function extend_sessions(places tid[], ends timestamp with time zone[]) returns integer language plpgsql set enable_indexscan=off set enable_bitmapscan=off;

create function fill_day(for_site uuid, for_day date, what text) returns void language sql;

create function first_touch_of(for_site uuid, for_visitor uuid, of_session uuid, is_any boolean) returns SETOF sessions language sql stable;

create function flood_after() returns integer language sql immutable;

create function fold_full_days(before date) returns integer language plpgsql;

create function forget_names(for_site uuid, for_day date, kinds text[], names text[], details text[]) returns void language plpgsql set jit=off set enable_seqscan=off set plan_cache_mode=force_generic_plan;

create function gather_lead_credits(for_site uuid, wanted uuid[]) returns SETOF lead_credits language sql stable strict set enable_seqscan=off set enable_mergejoin=off;

create function gather_lead_facts(for_site uuid, wanted uuid[]) returns SETOF lead_facts language sql stable strict set enable_seqscan=off set enable_mergejoin=off;

create function gather_lead_touches(for_site uuid, wanted uuid[]) returns SETOF lead_touches language sql stable strict set enable_seqscan=off set enable_mergejoin=off;

create function gather_visit_facts(for_site uuid, for_day date, starts timestamp with time zone, ends timestamp with time zone, wanted uuid[]) returns SETOF visit_facts language plpgsql stable set jit=off set work_mem=8MB set enable_nestloop=off set enable_seqscan=off set enable_indexscan=off set plan_cache_mode=force_generic_plan;

create function get_user_email(of_user uuid, OUT ciphertext bytea, OUT key_id uuid) returns record language sql stable;

create function get_user_full_name(of_user uuid, OUT ciphertext bytea, OUT key_id uuid) returns record language sql stable;

create function heuristic_confidence(age_minutes numeric, fan_out bigint, window_minutes integer) returns real language sql immutable;

create function in_accounts() returns boolean language sql stable parallel safe;

create function ingest_events(arrived arrived_event[], repeated json, inactivity interval, own_sites text) returns TABLE(arrived_id uuid, event_id uuid, visitor_id uuid, session_id uuid, duplicate boolean) language sql;

create function instant_text(moment timestamp with time zone) returns text language sql immutable parallel safe;

create function is_awaited(for_site uuid, for_lead uuid, for_purpose text, at timestamp with time zone) returns boolean language sql stable;

create function is_open_day(day date, today date) returns boolean language sql immutable;

create function is_same_consent(r consent_records, words_hash bytea, policy text) returns boolean language sql stable;

create function is_unconfirmed(l leads) returns boolean language sql stable set enable_seqscan=off;

create procedure isolate_accounts(IN target regclass) language plpgsql;
revoke all on isolate_accounts(regclass) from public;

create procedure isolate_sites(IN target regclass) language plpgsql;
revoke all on isolate_sites(regclass) from public;

create function judge_event(for_site uuid, for_event uuid, reason text, instead_of text, inactivity interval) returns void language plpgsql;

create function judged_reason(own text, verdict text) returns text language sql immutable;

create function keep_visits(for_site uuid, for_day date) returns void language plpgsql set jit=off set work_mem=8MB set enable_nestloop=off set enable_seqscan=off set plan_cache_mode=force_generic_plan;

create function kept_path(path text) returns text language sql immutable parallel safe;

create function lead_end(l leads, OUT because text, OUT since timestamp with time zone) returns record language sql stable set enable_seqscan=off;

create function lead_of_visitor(for_site uuid, for_visitor uuid, at timestamp with time zone) returns uuid language sql stable set enable_seqscan=off;

create function ledger_of(for_site uuid, starts timestamp with time zone, ends timestamp with time zone) returns bigint language sql stable;

create function left_at(for_site uuid, for_lead uuid) returns timestamp with time zone language sql stable;

create function make_event_partitions(first_day date, last_day date) returns integer language plpgsql security definer set search_path=pg_catalog, public;
revoke all on make_event_partitions(date,date) from public;
grant execute on make_event_partitions(date,date) to marketing_app;

create function make_notification_partitions(first_day date, last_day date) returns integer language plpgsql security definer set search_path=pg_catalog, public;
revoke all on make_notification_partitions(date,date) from public;
grant execute on make_notification_partitions(date,date) to marketing_app;

create function mark_lead() returns trigger language plpgsql;

create function mark_moved_touches(for_site uuid, starts timestamp with time zone, ends timestamp with time zone, visitors uuid[], all_kept boolean) returns void language sql set enable_seqscan=off;

create function mark_visitor() returns trigger language plpgsql;

create function marked_leads(for_site uuid, from_marks bigint[]) returns SETOF uuid language sql stable set enable_seqscan=off;

create function may_hold_address(words text) returns boolean language sql immutable parallel safe;

create function move_events(for_site uuid, for_visitor uuid, ids uuid[], times timestamp with time zone[], to_sessions uuid[]) returns void language plpgsql set enable_seqscan=off set enable_nestloop=off set enable_mergejoin=off;

create function name_bytes_at_most(kind text) returns integer language sql immutable;

create function names_at_most(kind text) returns integer language sql immutable;

create function netstring(field text) returns text language sql immutable parallel safe;

create function note_implied_end() returns trigger language plpgsql;

create function note_restriction() returns trigger language plpgsql;

create function note_scores() returns trigger language plpgsql;

create function numbers_in(counts jsonb) returns TABLE(number text, value double precision) language sql immutable;

create function placed_elsewhere(arrived arrived_event[], inactivity interval) returns TABLE(n integer, by_visitor uuid, at timestamp with time zone) language sql stable set enable_seqscan=off set enable_mergejoin=off set jit=off;

create function properties_at_most() returns integer language sql immutable;

create function purge_audit_log(before timestamp with time zone) returns bigint language plpgsql security definer set search_path=pg_catalog, public;
revoke all on purge_audit_log(timestamp with time zone) from public;
grant execute on purge_audit_log(timestamp with time zone) to marketing_app;

create function purge_auth_events(before timestamp with time zone, only_failed boolean) returns bigint language plpgsql security definer set search_path=pg_catalog, public;
revoke all on purge_auth_events(timestamp with time zone,boolean) from public;
grant execute on purge_auth_events(timestamp with time zone,boolean) to marketing_app;

create function purge_browser_choices(for_site uuid, before timestamp with time zone) returns bigint language plpgsql security definer set search_path=pg_catalog, public;
revoke all on purge_browser_choices(uuid,timestamp with time zone) from public;
grant execute on purge_browser_choices(uuid,timestamp with time zone) to marketing_app;

create function purge_consent_records(for_site uuid, before timestamp with time zone) returns bigint language plpgsql security definer set search_path=pg_catalog, public;
revoke all on purge_consent_records(uuid,timestamp with time zone) from public;
grant execute on purge_consent_records(uuid,timestamp with time zone) to marketing_app;

create function purge_display_consents(for_site uuid, before timestamp with time zone) returns bigint language plpgsql security definer set search_path=pg_catalog, public;
revoke all on purge_display_consents(uuid,timestamp with time zone) from public;
grant execute on purge_display_consents(uuid,timestamp with time zone) to marketing_app;

create function purpose_of(r consent_records, named text) returns text language sql immutable;

create function purposes_of(request json) returns text[] language sql immutable;

create function queue_deliveries() returns trigger language plpgsql;

create function recall_withdrawal(for_site uuid, for_lead uuid, for_hash bytea) returns void language plpgsql set enable_seqscan=off;

create function record_consent(for_site uuid, for_lead uuid, wanted json) returns text language plpgsql;

create function record_display(for_site uuid, for_lead uuid, wanted json) returns boolean language plpgsql;

create function record_review(for_site uuid, for_lead uuid, wanted json) returns boolean language plpgsql;

create function recut_sessions(for_site uuid, for_visitor uuid, of_bots boolean, late timestamp with time zone[], inactivity interval) returns void language plpgsql;

create function recut_visitor(for_site uuid, for_visitor uuid, since timestamp with time zone, until timestamp with time zone, inactivity interval) returns void language plpgsql;

create function refresh_lead_credits(for_site uuid, wanted uuid[]) returns void language sql;

create function refresh_lead_facts(for_site uuid, at_most integer) returns integer language plpgsql;

create function refresh_visits(for_site uuid, patient boolean DEFAULT false) returns integer language plpgsql;

create function renew_first_touches(for_site uuid, wanted uuid[]) returns void language plpgsql;

create function review_standing(for_site uuid, for_lead uuid, for_review uuid) returns display_consents language sql stable;

create function roll_up_day(for_site uuid, for_day date) returns text language plpgsql;

create function roll_up_due_day(for_site uuid, for_day date) returns text language plpgsql;

create function roll_up_ledger(for_site uuid, for_day date, starts timestamp with time zone, ends timestamp with time zone) returns void language sql;

create function roll_up_notifications(for_site uuid, first_day date, last_day date) returns integer language plpgsql set jit=off;

create function rolled_range(for_site uuid, for_day date, OUT zone text, OUT starts timestamp with time zone, OUT ends timestamp with time zone) returns record language sql stable;

create function share_out_day_visitor(for_site uuid, for_visitor uuid) returns void language sql;

create function show_names(for_site uuid, for_day date, changed text[]) returns void language plpgsql set jit=off set enable_seqscan=off set plan_cache_mode=force_generic_plan;

create function site_day(for_site uuid, at timestamp with time zone) returns date language sql stable strict parallel safe;

create function site_day_starts(for_site uuid, day date) returns timestamp with time zone language sql stable strict parallel safe;

create function site_zone(for_site uuid) returns text language sql stable strict parallel safe;

create function source_before(for_site uuid, for_visitor uuid, of_bots boolean, at timestamp with time zone) returns text language sql stable;

create function still_allows(l leads) returns boolean language sql stable;

create function still_moving(for_site uuid, marks bigint[]) returns uuid[] language sql stable;

create function store_events(arrived arrived_event[], is_plain boolean, repeated json, inactivity interval, own_sites text, OUT sessions uuid[], OUT visitors uuid[], OUT known json) returns record language plpgsql set enable_seqscan=off set enable_mergejoin=off set jit=off set plan_cache_mode=force_generic_plan;

create function store_notification_events(arrived json, repeated json, own_sites text) returns json language plpgsql set enable_seqscan=off set enable_bitmapscan=off set enable_mergejoin=off set jit=off set plan_cache_mode=force_generic_plan;

create function take_consent(for_site uuid, for_lead uuid, consent json, at timestamp with time zone) returns text language plpgsql;

create function takes_implied(for_site uuid) returns boolean language sql stable;

create function tell_custom_fields_changed() returns trigger language plpgsql;

create function tell_feed() returns trigger language plpgsql;

create function tell_metrics_changed() returns trigger language plpgsql;

create function tell_others(for_site uuid, of_type text, happened jsonb, of_lead uuid, of_visitor uuid DEFAULT NULL::uuid) returns bigint language plpgsql;

create function tell_recut(for_site uuid, for_visitor uuid, of_bots boolean) returns void language plpgsql;

create function tell_sites_changed() returns trigger language plpgsql;

create function tie_as_confirmed(for_site uuid, lead leads, asked opt_ins, privacy_signal boolean) returns void language plpgsql;

create function tie_to_visitor(for_site uuid, for_lead uuid, for_visitor uuid, at timestamp with time zone, is_day_visitor boolean) returns boolean language plpgsql;

create function told_at_most() returns integer language sql immutable;

create function told_by_nobody_at_most() returns integer language sql immutable;

create function withdraw_consent(request json) returns json language plpgsql set enable_seqscan=off set jit=off set plan_cache_mode=force_generic_plan;

create function withdraw_display(request json) returns uuid language plpgsql;

create function withdrawn_purposes(for_site uuid, for_lead uuid, at timestamp with time zone) returns text[] language plpgsql stable;
