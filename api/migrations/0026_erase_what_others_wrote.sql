-- An erasure takes the address also out of what others wrote when they agreed or withdrew. The app may change no row of proof,
-- so this does, and only this: what people typed loses what a pattern finds. Its digest stays in the record.

create function erase_from_details(for_site uuid, pattern text) returns bigint
language plpgsql security definer set search_path = pg_catalog, public as $$
declare
  changed bigint;
begin
  if not for_site = any (public.current_sites()) or pattern !~ '@' then
    raise exception 'not for this site, or no address';
  end if;
  update public.consent_details set policy_version = regexp_replace(policy_version, pattern, '(erased)', 'gi'),
    page = regexp_replace(page, pattern, '(erased)', 'gi'), form_name = regexp_replace(form_name, pattern, '(erased)', 'gi'),
    source = regexp_replace(source, pattern, '(erased)', 'gi'), evidence = regexp_replace(evidence, pattern, '(erased)', 'gi')
  where site_id = for_site and (policy_version ~* pattern or page ~* pattern or form_name ~* pattern or source ~* pattern or evidence ~* pattern);
  get diagnostics changed = row_count;
  return changed;
end $$;
comment on function erase_from_details is 'takes an address out of the texts of consent_details; answers in how many rows';
revoke all on function erase_from_details from public;
grant execute on function erase_from_details to marketing_app;
