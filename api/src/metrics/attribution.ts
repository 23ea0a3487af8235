// Which touches a lead (or its signup) is credited to, by five models. Credits are whole millionths, so that the sum of
// every model is the number of conversions, exactly.
import type { Db } from '../db/pool.ts';
import type { Site } from '../sites/queries.ts';
import { LEAD_FACTS } from './queries.ts';

export const MODELS = ['first', 'last', 'linear', 'time_decay', 'position'] as const;
export type Model = (typeof MODELS)[number];

const WHOLE = 1_000_000;
const HALF_LIFE_MS = 7 * 86_400_000; // a touch a week older weighs half
const LOOKBACK_DAYS = 90; // as long as sessions are kept

/** Splits one conversion over weights in whole millionths; the remainder goes to the largest fractions, the later first. */
export function split(weights: number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const exact = weights.map((weight) => (weight / total) * WHOLE);
  const shares = exact.map(Math.floor);
  const order = exact
    .map((share, i) => ({ i, rest: share - shares[i]! }))
    .sort((a, b) => b.rest - a.rest || b.i - a.i);
  let left = WHOLE - shares.reduce((sum, share) => sum + share, 0);
  for (const { i } of order) {
    if (left <= 0) break;
    shares[i]! += 1;
    left -= 1;
  }
  return shares;
}

/** ages  milliseconds from each touch to the conversion, oldest touch first */
export function credit(model: Model, ages: number[]): number[] {
  const n = ages.length;
  const only = (at: number) => ages.map((_, i) => (i === at ? 1 : 0));
  switch (model) {
    case 'first':
      return split(only(0));
    case 'last':
      return split(only(n - 1));
    case 'linear':
      return split(ages.map(() => 1));
    case 'time_decay': {
      // relative to the youngest, so that a long way back does not underflow to nothing
      const youngest = ages.at(-1)!;
      return split(ages.map((age) => 2 ** (-(age - youngest) / HALF_LIFE_MS)));
    }
    case 'position':
      // 40 % to the first, 40 % to the last, the rest shared by those between; two share evenly
      if (n <= 2) return split(ages.map(() => 1));
      return split(ages.map((_, i) => (i === 0 || i === n - 1 ? 0.4 : 0.2 / (n - 2))));
  }
}

export type AttributionOf = 'lead' | 'signup' | 'activation';

/**
 * The leads first captured in the window (or those of them that signed up, or were activated since), each with the
 * sessions of its visitors before that moment, at most 90 days back. Only strong links count. A lead without any such
 * session is credited to its own first-touch source.
 */
export async function attribution(
  db: Db,
  site: Site,
  { from, to, of }: { from: string; to: string; of: AttributionOf },
): Promise<Record<string, unknown>> {
  const at = { lead: 'first_captured_at', signup: 'signed_up_at', activation: 'activated_at' }[of];
  const { rows } = await db.query<{
    lead_id: string;
    source: string;
    campaign: string | null;
    age_ms: number;
  }>({
    name: `metric_touches_${of}`,
    text: `with converted as (
       select lead_id, ${at} as at, source as first_source, campaign as first_campaign from (${LEAD_FACTS}) facts where ${at} is not null
     ), touches as (
       select c.lead_id, s.source, s.utm ->> 'campaign' as campaign, s.started_at, s.session_id, c.at
       from converted c
       join (select distinct lead_id, visitor_id from lead_identities where site_id = $1 and unlinked_at is null
         and link_source in ('form_submit', 'manual_merge')) i using (lead_id)
       join sessions s on s.site_id = $1 and s.visitor_id = i.visitor_id
       where s.started_at <= c.at and s.started_at > c.at - interval '${LOOKBACK_DAYS} days' and s.source <> 'internal'
     )
     select lead_id, source, campaign, extract(epoch from at - started_at) * 1000 as age_ms, started_at, session_id from touches
     union all
     select lead_id, first_source, first_campaign, 0, at, null from converted c where not exists (select from touches t where t.lead_id = c.lead_id)
     order by lead_id, started_at, session_id`,
    values: [site.siteId, from, to],
  });
  const paths = new Map<string, { source: string; campaign: string | null; age: number }[]>();
  for (const row of rows) {
    const path = paths.get(row.lead_id) ?? [];
    path.push({ source: row.source, campaign: row.campaign, age: Number(row.age_ms) });
    paths.set(row.lead_id, path);
  }
  const total = new Map<
    string,
    { source: string; campaign: string | null; credits: Record<Model, number> }
  >();
  for (const path of paths.values()) {
    const ages = path.map((touch) => touch.age);
    for (const model of MODELS)
      for (const [i, share] of credit(model, ages).entries()) {
        const { source, campaign } = path[i]!;
        const key = `${source}\n${campaign ?? ''}`;
        const row = total.get(key) ?? {
          source,
          campaign,
          credits: { first: 0, last: 0, linear: 0, time_decay: 0, position: 0 },
        };
        row.credits[model] += share;
        total.set(key, row);
      }
  }
  return {
    ok: true,
    window: { from, to },
    of,
    conversions: paths.size,
    touches: rows.length,
    models: MODELS,
    rows: [...total.values()]
      .sort(
        (a, b) =>
          b.credits.linear - a.credits.linear ||
          (`${a.source} ${a.campaign}` < `${b.source} ${b.campaign}` ? -1 : 1),
      )
      .map(({ source, campaign, credits }) => ({
        source,
        campaign,
        ...(Object.fromEntries(MODELS.map((model) => [model, credits[model] / WHOLE])) as Record<
          Model,
          number
        >),
      })),
  };
}
