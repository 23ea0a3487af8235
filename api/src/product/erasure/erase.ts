// Erases an address on one site, wherever it is: the database, what the journal set aside, and the register of requests.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Journal } from '../captures/journal.ts';
import { answered } from '../requests/register.ts';
import type { Forget } from './forget.ts';

export interface EraseNeeds {
  db: Pool;
  forget: Forget;
  hashAddress: (siteId: string, normalized: string) => string;
  journal: Journal;
  /** For how long a backup may still hold what is erased. */
  backupDays: number;
}

export interface Certificate {
  erasureId: string;
  erasedAt: string;
  backupsUntil: string;
  /** Rows per table. */
  erased: Record<string, number>;
}

const DAY_MS = 86_400_000;

/** Until when a backup may still hold what was erased then. */
export const backupsUntil = (erasedAt: string, backupDays: number): string =>
  new Date(Date.parse(erasedAt) + backupDays * DAY_MS).toISOString();

/**
 * how      by which way it was asked for, for the register
 * returns  the certificate; null when nothing was known of the address
 */
export async function eraseAt(
  { db, forget, hashAddress, journal, backupDays }: EraseNeeds,
  siteId: string,
  normalized: string,
  receivedAt: Date,
  how?: string,
): Promise<Certificate | null> {
  const emailHash = hashAddress(siteId, normalized);
  const { found, ...done } = await forget({ siteId, emailNormalized: normalized, emailHash });
  const failed = await journal.forgetFailed(({ body }) => {
    const of = body as { email_normalized?: string; site_id?: string } | null;
    return of?.email_normalized === normalized && of.site_id === siteId;
  });
  if (failed > 0) done.erased.journal = failed;
  if (!found && failed === 0) return null;
  await inSites(db, siteId, (tx) =>
    answered(tx, { siteId, kind: 'erasure', emailHash, receivedAt: receivedAt.toISOString(), how }),
  );
  return { ...done, backupsUntil: backupsUntil(done.erasedAt, backupDays) };
}
