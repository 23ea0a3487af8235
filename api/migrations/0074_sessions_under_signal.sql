-- A visit that began under Global Privacy Control or Do Not Track joins no lead, nor is it credited with one: its events say so
-- singly, and a session must where they are gone.

alter table sessions add column privacy_signal boolean not null default false;
comment on column sessions.privacy_signal is 'its first event came with GPC or DNT: it is counted, and joins nobody';
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
update sessions s set privacy_signal = true from events e
where e.site_id = s.site_id and e.visitor_id = s.visitor_id and e.session_id = s.session_id and e.occurred_at = s.started_at and e.privacy_signal;
-- the touches and first sources of those who were tied to one are gathered anew
insert into dirty_leads (site_id, visitor_id, is_first_touch)
select distinct s.site_id, s.visitor_id, true from sessions s
where s.privacy_signal and exists (select from lead_identities i where i.site_id = s.site_id and i.visitor_id = s.visitor_id);
