-- A site that narrows `linking` ties nobody further whom the new value would not tie: links end then, as by a withdrawal. What was
-- tied before stays until it is undone or erased; an admin's links are the admin's.
create function end_links_beyond() returns trigger language plpgsql as $$
declare
  narrowed constant text := coalesce(new.settings ->> 'linking', 'form');
  sites_before constant text := current_setting('marketing.sites', true);
begin
  perform set_config('marketing.sites', new.site_id::text, true);
  update lead_identities i set ended_at = clock_timestamp()
  where i.site_id = new.site_id and i.unlinked_at is null and i.ended_at is null and case narrowed
    when 'off' then i.link_source <> 'manual_merge'
    when 'consent' then i.link_source = 'same_ip_ua_window'
      or (i.link_source = 'form_submit' and not agrees_to_ties(i.site_id, i.lead_id))
    when 'form' then i.link_source = 'same_ip_ua_window'
    else false end;
  perform set_config('marketing.sites', coalesce(sites_before, ''), true);
  return null;
end $$;
comment on function end_links_beyond is 'links that the setting linking makes no more, end; see docs/legal/consent.md';
create trigger links_of_narrower_linking after update of settings on sites for each row
  when (coalesce(old.settings ->> 'linking', 'form') <> coalesce(new.settings ->> 'linking', 'form'))
  execute function end_links_beyond();
