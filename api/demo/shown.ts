// What the bakery shows its visitors, set up through the public API as an owner would: orders and reviews of made-up guests,
// and notifications that count them and the rest of the demo's data. No number is written here: each is counted from rows.
import { createHash } from 'node:crypto';
import { addDays, dayOf } from '../src/ground/lib/days.ts';
import { randomFrom } from './traffic.ts';

const NAMED =
  'May the bakery show its visitors my first name and what I ordered? I can take it back at any time.';
const PUBLISH =
  'The bakery may publish this review with my first name. I can take that back at any time with the link in its mails.';
const BREADS = ['country loaf', 'seeded rye', 'baguette', 'cardamom knots'];
const ORDER_DAYS = 14;

/** Guests who order; some allow their first name, and some said what they think. */
const GUESTS: {
  name: string;
  mayBeNamed?: boolean;
  review?: { rating: number; text: string; product: string; bought?: boolean; incentive?: string };
}[] = [
  {
    name: 'Maren',
    mayBeNamed: true,
    review: {
      rating: 5,
      text: 'Still good on the fifth day, and better toasted.',
      product: 'seeded rye',
      bought: true,
    },
  },
  { name: 'Idris', mayBeNamed: true },
  {
    name: 'Odile',
    mayBeNamed: true,
    review: {
      rating: 4,
      text: 'A crust you can hear. Come before ten.',
      product: 'country loaf',
      bought: true,
    },
  },
  { name: 'Tomas' },
  {
    name: 'Wren',
    review: {
      rating: 3,
      text: 'Fine bread, but the shop was sold out twice.',
      product: 'baguette',
      bought: true,
    },
  },
  { name: 'Sunniva' },
  {
    name: 'Bela',
    review: {
      rating: 5,
      text: 'Soft, not too sweet.',
      product: 'cardamom knots',
      incentive: 'got a knot to taste',
    },
  },
];

/** Each needs another moment, and stands on other pages, so that all can be seen one after the other. */
const NOTIFICATIONS = [
  {
    kind: 'recent_activity',
    name: 'Orders',
    claim: { of: 'purchases', days: 14, minimum: 3 },
    texts: {
      en: { other: '{name} ordered {product} {when}' },
      fr: { other: '{name} a commandé {product} {when}' },
    },
    link: { url: '/bread', label: 'See today’s bread' },
    targeting: { include: ['/'] },
    trigger: { afterMs: 1500 },
  },
  {
    kind: 'count',
    name: 'Letters',
    claim: { of: 'leads', where: { form: 'newsletter' }, days: 30, minimum: 5 },
    texts: {
      en: {
        one: '{count} person asked for the weekly bake in {days} days',
        other: '{count} people asked for the weekly bake in {days} days',
      },
      fr: {
        one: '{count} personne a demandé la lettre en {days} jours',
        other: '{count} personnes ont demandé la lettre en {days} jours',
      },
    },
    link: { url: '/newsletter', label: 'Get it too' },
    targeting: { include: ['/bread'] },
    trigger: { afterMs: 500, scrollPercent: 70 },
  },
  {
    kind: 'count',
    name: 'Visitors',
    claim: { of: 'visitors', days: 7, minimum: 20 },
    texts: {
      en: {
        one: '{count} person looked in within {days} days',
        other: '{count} people looked in within {days} days',
      },
      fr: {
        one: '{count} personne est passée en {days} jours',
        other: '{count} personnes sont passées en {days} jours',
      },
    },
    targeting: { include: ['/visit'] },
    trigger: { afterMs: 500, exitIntent: true },
  },
  {
    kind: 'review',
    name: 'Reviews',
    claim: { of: 'reviews', days: 90, minimum: 3 },
    texts: { en: { other: '{name}, {when}' }, fr: { other: '{name}, {when}' } },
    channels: ['inline', 'page'],
    targeting: { include: ['/menu*'] },
    trigger: { afterMs: 0 },
  },
  {
    kind: 'live_visitors',
    name: 'Here now',
    claim: { of: 'visitors', minimum: 3 },
    texts: {
      en: {
        one: '{count} person here in the last {minutes} minutes',
        other: '{count} people here in the last {minutes} minutes',
      },
      fr: {
        one: '{count} personne ici depuis {minutes} minutes',
        other: '{count} personnes ici depuis {minutes} minutes',
      },
    },
    channels: ['bar'],
    targeting: { include: ['/newsletter'] },
  },
];

/** What the guests sent their forms with; a program's own would make them a program's. */
const GUESTS_BROWSER =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36';

const emailOf = ({ name }: { name: string }) => `${name.toLowerCase()}@example.net`;
/** The same each time, so that what is sent again counts once. */
const uuidOf = (text: string) =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-a$4-$5');
const cell = (value: string | number | undefined) => `"${String(value ?? '').replaceAll('"', '""')}"`;

export interface ShownOptions {
  /** The API's origin, such as `http://127.0.0.1:3000`. */
  api: string;
  adminKey: string;
  /** The site's key. */
  site: string;
  now?: number;
}

/**
 * Sends what is missing, and starts the notifications that are not there yet; again it changes nothing but adds the days since.
 * returns  how many notifications were made
 * throws   when the API refuses something, with its words
 */
export async function showOnPages({ api, adminKey, site, now = Date.now() }: ShownOptions): Promise<number> {
  // biome-ignore lint/suspicious/noExplicitAny: answers of several shapes
  async function ask(method: string, path: string, body?: unknown, headers = {}): Promise<any> {
    const answer = await fetch(new URL(path, api), {
      method,
      headers: { 'content-type': 'application/json', 'x-admin-key': adminKey, ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const said = (await answer.json()) as { error?: { message: string } };
    if (!answer.ok) throw new Error(`${method} ${path}: ${said.error?.message ?? answer.status}`);
    return said;
  }
  const of = `/v1/sites/${encodeURIComponent(site)}`;

  for (const guest of GUESTS)
    await ask(
      'POST',
      '/v1/leads/capture',
      {
        propertyId: site,
        eventId: uuidOf(`demo guest ${guest.name}`),
        email: emailOf(guest),
        formName: 'club',
        ...(guest.mayBeNamed
          ? { display: { text: NAMED, name: guest.name, fields: ['name', 'product'] } }
          : {}),
      },
      { 'user-agent': GUESTS_BROWSER },
    );
  await ask('POST', '/v1/conversions', { propertyId: site, conversions: ordersUntil(now) });
  await reviewed(ask, of, now);

  const there = new Set<string>();
  for (let cursor = ''; ; ) {
    const { notifications, nextCursor } = await ask('GET', `${of}/notifications?limit=100${cursor}`);
    for (const { name, status } of notifications) if (status !== 'ended') there.add(name);
    if (!nextCursor) break;
    cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
  }
  const missing = NOTIFICATIONS.filter(({ name }) => !there.has(name));
  for (const one of missing) {
    const { notification } = await ask('POST', `${of}/notifications`, one);
    const path = `${of}/notifications/${notification.notificationId}`;
    await ask('PATCH', path, { status: 'running' }, { 'if-match': `"${notification.version}"` });
  }
  return missing.length;
}

/** Of each of the last days a few, and those before which somebody wrote a review; the same whenever it is asked. */
function ordersUntil(now: number): object[] {
  const orders: { id: string; email: string; occurredAt: number; product: string }[] = [];
  const today = dayOf(now);
  for (let back = 0; back < ORDER_DAYS; back += 1) {
    const day = addDays(today, -back);
    const random = randomFrom(`orders ${day}`);
    for (let n = 0; n < 1 + Math.floor(random() * 3); n += 1)
      orders.push({
        id: `demo order ${day} ${n}`,
        email: emailOf(GUESTS[Math.floor(random() * GUESTS.length)]!),
        occurredAt: Date.parse(`${day}T00:00:00Z`) + Math.floor(random() * 20 * 3_600_000),
        product: BREADS[Math.floor(random() * BREADS.length)]!,
      });
  }
  for (const guest of GUESTS)
    if (guest.review?.bought)
      orders.push({
        id: `demo order of ${guest.name}`,
        email: emailOf(guest),
        occurredAt: Date.parse(`${addDays(today, -30)}T12:00:00Z`),
        product: guest.review.product,
      });
  return orders
    .filter(({ occurredAt }) => occurredAt < now)
    .map(({ id, email, occurredAt, product }) => ({
      id,
      kind: 'purchase',
      email,
      occurredAt: new Date(occurredAt).toISOString(),
      products: [product],
      amount: '6.50',
      currency: 'CAD',
    }));
}

/** Takes the reviews over as from a guest book, each with its permission, and publishes them. */
async function reviewed(
  // biome-ignore lint/suspicious/noExplicitAny: as above
  ask: (method: string, path: string, body?: unknown, headers?: object) => Promise<any>,
  of: string,
  now: number,
): Promise<void> {
  const list = () => ask('GET', `${of}/reviews?source=guestbook&limit=100`);
  if ((await list()).reviews.length === 0) {
    const names =
      'id,email,name,rating,text,product,incentive,writtenAt,permission,permissionAt,evidence'.split(',');
    const rows = GUESTS.flatMap((guest, n) => {
      if (!guest.review) return [];
      const { rating, text, product, incentive } = guest.review;
      const at = `${addDays(dayOf(now), -3 - 2 * n)}T15:00:00Z`;
      const book = 'the guest book on the counter of the demo';
      const { name } = guest;
      return [[name, emailOf(guest), name, rating, text, product, incentive, at, PUBLISH, at, book]];
    });
    const csv = [names, ...rows].map((row) => row.map(cell).join(',')).join('\n');
    const { counts } = await ask('POST', `${of}/reviews/import`, { source: 'guestbook', csv });
    if (counts.refused) throw new Error(`${counts.refused} of the demo's reviews were refused.`);
  }
  for (const { reviewId, version, status } of (await list()).reviews)
    if (status === 'waiting')
      await ask(
        'PATCH',
        `${of}/reviews/${reviewId}`,
        { status: 'published' },
        { 'if-match': `"${version}"` },
      );
}
