// What a form loses when there is no room: never its address, only what was typed beside it.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { windows } from '../../ground/http/windows.ts';
import type { Issue } from '../../ground/lib/app-error.ts';
import type { CaptureInput } from './schema.ts';

const DAY_MS = 86_400_000;
/** Wordings a site's forms may bring in a day that were not seen before: a site has a few, a template that writes names into them has many. */
const NEW_WORDINGS_PER_DAY = 500;
const SITES_MAX = 5_000;
const KNOWN_MAX = 20_000; // 2 MB

const NO_ROOM = 'left out: there is no room for it at the moment';

/** Whether the words of a consent are new, and more than a site's forms bring in a day: each is kept for as long as its proof. */
export function wordingLimit(): (siteId: string, words: string | undefined) => boolean {
  const known = new LRUCache<string, true>({ max: KNOWN_MAX });
  const sites = windows({ points: NEW_WORDINGS_PER_DAY, ms: DAY_MS, keysMax: SITES_MAX });
  return (siteId, words) => {
    if (!words) return false;
    const key = createHash('sha256').update(`${siteId} ${words}`).digest('base64url').slice(0, 22);
    if (known.has(key)) return false;
    if (sites.take(siteId) !== null) return true;
    known.set(key, true);
    return false;
  };
}

/** The capture without what was typed beside the address; its warnings say so. */
export function shed(input: CaptureInput): { input: CaptureInput; warnings: Issue[] } {
  const { payload, ...rest } = input;
  if (!payload) return { input, warnings: [] };
  // in the payload itself, as what was cut is
  return {
    input: { ...rest, payload: { _cut: ['payload'] } },
    warnings: [{ path: 'payload', message: NO_ROOM }],
  };
}
