-- Only sites that link by address look a visitor up by it: for the others the index cost each new visitor 40 bytes an event
-- and was never read.
alter table visitors add column is_linkable boolean not null default false;
comment on column visitors.is_linkable is 'its site linked by address (linking: on) when it was heard; only then is it found by its address';
alter type arrived_event add attribute is_linkable boolean;
drop index visitors_by_address;
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites where settings ->> 'linking' = 'on'), ''), true);
update visitors v set is_linkable = true from sites s
where s.site_id = v.site_id and s.settings ->> 'linking' = 'on' and v.last_seen_at > now() - interval '1 day';
create index visitors_by_address on visitors (site_id, ip_hash, ua_hash) where is_linkable and ip_hash is not null;
