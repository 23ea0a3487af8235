// The open streams of this process: each has a place in its site's outbox and is sent what is behind it, in order, without a
// gap or a repeat. One read a site, however many streams; nothing runs while none is open.
import { PassThrough, type Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import type { Channel } from '../../ground/db/listen.ts';
import { BEAT_MS, LIFE_MS, unsentOf, writeOrCut } from '../../ground/http/event-stream.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { News, Outbox } from '../outbox/outbox.ts';
import { COUNTS, type CountsParts, openCounts } from './counts.ts';

const UNSENT_BYTES_MAX = 64 * 1024;
const OF_SITE_MAX = 20;
const OF_PROCESS_MAX = 50;
/** At once, of some 300 bytes each: what waits for a reader stays small. */
const READ_ROWS = 100;
/** Whoever reads as fast as others has taken what was written by then. */
const PATIENCE_MS = 1000;
/** What was opened asked for a day: renewed long before its end, as long as it is open. */
const RENEW_MS = 60 * 60_000;

export interface Wanted {
  siteId: string;
  /** The number of the last thing that was seen; null: from now on. */
  after: number | null;
  isWanted(type: string): boolean;
  /** Ends once it has told what there is. */
  follows: boolean;
  /** Whether whoever opened it would be let in now; asked at each beat. */
  mayStill(): Promise<boolean>;
}

export interface Streams {
  /** throws  unavailable, when there are too many */
  open(wanted: Wanted): Promise<Readable>;
  readonly size: number;
  /** What happens to all of them every 15 s; done when each reader was looked up, and whoever may not any more is cut off. */
  beat(): Promise<void>;
  /** For ground/db/listen.ts. */
  channel: Channel;
  /** Ends all; browsers come again, to another process. */
  close(): void;
}

interface Stream extends Wanted {
  out: PassThrough;
  at: number;
  told: number;
  began: number;
}

const textOf = ({ seq, type, data, at }: News) =>
  `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify({ type, timestamp: at.toISOString(), data })}\n\n`;

export function openStreams(
  outbox: Pick<Outbox, 'read' | 'ends' | 'onGrown' | 'listenADay'>,
  counting: Pick<CountsParts, 'read' | 'day'>,
  log: Log,
): Streams {
  const open = new Map<string, Set<Stream>>();
  /** Of a site, also those that are being opened. */
  const places = new Map<string, number>();
  const renewedAt = new Map<string, number>();
  const pumping = new Map<string, { again: boolean }>();
  let size = 0;
  let beats: NodeJS.Timeout | undefined;
  let ungrow: (() => void) | null = null;

  // whoever is cut off comes again later, from where they were
  const write = ({ out }: Stream, text: string) => writeOrCut(out, text, UNSENT_BYTES_MAX);

  /** Those who are told today's numbers: a look at what there is has none. */
  const countedFor = (siteId: string) =>
    [...(open.get(siteId) ?? [])].filter(({ follows, isWanted }) => follows && isWanted(COUNTS));
  const counts = openCounts({
    ...counting,
    heard: () => [...open.keys()].filter((siteId) => countedFor(siteId).length > 0),
    tell(siteId, text) {
      for (const stream of countedFor(siteId)) write(stream, text);
    },
    log,
  });

  /** Sends to every stream of a site what is behind its place. */
  async function pump(siteId: string): Promise<void> {
    const running = pumping.get(siteId);
    if (running) {
      running.again = true;
      return;
    }
    const mine = { again: false };
    pumping.set(siteId, mine);
    try {
      do {
        mine.again = false;
        await pumpOnce(siteId);
      } while (mine.again);
    } catch (err) {
      log.warn({ err }, 'an outbox could not be read for its streams; looked at again in 15 s');
    } finally {
      pumping.delete(siteId);
    }
  }

  async function pumpOnce(siteId: string): Promise<void> {
    for (;;) {
      const streams = [...(open.get(siteId) ?? [])];
      if (streams.length === 0) return;
      const from = Math.min(...streams.map(({ at }) => at));
      const news = await outbox.read(siteId, from, READ_ROWS);
      for (const one of news)
        for (const stream of streams)
          if (one.seq > stream.at) {
            stream.at = one.seq;
            if (!stream.isWanted(one.type)) continue;
            // not judged yet: all of this turn is unsent until its end
            if (!stream.out.destroyed && !stream.out.writableEnded) stream.out.write(textOf(one));
            stream.told = one.seq;
          }
      await untilSent(streams);
      if (news.length < READ_ROWS) {
        for (const stream of streams) if (!stream.follows) stream.out.end();
        return;
      }
    }
  }

  /** Waits for readers to take what was written, and cuts off who does not. */
  async function untilSent(streams: Stream[]): Promise<void> {
    const overfull = () => streams.filter(({ out }) => unsentOf(out) > UNSENT_BYTES_MAX);
    const began = performance.now();
    while (overfull().length > 0 && performance.now() - began < PATIENCE_MS) await pause(10);
    for (const { out } of overfull()) out.destroy();
  }

  async function beat(): Promise<void> {
    const asked: Promise<void>[] = [];
    for (const [siteId, streams] of open) {
      if (performance.now() - (renewedAt.get(siteId) ?? 0) > RENEW_MS) asked.push(renew(siteId));
      for (const stream of streams) {
        if (performance.now() - stream.began > LIFE_MS) {
          stream.out.end();
          continue;
        }
        // with its place, so that who wants little resumes from there
        write(stream, stream.at > stream.told ? `: \nid: ${stream.at}\n\n` : ': \n\n');
        stream.told = stream.at;
        asked.push(lookUp(stream));
      }
      // another process may have ended between its commit and telling of it
      void pump(siteId);
      if (countedFor(siteId).length > 0) counts.beat(siteId);
    }
    await Promise.all(asked);
  }

  const renew = (siteId: string): Promise<void> => {
    renewedAt.set(siteId, performance.now());
    return outbox.listenADay(siteId).catch((err) => {
      renewedAt.delete(siteId);
      log.warn({ err }, 'an outbox could not be kept filled for its streams; asked again in 15 s');
    });
  };
  const lookUp = ({ mayStill, out }: Stream): Promise<void> =>
    mayStill().then(
      (may) => {
        if (!may) out.end();
      },
      (err) => log.warn({ err }, 'who reads a stream could not be looked up; asked again in 15 s'),
    );

  function grew(siteId: string): void {
    void pump(siteId);
    if (countedFor(siteId).length > 0) counts.changed(siteId);
  }

  function add(stream: Stream): void {
    const { siteId, out } = stream;
    const streams = open.get(siteId) ?? new Set();
    open.set(siteId, streams.add(stream));
    out.once('close', () => {
      leavePlace(siteId);
      streams.delete(stream);
      if (streams.size === 0) {
        open.delete(siteId);
        renewedAt.delete(siteId);
      }
      if (countedFor(siteId).length === 0) counts.drop(siteId);
      if (size > 0) return;
      clearInterval(beats);
      ungrow?.();
      ungrow = null;
    });
    if (ungrow) return;
    ungrow = outbox.onGrown((grown) => {
      for (const each of grown === null ? open.keys() : open.has(grown) ? [grown] : []) grew(each);
    });
    beats = setInterval(() => void beat(), BEAT_MS).unref();
  }

  /** Before anything is asked: others come while we ask the database. throws  unavailable, when there are too many */
  function takePlace(siteId: string): void {
    const ofSite = places.get(siteId) ?? 0;
    if (size < OF_PROCESS_MAX && ofSite < OF_SITE_MAX) {
      size += 1;
      places.set(siteId, ofSite + 1);
      return;
    }
    throw new AppError('unavailable', 'Too many streams are open. Close one, or try again in a minute.', {
      retryAfterSeconds: 60,
    });
  }

  function leavePlace(siteId: string): void {
    size -= 1;
    const left = places.get(siteId)! - 1;
    if (left > 0) places.set(siteId, left);
    else places.delete(siteId);
  }

  return {
    channel: counts.channel,
    beat,
    get size() {
      return size;
    },
    async open(wanted) {
      const { siteId, after } = wanted;
      takePlace(siteId);
      const out = new PassThrough();
      try {
        await outbox.listenADay(siteId);
        renewedAt.set(siteId, performance.now());
        const { lastSeq, wholeSince } = await outbox.ends(siteId);
        const isLost = after !== null && (after > lastSeq || after < wholeSince);
        const at = after === null || isLost ? lastSeq : after;
        const stream = { ...wanted, out, at, told: at, began: performance.now() };
        add(stream);
        write(stream, `retry: 3000\nid: ${at}\n\n`);
        if (isLost) write(stream, `event: reset\ndata: {"type":"reset","after":${lastSeq}}\n\n`);
        if (stream.follows && stream.isWanted(COUNTS)) write(stream, counts.known(siteId) ?? '');
        void pump(siteId);
      } catch (error) {
        leavePlace(siteId);
        throw error;
      }
      return out;
    },
    close() {
      for (const streams of open.values()) for (const { out } of streams) out.end();
    },
  };
}
