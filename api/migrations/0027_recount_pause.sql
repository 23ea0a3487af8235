-- How long a whole recount of a day took and when it was: a day that takes long is not recounted every minute.
alter table rollup_state add column recounted_at timestamptz(3);
alter table rollup_state add column recount_ms integer;
comment on column rollup_state.recounted_at is 'when it was last counted whole, from its raw rows';
comment on column rollup_state.recount_ms is 'how long that took';
