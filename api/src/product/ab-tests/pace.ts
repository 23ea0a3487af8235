// How often a test is looked at: each minute, so that harm ends within one; a large one, whose look takes long, as often as
// a fiftieth of the time allows, and at least every ten minutes.
const REST = 49;
const REST_MS_MAX = 9.5 * 60_000;

export interface Pace {
  isDue(testId: string): boolean;
  /** It was looked at, which took so long. */
  took(testId: string, ms: number): void;
  /** Only these still run. */
  only(testIds: readonly string[]): void;
}

/** Of this process: another one that takes over looks at all once. now  in ms, of a clock that only goes on */
export function pace(now = () => performance.now()): Pace {
  const dueAt = new Map<string, number>();
  return {
    isDue: (testId) => (dueAt.get(testId) ?? 0) <= now(),
    took(testId, ms) {
      dueAt.set(testId, now() + Math.min(REST_MS_MAX, ms * REST));
    },
    only(testIds) {
      const running = new Set(testIds);
      for (const testId of dueAt.keys()) if (!running.has(testId)) dueAt.delete(testId);
    },
  };
}
