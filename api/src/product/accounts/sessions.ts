// Sessions of browsers: begun with a fresh token, proved again with another, found by its hash; a device that was here before
// is known by a cookie of its own.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import type { WayIn } from '../../ground/http/caller.ts';
import { readUserAgent } from '../events/user-agent.ts';
import type { Accounts } from './accounts.ts';
import { endCookies, mustBeOwnPage, readCookie, writeCookie } from './cookies.ts';
import { inAccounts } from './in-accounts.ts';
import type { Keyring } from './keyring.ts';
import { personCaller } from './person.ts';
import { hashOf, newSecret } from './secrets.ts';
import {
  endSessionOf,
  findSession,
  insertSession,
  noteSeen,
  renewProof,
  type Session,
} from './session-queries.ts';

const HOUR_MINUTES = 60;
/** Until it ends unused, and at the latest. */
const LIFE = { short: { idleHours: 8, hours: 7 * 24 }, kept: { idleHours: 14 * 24, hours: 30 * 24 } };
const SEEN_EVERY_MS = 5 * 60_000;
const DEVICE_SECONDS = 400 * 86_400;

/** In words of ours: a name of a browser and a system, never the whole user agent. */
function deviceOf(call: Call): string {
  const { browser, os } = readUserAgent(call.client.userAgent);
  return [browser ?? 'an unknown browser', os ? `on ${os}` : ''].filter(Boolean).join(' ').slice(0, 140);
}

export interface Begun {
  session: Session;
  cookies: string[];
  /** Of a program's session, which has no cookie: shown this once. */
  refreshToken?: string;
}

/** How a session is carried: in a browser's cookie, or by tokens that a program keeps. */
export type As = 'cookie' | 'token';

export interface NewSessionOf {
  userId: string;
  /** Of the account: its device cookie is good for no other. */
  emailIndex: Buffer;
  /** "Keep me signed in". */
  keep: boolean;
  as: As;
  /** No longer than that. */
  hoursMax?: number;
  /** When they proved who they are; default: now. */
  provedAt?: Date;
  /** The hash of the token that the browser had until now; default: of the cookie it brings. */
  instead?: Buffer | null;
}

/** What a browser's cookie opens, as it is kept; null: it brings none. */
export function cookieHash(call: Call, { publicUrl }: Accounts): Buffer | null {
  const token = readCookie(call, publicUrl, 'session');
  return token ? hashOf(token) : null;
}

/** The session that the browser had before, whosever it was, ends: its token would be good still, and nobody would hold it. */
export async function beginSession(
  db: Db,
  accounts: Accounts,
  call: Call,
  { userId, emailIndex, keep, as, hoursMax, provedAt, instead = cookieHash(call, accounts) }: NewSessionOf,
): Promise<Begun> {
  const { vault, publicUrl } = accounts;
  if (as === 'cookie' && instead) await endSessionOf(db, instead);
  const token = newSecret();
  const { idleHours, hours } = LIFE[keep ? 'kept' : 'short'];
  const session = await insertSession(db, {
    userId,
    tokenHash: hashOf(token),
    provedAt: provedAt ?? null,
    hours: Math.min(hours, hoursMax ?? hours),
    idleMinutes: idleHours * HOUR_MINUTES,
    device: deviceOf(call),
    kind: as === 'token' ? 'token' : 'browser',
  });
  const device = newDevice(vault().keyring, emailIndex);
  const known = writeCookie(call, publicUrl, 'device', device, DEVICE_SECONDS);
  if (as === 'token') return { session, cookies: [known], refreshToken: token };
  const cookie = writeCookie(call, publicUrl, 'session', token, keep ? hours * 3600 : null);
  return { session, cookies: [cookie, known] };
}

/** After a proof: another token for the same session. */
export async function proveSession(
  db: Db,
  { publicUrl }: Accounts,
  call: Call,
  sessionId: string,
): Promise<Begun | null> {
  const token = newSecret();
  const session = await renewProof(db, sessionId, hashOf(token));
  if (!session) return null;
  if (session.kind === 'token') return { session, cookies: [], refreshToken: token };
  const seconds = Math.max(1, Math.round((session.expiresAt.getTime() - Date.now()) / 1000));
  const isKept = session.expiresAt.getTime() - session.createdAt.getTime() > LIFE.short.hours * 3_600_000;
  return { session, cookies: [writeCookie(call, publicUrl, 'session', token, isKept ? seconds : null)] };
}

/** Once in five minutes. */
export async function noteUse(db: Db, { sessionId, seenAt }: Session): Promise<void> {
  if (Date.now() - seenAt.getTime() > SEEN_EVERY_MS) await noteSeen(db, sessionId);
}

/**
 * Of whoever leaves: what their browser kept of us goes. Our cookies by their names: "cookies" in Clear-Site-Data would take those of
 * the whole registered domain, and sign people out of the shop and the mail beside us.
 */
export const forgotten = (call: Call, { publicUrl }: Accounts): Record<string, string | string[]> => ({
  'Set-Cookie': endCookies(call, publicUrl),
  'Clear-Site-Data': '"cache", "storage"',
});

/** A request that brings a key is the key's, whatever its cookies. */
export function sessionWay({ db, publicUrl }: Accounts): WayIn {
  return async (call) => {
    if (call.header('authorization') || call.header('x-admin-key')) return null;
    const token = readCookie(call, publicUrl, 'session');
    if (!token) return null;
    mustBeOwnPage(call, publicUrl);
    return inAccounts(db, async (tx) => {
      const found = await findSession(tx, hashOf(token));
      if (!found) return null;
      const { session, user } = found;
      await noteUse(tx, session);
      return personCaller(db, user, session);
    });
  };
}

const macOf = (keyring: Keyring, random: string, emailIndex: Buffer) =>
  keyring.index('device', `${random} ${emailIndex.toString('hex')}`);

function newDevice(keyring: Keyring, emailIndex: Buffer): string {
  const random = randomBytes(16).toString('base64url');
  return `${random}.${macOf(keyring, random, emailIndex).toString('base64url')}`;
}

/** The device's own name, when it signed in to this account before; null: it is new. */
export function knownDevice(call: Call, { vault, publicUrl }: Accounts, emailIndex: Buffer): string | null {
  const [random = '', mac = ''] = readCookie(call, publicUrl, 'device').split('.');
  const expected = macOf(vault().keyring, random, emailIndex);
  const given = Buffer.from(mac, 'base64url');
  return given.length === expected.length && timingSafeEqual(given, expected) ? random : null;
}
