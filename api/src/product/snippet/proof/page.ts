// What p.js knows of the page and its visitor: the mode, what this browser remembers, and whom a notification is for.
import type { Mkt } from '../browser/core.ts';

const FALLBACK = document.querySelector<HTMLScriptElement>(
  'script[data-notifications],script[data-site][src*="/p.js"],script[data-site][src*="/p/"]',
);
/** Our own tag. */
export const tag = (document.currentScript as HTMLScriptElement) || FALLBACK;
export const { site } = tag.dataset;
export const lang = document.documentElement.lang || navigator.language;

/** The snippet's keys go on with a colon (core.ts), and go with its id when consent is withdrawn: so does what we remember. */
const own = '_mkt7' + site + ':';
const KEY = own + 'p';
const VISIT_MS = 18e5;

/** Wraps what may fail, now or later, so that the page never sees it. */
export const safe =
  <A extends unknown[], R>(work: (...args: A) => R) =>
  (...args: A): R | undefined => {
    try {
      const result = work(...args);
      (result as Promise<unknown> | undefined)?.catch?.(() => 0);
      return result;
    } catch {}
    return undefined;
  };

export const mkt = () => (self.mkt ||= []) as Mkt;

/** The browser's own id, where it is kept: only then anything is remembered, or any test taken part in. */
export const fullId = safe(() => {
  const id = mkt().id?.();
  return id && localStorage[own + 'id'] === id ? id : '';
}) as () => string;

/** What this browser did lately: shown how often in this visit and today, when last, until when it wants none. */
interface Memory {
  /** Last seen. */
  t: number;
  /** Was here before this visit. */
  r: boolean;
  /** The day of `n`. */
  d: string;
  /** Of this visit, and of this day: shown, by notification. */
  v: Record<string, number>;
  n: Record<string, number>;
  /** The last card. */
  l: number;
  /** Dismissed until. */
  x: number;
  /** Where this visit came from. */
  s?: string[];
}

/** Of the page alone, where nothing is kept. */
let shownHere = 0;
export const newPage = () => {
  shownHere = 0;
};

function recall(): Memory {
  const now = Date.now();
  const memory: Memory = {
    t: 0,
    r: false,
    d: '',
    v: {},
    n: {},
    l: 0,
    x: 0,
    ...safe(() => JSON.parse(localStorage[KEY]))(),
  };
  const begins = now - memory.t > VISIT_MS;
  if (begins) {
    memory.r = memory.t > 0;
    memory.v = {};
    delete memory.s;
  }
  const day = new Date().toDateString();
  if (day != memory.d) memory.n = {};
  // as the server cuts visits: a campaign is another one
  const s = (!isCampaign() && memory.s) || cameFrom(begins && memory.r);
  return { ...memory, s, d: day, t: now };
}

const keep = safe((memory: Memory) => {
  localStorage[KEY] = JSON.stringify(memory);
});

export interface Cap {
  perSession: number;
  perDay: number;
  gapMs: number;
  afterDismissDays: number;
}

/** How long until this one may be shown: 0 now, Infinity not on this page. */
export function waitFor(id: string, cap: Cap): number {
  if (safe(() => sessionStorage[KEY])()) return Infinity;
  if (!fullId()) return shownHere ? Infinity : 0;
  const { x, v, n, l, t } = recall();
  if (x > t || (v[id] || 0) >= cap.perSession || (n[id] || 0) >= cap.perDay) return Infinity;
  return Math.max(0, l + cap.gapMs - t);
}

export function noteShown(id: string): void {
  shownHere += 1;
  if (!fullId()) return;
  const memory = recall();
  memory.v[id] = (memory.v[id] || 0) + 1;
  memory.n[id] = (memory.n[id] || 0) + 1;
  keep({ ...memory, l: memory.t });
}

/** One dismissal silences all. */
export function noteDismissed(days: number): void {
  shownHere += 1;
  if (fullId()) keep({ ...recall(), x: Date.now() + days * 864e5 });
  // for this visit, whatever the mode
  safe(() => (sessionStorage[KEY] = 1))();
}

export interface Where {
  channels: string[];
  include?: string[];
  exclude?: string[];
  devices?: string[];
  sources?: string[];
  visitors?: string;
  languages?: string[];
  consent?: string;
}

const fits = (path: string) => (pattern: string) =>
  RegExp('^' + pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*') + '$').test(path);
/** None named: everybody. */
const among = (list: string[] | undefined, has: (one: string) => unknown) => !list?.[0] || list.some(has);

function device(): string {
  const touched = matchMedia('(pointer:coarse)').matches;
  return !touched ? 'desktop' : Math.min(screen.width, screen.height) < 600 ? 'mobile' : 'tablet';
}

const isCampaign = () => /[?&]utm_/.test(location.search);

/**
 * Where this page was come to from: its campaign's words, or who sent it.
 * begins  a visit after another one: the site itself is nobody
 */
function cameFrom(begins?: boolean): string[] {
  const query = new URLSearchParams(location.search);
  const host = (url: string) => new URL(url).hostname.replace(/^www\./, '');
  let from = safe(host)(document.referrer);
  if (begins && from == host(location.href)) from = '';
  return ['utm_source', 'utm_medium', 'utm_campaign']
    .map((name) => query.get(name) || '')
    .concat(from || (isCampaign() ? '' : 'direct'))
    .map((word) => word.slice(0, 100).toLowerCase());
}

export function isFor(where: Where): boolean {
  const { pathname } = location;
  const full = fullId();
  const { visitors = 'all' } = where;
  return (
    among(where.include, fits(pathname)) &&
    !where.exclude?.some(fits(pathname)) &&
    among(where.devices, (one) => one == device()) &&
    // without an id that is kept only the first page of a visit shows it
    among(where.sources, (one) => (full ? recall().s! : cameFrom()).includes(one.toLowerCase())) &&
    among(where.languages, (one) => lang.toLowerCase().indexOf(one.toLowerCase()) == 0) &&
    (where.consent != 'full' || !!full) &&
    (visitors == 'all' || (!!full && (visitors == 'returning') == recall().r))
  );
}

/** Begins or goes on with a visit. */
export const visit = () => fullId() && keep(recall());
