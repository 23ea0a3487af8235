// Delivers what is due: one delivery of an endpoint at a time, four endpoints at once, whichever process. Nothing runs while
// nothing waits; what woke it is the outbox that grew, or the time of the next try.
import { isDatabaseAway } from '../../ground/db/faults.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Vault } from '../accounts/vault.ts';
import { insertNews, listenADayMore, type Outbox } from '../outbox/outbox.ts';
import {
  type Claimed,
  claimWebhook,
  type Due,
  disableWebhook,
  findDue,
  hasListeners,
  letGo,
  nextDueIn,
  recordTry,
} from './deliver-queries.ts';
import type { Reach } from './reach.ts';
import { findSecrets } from './secrets.ts';
import { type Attempt, messageId, send } from './send.ts';
import { isGone, nextTryIn, restAfter } from './tries.ts';

const AT_ONCE = 4;
/** Of those whose last try failed. */
const FAILING_AT_ONCE = 2;
/** Of one endpoint before the next one's turn. */
const IN_A_ROW = 20;
const GIVE_UP_AFTER_MS = 5 * 86_400_000;
const WAIT_MS_MAX = 5 * 60_000;
const WHILE_BUSY_MS = 1000;
const CLOSE_MS_MAX = 5000;

export interface Deliverer {
  /** Looks for what is due, soon. */
  wake(): void;
  /** Delivers what is due now. returns  how many tries were made */
  deliver(): Promise<number>;
  /** Tries one at once, while nothing else of its endpoint is under way. */
  deliverOne(webhook: Claimed, deliveryId: string, isTrial: boolean): Promise<void>;
  reach: Reach;
  close(): Promise<void>;
}

export interface DelivererParts {
  db: Pool;
  sites: { ids(): string[] };
  /** null: without a keyring there are no secrets, so no endpoints. */
  vault: Vault | null;
  outbox: Outbox;
  reach: Reach;
  log: Log;
}

export function openDeliverer({ db, sites, vault, outbox, reach, log }: DelivererParts): Deliverer {
  let running: Promise<number> | null = null;
  /** What works now, four at most; nothing while nothing is due. */
  const hands = new Set<Promise<void>>();
  let claiming = 0;
  let woken = 0;
  let made = 0;
  let failure: unknown;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** How many of those in hand failed last: they may hang, and must leave hands free for the others. */
  let failing = 0;

  async function tryOne(webhook: Claimed, due: Due, secrets: string[], isTrial: boolean): Promise<boolean> {
    const { siteId, webhookId } = webhook;
    const data = due.email === null ? due.data : { ...due.data, email: due.email };
    const body = JSON.stringify({ type: due.type, timestamp: due.happenedAt, data });
    const attempt = await send(reach, { id: messageId(due.deliveryId), url: due.url, body, secrets });
    const { outcome, status, ms } = attempt;
    log.info({ webhookId, deliveryId: due.deliveryId, try: due.tries + 1, outcome, status, ms }, 'delivery');
    const isDelivered = outcome === 'delivered';
    if (!isTrial) webhook.failures = isDelivered ? 0 : webhook.failures + 1;
    const nextInSeconds = isTrial ? null : nextTryIn(due.tries + 1, attempt, Math.random());
    const restSeconds = isDelivered || isTrial ? 0 : restAfter(attempt, webhook.failures);
    const seq = await inSites(db, siteId, async (tx) => {
      const { failingSince } = await recordTry(tx, webhook, due.deliveryId, {
        attempt,
        nextInSeconds,
        restSeconds,
        isTrial,
      });
      if (isTrial || isDelivered) return null;
      const why = whyEnded(attempt, failingSince);
      if (why) return endWebhook(tx, webhook, due.deliveryId, why);
      if (nextInSeconds !== null) return null;
      return insertNews(tx, siteId, 'webhook.dead', {
        webhookId,
        deliveryId: due.deliveryId,
        why: 'gave_up',
      });
    });
    outbox.wrote(siteId, seq);
    return isDelivered || restSeconds === 0;
  }

  /** Up to so many of one endpoint, which is let go then. returns  how many tries were made */
  async function serve(webhook: Claimed): Promise<number> {
    let tries = 0;
    const isFailing = webhook.failures > 0;
    failing += Number(isFailing);
    try {
      for (let goesOn = true; goesOn && tries < IN_A_ROW && !isClosed; ) {
        const due = await inSites(db, webhook.siteId, (tx) => findDue(tx, webhook));
        if (!due) break;
        // with each: one that was ended signs no more
        const secrets = vault && (await findSecrets(db, vault, webhook.siteId, webhook.webhookId));
        if (!secrets) {
          log.error({ webhookId: webhook.webhookId }, 'its secret cannot be opened: ACCOUNT_KEYS is another');
          await rest(webhook);
          break;
        }
        goesOn = await tryOne(webhook, due, secrets, false);
        tries += 1;
      }
    } finally {
      failing -= Number(isFailing);
      await inSites(db, webhook.siteId, (tx) => letGo(tx, webhook)).catch(() => {});
    }
    return tries;
  }
  const rest = ({ siteId, webhookId }: Claimed) =>
    inSites(db, siteId, (tx) =>
      tx.query(
        "update webhooks set resting_until = now() + interval '5 minutes' where site_id = $1 and webhook_id = $2",
        [siteId, webhookId],
      ),
    );

  async function claim(): Promise<Claimed | null> {
    // one that is being taken may be such a one
    const isWell = failing + claiming >= FAILING_AT_ONCE;
    claiming += 1;
    try {
      return await inSites(db, sites.ids(), (tx) => claimWebhook(tx, isWell));
    } finally {
      claiming -= 1;
    }
  }

  /** Serves one endpoint after the other until nothing is due. */
  async function work(): Promise<void> {
    while (!isClosed) {
      const seen = woken;
      const webhook = await claim();
      if (webhook) {
        addHand();
        made += await serve(webhook);
      } else if (woken === seen) break; // what came meanwhile may not have been seen
    }
    // the others may be held up for as long as an answer may take
    if (hands.size > 1) await lookAgain(WHILE_BUSY_MS);
  }

  function addHand(): void {
    if (isClosed || hands.size >= AT_ONCE) return;
    const hand = work()
      .catch((error) => {
        failure ??= error;
      })
      .finally(() => hands.delete(hand));
    hands.add(hand);
  }

  async function untilIdle(): Promise<number> {
    made = 0;
    failure = undefined;
    while (hands.size > 0) await Promise.all(hands);
    running = null;
    if (failure !== undefined) throw failure;
    return made;
  }

  /** soonest  milliseconds */
  async function lookAgain(soonest: number): Promise<void> {
    if (isClosed) return;
    const ms = await inSites(db, sites.ids(), nextDueIn);
    clearTimeout(timer);
    if (ms !== null) timer = setTimeout(wake, Math.min(Math.max(ms + 20, soonest), WAIT_MS_MAX)).unref();
  }

  function deliver(): Promise<number> {
    woken += 1;
    addHand();
    running ??= untilIdle();
    return running;
  }
  function wake(): void {
    if (isClosed) return;
    const isMine = running === null;
    const idle = deliver();
    if (!isMine) return;
    idle
      .then(() => lookAgain(20))
      .catch((err) => {
        log[isDatabaseAway(err) ? 'warn' : 'error']({ err }, 'deliveries could not be made; trying again');
        clearTimeout(timer);
        if (!isClosed) timer = setTimeout(wake, 10_000).unref();
      });
  }
  const forgetOutbox = outbox.onGrown(() => wake());

  return {
    wake,
    deliver,
    reach,
    async deliverOne(webhook, deliveryId, isTrial) {
      const due = await inSites(db, webhook.siteId, (tx) => findDue(tx, webhook, deliveryId));
      const secrets = vault && (await findSecrets(db, vault, webhook.siteId, webhook.webhookId));
      if (due && secrets) await tryOne(webhook, due, secrets, isTrial);
    },
    async close() {
      isClosed = true;
      forgetOutbox();
      clearTimeout(timer);
      // what is under way may end; what does not is tried again by the next process
      const patience = new Promise((done) => setTimeout(done, CLOSE_MS_MAX).unref());
      await Promise.race([running?.catch(() => {}), patience]);
    },
  };
}

function whyEnded(attempt: Attempt, failingSince: Date | null): 'gone' | 'failures' | null {
  if (isGone(attempt)) return 'gone';
  return failingSince && Date.now() - failingSince.getTime() >= GIVE_UP_AFTER_MS ? 'failures' : null;
}

type Tx = Parameters<typeof recordTry>[0];

/** Switches an endpoint off; what a program made for itself goes. returns  the number in the outbox */
async function endWebhook(
  db: Tx,
  { siteId, webhookId, kind }: Claimed,
  deliveryId: string,
  why: 'gone' | 'failures',
): Promise<number | null> {
  if (kind === 'hook' && why === 'gone')
    await db.query('delete from webhooks where site_id = $1 and webhook_id = $2', [siteId, webhookId]);
  else await disableWebhook(db, siteId, webhookId, why);
  const seq = await insertNews(db, siteId, 'webhook.dead', { webhookId, deliveryId, why });
  if (!(await hasListeners(db, siteId))) await listenADayMore(db, siteId);
  return seq;
}
