-- What strangers may make up without end (names, properties, signups) is kept up to a bound a day of a site. That a day
-- reached it is told, and its numbers are compared no further than that.

create table full_days (
  site_id uuid not null references sites,
  day date not null,
  what text not null,
  since timestamptz(3) not null default now(),
  primary key (site_id, day, what)
);
comment on table full_days is 'a day of a site that was sent more of something than is kept apart';
comment on column full_days.what is 'conversions, properties (also their names), or the kind of name: page, campaign, …';
call isolate_sites('full_days');

alter table open_kinds add column names integer not null default 0;
alter table open_kinds add column is_full boolean not null default false;
comment on column open_kinds.names is 'how many rows of open_names are of this kind';
comment on column open_kinds.is_full is 'there are as many as there may be: what has no row of its own counts for (other), until the day is recomputed';

-- days under way go on with what they have
update open_kinds k set names = n.names
from (select site_id, day, kind, count(*) as names from open_names group by 1, 2, 3) n
where n.site_id = k.site_id and n.day = k.day and n.kind = k.kind;
