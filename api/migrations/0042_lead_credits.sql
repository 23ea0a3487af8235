-- What a lead, its signup, its activation and its purchases are credited to is kept with its facts: an answer only adds it up.

create table lead_credits (
  site_id uuid not null,
  lead_id uuid not null,
  kind text not null check (kind in ('lead', 'signup', 'activation', 'purchase')),
  nth integer not null,
  part smallint not null,
  at timestamptz(3) not null,
  captured_at timestamptz(3) not null,
  source text not null,
  campaign text,
  conversions smallint not null,
  touches smallint not null,
  known_since timestamptz(3),
  first integer not null,
  last integer not null,
  linear integer not null,
  time_decay integer not null,
  position integer not null,
  currency text,
  first_units bigint,
  last_units bigint,
  linear_units bigint,
  time_decay_units bigint,
  position_units bigint,
  primary key (site_id, lead_id, kind, nth, part),
  -- a lead that ended leaves its numbers under a random id
  foreign key (site_id, lead_id) references lead_facts on delete cascade deferrable initially deferred
) with (fillfactor = 90);
comment on table lead_credits is 'what each conversion of a lead is credited to, by five models: a row a source and campaign; written by refresh_lead_facts alone';
comment on column lead_credits.nth is 'which of the lead''s purchases; 1 of any other kind';
comment on column lead_credits.captured_at is 'first capture of its lead';
comment on column lead_credits.conversions is '1 in one row of each conversion, 0 in its others';
comment on column lead_credits.known_since is 'touches may be missing before it; null: all are known';
comment on column lead_credits.first is 'millionths of the conversion; so the other models';
comment on column lead_credits.first_units is 'ten-thousandths of the purchase''s amount; so the other models';
create index lead_credits_by_time on lead_credits (site_id, kind, at);
create index lead_credits_by_capture on lead_credits (site_id, kind, captured_at) where kind <> 'lead';
call isolate_sites('lead_credits');

-- Those there are already.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
insert into dirty_leads (site_id, lead_id) select site_id, lead_id from lead_facts;
