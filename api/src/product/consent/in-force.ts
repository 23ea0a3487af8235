// What of the product a site really uses with data of people, for its notice: read, so that nobody has to remember to say it.
import { LRUCache } from 'lru-cache';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { NoticeFacts } from '../../ground/words/notice-en.ts';

export type InForce = Pick<NoticeFacts, 'personalWebhooks' | 'namesShown' | 'reviews' | 'purchases'>;

/** Told while the database is away and nobody has asked before: rather a line too many. */
const ALL: InForce = { personalWebhooks: true, namesShown: true, reviews: true, purchases: true };
const FRESH_MS = 60_000;

/** returns  of a site, a minute old at most, or as it was known last while the database is away; it never throws */
export function inForceAt(db: Pool): (siteId: string) => Promise<InForce> {
  const known = new LRUCache<string, InForce>({
    max: 1000,
    ttl: FRESH_MS,
    allowStale: true,
    noDeleteOnStaleGet: true,
  });
  return async (siteId) => {
    const fresh = known.getRemainingTTL(siteId) > 0 ? known.get(siteId) : undefined;
    if (fresh) return fresh;
    try {
      const { rows } = await inSites(db, siteId, (tx) =>
        tx.query<InForce>(
          `select exists (select from webhooks where site_id = $1 and personal and disabled_at is null) as "personalWebhooks",
             exists (select from display_consents where site_id = $1 and action = 'granted' and cardinality(fields) > 0) as "namesShown",
             exists (select from reviews where site_id = $1) as reviews,
             exists (select from integrations where site_id = $1)
               or exists (select from conversions where site_id = $1 and origin = 'server' and kind = 'purchase') as purchases`,
          [siteId],
        ),
      );
      known.set(siteId, rows[0]!);
      return rows[0]!;
    } catch {
      return known.get(siteId) ?? ALL;
    }
  };
}
