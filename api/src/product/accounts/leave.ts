// Deleting an account: the row and all that hangs on it, the journal that makes a restore forget again, and the rule that an
// owner stays. What somebody did stays in the audit log under their id, which then names nobody.
import { withRetries } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { rememberForgotten } from '../consent/forget-journal.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { deleteUser, findUser, hasOtherOwner } from './queries.ts';

/** throws  conflict: without them nobody could give anyone a role. Until the transaction ends it stays so. */
export async function mustNotBeLastOwner(db: Db, userId: string): Promise<void> {
  const user = await findUser(db, userId);
  if (!user?.isOwner || user.disabledAt || (await hasOtherOwner(db, userId))) return;
  throw new AppError('conflict', 'This is the last owner. Make somebody else an owner first.');
}

/** A transaction that may end an owner. Two owners who end each other at once wait for each other: one of them is asked again. */
export const endingOwners = <T>(pool: Pool, work: (tx: Db) => Promise<T>): Promise<T> =>
  withRetries(() => inAccounts(pool, work));

/**
 * journal  path of the journal of what was forgotten, written before the commit; null: none (a restore that repeats it)
 * returns  false when there is no such account
 */
export async function leave(
  db: Db,
  userId: string,
  how: { journal: string | null; actor: string; requestId?: string },
): Promise<boolean> {
  if (!(await deleteUser(db, userId))) return false;
  const { actor, requestId } = how;
  await noteAuth(db, { kind: 'account_deleted', userId, actor, ...(requestId ? { requestId } : {}) });
  if (how.journal)
    await rememberForgotten(how.journal, { kind: 'account', userId, at: new Date().toISOString() });
  return true;
}

/** After a restore. returns  whether there was one to forget */
export const leaveAgain = (pool: Pool, userId: string): Promise<boolean> =>
  inAccounts(pool, (tx) => leave(tx, userId, { journal: null, actor: 'machine' }));
