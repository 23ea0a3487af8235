// The link that makes the first account, for whoever has the machine.
import type { Accounts } from './accounts.ts';
import { inAccounts } from './in-accounts.ts';
import { addressOf, makeSetupLink } from './links.ts';
import { countUsers } from './queries.ts';

/** publicUrl  where this installation is. Makes another link each time; the one before is worth nothing then. */
export const setupLink = (db: Accounts['db'], publicUrl: string | undefined): Promise<string> =>
  inAccounts(db, async (tx) => addressOf(publicUrl, 'setup', await makeSetupLink(tx, 'machine')));

/** returns  null once there is an account, or where accounts have no keyring */
export async function firstOwnerLink(
  { db, isConfigured }: Accounts,
  publicUrl: string,
): Promise<string | null> {
  if (!isConfigured || (await inAccounts(db, countUsers)) > 0) return null;
  return setupLink(db, publicUrl);
}
