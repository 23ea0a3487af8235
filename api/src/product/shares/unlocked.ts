// Who said the password of a shared view: for twelve hours, in this process's memory.
import { LRUCache } from 'lru-cache';
import { hashOf, newSecret } from '../accounts/secrets.ts';

export const UNLOCK_SECONDS = 12 * 3600;
const UNLOCKED_MAX = 5000;

export interface Unlocked {
  /** returns  what is sent as x-share-unlock */
  open(shareId: string): string;
  isOpen(shareId: string, unlock: string): boolean;
}

export function makeUnlocked(): Unlocked {
  let known: LRUCache<string, string> | undefined; // it takes its room at once: not before a view has a password
  const nameOf = (unlock: string) => hashOf(unlock).toString('base64url');
  return {
    open(shareId) {
      const unlock = newSecret();
      known ??= new LRUCache({ max: UNLOCKED_MAX, ttl: UNLOCK_SECONDS * 1000 });
      known.set(nameOf(unlock), shareId);
      return unlock;
    },
    isOpen: (shareId, unlock) => unlock !== '' && known?.get(nameOf(unlock)) === shareId,
  };
}
