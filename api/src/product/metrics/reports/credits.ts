// What the conversions of a window are credited to, as it is kept with the facts of their leads.
import { eachRow } from '../../../ground/db/each-row.ts';
import type { Db } from '../../../ground/db/pool.ts';
import type { Site } from '../../../ground/site.ts';
import { duringWindow, type Window } from './window.ts';

export const MODELS = ['first', 'last', 'linear', 'time_decay', 'position'] as const;
export type Model = (typeof MODELS)[number];

/** What a conversion is credited in: every model sums to so many. */
export const WHOLE = 1_000_000;

export const OF = ['lead', 'signup', 'activation', 'purchase'] as const;
export type Of = (typeof OF)[number];
export const BY = ['conversion', 'capture'] as const;
export type By = (typeof BY)[number];

/** The sums of one source, campaign as it was written, and currency. */
export type Credits = {
  source: string;
  campaign: string | null;
  /** null: of no money. */
  currency: string | null;
  touches: number;
  conversions: number;
  /** Of those, before which raw rows were gone, and the latest moment from which they are known. */
  unknown: number;
  known_since: Date | null;
} & Record<Model, number> & {
    /** Ten-thousandths, as text. */
    [Name in `${Model}_units`]: string | null;
  };

const eachModel = (turn: (model: Model) => string) => MODELS.map(turn).join(', ');

/** Purchases of nobody's lead, or of one that was only imported: nothing is known of them, and their source is unknown. */
const STRANGERS = `select 'unknown', null, bought.currency, others.conversions, others.conversions, 0, null,
    ${eachModel(() => `others.conversions * ${WHOLE}`)}, ${eachModel(() => '(bought.units - coalesce(ours.units, 0))::text')}
  from (
    select case when amount is not null then currency end as currency, count(*) as conversions, sum((amount * 10000)::bigint) as units
    from conversions where site_id = $1 and kind = 'purchase' and voided_at is null and ${duringWindow('occurred_at')} group by 1
  ) bought
  left join (select currency, sum(conversions)::bigint as conversions, sum(last_units::numeric) as units from summed group by 1) ours
    on ours.currency is not distinct from bought.currency
  cross join lateral (select bought.conversions - coalesce(ours.conversions, 0) as conversions) others
  where others.conversions > 0`;

function creditsSql(of: Of, by: By): string {
  const during = duringWindow(by === 'capture' ? 'captured_at' : 'at');
  const units =
    of === 'purchase'
      ? eachModel((model) => `sum(${model}_units)::text as ${model}_units`)
      : eachModel((model) => `null::text as ${model}_units`);
  // A lead that changed since is credited anew, so an answer is never older than the question.
  return `with changed as materialized (
      select lead_id from marked_leads($1, null) as m (lead_id)
    ), credited as (
      select * from lead_credits c where site_id = $1 and kind = '${of}' and ${during}
        and not exists (select from changed where changed.lead_id = c.lead_id)
      union all
      select g.* from (select array_agg(lead_id) as leads from changed) c cross join lateral gather_lead_credits($1, c.leads) g
      where kind = '${of}' and ${during}
    ), summed as (
      select source, campaign, currency, sum(touches) as touches, sum(conversions) as conversions,
        coalesce(sum(conversions) filter (where known_since is not null), 0) as unknown, max(known_since) as known_since,
        ${eachModel((model) => `sum(${model}) as ${model}`)}, ${units}
      from credited group by source, campaign, currency
    )
    table summed ${of === 'purchase' && by === 'conversion' ? `union all ${STRANGERS}` : ''}
    order by linear desc, source, campaign, currency`;
}

/** The largest first. */
export function eachCredits(
  db: Db,
  site: Site,
  { from, to }: Window,
  { of, by }: { of: Of; by: By },
  onCredits: (credits: Credits) => void,
): Promise<void> {
  return eachRow<Credits>(
    db,
    {
      name: `metric_credits_${of}_${by}`,
      text: creditsSql(of, by),
      values: [site.siteId, from, to],
    },
    onCredits,
  );
}
