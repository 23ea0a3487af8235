-- Whose time runs by itself, and since when. Read by the purge (ends.ts), and by the rule of what waits for a second step.

-- Whether anything that they allowed still stands: a purpose, whichever, or that they are named or a review of theirs is shown.
-- Of a review only while there is one to show: not declined, nor as old as reviews get (reviews/tables.ts). The age is asked beside
-- the row, so that a dry run, which deletes none, says the same as the night in which both go.
create or replace function still_allows(l leads) returns boolean language sql stable
return (l.consent_seq > 0 and exists (select from consent_standings(l.site_id, l.lead_id) s where s.status in ('express', 'implied')))
  or exists (select from display_consents d where d.site_id = l.site_id and d.lead_id = l.lead_id and d.action = 'granted'
    and not exists (select from display_consents w where w.site_id = d.site_id and w.lead_id = d.lead_id and w.action = 'withdrawn' and w.seq > d.seq)
    and (d.review_id is null or exists (select from reviews r where r.site_id = d.site_id and r.review_id = d.review_id
      and r.status <> 'declined' and r.received_at >= now() - interval '5 years')));

-- A lead that only asked for a mail of confirmation: it agreed to nothing yet, and nothing else is known of it.
create or replace function is_unconfirmed(l leads) returns boolean language sql stable set enable_seqscan = off
return l.consent_status = 'pending' and l.imported_at is null
  and exists (select from opt_ins o where o.site_id = l.site_id and o.lead_id = l.lead_id)
  and not exists (select from opt_ins o where o.site_id = l.site_id and o.lead_id = l.lead_id and o.confirmed_at is not null)
  and not exists (select from conversions c where c.site_id = l.site_id and c.lead_id = l.lead_id)
  -- another form is a question that somebody answers
  and not exists (select from submissions s where s.site_id = l.site_id and s.lead_id = l.lead_id
    and s.form_name not in (select coalesce(o.request ->> 'form_name', s.form_name) from opt_ins o
      where o.site_id = l.site_id and o.lead_id = l.lead_id))
  and not still_allows(l);

-- since  the last sign of life: a form (one that is held back too), an import, a word about any purpose or about being named, a
--        signup or purchase; of implied consent also its end
-- returns because null: no end by itself. Who agreed to anything stays until they leave, who is restricted until they say otherwise.
create or replace function lead_end(l leads, out because text, out since timestamptz) language sql stable set enable_seqscan = off as $$
  select case
      when l.restricted or still_allows(l) then null
      when consent_at(l.consent_status, l.consent_expires_at, now()) = 'expired' then 'lapsed'
      when l.consent_status = 'withdrawn' then 'withdrawn'
      when l.consent_status = 'pending' then case when is_unconfirmed(l) then 'unconfirmed' else 'pending' end
    end,
    greatest(case l.consent_status when 'implied' then l.consent_expires_at else l.consent_at end, l.last_submitted_at, l.imported_at,
      (select max(greatest(s.since, s.expires_at)) from consent_standings(l.site_id, l.lead_id) s where l.consent_seq > 0),
      (select max(d.occurred_at) from display_consents d where d.site_id = l.site_id and d.lead_id = l.lead_id),
      (select max(q.received_at) from quarantine q where q.site_id = l.site_id and q.email_normalized = l.email_normalized and q.decision is null),
      (select max(o.requested_at) from opt_ins o where o.site_id = l.site_id and o.lead_id = l.lead_id),
      (select max(c.occurred_at) from conversions c where c.site_id = l.site_id and c.lead_id = l.lead_id))
$$;
comment on function lead_end is 'whose time runs by itself, and since when; see src/product/erasure/lead_end.sql';
