// What was paid for each campaign, and the leads that its utm brought.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { divided, numberOf, unitsOf } from '../../../ground/lib/decimal.ts';
import type { Site } from '../../../ground/site.ts';
import { LEAD_FACTS } from './queries.ts';
import { count, type Window } from './window.ts';

export const spendRow = z.object({
  source: z.string(),
  campaign: z.string().describe('empty: the whole source'),
  currency: z.string(),
  amount: z.number().describe('decimal, four places at most'),
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
  const { rows } = await db.query<Omit<SpendRow, 'costPerLead' | 'amount'> & { amount: string }>({
    name: 'metric_spend_by_campaign',
    text: `with paid as (
       -- one name in several spellings is one; the one that most was paid for is shown
       select (array_agg(source order by amount desc, source))[1] as source, (array_agg(campaign order by amount desc, campaign))[1] as campaign,
         currency, sum(amount) as amount
       from (select source, campaign, currency, sum(amount) as amount from ad_spend
         where site_id = $1 and day between $2 and $3 group by 1, 2, 3) spelt
       group by lower(source), lower(campaign), currency
     ), won as (
       select lower(utm_source) as source, lower(coalesce(campaign, '')) as campaign, count(*) as leads
       from (${LEAD_FACTS}) facts where utm_source is not null group by 1, 2
     )
     select paid.source, paid.campaign, currency, amount::text as amount,
       coalesce(case when paid.campaign = '' then (select sum(leads) from won where won.source = lower(paid.source))
         else (select sum(leads) from won where won.source = lower(paid.source) and won.campaign = lower(paid.campaign)) end, 0)::bigint as leads
     from paid order by paid.amount desc, source, campaign, currency limit $4`,
    values: [site.siteId, from, to, limit],
  });
  return rows.map((row) => {
    const amount = unitsOf(row.amount);
    const cost = divided(amount, row.leads);
    return { ...row, amount: numberOf(amount), costPerLead: cost === null ? null : numberOf(cost) };
  });
}
