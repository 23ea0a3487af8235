// Finds the lead behind an address: answers to pages don't tell it.
import { readPiece } from '../src/ground/db/pieces.ts';
import type { Db } from '../src/ground/db/pool.ts';
import type { ConsentRecord } from '../src/product/consent/chain.ts';
import { consentRecordList } from '../src/product/consent/record.ts';
import type { TestServer } from './server.ts';

/** returns  undefined while the address is nobody's */
export async function leadIdOf(
  { database }: Pick<TestServer, 'database'>,
  email: string,
): Promise<string | undefined> {
  const { rows } = await database.owner.query<{ lead_id: string }>(
    'select lead_id from leads where email_normalized = lower($1)',
    [email],
  );
  return rows[0]?.lead_id;
}

/** How many of a lead's links are guesses. */
export async function guessedLinksOf(server: Pick<TestServer, 'database'>, email: string): Promise<number> {
  const { rowCount } = await server.database.owner.query(
    "select from lead_identities where lead_id = $1 and link_source = 'same_ip_ua_window'",
    [await leadIdOf(server, email)],
  );
  return rowCount ?? 0;
}

/** A lead's consent records; inside a transaction that sees the site. */
export async function listConsentRecords(
  db: Db,
  siteId: string,
  leadId: string,
): Promise<(ConsentRecord & { words: string | null })[]> {
  const bounds = { rowsMax: 1000, bytesMax: 4_000_000 };
  const { lines } = await readPiece(db, consentRecordList, [siteId, leadId], bounds);
  return lines.map((line) => JSON.parse(line));
}
