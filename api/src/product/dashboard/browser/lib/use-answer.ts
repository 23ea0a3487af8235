// What an address of the API answers, for a component: the old answer stays in sight while the next one is on its way.
import { useEffect, useState } from 'preact/hooks';
import { ask, Refusal } from './ask.ts';

export interface Answer<T> {
  data: T | null;
  problem: Refusal | null;
  /** `data` is of another question, or is being asked for again. */
  isOld: boolean;
  again(): void;
}

/** Of this page's life: going back shows at once what was seen, and asks anew. */
const seen = new Map<string, unknown>();
const SEEN_MAX = 60;

function keep(path: string, data: unknown): void {
  seen.delete(path);
  seen.set(path, data);
  if (seen.size > SEEN_MAX) seen.delete(seen.keys().next().value!);
}
/** Nothing of one person is shown to the next. */
export const forgetAnswers = (): void => seen.clear();

/** path  null: nothing is asked */
export function useAnswer<T>(path: string | null, everyMs = 0): Answer<T> {
  const [state, set] = useState<{ path: string | null; data: T | null; problem: Refusal | null }>({
    path: null,
    data: null,
    problem: null,
  });
  const [round, next] = useState(0);
  // a round is a question asked again
  useEffect(() => {
    if (path === null) return;
    const ending = new AbortController();
    ask<T>(path, { signal: ending.signal }).then(
      (data) => {
        keep(path, data);
        set({ path, data, problem: null });
      },
      (error) => {
        if (error instanceof Refusal) set((was) => ({ ...was, path, problem: error }));
      },
    );
    return () => ending.abort();
  }, [path, round]);
  useEffect(() => {
    if (everyMs === 0 || path === null) return;
    const began = Date.now();
    const timer = setInterval(() => {
      // who left it open for half an hour is not looking
      if (document.visibilityState === 'visible' && Date.now() - began < 1_800_000) next((n) => n + 1);
    }, everyMs);
    return () => clearInterval(timer);
  }, [path, everyMs]);
  const data = state.path === path && state.data ? state.data : ((seen.get(path ?? '') as T) ?? state.data);
  return {
    data: data ?? null,
    problem: state.path === path ? state.problem : null,
    isOld: state.path !== path,
    again: () => next((n) => n + 1),
  };
}
