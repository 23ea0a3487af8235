// Who is calling, and what they may do. Today the admin key; sessions and keys of accounts are further ways in.
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../lib/app-error.ts';
import type { Call } from './call.ts';
import type { RateLimits } from './rate-limit.ts';

/** What a route asks of its caller. Roles will be columns of this table. */
export const CAPABILITIES = {
  numbers: 'reads metrics',
  spend: 'tells conversions and what advertising cost',
  leads: 'sees and imports leads, links visitors to them',
  evidence: 'shows proof of consent, answers and erases people, keeps the register of breaches',
  settings: 'makes and changes sites, their texts, what waits in quarantine, verdicts about bots',
  access: 'reads who did what',
  machine: 'runs jobs, reads the state of the machine',
} as const;
export type Capability = keyof typeof CAPABILITIES;

export interface Caller {
  /** For the audit log, e.g. admin_key; an id, never a name or an address. */
  actor: string;
  siteIds: 'all' | readonly string[];
  may(what: Capability): boolean;
}

export const NOBODY: Caller = { actor: 'nobody', siteIds: [], may: () => false };
/** Jobs and the command line: whoever has the machine. */
export const MACHINE: Caller = { actor: 'machine', siteIds: 'all', may: () => true };
const ADMIN_KEY: Caller = { actor: 'admin_key', siteIds: 'all', may: () => true };

/** One way in. returns  the caller; null: this request does not come this way */
export type WayIn = (call: Call) => Caller | null | Promise<Caller | null>;

const digest = (text: string) => createHash('sha256').update(text).digest();

/** x-admin-key, compared in constant time. */
export function adminKeyWay(adminKey: string | undefined): WayIn {
  return (call) =>
    adminKey !== undefined && timingSafeEqual(digest(call.header('x-admin-key')), digest(adminKey))
      ? ADMIN_KEY
      : null;
}

/** throws  admin_auth_not_configured, unauthorized, or rate_limited after ten failures in a minute */
export type Admit = (call: Call) => Promise<Caller>;

export function admission(ways: WayIn[], isConfigured: boolean, limits: RateLimits): Admit {
  return async (call) => {
    if (isConfigured) await limits.check(call.client, 'admin_failure');
    for (const way of ways) {
      const caller = await way(call);
      if (caller) return caller;
    }
    if (!isConfigured)
      throw new AppError(
        'admin_auth_not_configured',
        'Set ADMIN_API_KEY (24 characters or more) and start again to use the admin routes.',
      );
    await limits.take(call.client, 'admin_failure');
    throw new AppError('unauthorized', 'Send the admin key in the x-admin-key header.');
  };
}
