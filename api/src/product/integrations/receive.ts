// Takes what a shop or a payment service tells: whose signature it is, what it means, once, and after the commit or the
// journal's fsync.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { isPassing } from '../../ground/db/faults.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { inTime, TooLate } from '../../ground/lib/in-time.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import type { Keep } from '../captures/keep.ts';
import type { Sites } from '../sites/recognise.ts';
import { mustBeHere } from '../sites/stops.ts';
import { type DeliveryNeeds, makeDelivery, type Received, takeDelivery } from './deliveries.ts';
import type { KnownIntegrations } from './known.ts';
import { meaningOf, parseExactly } from './map.ts';
import { countRefused } from './queries.ts';
import { isPing, isSigned } from './verify.ts';

export interface ReceiveNeeds extends DeliveryNeeds {
  known: Pick<KnownIntegrations, 'find'>;
  keep: Keep;
  sites: Pick<Sites, 'find' | 'stopOf'>;
}

export interface Came {
  headers: IncomingHttpHeaders;
  raw: Buffer;
  at: Date;
}

/** How long counting a refusal may take: its answer is the same without. */
const COUNT_MS = 1000;

const unknown = () => new AppError('not_found', 'There is no integration at this address.');

function parsed(raw: Buffer): unknown {
  try {
    return parseExactly(raw.toString());
  } catch (cause) {
    throw new AppError('malformed_json', 'The body is signed, and it is no JSON.', { cause });
  }
}

/** While the database is away nobody counts it; who has the wrong secret tries again. */
async function refuse({ db }: ReceiveNeeds, siteId: string, integrationId: string): Promise<never> {
  const counting = inSites(db, siteId, (tx) => countRefused(tx, siteId, integrationId));
  await inTime(COUNT_MS, counting).catch((error) => {
    if (!isPassing(error) && !(error instanceof TooLate)) throw error;
  });
  throw new AppError('invalid_signature', 'The signature is not that of this integration’s secret.');
}

/** throws  not_found, invalid_signature (which is counted), malformed_json, unavailable (neither database nor disk can take it) */
export async function receive(needs: ReceiveNeeds, named: string, came: Came): Promise<Received> {
  if (!isUuid(named)) throw unknown();
  const integrationId = named.toLowerCase();
  const one = await needs.known.find(integrationId);
  if (!one) throw unknown();
  const { siteId, kind, mapping } = one;
  if (isPing(kind, came.raw)) return 'ignored';
  const now = came.at.getTime();
  const secrets = one.secrets
    .filter(({ endsAt }) => endsAt === null || endsAt > now)
    .map(({ secret }) => secret);
  if (!isSigned(kind, { headers: came.headers, raw: came.raw, now }, secrets, mapping))
    return refuse(needs, siteId, integrationId);
  const { key, does } = meaningOf(kind, { headers: came.headers, body: parsed(came.raw), mapping, now });
  // who has to be erased is, wherever the site's data has to be
  if (does.what === 'conversion' || does.what === 'plan') mustBeHere(needs.sites, siteId);
  // one that says nothing of itself is known by its bytes
  const hashed = createHash('sha256')
    .update(key.trim() === '' ? came.raw : key)
    .digest();
  return takeDelivery(
    needs.keep,
    needs,
    makeDelivery(
      { siteId, siteKey: needs.sites.find(siteId)?.key ?? '', integrationId, key: hashed, at: came.at },
      does,
    ),
  );
}
