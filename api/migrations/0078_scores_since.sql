-- Whoever agreed before a site said that it scores read other words: the setting visitorScores has a moment, and a score only who chose
-- at it or later. Of settings of before nobody noted when: from this release on.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
alter table sites add column scores_since timestamptz(3);
comment on column sites.scores_since is 'since when its setting visitorScores is true; null: it is not';
update sites set scores_since = now() where settings ->> 'visitorScores' = 'true';
create function note_scores() returns trigger language plpgsql as $$
begin
  new.scores_since := case when new.settings ->> 'visitorScores' = 'true' then coalesce(new.scores_since, now()) end;
  return new;
end $$;
create trigger scored_since before insert or update of settings on sites for each row execute function note_scores();

-- How a lead came, and how long after its first visit: of those whom a visit under a signal had told so, gathered anew.
insert into dirty_leads (site_id, visitor_id, is_first_touch)
select distinct s.site_id, s.visitor_id, true from sessions s
where s.privacy_signal and exists (select from lead_identities i where i.site_id = s.site_id and i.visitor_id = s.visitor_id)
  and not exists (select from dirty_leads d where d.site_id = s.site_id and d.visitor_id = s.visitor_id and d.is_first_touch);
