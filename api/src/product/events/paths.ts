// One page under one name: a path as it is stored, the campaign its query names, and a referrer without what is none of ours.

import { remembered } from '../../ground/lib/remember.ts';
import { cutBytes, cutText } from '../../ground/lib/text.ts';
import { CLICK_IDS, type Utm } from './source.ts';

/** A site's own rules (sites/settings.ts). */
export interface PathRules {
  /** /about/ stays /about/ instead of becoming /about. */
  keepTrailingSlash: boolean;
  /** A fragment that looks like a path (#/menu, #!/menu) is the path. */
  hashRoutes: boolean;
}

export const STANDARD_RULES: PathRules = { keepTrailingSlash: false, hashRoutes: false };

export interface ReadPath {
  path: string;
  utm: Utm | undefined;
  clickIds: string[];
}

/** As it is stored. */
const PATH_BYTES_MAX = 2048;
const VALUE_LENGTH_MAX = 255;
const UTM = ['source', 'medium', 'campaign', 'term', 'content'] as const;
/** By name in lower case: the name a parameter is kept under. */
const PARAMETERS = new Map<string, string>([
  ...UTM.map((name) => [`utm_${name}`, `utm_${name}`] as const),
  ...Object.keys(CLICK_IDS).map((name) => [name, name] as const),
]);
/** What stands in for a parameter that is not there. */
const STAND_INS = new Map([
  ['ref', 'utm_source'],
  ['source', 'utm_source'],
  ['utm_id', 'utm_campaign'],
]);

// Nearly every path there is: nothing to decode, resolve or take out. No dot but inside a name, no slash at the end.
const PLAIN = /^(?:\/|(?:\/[a-z0-9_~-]+(?:\.[a-z0-9_~-]+)*)+)$/i;

// The part before the @ is bounded, so that a long text is read once and not from every character anew.
const ADDRESS =
  /[\p{L}\p{N}.!#$%&'*+=^_`{|}~-]{1,64}(?:@|%40)(?:[\p{L}\p{N}-]{1,63}\.)+(?:xn--[a-z0-9-]{2,59}|\p{L}{2,63})/giu;

/** Without e-mail addresses: they come from links in mails, and name a person in every report. */
export function withoutAddresses(text: string): string {
  return text.includes('@') || text.includes('%40') ? text.replace(ADDRESS, '[email]') : text;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
// What would be read as something else if it stood plain.
const STAYS_ENCODED = /[/\\?#%]/g;
// What nobody can see, save the two joiners that scripts and emojis are written with.
const INVISIBLE = /(?![\u200c\u200d])[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const encode = (character: string) => encodeURIComponent(character);

/** Percent-encoding as text where it is text, in one spelling where it is not. */
function decodeText(text: string): string {
  if (!text.includes('%')) return text;
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      const decoded = UTF8.decode(Buffer.from(run.replaceAll('%', ''), 'hex'));
      return decoded.replace(STAYS_ENCODED, encode);
    } catch {
      return run.toUpperCase(); // bytes of another encoding
    }
  });
}

const SESSION_PARAMETER =
  /;(?:jsessionid|phpsessid|aspsessionid\w*|sessionid|session_id|sid|cfid|cftoken|jservsessionid\w*)=[^/;]*/gi;
// ASP.NET without cookies: /(S(lit3py55t21z5v55vlm25s55))/menu
const SESSION_SEGMENT = /^\((?:[A-Z]\([^()]{1,200}\))+\)$/;

/** Resolved like a browser would, with one slash between two names. */
function resolve(text: string): string {
  const names: string[] = [];
  const given = text.replaceAll('\\', '/').replace(SESSION_PARAMETER, '').split('/');
  for (const name of given) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.' && !SESSION_SEGMENT.test(name)) names.push(name);
  }
  const last = given.at(-1)!;
  return `/${names.join('/')}${names.length > 0 && (last === '' || last === '.' || last === '..') ? '/' : ''}`;
}

/** The page part of an address, whatever its query; files of somebody's machine name their folders, so none is kept. */
function pagePart(text: string): string {
  const scheme = /^([a-z][a-z0-9+.-]{1,30}):\/\/[^/?#]*/i.exec(text);
  if (/^file:/i.test(text) || /^\/?[a-z]:[\\/]/i.test(text)) return '/(file)';
  return scheme ? text.slice(scheme[0].length) : text;
}

function tidyPath(text: string, rules: PathRules): string {
  if (PLAIN.test(text)) return text;
  let path = resolve(decodeText(text.toWellFormed())).normalize('NFC').replace(INVISIBLE, encode);
  if (!rules.keepTrailingSlash && path.length > 1 && path.endsWith('/')) path = path.slice(0, -1);
  path = withoutAddresses(path).trim();
  return cutBytes(path, PATH_BYTES_MAX);
}

/** The name a parameter is meant as: UTM_Source, utm_source[], utm_source[0], amp;utm_source. */
function parameterName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/^(?:\??(?:amp;|#038;)+|\?)/, '')
    .replace(/\[\d*\]$/, '');
}

interface Found {
  kept: URLSearchParams;
  standIns: Map<string, string>;
}

function readQuery(query: string, found: Found): void {
  // a link made by hand has a second ? or a ; where & should be
  const text = query.replace(/[?;](?=(?:amp;)*utm_)/gi, '&');
  for (const [given, value] of new URLSearchParams(text)) {
    const name = parameterName(given);
    if (value === '' && /^utm_\w+=/.test(name)) {
      readQuery(given.trim(), found); // the whole query was encoded once too often
      continue;
    }
    const known = PARAMETERS.get(name);
    const standsFor = known ? undefined : STAND_INS.get(name);
    if (!known && !standsFor) continue;
    const trimmed = cutText(withoutAddresses(value.trim()), VALUE_LENGTH_MAX).trim();
    if (trimmed === '') continue;
    if (known && !found.kept.has(known)) found.kept.set(known, trimmed);
    if (standsFor && !found.standIns.has(standsFor)) found.standIns.set(standsFor, trimmed);
  }
}

function campaignOf({ kept }: Found): { utm: Utm | undefined; clickIds: string[] } {
  let utm: Record<string, string> | undefined;
  const clickIds: string[] = [];
  for (const [name, value] of kept) {
    if (!name.startsWith('utm_')) clickIds.push(name);
    else {
      utm ??= {};
      utm[name.slice(4)] = value;
    }
  }
  return { utm, clickIds };
}

/** As many of the parameters as fit: written as a URL, a letter may have nine bytes. They are kept as the campaign as well. */
function withQuery(path: string, kept: URLSearchParams): string {
  let whole = path;
  for (const [name, value] of kept) {
    const more = `${whole === path ? '?' : '&'}${new URLSearchParams([[name, value]])}`;
    if (Buffer.byteLength(whole) + more.length <= PATH_BYTES_MAX) whole += more;
  }
  return whole;
}

/** Path without host and fragment in one spelling, its query reduced to campaign and click-id parameters; those parameters. */
export function readPath(given: string, rules: PathRules = STANDARD_RULES): ReadPath {
  if (PLAIN.test(given)) return { path: given, utm: undefined, clickIds: [] };
  const text = pagePart(given.trim());
  const hash = text.indexOf('#');
  let page = hash < 0 ? text : text.slice(0, hash);
  let fragment = hash < 0 ? '' : text.slice(hash + 1);
  const found: Found = { kept: new URLSearchParams(), standIns: new Map() };
  const mark = page.indexOf('?');
  if (mark >= 0) {
    readQuery(page.slice(mark + 1), found);
    page = page.slice(0, mark);
  }
  const route = /^!?(\/[^?]*)/.exec(fragment)?.[1];
  if (rules.hashRoutes && route) page = route;
  if (route) fragment = fragment.slice(fragment.indexOf('?') + 1 || fragment.length);
  if (fragment.includes('=')) readQuery(fragment.replace(/^\?/, ''), found);
  // a page's own parameter called source, or a click id beside it, is a campaign only where nothing says better
  for (const [name, value] of found.standIns) if (!found.kept.has(name)) found.kept.set(name, value);
  const path = tidyPath(page, rules);
  return { path: withQuery(path, found.kept), ...campaignOf(found) };
}

/** Scheme, host and path only: a foreign page's query is none of our business and may hold what people searched or their tokens. */
export function readReferrer(given: string | undefined): string | undefined {
  return given ? pageOfReferrer(given) || undefined : undefined;
}

const pageOfReferrer = remembered((given) => {
  const url = URL.parse(given);
  if (url?.protocol === 'file:') return ''; // folders of somebody's machine
  const page = url?.host ? `${url.protocol}//${url.host}${url.pathname}` : given.split(/[?#]/, 1)[0]!;
  return cutBytes(withoutAddresses(page).toWellFormed(), PATH_BYTES_MAX);
});
