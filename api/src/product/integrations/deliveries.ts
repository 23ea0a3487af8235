// What a delivery says, stored once; or put into the journal, to be stored once the database can.
import { isPassing, withRetries } from '../../ground/db/faults.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { inTime, TooLate } from '../../ground/lib/in-time.ts';
import type { Keep } from '../captures/keep.ts';
import { storeConversions } from '../conversions/store.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { type Billed, noteBilled } from '../plans/billed.ts';
import type { Act } from './map.ts';
import { claimDelivery, notePayment, purchaseOf, wasDelivered, wasErasedSince } from './queries.ts';

export type Received = 'stored' | 'duplicate' | 'ignored' | 'kept';
/** Of the journal's entries. */
export const DELIVERY = 'delivery';

/** With the time it takes to look who sends, this is under the four seconds that shops wait at least. */
const STORE_MS = 2200;

type Does = Act['does'];
type Told = Omit<Extract<Does, { what: 'conversion' }>, 'what' | 'email'>;

/**
 * What is known of a delivery once it was read: no more than is stored of it, since it may lie in the journal, where
 * erasures look for `site_id` and `email_normalized`.
 */
export interface Delivery {
  site_id: string;
  integration_id: string;
  /** By what the same delivery is known, hashed: \x and hex. */
  delivery_key: string;
  received_at: string;
  /** null: nobody's, or not an address */
  email_normalized: string | null;
  does:
    | { what: 'ignore' }
    | { what: 'erase' }
    | { what: 'conversion'; told: Told }
    | { what: 'payment'; payment: string; invoice: string }
    | { what: 'plan'; billed: Billed };
}

export interface DeliveryNeeds {
  db: Pool;
  outbox: Pick<Outbox, 'wrote'>;
  hashAddress(siteId: string, normalized: string): string;
  /** Erases an address on a site. */
  erase(siteId: string, normalized: string, receivedAt: Date): Promise<unknown>;
  /** Gives a site the plan that is paid for; what fails here is tried again by a job. Never throws. */
  settlePlan(siteId: string): Promise<void>;
}

export function makeDelivery(
  of: { siteId: string; siteKey: string; integrationId: string; key: Buffer; at: Date },
  does: Does,
): Delivery {
  const email = 'email' in does ? does.email : undefined;
  const delivery = {
    site_id: of.siteId,
    integration_id: of.integrationId,
    delivery_key: `\\x${of.key.toString('hex')}`,
    received_at: of.at.toISOString(),
    email_normalized: email === undefined ? null : (readAddress(email)?.normalized ?? null),
  };
  if (does.what === 'plan') {
    const { what, site, ...billed } = does;
    const isOurs = site === of.siteId || site === of.siteKey;
    return { ...delivery, does: { what, billed: { ...billed, isOurs } } };
  }
  if (does.what === 'payment') return { ...delivery, does };
  if (does.what !== 'conversion') return { ...delivery, does: { what: does.what } };
  const { what, email: _, ...told } = does;
  // else it would have happened when the journal was played
  return {
    ...delivery,
    does: { what, told: { ...told, occurredAt: told.occurredAt ?? delivery.received_at } },
  };
}

/** Safe to do twice. */
export const storeDelivery = (needs: DeliveryNeeds, delivery: Delivery): Promise<Received> =>
  withRetries(() => store(needs, delivery));

async function store(
  { db, outbox, hashAddress, erase, settlePlan }: DeliveryNeeds,
  delivery: Delivery,
): Promise<Received> {
  const { site_id: siteId, email_normalized: normalized, received_at: at, does } = delivery;
  const outcome = does.what === 'ignore' ? 'ignored' : 'stored';
  // an erasure must not be forgotten when it fails: first it, then that it came; and the same told again erases nobody anew
  if (does.what === 'erase' && normalized) {
    const { integration_id, delivery_key } = delivery;
    if (await inSites(db, siteId, (tx) => wasDelivered(tx, siteId, integration_id, delivery_key)))
      return 'duplicate';
    await erase(siteId, normalized, new Date(at));
  }
  const done = await inSites(db, siteId, async (tx) => {
    if (!(await claimDelivery(tx, siteId, delivery.integration_id, delivery.delivery_key, outcome)))
      return null;
    if (does.what === 'plan') await noteBilled(tx, siteId, does.billed);
    if (does.what === 'payment') await notePayment(tx, siteId, does);
    if (does.what !== 'conversion') return { seq: null };
    const who = normalized && { normalized, hash: hashAddress(siteId, normalized), at };
    if (who && (await wasErasedSince(tx, siteId, who))) return { seq: null };
    const id = does.told.voidedAt ? await purchaseOf(tx, siteId, does.told.id) : does.told.id;
    const conversion = { ...does.told, id, ...(normalized ? { email: normalized } : {}) };
    return storeConversions(tx, siteId, [conversion], hashAddress);
  });
  if (!done) return 'duplicate';
  outbox.wrote(siteId, done.seq);
  if (does.what === 'plan') await settlePlan(siteId);
  return outcome;
}

/**
 * Stores it, or puts it into the journal when the database is away, or slower than who delivers would wait: the try that is
 * under way may still succeed, and then the journal's finds that it came already.
 */
export async function takeDelivery(keep: Keep, needs: DeliveryNeeds, delivery: Delivery): Promise<Received> {
  const inside = (one: Delivery) => inTime(STORE_MS, storeDelivery(needs, one));
  if (delivery.does.what !== 'ignore') {
    const stored = await keep(DELIVERY, delivery, inside);
    return stored === 'journalled' ? 'kept' : stored;
  }
  // that it came is all there is to know of it
  return inside(delivery).catch((error): Received => {
    if (isPassing(error) || error instanceof TooLate) return 'ignored';
    throw error;
  });
}
