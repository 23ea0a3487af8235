// Something done by a button of a list: removed, revoked, ended. What the API says against it is kept for whoever shows it.
import { useState } from 'preact/hooks';
import { ask, type How, Refusal } from './ask.ts';

/** done  after each that succeeded: the list is asked for again */
export function useDeed(done: () => unknown) {
  const [refused, setRefused] = useState<Refusal | null>(null);
  /** resolves to what was answered; null when it was refused */
  const act = <T = unknown>(path: string, how: How = { method: 'DELETE' }): Promise<T | null> =>
    ask<T>(path, how).then(
      async (answer) => {
        setRefused(null);
        await done();
        return answer;
      },
      (error) => {
        if (!(error instanceof Refusal)) throw error;
        setRefused(error);
        return null;
      },
    );
  return { act, refused };
}
