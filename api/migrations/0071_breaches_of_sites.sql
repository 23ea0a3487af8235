-- A breach of the machine concerns every site: a row at each, under one id, so that whoever answers for a site has it in theirs.
alter table breaches add column site_count integer not null default 1 check (site_count > 0);
comment on column breaches.site_count is 'how many sites have a row of this breach';
create index breaches_by_day on breaches (discovered_at desc, breach_id);
