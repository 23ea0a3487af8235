// How much one client may ask for in a minute. In memory: where several processes serve, Caddy sends a client to the same one
// (caddy/Caddyfile, lb_policy).
import { AppError } from '../lib/app-error.ts';
import type { Client } from './client.ts';
import { windows } from './windows.ts';

// per minute and client (IPv4 address or IPv6 /64); the contract's numbers
export const LIMITS = {
  events: 180,
  /** Of bodies: a usual event has half a kilobyte. */
  event_bytes: 512 * 1024,
  capture: 24,
  choice: 24,
  unsubscribe: 12,
  delete: 10,
  summary: 60,
  /** What pages load to show: answered from memory. */
  feed: 600,
  other: 120,
  admin_failure: 10,
  /** Of a key (POST /v1/keys), whatever addresses it is used from. */
  key: 600,
} as const;
export type LimitName = keyof typeof LIMITS;

const MINUTE_MS = 60_000;
// Open windows a bucket: with 200 bytes each, all buckets together are 16 MB at most. Ten thousand clients a minute are
// far more than the machine serves; beyond that somebody has networks to spend.
const CLIENTS_MAX = 10_000;
const NETWORKS_MAX = 1_000;
/** What all of a /48 may take together once clients are that many: it is what one customer is given. */
const NETWORK_SHARE = 16;

/** Whose bucket it is. */
export type Limited = Pick<Client, 'limitKey' | 'networkKey'>;

export interface RateLimits {
  /** Takes points (default 1) from the client's bucket of that name. throws rate_limited with Retry-After */
  take(client: Limited, name: LimitName, points?: number): void;
  /** Whether the bucket is empty, without taking from it. throws rate_limited */
  check(client: Limited, name: LimitName): void;
}

function refuse(milliseconds: number): never {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  throw new AppError('rate_limited', `Too many requests from this address. Try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
  });
}

/** A bucket for each client; for a client that finds no room any more, one for each /48 of IPv6. */
function bucketOf(points: number) {
  const clients = windows({ points, ms: MINUTE_MS, keysMax: CLIENTS_MAX });
  const networks = windows({ points: points * NETWORK_SHARE, ms: MINUTE_MS, keysMax: NETWORKS_MAX });
  const sharesNetwork = (client: Limited) =>
    client.networkKey !== null && clients.size >= CLIENTS_MAX && !clients.has(client.limitKey);
  return {
    take: (client: Limited, more: number) =>
      sharesNetwork(client) ? networks.take(client.networkKey!, more) : clients.take(client.limitKey, more),
    look: (client: Limited) =>
      sharesNetwork(client) ? networks.look(client.networkKey!) : clients.look(client.limitKey),
  };
}

export function rateLimits(enabled: boolean): RateLimits {
  if (!enabled) return { take: () => {}, check: () => {} };
  const buckets = Object.fromEntries(
    Object.entries(LIMITS).map(([name, points]) => [name, bucketOf(points)]),
  ) as Record<LimitName, ReturnType<typeof bucketOf>>;
  return {
    take(client, name, points = 1) {
      const wait = buckets[name].take(client, points);
      if (wait !== null) refuse(wait);
    },
    check(client, name) {
      const wait = buckets[name].look(client);
      if (wait !== null) refuse(wait);
    },
  };
}
