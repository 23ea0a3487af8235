// By which links one joins, and with which address.
import type { Db } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type Address, readAddress } from '../../ground/lib/email.ts';
import type { Accounts } from './accounts.ts';
import type { Link } from './link-queries.ts';
import { linkEmail } from './pii.ts';

export const KINDS = ['setup', 'invitation'] as const;

export const taken = () =>
  new AppError('conflict', 'This address has an account. Sign in, or choose a new password.');

/** The invited address, or where none was named the one that is typed. */
export async function addressFor(
  db: Db,
  accounts: Accounts,
  link: Link,
  typed: Address | undefined,
): Promise<Address> {
  const invited = await linkEmail(db, accounts.vault(), link);
  if (invited === null && typed) return typed;
  const address = invited === null ? null : readAddress(invited);
  if (address && (!typed || typed.normalized === address.normalized)) return address;
  throw new AppError('invalid_request', 'Give the address that was invited.', {
    issues: [{ path: 'email', message: invited === null ? 'is needed' : 'is not the one that was invited' }],
  });
}
