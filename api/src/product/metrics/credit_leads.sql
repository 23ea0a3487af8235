-- What the conversions of these leads are credited to, by five models, in whole millionths: every model sums to the number of
-- conversions, exactly, and of purchases to their amounts. A conversion's touches are those of its lead's browsers, at most 90
-- days before it; what came by itself counts only where there is nothing else; without any, the lead's own first touch stands in.
--
--   first, last  one of them alone          linear    each the same
--   time_decay   a week older weighs half   position  40 % the first, 40 % the last, the rest between them; two share evenly
--
-- What is left of dividing goes to the largest fractions, the later first; of an amount to the later touches.
create or replace function gather_lead_credits(for_site uuid, wanted uuid[]) returns setof lead_credits
language sql stable strict rows 300 set enable_seqscan = off set enable_mergejoin = off as $$
  with facts as materialized (
    select * from gather_lead_facts(for_site, wanted)
  ), bought as (
    select f.lead_id, c.occurred_at, c.amount, c.currency, c.origin, c.conversion_id from facts f
    cross join lateral (
      select * from conversions c where c.site_id = for_site and c.lead_id = f.lead_id and c.kind = 'purchase' and c.voided_at is null offset 0
    ) c
    union all
    select f.lead_id, c.occurred_at, c.amount, c.currency, c.origin, c.conversion_id from facts f
    cross join lateral (
      select distinct visitor_id from lead_identities i
      where i.site_id = for_site and i.lead_id = f.lead_id and i.link_source in ('form_submit', 'manual_merge') and i.unlinked_at is null
      offset 0
    ) linked
    cross join lateral (
      select * from conversions c where c.site_id = for_site and c.visitor_id = linked.visitor_id and c.kind = 'purchase'
        and c.lead_id is null and c.email_hash is null and c.voided_at is null offset 0
    ) c
    where f.lead_id = lead_of_visitor(for_site, c.visitor_id, c.occurred_at)
  ), happened as (
    select lead_id, 'lead' as kind, 1 as nth, first_captured_at as at, null::numeric as units, null::text as currency from facts
    union all select lead_id, 'signup', 1, signed_up_at, null, null from facts where signed_up_at is not null
    union all select lead_id, 'activation', 1, activated_at, null, null from facts where activated_at is not null
    union all
    select lead_id, 'purchase', row_number() over (partition by lead_id order by occurred_at, origin, conversion_id)::int, occurred_at,
      case when currency is not null then amount * 10000 end, case when amount is not null then currency end from bought
  ), converted as materialized (
    select row_number() over () as path, h.*, f.first_captured_at, f.source, f.campaign,
      case when f.touches_known_since > h.at - interval '90 days' then f.touches_known_since end as known_since
    from happened h join facts f using (lead_id)
  ), led as (
    select c.path, t.source, t.campaign, date_part('epoch', c.at - t.started_at) * 1000 as age_ms, t.session_id, t.is_weak,
      bool_and(t.is_weak) over (partition by c.path) as only_weak
    from converted c
    join gather_lead_touches(for_site, wanted) t on t.lead_id = c.lead_id and t.started_at <= c.at and t.started_at > c.at - interval '90 days'
  ), touched as materialized (
    select path, source, campaign, age_ms, row_number() over (partition by path order by age_ms desc, session_id) as step,
      count(*) over (partition by path) as steps, min(age_ms) over (partition by path) as youngest_ms
    from led where not is_weak or only_weak
  ), weighed as (
    -- relative to the youngest, so that a long way back does not underflow to nothing
    select *, power(2::float8, -(age_ms - youngest_ms) / 604800000) as weight from touched where steps > 1
  ), fractions as (
    select *, weight / sum(weight) over (partition by path order by step rows between unbounded preceding and unbounded following) * 1000000 as decayed
    from weighed
  ), ranked as (
    select *, row_number() over (partition by path order by decayed - floor(decayed) desc, step desc) as by_fraction,
      1000000 - sum(floor(decayed)) over (partition by path) as left_over
    from fractions
  ), shared as (
    select path, source, campaign, step, 1000000 * (step = 1)::int as first, 1000000 * (step = steps)::int as last,
      1000000 / steps + (step > steps - 1000000 % steps)::int as linear,
      (floor(decayed) + (by_fraction <= left_over)::int)::int as time_decay,
      case when steps = 2 then 500000 when step in (1, steps) then 400000
        else 200000 / (steps - 2) + (step - 1 > steps - 2 - 200000 % (steps - 2))::int end as position
    from ranked
    union all
    select c.path, coalesce(t.source, c.source), case when t.path is null then c.campaign else t.campaign end, 1, 1000000, 1000000, 1000000, 1000000, 1000000
    from converted c left join touched t using (path) where t.path is null or t.steps = 1
  ), earned as (
    select s.*, div(c.units * sum(first) over upto, 1000000) - div(c.units * (sum(first) over upto - first), 1000000) as first_units,
      div(c.units * sum(last) over upto, 1000000) - div(c.units * (sum(last) over upto - last), 1000000) as last_units,
      div(c.units * sum(linear) over upto, 1000000) - div(c.units * (sum(linear) over upto - linear), 1000000) as linear_units,
      div(c.units * sum(time_decay) over upto, 1000000) - div(c.units * (sum(time_decay) over upto - time_decay), 1000000) as time_decay_units,
      div(c.units * sum(position) over upto, 1000000) - div(c.units * (sum(position) over upto - position), 1000000) as position_units
    from shared s join converted c using (path) where c.units is not null
    window upto as (partition by path order by step)
  ), credited as (
    select * from earned
    union all
    select s.*, null, null, null, null, null from shared s join converted c using (path) where c.units is null
  ), parts as (
    select path, source, campaign, row_number() over (partition by path order by source, campaign) as part, count(*) as touches,
      sum(first) as first, sum(last) as last, sum(linear) as linear, sum(time_decay) as time_decay, sum(position) as position,
      sum(first_units) as first_units, sum(last_units) as last_units, sum(linear_units) as linear_units,
      sum(time_decay_units) as time_decay_units, sum(position_units) as position_units
    from credited group by path, source, campaign
  )
  select for_site, c.lead_id, c.kind, c.nth, p.part::smallint, c.at, c.first_captured_at, p.source, p.campaign, (p.part = 1)::int::smallint,
    p.touches::smallint, c.known_since, p.first::int, p.last::int, p.linear::int, p.time_decay::int, p.position::int, c.currency,
    p.first_units::bigint, p.last_units::bigint, p.linear_units::bigint, p.time_decay_units::bigint, p.position_units::bigint
  from parts p join converted c using (path)
$$;
comment on function gather_lead_credits is 'what the conversions of these leads are credited to; see src/product/metrics/credit_leads.sql';

-- Brings the kept credits of these leads up to date, after their facts and touches.
create or replace function refresh_lead_credits(for_site uuid, wanted uuid[]) returns void language sql as $$
  with gathered as materialized (
    select g.* from gather_lead_credits(for_site, wanted) g join lead_facts f on f.site_id = for_site and f.lead_id = g.lead_id
  ), gone as (
    delete from lead_credits c where c.site_id = for_site and c.lead_id = any (wanted)
      and not exists (select from gathered g where (g.lead_id, g.kind, g.nth, g.part) = (c.lead_id, c.kind, c.nth, c.part))
  )
  insert into lead_credits as c select * from gathered order by lead_id, kind, nth, part
  on conflict (site_id, lead_id, kind, nth, part) do update
  set at = excluded.at, captured_at = excluded.captured_at, source = excluded.source, campaign = excluded.campaign,
    conversions = excluded.conversions, touches = excluded.touches, known_since = excluded.known_since, first = excluded.first,
    last = excluded.last, linear = excluded.linear, time_decay = excluded.time_decay, position = excluded.position,
    currency = excluded.currency, first_units = excluded.first_units, last_units = excluded.last_units,
    linear_units = excluded.linear_units, time_decay_units = excluded.time_decay_units, position_units = excluded.position_units
  where c is distinct from excluded
$$;
comment on function refresh_lead_credits is 'keeps what the conversions of these leads are credited to; see src/product/metrics/credit_leads.sql';
