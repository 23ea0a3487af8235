// The first account, by the link that only the machine gives; every other one by invitation.
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type Address, readAddress } from '../../ground/lib/email.ts';
import { type Accounts, namesHere, newId } from './accounts.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { type Link, useLink } from './link-queries.ts';
import { liveLink, placeOfInvited, spent } from './links.ts';
import { refuseCommon } from './passwords.ts';
import { sealPerson } from './pii.ts';
import { findUser, insertUser, setRoles, type User } from './queries.ts';
import { hashOf } from './secrets.ts';
import { type Begun, beginSession } from './sessions.ts';

export interface SignUp {
  inviteToken: string;
  email: Address | undefined;
  fullName: string;
  password: string;
  language: 'en' | 'fr';
  timeZone: string;
}
const KINDS = ['setup', 'invitation'] as const;

/** throws  not_found for a spent link, invalid_request, conflict when the address has an account */
export async function signUp(
  accounts: Accounts,
  call: Call,
  wanted: SignUp,
): Promise<{ user: User } & Begun> {
  const { db, hasher } = accounts;
  const vault = accounts.vault();
  const link = await inAccounts(db, (tx) => liveLink(tx, wanted.inviteToken, KINDS));
  refuseCommon(wanted.password, namesHere(accounts), 'password');
  const phc = await hasher().hash(wanted.password);
  return inAccounts(db, async (tx) => {
    if (!(await useLink(tx, hashOf(wanted.inviteToken), KINDS))) throw spent();
    const address = await addressFor(tx, accounts, link, wanted.email);
    const userId = await newId(tx);
    const emailIndex = vault.indexOf(address.normalized);
    await insertUser(tx, {
      ...(await sealPerson(tx, vault, userId, { email: address.email, fullName: wanted.fullName })),
      emailIndex,
      passwordPhc: phc,
      language: wanted.language,
      timeZone: wanted.timeZone,
    });
    await giveRole(tx, userId, link);
    await noteAuth(tx, { kind: 'sign_up', method: link.kind, userId, requestId: call.id });
    const begun = await beginSession(tx, accounts, call, { userId, emailIndex, keep: false });
    return { user: (await findUser(tx, userId))!, ...begun };
  }).catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error;
    throw new AppError('conflict', 'This address has an account. Sign in, or choose a new password.');
  });
}

async function giveRole(db: Db, userId: string, { role, siteIds, madeBy }: Link): Promise<void> {
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
    madeBy,
  );
}

/** The invited address, or where none was named the one that is typed. */
async function addressFor(
  db: Db,
  accounts: Accounts,
  { linkId, emailSealed, emailKeyId }: Link,
  typed: Address | undefined,
): Promise<Address> {
  const invited =
    emailSealed && emailKeyId
      ? await accounts.vault().open(db, { keyId: emailKeyId, sealed: emailSealed }, placeOfInvited(linkId))
      : null;
  if (invited === null && typed) return typed;
  const address = invited === null ? null : readAddress(invited);
  if (address && (!typed || typed.normalized === address.normalized)) return address;
  throw new AppError('invalid_request', 'Give the address that was invited.', {
    issues: [{ path: 'email', message: invited === null ? 'is needed' : 'is not the one that was invited' }],
  });
}
