// The SQL door of endpoints and of what was delivered. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Claimed } from './deliver-queries.ts';
import type { Delivery, Webhook, WebhookPatch } from './schema.ts';
import { messageId } from './send.ts';

const AS_WEBHOOK = `webhook_id as "webhookId", kind, url, types, personal, version, instant_text(created_at) as "createdAt", made_by as "madeBy",
  instant_text(disabled_at) as "disabledAt", disabled_why as "disabledWhy", instant_text(failing_since) as "failingSince", dropped`;

export interface WebhookRow {
  kind: Webhook['kind'];
  url: string;
  types: readonly string[];
  personal: boolean;
  madeBy: string;
}

export const WEBHOOKS_MAX = 20;

/** returns  null when the site has as many as it may */
export async function insertWebhook(db: Db, siteId: string, webhook: WebhookRow): Promise<Webhook | null> {
  // one after the other, or two at once would both be the last
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' webhooks', 8))", [siteId]);
  const { rows } = await db.query<Webhook>(
    `insert into webhooks (site_id, kind, url, types, personal, made_by)
     select $1, $2, $3, $4, $5, $6 where (select count(*) from webhooks where site_id = $1) < ${WEBHOOKS_MAX}
     returning ${AS_WEBHOOK}`,
    [siteId, webhook.kind, webhook.url, webhook.types, webhook.personal, webhook.madeBy],
  );
  return rows[0] ?? null;
}

export async function listWebhooks(db: Db, siteId: string): Promise<Webhook[]> {
  const { rows } = await db.query<Webhook>(
    `select ${AS_WEBHOOK} from webhooks where site_id = $1 order by webhook_id desc`,
    [siteId],
  );
  return rows;
}

/** returns  null when the site has none of this id */
export async function findWebhook(
  db: Db,
  siteId: string,
  webhookId: string,
  lock = false,
): Promise<Webhook | null> {
  const { rows } = await db.query<Webhook>(
    `select ${AS_WEBHOOK} from webhooks where site_id = $1 and webhook_id = $2 ${lock ? 'for update' : ''}`,
    [siteId, webhookId],
  );
  return rows[0] ?? null;
}

export async function updateWebhook(
  db: Db,
  siteId: string,
  webhookId: string,
  { url, types, personal, enabled }: WebhookPatch,
): Promise<Webhook> {
  const { rows } = await db.query<Webhook>(
    `update webhooks set url = coalesce($3, url), types = coalesce($4, types), personal = coalesce($5, personal), version = version + 1,
       disabled_at = case $6::boolean when true then null when false then coalesce(disabled_at, now()) else disabled_at end,
       disabled_why = case $6::boolean when true then null when false then coalesce(disabled_why, 'by_hand') else disabled_why end,
       failing_since = case when $6::boolean then null else failing_since end,
       failures = case when $6::boolean then 0 else failures end,
       resting_until = case when $6::boolean then now() else resting_until end
     where site_id = $1 and webhook_id = $2 returning ${AS_WEBHOOK}`,
    [siteId, webhookId, url ?? null, types ?? null, personal ?? null, enabled ?? null],
  );
  return rows[0]!;
}

/** kind: only one of these. returns  whether there was one */
export async function deleteWebhook(
  db: Db,
  siteId: string,
  webhookId: string,
  kind: Webhook['kind'] | null = null,
): Promise<boolean> {
  const { rowCount } = await db.query(
    'delete from webhooks where site_id = $1 and webhook_id = $2 and ($3::text is null or kind = $3)',
    [siteId, webhookId, kind],
  );
  return (rowCount ?? 0) > 0;
}

/** Of which site a hook is; among those that are seen. */
export async function siteOfHook(db: Db, webhookId: string): Promise<string | null> {
  const { rows } = await db.query<{ site_id: string }>(
    "select site_id from webhooks where site_id = any (current_sites()) and webhook_id = $1 and kind = 'hook'",
    [webhookId],
  );
  return rows[0]?.site_id ?? null;
}

type DeliveryRow = Omit<Delivery, 'messageId'>;
const AS_DELIVERY = `delivery_id as "deliveryId", webhook_id as "webhookId", type, instant_text(happened_at) as "happenedAt", state,
  case when state = 'pending' then instant_text(due_at) end as "dueAt", tries, attempts`;
const withMessageId = (row: DeliveryRow): Delivery => {
  const { deliveryId, ...rest } = row;
  return { deliveryId, messageId: messageId(deliveryId), ...rest };
};

/** The newest first. */
export async function listDeliveries(
  db: Db,
  siteId: string,
  wanted: { webhookId?: string | undefined; state?: string | undefined },
  after: string | null,
  limit: number,
): Promise<Delivery[]> {
  const { rows } = await db.query<DeliveryRow>(
    `select ${AS_DELIVERY} from deliveries where site_id = $1 and ($2::uuid is null or webhook_id = $2)
       and ($3::text is null or state = $3) and ($4::uuid is null or delivery_id < $4) order by delivery_id desc limit $5`,
    [siteId, wanted.webhookId ?? null, wanted.state ?? null, after, limit],
  );
  return rows.map(withMessageId);
}

export async function findDelivery(db: Db, siteId: string, deliveryId: string): Promise<Delivery | null> {
  const { rows } = await db.query<DeliveryRow>(
    `select ${AS_DELIVERY} from deliveries where site_id = $1 and delivery_id = $2`,
    [siteId, deliveryId],
  );
  return rows[0] ? withMessageId(rows[0]) : null;
}

const AGAIN = "state = 'pending', due_at = now(), tries = 0, attempts = '[]'";

/** returns  null when the site has none of this id */
export async function replayOne(db: Db, siteId: string, deliveryId: string): Promise<Delivery | null> {
  const { rows } = await db.query<DeliveryRow>(
    `update deliveries set ${AGAIN} where site_id = $1 and delivery_id = $2 returning ${AS_DELIVERY}`,
    [siteId, deliveryId],
  );
  return rows[0] ? withMessageId(rows[0]) : null;
}

/** returns  how many */
export async function replayMany(
  db: Db,
  siteId: string,
  webhookId: string,
  { from, to, status }: { from: string; to: string; status: string },
): Promise<number> {
  const { rowCount } = await db.query(
    `update deliveries set ${AGAIN} where site_id = $1 and webhook_id = $2 and happened_at between $3 and $4
       and state <> 'pending' and ($5 = 'all' or state = $5)`,
    [siteId, webhookId, from, to, status],
  );
  return rowCount ?? 0;
}

/** A delivery that tries the connection out. returns  its id */
export async function insertTest(
  db: Db,
  siteId: string,
  webhookId: string,
  type: string,
  data: Record<string, unknown>,
): Promise<string> {
  // due far away: nobody but who asked tries it
  const { rows } = await db.query<{ id: string }>(
    `insert into deliveries (site_id, webhook_id, type, data, happened_at, due_at)
     values ($1, $2, $3, $4, now(), now() + interval '1 hour') returning delivery_id as id`,
    [siteId, webhookId, type, JSON.stringify(data)],
  );
  return rows[0]!.id;
}

/** As who delivers holds it. */
export const asClaimed = (siteId: string, { webhookId, kind }: Webhook): Claimed => ({
  siteId,
  webhookId,
  kind,
  failures: 0,
});
