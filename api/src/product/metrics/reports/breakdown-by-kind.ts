// What a window's numbers consist of, by one of the kinds that a day is broken down by.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { type Site, timeZoneOf } from '../../../ground/site.ts';
import type { Selection } from '../../segments/filters.ts';
import { LEAD_FACTS } from './queries.ts';
import { countKinds, SELECTED_KINDS, type SelectedPart } from './selected.ts';
import { ratio } from './sums.ts';
import { basis, count, share, timeZone, type Window, windowShape } from './window.ts';

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

/** Whether it can be counted of some visits only. */
export const isOfVisits = (by: string): by is ByKind =>
  by in KINDS && (SELECTED_KINDS as readonly string[]).includes(KINDS[by as keyof typeof KINDS].kind);

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
  basis,
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

type Told = Column | 'leads';
const COLUMNS: readonly (readonly [Column, sql: string])[] = [
  ['visitors', 'visitors'],
  ['sessions', 'sessions'],
  ['entrances', 'entrances'],
  ['pageViews', 'page_views'],
  ['conversions', 'conversions'],
  ['events', 'events'],
  ['engagedMs', 'engaged_ms'],
];
const TOLD: readonly Told[] = [...COLUMNS.map(([column]) => column), 'leads'];

/** A row of the answer, with the sums of all rows beside it. */
type Part = Record<Told, number> & { name: string; detail: string; rows: number } & {
  [Name in `all_${Told}`]: number;
};

/**
 * The largest, in their order; sorted, cut and added up by PostgreSQL, since names are as many as strangers make.
 * Leads whose session is not in this window's sessions, or came without one, are rows too: the sums stay equal.
 */
async function findParts(
  db: Db,
  siteId: string,
  { from, to }: Window,
  kind: Kind,
  limit: number,
): Promise<Part[]> {
  const { rows } = await db.query<Part>({
    name:
      kind.leads || kind.isSpelt ? `metric_breakdown_${kind.kind}` : `metric_breakdown_by_${kind.counts[1]}`,
    text: partsSql(kind),
    values: [siteId, from, to, kind.kind, limit],
  });
  return rows;
}

function partsSql({ counts, leads, isSpelt = false }: Kind): string {
  const sums = (turn: (name: string) => string) => TOLD.map((name) => turn(`"${name}"`)).join(', ');
  const ofLeads = leads
    ? `union all
       select ${leads.name}, ${leads.detail ?? "''"}, ${COLUMNS.map(() => '0').join(', ')}, count(*)
       from (${LEAD_FACTS}) facts where ${leads.name} is not null group by 1, 2`
    : '';
  // one name in several spellings is one, under its most frequent
  const most = (name: string) =>
    isSpelt ? `(array_agg(${name} order by weight desc, name, detail))[1]` : `min(${name})`;
  return `with parts (name, detail, ${sums((name) => name)}) as (
      select name, detail, ${COLUMNS.map(([, sql]) => `coalesce(sum(${sql}), 0)`).join(', ')}, 0::bigint
      from daily_breakdowns where site_id = $1 and kind = $4 and day between $2 and $3 group by 1, 2
      ${ofLeads}
    ), spelt as (
      select name, detail, ${sums((name) => `sum(${name}) as ${name}`)}, sum(coalesce(nullif(sessions, 0), leads)) as weight
      from parts group by 1, 2
    ), merged as materialized (
      select ${most('name')} as name, ${most('detail')} as detail, ${sums((name) => `sum(${name})::bigint as ${name}`)}
      from spelt group by ${isSpelt ? 'lower(name), lower(detail)' : 'name, detail'}
    )
    select largest.*, whole.* from (
      select * from merged order by "${counts[1]}" desc, name, detail limit $5
    ) largest cross join (
      select count(*) as rows, ${TOLD.map((name) => `sum("${name}")::bigint as "all_${name}"`).join(', ')} from merged
    ) whole
    order by "${counts[1]}" desc, name, detail`;
}

export async function readKind(
  db: Db,
  site: Site,
  window: Window,
  by: ByKind,
  limit: number,
): Promise<KindAnswer> {
  const kind = kindOf(by);
  const parts = await findParts(db, site.siteId, window, kind, limit);
  const weight = kind.counts[1]!;
  const isCounted = (column: Told) =>
    column === 'leads' ? kind.leads !== undefined : kind.counts.includes(column);
  const told = (column: Told, value: number) => (isCounted(column) ? value : null);
  const numbersOf = (of: (column: Told) => number) => ({
    sessions: told('sessions', of('sessions')),
    entrances: told('entrances', of('entrances')),
    pageViews: told('pageViews', of('pageViews')),
    conversions: told('conversions', of('conversions')),
    events: told('events', of('events')),
    leads: told('leads', of('leads')),
  });
  const baseOf = (['entrances', 'sessions'] as const).find(isCounted);
  const whole = (column: Told) => parts[0]?.[`all_${column}`] ?? 0;
  return {
    timeZone: timeZoneOf(site),
    basis: 'rollups',
    window,
    by,
    totals: { rows: parts[0]?.rows ?? 0, ...numbersOf(whole) },
    rows: parts.map((part) => ({
      name: part.name,
      detail: part.detail,
      visitors: told('visitors', part.visitors),
      ...numbersOf((column) => part[column]),
      engagedMs: told('engagedMs', part.engagedMs),
      share: ratio(part[weight], whole(weight)),
      conversionRate: baseOf && isCounted('conversions') ? ratio(part.conversions, part[baseOf]) : null,
    })),
  };
}

/** What is counted of some visits for a kind of row; the rest is null. */
const OF_VISITS: Record<string, Column[]> = {
  page: ['visitors', 'pageViews'],
  exit: ['visitors', 'sessions'],
};

function selectedOf(site: Site, window: Window, by: ByKind, parts: readonly SelectedPart[]): KindAnswer {
  const { kind } = kindOf(by);
  const counts = OF_VISITS[kind] ?? VISITS;
  const weight = kind === 'page' ? 'pageViews' : 'sessions';
  const told = (column: Told, value: number) =>
    column !== 'leads' && counts.includes(column) ? value : null;
  const numbersOf = (of: Pick<SelectedPart, 'sessions' | 'entrances' | 'pageViews' | 'conversions'>) => ({
    sessions: told('sessions', of.sessions),
    entrances: told('entrances', of.entrances),
    pageViews: told('pageViews', of.pageViews),
    conversions: told('conversions', of.conversions),
    events: null,
    leads: null,
  });
  const [first] = parts;
  const whole = {
    sessions: first?.allSessions ?? 0,
    entrances: first?.allEntrances ?? 0,
    pageViews: first?.allPageViews ?? 0,
    conversions: first?.allConversions ?? 0,
  };
  return {
    timeZone: timeZoneOf(site),
    basis: 'sessions',
    window,
    by,
    totals: { rows: first?.rows ?? 0, ...numbersOf(whole) },
    rows: parts.map((part) => ({
      name: part.name,
      detail: part.detail,
      visitors: part.visitors,
      ...numbersOf(part),
      engagedMs: null,
      share: ratio(part[weight], whole[weight]),
      conversionRate: counts.includes('conversions') ? ratio(part.conversions, part.entrances) : null,
    })),
  };
}

/**
 * Several kinds of some visits, in one statement.
 * returns  of a kind that cannot be counted of visits no rows, and null for every sum
 */
export async function readSelectedKinds<By extends ByKind>(
  db: Db,
  site: Site,
  window: Window,
  bys: readonly By[],
  limit: number,
  selection: Selection,
): Promise<Map<By, KindAnswer>> {
  const kinds = bys.filter(isOfVisits).map((by) => kindOf(by).kind);
  const parts = Map.groupBy(await countKinds(db, site, window, selection, kinds, limit), ({ kind }) => kind);
  return new Map(
    bys.map((by) => {
      const { totals, ...told } = selectedOf(site, window, by, parts.get(kindOf(by).kind) ?? []);
      return [by, { ...told, totals: isOfVisits(by) ? totals : { ...NOTHING_COUNTED, rows: 0 } }];
    }),
  );
}

const NOTHING_COUNTED = {
  sessions: null,
  entrances: null,
  pageViews: null,
  conversions: null,
  events: null,
  leads: null,
};
