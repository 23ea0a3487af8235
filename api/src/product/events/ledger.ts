// Refusals and server times, gathered in memory and written every second: received = accepted + duplicate + rejected.
// What is stored counts itself, in the transaction that stores it (ingest_events.sql).
import type { Pool } from '../../ground/db/pool.ts';
import { windows } from '../../ground/http/windows.ts';
import type { Issue } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import { addToLedger, type PageOrigin, type Refusal } from './queries.ts';

// A flood of refusals is counted in full, but only so many a second leave a row to look at.
const SAMPLES_PER_FLUSH_MAX = 20;
// Of a client a minute, of a site and of all a day: with 600 bytes each they are 12 MB a day at most.
const SAMPLES_PER_CLIENT = 3;
const SAMPLES_PER_SITE = 2_000;
const SAMPLES_PER_DAY = 20_000;
const DAY_MS = 86_400_000;
// Anybody can make up origins; those of a real site are few.
const ORIGINS_PER_FLUSH_MAX = 50;
const ORIGIN_LENGTH_MAX = 300; // a scheme, a host of at most 253 characters, a port
const FLUSH_MS = 1000;
// bucket b holds server times in (1.1^(b-1), 1.1^b] hundredths of a millisecond: 10 % wide, 0.01 ms to hours in 200 buckets
const LATENCY_BASE = Math.log(1.1);
export const latencyBucket = (ms: number) =>
  Math.max(0, Math.min(200, Math.ceil(Math.log(Math.max(ms * 100, 1)) / LATENCY_BASE)));

export interface Ledger {
  /** Counts something that was not stored, and keeps a sample. reason: a code such as malformed_json or honeypot */
  refuse(
    refusal: {
      siteId: string;
      route: string;
      reason: string;
      issues?: Issue[] | undefined;
      /** The key of the client's limits: of one client only some leave a row to look at. */
      from: string;
    },
    count?: number,
  ): void;
  /** Notes an event from a page whose origin the site does not list. */
  page(siteId: string, origin: string, outcome: 'taken' | 'refused'): void;
  /** Server time of a write route, in milliseconds. */
  time(siteId: string, ms: number): void;
  /** Writes what is gathered; keeps it when the database is away. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function makeLedger(db: Pool, log: Log): Ledger {
  let refusals = new Map<string, Refusal>();
  let samples: { site_id: string; route: string; reason: string; details: unknown }[] = [];
  let latencies = new Map<string, { site_id: string; bucket: number; count: number }>();
  let origins = new Map<string, PageOrigin>();
  let writing: Promise<void> = Promise.resolve();

  async function write(): Promise<void> {
    if (refusals.size === 0 && latencies.size === 0 && origins.size === 0) return;
    const taken = { refusals, samples, latencies, origins };
    refusals = new Map();
    samples = [];
    latencies = new Map();
    origins = new Map();
    try {
      await addToLedger(db, {
        refusals: [...taken.refusals.values()],
        samples: taken.samples,
        latencies: [...taken.latencies.values()],
        origins: [...taken.origins.values()],
      });
    } catch (err) {
      for (const entry of taken.refusals.values()) add(entry, entry.count);
      for (const entry of taken.latencies.values()) addTime(entry.site_id, entry.bucket, entry.count);
      for (const entry of taken.origins.values()) addOrigin(entry);
      log.warn({ err }, 'the ledger could not be written; kept for the next try');
    }
  }
  function flush(): Promise<void> {
    writing = writing.then(write);
    return writing;
  }
  function add(refusal: Omit<Refusal, 'count'>, count: number): void {
    const key = `${refusal.site_id} ${refusal.day} ${refusal.reason}`;
    const known = refusals.get(key);
    if (known) known.count += count;
    else refusals.set(key, { ...refusal, count });
  }
  function addTime(siteId: string, bucket: number, count: number): void {
    const key = `${siteId} ${bucket}`;
    const known = latencies.get(key);
    if (known) known.count += count;
    else latencies.set(key, { site_id: siteId, bucket, count });
  }
  function addOrigin({ site_id, origin, taken, refused }: PageOrigin): void {
    const key = `${site_id} ${origin}`;
    const known = origins.get(key);
    if (known) {
      known.taken += taken;
      known.refused += refused;
    } else if (origins.size < ORIGINS_PER_FLUSH_MAX) origins.set(key, { site_id, origin, taken, refused });
  }
  const ofClient = windows({ points: SAMPLES_PER_CLIENT, ms: 60_000, keysMax: 2_000 });
  const ofSite = windows({ points: SAMPLES_PER_SITE, ms: DAY_MS, keysMax: 5_000 });
  const ofAll = windows({ points: SAMPLES_PER_DAY, ms: DAY_MS, keysMax: 1 });
  const isSampled = (siteId: string, from: string) =>
    ofClient.take(from) === null && ofSite.take(siteId) === null && ofAll.take('all') === null;
  const timer = setInterval(flush, FLUSH_MS).unref();
  return {
    refuse({ siteId, route, reason, issues, from }, count = 1) {
      add({ site_id: siteId, day: new Date().toISOString().slice(0, 10), reason }, count);
      if (samples.length < SAMPLES_PER_FLUSH_MAX && isSampled(siteId, from))
        samples.push({
          site_id: siteId,
          route,
          reason,
          details: issues ? { issues: issues.slice(0, 5) } : null,
        });
    },
    page(siteId, origin, outcome) {
      addOrigin({
        site_id: siteId,
        origin: origin.slice(0, ORIGIN_LENGTH_MAX),
        taken: outcome === 'taken' ? 1 : 0,
        refused: outcome === 'refused' ? 1 : 0,
      });
    },
    time: (siteId, ms) => addTime(siteId, latencyBucket(ms), 1),
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
