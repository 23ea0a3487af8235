-- Links that were left open, or made, after their lead had withdrawn (by an imported list, or by a form from another browser)
-- end with the withdrawal. Newer ones end by themselves: src/product/consent/record_consent.sql.
select set_config('marketing.sites', coalesce((select string_agg(site_id::text, ',') from sites), ''), true);
update lead_identities i set ended_at = l.consent_at from leads l
where l.site_id = i.site_id and l.lead_id = i.lead_id and l.consent_status = 'withdrawn' and i.unlinked_at is null and i.ended_at is null;
-- and those of who is restricted: what their browsers did since nobody noted when
update lead_identities i set ended_at = now() from leads l
where l.site_id = i.site_id and l.lead_id = i.lead_id and l.restricted and i.unlinked_at is null and i.ended_at is null;
