// The address is the state: where one is and what one looks at, read from it and written to it by this module alone.
import { addDays, daysIn, isDay } from '../../../../ground/lib/days.ts';

export const PAGES = [
  'overview',
  'sessions',
  'leads',
  'notifications',
  'reviews',
  'tests',
  'receipts',
  'quality',
  'privacy',
  'machine',
  'settings',
] as const;
/** Reached from a page of the bar, and the page of the bar they belong to. */
export const INNER = {
  templates: 'notifications',
  people: 'settings',
  keys: 'settings',
  audit: 'privacy',
} as const;
export type Page = (typeof PAGES)[number] | keyof typeof INNER;
const INNER_PAGES = Object.keys(INNER) as (keyof typeof INNER)[];
export const ALONE = ['sites', 'account'] as const;

/** Days behind today that a preset begins and ends at; today alone holds the day in progress, so that the rest compare. */
const PRESETS = {
  today: (today: string) => [today, today],
  yesterday: (today: string) => [addDays(today, -1), addDays(today, -1)],
  '7d': (today: string) => [addDays(today, -7), addDays(today, -1)],
  '30d': (today: string) => [addDays(today, -30), addDays(today, -1)],
  '90d': (today: string) => [addDays(today, -90), addDays(today, -1)],
  month: (today: string) => [`${today.slice(0, 7)}-01`, today],
  year: (today: string) => [`${today.slice(0, 4)}-01-01`, today],
  '12m': (today: string) => [addDays(today, -365), addDays(today, -1)],
} as const;
export type Preset = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as Preset[];

export const METRICS = [
  'uniqueVisitors',
  'sessions',
  'pageViews',
  'newLeads',
  'formsSubmitted',
  'bounceRate',
  'avgEngagedSeconds',
] as const;
export type Metric = (typeof METRICS)[number];
export const INTERVALS = ['day', 'week', 'month'] as const;

export interface Look {
  /** A preset, or FROM..TO. */
  range: string;
  /** previous, year, none, or FROM..TO. */
  vs: string;
  match: 'date' | 'weekday';
  interval: (typeof INTERVALS)[number];
  metric: Metric;
  /** Chosen tabs of the panels that are not the first. */
  by: readonly string[];
  /** Of the audit log: by whom and what, and the days from and to which; '' asks for all. */
  who: string;
  what: string;
  since: string;
  until: string;
}
export interface Place {
  /** Of a page of a site; null on the others. */
  site: string | null;
  page: Page | (typeof ALONE)[number];
  /** Of one lead, notification or template; or `new`. */
  id: string | null;
  look: Look;
}

/** Of one page: another one does not ask for it. */
export const NO_FILTER = { who: '', what: '', since: '', until: '' } as const;

export const USUAL: Look = {
  range: '30d',
  vs: 'previous',
  match: 'date',
  interval: 'day',
  metric: 'uniqueVisitors',
  by: [],
  ...NO_FILTER,
};

const NAMED = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/;
export function isSpan(text: string): boolean {
  const [, from = '', to = ''] = NAMED.exec(text) ?? [];
  return isDay(from) && isDay(to) && from <= to && daysIn(from, to) <= 366;
}

/** The first and the last day that a range means, in the site's own days. */
export function daysOf(range: string, today: string): { from: string; to: string } {
  const named = NAMED.exec(range);
  const [from, to] = named ? [named[1]!, named[2]!] : PRESETS[range as Preset](today);
  return { from: from!, to: to! };
}

const oneOf = <T extends string>(all: readonly T[], text: string | null, usual: T): T =>
  all.includes(text as T) ? (text as T) : usual;

const dayOr = (text: string | null): string => (text !== null && isDay(text) ? text : '');

export function readPlace(address: URL): Place {
  const [site = '', page = '', id] = address.pathname
    .replace(/^\/app\/?/, '')
    .split('/')
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return '';
      }
    });
  const query = address.searchParams;
  const range = query.get('range') ?? '';
  const vs = query.get('vs') ?? '';
  const look: Look = {
    range: range in PRESETS || isSpan(range) ? range : USUAL.range,
    vs: ['previous', 'year', 'none'].includes(vs) || isSpan(vs) ? vs : USUAL.vs,
    match: oneOf(['date', 'weekday'], query.get('match'), USUAL.match),
    interval: oneOf(INTERVALS, query.get('interval'), USUAL.interval),
    metric: oneOf(METRICS, query.get('metric'), USUAL.metric),
    who: (query.get('who') ?? '').slice(0, 100),
    what: (query.get('what') ?? '').slice(0, 200),
    since: dayOr(query.get('since')),
    until: dayOr(query.get('until')),
    by: (query.get('by') ?? '').split(',').filter((name) => /^[a-zA-Z_]{1,20}$/.test(name)),
  };
  if (page === '') return { site: null, page: oneOf(ALONE, site, 'sites'), id: null, look };
  return { site, page: oneOf([...PAGES, ...INNER_PAGES], page, 'overview'), id: id || null, look };
}

/** Only what differs from the usual stands in it. */
export function writePlace({ site, page, id, look }: Place): string {
  const parts = site === null ? [page] : [site, page, ...(id === null ? [] : [id])];
  const query = new URLSearchParams();
  for (const name of ['range', 'vs', 'match', 'interval', 'metric', 'who', 'what', 'since', 'until'] as const)
    if (look[name] !== USUAL[name]) query.set(name, look[name]);
  if (look.by.length > 0) query.set('by', look.by.join(','));
  const text = query.toString().replaceAll('%2C', ',');
  return `/app/${parts.map(encodeURIComponent).join('/')}${text && `?${text}`}`;
}
