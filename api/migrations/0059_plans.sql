-- What a site may use in a month and of each kind, what it used, and whether its events are refused for it.

create table plans (
  plan_id text primary key check (plan_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
  name text not null check (length(name) between 1 and 100),
  events_a_month bigint check (events_a_month >= 0),
  impressions_a_month bigint check (impressions_a_month >= 0),
  notifications int check (notifications >= 0),
  tests int check (tests >= 0),
  webhooks int check (webhooks >= 0),
  seats int check (seats >= 0),
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now()
);
comment on table plans is 'limits that sites can be given; null: none. A site without a subscription has none at all';

create table subscriptions (
  site_id uuid primary key references sites on delete cascade,
  plan_id text not null references plans,
  billing_url text,
  since timestamptz(3) not null default now()
);
create index subscriptions_of_plan on subscriptions (plan_id);
call isolate_sites('subscriptions');

create table usage_months (
  site_id uuid not null references sites on delete cascade,
  month date not null check (extract(day from month) = 1),
  events bigint not null,
  impressions bigint not null default 0,
  counted_at timestamptz(3) not null default now(),
  primary key (site_id, month)
);
comment on table usage_months is 'of sites with a subscription: what they used of a UTC month, as the ledger counts it';
call isolate_sites('usage_months');

alter table sites add column over_plan boolean not null default false;
comment on column sites.over_plan is 'events are refused until the month is over or the plan is larger (job plan_usage)';
alter table sites add column data_region text check (data_region ~ '^[a-z0-9][a-z0-9-]{1,31}$');
comment on column sites.data_region is 'where the data of this site has to be; null: nobody said';
