// Who may frame a shared view. Its id stands in the path of the page, because the token in its fragment reaches no server.
import type { Pool } from '../../ground/db/pool.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { listFramers } from './queries.ts';

/** Origins; none where the view is not there, has run out, was revoked or is not to be framed: an id tells no more than that. */
export const framersOf = (pool: Pool, shareId: string): Promise<string[]> =>
  inAccounts(pool, (tx) => listFramers(tx, shareId));
