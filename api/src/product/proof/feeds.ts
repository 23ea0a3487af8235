// Feeds in memory: built when first asked for, each minute while somebody asks, and at once when something is taken back or
// changed, in whichever process. A request that finds one costs no query.
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import type { Channel } from '../../ground/db/listen.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { jsonText } from '../../ground/http/frame.ts';
import type { Packed } from '../../ground/http/packed.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import { FEED_CHANNEL } from '../notifications/feed-changed.ts';
import type { Showing } from '../notifications/schema.ts';
import { type BuildParts, type Built, buildSite } from './build.ts';
import { renderFeed, type Wish } from './render.ts';

const MINUTE_MS = 60_000;
/** Between two buildings of one site. */
const APART_MS = 1000;
/** One that was begun before something changed so long ago names nobody who may have taken it back. */
const OUTDATED_MS_MAX = 1000;
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
  /** As it was built with, or is being. */
  site: Site | null;
  /** What it resolves to may be answered to whoever asked while it was built. */
  building: Promise<Built> | null;
  startedAt: number;
  /** How long the last building took. */
  tookMs: number;
  askedAt: number;
  /** Grows with whatever changes what is shown. */
  changes: number;
  /** How many of them the built one saw; NOTHING: it is to be built anew, whatever changed. */
  seen: number;
  /** How many of them the one that is being built sees, and since when there are others. */
  sees: number;
  outdatedAt: number;
  /** What all wait for who need one that has not begun yet. */
  next: Promise<Built> | null;
  /** Ends the wait of the next one. */
  wake: (() => void) | null;
}
const NOTHING = -1;

export interface Feeds {
  /** What the site shows now: at hand, or being built. */
  built(site: Site): Built | Promise<Built>;
  showing(site: Site, isChanged?: boolean): Promise<ReadonlyMap<string, Showing>>;
  /** The feed as it is sent. */
  packed(built: Built, wish: Wish): PackedFeed;
  /** Calls whenever a site's was built anew. returns  what ends that */
  onBuilt(heard: (siteId: string, built: Built) => void): () => void;
  channel: Channel;
  /** The settings of a site count in its feed: these are heard apart from what changes its rows, and may be read later. */
  siteChannel: Channel;
  close(): Promise<void>;
}

export interface FeedParts extends BuildParts {
  db: Pool;
  sites: { find(siteId: string): Site | undefined; reload(): Promise<void> };
  log: Log;
  clock?: () => number;
  /** Default: a second. */
  apartMs?: number | undefined;
}

export function openFeeds(given: FeedParts): Feeds {
  const { db, sites, log, clock = Date.now, apartMs = APART_MS, ...parts } = given;
  const known = new Map<string, Known>();
  const packedOf = new WeakMap<Built, Map<string, PackedFeed>>();
  const hearers = new Set<(siteId: string, built: Built) => void>();
  let isListening = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | null = null;

  function build(site: Site, state: Known): Promise<Built> {
    const startedAt = clock();
    const sees = state.changes;
    Object.assign(state, { startedAt, sees, site });
    const work = inSites(db, site.siteId, (tx) => buildSite(tx, site, new Date(clock()), parts));
    state.building = work
      .then(
        (built) => {
          state.tookMs = clock() - startedAt;
          state.built = built;
          state.seen = sees;
          for (const heard of hearers) heard(site.siteId, built);
          const isOutdated = isListening ? state.changes !== sees : true;
          const since = isListening ? state.outdatedAt : startedAt;
          return isOutdated && clock() - since >= OUTDATED_MS_MAX ? withoutActs(built) : built;
        },
        (err: unknown) => {
          state.seen = NOTHING;
          throw err;
        },
      )
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
      if (!state.built?.isAlive || state.building || state.next) continue;
      if (clock() - state.startedAt < Math.max(apartMs, REST * state.tookMs)) continue;
      const site = sites.find(siteId);
      // nobody looks: whoever comes next waits for a new one
      if (state.askedAt < clock() - 2 * MINUTE_MS) state.seen = NOTHING;
      else if (site) build(site, state).catch(failed);
    }
  }

  const failed = (err: unknown) =>
    log.warn({ err }, 'a feed could not be built; the next who asks tries again');

  function outdate(state: Known): void {
    if (state.building && state.sees === state.changes) state.outdatedAt = clock();
    state.changes += 1;
  }

  /** At once, or a second after the last time. */
  function changed(siteId: string, state: Known): void {
    outdate(state);
    const site = sites.find(siteId);
    if (site && !isClosed) newer(site, state).catch(failed);
  }

  /** Those whose settings are not the ones they were built with. */
  function lookAtSites(): void {
    sites
      .reload()
      .then(() => {
        for (const [siteId, state] of known)
          if (state.site && !isDeepStrictEqual(sites.find(siteId)?.settings, state.site.settings))
            changed(siteId, state);
      })
      .catch(failed);
  }

  /** Whether it may be answered to who asks now: nothing was taken back since, as far as that can be heard. */
  const isFresh = (state: Known, askedAt: number): boolean =>
    state.built !== null &&
    state.seen === state.changes &&
    (isListening || askedAt - state.built.asOf.getTime() < DEAF_MS);
  const willBeFresh = (state: Known, askedAt: number): boolean =>
    state.building !== null &&
    state.sees === state.changes &&
    (isListening || askedAt - state.startedAt < DEAF_MS);

  /** One that knows of all that changed before: at hand soon, and the same for all who wait for it. */
  function newer(site: Site, state: Known): Promise<Built> {
    if (willBeFresh(state, clock())) return state.building!;
    if (state.next) return state.next;
    if (!state.building && isRested(state)) return build(site, state);
    const next = afterRest(site, state).finally(() => {
      if (state.next === next) state.next = null;
    });
    state.next = next;
    return next;
  }

  const isRested = ({ startedAt }: Known): boolean => clock() - startedAt >= apartMs;

  /** Waits before it builds: whoever calls it keeps it for others first. */
  async function afterRest(site: Site, state: Known): Promise<Built> {
    let restedFrom: number | null = null;
    for (;;) {
      if (isClosed) throw new AppError('unavailable', 'The server is stopping; ask again.');
      if (willBeFresh(state, clock())) return state.building!;
      if (isFresh(state, clock())) return state.built!;
      // one that began before something changed
      if (state.building) await state.building.catch(() => {});
      else if (restedFrom === state.startedAt || isRested(state)) {
        // whoever asks from here on finds it being built, or needs another one
        state.next = null;
        return build(sites.find(site.siteId) ?? site, state);
      } else {
        restedFrom = state.startedAt;
        await rest(state, Math.min(apartMs, restedFrom + apartMs - clock()));
      }
    }
  }

  const rest = (state: Known, ms: number): Promise<void> =>
    new Promise((done) => {
      const timer = setTimeout(wake, ms).unref();
      state.wake = wake;
      function wake(): void {
        clearTimeout(timer);
        state.wake = null;
        done();
      }
    });

  function stateOf(siteId: string): Known {
    let state = known.get(siteId);
    if (!state) {
      state = {
        built: null,
        site: null,
        building: null,
        startedAt: 0,
        tookMs: 0,
        askedAt: 0,
        changes: 0,
        seen: NOTHING,
        sees: 0,
        outdatedAt: 0,
        next: null,
        wake: null,
      };
      known.set(siteId, state);
    }
    return state;
  }

  const feeds: Feeds = {
    async showing(site, isChanged = false) {
      if (isChanged) outdate(stateOf(site.siteId));
      return (await feeds.built(site)).showing;
    },
    built(site) {
      const state = stateOf(site.siteId);
      state.askedAt = clock();
      return isFresh(state, state.askedAt) ? state.built! : newer(site, state);
    },
    packed(built, wish) {
      const packed = packedOf.get(built) ?? new Map<string, PackedFeed>();
      packedOf.set(built, packed);
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
        if (listening) for (const state of known.values()) outdate(state);
      },
    },
    siteChannel: {
      name: 'sites_changed',
      heard: () => known.size > 0 && lookAtSites(),
      hears: (listening) => listening && known.size > 0 && lookAtSites(),
    },
    async close() {
      isClosed = true;
      if (timer) clearInterval(timer);
      for (const { wake } of known.values()) wake?.();
      await Promise.allSettled([...known.values()].map(({ building }) => building));
    },
  };
  return feeds;
}

const tagOf = (of: Buffer | string) => createHash('sha256').update(of).digest('base64url').slice(0, 22);

/** Of what was built too slowly: somebody of whom it tells may have taken that back for longer than a feed may not know. */
const withoutActs = (built: Built): Built => ({
  ...built,
  cards: built.cards.filter(({ act }) => act === null),
});

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
