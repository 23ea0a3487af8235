// How much one client may ask for in a minute. In memory: several processes each allow their share, which is enough.
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../lib/app-error.ts';
import type { Client } from './client.ts';

// per minute and client (IPv4 address or IPv6 /64); the contract's numbers
export const LIMITS = {
  events: 180,
  capture: 24,
  unsubscribe: 12,
  delete: 10,
  summary: 60,
  other: 120,
  admin_failure: 10,
} as const;
export type LimitName = keyof typeof LIMITS;

export interface RateLimits {
  /** Takes points (default 1) from the client's bucket of that name. throws rate_limited with Retry-After */
  take(client: Client, name: LimitName, points?: number): Promise<void>;
  /** Whether the bucket is empty, without taking from it. throws rate_limited */
  check(client: Client, name: LimitName): Promise<void>;
}

function refuse(milliseconds: number): never {
  const seconds = Math.max(1, Math.ceil(milliseconds / 1000));
  throw new AppError('rate_limited', `Too many requests from this address. Try again in ${seconds} s.`, {
    retryAfterSeconds: seconds,
  });
}

export function rateLimits(enabled: boolean): RateLimits {
  if (!enabled) return { take: async () => {}, check: async () => {} };
  const limiters = Object.fromEntries(
    Object.entries(LIMITS).map(([name, points]) => [
      name,
      new RateLimiterMemory({ keyPrefix: name, points, duration: 60 }),
    ]),
  ) as Record<LimitName, RateLimiterMemory>;
  return {
    async take(client, name, points = 1) {
      try {
        await limiters[name].consume(client.limitKey, points);
      } catch (refusal) {
        refuse((refusal as RateLimiterRes).msBeforeNext ?? 60_000);
      }
    },
    async check(client, name) {
      const state = await limiters[name].get(client.limitKey);
      if (state && state.remainingPoints <= 0) refuse(state.msBeforeNext);
    },
  };
}
