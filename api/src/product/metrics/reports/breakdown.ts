// What a window's numbers consist of, the largest first.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { readSpend, spendRow } from './breakdown-by-spend.ts';
import { readVitals, vitalsRow } from './breakdown-by-vitals.ts';
import { LEAD_FACTS } from './queries.ts';
import { report } from './report.ts';
import { ratio, sum } from './sums.ts';
import { count, share, timeZone, upTo, type Window, windowed, windowShape } from './window.ts';

/** By name in the query, the kind in daily_breakdowns. */
const KINDS = {
  pages: 'page',
  entrances: 'entrance',
  exits: 'exit',
  sources: 'source',
  campaigns: 'campaign',
  referrers: 'referrer',
  devices: 'device',
  browsers: 'browser',
  os: 'os',
  countries: 'country',
  events: 'event',
  forms: 'form',
} as const;
type By = keyof typeof KINDS;

const numbers = { sessions: count, pageViews: count, conversions: count, events: count };
const leads = count.optional().describe('by sources and by campaigns only');
const byKind = z.object({
  timeZone,
  window: windowShape,
  by: z.enum(Object.keys(KINDS) as [By, ...By[]]),
  totals: z
    .object({ rows: count, ...numbers, leads })
    .describe('of all rows, also of those beyond the limit'),
  rows: z.array(
    z.object({
      name: z.string(),
      detail: z.string(),
      ...numbers,
      engagedMs: count,
      leads,
      share,
      conversionRate: share,
    }),
  ),
});
const answer = z
  .union([
    byKind,
    z.object({ timeZone, window: windowShape, by: z.literal('vitals'), rows: z.array(vitalsRow) }),
    z.object({ timeZone, window: windowShape, by: z.literal('spend'), rows: z.array(spendRow) }),
  ])
  .meta({ id: 'MetricsBreakdown' });

interface Part {
  name: string;
  detail: string;
  sessions: number;
  pageViews: number;
  conversions: number;
  events: number;
  engagedMs: number;
  leads?: number;
}

async function findParts(db: Db, siteId: string, { from, to }: Window, by: By): Promise<Part[]> {
  const { rows } = await db.query<Part>({
    name: 'metric_breakdown',
    text: `select name, detail, sum(sessions)::bigint as sessions, sum(page_views)::bigint as "pageViews",
       sum(conversions)::bigint as conversions, sum(events)::bigint as events, sum(engaged_ms)::bigint as "engagedMs"
     from daily_breakdowns where site_id = $1 and kind = $4 and day between $2 and $3 group by 1, 2`,
    values: [siteId, from, to, KINDS[by]],
  });
  return rows;
}

async function leadsBy(db: Db, siteId: string, { from, to }: Window, by: 'sources' | 'campaigns') {
  const { rows } = await db.query<{ name: string; detail: string; leads: number }>({
    name: `metric_leads_by_${by}`,
    text:
      by === 'sources'
        ? `select source as name, '' as detail, count(*) as leads from (${LEAD_FACTS}) facts group by 1`
        : `select campaign as name, concat_ws(' / ', utm_source, utm_medium) as detail, count(*) as leads
           from (${LEAD_FACTS}) facts where campaign is not null group by 1, 2`,
    values: [siteId, from, to],
  });
  return new Map(rows.map((row) => [`${row.name}\n${row.detail}`, row.leads]));
}

/** Leads whose session is not in this window's sessions, or came without one, are rows too: the sums stay equal. */
function withLeads(parts: Part[], leads: Map<string, number>): Part[] {
  const known = new Set<string>();
  const list = parts.map((part) => {
    const key = `${part.name}\n${part.detail}`;
    known.add(key);
    return { ...part, leads: leads.get(key) ?? 0 };
  });
  for (const [key, count] of leads) {
    if (known.has(key)) continue;
    const [name = '', detail = ''] = key.split('\n');
    list.push({
      name,
      detail,
      sessions: 0,
      pageViews: 0,
      conversions: 0,
      events: 0,
      engagedMs: 0,
      leads: count,
    });
  }
  return list;
}

const weigh = (part: Part) => part.sessions || part.pageViews || part.events;
const heaviestFirst = (a: Part, b: Part) =>
  weigh(b) - weigh(a) || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.detail < b.detail ? -1 : 1);

async function readParts(
  db: Db,
  site: Site,
  window: Window,
  by: By,
  limit: number,
): Promise<z.output<typeof byKind>> {
  const parts = await findParts(db, site.siteId, window, by);
  const leads = by === 'sources' || by === 'campaigns' ? await leadsBy(db, site.siteId, window, by) : null;
  const list = (leads ? withLeads(parts, leads) : parts).sort(heaviestFirst);
  const whole = sum(list, weigh);
  return {
    timeZone: timeZoneOf(site),
    window,
    by,
    totals: {
      rows: list.length,
      sessions: sum(list, (part) => part.sessions),
      pageViews: sum(list, (part) => part.pageViews),
      conversions: sum(list, (part) => part.conversions),
      events: sum(list, (part) => part.events),
      ...(leads ? { leads: sum([...leads.values()], (count) => count) } : {}),
    },
    rows: list.slice(0, limit).map((part) => ({
      ...part,
      share: ratio(weigh(part), whole),
      conversionRate: ratio(part.conversions, part.sessions),
    })),
  };
}

export const breakdown = report({
  name: 'breakdown',
  says: 'What the numbers consist of: pages, entrances, exits, sources, campaigns, referrers, devices, …',
  query: windowed({
    by: z.enum([...(Object.keys(KINDS) as By[]), 'vitals', 'spend']).default('pages'),
    limit: upTo(1000, 50),
  }),
  answer,
  async read(db, site, { from, to, by, limit }) {
    const window = { from, to };
    if (by === 'vitals')
      return { timeZone: timeZoneOf(site), window, by, rows: await readVitals(db, site, window) };
    if (by === 'spend')
      return { timeZone: timeZoneOf(site), window, by, rows: await readSpend(db, site, window, limit) };
    return readParts(db, site, window, by, limit);
  },
  rows: ({ rows }) => rows,
});
