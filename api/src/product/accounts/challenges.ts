// What a passkey signs: random, five minutes long, good once. It carries its own mark, so that nothing is kept of one until it was
// answered rightly, and no stranger can fill a memory or push out somebody else's.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';

const LIFE_MS = 5 * 60_000;
const RANDOM_BYTES = 16;
const HEAD_BYTES = RANDOM_BYTES + 8;
const USED_MAX = 10_000;

export interface Challenges {
  /** purpose  what it is good for, and for whom. returns  base64url */
  make(purpose: string): string;
  isGood(challenge: string, purpose: string): boolean;
  /** After the answer was right; any random name may be one. returns  false: another one was answered with it already */
  useUp(challenge: string): boolean;
}

/** Of this process: those from before a restart are worth nothing after it. */
export function makeChallenges(): Challenges {
  const key = randomBytes(32);
  let used: LRUCache<string, true> | undefined; // it takes its room at once: not before somebody has a passkey
  const markOf = (head: Buffer, purpose: string) =>
    createHmac('sha256', key).update(head).update(purpose).digest();
  return {
    make(purpose) {
      const head = Buffer.alloc(HEAD_BYTES);
      randomBytes(RANDOM_BYTES).copy(head);
      head.writeBigUInt64BE(BigInt(Date.now() + LIFE_MS), RANDOM_BYTES);
      return Buffer.concat([head, markOf(head, purpose)]).toString('base64url');
    },
    isGood(challenge, purpose) {
      const bytes = Buffer.from(challenge, 'base64url');
      const head = bytes.subarray(0, HEAD_BYTES);
      const expected = markOf(head, purpose);
      const mark = bytes.subarray(HEAD_BYTES);
      if (head.length !== HEAD_BYTES || mark.length !== expected.length) return false;
      if (!timingSafeEqual(mark, expected) || used?.has(bytes.toString('base64url'))) return false;
      return head.readBigUInt64BE(RANDOM_BYTES) > BigInt(Date.now());
    },
    useUp(challenge) {
      const name = Buffer.from(challenge, 'base64url').toString('base64url');
      used ??= new LRUCache({ max: USED_MAX, ttl: LIFE_MS });
      if (used.has(name)) return false;
      used.set(name, true);
      return true;
    },
  };
}
