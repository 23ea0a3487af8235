// What led to each conversion: the touches of its lead, as they are kept with the lead's facts.
import { eachRow } from '../../../ground/db/each-row.ts';
import type { Db } from '../../../ground/db/pool.ts';
import type { Site } from '../../../ground/site.ts';
import { factsBy, LEAD_FACTS } from './queries.ts';
import { duringWindow, type Window } from './window.ts';

/** How long before a conversion a touch still counts. */
const LOOKBACK = "interval '90 days'";

const MOMENTS = { lead: 'first_captured_at', signup: 'signed_up_at', activation: 'activated_at' } as const;
export const OF = ['lead', 'signup', 'activation', 'purchase'] as const;
export type Of = (typeof OF)[number];
export const BY = ['conversion', 'capture'] as const;
export type By = (typeof BY)[number];

export interface Touch {
  /** null: of one of several paths alike, of one touch each. */
  path: number | null;
  source: string;
  campaign: string | null;
  age_ms: number;
  /** How many conversions the row stands for. */
  conversions: number;
  /** Of a purchase, decimal. */
  amount: string | null;
  currency: string | null;
  /** Of the conversions of this row, those before which raw rows were gone, and the latest moment from which they are known. */
  unknown: number;
  known_since: Date | null;
}

/** The conversions, each with its lead's own first touch, which stands in where no other is known. */
function convertedSql(of: Of, by: By): string {
  if (of === 'purchase') return purchasesSql(by);
  const at = MOMENTS[of];
  return `converted as materialized (
    select row_number() over ()::int as path, lead_id, source, campaign, touches_known_since, ${at} as at, null::numeric as amount, null::text as currency
    from (${by === 'capture' ? LEAD_FACTS : factsBy(at)}) f where ${at} is not null
  )`;
}

/** Each purchase is one. Of nobody's lead, or of one that was only imported, nothing is known: its source is unknown. */
function purchasesSql(by: By): string {
  const facts = `select f.* from lead_facts f where f.site_id = $1 and f.lead_id in (select lead_id from bought)
        and f.lead_id not in (select lead_id from marked_leads($1, null) as m (lead_id))
      union all
      select g.* from (select array_agg(lead_id) as leads from marked_leads($1, null) as m (lead_id)
        where lead_id in (select lead_id from bought)) c cross join lateral gather_lead_facts($1, c.leads) g`;
  return `bought as materialized (
    select coalesce(c.lead_id, case when c.email_hash is null and c.visitor_id is not null
      then lead_of_visitor($1, c.visitor_id, c.occurred_at) end) as lead_id, c.occurred_at as at, c.amount, c.currency
    from conversions c where c.site_id = $1 and c.kind = 'purchase' and c.voided_at is null ${by === 'conversion' ? `and ${duringWindow('c.occurred_at')}` : ''}
  ), converted as materialized (
    select row_number() over ()::int as path, lead_id, coalesce(f.source, 'unknown') as source, f.campaign, f.touches_known_since, b.at, b.amount, b.currency
    from bought b ${by === 'conversion' ? 'left ' : ''}join (${by === 'conversion' ? facts : LEAD_FACTS}) f using (lead_id)
  )`;
}

/** Path by path, each with its oldest touch first; what stands for several alike comes last. */
export function eachTouch(
  db: Db,
  site: Site,
  { from, to }: Window,
  { of, by }: { of: Of; by: By },
  onTouch: (touch: Touch) => void,
): Promise<void> {
  const query = {
    name: `metric_touches_${of}_${by}`,
    // Paths of one touch and no amount are most of them and alike: they come as counts. What came by itself counts only
    // where there is nothing else.
    text: `with ${convertedSql(of, by)}, marked as materialized (
       select lead_id from marked_leads($1, null) as m (lead_id) where lead_id in (select lead_id from converted)
     ), theirs as materialized (
       select t.* from lead_touches t where t.site_id = $1 and t.lead_id in (select lead_id from converted)
         and not exists (select from marked m where m.lead_id = t.lead_id)
       union all
       select g.* from (select array_agg(lead_id) as leads from marked) c cross join lateral gather_lead_touches($1, c.leads) g
     ), led as (
       select c.path, t.source, t.campaign, date_part('epoch', c.at - t.started_at) * 1000 as age_ms, t.session_id, t.is_weak,
         bool_and(t.is_weak) over (partition by c.path) as only_weak
       from converted c join theirs t on t.lead_id = c.lead_id and t.started_at <= c.at and t.started_at > c.at - ${LOOKBACK}
     ), touches as materialized (
       select *, count(*) over (partition by path) as touches from led where not is_weak or only_weak
     ), told as (
       select c.path, coalesce(t.source, c.source) as source, case when t.path is null then c.campaign else t.campaign end as campaign,
         coalesce(t.age_ms, 0) as age_ms, coalesce(t.touches, 1) as touches, t.session_id, c.amount, c.currency,
         coalesce(c.touches_known_since > c.at - ${LOOKBACK}, false) as unknown, c.touches_known_since
       from converted c left join touches t using (path)
     )
     select path, source, campaign, age_ms, 1 as conversions, amount::text, currency, unknown::int as unknown,
       case when unknown then touches_known_since end as known_since, session_id
     from told where touches > 1 or amount is not null
     union all
     select null, source, campaign, 0, count(*), null, null, count(*) filter (where unknown), max(touches_known_since) filter (where unknown), null
     from told where touches = 1 and amount is null group by source, campaign
     order by path, age_ms desc, session_id`,
    values: [site.siteId, from, to],
  };
  return eachRow<Touch>(db, query, onTouch);
}
