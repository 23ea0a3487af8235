// A list of the API that comes a page at a time: `limit` and `cursor`, the answer's `nextCursor`.
import { useEffect, useState } from 'preact/hooks';
import { ask, Refusal } from './ask.ts';

export interface Paged<Answer, Row> {
  /** Of all pages so far; null: none is here yet. */
  rows: Row[] | null;
  /** The first page's own answer, for what stands beside its rows. */
  first: Answer | null;
  problem: Refusal | null;
  /** The rows are of the question before. */
  isOld: boolean;
  /** null: there is no more */
  more: (() => void) | null;
  /** From the beginning; the rows of before stay in sight meanwhile. */
  again(): Promise<void>;
}

/** path  with its question, without a cursor; null: nothing is asked */
export function usePages<Answer extends { nextCursor: string | null }, Row>(
  path: string | null,
  rowsOf: (answer: Answer) => Row[],
): Paged<Answer, Row> {
  const [state, set] = useState<{ path: string | null; first: Answer | null; rows: Row[] | null }>({
    path: null,
    first: null,
    rows: null,
  });
  const [next, setNext] = useState<string | null>(null);
  const [problem, setProblem] = useState<Refusal | null>(null);
  const load = async (cursor: string | null, signal?: AbortSignal) => {
    if (path === null) return;
    const question = cursor ? `${path}&cursor=${encodeURIComponent(cursor)}` : path;
    try {
      const answer = await ask<Answer>(question, signal ? { signal } : {});
      const rows = rowsOf(answer);
      set((was) =>
        cursor && was.path === path
          ? { ...was, rows: [...(was.rows ?? []), ...rows] }
          : { path, first: answer, rows },
      );
      setNext(answer.nextCursor);
      setProblem(null);
    } catch (error) {
      if (error instanceof Refusal) setProblem(error);
    }
  };
  useEffect(() => {
    const ending = new AbortController();
    load(null, ending.signal);
    return () => ending.abort();
  }, [path]);
  return {
    rows: state.rows,
    first: state.first,
    problem,
    isOld: state.path !== path,
    more: next === null ? null : () => load(next),
    again: () => load(null),
  };
}
