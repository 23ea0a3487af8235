// Answers of the metrics routes, kept for some seconds; whatever changes a site's numbers, in any process, ends them
// (ground/db/presence.ts). While this process cannot hear that, it keeps nothing.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export interface CachedAnswer {
  text: string;
  etag: string;
}

export interface MetricsCache {
  /** key: everything that matters beside the site, the day of asking included */
  through(
    siteId: string,
    key: string,
    make: () => Promise<string>,
  ): Promise<{ answer: CachedAnswer; hit: boolean }>;
  /** Which state of the site's numbers was told of last; null: changes made by other processes are not heard. */
  generation(siteId: string): string | null;
  /** Ends the answers of these sites; without any: of all. */
  clear(siteIds?: string[]): void;
  /** Whether changes made by other processes are heard. */
  hears(changes: boolean): void;
}

/** ttlMs 0: nothing is kept. */
export function metricsCache(ttlMs: number): MetricsCache {
  // 8 MB is some hundred answers of 90 days
  const kept = new LRUCache<string, CachedAnswer>({
    max: 500,
    maxSize: 8_000_000,
    sizeCalculation: ({ text }) => text.length + 100,
    ttl: ttlMs || 1,
  });
  let hearing = true;
  // Part of every key, as it was when the question came: what was computed before a change must not outlive it.
  let generation = 0;
  const ofSite = new Map<string, number>();
  const generationOf = (siteId: string) => `${generation} ${ofSite.get(siteId) ?? 0}`;
  const endAll = () => {
    generation += 1;
    kept.clear();
  };
  return {
    async through(siteId, key, make) {
      const keeps = ttlMs > 0 && hearing;
      const whole = `${generationOf(siteId)} ${siteId} ${key}`;
      const known = keeps ? kept.get(whole) : undefined;
      if (known) return { answer: known, hit: true };
      const text = await make();
      const answer = {
        text,
        etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`,
      };
      if (keeps) kept.set(whole, answer);
      return { answer, hit: false };
    },
    generation: (siteId) => (hearing ? generationOf(siteId) : null),
    clear(siteIds) {
      if (siteIds) for (const siteId of siteIds) ofSite.set(siteId, (ofSite.get(siteId) ?? 0) + 1);
      else endAll();
    },
    hears(changes) {
      hearing = changes;
      endAll();
    },
  };
}
