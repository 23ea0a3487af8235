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
/** Of one endpoint before the next one's turn. */
const IN_A_ROW = 20;
const GIVE_UP_AFTER_MS = 5 * 86_400_000;
const WAIT_MS_MAX = 5 * 60_000;
const CLOSE_MS_MAX = 5000;

export interface Deliverer {
  /** Looks for what is due, soon. */
  wake(): void;
  /** Delivers what is due now. returns  how many tries were made */
  deliver(): Promise<number>;
  /** Tries one at once, while nothing else of its endpoint is under way. */
  deliverOne(webhook: Claimed, deliveryId: string, isLast: boolean): Promise<void>;
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
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function tryOne(webhook: Claimed, due: Due, secrets: string[], isLast: boolean): Promise<boolean> {
    const { siteId, webhookId } = webhook;
    const data = due.email === null ? due.data : { ...due.data, email: due.email };
    const body = JSON.stringify({ type: due.type, timestamp: due.happenedAt, data });
    const attempt = await send(reach, { id: messageId(due.deliveryId), url: webhook.url, body, secrets });
    const { outcome, status, ms } = attempt;
    log.info({ webhookId, deliveryId: due.deliveryId, try: due.tries + 1, outcome, status, ms }, 'delivery');
    const isDelivered = outcome === 'delivered';
    webhook.failures = isDelivered ? 0 : webhook.failures + 1;
    const nextInSeconds = isLast ? null : nextTryIn(due.tries + 1, attempt, Math.random());
    const restSeconds = isDelivered || isLast ? 0 : restAfter(attempt, webhook.failures);
    const seq = await inSites(db, siteId, async (tx) => {
      const { failingSince } = await recordTry(tx, webhook, due.deliveryId, {
        attempt,
        nextInSeconds,
        restSeconds,
      });
      if (isLast || isDelivered) return null;
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
    try {
      const secrets = vault && (await findSecrets(db, vault, webhook.siteId, webhook.webhookId));
      if (!secrets) {
        log.error({ webhookId: webhook.webhookId }, 'its secret cannot be opened: ACCOUNT_KEYS is another');
        await rest(webhook);
        return 0;
      }
      for (let goesOn = true; goesOn && tries < IN_A_ROW && !isClosed; ) {
        const due = await inSites(db, webhook.siteId, (tx) => findDue(tx, webhook));
        if (!due) break;
        goesOn = await tryOne(webhook, due, secrets, false);
        tries += 1;
      }
    } finally {
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

  const claim = () => inSites(db, sites.ids(), claimWebhook);
  async function worker(mine: Claimed | null): Promise<number> {
    let tries = 0;
    for (let webhook = mine; webhook && !isClosed; webhook = await claim()) tries += await serve(webhook);
    return tries;
  }

  async function all(): Promise<number> {
    let tries = 0;
    do {
      again = false;
      const first = await claim();
      if (!first) continue; // as mostly
      const others = Array.from({ length: AT_ONCE - 1 }, async () => worker(await claim()));
      const made = await Promise.all([worker(first), ...others]);
      tries += made.reduce((sum, one) => sum + one, 0);
    } while (again && !isClosed);
    return tries;
  }

  async function lookAgain(): Promise<void> {
    if (isClosed) return;
    const ms = await inSites(db, sites.ids(), nextDueIn);
    clearTimeout(timer);
    if (ms !== null) timer = setTimeout(wake, Math.min(Math.max(ms, 0) + 20, WAIT_MS_MAX)).unref();
  }

  function deliver(): Promise<number> {
    if (running) {
      again = true;
      return running;
    }
    running = all().finally(() => {
      running = null;
    });
    return running;
  }
  function wake(): void {
    if (isClosed) return;
    const isMine = running === null;
    const work = deliver();
    if (!isMine) return;
    work.then(lookAgain).catch((err) => {
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
    async deliverOne(webhook, deliveryId, isLast) {
      const due = await inSites(db, webhook.siteId, (tx) => findDue(tx, webhook, deliveryId));
      const secrets = vault && (await findSecrets(db, vault, webhook.siteId, webhook.webhookId));
      if (due && secrets) await tryOne(webhook, due, secrets, isLast);
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
