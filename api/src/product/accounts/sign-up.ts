// The first account, by the link that only the machine gives; every other one by invitation.
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import type { Address } from '../../ground/lib/email.ts';
import { type Accounts, namesHere } from './accounts.ts';
import { noteAuth } from './events.ts';
import { makeRecoveryCodes } from './factor-routes.ts';
import { newId } from './ids.ts';
import { inAccounts } from './in-accounts.ts';
import { addressFor, KINDS, taken } from './joining.ts';
import { type Link, useLink } from './link-queries.ts';
import { liveLink, spent } from './links.ts';
import { insertPasskey } from './passkey-queries.ts';
import type { SignUpPasskey } from './passkey-shapes.ts';
import { type FirstPasskey, hereAlready, verifyFirstPasskey } from './passkey-sign-up.ts';
import { refuseCommon } from './passwords.ts';
import { sealPerson } from './pii.ts';
import { findUser, insertUser, setRoles, type User } from './queries.ts';
import { hashOf } from './secrets.ts';
import { type Begun, beginSession } from './sessions.ts';

interface Joining {
  inviteToken: string;
  email: Address | undefined;
  fullName: string;
  language: 'en' | 'fr';
  timeZone: string;
}
/** By a password or by a passkey. */
export interface SignUp extends Joining {
  password?: string | undefined;
  passkey?: SignUpPasskey | undefined;
}
/**
 * returns  recovery codes, of who joined by a passkey
 * throws   not_found for a spent link, invalid_request, conflict when the address has an account
 */
export async function signUp(
  accounts: Accounts,
  call: Call,
  wanted: SignUp,
): Promise<{ user: User; recoveryCodes: string[] | null } & Begun> {
  const { db } = accounts;
  accounts.vault();
  await inAccounts(db, (tx) => liveLink(tx, wanted.inviteToken, KINDS));
  const passwordPhc = wanted.password === undefined ? null : await hashNew(accounts, wanted.password);
  const passkey =
    wanted.passkey && (await verifyFirstPasskey(accounts, call, wanted.inviteToken, wanted.passkey));
  return inAccounts(db, async (tx) => {
    const joining = { ...wanted, passwordPhc, newUserId: passkey?.userId };
    const { userId, emailIndex } = await joinByLink(tx, accounts, call, joining);
    const recoveryCodes = passkey ? await giveFirstPasskey(tx, call, passkey) : null;
    const begun = await beginSession(tx, accounts, call, {
      userId,
      emailIndex,
      keep: false,
      as: 'cookie',
    });
    return { user: (await findUser(tx, userId))!, recoveryCodes, ...begun };
  }).catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error;
    throw (error as { table?: string }).table === 'passkeys' ? hereAlready() : taken();
  });
}

function hashNew(accounts: Accounts, password: string): Promise<string> {
  refuseCommon(password, namesHere(accounts), 'password');
  return accounts.hasher().hash(password);
}

async function giveFirstPasskey(tx: Db, call: Call, passkey: FirstPasskey): Promise<string[]> {
  const { userId } = passkey;
  await insertPasskey(tx, passkey);
  await noteAuth(tx, { kind: 'passkey_added', userId, requestId: call.id });
  return makeRecoveryCodes(tx, userId);
}

/**
 * Uses the link up and makes its account. passwordPhc  null: a passkey or another provider signs them in; newUserId  of the passkey
 * throws  not_found for a spent link; invalid_request for an address that was not invited
 */
export async function joinByLink(
  tx: Db,
  accounts: Accounts,
  call: Call,
  wanted: Joining & { passwordPhc: string | null; newUserId?: string | undefined },
): Promise<{ userId: string; emailIndex: Buffer }> {
  const vault = accounts.vault();
  const link = await useLink(tx, hashOf(wanted.inviteToken), KINDS);
  if (!link) throw spent();
  const address = await addressFor(tx, accounts, link, wanted.email);
  const userId = wanted.newUserId ?? (await newId(tx));
  const emailIndex = vault.indexOf(address.normalized);
  await insertUser(tx, {
    ...(await sealPerson(tx, vault, userId, { email: address.email, fullName: wanted.fullName })),
    emailIndex,
    passwordPhc: wanted.passwordPhc,
    language: wanted.language,
    timeZone: wanted.timeZone,
  });
  await giveRole(tx, accounts, userId, link);
  await noteAuth(tx, { kind: 'sign_up', method: link.kind, userId, requestId: call.id });
  return { userId, emailIndex };
}

async function giveRole(
  db: Db,
  { strongRoles }: Accounts,
  userId: string,
  { role, siteIds, madeBy }: Link,
): Promise<void> {
  const given = role === 'owner' ? [] : siteIds!;
  // a site that is gone since is no site to be something at
  const { rows } = await db.query<{ site_id: string }>('select site_id from sites where site_id = any ($1)', [
    given,
  ]);
  await setRoles(
    db,
    userId,
    {
      isOwner: role === 'owner',
      siteIds: given,
      grants: role === 'owner' ? [] : rows.map(({ site_id: siteId }) => ({ siteId, role: role! })),
    },
    { grantedBy: madeBy, strongRoles },
  );
}
