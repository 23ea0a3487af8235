// The SQL door of integrations. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Integration, Kind, Mapping } from './schema.ts';

type Row = Omit<Integration, 'url'>;
const AS_INTEGRATION = `integration_id as "integrationId", kind, mapping, version, instant_text(created_at) as "createdAt", made_by as "madeBy",
  (select instant_text(max(received_at)) from inbound_deliveries d where d.site_id = i.site_id and d.integration_id = i.integration_id) as "receivedAt",
  refused, instant_text(refused_at) as "refusedAt"`;

export const INTEGRATIONS_MAX = 20;

/** returns  null when the site has as many as it may */
export async function insertIntegration(
  db: Db,
  siteId: string,
  { kind, mapping, madeBy }: { kind: Kind; mapping: Mapping; madeBy: string },
): Promise<Row | null> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' integrations', 8))", [siteId]);
  const { rows } = await db.query<Row>(
    `insert into integrations as i (site_id, kind, mapping, made_by)
     select $1, $2, $3, $4 where (select count(*) from integrations where site_id = $1) < ${INTEGRATIONS_MAX}
     returning ${AS_INTEGRATION}`,
    [siteId, kind, JSON.stringify(mapping), madeBy],
  );
  if (rows[0]) await tellChanged(db, rows[0].integrationId);
  return rows[0] ?? null;
}

export async function listIntegrations(db: Db, siteId: string): Promise<Row[]> {
  const { rows } = await db.query<Row>(
    `select ${AS_INTEGRATION} from integrations i where site_id = $1 order by integration_id desc`,
    [siteId],
  );
  return rows;
}

/** returns  null when the site has none of this id. mapping: null leaves it */
export async function updateIntegration(
  db: Db,
  siteId: string,
  integrationId: string,
  mapping: Mapping | null,
): Promise<Row | null> {
  const { rows } = await db.query<Row>(
    `update integrations i set mapping = coalesce($3, mapping), version = version + 1
     where site_id = $1 and integration_id = $2 returning ${AS_INTEGRATION}`,
    [siteId, integrationId, mapping === null ? null : JSON.stringify(mapping)],
  );
  if (rows[0]) await tellChanged(db, integrationId);
  return rows[0] ?? null;
}

export async function lockIntegration(
  db: Db,
  siteId: string,
  integrationId: string,
): Promise<{ version: number; kind: Kind; mapping: Mapping } | null> {
  const { rows } = await db.query<{ version: number; kind: Kind; mapping: Mapping }>(
    'select version, kind, mapping from integrations where site_id = $1 and integration_id = $2 for update',
    [siteId, integrationId],
  );
  return rows[0] ?? null;
}

export async function deleteIntegration(db: Db, siteId: string, integrationId: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from integrations where site_id = $1 and integration_id = $2', [
    siteId,
    integrationId,
  ]);
  if (rowCount) await tellChanged(db, integrationId);
  return (rowCount ?? 0) > 0;
}

/** Said with the commit of whatever changes one: every process remembers them. */
export const INTEGRATIONS_CHANNEL = 'integrations';
async function tellChanged(db: Db, integrationId: string): Promise<void> {
  await db.query('select pg_notify($1, $2)', [INTEGRATIONS_CHANNEL, integrationId]);
}

export interface Known {
  siteId: string;
  kind: Kind;
  mapping: Mapping;
}

/** Beside the transaction that sees secrets. */
export const SEE_SITES = "select set_config('marketing.sites', $1, true)";

/**
 * Of whatever site, among those that are seen, a row for each secret that may still have signed, the newest first. In a
 * transaction of inAccounts that sees them (SEE_SITES).
 * integrationId  null: all
 */
export async function listKnown(
  db: Db,
  integrationId: string | null,
): Promise<
  (Known & {
    integrationId: string;
    secretId: string | null;
    sealed: Buffer | null;
    keyId: string | null;
    /** Epoch milliseconds. */
    endsAt: number | null;
  })[]
> {
  const { rows } = await db.query(
    `select i.site_id as "siteId", i.integration_id as "integrationId", kind, mapping, secret_id as "secretId", sealed, key_id as "keyId",
       (extract(epoch from ends_at) * 1000)::float8 as "endsAt"
     from integrations i
     left join integration_secrets s on s.site_id = i.site_id and s.integration_id = i.integration_id and (ends_at is null or ends_at > now())
     where i.site_id = any (current_sites()) and ($1::uuid is null or i.integration_id = $1) order by i.integration_id, secret_id desc`,
    [integrationId],
  );
  return rows;
}

export async function countRefused(db: Db, siteId: string, integrationId: string): Promise<void> {
  await db.query(
    'update integrations set refused = refused + 1, refused_at = now() where site_id = $1 and integration_id = $2',
    [siteId, integrationId],
  );
}

/**
 * returns  whether it is new: the same again, also at the same moment, is not. One of an integration that was ended while it
 *          waited is new each time: nothing is noted of it, and what it says is safe to store twice
 */
export async function claimDelivery(
  db: Db,
  siteId: string,
  integrationId: string,
  /** \x and hex. */
  key: string,
  outcome: 'stored' | 'ignored',
): Promise<boolean> {
  const { rows } = await db.query<{ isNew: boolean }>(
    `with there as (
       select site_id, integration_id from integrations where site_id = $1 and integration_id = $2
     ), claimed as (
       insert into inbound_deliveries (site_id, integration_id, delivery_key, outcome)
       select site_id, integration_id, $3::bytea, $4 from there on conflict do nothing returning delivery_key
     )
     select exists (select from claimed) or not exists (select from there) as "isNew"`,
    [siteId, integrationId, key, outcome],
  );
  return rows[0]!.isNew;
}

export async function notePayment(
  db: Db,
  siteId: string,
  { payment, invoice }: { payment: string; invoice: string },
): Promise<void> {
  await db.query(
    `insert into stripe_payments (site_id, payment, invoice) values ($1, $2, $3)
     on conflict (site_id, payment) do update set invoice = excluded.invoice, heard_at = now()`,
    [siteId, payment, invoice],
  );
}

/** The conversion that is taken back by what names a payment: that of the invoice it paid, where this was told. */
export async function purchaseOf(db: Db, siteId: string, id: string): Promise<string> {
  const { rows } = await db.query<{ id: string }>(
    `select 'stripe:' || invoice as id from stripe_payments where site_id = $1 and payment = substr($2, 8) and $2 like 'stripe:%'
       and exists (select from conversions where site_id = $1 and origin = 'server' and conversion_id = 'stripe:' || invoice)`,
    [siteId, id],
  );
  return rows[0]?.id ?? id;
}

export async function wasDelivered(
  db: Db,
  siteId: string,
  integrationId: string,
  key: string,
): Promise<boolean> {
  const { rowCount } = await db.query(
    'select from inbound_deliveries where site_id = $1 and integration_id = $2 and delivery_key = $3::bytea',
    [siteId, integrationId, key],
  );
  return (rowCount ?? 0) > 0;
}

/**
 * Whether this address was forgotten after that moment: what came before is as if it had been stored and then erased. Whoever
 * erases it meanwhile waits for this transaction. (capture_lead.sql asks the same.)
 */
export async function wasErasedSince(
  db: Db,
  siteId: string,
  { normalized, hash, at }: { normalized: string; hash: string; at: string },
): Promise<boolean> {
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' ' || $2, 7))", [siteId, normalized]);
  const { rowCount } = await db.query(
    `select from erasures where site_id = $1 and email_hash = $2 and erased_at between $3 and now() + interval '1 minute' limit 1`,
    [siteId, hash, at],
  );
  return (rowCount ?? 0) > 0;
}
