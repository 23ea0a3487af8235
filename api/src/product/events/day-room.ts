// How much of the disk a day of visits may take: bytes are limited as counts are, for all, for a site and for a client.
// In memory, like http/rate-limit.ts; a start measures anew.
import { windows } from '../../ground/http/windows.ts';
import { AppError } from '../../ground/lib/app-error.ts';

const DAY_MS = 86_400_000;
/** A day takes at most a tenth of what is free when it begins: the next one a tenth of the rest, so the disk never fills. */
const OF_FREE = 0.1;
const ROOM_MIN = 64_000_000;
/** Of a day's room, one of several sites; one client of what its site may take; and what is typed into forms. */
const OF_SITE = 0.5;
const OF_CLIENT = 0.05;
const OF_FORMS = 0.25;
const CLIENTS_MAX = 20_000;

// What a row costs beside its texts, indexes, session and visitor included; a text stands in the session as well.
const ROW_BYTES = 600;
const TEXT_FACTOR = 1.5;
// more of a body is not kept: props 8 KB, path, referrer and campaign 2 KB each
const TEXT_BYTES_MAX = 16 * 1024;

export interface DayRoom {
  /** Takes the room of an event. bytes: of its body. throws daily_limit, with the seconds until there is room again */
  takeEvent(siteId: string, client: string, bytes: number): void;
  /** Whether what was typed into a form may be kept beside its address; takes its room. */
  hasRoomForWords(siteId: string, client: string, bytes: number): boolean;
  today(): { bytes: number; bytesMax: number; fullSites: number };
}

export interface DayRoomNeeds {
  /** All sites' events of a day, in bytes; null: a tenth of what is free. */
  bytesMax: number | null;
  /** null: nobody knows */
  freeBytes: () => number | null;
  siteCount: () => number;
  /** How many processes share the room. */
  processCount?: () => number;
  clock?: () => number;
}

export const endlessRoom: DayRoom = {
  takeEvent: () => {},
  hasRoomForWords: () => true,
  today: () => ({ bytes: 0, bytesMax: 0, fullSites: 0 }),
};

/** A share of the day: for all, of a site, of a client. */
function shareOf(all: number, ofSite: number, processCount: () => number, clock: () => number) {
  const clients = windows({ points: ofSite * OF_CLIENT, ms: DAY_MS, keysMax: CLIENTS_MAX }, clock);
  const sites = new Map<string, number>();
  const full = new Set<string>();
  let taken = 0;
  return {
    get taken() {
      return taken;
    },
    full,
    /** Milliseconds to wait; null: taken */
    take(siteId: string, client: string, bytes: number, untilMidnight: number): number | null {
      const ofThis = sites.get(siteId) ?? 0;
      // each process sees its part of what comes
      const part = processCount();
      if (taken + bytes > all / part || ofThis + bytes > ofSite / part) {
        full.add(siteId);
        return untilMidnight;
      }
      const wait = clients.take(`${siteId} ${client}`, bytes);
      if (wait !== null) return Math.min(wait, untilMidnight);
      taken += bytes;
      sites.set(siteId, ofThis + bytes);
      return null;
    },
  };
}

export function makeDayRoom({
  bytesMax,
  freeBytes,
  siteCount,
  processCount = () => 1,
  clock = Date.now,
}: DayRoomNeeds): DayRoom {
  const begin = (now: number) => {
    const free = freeBytes();
    const room = bytesMax ?? (free === null ? Number.POSITIVE_INFINITY : Math.max(ROOM_MIN, free * OF_FREE));
    const ofSite = siteCount() > 1 ? room * OF_SITE : room;
    return {
      number: Math.floor(now / DAY_MS),
      room,
      events: shareOf(room, ofSite, processCount, clock),
      forms: shareOf(room * OF_FORMS, ofSite * OF_FORMS, processCount, clock),
    };
  };
  let day: ReturnType<typeof begin> | null = null;
  const dayAt = (now: number) => {
    if (day?.number !== Math.floor(now / DAY_MS)) day = begin(now);
    return day;
  };
  const costOf = (bytes: number) => ROW_BYTES + TEXT_FACTOR * Math.min(bytes, TEXT_BYTES_MAX);
  return {
    takeEvent(siteId, client, bytes) {
      const now = clock();
      const wait = dayAt(now).events.take(siteId, client, costOf(bytes), DAY_MS - (now % DAY_MS));
      if (wait === null) return;
      throw new AppError(
        'daily_limit',
        'So much was sent to this site, or from this address, that no more is taken before the day (UTC) is over.',
        { retryAfterSeconds: Math.ceil(wait / 1000) },
      );
    },
    hasRoomForWords(siteId, client, bytes) {
      const now = clock();
      return dayAt(now).forms.take(siteId, client, costOf(bytes), DAY_MS - (now % DAY_MS)) === null;
    },
    today() {
      const { events, forms, room } = dayAt(clock());
      return {
        bytes: Math.round(events.taken + forms.taken),
        bytesMax: Number.isFinite(room) ? Math.round(room) : 0,
        fullSites: events.full.size,
      };
    },
  };
}
