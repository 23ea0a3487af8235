// The SQL door of what was paid for advertising. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';

export interface Spend {
  day: string;
  /** As in utm_source. */
  source: string;
  /** Empty: the whole source. */
  campaign: string;
  currency: string;
  /** Decimal, as text. */
  amount: string;
}

/** returns  how many were stored; one sent again for the same key replaces its amount */
export async function storeSpend(db: Db, siteId: string, rows: Spend[]): Promise<number> {
  // the last one of a key counts, as if they had been sent one after the other
  const last = new Map(
    rows.map((row) => [`${row.day}\n${row.source}\n${row.campaign}\n${row.currency}`, row] as const),
  );
  const { rowCount } = await db.query(
    `insert into ad_spend (site_id, day, source, campaign, currency, amount)
     select $1, day, source, campaign, currency, amount
     from json_to_recordset($2) as s (day date, source text, campaign text, currency text, amount numeric)
     order by day, source, campaign, currency
     on conflict (site_id, day, source, campaign, currency) do update set amount = excluded.amount, updated_at = now()`,
    [siteId, JSON.stringify([...last.values()])],
  );
  return rowCount ?? 0;
}

export type SpendCursor = [day: string, source: string, campaign: string, currency: string];

/** Of a window of days, in the order of their keys. */
export async function listSpend(
  db: Db,
  siteId: string,
  { from, to, after, limit }: { from: string; to: string; after: SpendCursor | null; limit: number },
): Promise<Spend[]> {
  const { rows } = await db.query<Spend>(
    `select day, source, campaign, currency, amount::text as amount from ad_spend
     where site_id = $1 and day between $2 and $3
       and ($4::date is null or (day, source, campaign, currency) > ($4, $5, $6, $7))
     order by day, source, campaign, currency limit $8`,
    [siteId, from, to, ...(after ?? [null, null, null, null]), limit],
  );
  return rows;
}
