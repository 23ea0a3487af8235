-- Whoever comes back to a stream after a time in which nobody was told must hear of it, though no later number is there.
alter table outbox_heads add column lapsed bigint not null default 0;
comment on column outbox_heads.lapsed is 'the newest number that was left out since nobody was told for a while: who has one below it may have missed something';
