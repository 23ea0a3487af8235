// What a window's numbers consist of, by one of the kinds that a day is broken down by.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import { LEAD_FACTS } from './queries.ts';
import { ratio, spellings, sum } from './sums.ts';
import { count, share, timeZone, type Window, windowShape } from './window.ts';

type Column = 'visitors' | 'sessions' | 'entrances' | 'pageViews' | 'conversions' | 'events' | 'engagedMs';
const VISITS: Column[] = ['visitors', 'sessions', 'entrances', 'pageViews', 'conversions'];

interface Kind {
  /** In daily_breakdowns. */
  kind: string;
  /** What is counted for it; every other column is null. The first but visitors is what rows are ordered by. */
  counts: Column[];
  /** SQL of a lead's name and detail, where leads are told too. */
  leads?: { name: string; detail?: string };
  /** Written by whoever made the link: upper and lower case are one name. */
  isSpelt?: boolean;
}

const KINDS = {
  pages: { kind: 'page', counts: ['visitors', 'pageViews', 'events', 'engagedMs'] },
  entrances: { kind: 'entrance', counts: VISITS },
  exits: { kind: 'exit', counts: ['visitors', 'sessions'] },
  sources: { kind: 'source', counts: VISITS, leads: { name: 'source' } },
  campaigns: {
    kind: 'campaign',
    counts: VISITS,
    leads: { name: 'campaign', detail: "concat_ws(' / ', utm_source, utm_medium)" },
    isSpelt: true,
  },
  utm_source: { kind: 'utm_source', counts: VISITS, leads: { name: 'utm_source' }, isSpelt: true },
  utm_medium: { kind: 'utm_medium', counts: VISITS, leads: { name: 'utm_medium' }, isSpelt: true },
  utm_term: { kind: 'utm_term', counts: VISITS },
  utm_content: { kind: 'utm_content', counts: VISITS },
  referrers: { kind: 'referrer', counts: VISITS },
  devices: { kind: 'device', counts: VISITS },
  browsers: { kind: 'browser', counts: VISITS },
  os: { kind: 'os', counts: VISITS },
  countries: { kind: 'country', counts: VISITS },
  events: { kind: 'event', counts: ['visitors', 'events', 'conversions'] },
  forms: { kind: 'form', counts: ['visitors', 'sessions', 'conversions'] },
} satisfies Record<string, Kind>;

export const byKinds = z.union([
  z.enum(Object.keys(KINDS) as [keyof typeof KINDS]),
  z
    .templateLiteral(['prop:', z.string().min(1).max(64)])
    .describe('by the values of a property of your own events: prop:NAME'),
]);
export type ByKind = z.output<typeof byKinds>;

function kindOf(by: ByKind): Kind {
  return by in KINDS
    ? KINDS[by as keyof typeof KINDS]
    : { kind: by, counts: ['visitors', 'events', 'pageViews', 'conversions'] };
}

const counted = count.nullable().describe('null: not counted for this kind of row');
const numbers = {
  sessions: counted,
  entrances: counted,
  pageViews: counted,
  conversions: counted,
  events: counted,
  leads: counted,
};
export const kindAnswer = z.object({
  timeZone,
  window: windowShape,
  by: byKinds,
  totals: z.object({ rows: count, ...numbers }).describe('of all rows, also of those beyond the limit'),
  rows: z.array(
    z.object({
      name: z.string(),
      detail: z.string(),
      visitors: counted.describe('of each day, added up: who came on two days counts on both'),
      ...numbers,
      engagedMs: counted,
      share,
      conversionRate: share.describe(
        'conversions ÷ sessions with an entrance; of forms: ÷ sessions that began them',
      ),
    }),
  ),
});
type KindAnswer = z.output<typeof kindAnswer>;

interface Part extends Record<Column, number> {
  name: string;
  detail: string;
  leads: number;
}

async function findParts(db: Db, siteId: string, { from, to }: Window, { kind }: Kind): Promise<Part[]> {
  const { rows } = await db.query<Part>({
    name: 'metric_breakdown',
    text: `select name, detail, sum(visitors)::bigint as visitors, sum(sessions)::bigint as sessions, sum(entrances)::bigint as entrances,
       sum(page_views)::bigint as "pageViews", sum(conversions)::bigint as conversions, sum(events)::bigint as events,
       sum(engaged_ms)::bigint as "engagedMs", 0 as leads
     from daily_breakdowns where site_id = $1 and kind = $4 and day between $2 and $3 group by 1, 2`,
    values: [siteId, from, to, kind],
  });
  return rows;
}

/** Leads whose session is not in this window's sessions, or came without one, are rows too: the sums stay equal. */
async function findLeads(
  db: Db,
  siteId: string,
  { from, to }: Window,
  { kind, leads }: Kind,
): Promise<Part[]> {
  if (!leads) return [];
  const { rows } = await db.query<{ name: string; detail: string; leads: number }>({
    name: `metric_leads_by_${kind}`,
    text: `select ${leads.name} as name, ${leads.detail ?? "''"} as detail, count(*) as leads
       from (${LEAD_FACTS}) facts where ${leads.name} is not null group by 1, 2`,
    values: [siteId, from, to],
  });
  const none = {
    visitors: 0,
    sessions: 0,
    entrances: 0,
    pageViews: 0,
    conversions: 0,
    events: 0,
    engagedMs: 0,
  };
  return rows.map((row) => ({ ...none, ...row }));
}

const COLUMNS = [
  'visitors',
  'sessions',
  'entrances',
  'pageViews',
  'conversions',
  'events',
  'engagedMs',
  'leads',
] as const;

/** Parts of one name added up, under its most frequent spelling. */
function merged(parts: Part[], { isSpelt }: Kind): Part[] {
  const nameOf = ({ name, detail }: Part) => `${name}\n${detail}`;
  const shown = spellings(parts.map((part) => ({ name: nameOf(part), weight: part.sessions || part.leads })));
  const total = new Map<string, Part>();
  for (const part of parts) {
    const key = isSpelt ? shown(nameOf(part)) : nameOf(part);
    const row = total.get(key);
    if (!row) {
      const [name = '', detail = ''] = key.split('\n');
      total.set(key, { ...part, name, detail });
    } else for (const column of COLUMNS) row[column] += part[column];
  }
  return [...total.values()];
}

function heaviestFirst(weigh: (part: Part) => number) {
  return (a: Part, b: Part) =>
    weigh(b) - weigh(a) || (a.name < b.name ? -1 : a.name > b.name ? 1 : a.detail < b.detail ? -1 : 1);
}

export async function readKind(
  db: Db,
  site: Site,
  window: Window,
  by: ByKind,
  limit: number,
): Promise<KindAnswer> {
  const kind = kindOf(by);
  const weight = kind.counts[1]!;
  const weigh = (part: Part) => part[weight];
  const list = merged(
    [
      ...(await findParts(db, site.siteId, window, kind)),
      ...(await findLeads(db, site.siteId, window, kind)),
    ],
    kind,
  ).sort(heaviestFirst(weigh));
  const whole = sum(list, weigh);
  const isCounted = (column: Column | 'leads') =>
    column === 'leads' ? kind.leads !== undefined : kind.counts.includes(column);
  const told = (column: Column | 'leads', value: number) => (isCounted(column) ? value : null);
  const numbersOf = (of: (column: Column | 'leads') => number) => ({
    sessions: told('sessions', of('sessions')),
    entrances: told('entrances', of('entrances')),
    pageViews: told('pageViews', of('pageViews')),
    conversions: told('conversions', of('conversions')),
    events: told('events', of('events')),
    leads: told('leads', of('leads')),
  });
  const baseOf = (['entrances', 'sessions'] as const).find(isCounted);
  return {
    timeZone: timeZoneOf(site),
    window,
    by,
    totals: { rows: list.length, ...numbersOf((column) => sum(list, (part) => part[column])) },
    rows: list.slice(0, limit).map((part) => ({
      name: part.name,
      detail: part.detail,
      visitors: told('visitors', part.visitors),
      ...numbersOf((column) => part[column]),
      engagedMs: told('engagedMs', part.engagedMs),
      share: ratio(weigh(part), whole),
      conversionRate: baseOf && isCounted('conversions') ? ratio(part.conversions, part[baseOf]) : null,
    })),
  };
}
