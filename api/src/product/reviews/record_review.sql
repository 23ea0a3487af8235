-- Stores a review with the permission to publish it, where one was given. In the transaction of its capture or import.
--
-- for_lead  who wrote it; null: imported without an address
-- wanted    review_id, submission_id?, rating?, words?, language?, product?, incentive?, relationship?, source, source_url?, source_key?,
--           written_at, and permission: as record_display takes it
-- returns   false: it was known already
create or replace function record_review(for_site uuid, for_lead uuid, wanted json) returns boolean language plpgsql as $$
declare
  r record;
begin
  select * into r from json_to_record(wanted) as r (review_id uuid, submission_id uuid, rating smallint, words text, language text, product text,
    incentive text, relationship text, source text, source_url text, source_key bytea, written_at timestamptz(3), permission json);
  insert into reviews (site_id, review_id, lead_id, submission_id, rating, words, language, product, incentive, relationship, source, source_url, source_key, written_at)
  values (for_site, r.review_id, for_lead, r.submission_id, r.rating, r.words, r.language, r.product, r.incentive, r.relationship, r.source, r.source_url, r.source_key, r.written_at)
  on conflict do nothing;
  if not found then
    return false;
  end if;
  if for_lead is not null and json_typeof(r.permission) = 'object' then
    perform record_display(for_site, for_lead, r.permission);
  end if;
  return true;
end $$;
comment on function record_review is 'stores a review; see src/product/reviews/record_review.sql';
