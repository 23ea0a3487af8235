// Builds what a site shows now: counts its claims, makes their receipts, chooses the acts that may be told. In one
// transaction, so that all of it is of one moment.
import type { Db } from '../../ground/db/pool.ts';
import { type Site, timeZoneOf } from '../../ground/site.ts';
import { type Notification, siteAtWork, type Template } from '../notifications/at-work.ts';
import { isOpen } from '../notifications/open.ts';
import type { Showing } from '../notifications/schema.ts';
import { type Act, recentActs } from './acts.ts';
import { countClaim, countIn, isOfDays, said, windowOf } from './claims.ts';
import type { FeedTest } from './feed-shape.ts';
import { makeReceipt, newestReceipt, type Stated, wordsFor, wordsIdOf, writeId } from './receipts.ts';
import { type Beside, isSelectedBy, publishedReviews } from './reviews.ts';
import type { Signer } from './signing.ts';
import { type Wording, wordingsOf } from './wordings.ts';

export type Why = NonNullable<Showing['why']>;

/** A card of a person's act. */
export interface ActCard extends Act {
  receipt: string;
}
export interface Card {
  notification: Notification;
  /** Of a number. */
  shown: { value: number; isRounded: boolean } | null;
  receipt: string;
  act: ActCard | null;
  /** What must be said beside it; of one review its words too. */
  review: { words: string | null; beside: Beside } | null;
}
export interface Built {
  asOf: Date;
  cards: Card[];
  templates: Template[];
  tests: FeedTest[];
  showing: Map<string, Showing>;
  zone: string;
  /** Whether anything may change by itself. */
  isAlive: boolean;
}
interface Known {
  version: number;
  wordsId: Buffer;
  stated: Stated;
  receipt: string;
}

export interface BuildParts {
  signer: Signer;
  tests(db: Db, siteId: string): Promise<FeedTest[]>;
}

// A number that only grew waits for as long: each that is shown has a receipt, which is kept for years.
const GROWTH_WAITS_MS = 15 * 60_000;
const STATED_HOLDS_MS = 24 * 3_600_000;
// A message that stays the same is signed anew each year: its receipts are kept for two, and it may be shown for longer.
const MESSAGE_HOLDS_MS = 365 * 24 * 3_600_000;

interface Round extends BuildParts {
  db: Db;
  site: Site;
  at: Date;
}

export async function buildSite(db: Db, site: Site, at: Date, parts: BuildParts): Promise<Built> {
  const { notifications, templates } = await siteAtWork(db, site);
  const zone = timeZoneOf(site);
  const built: Built = {
    asOf: at,
    cards: [],
    templates,
    tests: notifications.length > 0 ? await parts.tests(db, site.siteId) : [],
    showing: new Map(),
    zone,
    isAlive: notifications.length > 0,
  };
  const ordered = notifications.sort(
    (a, b) => b.priority - a.priority || (a.notificationId < b.notificationId ? -1 : 1),
  );
  for (const notification of ordered) {
    const why = isOpen(notification.schedule, zone, at.getTime())
      ? await addCards({ ...parts, db, site, at }, built, notification)
      : notification.status === 'scheduled'
        ? 'scheduled'
        : 'outside_schedule';
    built.showing.set(notification.notificationId, { showing: why === null, why });
  }
  return built;
}

async function addCards(round: Round, built: Built, notification: Notification): Promise<Why | null> {
  const { db, site, at } = round;
  const { kind, claim } = notification;
  if (kind === 'message') {
    const changedMs = Date.parse(notification.changedAt);
    const years = Math.max(0, Math.floor((at.getTime() - changedMs) / MESSAGE_HOLDS_MS));
    const receipt = await stated(round, built, notification, {
      value: null,
      excluded: null,
      window: null,
      asOf: new Date(changedMs + years * MESSAGE_HOLDS_MS),
    });
    built.cards.push({ notification, shown: null, receipt: receipt.receipt, act: null, review: null });
    return null;
  }
  const counted = await countClaim(db, site.siteId, notification, at);
  if (counted.value < claim!.minimum) return 'below_minimum';
  if (kind === 'recent_activity') return addActs(round, built, notification);
  if (kind === 'review') return addReviews(round, built, notification);
  const { value } = said(counted, 'en');
  const { receipt, stated: kept } = await stated(round, built, notification, {
    value,
    excluded: counted.excluded,
    window: counted.window,
    asOf: at,
  });
  built.cards.push({
    notification,
    shown: { value: kept.value!, isRounded: isOfDays(notification) },
    receipt,
    act: null,
    review: besideCount(notification),
  });
  return null;
}

/** The receipt of what is said now: one that was made before, where it still holds. */
async function stated(
  { db, site, signer }: Round,
  built: Built,
  notification: Notification,
  now: Stated,
): Promise<Pick<Known, 'stated' | 'receipt'>> {
  const { version, kind } = notification;
  const wordings = wordingsFor(built, notification);
  const wordsId = wordsIdOf(wordsFor(notification, wordings));
  const known = await lastStated(db, site.siteId, notification);
  const isSaid = known?.version === version && known.wordsId.equals(wordsId);
  if (
    isSaid &&
    stillHolds(known.stated, now, kind) &&
    (await isTrue(db, site.siteId, notification, known.stated, now))
  )
    return known;
  const receipt = await makeReceipt(db, site.siteId, signer, notification, wordings, now);
  return { stated: now, receipt };
}

/** As many as before may be others: what is said was counted in its own window, and of that nothing was taken back since. */
async function isTrue(
  db: Db,
  siteId: string,
  notification: Notification,
  { value, window }: Stated,
  now: Stated,
): Promise<boolean> {
  if (window === null) return true;
  const isCounted =
    now.window && sameMoment(now.window.from, window.from) && sameMoment(now.window.to, window.to);
  // of whole days it is the same until midnight
  return (
    value === (isCounted ? now.value : said(await countIn(db, siteId, notification, window), 'en').value)
  );
}
const sameMoment = (a: Date, b: Date) => a.getTime() === b.getTime();

const wordingsFor = ({ tests }: Built, notification: Notification): Wording[] =>
  wordingsOf(
    notification,
    tests.find(({ notificationId }) => notificationId === notification.notificationId),
  );

function stillHolds(then: Stated, now: Stated, kind: Notification['kind']): boolean {
  const age = now.asOf.getTime() - then.asOf.getTime();
  if (now.value === null) return age === 0;
  if (age < 0 || age > STATED_HOLDS_MS || (kind === 'live_visitors' && age > 10 * 60_000)) return false;
  if (then.value === now.value) return true;
  return kind !== 'live_visitors' && now.value > then.value! && age < GROWTH_WAITS_MS;
}

/** Of whichever process. */
async function lastStated(
  db: Db,
  siteId: string,
  { notificationId }: Notification,
): Promise<Known | undefined> {
  const kept = await newestReceipt(db, siteId, notificationId);
  if (!kept) return undefined;
  const { version, wordsId, value, excluded, window, asOf, receiptId } = kept;
  return { version, wordsId, stated: { value, excluded, window, asOf }, receipt: writeId(receiptId) };
}

async function addActs(
  { db, site, at, signer }: Round,
  built: Built,
  notification: Notification,
): Promise<Why | null> {
  const acts = await recentActs(db, site.siteId, notification, at, site.settings.sensitive !== true);
  const wordings = wordingsFor(built, notification);
  for (const act of acts) {
    const { actId, leadId } = act;
    const whose = notification.claim!.of === 'leads' ? { leadId } : { leadId, conversionId: actId };
    const receipt = await makeReceipt(db, site.siteId, signer, notification, wordings, ofOne(act), whose);
    built.cards.push({ notification, shown: null, receipt, act: { ...act, receipt }, review: null });
  }
  return acts.length > 0 ? null : 'nothing_to_tell';
}

const ofOne = ({ occurredAt }: Act): Stated => ({
  value: 1,
  excluded: null,
  window: null,
  asOf: occurredAt,
});

/** A number of reviews that were chosen by their rating says so. */
export function besideCount({ claim }: Notification): Card['review'] {
  if (claim?.of !== 'reviews' || !isSelectedBy(claim.where)) return null;
  const nothing = { rating: null, incentive: null, relationship: null, verified: false };
  return { words: null, beside: { ...nothing, selected: true } };
}

async function addReviews(
  { db, site, at, signer }: Round,
  built: Built,
  notification: Notification,
): Promise<Why | null> {
  const { from } = windowOf(notification.kind, notification.claim!, at);
  const mayName = site.settings.sensitive !== true;
  const reviews = await publishedReviews(db, site.siteId, notification, from, at, mayName);
  const wordings = wordingsFor(built, notification);
  for (const { words, beside, ...act } of reviews) {
    const whose = { leadId: act.leadId, reviewId: act.actId };
    const receipt = await makeReceipt(db, site.siteId, signer, notification, wordings, ofOne(act), whose);
    built.cards.push({
      notification,
      shown: null,
      receipt,
      act: { ...act, receipt },
      review: { words, beside },
    });
  }
  return reviews.length > 0 ? null : 'nothing_to_tell';
}
