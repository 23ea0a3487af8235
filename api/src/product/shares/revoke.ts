// Ends a shared view: at once, and again after a restore of a backup that still knows it as good.
import type { Pool } from '../../ground/db/pool.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { rememberForgotten } from '../consent/forget-journal.ts';
import { revokeShare } from './queries.ts';
import type { Share } from './schema.ts';

/** journal  of what was forgotten, written before the commit. returns  null when the site has no such share */
export const revoke = (pool: Pool, siteId: string, shareId: string, journal: string): Promise<Share | null> =>
  inAccounts(pool, async (tx) => {
    const share = await revokeShare(tx, siteId, shareId);
    if (share) await rememberForgotten(journal, { kind: 'share', shareId, at: new Date().toISOString() });
    return share;
  });

/** After a restore; one that is not there is none. */
export async function revokeShareAgain(pool: Pool, shareId: string): Promise<void> {
  await inAccounts(pool, (tx) => revokeShare(tx, null, shareId));
}
