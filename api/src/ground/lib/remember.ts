// What was made of a text, kept for the next time: pages and referrers come again and again.
import { LRUCache } from 'lru-cache';

// A longer one is somebody's own and comes once; so two thousand of them are half a megabyte at most.
const LENGTH_MAX = 200;
const TEXTS_MAX = 2000;

/** The same function, whose answers for the last two thousand short texts are remembered. make: pure */
export function remembered<Made extends object | string | boolean>(
  make: (text: string) => Made,
): (text: string) => Made {
  const known = new LRUCache<string, Made>({ max: TEXTS_MAX });
  return (text) => {
    if (text.length > LENGTH_MAX) return make(text);
    let made = known.get(text);
    if (made === undefined) {
      made = make(text);
      known.set(text, made);
    }
    return made;
  };
}
