// Says with the commit that a site's feed is to be built again: whichever process serves it is told.
import type { Db } from '../../ground/db/pool.ts';

export const FEED_CHANNEL = 'feed';

export async function tellFeed(db: Db, siteId: string): Promise<void> {
  await db.query('select pg_notify($1, $2)', [FEED_CHANNEL, siteId]);
}
