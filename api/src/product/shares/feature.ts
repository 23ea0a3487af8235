// Shared views: who has the link sees some numbers of one site, without an account.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { endRows } from '../accounts/end-rows.ts';
import { type ShareNeeds, shareRoutes } from './routes.ts';
import { shareTables } from './tables.ts';
import { makeUnlocked, type Unlocked } from './unlocked.ts';
import { shareWay } from './way.ts';

/** Of each house: routes say the password where the way in asks for it. */
const unlockedOf = new WeakMap<Pool, Unlocked>();
function unlockedIn({ db }: { db: Pool }): Unlocked {
  const unlocked = unlockedOf.get(db) ?? makeUnlocked();
  unlockedOf.set(db, unlocked);
  return unlocked;
}

export const shares: Feature<ShareNeeds, { db: Pool }> = {
  name: 'shares',
  tables: shareTables,
  routes: (needs) => shareRoutes(needs, unlockedIn(needs)),
  ways: (needs) => [shareWay(needs.db, unlockedIn(needs))],
  endings: ({ db }) => ({
    'ended shares': endRows(db, 'shares', 'coalesce(revoked_at, expires_at) < $1', 'shares'),
  }),
};
