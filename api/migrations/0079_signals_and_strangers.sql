-- What a browser tells of itself under Global Privacy Control or Do Not Track is counted and is no lead's; its event says so
-- as long as it is kept, and the conversion must after that.
alter table conversions add column privacy_signal boolean not null default false;
comment on column conversions.privacy_signal is 'told by a browser under GPC or DNT: it is counted, and nobody''s';
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
update conversions c set privacy_signal = true from events e
where c.origin = 'browser' and c.visitor_id is not null and e.site_id = c.site_id and e.visitor_id = c.visitor_id
  and e.occurred_at = c.occurred_at and e.event_id::text = c.conversion_id and e.privacy_signal;

-- Whoever only filled in a form and agreed to nothing was never written to: that they were forgotten when their time was over
-- need not be known for ever, and strangers could lengthen the table by it.
alter table erasures add column was_stranger boolean not null default false;
comment on column erasures.was_stranger is 'its time was over, and it had agreed to nothing';
