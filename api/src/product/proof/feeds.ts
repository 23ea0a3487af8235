// Feeds in memory: built when first asked for, each minute while somebody asks, and at once when something is taken back or
// changed, in whichever process. A request that finds one costs no query.
import { createHash } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Channel } from '../../ground/db/listen.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { jsonText } from '../../ground/http/frame.ts';
import type { Packed } from '../../ground/http/packed.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import { FEED_CHANNEL } from '../notifications/feed-changed.ts';
import type { Showing } from '../notifications/schema.ts';
import { type BuildParts, type Built, buildSite } from './build.ts';
import { renderFeed, type Wish } from './render.ts';

const MINUTE_MS = 60_000;
/** Between two buildings of one site. */
const APART_MS = 1000;
/** A site whose numbers take long to count rests for so many times as long, so that its feed takes a twentieth of the machine. */
const REST = 20;
/** Without NOTIFY what was taken back is not heard: nothing older is answered. */
const DEAF_MS = 1000;
const GZIP_BYTES_MAX = 8 * 1024;
/** Languages times countries of one site that are kept packed. */
const PACKED_MAX = 64;

export interface PackedFeed extends Packed {
  etag: string;
  /** The same as long as it says the same, whenever that was counted. */
  content: string;
}
interface Known {
  built: Built | null;
  building: Promise<Built> | null;
  startedAt: number;
  /** How long the last building took. */
  tookMs: number;
  askedAt: number;
  /** Something changed that the present building did not see. */
  isStale: boolean;
  waiting: NodeJS.Timeout | null;
  packed: Map<string, PackedFeed>;
}

export interface Feeds {
  /** What the site shows now: at hand, or being built. */
  built(site: Site): Built | Promise<Built>;
  showing(site: Site, isChanged?: boolean): Promise<ReadonlyMap<string, Showing>>;
  /** The feed as it is sent. */
  packed(site: Site, built: Built, wish: Wish): PackedFeed;
  /** Calls whenever a site's was built anew. returns  what ends that */
  onBuilt(heard: (siteId: string, built: Built) => void): () => void;
  channel: Channel;
  close(): Promise<void>;
}

export interface FeedParts extends BuildParts {
  db: Pool;
  sites: { find(siteId: string): Site | undefined };
  log: Log;
  clock?: () => number;
}

export function openFeeds({ db, sites, log, clock = Date.now, ...parts }: FeedParts): Feeds {
  const known = new Map<string, Known>();
  const hearers = new Set<(siteId: string, built: Built) => void>();
  let isListening = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | null = null;

  function build(site: Site, state: Known): Promise<Built> {
    state.startedAt = clock();
    state.isStale = false;
    const work = inSites(db, site.siteId, (tx) => buildSite(tx, site, new Date(clock()), parts));
    state.building = work
      .then((built) => {
        state.tookMs = clock() - state.startedAt;
        state.built = built;
        state.packed.clear();
        for (const heard of hearers) heard(site.siteId, built);
        return built;
      })
      .finally(() => {
        state.building = null;
        follow();
      });
    return state.building;
  }

  /** One timer of the process, while anything may change by itself. */
  function follow(): void {
    const isNeeded = !isClosed && [...known.values()].some(({ built }) => built?.isAlive);
    if (isNeeded && !timer) timer = setInterval(eachMinute, MINUTE_MS).unref();
    if (!isNeeded && timer) {
      clearInterval(timer);
      timer = null;
    }
  }

  function eachMinute(): void {
    for (const [siteId, state] of known) {
      if (!state.built?.isAlive) continue;
      if (clock() - state.startedAt < REST * state.tookMs) continue;
      // nobody looks: whoever comes next waits for a new one
      if (state.askedAt < clock() - 2 * MINUTE_MS) state.isStale = true;
      else rebuild(siteId, state);
    }
  }

  function rebuild(siteId: string, state: Known): void {
    const site = sites.find(siteId);
    if (!site || state.building || isClosed) return;
    build(site, state).catch((err) => {
      state.isStale = true;
      log.warn({ err }, 'a feed could not be built; the next who asks tries again');
    });
  }

  /** At once, or a second after the last time. */
  function changed(siteId: string, state: Known): void {
    state.isStale = true;
    if (state.waiting || isClosed) return;
    const wait = Math.max(0, state.startedAt + APART_MS - clock());
    state.waiting = setTimeout(() => {
      state.waiting = null;
      if (state.building)
        void state.building.catch(() => {}).then(() => state.isStale && changed(siteId, state));
      else if (state.isStale) rebuild(siteId, state);
    }, wait).unref();
  }

  function stateOf(siteId: string): Known {
    let state = known.get(siteId);
    if (!state) {
      state = {
        built: null,
        building: null,
        startedAt: 0,
        tookMs: 0,
        askedAt: 0,
        isStale: false,
        waiting: null,
        packed: new Map(),
      };
      known.set(siteId, state);
    }
    return state;
  }

  const feeds: Feeds = {
    async showing(site, isChanged = false) {
      if (isChanged) stateOf(site.siteId).isStale = true;
      return (await feeds.built(site)).showing;
    },
    built(site) {
      const state = stateOf(site.siteId);
      const now = clock();
      state.askedAt = now;
      const age = state.built ? now - state.built.asOf.getTime() : Number.POSITIVE_INFINITY;
      const isFresh = state.built && !state.isStale && (isListening || age < DEAF_MS);
      return isFresh ? state.built! : (state.building ?? build(site, state));
    },
    packed(site, built, wish) {
      const { packed } = stateOf(site.siteId);
      const limited = built.cards.some(({ notification }) => notification.targeting.countries.length > 0);
      const key = `${wish.language ?? ''} ${limited ? (wish.country ?? '') : ''}`;
      let one = packed.get(key);
      if (!one) {
        one = packFeed(built, wish);
        if (packed.size >= PACKED_MAX) packed.clear();
        packed.set(key, one);
      }
      return one;
    },
    onBuilt(heard) {
      hearers.add(heard);
      return () => hearers.delete(heard);
    },
    channel: {
      name: FEED_CHANNEL,
      heard(payload) {
        for (const [siteId, state] of known) if (!payload || payload === siteId) changed(siteId, state);
      },
      hears(listening) {
        isListening = listening;
        if (listening) for (const state of known.values()) state.isStale = true;
      },
    },
    async close() {
      isClosed = true;
      if (timer) clearInterval(timer);
      for (const { waiting } of known.values()) if (waiting) clearTimeout(waiting);
      await Promise.allSettled([...known.values()].map(({ building }) => building));
    },
  };
  return feeds;
}

const tagOf = (of: Buffer | string) => createHash('sha256').update(of).digest('base64url').slice(0, 22);

/** The first cards, as many as fit. */
function packFeed(built: Built, wish: Wish): PackedFeed {
  for (let items = built.cards.length; ; items = Math.floor(items / 2)) {
    const feed = renderFeed(built, wish, items);
    const plain = Buffer.from(jsonText(feed));
    const gzip = gzipSync(plain, { level: 6 });
    if (gzip.length > GZIP_BYTES_MAX && items > 0) continue;
    const brotli = brotliCompressSync(plain, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } });
    return { plain, gzip, brotli, etag: tagOf(plain), content: tagOf(jsonText({ ...feed, asOf: null })) };
  }
}
