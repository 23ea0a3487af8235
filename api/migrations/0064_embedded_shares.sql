-- A shared view may stand in a frame on pages of these origins, and of no others.

alter table shares add column embed text[] not null default '{}' check (cardinality(embed) <= 5);
comment on column shares.embed is 'origins whose pages may frame it; none: nobody frames it';
