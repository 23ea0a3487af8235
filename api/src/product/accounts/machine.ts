// What whoever has the machine may do to accounts: see them, let somebody back in, shut somebody out. Without mail, and
// without anybody being signed in.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { noteAuth } from './events.ts';
import { deleteAllFactors } from './factor-queries.ts';
import { inAccounts } from './in-accounts.ts';
import { endingOwners, mustNotBeLastOwner } from './leave.ts';
import { addressOf, makeResetLink } from './links.ts';
import { userEmail, userFullName } from './pii.ts';
import { findUserByIndex, listUsers, setDisabled, type User } from './queries.ts';
import { endSessions } from './session-queries.ts';
import type { Vault } from './vault.ts';

const RESET_MINUTES = 60; // it is read off a terminal and sent on
const USERS_MAX = 1000;

/** siteKey  of a site's id. returns  a line for each account, the newest first */
export async function accountLines(
  pool: Pool,
  vault: Vault,
  siteKey: (siteId: string) => string | undefined,
): Promise<string[]> {
  return inAccounts(pool, async (db) => {
    const lines = [];
    for (const user of await listUsers(db, null, null, USERS_MAX)) {
      const [email, name] = [
        await userEmail(db, vault, user, MACHINE),
        await userFullName(db, vault, user, MACHINE),
      ];
      const what = user.isOwner
        ? 'owner'
        : user.grants.map(({ siteId, role }) => `${role} of ${siteKey(siteId) ?? siteId}`).join(', ');
      lines.push(
        [
          email ?? '(sealed under another ACCOUNT_KEYS)',
          name ?? '',
          what || 'no role',
          user.hasSecondFactor ? 'two factors' : 'one factor',
          user.disabledAt ? 'disabled' : '',
        ]
          .filter(Boolean)
          .join(' · '),
      );
    }
    return lines;
  });
}

async function named(db: Db, vault: Vault, typed: string): Promise<User> {
  const address = readAddress(typed);
  const user = address && (await findUserByIndex(db, vault.indexOf(address.normalized)));
  if (!user) throw new AppError('not_found', 'No account has this address; list shows which there are.');
  return user;
}

/**
 * withFactors  removes the second factor too, for who lost it with all recovery codes
 * returns      a link for a new password, good for an hour and once. throws  not_found
 */
export const resetFromMachine = (
  pool: Pool,
  vault: Vault,
  typed: string,
  publicUrl: string | undefined,
  withFactors = false,
): Promise<string> =>
  inAccounts(pool, async (db) => {
    const { userId } = await named(db, vault, typed);
    await noteAuth(db, { kind: 'reset_link_made', userId, actor: 'machine' });
    if (withFactors && (await deleteAllFactors(db, userId)))
      await noteAuth(db, { kind: 'factors_removed', userId, actor: 'machine' });
    return addressOf(publicUrl, 'reset', await makeResetLink(db, userId, 'machine', RESET_MINUTES));
  });

/** Their sessions end. returns  how many did. throws  not_found; conflict for the last owner */
export const disableFromMachine = (pool: Pool, vault: Vault, typed: string): Promise<number> =>
  endingOwners(pool, async (db) => {
    const { userId } = await named(db, vault, typed);
    await mustNotBeLastOwner(db, userId);
    await setDisabled(db, userId, true);
    await noteAuth(db, { kind: 'account_disabled', userId, actor: 'machine' });
    return endSessions(db, userId);
  });

/** throws  not_found */
export const enableFromMachine = (pool: Pool, vault: Vault, typed: string): Promise<void> =>
  inAccounts(pool, async (db) => {
    const { userId } = await named(db, vault, typed);
    await setDisabled(db, userId, false);
    await noteAuth(db, { kind: 'account_enabled', userId, actor: 'machine' });
  });
