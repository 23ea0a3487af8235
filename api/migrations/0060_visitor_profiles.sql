-- How a visitor who agreed to be known again behaves: what the score of each is made of, counted every hour.

create table visitor_profiles (
  site_id uuid not null references sites on delete cascade,
  visitor_id uuid not null,
  seen_at timestamptz(3) not null,
  sessions integer not null,
  engaged_minutes double precision not null,
  intent double precision not null check (intent between 0 and 1),
  score double precision not null check (score between 0 and 100),
  counted_at timestamptz(3) not null default now(),
  primary key (site_id, visitor_id)
);
comment on table visitor_profiles is 'of visitors whose newest choice is full and holds; the rest of them is read from their visits';
create index visitor_profiles_by_score on visitor_profiles (site_id, score desc, visitor_id);
call isolate_sites('visitor_profiles');
