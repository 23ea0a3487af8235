// Stores conversions, whoever tells them; the SQL door of conversions. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { displayWanted, recordDisplay } from '../display/display.ts';
import { visitorIdOf } from '../events/enrich.ts';
import type { NewConversion, Told } from './schema.ts';

export interface StoredConversions {
  results: Told[];
  /** The last number in the outbox; null: nobody is told. */
  seq: number | null;
}

/** results: for each whether someone of ours is meant, and whether its id was known */
export async function storeConversions(
  db: Db,
  siteId: string,
  conversions: NewConversion[],
  hashAddress: (siteId: string, normalized: string) => string,
): Promise<StoredConversions> {
  const first = firstOfEach(conversions);
  const told = first.map((each) => ({
    id: each.id,
    kind: each.kind,
    email: each.email === undefined ? null : (readAddress(each.email)?.normalized ?? null),
    visitor_id: each.anonId === undefined ? null : visitorIdOf(siteId, each.anonId),
    occurred_at: each.occurredAt ?? null,
    amount: each.amount ?? null,
    currency: each.currency ?? null,
    voided_at: each.voidedAt ?? null,
    items: each.products?.length ? [...new Set(each.products)] : null,
    country: each.country ?? null,
  }));
  // In one order: a capture, import or erasure of one of these addresses is either before all this or after it.
  const addresses = [...new Set(told.flatMap(({ email }) => email ?? []))].sort();
  await db.query(
    "select pg_advisory_xact_lock(hashtextextended($1 || ' ' || address, 7)) from unnest($2::text[]) as a (address)",
    [siteId, addresses],
  );
  const visitors = [...new Set(told.flatMap((each) => each.visitor_id ?? []))];
  await db.query(
    'select from visitors where site_id = $1 and visitor_id = any ($2) order by visitor_id for key share',
    [siteId, visitors],
  );
  const { rows } = await db.query<Told>(
    `with told as (
       select t.*, l.lead_id from json_to_recordset($2) as t (id text, kind text, email text, visitor_id uuid,
         email_hash bytea, occurred_at timestamptz(3), amount numeric, currency text, voided_at timestamptz(3), items text[], country text)
       left join leads l on l.site_id = $1 and l.email_normalized = t.email
     ), stored as (
       insert into conversions (site_id, conversion_id, kind, origin, lead_id, visitor_id, email_hash, occurred_at, amount, currency, voided_at, items, country)
       select $1, id, kind, 'server', lead_id, visitor_id, case when lead_id is null then email_hash end, coalesce(occurred_at, now()), amount, currency, voided_at, items, country
       from told order by id
       on conflict do nothing returning conversion_id
     )
     select id, coalesce(told.lead_id is not null or exists (select from visitors v where v.site_id = $1 and v.visitor_id = told.visitor_id), false) as matched,
       stored.conversion_id is null as duplicate
     from told left join stored on stored.conversion_id = told.id`,
    [
      siteId,
      // The address itself is not stored: kept as the lead's id, or as a hash until there is such a lead.
      JSON.stringify(
        told.map((each) => ({ ...each, email_hash: each.email && hashAddress(siteId, each.email) })),
      ),
    ],
  );
  const voided = await voidThem(db, siteId, told);
  await recordDisplays(db, siteId, first);
  // CASL: who bought has agreed, by implication, for two years; a withdrawal stands (record_consent decides).
  await db.query(
    `select record_consent($1, lead_id, json_build_object('status', 'implied', 'kind', 'implied_purchase', 'basis', 'purchase',
       'source', 'server', 'occurred_at', occurred_at))
     from conversions where site_id = $1 and conversion_id = any ($2) and kind = 'purchase' and lead_id is not null and voided_at is null order by lead_id`,
    [siteId, rows.filter((row) => !row.duplicate).map((row) => row.id)],
  );
  const seq = await tell(
    db,
    siteId,
    rows.filter(({ id, duplicate }) => !duplicate || voided.has(id)).map(({ id }) => id),
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  const results = conversions.map(({ id }) => {
    const row = byId.get(id)!;
    byId.set(id, { ...row, duplicate: true }); // told again in the same request
    return row;
  });
  return { results, seq };
}

/**
 * After what was stored, as a statement of its own: one that is being stored elsewhere in this moment was waited for there, and only a
 * later statement sees it.
 * returns  the ids of those that count no more
 */
async function voidThem(
  db: Db,
  siteId: string,
  told: { id: string; voided_at: string | null }[],
): Promise<Set<string>> {
  const gone = told.filter(({ voided_at }) => voided_at !== null);
  if (gone.length === 0) return new Set();
  const { rows } = await db.query<{ id: string }>(
    `update conversions c set voided_at = told.voided_at from json_to_recordset($2) as told (id text, voided_at timestamptz(3))
     where c.site_id = $1 and c.origin = 'server' and c.conversion_id = told.id and c.voided_at is null returning c.conversion_id as id`,
    [siteId, JSON.stringify(gone)],
  );
  return new Set(rows.map(({ id }) => id));
}

/** What is told of: ids, and no address, also where somebody called a conversion by one. */
const SAID_ID = `regexp_replace(conversion_id, '[^@[:space:]]{1,64}(@|%40)[^@[:space:]]+', '[email]', 'g')`;

/** Last, since the outbox's lock is held until the end of the transaction. */
async function tell(db: Db, siteId: string, ids: string[]): Promise<number | null> {
  if (ids.length === 0) return null;
  const { rows } = await db.query<{ seq: number | null }>(
    `select max(tell_others($1, 'conversion.recorded', jsonb_build_object('conversionId', ${SAID_ID}, 'kind', kind, 'leadId', lead_id,
       'occurredAt', instant_text(occurred_at), 'amount', trim_scale(amount)::text, 'currency', currency, 'voidedAt', instant_text(voided_at)), lead_id, visitor_id)) as seq
     from (select * from conversions where site_id = $1 and origin = 'server' and conversion_id = any ($2) order by conversion_id) told`,
    [siteId, ids],
  );
  return rows[0]!.seq;
}

/** Whoever allowed at the checkout to be named; told again it is older than what stands, and changes nothing. */
async function recordDisplays(db: Db, siteId: string, conversions: NewConversion[]): Promise<void> {
  for (const { id, _mk_display: display, occurredAt } of conversions) {
    const at = occurredAt === undefined ? new Date().toISOString() : new Date(occurredAt).toISOString();
    const wanted = display && displayWanted(display, { basis: 'order', occurredAt: at });
    if (!wanted) continue;
    const { rows } = await db.query<{ lead_id: string }>(
      "select lead_id from conversions where site_id = $1 and origin = 'server' and conversion_id = $2 and lead_id is not null and voided_at is null",
      [siteId, id],
    );
    if (rows[0]) await recordDisplay(db, siteId, rows[0].lead_id, wanted);
  }
}

/** One for each id, as if they had been told one after the other: the first counts, and a later one may void it. */
function firstOfEach(conversions: NewConversion[]): NewConversion[] {
  const byId = new Map<string, NewConversion>();
  for (const each of conversions) {
    const known = byId.get(each.id);
    if (!known) byId.set(each.id, each);
    else if (!known.voidedAt && each.voidedAt) byId.set(each.id, { ...known, voidedAt: each.voidedAt });
  }
  return [...byId.values()];
}
