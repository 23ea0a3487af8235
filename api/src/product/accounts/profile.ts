// What people change of themselves: name, language, time zone, and the address they sign in with.
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db } from '../../ground/db/pool.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type Address, readAddress } from '../../ground/lib/email.ts';
import type { Accounts } from './accounts.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { useLink } from './link-queries.ts';
import { addressOf, makeEmailLink, spent } from './links.ts';
import { linkEmail, sealPerson, userEmail, userFullName } from './pii.ts';
import { findUser, type User, updateProfile } from './queries.ts';
import { hashOf } from './secrets.ts';

interface Change {
  email?: Address | undefined;
  fullName?: string | undefined;
  language?: 'en' | 'fr' | undefined;
  timeZone?: string | undefined;
}

/** Of a user whom the transaction holds. throws  unavailable: the keyring is not the one of then */
export async function changeProfile(
  tx: Db,
  accounts: Accounts,
  { user, change, requestId }: { user: User; change: Change; requestId: string },
): Promise<void> {
  const vault = accounts.vault();
  const now = {
    email: change.email?.email ?? (await userEmail(tx, vault, user, MACHINE)),
    fullName: change.fullName ?? (await userFullName(tx, vault, user, MACHINE)),
  };
  if (now.email === null || now.fullName === null)
    throw new AppError('unavailable', 'ACCOUNT_KEYS is not the one this account was made with.');
  if (change.email) await accounts.post.tell(tx, user, 'email_changed'); // to the address from before
  const sealed = await sealPerson(tx, vault, user.userId, { email: now.email, fullName: now.fullName });
  const index = change.email ? vault.indexOf(change.email.normalized) : null;
  await updateProfile(tx, sealed, index, {
    language: change.language ?? user.language,
    timeZone: change.timeZone ?? user.timeZone,
  });
  await noteAuth(tx, {
    kind: 'profile_changed',
    method: Object.keys(change).sort().join(' '),
    userId: user.userId,
    requestId,
  });
}

const taken = (error: unknown): never => {
  if (isUniqueViolation(error)) throw new AppError('conflict', 'Another account has this address.');
  throw error;
};

/**
 * Where mails can be sent the new address counts once the link in a mail to it was opened; whether somebody has it is said to nobody
 * else. returns  whether it counts already. throws  conflict
 */
export const changeAddress = (
  accounts: Accounts,
  { userId, email, requestId }: { userId: string; email: Address; requestId: string },
): Promise<boolean> =>
  inAccounts(accounts.db, async (tx) => {
    const user = (await findUser(tx, userId, true))!;
    if (!accounts.post.isConfigured) {
      await changeProfile(tx, accounts, { user, change: { email }, requestId });
      return true;
    }
    const token = await makeEmailLink(tx, accounts.vault(), userId, email.email);
    const link = addressOf(accounts.publicUrl, 'email', token);
    const { language } = user;
    await accounts.post.send(tx, { to: email.email, language, kind: 'new_email', link }, userId);
    return false;
  }).catch(taken);

/** throws  not_found for a spent link; conflict, when another account has the address by now */
export const confirmAddress = (accounts: Accounts, token: string, requestId: string): Promise<void> =>
  inAccounts(accounts.db, async (tx) => {
    const link = await useLink(tx, hashOf(token), ['email']);
    const user = link?.userId ? await findUser(tx, link.userId, true) : null;
    if (!link || !user || user.disabledAt) throw spent();
    const typed = await linkEmail(tx, accounts.vault(), link);
    const email = typed === null ? null : readAddress(typed);
    if (!email) throw spent();
    await changeProfile(tx, accounts, { user, change: { email }, requestId });
  }).catch(taken);
