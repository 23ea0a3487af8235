// Which touches a lead (or its signup) is credited to, by five models. Credits are whole millionths, so that the sum of
// every model is the number of conversions, exactly.
import type { Db } from '../../ground/db/pool.ts';
import type { Site } from '../../ground/site.ts';
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

/** Shares of a path; all but time_decay depend on its length alone. */
function creditor(): (model: Model, ages: number[]) => number[] {
  const known = new Map<string, number[]>();
  return (model, ages) => {
    if (model === 'time_decay' && ages.length > 1) return credit(model, ages);
    const key = `${model} ${ages.length}`;
    const shares = known.get(key) ?? credit(model, ages);
    known.set(key, shares);
    return shares;
  };
}

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
    path: number | null;
    source: string;
    campaign: string | null;
    age_ms: number;
    leads: number;
  }>({
    name: `metric_touches_${of}`,
    // Sessions are asked visitor by visitor (offset 0): joined as a set, all sessions of the site would be read. Paths of
    // one touch are most of them and alike: they come as counts.
    text: `with converted as materialized (
       select row_number() over ()::int as path, lead_id, ${at} as at, source, campaign from (${LEAD_FACTS}) facts where ${at} is not null
     ), linked as materialized (
       select distinct lead_id, visitor_id from lead_identities where site_id = $1 and unlinked_at is null
         and link_source in ('form_submit', 'manual_merge')
     ), touches as materialized (
       select c.path, s.source, s.utm ->> 'campaign' as campaign, date_part('epoch', c.at - s.started_at) * 1000 as age_ms, s.session_id,
         count(*) over (partition by c.path) as touches
       from converted c join linked using (lead_id)
       cross join lateral (
         select * from sessions s where s.site_id = $1 and s.visitor_id = linked.visitor_id and s.started_at <= c.at
           and s.started_at > c.at - interval '${LOOKBACK_DAYS} days' and s.source <> 'internal' offset 0
       ) s
     )
     select path, source, campaign, age_ms, 1 as leads, session_id from touches where touches > 1
     union all
     select null, source, campaign, 0, count(*), null from touches where touches = 1 group by source, campaign
     union all
     select null, source, campaign, 0, count(*), null from converted c where not exists (select from touches t where t.path = c.path)
     group by source, campaign
     order by path, age_ms desc, session_id`,
    values: [site.siteId, from, to],
  });
  const paths = new Map<number | string, typeof rows>();
  for (const [i, row] of rows.entries()) {
    const key = row.path ?? `alike ${i}`;
    const path = paths.get(key);
    if (path) path.push(row);
    else paths.set(key, [row]);
  }
  const total = new Map<
    string,
    { source: string; campaign: string | null; credits: Record<Model, number> }
  >();
  const shares = creditor();
  for (const path of paths.values()) {
    const ages = path.map((touch) => touch.age_ms);
    for (const model of MODELS)
      for (const [i, share] of shares(model, ages).entries()) {
        const { source, campaign, leads } = path[i]!;
        const key = `${source}\n${campaign ?? ''}`;
        const row = total.get(key) ?? {
          source,
          campaign,
          credits: { first: 0, last: 0, linear: 0, time_decay: 0, position: 0 },
        };
        row.credits[model] += share * leads;
        total.set(key, row);
      }
  }
  return {
    ok: true,
    window: { from, to },
    of,
    conversions: [...paths.values()].reduce((sum, [first]) => sum + first!.leads, 0),
    touches: rows.reduce((sum, row) => sum + row.leads, 0),
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
