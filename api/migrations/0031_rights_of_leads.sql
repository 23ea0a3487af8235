-- What people may ask beside erasure: not to be profiled, to be left alone, to be corrected. And attributes that an import brought.

alter table lead_identities add column ended_at timestamptz(3);
comment on column lead_identities.ended_at is 'withdrawal or objection: what that browser does later joins no lead; what it did before stays';

alter table leads add column no_profiling boolean not null default false;
alter table leads add column restricted boolean not null default false;
alter table leads add column attributes jsonb;
comment on column leads.no_profiling is 'objected: no link to a browser is made any more';
comment on column leads.restricted is 'kept and nothing else: in no export for mailing, no mail';
comment on column leads.attributes is 'further columns of an import, by their names';

create table lead_rectifications (
  site_id uuid not null,
  rectification_id uuid not null default uuidv7(),
  lead_id uuid not null,
  rectified_at timestamptz(3) not null default now(),
  email_hash bytea not null,
  evidence text check (length(evidence) <= 2000),
  primary key (site_id, rectification_id),
  foreign key (site_id, lead_id) references leads on delete cascade
);
comment on table lead_rectifications is 'that an address was corrected, when, why; the one before as a keyed hash';
create index lead_rectifications_of on lead_rectifications (site_id, lead_id);
call isolate_sites('lead_rectifications');
