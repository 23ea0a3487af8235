// Who wrote says so here, who reads hears it here, in every process: one NOTIFY a second and site with the last number, sent
// after the commit and never by what takes in events, since a transaction that notifies takes a lock of the whole database.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import {
  CHANNEL,
  findEnds,
  insertNews,
  listenADayMore,
  listenUntil,
  listNews,
  type News,
  notifyGrown,
} from './queries.ts';
import type { NewsType } from './types.ts';

const NOTIFY_EVERY_MS = 1000;

export type { News };
/** siteId  null: maybe something, of any site; what was said while nobody heard is lost */
export type Grown = (siteId: string | null) => void;

export interface Outbox {
  /** After the commit. seq: null when nobody listens */
  wrote(siteId: string, seq: number | null | undefined): void;
  /** Calls whenever a site's outbox may have grown, whichever process wrote. returns what ends that */
  onGrown(grown: Grown): () => void;
  /** For ground/db/listen.ts. */
  channel: { name: string; heard(payload: string | undefined): void; hears(isListening: boolean): void };
  read(siteId: string, after: number, limit: number): Promise<News[]>;
  ends(siteId: string): ReturnType<typeof findEnds>;
  /** A stream was opened: for a day from now the outbox is filled. */
  listenADay(siteId: string, now?: number): Promise<void>;
  close(): Promise<void>;
}

export function openOutbox(db: Pool, log: Log): Outbox {
  const readers = new Set<Grown>();
  /** Sites that were told of within the last second, and what is to be told then. */
  const resting = new Map<string, { timer: NodeJS.Timeout; seq: number | null }>();
  const sending = new Set<Promise<unknown>>();
  const tellReaders = (siteId: string | null) => {
    for (const grown of readers) grown(siteId);
  };

  function notify(siteId: string, seq: number): void {
    const sent = notifyGrown(db, siteId, seq)
      // other processes look by themselves every 15 s
      .catch((err) => log.warn({ err }, 'other processes could not be told that an outbox grew'))
      .finally(() => sending.delete(sent));
    sending.add(sent);
    const timer = setTimeout(() => {
      const waiting = resting.get(siteId)?.seq ?? null;
      resting.delete(siteId);
      if (waiting !== null) notify(siteId, waiting);
    }, NOTIFY_EVERY_MS).unref();
    resting.set(siteId, { timer, seq: null });
  }

  return {
    wrote(siteId, seq) {
      if (seq === null || seq === undefined) return;
      tellReaders(siteId);
      const rest = resting.get(siteId);
      if (rest) rest.seq = Math.max(rest.seq ?? 0, seq);
      else notify(siteId, seq);
    },
    onGrown(grown) {
      readers.add(grown);
      return () => readers.delete(grown);
    },
    channel: {
      name: CHANNEL,
      heard: (payload) => tellReaders(payload?.split(' ')[0] || null),
      hears: (isListening) => isListening && tellReaders(null),
    },
    read: (siteId, after, limit) => inSites(db, siteId, (tx) => listNews(tx, siteId, after, limit)),
    ends: (siteId) => inSites(db, siteId, (tx) => findEnds(tx, siteId)),
    listenADay: (siteId, now = Date.now()) =>
      inSites(db, siteId, (tx) => listenUntil(tx, siteId, new Date(now + 86_400_000))),
    async close() {
      for (const { timer } of resting.values()) clearTimeout(timer);
      resting.clear();
      await Promise.all(sending);
    },
  };
}

/**
 * Tells of what changes seldom, by hand or by a job: with the commit, to all processes. The last thing its transaction does, since
 * the site's other news wait for its end.
 */
export async function tellNews(
  db: Db,
  siteId: string,
  type: NewsType,
  data: Record<string, unknown>,
): Promise<void> {
  const seq = await insertNews(db, siteId, type, data);
  if (seq !== null) await notifyGrown(db, siteId, seq);
}

export { insertNews, listenADayMore, listenUntil, notifyGrown };
