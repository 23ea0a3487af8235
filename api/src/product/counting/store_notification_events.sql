-- Stores what visitors saw of notifications, in the same transaction as the batch it came with (src/product/events/queries.ts).
-- It locks as store_events does: event_keys in the order of the key, then the ledger; visitors are only read.
--
-- arrived    JSON array of {n, copies, site_id, event_id, visitor_id, client_at, bot_reason, notification_id, kind, variant, receipt_id,
--            test_id, arm}; distinct by event_id; copies: how often more it stood in the batch
-- repeated   as store_events has it; '[]' where that is called too
-- own_sites  for row level security
-- returns    JSON array of {n, outcome, visitor_id} of those that were not stored; null: all were
create or replace function store_notification_events(arrived json, repeated json, own_sites text) returns json
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set enable_mergejoin = off set jit = off set plan_cache_mode = force_generic_plan as $$
declare
  outcomes json;
  counts json;
begin
  own_sites := set_config('marketing.sites', own_sites, true);
  with told as materialized (
    select t.*, event_time(t.client_at, null) as at,
      row_number() over (partition by t.site_id, t.visitor_id, t.notification_id, t.kind order by t.n) as turn
    from json_to_recordset(arrived) as t (n integer, copies integer, site_id uuid, event_id uuid, visitor_id uuid, client_at timestamptz,
      bot_reason text, notification_id uuid, kind text, variant text, receipt_id text, test_id uuid, arm text)
  ), looked_up as materialized (
    select t.*, judged_reason(t.bot_reason, known.bot_verdict) as reason, earlier.visitor_id as earlier_visitor,
      case when earlier.visitor_id is not null then 'duplicate'
        when there.found is null then 'unknown_notification'
        when t.turn + before.count > 20 then 'proof_cap' end as outcome
    from told t
    -- "offset 0": one by one along the index, whatever the plan was made for
    left join lateral (
      select k.visitor_id from event_keys k where k.site_id = t.site_id and k.event_id = t.event_id offset 0
    ) earlier on true
    left join lateral (
      select 1 as found from notifications m where m.site_id = t.site_id and m.notification_id = t.notification_id offset 0
    ) there on true
    left join lateral (
      select v.bot_verdict from visitors v where v.site_id = t.site_id and v.visitor_id = t.visitor_id offset 0
    ) known on true
    cross join lateral (
      select count(*) from (
        select from notification_events e where e.site_id = t.site_id and e.visitor_id = t.visitor_id
          -- both ends: no other month's partitions are opened
          and e.created_at between date_trunc('day', now(), 'UTC') and now() and e.notification_id = t.notification_id and e.kind = t.kind limit 20
      ) today
    ) before
  ), keyed as (
    insert into event_keys (site_id, event_id, visitor_id, occurred_at)
    select l.site_id, l.event_id, l.visitor_id, l.at from looked_up l where l.outcome is null order by 1, 2
    on conflict do nothing returning site_id, event_id
  ), stored as (
    insert into notification_events (site_id, event_id, visitor_id, notification_id, occurred_at, kind, variant, receipt_id, bot_reason)
    select l.site_id, l.event_id, l.visitor_id, l.notification_id, l.at, l.kind, l.variant, l.receipt_id, l.reason
    from looked_up l join keyed k using (site_id, event_id)
  ), entered as (
    insert into ab_exposures (site_id, test_id, visitor_id, arm, first_exposed_at)
    select distinct on (l.site_id, l.test_id, l.visitor_id) l.site_id, l.test_id, l.visitor_id, l.arm, l.at
    from looked_up l join keyed k using (site_id, event_id)
    where l.arm is not null and l.reason is null
      and exists (select from ab_tests a where a.test_id = l.test_id and a.site_id = l.site_id and a.notification_id = l.notification_id
        and a.status = 'running' and a.decided_at is null and l.at >= a.started_at)
    order by l.site_id, l.test_id, l.visitor_id, l.at
    on conflict do nothing
  ), ended as (
    -- stored by another batch in this very moment: a duplicate too
    select l.n, l.copies, l.site_id, coalesce(l.earlier_visitor, l.visitor_id) as visitor_id,
      case when l.outcome is null and k.event_id is null then 'duplicate' else l.outcome end as outcome
    from looked_up l left join keyed k using (site_id, event_id)
  )
  select json_agg(json_build_object('n', e.n, 'outcome', e.outcome, 'visitor_id', e.visitor_id)) filter (where e.outcome is not null),
    (select json_agg(c) from (
      select site_id, count(*) filter (where outcome is null) as accepted,
        sum(copies + (outcome is not null)::int) as duplicates
      from ended where outcome is null or outcome = 'duplicate' group by site_id) c)
  from ended e into outcomes, counts;

  insert into ingest_ledger as l (site_id, day, outcome, count)
  select site_id, (now() at time zone 'UTC')::date, outcome, sum(count) from (
    select c.site_id, c.accepted, c.duplicates from json_to_recordset(counts) as c (site_id uuid, accepted bigint, duplicates bigint)
    union all
    select r.site_id, 0, r.count from json_to_recordset(repeated) as r (site_id uuid, count bigint)
  ) parts, lateral (values ('received', accepted + duplicates), ('accepted', accepted), ('duplicate', duplicates)) as o (outcome, count)
  group by 1, 2, 3 having sum(count) > 0 order by 1, 2, 3
  on conflict (site_id, day, outcome, reason, slot) do update set count = l.count + excluded.count;
  return outcomes;
end $$;
comment on function store_notification_events is 'stores what visitors saw of notifications; see src/product/counting/store_notification_events.sql';
