// Builds what a site shows now: counts its claims, makes their receipts, chooses the acts that may be told. In one
// transaction, so that all of it is of one moment.
import type { Db } from '../../ground/db/pool.ts';
import { type Site, timeZoneOf } from '../../ground/site.ts';
import { type Notification, siteAtWork, type Template } from '../notifications/at-work.ts';
import { isOpen } from '../notifications/open.ts';
import type { Showing } from '../notifications/schema.ts';
import { type Act, recentActs } from './acts.ts';
import { countClaim, said, windowOf } from './claims.ts';
import type { FeedTest } from './feed-shape.ts';
import { isRounded, makeReceipt, newestReceipt, type Stated } from './receipts.ts';
import { type Beside, isSelectedBy, publishedReviews } from './reviews.ts';
import type { Signer } from './signing.ts';

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
  /** Receipts that may be shown again, by notification. */
  stated: Map<string, { version: number; stated: Stated; receipt: string }>;
}

export interface BuildParts {
  signer: Signer;
  tests(db: Db, siteId: string): Promise<FeedTest[]>;
}

// A number that only grew waits for as long: each that is shown has a receipt, which is kept for years.
const GROWTH_WAITS_MS = 15 * 60_000;
const STATED_HOLDS_MS = 24 * 3_600_000;

interface Round extends BuildParts {
  db: Db;
  site: Site;
  at: Date;
  before: Built | null;
}

export async function buildSite(
  db: Db,
  site: Site,
  at: Date,
  before: Built | null,
  parts: BuildParts,
): Promise<Built> {
  const { notifications, templates } = await siteAtWork(db, site.siteId);
  const zone = timeZoneOf(site);
  const built: Built = {
    asOf: at,
    cards: [],
    templates,
    tests: notifications.length > 0 ? await parts.tests(db, site.siteId) : [],
    showing: new Map(),
    zone,
    isAlive: notifications.length > 0,
    stated: new Map(),
  };
  const ordered = notifications.sort(
    (a, b) => b.priority - a.priority || (a.notificationId < b.notificationId ? -1 : 1),
  );
  for (const notification of ordered) {
    const why = isOpen(notification.schedule, zone, at.getTime())
      ? await addCards({ ...parts, db, site, at, before }, built, notification)
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
    const receipt = await stated(round, built, notification, {
      value: null,
      excluded: null,
      asOf: new Date(notification.changedAt),
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
    asOf: at,
  });
  built.cards.push({
    notification,
    shown: { value: kept.value!, isRounded: isRounded(notification) },
    receipt,
    act: null,
    review: besideCount(notification),
  });
  return null;
}

/** The receipt of what is said now: one that was made before, where it still holds. */
async function stated(
  { db, site, signer, before }: Round,
  built: Built,
  notification: Notification,
  now: Stated,
) {
  const { notificationId, version, kind } = notification;
  const known = before?.stated.get(notificationId) ?? (await lastStated(db, site.siteId, notification));
  const holds = known && known.version === version && stillHolds(known.stated, now, kind);
  const one = holds
    ? known
    : { version, stated: now, receipt: await makeReceipt(db, site.siteId, signer, notification, now) };
  built.stated.set(notificationId, one);
  return one;
}

function stillHolds(then: Stated, now: Stated, kind: Notification['kind']): boolean {
  if (now.value === null) return true;
  const age = now.asOf.getTime() - then.asOf.getTime();
  if (age < 0 || age > STATED_HOLDS_MS || (kind === 'live_visitors' && age > 10 * 60_000)) return false;
  if (then.value === now.value) return true;
  return kind !== 'live_visitors' && now.value > then.value! && age < GROWTH_WAITS_MS;
}

/** After a start. */
async function lastStated(db: Db, siteId: string, { notificationId }: Notification) {
  const kept = await newestReceipt(db, siteId, notificationId);
  if (!kept) return undefined;
  const { version, value, excluded, asOf, receiptId } = kept;
  return { version, stated: { value, excluded, asOf }, receipt: receiptId.toString('base64url') };
}

async function addActs(
  { db, site, at, signer }: Round,
  built: Built,
  notification: Notification,
): Promise<Why | null> {
  const acts = await recentActs(db, site.siteId, notification, at, site.settings.sensitive !== true);
  for (const act of acts) {
    const one: Stated = { value: 1, excluded: null, asOf: act.occurredAt };
    const receipt = await makeReceipt(db, site.siteId, signer, notification, one, {
      leadId: act.leadId,
    });
    built.cards.push({ notification, shown: null, receipt, act: { ...act, receipt }, review: null });
  }
  return acts.length > 0 ? null : 'nothing_to_tell';
}

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
  for (const { words, beside, ...act } of reviews) {
    const one: Stated = { value: 1, excluded: null, asOf: act.occurredAt };
    const whose = { leadId: act.leadId, reviewId: act.actId };
    const receipt = await makeReceipt(db, site.siteId, signer, notification, one, whose);
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
