-- A/B tests of notifications: one variant or more against showing nothing, decided by what people did afterwards.

create table ab_tests (
  test_id uuid primary key default uuidv7(),
  site_id uuid not null references sites on delete cascade,
  notification_id uuid not null,
  status text not null default 'draft' check (status in ('draft', 'running', 'ended')),
  control_share double precision not null check (control_share between 0.1 and 0.9),
  goal jsonb not null,
  min_days integer not null check (min_days between 1 and 365),
  max_days integer not null check (max_days between 1 and 365),
  winner text not null check (winner in ('manual', 'automatic')),
  stop_unproven boolean not null,
  split jsonb,
  verdict text not null default 'undecided' check (verdict in ('undecided', 'better', 'harmful', 'inconclusive', 'invalid')),
  chosen text,
  created_at timestamptz(3) not null default now(),
  started_at timestamptz(3),
  decided_at timestamptz(3),
  ended_at timestamptz(3)
);
comment on table ab_tests is 'tests of a notification''s wordings against a control that is shown nothing';
comment on column ab_tests.split is 'the arms with their upper bounds of 10000, the control first; what pages and ingestion go by while it runs';
comment on column ab_tests.decided_at is 'from here on visitors are no longer part of the evidence: the winner is shown, and the control is a holdout';
comment on column ab_tests.chosen is 'the variant that everybody but the control gets';
create unique index ab_tests_running on ab_tests (notification_id) where status = 'running';
create index ab_tests_of_site on ab_tests (site_id, test_id);
call isolate_sites('ab_tests');

create table ab_variants (
  test_id uuid not null references ab_tests on delete cascade,
  key text not null check (key ~ '^[a-z0-9_-]{1,32}$' and key <> 'control'),
  site_id uuid not null,
  place integer not null,
  share double precision not null check (share > 0 and share < 1),
  texts jsonb,
  template_id uuid,
  trigger jsonb,
  primary key (test_id, key)
);
comment on table ab_variants is 'what a test compares; what a variant leaves out is as the notification has it';
call isolate_sites('ab_variants');

create table ab_exposures (
  site_id uuid not null,
  test_id uuid not null references ab_tests on delete cascade,
  visitor_id uuid not null,
  arm text not null,
  first_exposed_at timestamptz(3) not null,
  converted_at timestamptz(3),
  primary key (site_id, test_id, visitor_id)
);
comment on table ab_exposures is 'who took part in a test, in which arm, from when on; and the first goal after it, once';
create index ab_exposures_of_visitor on ab_exposures (site_id, visitor_id);
call isolate_sites('ab_exposures');

create table ab_verdicts (
  site_id uuid not null,
  test_id uuid not null references ab_tests on delete cascade,
  judged_at timestamptz(3) not null default now(),
  verdict text not null,
  arms jsonb not null,
  comparisons jsonb not null,
  srm jsonb not null,
  primary key (site_id, test_id, judged_at)
);
comment on table ab_verdicts is 'the counts of a test as they stood, once a day and whenever its verdict changed; only added to';
call isolate_sites('ab_verdicts');
