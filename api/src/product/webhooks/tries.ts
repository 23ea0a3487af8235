// When a delivery is tried again, and when it or its endpoint is given up: pure.
import type { Attempt } from './send.ts';

const MINUTE_S = 60;
const HOUR_S = 3600;
/** Seconds before each try, after the one before it. */
const WAITS_S = [
  0,
  5,
  5 * MINUTE_S,
  30 * MINUTE_S,
  2 * HOUR_S,
  5 * HOUR_S,
  10 * HOUR_S,
  14 * HOUR_S,
  20 * HOUR_S,
  24 * HOUR_S,
];
export const TRIES_MAX = WAITS_S.length;
const SPREAD = 0.2;
const REST_S_MAX = 5 * MINUTE_S;

/** tries: that were made. random: 0 up to 1. returns  seconds until the next one; null: there is none */
export function nextTryIn(tries: number, attempt: Attempt, random: number): number | null {
  const wait = WAITS_S[tries];
  if (wait === undefined) return null;
  return Math.max(wait * (1 - SPREAD + 2 * SPREAD * random), attempt.retryAfterSeconds ?? 0);
}

/**
 * How long an endpoint is left alone: after silence longer each time, so that dead ones never hold up the others.
 * failures: in a row, this one included. returns  seconds
 */
export function restAfter({ outcome, retryAfterSeconds }: Attempt, failures: number): number {
  if (retryAfterSeconds !== null) return retryAfterSeconds;
  if (outcome !== 'timed_out' && outcome !== 'unreachable') return 0;
  return Math.min(REST_S_MAX, 5 * 2 ** Math.min(failures - 1, 10));
}

export const isGone = ({ status }: Attempt): boolean => status === 410;
