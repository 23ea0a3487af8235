// Requests that are sent again until they are answered, and a note of every answer that should not be.
import { randomUUID } from 'node:crypto';
import { pause } from '../kill.ts';
import { admin, BROWSER } from '../server.ts';

export interface Asking {
  resent: number;
  /** Answers that are a fault of the product: 5xx other than 503, or a refusal of what is right. */
  faults: string[];
  /**
   * Sends until an answer has one of these statuses; 503 and a broken connection are tried again for as long as the
   * product is not given up.
   * returns  the status and its body; null when given up, or answered otherwise (a fault)
   */
  ask(at: string, body: unknown, wanted?: number[]): Promise<{ status: number; body: string } | null>;
  giveUp(): void;
}

export function asking(url: string): Asking {
  let isGivenUp = false;
  const made: Asking = {
    resent: 0,
    faults: [],
    giveUp() {
      isGivenUp = true;
    },
    async ask(at, body, wanted = [200, 202]) {
      for (; !isGivenUp; await pause(50)) {
        const answer = await fetch(`${url}${at}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'user-agent': BROWSER, ...admin },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(60_000),
        })
          .then(async (response) => ({ status: response.status, body: await response.text() }))
          .catch(() => null);
        if (answer && wanted.includes(answer.status)) return answer;
        if (answer && answer.status !== 503) {
          made.faults.push(`POST ${at}: ${answer.status} ${answer.body.slice(0, 200)}`);
          return null;
        }
        made.resent += 1;
      }
      return null;
    },
  };
  return made;
}

/** Counts again whatever changed: names of numbers are made anew from rows, and hold an erased person's until then. */
export async function rollUpNow({ ask }: Asking): Promise<void> {
  // 409: one is under way, and may have begun too early
  while ((await ask('/v1/admin/jobs/rollup', {}, [200, 409]))?.status === 409) await pause(100);
}

/** Somebody with a word of their own in everything they send. */
export function somebody() {
  const word = `w${randomUUID().replaceAll('-', '')}`;
  return { word, email: `${word}@torture.example`, anonId: `browser-${word}`, eventId: randomUUID() };
}
export type Somebody = ReturnType<typeof somebody>;

export const eventOf = ({ anonId, word }: Somebody, eventId: string = randomUUID()) => ({
  eventId,
  anonId,
  eventType: 'page_view',
  path: `/${word}?utm_campaign=${word}`,
  timestamp: Date.now(),
  props: { word },
});
/** That somebody saw a notification. */
export const seenOf = (one: Somebody, notificationId: string) => ({
  ...eventOf(one),
  eventType: 'proof_shown',
  props: { notificationId, variantId: 'a', receiptId: 'A'.repeat(22) },
});
export const captureOf = ({ email, anonId, word, eventId }: Somebody) => ({
  email,
  anonId,
  eventId,
  formName: `form of ${word}`,
  path: `/${word}`,
  consentStatus: 'express',
  consent: { text: 'Write to me.' },
  payload: { message: `I am ${word}` },
});
