-- Who asked for access, erasure or correction, until when it must be answered, and when it was: the first thing an authority asks for.

create table people_requests (
  site_id uuid not null references sites,
  request_id uuid not null default uuidv7(),
  kind text not null check (kind in ('access', 'erasure', 'correction', 'objection', 'restriction', 'withdrawal', 'portability')),
  email_hash bytea,
  received_at timestamptz(3) not null,
  due_at timestamptz(3) not null check (due_at >= received_at),
  how text check (length(how) <= 500),
  note text check (length(note) <= 2000),
  outcome text check (outcome in ('done', 'refused', 'dropped')),
  done_at timestamptz(3),
  primary key (site_id, request_id),
  check ((outcome is null) = (done_at is null))
) with (fillfactor = 90);
comment on table people_requests is 'requests of people about their own data; the address as a keyed hash, so that the register outlives an erasure';
create index people_requests_open on people_requests (due_at) where done_at is null;
call isolate_sites('people_requests');

-- A breach: whether the risk is real and why, whom it was told by authority, and what each change said before.

alter table breaches add column real_risk boolean;
alter table breaches add column real_risk_why text;
alter table breaches add column quebec_count integer check (quebec_count >= 0);
alter table breaches add column notices jsonb not null default '[]';
comment on column breaches.real_risk is 'of significant harm (RROSH), or a risk to rights and freedoms; null: not decided yet';
comment on column breaches.notices is 'authorities and others that were told: [{who, toldAt, reference}]';

create table breach_changes (
  site_id uuid not null,
  change_id uuid not null default uuidv7(),
  breach_id uuid not null,
  changed_at timestamptz(3) not null default now(),
  before jsonb not null,
  primary key (site_id, change_id),
  foreign key (site_id, breach_id) references breaches
);
comment on table breach_changes is 'what a breach said before each change: the register is evidence';
create index breach_changes_of on breach_changes (site_id, breach_id, change_id);
call isolate_sites('breach_changes');
