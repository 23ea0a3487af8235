// Today's numbers for who listens: read after something changed them, once a second at most. Nothing is read, and nothing
// remembered, of a site that nobody listens to.
import type { Channel } from '../../ground/db/listen.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import type { Numbers } from '../metrics/numbers.ts';
import { readToday, type Today } from '../metrics/reports/today.ts';
import { todayOf } from '../metrics/reports/window.ts';

export const COUNTS = 'counts';
const APART_MS = 1000;

export interface Counts {
  /** Something may have changed them. */
  changed(siteId: string): void;
  /** What is known, for who begins to listen; null: it is read now, and told. */
  known(siteId: string): string | null;
  /** Now and then: the day may have changed, or what other processes did may not have been heard. */
  beat(siteId: string): void;
  /** Nobody listens any more. */
  drop(siteId: string): void;
  /** What others did to the numbers (migration 0013). */
  channel: Channel;
}

interface Known {
  today: Today | null;
  readAt: number;
  timer: NodeJS.Timeout | null;
  isReading: boolean;
  isStale: boolean;
}

export interface CountsParts {
  read(siteId: string): Promise<Today | null>;
  /** The site's day in progress. */
  day(siteId: string): string | undefined;
  /** Sites that somebody listens to. */
  heard(): Iterable<string>;
  tell(siteId: string, text: string): void;
  log: Log;
}

/** For openCounts: from the database. */
export const countsOf = (
  numbers: Pick<Numbers, 'read'>,
  sites: { find(siteId: string): Site | undefined },
) => ({
  async read(siteId: string) {
    const site = sites.find(siteId);
    return site ? numbers.read(siteId, (tx) => readToday(tx, site)) : null;
  },
  day(siteId: string) {
    const site = sites.find(siteId);
    return site && todayOf(site);
  },
});

const textOf = (data: Today) =>
  `event: ${COUNTS}\ndata: ${JSON.stringify({ type: COUNTS, timestamp: new Date().toISOString(), data })}\n\n`;

export function openCounts({ read, day, heard, tell, log }: CountsParts): Counts {
  const known = new Map<string, Known>();
  let isHearing = false;

  function changed(siteId: string): void {
    const state = known.get(siteId) ?? {
      today: null,
      readAt: Number.NEGATIVE_INFINITY,
      timer: null,
      isReading: false,
      isStale: false,
    };
    known.set(siteId, state);
    if (state.timer) return;
    if (state.isReading) {
      state.isStale = true;
      return;
    }
    const wait = Math.max(0, state.readAt + APART_MS - performance.now());
    state.timer = setTimeout(() => void look(siteId, state), wait).unref();
  }

  async function look(siteId: string, state: Known): Promise<void> {
    state.timer = null;
    state.isReading = true;
    state.isStale = false;
    state.readAt = performance.now();
    try {
      const today = await read(siteId);
      const isNews = today !== null && JSON.stringify(today) !== JSON.stringify(state.today);
      state.today = today;
      if (isNews && known.get(siteId) === state) tell(siteId, textOf(today));
    } catch (err) {
      state.today = null; // read anew with the next beat
      log.warn({ err }, 'the numbers of today could not be read for those who listen');
    } finally {
      state.isReading = false;
      if (state.isStale && known.get(siteId) === state) changed(siteId);
    }
  }

  return {
    changed,
    known(siteId) {
      const today = known.get(siteId)?.today;
      if (today) return textOf(today);
      changed(siteId);
      return null;
    },
    beat(siteId) {
      if (!isHearing || known.get(siteId)?.today?.day !== day(siteId)) changed(siteId);
    },
    drop(siteId) {
      const state = known.get(siteId);
      if (state?.timer) clearTimeout(state.timer);
      known.delete(siteId);
    },
    channel: {
      name: 'metrics_changed',
      heard(payload) {
        // none is named: somebody at the console, so all
        const named = payload ? new Set(payload.split(',')) : null;
        for (const siteId of heard()) if (!named || named.has(siteId)) changed(siteId);
      },
      hears(isListening) {
        isHearing = isListening;
        if (isListening) for (const siteId of heard()) changed(siteId);
      },
    },
  };
}
