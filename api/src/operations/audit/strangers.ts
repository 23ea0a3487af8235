// Who came with a key or a token that is none leaves a line of actor `nobody`: few, because strangers write them.
import type { Call } from '../../ground/http/call.ts';
import { sparingly } from '../../ground/http/windows.ts';

/** Of all strangers together, in a minute; each has one at most. What comes beyond is counted into the next. */
export const STRANGERS_PER_MINUTE = 5;

/**
 * note     writes a line (audit.ts)
 * returns  what the frame calls when a key was refused: the line says the keyed hash of the address and the route, never the
 *          key, and in `more` how many others were refused since the line before
 */
export function strangerLog(
  note: (call: Call, outcome: number) => Promise<void>,
  clock?: () => number,
): (call: Call, outcome: number) => Promise<void> {
  const mayWrite = sparingly(STRANGERS_PER_MINUTE, clock);
  let more = 0;
  return async (call, outcome) => {
    const from = call.client.limitKey;
    if (!mayWrite(from)) {
      more += 1;
      return;
    }
    call.note({ details: { from, ...(more > 0 ? { more } : {}) } });
    more = 0;
    await note(call, outcome);
  };
}
