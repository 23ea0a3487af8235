// Who is calling, and what they may do: the admin key, and the ways in that features open (keys, people who signed in).
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from '../lib/app-error.ts';
import type { Call } from './call.ts';
import type { RateLimits } from './rate-limit.ts';

/** What a route asks of its caller; roles.ts says which role may do what. */
export const CAPABILITIES = {
  numbers: 'reads metrics and what advertising cost',
  spend: 'tells conversions and what advertising cost',
  notes: 'writes notes on days of the numbers',
  segments: 'keeps filters under a name',
  leadFacts: 'sees leads without who they are',
  leads: 'sees and imports leads, links visitors to them',
  evidence: 'shows proof of consent, answers and erases people, keeps the register of breaches',
  settings: 'makes and changes sites, their texts, what waits in quarantine, verdicts about bots',
  hooks: 'tells other systems what happens',
  people: 'invites people, gives roles, makes keys',
  access: 'reads who did what',
  plans: 'makes plans and gives them to sites',
  machine: 'runs jobs, reads the state of the machine',
} as const;
export type Capability = keyof typeof CAPABILITIES;

/** Somebody who signed in. */
export interface Person {
  userId: string;
  sessionId: string;
  /** When they last proved who they are, in epoch milliseconds. */
  provedMs: number;
  /** Their role asks for a second factor, and the time to set one up is over: they may do nothing else. */
  needsSecondFactor: boolean;
}

export interface Caller {
  /** For the audit log, e.g. admin_key or key:…; an id, never a name or an address. */
  actor: string;
  siteIds: 'all' | readonly string[];
  /** At this site; without one, at any of theirs. */
  may(what: Capability, siteId?: string): boolean;
  person?: Person;
  /** Who this is by now, for what lasts longer than its request; null: nobody any more. Without it, who they were. */
  again?(): Promise<Caller | null>;
  /** Of a shared view: these reports and nothing else, of one segment or of all visits, and with money or without. */
  share?: { views: readonly string[]; hideMoney: boolean; segmentId: string | null };
}

export const NOBODY: Caller = { actor: 'nobody', siteIds: [], may: () => false };
/** Whoever has a link that we mailed to them, about their own data. */
export const SUBJECT: Caller = { actor: 'subject', siteIds: [], may: () => false };
/** Jobs and the command line: whoever has the machine. */
export const MACHINE: Caller = { actor: 'machine', siteIds: 'all', may: () => true };
/** Whoever has the key of the installation. */
export const ADMIN_KEY: Caller = { actor: 'admin_key', siteIds: 'all', may: () => true };

/** One way in. returns  the caller; null: this request does not come this way. throws  what it lacks */
export type WayIn = (call: Call) => Caller | null | Promise<Caller | null>;

/** The key of a program: `Authorization: Bearer mk_…`, or as x-admin-key; '' where there is none. */
export function keyOf(call: Call): string {
  const bearer = /^Bearer +(mk_\S+)$/i.exec(call.header('authorization'))?.[1];
  const admin = call.header('x-admin-key');
  return bearer ?? (admin.startsWith('mk_') ? admin : '');
}
/** Whether the call brings any key or token, whatever it is worth. */
export const bringsKey = (call: Call): boolean =>
  call.header('authorization') !== '' || call.header('x-admin-key') !== '';
/** A key is limited by itself, not with its address. */
export const hasOwnLimit = (call: Call): boolean => keyOf(call) !== '';

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

export interface Ways {
  adminKey: string | undefined;
  /** Asked first: what they ask for is too long to be guessed, so failures of others at one address lock nobody out. */
  others: readonly WayIn[];
}

const BROUGHT_NOTHING =
  'Sign in, or send a key: Authorization: Bearer mk_…, or the admin key as x-admin-key.';
const BROUGHT_WRONG =
  'This key or session is not known, has ended or was revoked. Sign in again, or send another key.';

export function admission({ adminKey, others }: Ways, limits: RateLimits): Admit {
  const byAdminKey = adminKeyWay(adminKey);
  return async (call) => {
    for (const way of others) {
      const caller = await way(call);
      if (caller) return caller;
    }
    const brought = call.header('authorization') !== '' || call.header('cookie') !== '';
    if (adminKey === undefined && !brought && keyOf(call) === '')
      throw new AppError(
        'admin_auth_not_configured',
        'Set ADMIN_API_KEY (24 characters or more) and start again, or sign in, to use the admin routes.',
      );
    limits.check(call.client, 'admin_failure');
    const caller = await byAdminKey(call);
    if (caller) return caller;
    limits.take(call.client, 'admin_failure');
    throw new AppError('unauthorized', brought || bringsKey(call) ? BROUGHT_WRONG : BROUGHT_NOTHING);
  };
}
