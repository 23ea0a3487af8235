-- A lead whose time is over goes; what the numbers count of it stays under a random id, of nobody. So facts need no lead,
-- and take their touches along when they get another id.
alter table lead_facts drop constraint lead_facts_site_id_lead_id_fkey;
alter table lead_touches drop constraint lead_touches_site_id_lead_id_fkey;
alter table lead_touches add foreign key (site_id, lead_id) references lead_facts (site_id, lead_id)
  on delete cascade deferrable initially deferred;

-- Why an address was forgotten: somebody asked, or its time was over. Null: of before this was written down.
alter table erasures add cause text check (cause in ('request', 'time'));

-- Whose form an event was: who asks about a browser, or is erased, must not take along what others sent from it.
create index submissions_by_event on submissions (site_id, event_id) where event_id is not null;
