// What was paid for each campaign, and the leads that its utm brought.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import type { Site } from '../../../ground/site.ts';
import { LEAD_FACTS } from './queries.ts';
import { ratio } from './sums.ts';
import { count, type Window } from './window.ts';

export const spendRow = z.object({
  source: z.string(),
  campaign: z.string().describe('empty: the whole source'),
  currency: z.string(),
  amount: z.number(),
  leads: count,
  costPerLead: z.number().nullable(),
});
type SpendRow = z.output<typeof spendRow>;

export async function readSpend(
  db: Db,
  site: Site,
  { from, to }: Window,
  limit: number,
): Promise<SpendRow[]> {
  const { rows } = await db.query<Omit<SpendRow, 'costPerLead'>>({
    name: 'metric_spend_by_campaign',
    text: `with paid as (
       select source, campaign, currency, sum(amount)::float8 as amount from ad_spend
       where site_id = $1 and day between $2 and $3 group by 1, 2, 3
     ), won as (
       select lower(utm_source) as source, lower(coalesce(campaign, '')) as campaign, count(*) as leads
       from (${LEAD_FACTS}) facts where utm_source is not null group by 1, 2
     )
     select paid.source, paid.campaign, currency, amount,
       coalesce(case when paid.campaign = '' then (select sum(leads) from won where won.source = lower(paid.source))
         else (select sum(leads) from won where won.source = lower(paid.source) and won.campaign = lower(paid.campaign)) end, 0)::bigint as leads
     from paid order by amount desc, source, campaign, currency`,
    values: [site.siteId, from, to],
  });
  return rows.slice(0, limit).map((row) => ({ ...row, costPerLead: ratio(row.amount, row.leads) }));
}
