// Visitors whom somebody else holds: an erasure or a verdict under way. Their events wait for it alone, not everybody's.
import { LRUCache } from 'lru-cache';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { ArrivedEvent } from './enrich.ts';

// as long as the sender is asked to wait
export const HELD_SECONDS = 10;

export interface HeldVisitors {
  has(event: ArrivedEvent): boolean;
  /** Looks which visitors of these events cannot be had now, and remembers them for a while. returns  whether there are any */
  find(events: ArrivedEvent[]): Promise<boolean>;
}

export function heldVisitors(db: Pool): HeldVisitors {
  const held = new LRUCache<string, true>({ max: 1000, ttl: HELD_SECONDS * 1000 });
  return {
    has: ({ visitor_id }) => held.has(visitor_id),
    async find(events) {
      const sites = [...new Set(events.map(({ site_id }) => site_id))];
      const { rows } = await inSites(db, sites, (client) =>
        client.query<{ visitor_id: string }>(
          `with asked as materialized (
             select v.site_id, v.visitor_id from visitors v where site_id = any ($1) and visitor_id = any ($2)
           ), had as materialized (
             select v.visitor_id from visitors v where site_id = any ($1) and visitor_id = any ($2) for update skip locked
           )
           select visitor_id from asked where visitor_id not in (select visitor_id from had)`,
          [
            sites,
            [
              ...new Set(
                events.flatMap(({ visitor_id, day_before }) =>
                  day_before ? [visitor_id, day_before] : [visitor_id],
                ),
              ),
            ],
          ],
        ),
      );
      for (const { visitor_id } of rows) held.set(visitor_id, true);
      return rows.length > 0;
    },
  };
}
