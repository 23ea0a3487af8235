// Which touches a lead, its signup or its activation is credited to.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { creditor, MODELS, type Model, WHOLE } from './credit.ts';
import { LEAD_FACTS } from './queries.ts';
import { report } from './report.ts';
import { sum } from './sums.ts';
import { count, timeZone, type Window, windowed, windowShape } from './window.ts';

const LOOKBACK_DAYS = 90; // as long as sessions are kept

const MOMENTS = { lead: 'first_captured_at', signup: 'signed_up_at', activation: 'activated_at' } as const;
const of = z.enum(Object.keys(MOMENTS) as [Of, ...Of[]]);
type Of = keyof typeof MOMENTS;

const credits = z.number().min(0);
const answer = z
  .object({
    timeZone,
    window: windowShape,
    of,
    conversions: count,
    touches: count,
    models: z.array(z.enum(MODELS)),
    rows: z.array(
      z.object({
        source: z.string(),
        campaign: z.string().nullable(),
        first: credits,
        last: credits,
        linear: credits,
        time_decay: credits,
        position: credits,
      }),
    ),
  })
  .meta({ id: 'MetricsAttribution' });

interface Touch {
  /** null: of one of several paths alike, of one touch each. */
  path: number | null;
  source: string;
  campaign: string | null;
  age_ms: number;
  leads: number;
}

async function findTouches(db: Db, site: Site, { from, to }: Window, what: Of): Promise<Touch[]> {
  const at = MOMENTS[what];
  const { rows } = await db.query<Touch>({
    name: `metric_touches_${what}`,
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
           and s.started_at > c.at - interval '${LOOKBACK_DAYS} days' and s.source <> 'internal' and not s.is_carried and not s.is_bot offset 0
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
  return rows;
}

interface Credited {
  source: string;
  campaign: string | null;
  credits: Record<Model, number>;
}

/** Whole millionths of conversions, by source and campaign. */
function creditAll(paths: Iterable<Touch[]>): Credited[] {
  const total = new Map<string, Credited>();
  const shares = creditor();
  for (const path of paths) {
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
  return [...total.values()].sort(
    (a, b) =>
      b.credits.linear - a.credits.linear ||
      (`${a.source} ${a.campaign}` < `${b.source} ${b.campaign}` ? -1 : 1),
  );
}

/**
 * The leads first captured in the window (or those of them that signed up, or were activated since), each with the
 * sessions of its visitors before that moment, at most 90 days back. Only strong links count. A lead without any such
 * session is credited to its own first-touch source.
 */
export const attribution = report({
  name: 'attribution',
  says: 'Which touches leads, signups or activations are credited to, by five models',
  query: windowed({ of: of.default('lead') }),
  answer,
  async read(db, site, { from, to, of: what }) {
    const window = { from, to };
    const touches = await findTouches(db, site, window, what);
    const alike = touches.filter(({ path }) => path === null).map((touch) => [touch]);
    const single = Map.groupBy(
      touches.filter(({ path }) => path !== null),
      ({ path }) => path,
    );
    const paths = [...single.values(), ...alike];
    return {
      timeZone: timeZoneOf(site),
      window,
      of: what,
      conversions: sum(paths, ([first]) => first!.leads),
      touches: sum(touches, (touch) => touch.leads),
      models: [...MODELS],
      rows: creditAll(paths).map(({ source, campaign, credits: told }) => ({
        source,
        campaign,
        first: told.first / WHOLE,
        last: told.last / WHOLE,
        linear: told.linear / WHOLE,
        time_decay: told.time_decay / WHOLE,
        position: told.position / WHOLE,
      })),
    };
  },
  rows: ({ rows }) => rows,
});
