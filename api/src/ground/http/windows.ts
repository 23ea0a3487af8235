// Points that keys may take in a stretch of time, in a table that strangers cannot lengthen beyond its bound.

export interface Windows {
  /** Takes points. returns  null when there were enough, else the milliseconds until the key's window ends */
  take(key: string, points?: number): number | null;
  /** Whether a key has nothing left, without taking from it. returns  as take */
  look(key: string): number | null;
  /** Whether a window of the key is open. */
  has(key: string): boolean;
  /** How many keys are held whose windows are open, or ended and were not cleared yet. */
  readonly size: number;
}

const MINUTE_MS = 60_000;
const NETWORKS_MAX = 1000;

/**
 * For lines that strangers make us write: one a minute of each network, and so many of all together.
 * returns  whether this one may be written; it is counted only then
 */
export function sparingly(perMinute: number, clock?: () => number): (network: string) => boolean {
  const networks = windows({ points: 1, ms: MINUTE_MS, keysMax: NETWORKS_MAX }, clock);
  const all = windows({ points: perMinute, ms: MINUTE_MS, keysMax: 1 }, clock);
  return (network) =>
    networks.look(network) === null && all.take('all') === null && networks.take(network) === null;
}

interface Window {
  key: string;
  taken: number;
  endsAt: number;
}

/**
 * A key's window begins with its first point and lasts for `ms`. Windows end in the order in which they began, so those
 * that have ended are the first of a line.
 * keysMax  when so many windows are open, the oldest gives way to the next: its key starts anew, and nobody is refused
 *          for what others do. A key with its window takes about 200 bytes.
 */
export function windows(
  { points, ms, keysMax }: { points: number | (() => number); ms: number; keysMax: number },
  clock: () => number = () => performance.now(),
): Windows {
  const open = new Map<string, Window>();
  // A ring: looking for the first of a Map that is filled and emptied goes over everything that was deleted.
  const line: (Window | undefined)[] = [];
  let first = 0;
  let length = 0;
  const begin = (key: string, now: number): Window => {
    while (length > 0) {
      const oldest = line[first]!;
      if (oldest.endsAt > now && length < keysMax) break;
      line[first] = undefined;
      first = (first + 1) % keysMax;
      length -= 1;
      if (open.get(oldest.key) === oldest) open.delete(oldest.key);
    }
    const window = { key, taken: 0, endsAt: now + ms };
    line[(first + length) % keysMax] = window;
    length += 1;
    open.set(key, window);
    return window;
  };
  const left = ({ taken, endsAt }: Window, more: number, now: number) =>
    taken + more <= (typeof points === 'number' ? points : points()) ? null : Math.max(1, endsAt - now);
  return {
    take(key, more = 1) {
      const now = clock();
      let window = open.get(key);
      if (!window || window.endsAt <= now) window = begin(key, now);
      const wait = left(window, more, now);
      // what is refused takes nothing: a large one does not empty the bucket of small ones
      if (wait === null) window.taken += more;
      return wait;
    },
    look(key) {
      const now = clock();
      const window = open.get(key);
      return window && window.endsAt > now ? left(window, 1, now) : null;
    },
    has: (key) => (open.get(key)?.endsAt ?? 0) > clock(),
    get size() {
      return length;
    },
  };
}
