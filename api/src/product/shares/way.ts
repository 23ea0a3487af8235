// The way in of who has the link of a shared view: some numbers of one site, and nothing else.
import type { Pool } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import type { Caller, WayIn } from '../../ground/http/caller.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { hashOf } from '../accounts/secrets.ts';
import { findLiveShare, type LiveShare, noteShareUse } from './queries.ts';
import type { Unlocked } from './unlocked.ts';

/** returns  null when the request brings none that is good. throws  proof_required, when its password was not said */
export async function shareOf(db: Pool, unlocked: Unlocked, call: Call): Promise<LiveShare | null> {
  const token = call.header('x-share-token');
  if (!token) return null;
  return inAccounts(db, async (tx) => {
    const share = await findLiveShare(tx, hashOf(token));
    if (!share) return null;
    if (share.hasPassword && !unlocked.isOpen(share.shareId, call.header('x-share-unlock')))
      throw new AppError(
        'proof_required',
        'This view asks for a password: POST /v1/shares/unlock, and send what it answers as x-share-unlock.',
      );
    if (!share.isUsedToday) await noteShareUse(tx, share.shareId);
    return share;
  });
}

const callerOf = ({ shareId, siteId, views, hideMoney, segmentId }: LiveShare): Caller => ({
  actor: `share:${shareId}`,
  siteIds: [siteId],
  may: (what, at) => what === 'numbers' && (at === undefined || at === siteId),
  share: { views, hideMoney, segmentId },
});

/** Whoever brings a key or a session is that. */
export function shareWay(db: Pool, unlocked: Unlocked): WayIn {
  return async (call) => {
    if (call.header('authorization') || call.header('x-admin-key')) return null;
    const share = await shareOf(db, unlocked, call);
    return share && callerOf(share);
  };
}
