// The open streams of pages: each is told when what it would be shown became something else, in whichever process that was
// changed. Off unless the site's setting feedStream says otherwise, bounded in all and for one address, since anybody may ask; when
// there is no room left, the site that has most makes room for one that has fewer.
import { PassThrough, type Readable } from 'node:stream';
import type { Channel } from '../../ground/db/listen.ts';
import { BEAT_MS, LIFE_MS, writeOrCut } from '../../ground/http/event-stream.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import type { Feeds } from './feeds.ts';
import { wishFor } from './render.ts';

const OF_PROCESS_MAX = 300;
/** Behind one address may be an office; a browser opens one a page. */
const OF_ADDRESS_MAX = 10;
// A message has a hundred bytes: who left so much unread reads nothing.
const UNSENT_BYTES_MAX = 4 * 1024;

export interface AskedStream {
  site: Site;
  lang: string | undefined;
  country: string | null;
  /** Whose address: the key of its limits. */
  from: string;
  /** What it was told last (Last-Event-ID); null: nothing, it has just asked for the feed itself. */
  last: string | null;
  /** Ends once it has told what there is. */
  follows: boolean;
}

export interface FeedStreams {
  /** throws  not_found: the site has none; unavailable, rate_limited: there are too many */
  open(asked: AskedStream): Promise<Readable>;
  readonly size: number;
  /** Sites that were changed: the setting may have been taken back. */
  channel: Channel;
  close(): void;
}

interface Parts {
  feeds: Pick<Feeds, 'built' | 'packed' | 'onBuilt'>;
  sites: { find(siteId: string): Site | undefined; reload(): Promise<void> };
  /** RATE_LIMITS */
  isLimited: boolean;
  log: Log;
}

/** Room for a stream, taken until it is left. */
interface Room {
  out: PassThrough;
  leave(): void;
}
interface Stream extends Pick<AskedStream, 'lang' | 'country'>, Room {
  content: string | null;
  began: number;
}

function add(counts: Map<string, number>, key: string, n: number): void {
  const now = (counts.get(key) ?? 0) + n;
  if (now > 0) counts.set(key, now);
  else counts.delete(key);
}

const isOn = ({ settings }: Site) => settings.feedStream === true;
const told = (content: string, etag: string) =>
  `id: ${content}\nevent: feed.updated\ndata: ${JSON.stringify({ etag })}\n\n`;

export function openFeedStreams({ feeds, sites, isLimited, log }: Parts): FeedStreams {
  const open = new Map<string, Set<Stream>>();
  const ofAddress = new Map<string, number>();
  /** Those that are being opened too. */
  const ofSite = new Map<string, number>();
  let size = 0;
  let beat: NodeJS.Timeout | undefined;
  let unhear: (() => void) | null = null;

  const write = ({ out }: Stream, text: string) => writeOrCut(out, text, UNSENT_BYTES_MAX);

  /** Ends the streams of a site that has none any more, and tells those whose feed is another one now. */
  async function look(siteId: string): Promise<void> {
    const site = sites.find(siteId);
    if (!site || !isOn(site)) {
      for (const { out } of open.get(siteId) ?? []) out.end();
      return;
    }
    // that it was asked for keeps it fresh
    const built = await feeds.built(site);
    for (const stream of open.get(siteId) ?? []) {
      const { content, etag } = feeds.packed(built, wishFor(built, site, stream.lang, stream.country));
      if (content === stream.content) continue;
      stream.content = content;
      write(stream, told(content, etag));
    }
  }
  const lookAnyway = (siteId: string) => {
    if (open.has(siteId))
      look(siteId).catch((err) => log.warn({ err }, 'a feed could not be built for those who listen'));
  };
  const lookAtAll = () => {
    for (const siteId of open.keys()) lookAnyway(siteId);
  };

  function everyBeat(): void {
    for (const streams of open.values())
      for (const stream of streams)
        if (performance.now() - stream.began > LIFE_MS) stream.out.end();
        else write(stream, ': \n\n');
    lookAtAll();
  }

  /** Ends the oldest of the site that has most, when that one keeps more than this one has then. returns  whether there is room now */
  function makeRoom(siteId: string): boolean {
    const own = ofSite.get(siteId) ?? 0;
    const [most, count] = [...ofSite].reduce((a, b) => (b[1] > a[1] ? b : a));
    const oldest = open.get(most)?.values().next().value;
    if (!oldest || count - 1 <= own) return false;
    oldest.leave();
    oldest.out.end();
    return true;
  }

  /** Until it is closed it takes room. */
  function take(siteId: string, from: string): Room {
    if (isLimited && (ofAddress.get(from) ?? 0) >= OF_ADDRESS_MAX)
      throw new AppError(
        'rate_limited',
        'Too many pages listen from this address. Ask GET /v1/feed once a view instead.',
        { retryAfterSeconds: 60 },
      );
    if (size >= OF_PROCESS_MAX && !makeRoom(siteId))
      throw new AppError('unavailable', 'Too many pages listen. Ask GET /v1/feed once a view instead.', {
        retryAfterSeconds: 60,
      });
    size += 1;
    add(ofAddress, from, 1);
    add(ofSite, siteId, 1);
    let isTaken = true;
    const leave = () => {
      if (!isTaken) return;
      isTaken = false;
      size -= 1;
      add(ofAddress, from, -1);
      add(ofSite, siteId, -1);
      drop(siteId, out);
    };
    const out = new PassThrough();
    out.once('close', leave);
    return { out, leave };
  }

  function follow(siteId: string, stream: Stream): void {
    const streams = open.get(siteId) ?? new Set();
    open.set(siteId, streams.add(stream));
    if (unhear) return;
    unhear = feeds.onBuilt(lookAnyway);
    beat = setInterval(everyBeat, BEAT_MS).unref();
  }

  function drop(siteId: string, out: PassThrough): void {
    const streams = open.get(siteId);
    for (const stream of streams ?? []) if (stream.out === out) streams!.delete(stream);
    if (streams?.size === 0) open.delete(siteId);
    if (open.size > 0) return;
    clearInterval(beat);
    unhear?.();
    unhear = null;
  }

  return {
    get size() {
      return size;
    },
    async open({ site, lang, country, from, last, follows }) {
      if (!isOn(site))
        throw new AppError(
          'not_found',
          'Pages of this site do not listen (its setting feedStream). Ask GET /v1/feed once a view.',
        );
      const { out, leave } = take(site.siteId, from);
      try {
        const built = await feeds.built(site);
        const { content, etag } = feeds.packed(built, wishFor(built, site, lang, country));
        const isNews = last !== null && last !== content;
        const begin = `retry: 5000\n${isNews || !follows ? told(content, etag) : `id: ${content}\n\n`}`;
        const stream = { out, leave, lang, country, content, began: performance.now() };
        if (follows) follow(site.siteId, stream);
        write(stream, begin);
        if (follows)
          lookAnyway(site.siteId); // what was built, or taken back, meanwhile
        else out.end();
        return out;
      } catch (error) {
        out.destroy();
        throw error;
      }
    },
    channel: {
      name: 'sites_changed',
      heard() {
        if (open.size === 0) return;
        sites
          .reload()
          .then(lookAtAll)
          .catch((err) => log.warn({ err }, 'sites could not be read anew; looked at again in 15 s'));
      },
      hears: (isListening) => isListening && lookAtAll(),
    },
    close() {
      for (const streams of open.values()) for (const { out } of streams) out.end();
    },
  };
}
