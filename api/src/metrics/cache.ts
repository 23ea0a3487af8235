// Answers of the metrics routes, kept for some seconds; a finished rollup, a conversion or new spend clears them.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

export interface CachedAnswer {
  text: string;
  etag: string;
}

export interface MetricsCache {
  /** key: everything that matters, the day of asking included */
  through(key: string, make: () => Promise<string>): Promise<{ answer: CachedAnswer; hit: boolean }>;
  clear(): void;
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
  let generation = 0;
  return {
    async through(key, make) {
      const known = ttlMs > 0 ? kept.get(key) : undefined;
      if (known) return { answer: known, hit: true };
      const asked = generation;
      const text = await make();
      const answer = {
        text,
        etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`,
      };
      // What was computed before a rollup finished must not outlive it.
      if (ttlMs > 0 && asked === generation) kept.set(key, answer);
      return { answer, hit: false };
    },
    clear() {
      generation += 1;
      kept.clear();
    },
  };
}
