// What went wrong, in words, and what to do: wait and be asked again, or the id to name.
import { useEffect, useState } from 'preact/hooks';
import type { Refusal } from '../lib/ask.ts';
import { words } from '../lib/state.ts';

export function Problem({ problem, again }: { problem: Refusal; again?: () => void }) {
  const w = words.value!;
  const [left, setLeft] = useState(problem.retryAfter ?? (problem.status === 503 ? 5 : 0));
  useEffect(() => {
    if (!again || left <= 0) return;
    const timer = setTimeout(() => {
      setLeft(left - 1);
      if (left === 1) again();
    }, 1000);
    return () => clearTimeout(timer);
  }, [left, again]);
  const said =
    problem.status === 0
      ? w.offline
      : problem.status >= 500 && problem.status !== 503
        ? w.ourFault
        : problem.message;
  return (
    <div class="problem" role="alert">
      <p>{said}</p>
      {left > 0 && again && <p class="soft">{w.againIn(left)}</p>}
      {problem.requestId && problem.status >= 500 && <p class="soft">{w.requestId(problem.requestId)}</p>}
      {again && (
        <button type="button" class="quiet" onClick={again}>
          {w.tryAgain}
        </button>
      )}
    </div>
  );
}
