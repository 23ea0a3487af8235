// The ingestion engine: hands rows to the group commit and answers each when its batch has committed.
import { isDataFault, isTooSlow, withRetries } from '../../ground/db/faults.ts';
import type { Pool } from '../../ground/db/pool.ts';
import type { Meters } from '../../ground/http/meters.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { Batcher, BatcherClosed, BatcherFull, halves } from '../../ground/lib/batcher.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Tracing } from '../../ground/tracing/tracing.ts';
import type { ArrivedEvent } from './enrich.ts';
import { HELD_SECONDS, type HeldVisitors, heldVisitors } from './held-visitors.ts';
import type { Ledger } from './ledger.ts';
import { refusalOf } from './notification-events.ts';
import { todaysPartitions } from './partitions.ts';
import { ingestEvents, type StoredEvent } from './queries.ts';

export type { StoredEvent } from './queries.ts';

export interface Ingest {
  /** Resolves after the commit. throws unavailable (full, closing, database away) or invalid_request (this row cannot be stored) */
  store(event: ArrivedEvent, bytes: number): Promise<StoredEvent>;
  readonly isFull: boolean;
  readonly depth: { rows: number; bytes: number; inFlight: number };
  close(): Promise<void>;
}

interface Options {
  db: Pool;
  inactivityMinutes: number;
  ledger: Ledger;
  log: Log;
  meters: Meters;
  tracing: Tracing | null;
}

export function makeIngest({ db, inactivityMinutes, ledger, log, meters, tracing }: Options): Ingest {
  const makePartition = todaysPartitions(db);
  const held = heldVisitors(db);
  const parts = partsOf(held);

  async function write(events: ArrivedEvent[]): Promise<StoredEvent[]> {
    if (events.every(held.has)) throw waitsForAnother();
    const began = performance.now();
    // The same event twice in one batch: the later one is told what became of the first.
    const first = new Map<string, ArrivedEvent>();
    const repeated = new Map<string, number>();
    const copies = new Map<string, number>(); // the same, of what was seen of notifications
    const distinct: ArrivedEvent[] = [];
    // An id is unique within a site, the statement wants it unique within a batch: another site's takes a turn of its own.
    const elsewhere: ArrivedEvent[] = [];
    const standsFor = events.map((event) => {
      const key = event.body_key ?? event.event_id;
      const known = first.get(key);
      if (!known) {
        first.set(key, event);
        distinct.push(event);
        return { event, repeats: false };
      }
      if (known.site_id !== event.site_id) {
        elsewhere.push(event);
        return { event, repeats: false };
      }
      const [counts, counted] = known.seen ? [copies, known.event_id] : [repeated, event.site_id];
      counts.set(counted, (counts.get(counted) ?? 0) + 1);
      return { event: known, repeats: true };
    });
    const stored = await withRetries(
      () => ingestEvents(db, distinct, repeated, inactivityMinutes, copies),
      makePartition,
    ).catch((error) => {
      tracing?.batch(events.length, performance.now() - began, error);
      throw error;
    });
    const ms = performance.now() - began;
    meters.batch(events.length, ms / 1000);
    tracing?.batch(events.length, ms);
    log.info({ rows: events.length, ms: Math.round(ms * 100) / 100 }, 'batch');
    const others = elsewhere.length > 0 ? await write(elsewhere) : [];
    const storedElsewhere = new Map(elsewhere.map((event, i) => [event, others[i]]));
    return standsFor.map(({ event, repeats }) => {
      const result = storedElsewhere.get(event) ?? stored.get(event.event_id);
      if (!result) throw new Error('ingest_events answered without one of its rows');
      return repeats ? { ...result, duplicate: true } : result;
    });
  }

  const batcher = new Batcher<ArrivedEvent, StoredEvent>({
    write,
    apart: parts,
    rowsPerWriteMax: 500,
    rowsWorthAWrite: 64,
    queuedRowsMax: 5000,
    queuedBytesMax: 16 * 1024 * 1024,
    // the figures are in docs/decisions/0001-group-commit.md
    spacingMs: { alone: 20, max: 50 },
    stillRows: 16,
    stillMs: 5,
    writesInFlightMax: 1,
  });

  function told(stored: StoredEvent): StoredEvent {
    if (stored.refused) throw refusalOf(stored.refused);
    return stored;
  }
  function failed(error: unknown): never {
    if (error instanceof BatcherFull)
      throw new AppError(
        'unavailable',
        'More events are arriving than can be stored. Keep this one and send it again.',
        { retryAfterSeconds: 2 },
      );
    if (error instanceof BatcherClosed)
      throw new AppError('unavailable', 'The service is restarting. Keep this event and send it again.', {
        retryAfterSeconds: 5,
      });
    if (isDataFault(error)) {
      log.error({ err: error }, 'an event passed validation and could not be stored');
      throw new AppError('invalid_request', 'This event holds a value that cannot be stored.', {
        cause: error,
      });
    }
    throw error;
  }

  return {
    store(event, bytes) {
      if (held.has(event)) return Promise.reject(waitsForAnother());
      return batcher.add(event, bytes).then(told, failed);
    },
    get isFull() {
      return batcher.isFull;
    },
    get depth() {
      return batcher.depth;
    },
    async close() {
      await batcher.close();
      await ledger.close();
    },
  };
}

const waitsForAnother = () =>
  new AppError(
    'unavailable',
    'What is known of this visitor is being changed at the moment. Keep this event and send it again.',
    { retryAfterSeconds: HELD_SECONDS },
  );

// Beyond it a slow database is slow for all, and trying smaller parts only makes it slower.
const SLOW_PARTS_MS_MAX = 15_000;

/**
 * In which parts a failed batch is tried again: halved for a row that cannot be stored; without whom somebody else holds, when
 * it waited too long; and halved, for a while, when it was slow by itself.
 */
function partsOf(held: HeldVisitors) {
  let slowUntil = 0;
  return async (error: unknown, events: ArrivedEvent[]): Promise<ArrivedEvent[][] | null> => {
    if (isDataFault(error)) return halves(events);
    if (!isTooSlow(error)) return null;
    if (await held.find(events)) {
      const { waits = [], free = [] } = Object.groupBy(events, (event) =>
        held.has(event) ? 'waits' : 'free',
      );
      return [free, waits];
    }
    const now = performance.now();
    if (now > slowUntil + SLOW_PARTS_MS_MAX) slowUntil = now + SLOW_PARTS_MS_MAX;
    return now < slowUntil ? halves(events) : null;
  };
}
