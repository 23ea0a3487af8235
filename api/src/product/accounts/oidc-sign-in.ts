// Whom a sign-in through another provider lets in: whom it named before; else whoever has an account or an invitation for an address
// that the provider verified. Never a stranger.
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type Address, readAddress } from '../../ground/lib/email.ts';
import type { Accounts } from './accounts.ts';
import { noteAuth } from './events.ts';
import { insertIdentity, useIdentity } from './identity-queries.ts';
import { inAccounts } from './in-accounts.ts';
import type { Claims } from './oidc.ts';
import { findUser, findUserByIndex, type User } from './queries.ts';
import { type Begun, beginSession, knownDevice } from './sessions.ts';
import { joinByLink } from './sign-up.ts';

const SESSION_HOURS_MAX = 12; // who is shut out at the provider is out here within half a day

const stranger = () =>
  new AppError(
    'forbidden',
    'There is no account for you here, or the provider has not verified your address. Ask for an invitation.',
  );

const half = () =>
  new AppError(
    'second_factor_required',
    'This account has a second factor, and the provider does not say that it asked for one. Sign in with your passkey, or password and code.',
  );

/** inviteToken  of a link; language, timeZone  of an account that is made */
export interface Wanted {
  inviteToken?: string | undefined;
  language: 'en' | 'fr';
  timeZone: string;
}

/** throws  forbidden, second_factor_required; not_found for a spent link */
export async function signInByProvider(
  accounts: Accounts,
  call: Call,
  claims: Claims,
  wanted: Wanted,
): Promise<{ user: User } & Begun> {
  const vault = accounts.vault();
  const { issuer, subject, provedAt, isStrong } = claims;
  const index = vault.keyring.index('oidc', JSON.stringify([issuer, subject]));
  return inAccounts(accounts.db, async (tx) => {
    const named = await useIdentity(tx, index);
    const userId = named ?? (await newcomer(tx, accounts, call, { claims, wanted, index }));
    const user = userId && (await findUser(tx, userId, true));
    if (!user || user.disabledAt) throw stranger();
    if (user.hasSecondFactor && !isStrong) throw half();
    const { emailIndex } = user;
    const isKnown = knownDevice(call, accounts, emailIndex) !== null;
    const begun = await beginSession(tx, accounts, call, {
      userId: user.userId,
      emailIndex,
      keep: false,
      as: 'cookie',
      hoursMax: SESSION_HOURS_MAX,
      provedAt: provedAt ?? new Date(0),
    });
    await noteAuth(tx, { kind: 'sign_in', method: 'oidc', userId: user.userId, requestId: call.id });
    if (named && !isKnown) await accounts.post.tell(tx, user, 'new_device');
    return { user, ...begun };
  }).catch(async (error: unknown) => {
    const event = { kind: 'sign_in', outcome: 'failed', method: 'oidc', actor: 'nobody' } as const;
    await inAccounts(accounts.db, (tx) => noteAuth(tx, { ...event, userId: null, requestId: call.id }));
    // two at once, or an address that has an account by now
    throw isUniqueViolation(error) ? stranger() : error;
  });
}

interface Newcomer {
  claims: Claims;
  wanted: Wanted;
  index: Buffer;
}

/** Somebody whom the provider names for the first time. returns  their account; null: they are a stranger */
async function newcomer(
  tx: Db,
  accounts: Accounts,
  call: Call,
  { claims, wanted, index }: Newcomer,
): Promise<string | null> {
  const address = claims.email === null ? null : readAddress(claims.email);
  if (!address) return null;
  const userId = wanted.inviteToken
    ? await join(tx, accounts, call, address, { ...wanted, fullName: claims.name ?? address.email })
    : await known(tx, accounts, address);
  if (!userId || !(await insertIdentity(tx, { index, userId, issuer: claims.issuer }))) return null;
  await noteAuth(tx, { kind: 'identity_added', method: 'oidc', userId, requestId: call.id });
  const user = wanted.inviteToken ? null : await findUser(tx, userId);
  if (user) await accounts.post.tell(tx, user, 'identity_added');
  return userId;
}

const known = async (tx: Db, accounts: Accounts, { normalized }: Address): Promise<string | null> =>
  (await findUserByIndex(tx, accounts.vault().indexOf(normalized)))?.userId ?? null;

const join = async (
  tx: Db,
  accounts: Accounts,
  call: Call,
  email: Address,
  { inviteToken, ...wanted }: Wanted & { fullName: string },
): Promise<string> =>
  (await joinByLink(tx, accounts, call, { ...wanted, inviteToken: inviteToken!, email, passwordPhc: null }))
    .userId;
