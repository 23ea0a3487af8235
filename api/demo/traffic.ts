// Believable traffic for a bakery, made from a seed: the same seed and day give the same events, whenever it is asked.
import { createHash } from 'node:crypto';
import { addDays, daysIn } from '../src/ground/lib/days.ts';
import { type ArrivedEvent, visitorIdOf } from '../src/product/events/enrich.ts';

export const randomFrom = (text: string): (() => number) =>
  randomOf(createHash('sha256').update(text).digest().readUInt32LE(0));

/** Small, known, and the same everywhere. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export interface TrafficOptions {
  siteId: string;
  seed: string;
  /** First UTC day there is anything; returning visitors are never older. */
  first: string;
  /** New visitors on an average day. */
  visitorsPerDay: number;
}

export interface DemoLead {
  leadId: string;
  email: string;
  domain: string;
  domainClass: 'business' | 'free_mail' | 'disposable';
  at: string;
  source: string;
  utm: ArrivedEvent['utm'];
  path: string;
  visitorId: string;
  verifiedAt: string | null;
  signedUpAt: string | null;
  activatedAt: string | null;
}

export interface DemoDay {
  events: ArrivedEvent[];
  leads: DemoLead[];
  spend: { source: string; campaign: string; amount: number }[];
}

// What brings people, how often, and how willing they are to leave an address.
const ORIGINS: {
  source: string;
  weight: number;
  capture: number;
  referrer?: string;
  utm?: { source: string; medium: string; campaign: string };
  /** Days of the year's quarter on which it runs, and what a day costs. */
  runs?: [number, number];
  cost?: number;
}[] = [
  { source: 'direct', weight: 24, capture: 0.02 },
  { source: 'organic_search', weight: 34, capture: 0.025, referrer: 'https://www.google.com/' },
  { source: 'organic_search', weight: 5, capture: 0.025, referrer: 'https://duckduckgo.com/' },
  { source: 'social', weight: 10, capture: 0.012, referrer: 'https://www.instagram.com/' },
  { source: 'referral', weight: 6, capture: 0.03, referrer: 'https://farmersmarket.example/stalls' },
  { source: 'ai_assistant', weight: 3, capture: 0.035, referrer: 'https://chatgpt.com/' },
  {
    source: 'paid_search',
    weight: 16,
    capture: 0.045,
    referrer: 'https://www.google.com/',
    utm: { source: 'google', medium: 'cpc', campaign: 'sourdough' },
    cost: 38,
  },
  {
    source: 'paid_social',
    weight: 22,
    capture: 0.02,
    referrer: 'https://www.facebook.com/',
    utm: { source: 'facebook', medium: 'paid', campaign: 'holiday-baskets' },
    runs: [20, 55],
    cost: 55,
  },
  {
    source: 'email',
    weight: 14,
    capture: 0.06,
    utm: { source: 'newsletter', medium: 'email', campaign: 'weekly' },
  },
];
const DEVICES = [
  ['mobile', 'Chrome', 'Android', 34],
  ['mobile', 'Safari', 'iOS', 26],
  ['desktop', 'Chrome', 'Windows', 20],
  ['desktop', 'Safari', 'macOS', 9],
  ['desktop', 'Firefox', 'Linux', 6],
  ['tablet', 'Safari', 'iOS', 5],
] as const;
const COUNTRIES = [
  ['CA', 74],
  ['US', 14],
  ['FR', 5],
  ['GB', 4],
  ['MX', 3],
] as const;
const PATHS = [
  '/',
  '/bread',
  '/menu',
  '/visit',
  '/newsletter',
  '/bread/sourdough',
  '/bread/rye',
  '/menu/cakes',
];
// Mondays the bakery is closed; before the weekend people look at what there is.
const WEEKDAYS = [1.1, 0.75, 0.85, 0.95, 1.05, 1.25, 1.35];

/** The demo site's events, leads and spend of one UTC day. */
export function trafficOf(day: string, { siteId, seed, first, visitorsPerDay }: TrafficOptions): DemoDay {
  const random = randomFrom(`${seed} ${day}`);
  const start = Date.parse(`${day}T00:00:00Z`);
  const age = daysIn(first, day) - 1;
  const weekday = new Date(start).getUTCDay();
  const dayOfQuarter = Math.floor(start / 86_400_000) % 91;
  const uuid = (() => {
    const hex = createHash('sha256').update(`${seed} ${siteId} ${day}`).digest('hex').slice(0, 16);
    let n = 0;
    return () => {
      n += 1;
      const tail = n.toString(16).padStart(8, '0');
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(12, 15)}-a${tail.slice(0, 3)}-${hex.slice(4, 11)}${tail.slice(3)}`;
    };
  })();
  const pick = <T extends readonly unknown[]>(list: readonly T[], weight: (entry: T) => number): T => {
    let left = random() * list.reduce((sum, entry) => sum + weight(entry), 0);
    for (const entry of list) {
      left -= weight(entry);
      if (left < 0) return entry;
    }
    return list.at(-1)!;
  };
  const result: DemoDay = { events: [], leads: [], spend: [] };
  const running = ORIGINS.filter(
    ({ runs, utm }) =>
      (!runs || (dayOfQuarter >= runs[0] && dayOfQuarter <= runs[1])) &&
      // the newsletter goes out on Thursdays and is read until Saturday
      (utm?.medium !== 'email' || weekday >= 4),
  );
  for (const { utm, cost } of running)
    if (utm && cost)
      result.spend.push({
        source: utm.source,
        campaign: utm.campaign,
        amount: Math.round(cost * (0.8 + random() * 0.4) * 100) / 100,
      });

  // slow growth, the week's rhythm, the weather
  const people = Math.max(
    1,
    Math.round(visitorsPerDay * WEEKDAYS[weekday]! * (1 + age / 250) * (0.85 + random() * 0.3)),
  );
  const back = Math.round(people * Math.min(0.35, age * 0.02));
  const visits = people + back;
  for (let n = 0; n < visits; n += 1) {
    const isNew = n < people;
    // most who come back do so within days
    const gap = isNew ? 0 : Math.min(age, 1 + Math.floor(-Math.log(1 - random()) * 9));
    const visitor = isNew
      ? `${day} ${n}`
      : `${addDays(day, -gap)} ${Math.floor(random() * visitorsPerDay * 0.7)}`;
    const visitorId = visitorIdOf(siteId, `${seed} ${visitor}`);
    const self = randomFrom(`${seed} ${visitor}`);
    const selfPick = <T extends readonly unknown[]>(list: readonly T[], weight: (entry: T) => number): T => {
      let left = self() * list.reduce((sum, entry) => sum + weight(entry), 0);
      for (const entry of list) {
        left -= weight(entry);
        if (left < 0) return entry;
      }
      return list.at(-1)!;
    };
    const [device, browser, os] = selfPick(DEVICES, (entry) => entry[3]);
    const [country] = selfPick(COUNTRIES, (entry) => entry[1]);
    const isBot = isNew && self() < 0.06;
    const [origin] = pick(
      running.map((each) => [each] as const),
      ([each]) => each.weight,
    );
    // the bakery's day: mornings and late afternoons, Toronto's hours
    const hour = (random() < 0.55 ? 12 + random() * 5 : 19 + random() * 9) % 24;
    let at = start + Math.floor(hour * 3_600_000 + random() * 600_000);
    const hash = (kind: string) =>
      `\\x${createHash('sha256').update(`${kind} ${seed} ${visitor}`).digest('hex')}`;
    let depth = 0;
    const add = (type: string, path: string, more: Partial<ArrivedEvent> = {}) => {
      const iso = new Date(at).toISOString();
      const landing = depth === 0;
      depth += 1;
      result.events.push({
        site_id: siteId,
        event_id: uuid(),
        visitor_id: visitorId,
        client_at: iso,
        received_at: new Date(at + 300).toISOString(),
        event_type: type,
        path,
        referrer: landing ? origin.referrer : undefined,
        source: landing ? origin.source : 'carried',
        utm: landing ? origin.utm : undefined,
        bot_reason: isBot ? 'user_agent' : undefined,
        privacy_signal: false,
        is_conversion: false,
        ip_hash: hash('ip'),
        ua_hash: hash('ua'),
        device_type: isBot ? 'bot' : device,
        browser: isBot ? undefined : browser,
        os: isBot ? undefined : os,
        country,
        ...more,
      });
    };
    const pages = 1 + Math.floor(-Math.log(1 - random()) * 2);
    let path = PATHS[Math.floor(random() ** 1.6 * PATHS.length)]!;
    for (let page = 0; page < Math.min(pages, 12); page += 1) {
      const slow = device === 'mobile' ? 1.6 : 1;
      add(
        'page_view',
        path,
        page === 0
          ? {
              ttfb_ms: Math.round(60 * slow + random() * 240),
              fcp_ms: Math.round(500 * slow + random() * 900),
            }
          : {},
      );
      at += 4000 + Math.floor(random() * 70_000);
      if (!isBot && random() < 0.5)
        add('engagement', path, {
          engaged_ms: Math.round(2000 + random() * 60_000),
          scroll_percent: Math.round(random() * 100),
          lcp_ms: Math.round(900 * slow + random() * 1800),
          inp_ms: Math.round(40 + random() * 260),
          cls_score: Math.round(random() * 200) / 1000,
        });
      if (!isBot && random() < 0.12) add('cta_click', path);
      at += 1000 + Math.floor(random() * 20_000);
      path = PATHS[Math.floor(random() * PATHS.length)]!;
    }
    if (isBot) continue;
    const willing = origin.capture * (isNew ? 1 : 1.6);
    if (random() < willing * 2.2)
      add('form_start', '/newsletter', { props: { formName: 'newsletter', role: 'lead' } });
    else continue;
    at += 20_000 + Math.floor(random() * 60_000);
    if (random() > 0.45) continue;
    add('form_submit', '/newsletter', { props: { formName: 'newsletter', role: 'lead' } });
    const domainRoll = random();
    const [domain, domainClass] =
      domainRoll < 0.55
        ? (['example.net', 'free_mail'] as const)
        : domainRoll < 0.97
          ? (['example.com', 'business'] as const)
          : (['example.org', 'disposable'] as const);
    const signsUp = random() < 0.3 ? at + Math.floor(random() * 12 * 86_400_000) : null;
    const activates = signsUp && random() < 0.5 ? signsUp + Math.floor(random() * 9 * 86_400_000) : null;
    result.leads.push({
      leadId: uuid(),
      email: `guest-${createHash('sha256').update(`${seed} ${visitor}`).digest('hex').slice(0, 10)}@${domain}`,
      domain,
      domainClass,
      at: new Date(at).toISOString(),
      source: origin.source,
      utm: origin.utm,
      path: '/newsletter',
      visitorId,
      verifiedAt:
        random() < 0.6 ? new Date(at + 60_000 + Math.floor(random() * 3_600_000)).toISOString() : null,
      signedUpAt: signsUp ? new Date(signsUp).toISOString() : null,
      activatedAt: activates ? new Date(activates).toISOString() : null,
    });
  }
  result.events.sort((a, b) => (a.client_at! < b.client_at! ? -1 : a.client_at! > b.client_at! ? 1 : 0));
  return result;
}
