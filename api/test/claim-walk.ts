// A site whose rows come and go at random, and what a plain list of them says that its notifications may tell: the model that
// walk.test.ts holds against what is built.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Claim, Notification } from '../src/product/notifications/schema.ts';
import { newSite } from './claims.ts';
import { address, hours, makeEvent, minutes } from './make.ts';
import { admin, call, type TestServer } from './server.ts';

// of a zone where it is noon now: what happens while a test runs is of one day
const NOON_IN = 12 - new Date().getUTCHours();
const TIME_ZONE = NOON_IN === 0 ? 'UTC' : `Etc/GMT${NOON_IN > 0 ? '-' : '+'}${Math.abs(NOON_IN)}`;
/** Midnight there. */
const midnight = (): number => {
  const there = Date.now() + hours(NOON_IN);
  return there - (there % hours(24)) - hours(NOON_IN);
};

export type Said = Pick<Notification, 'kind' | 'claim'>;
const COUNTED: Partial<Claim>[] = [
  { of: 'leads' },
  { of: 'leads', where: { form: 'letter' } },
  { of: 'signups' },
  { of: 'activations', days: 7 },
  { of: 'purchases' },
  { of: 'purchases', where: { product: 'rye' } },
  { of: 'purchases', where: { country: 'CA' }, days: 7 },
  { of: 'reviews' },
  { of: 'reviews', where: { ratingAtLeast: 4 } },
  { of: 'reviews', where: { product: 'rye' } },
  { of: 'visitors', days: 7 },
  { of: 'page_views' },
  { of: 'page_views', where: { path: '/shop' } },
  { of: 'event:tasted' },
  { of: 'event:cta_click' },
];
const MINIMUM = 3;
/** All that a site says of its rows: as many as may run. */
const CONTENTS: (Said & Record<string, unknown>)[] = [
  ...COUNTED.map((claim) => ({
    kind: 'count' as const,
    claim: claim as Claim,
    texts: { en: { other: '{count} in {days} days' } },
  })),
  ...[{}, { path: '/shop' }].map((where) => ({
    kind: 'live_visitors' as const,
    claim: { of: 'visitors', where } as Claim,
    texts: { en: { other: '{count} in {minutes} minutes' } },
  })),
  ...['purchases', 'leads'].map((of) => ({
    kind: 'recent_activity' as const,
    claim: { of } as Claim,
    texts: { en: { other: '{name} did it {when}' } },
  })),
].map((one) => ({ ...one, claim: { ...{ where: {}, days: 30, minimum: MINIMUM }, ...one.claim } }));

export interface Person {
  anonId: string;
  email: string | null;
  isHuman: boolean;
  isErased: boolean;
  mayBeShown: boolean;
}
export interface Row {
  what: 'purchase' | 'signup' | 'activation' | 'lead' | 'review' | 'event';
  of: Person;
  at: number;
  id: string;
  isGone: boolean;
  form?: string;
  products?: string[];
  country?: string;
  rating?: number;
  about?: string;
  path?: string;
  eventType?: string;
}

const OF: Record<string, Row['what']> = {
  leads: 'lead',
  signups: 'signup',
  activations: 'activation',
  purchases: 'purchase',
  reviews: 'review',
};

export interface Walk {
  key: string;
  siteId: string;
  said: Map<string, Said>;
  people: Person[];
  rows: Row[];
  /** One act at random. returns  whether whole days were counted again by it */
  step(): Promise<boolean>;
  /** Rows that a claim of single rows may count between two moments. */
  counting(said: Said, from: number, to: number): Row[];
  /** What it counts of them. */
  countOf(said: Said, from: number, to: number): number;
  /** Of whole days: what is true of everybody who is there; and of whoever was not erased, whatever they were taken for later. */
  trueOfDays(said: Said, ofAnybody?: boolean): number;
}

const looks = new Set<Promise<void>>();
let counting: Promise<unknown> | null = null;
/** Looks at what is stored while nobody counts days anew: that counts them of all sites, those of the walks beside this one too. */
export async function whileNobodyCounts(look: () => Promise<void>): Promise<void> {
  while (counting) await counting;
  const looking = look();
  looks.add(looking);
  await looking.finally(() => looks.delete(looking));
}

/** next  below a number, at random */
export async function startWalk(server: TestServer, next: (below: number) => number): Promise<Walk> {
  const { key, siteId } = await newSite(server, { timeZone: TIME_ZONE });
  const said = new Map<string, Said>();
  for (const [n, content] of CONTENTS.entries()) {
    const url = `${server.url}/v1/sites/${key}/notifications`;
    const { status, body } = await call(url, 'POST', { name: `n${n}`, ...content }, admin);
    assert.equal(status, 201, JSON.stringify(body));
    said.set(body.notification.notificationId, content);
  }
  // all at once, and without a feed of the server's own, which would be built after each act
  await server.database.owner.query(
    "update notifications set status = 'running', changed_at = now() where site_id = $1",
    [siteId],
  );
  const people: Person[] = [];
  const rows: Row[] = [];
  const post = async (path: string, body: object) => {
    const answer = await call(server.url + path, 'POST', { propertyId: key, ...body }, admin);
    assert.ok(answer.status < 300, `${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const pick = <T>(of: readonly T[]): T | undefined => of[next(Math.max(1, of.length))];
  const there = (which: (one: Person) => unknown = () => true) =>
    pick(people.filter((one) => !one.isErased && which(one)));

  const comes = async (one: Person, eventType: string, at: number) => {
    const path = next(2) === 0 ? '/shop' : '/';
    await post('/v1/events', makeEvent({ anonId: one.anonId, eventType, path, timestamp: at }));
    rows.push({ what: 'event', of: one, at, id: randomUUID(), isGone: false, path, eventType });
  };
  const tell = (row: Row, more: object = {}) =>
    post('/v1/conversions', {
      ...{ id: row.id, kind: row.what, occurredAt: new Date(row.at).toISOString(), products: row.products },
      ...{
        country: row.country,
        ...(row.of.email ? { email: row.of.email } : { anonId: row.of.anonId }),
        ...more,
      },
    });
  const ordersAt = [
    0,
    0,
    minutes(15),
    minutes(25),
    minutes(45),
    hours(20),
    hours(24 * 6.5),
    hours(24 * 20),
    hours(24 * 40),
  ];

  const newcomer = async () => {
    const one = {
      anonId: randomUUID(),
      email: null,
      isHuman: true,
      isErased: false,
      mayBeShown: true,
    } as Person;
    people.push(one);
    await comes(one, 'page_view', Date.now());
    if (next(3) === 0) return;
    one.email = address();
    const form = next(2) === 0 ? 'letter' : 'contact';
    const at = Date.now();
    await post('/v1/leads/capture', { email: one.email, anonId: one.anonId, formName: form });
    rows.push({ what: 'lead', of: one, at, id: one.email, isGone: false, form });
    // its form is an event of its page
    rows.push({
      what: 'event',
      of: one,
      at,
      id: randomUUID(),
      isGone: false,
      path: '/',
      eventType: 'form_submit',
    });
  };
  const KINDS = ['purchase', 'purchase', 'signup', 'activation'] as const;
  const converts = async (what = pick(KINDS)!, atMost = hours(24 * 40)) => {
    const one = there();
    if (!one) return newcomer();
    const row: Row = {
      ...{
        what,
        of: one,
        id: randomUUID(),
      },
      ...{ at: Date.now() - pick(ordersAt.filter((ms) => ms <= atMost))!, isGone: false },
      products: pick([['rye'], ['wheat'], ['rye', 'wheat']])!,
      country: pick(['CA', 'FR'])!,
    };
    await tell(row);
    rows.push(row);
  };
  const takesBack = async () => {
    const row = pick(rows.filter(({ products, isGone, of }) => products && !isGone && !of.isErased));
    if (!row) return;
    await tell(row, { voidedAt: new Date().toISOString() });
    row.isGone = true;
  };
  const erases = async () => {
    const one = there();
    if (!one) return;
    await post('/v1/leads/delete', one.email ? { email: one.email } : { anonId: one.anonId });
    one.isErased = true;
  };
  const reviews = async () => {
    const one = there(({ email }) => email !== null);
    if (!one) return;
    const [id, rating, product] = [`Review ${randomUUID()}`, 1 + next(5), pick(['rye', 'wheat'])!];
    const at = Date.now();
    await post('/v1/reviews', { email: one.email, anonId: one.anonId, rating, product, text: id });
    rows.push({ what: 'review', of: one, at, id, isGone: false, rating, about: product });
  };
  const declines = async () => {
    const row = pick(rows.filter(({ what, isGone, of }) => what === 'review' && !isGone && !of.isErased));
    if (!row) return;
    const url = `${server.url}/v1/sites/${key}/reviews`;
    const listed = (await call(`${url}?limit=100`, 'GET', undefined, admin)).body.reviews;
    const found = listed.find(({ text }: { text: string }) => text === row.id);
    // beyond the newest hundred
    if (!found) return;
    const declined = { status: 'declined', reason: 'spam' };
    const ifMatch = { ...admin, 'if-match': `"${found.version}"` };
    assert.equal((await call(`${url}/${found.reviewId}`, 'PATCH', declined, ifMatch)).status, 200);
    row.isGone = true;
  };
  const isThere = async () => {
    const one = there();
    if (!one) return;
    const eventType = pick(['page_view', 'page_view', 'tasted', 'cta_click'])!;
    // of a day that is over, or now
    await comes(one, eventType, next(2) === 0 ? Date.now() : midnight() - minutes(1 + next(500)));
  };
  const isJudged = async () => {
    const one = there();
    if (!one) return;
    one.isHuman = next(2) === 0;
    const kind = pick(['bot', 'staff'])!;
    await post('/v1/admin/bots', { anonId: one.anonId, bot: !one.isHuman, ...(one.isHuman ? {} : { kind }) });
  };
  const hides = async () => {
    const one = there(({ email, mayBeShown }) => email && mayBeShown);
    if (!one) return;
    await post('/v1/leads/display', { email: one.email, show: false });
    one.mayBeShown = false;
  };
  const countsDays = async () => {
    while (counting) await counting;
    counting = Promise.allSettled(looks).then(() => post('/v1/admin/jobs/rollup', {}));
    try {
      await counting;
    } finally {
      counting = null;
    }
    return true;
  };
  // so many of each in a hundred; the rarest costs most
  const acts: [() => Promise<unknown>, number][] = [
    [newcomer, 22],
    [() => converts(), 22],
    [isThere, 18],
    [takesBack, 8],
    [erases, 6],
    [isJudged, 8],
    [reviews, 8],
    [declines, 3],
    [hides, 3],
    [countsDays, 2],
  ];
  // whoever is there from the start, so that a short walk has all of it to tell
  for (let n = 0; n < 8; n += 1) await newcomer();
  for (let n = 0; n < 24; n += 1)
    await Promise.all([
      isThere(),
      isThere(),
      isThere(),
      isThere(),
      reviews(),
      converts(KINDS[n % 4]!, hours(20)),
    ]);
  await countsDays();

  const isOf = ({ claim }: Said, row: Row): boolean => {
    const { form, product, country, path, ratingAtLeast } = claim!.where;
    if (row.what === 'review') {
      const least = ratingAtLeast ?? 0;
      return row.rating! >= least && (product === undefined || row.about === product);
    }
    return (
      (form === undefined || row.form === form) &&
      (product === undefined || row.products?.includes(product) === true) &&
      (country === undefined || row.country === country) &&
      (path === undefined || row.path === path)
    );
  };
  const distinct = (of: readonly Row[]) => new Set(of.map((row) => row.of)).size;
  const walk: Walk = {
    ...{ key, siteId, said, people, rows },
    async step() {
      let at = next(100);
      for (const [act, share] of acts) {
        at -= share;
        if (at < 0) return (await act()) === true;
      }
      return false;
    },
    counting(one, from, to) {
      const what = one.kind === 'live_visitors' ? 'event' : OF[one.claim!.of];
      return rows.filter(
        (row) =>
          row.what === what &&
          !row.isGone &&
          !row.of.isErased &&
          row.of.isHuman &&
          row.at >= from &&
          row.at <= to &&
          isOf(one, row),
      );
    },
    countOf(one, from, to) {
      const found = walk.counting(one, from, to);
      return /leads|reviews/.test(one.claim!.of) ? found.length : distinct(found);
    },
    trueOfDays(one, ofAnybody = false) {
      const today = midnight();
      const [, type] = /^event:(.*)$/.exec(one.claim!.of) ?? [];
      const found = rows.filter(
        (row) =>
          row.what === 'event' &&
          row.at < today &&
          !row.of.isErased &&
          (ofAnybody || row.of.isHuman) &&
          (one.claim!.of === 'visitors' || row.eventType === (type ?? 'page_view')) &&
          isOf(one, row),
      );
      return one.claim!.of === 'visitors' ? distinct(found) : found.length;
    },
  };
  return walk;
}
