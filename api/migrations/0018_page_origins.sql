-- Whose pages send to a site: a copied page, a preview or a www too few is refused or proposed, and its owner must see which.

create table page_origins (
  site_id uuid not null references sites,
  origin text not null,
  taken bigint not null,
  refused bigint not null,
  first_seen_at timestamptz(3) not null default now(),
  last_seen_at timestamptz(3) not null default now(),
  primary key (site_id, origin)
) with (fillfactor = 70);
comment on table page_origins is 'events by the origin of their page, while it is not on the site''s list; at most some hundred origins a site, since anybody can make one up';
comment on column page_origins.taken is 'the site listed no origins then, so every one was its own';
call isolate_sites('page_origins');
comment on column rejections.details is 'fields and rules that failed, and the origin of a page that is not of the site; never the values';
