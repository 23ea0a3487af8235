// Whom a sign-in through another provider lets in: whoever linked their account to it, and whoever has an invitation for an address
// that the provider verified, or such an address at a listed domain and a role by their groups there. An address alone opens no account that is there: who rules the address would rule the account.
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type Address, readAddress } from '../../ground/lib/email.ts';
import type { Accounts } from './accounts.ts';
import { noteAuth, noteRefusal, noteStranger } from './events.ts';
import { insertIdentity, useIdentity } from './identity-queries.ts';
import { newId } from './ids.ts';
import { inAccounts } from './in-accounts.ts';
import { endingOwners } from './leave.ts';
import type { Claims } from './oidc.ts';
import { sealPerson } from './pii.ts';
import { isNothing, type ProvidedRoles, rolesOf, saying } from './provider-roles.ts';
import { findUser, hasOtherOwner, insertUser, setRoles, type User } from './queries.ts';
import { mustHaveSeats } from './seats.ts';
import { findSessionById } from './session-queries.ts';
import { type Begun, beginSession, knownDevice } from './sessions.ts';
import { joinByLink } from './sign-up.ts';

const SESSION_HOURS_MAX = 12; // who is shut out at the provider is out here within half a day

const stranger = () =>
  new AppError(
    'forbidden',
    'No account here is linked to you at this provider. Sign in as before and link it, or ask for an invitation; the provider must have verified your address.',
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
  instead: Buffer | null,
): Promise<{ user: User } & Begun> {
  const { provedAt, isStrong } = claims;
  const index = indexOf(accounts, claims);
  let whose: string | null = null;
  const roles = providedTo(accounts, claims);
  return endingOwners(accounts.db, async (tx) => {
    const named = await useIdentity(tx, index);
    const userId = named ?? (await newcomer(tx, accounts, call, { claims, wanted, index, roles }));
    if (userId && roles) await giveRoles(tx, accounts, call, userId, roles);
    const user = userId && (await findUser(tx, userId, true));
    whose = named;
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
      // whoever joins now proved it by the invitation too, and may choose a password or a passkey at once
      provedAt: provedAt ?? (named ? new Date(0) : new Date()),
      instead,
    });
    await noteAuth(tx, { kind: 'sign_in', method: 'oidc', userId: user.userId, requestId: call.id });
    if (named && !isKnown) await accounts.post.tell(tx, user, 'new_device');
    return { user, ...begun };
  }).catch(async (error: unknown) => {
    const event = { kind: 'sign_in', method: 'oidc', actor: 'nobody' } as const;
    if (whose) await noteRefusal(accounts.db, { ...event, userId: whose, requestId: call.id });
    else await noteStranger(accounts, call, event);
    // two at once, or an address that has an account by now
    throw isUniqueViolation(error) ? stranger() : error;
  });
}

/** null: the provider's groups say nothing here. */
const providedTo = ({ oidc, sites }: Accounts, { groups }: Claims): ProvidedRoles | null =>
  oidc?.rules ? rolesOf(groups, oidc.rules, sites.list()) : null;

/** They are from now on what their groups say, and nothing else; the last owner stays one. throws  plan_limit_reached */
async function giveRoles(
  tx: Db,
  { strongRoles }: Accounts,
  call: Call,
  userId: string,
  roles: ProvidedRoles,
): Promise<void> {
  const user = (await findUser(tx, userId, true))!;
  if (user.disabledAt || saying(user) === saying(roles)) return;
  if (user.isOwner && !roles.isOwner && !(await hasOtherOwner(tx, userId))) return;
  const before = user.grants.map(({ siteId }) => siteId);
  const now = roles.grants.map(({ siteId }) => siteId);
  await setRoles(
    tx,
    userId,
    { ...roles, siteIds: [...before, ...now] },
    { grantedBy: 'provider', strongRoles },
  );
  await mustHaveSeats(
    tx,
    now.filter((siteId) => !before.includes(siteId)),
  );
  await noteAuth(tx, {
    kind: 'roles_changed',
    method: 'oidc',
    userId,
    actor: 'provider',
    requestId: call.id,
  });
}

interface Newcomer {
  claims: Claims;
  wanted: Wanted;
  index: Buffer;
  roles: ProvidedRoles | null;
}

const indexOf = (accounts: Accounts, { issuer, subject }: Claims): Buffer =>
  accounts.vault().keyring.index('oidc', JSON.stringify([issuer, subject]));

/**
 * For somebody who signed in, and proved it, before they went to the provider. A session that was ended meanwhile links nothing:
 * whoever took it over would open the account by their own name there for good.
 * throws  unauthorized, conflict
 */
export async function linkProvider(
  accounts: Accounts,
  call: Call,
  claims: Claims,
  sessionId: string,
): Promise<void> {
  const index = indexOf(accounts, claims);
  const event = { kind: 'identity_added', method: 'oidc', requestId: call.id } as const;
  let userId: string | null = null;
  await inAccounts(accounts.db, async (tx) => {
    const found = await findSessionById(tx, sessionId);
    if (!found)
      throw new AppError('unauthorized', 'The session that began this has ended. Sign in and begin again.');
    userId = found.user.userId;
    const user = (await findUser(tx, userId, true))!;
    const whose = await useIdentity(tx, index);
    if (whose === userId) return;
    if (whose || !(await insertIdentity(tx, { index, userId, issuer: claims.issuer }))) throw linked();
    await noteAuth(tx, { ...event, userId });
    await accounts.post.tell(tx, user, 'identity_added');
  }).catch(async (error: unknown) => {
    if (userId) await noteRefusal(accounts.db, { ...event, userId });
    else await noteStranger(accounts, call, event);
    throw isUniqueViolation(error) ? linked() : error;
  });
}

const linked = () =>
  new AppError(
    'conflict',
    'Another account is linked to you at this provider, or this one to somebody else there. Take that away first.',
  );

/** Somebody whom the provider names for the first time. returns  their account; null: they are a stranger */
async function newcomer(
  tx: Db,
  accounts: Accounts,
  call: Call,
  { claims, wanted, index, roles }: Newcomer,
): Promise<string | null> {
  const address = claims.email === null ? null : readAddress(claims.email);
  // whom their groups make nothing here has no account to sign in to
  if (!address || (roles && isNothing(roles))) return null;
  const joining = { ...wanted, fullName: claims.name ?? address.email };
  const isListed = roles !== null && accounts.oidc!.domains.includes(address.domain);
  if (!wanted.inviteToken && !isListed) return null;
  const userId = await (wanted.inviteToken ? join : joinByDomain)(tx, accounts, call, address, joining);
  if (!(await insertIdentity(tx, { index, userId, issuer: claims.issuer }))) return null;
  await noteAuth(tx, { kind: 'identity_added', method: 'oidc', userId, requestId: call.id });
  return userId;
}

const join = async (
  tx: Db,
  accounts: Accounts,
  call: Call,
  email: Address,
  { inviteToken, ...wanted }: Wanted & { fullName: string },
): Promise<string> =>
  (await joinByLink(tx, accounts, call, { ...wanted, inviteToken: inviteToken!, email, passwordPhc: null }))
    .userId;

async function joinByDomain(
  tx: Db,
  accounts: Accounts,
  call: Call,
  { email, normalized }: Address,
  { fullName, language, timeZone }: Wanted & { fullName: string },
): Promise<string> {
  const vault = accounts.vault();
  const userId = await newId(tx);
  await insertUser(tx, {
    ...(await sealPerson(tx, vault, userId, { email, fullName })),
    emailIndex: vault.indexOf(normalized),
    passwordPhc: null,
    language,
    timeZone,
  });
  await noteAuth(tx, { kind: 'sign_up', method: 'oidc', userId, requestId: call.id });
  return userId;
}
