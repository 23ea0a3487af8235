// What people and the site's own do all the while: events, captures, withdrawals, erasures, links, rollups.
import { pause } from '../kill.ts';
import { type Asking, captureOf, eventOf, type Somebody, seenOf, somebody } from './ask.ts';

const EVENT_LANES = 6;
const CAPTURE_LANES = 3;

/** What was acknowledged. */
export interface Acknowledged {
  events: string[];
  sent: string[];
  leads: Somebody[];
  withdrawn: Set<Somebody>;
  erased: Set<Somebody>;
  /**
   * Of whom the database knew nothing when it was asked: their form was in the journal, so nothing tied a browser to them.
   * Such a browser's visits stay, as anybody's; their address is nowhere all the same.
   */
  untied: Set<Somebody>;
  merged: number;
  rollups: number;
}

/**
 * random          0..1; decides what becomes of whom
 * notificationId  of which every third event is
 */
export function startLoad({ ask }: Asking, random: () => number, notificationId: string) {
  const done: Acknowledged = {
    events: [],
    sent: [],
    leads: [],
    withdrawn: new Set(),
    erased: new Set(),
    untied: new Set(),
    merged: 0,
    rollups: 0,
  };
  let isRunning = true;
  // whom something is to be done with, each once and by one lane
  const toWithdraw: Somebody[] = [];
  const toErase: Somebody[] = [];
  const toMerge: Somebody[] = [];

  const again = async (work: () => Promise<void>, restMs = 0) => {
    while (isRunning) {
      await work();
      await pause(restMs);
    }
  };
  const next = (queue: Somebody[], work: (one: Somebody) => Promise<void>) =>
    again(async () => {
      const one = queue.shift();
      if (one) await work(one);
    }, 20);

  async function sendEvent(one: Somebody) {
    // who sends all the while would soon have seen it more often than is counted
    const seer = visitors.includes(one) ? somebody() : one;
    const event = done.sent.length % 3 === 2 ? seenOf(seer, notificationId) : eventOf(one);
    done.sent.push(event.eventId);
    if (await ask('/v1/events', event)) done.events.push(event.eventId);
  }
  async function capture() {
    const one = somebody();
    if (random() < 0.5) await sendEvent(one);
    if (!(await ask('/v1/leads/capture', captureOf(one)))) return;
    done.leads.push(one);
    const fate = random();
    if (fate < 0.25) toWithdraw.push(one);
    else if (fate < 0.4) toErase.push(one);
    else if (fate < 0.55) toMerge.push(one);
  }
  async function withdraw(one: Somebody) {
    if (!(await ask('/v1/leads/unsubscribe', { email: one.email }))) return;
    done.withdrawn.add(one);
    if (random() < 0.3) toErase.push(one);
  }
  async function erase(one: Somebody) {
    // 404: an answer that was lost had erased them already, or they are still in the journal and are dropped on their way
    const answer = await ask('/v1/leads/delete', { email: one.email }, [200, 404]);
    if (answer) done.erased.add(one);
    if (answer?.status === 404) done.untied.add(one);
  }
  async function merge(one: Somebody) {
    const second = { ...one, anonId: `${one.anonId}-2` };
    await sendEvent(second);
    // 404: still in the journal
    const answer = await ask('/v1/identities/merge', { email: one.email, anonId: second.anonId }, [200, 404]);
    if (answer?.status === 200) done.merged += 1;
    else done.untied.add(one);
    if (random() < 0.3) toErase.push(one);
  }
  async function rollUp() {
    // 409: one is under way
    if (await ask('/v1/admin/jobs/rollup', {}, [200, 409])) done.rollups += 1;
  }

  const visitors = Array.from({ length: EVENT_LANES }, somebody);
  const work = [
    ...visitors.map((one) => again(() => sendEvent(one))),
    ...Array.from({ length: CAPTURE_LANES }, () => again(capture, 10)),
    next(toWithdraw, withdraw),
    next(toErase, erase),
    next(toMerge, merge),
    again(rollUp, 1500),
  ];
  return {
    done,
    /** Ends when everything that was begun is answered. */
    async stop() {
      isRunning = false;
      await Promise.all(work);
    },
  };
}
