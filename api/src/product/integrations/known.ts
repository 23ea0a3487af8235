// Integrations and what they sign with, as the database has them, and as it had them last: a delivery that comes while it
// is away is checked by that.
import { LRUCache } from 'lru-cache';
import { isPassing } from '../../ground/db/faults.ts';
import type { Channel } from '../../ground/db/listen.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { inTime, TooLate } from '../../ground/lib/in-time.ts';
import type { Log } from '../../ground/lib/log.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import type { Vault } from '../accounts/vault.ts';
import { INTEGRATIONS_CHANNEL, type Known, listKnown, SEE_SITES } from './queries.ts';
import { placeOf } from './secrets.ts';

/** How long the database is asked before memory answers: whoever delivers waits four seconds in all. */
const ASK_MS = 1200;
/** Far more than a machine has; 1 KB each. */
const KEPT_MAX = 5000;
/** Of one: any more are of a secret that was changed again and again within its overlap. */
const SECRETS_MAX = 5;
// Row level security compares each row with each of the sites that are named.
const SITES_AT_ONCE = 500;

export interface KnownIntegration extends Known {
  /** Those that may have signed, and until when; null: for good. */
  secrets: { secret: string; endsAt: number | null }[];
}

export interface KnownIntegrations {
  /** returns  null when there is none. throws  when the database cannot say and it is not remembered */
  find(integrationId: string): Promise<KnownIntegration | null>;
  /** Reads one anew that was made, changed or ended here, so that this process need not hear of it first. Never throws. */
  learn(integrationId: string): Promise<void>;
  /** Changes of other processes, so that memory is right when it is needed. */
  channel: Channel;
}

interface Parts {
  db: Pool;
  sites: { ids(): string[] };
  /** null: without a keyring there are no secrets, so no integrations. */
  vault: Vault | null;
  log: Log;
}

/** Reads them all, so that one which nothing came from since the start is known as well. */
export async function knowIntegrations({ db, sites, vault, log }: Parts): Promise<KnownIntegrations> {
  const kept = new LRUCache<string, KnownIntegration>({ max: KEPT_MAX });

  async function read(siteIds: string[], integrationId: string | null) {
    const found = new Map<string, KnownIntegration>();
    if (!vault || siteIds.length === 0) return found;
    await inAccounts(db, async (tx) => {
      await tx.query(SEE_SITES, [siteIds.join(',')]);
      for (const { integrationId: id, secretId, sealed, keyId, endsAt, ...known } of await listKnown(
        tx,
        integrationId,
      )) {
        const one = found.get(id) ?? { ...known, secrets: [] };
        found.set(id, one);
        if (secretId === null || one.secrets.length >= SECRETS_MAX) continue;
        const secret = await vault.open(tx, { sealed: sealed!, keyId: keyId! }, placeOf(secretId));
        if (secret !== null) one.secrets.push({ secret, endsAt });
      }
    });
    return found;
  }

  async function readOne(integrationId: string): Promise<KnownIntegration | null> {
    const one = (await read(sites.ids(), integrationId)).get(integrationId) ?? null;
    if (one) kept.set(integrationId, one);
    else kept.delete(integrationId);
    return one;
  }

  async function readAll(): Promise<void> {
    const ids = sites.ids();
    const all = new Map<string, KnownIntegration>();
    for (let n = 0; n < ids.length; n += SITES_AT_ONCE)
      for (const [id, one] of await read(ids.slice(n, n + SITES_AT_ONCE), null)) all.set(id, one);
    kept.clear();
    for (const [id, one] of all) kept.set(id, one);
  }
  const anyway = (reading: Promise<unknown>): Promise<void> =>
    reading.then(
      () => {},
      (err) => log.warn({ err }, 'what integrations sign with could not be read anew'),
    );

  await readAll();
  return {
    async find(integrationId) {
      try {
        return await inTime(ASK_MS, readOne(integrationId));
      } catch (error) {
        const one = kept.get(integrationId);
        if (one && (isPassing(error) || error instanceof TooLate)) return one;
        if (!(error instanceof TooLate)) throw error;
        throw new AppError('unavailable', 'The database did not answer in time, so nothing was taken.', {
          retryAfterSeconds: 10,
          cause: error,
        });
      }
    },
    learn: (integrationId) => anyway(readOne(integrationId)),
    channel: {
      name: INTEGRATIONS_CHANNEL,
      heard: (integrationId) => void anyway(integrationId ? readOne(integrationId) : readAll()),
      // what was changed before this moment was not heard
      hears: (isListening) => void (isListening && anyway(readAll())),
    },
  };
}
