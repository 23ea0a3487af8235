// After a restore: what people asked for since the backup happens again, before anyone is served.
import { randomUUID } from 'node:crypto';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { inLists } from '../../ground/lib/lines.ts';
import type { Tables } from '../../ground/tables.ts';
import { leaveAgain } from '../accounts/leave.ts';
import { markAgain } from '../archive/marks.ts';
import { emailHash } from '../captures/capture.ts';
import { type Forgotten, purposeDigest, readForgotten } from '../consent/forget-journal.ts';
import { consentStandings, type Withdrawal, withdrawConsents } from '../consent/record.ts';
import { withdrawDisplay } from '../display/display.ts';
import { revokeAgain } from '../keys/revoke.ts';
import { leaveRecipientsAgain } from '../mail-reports/recipients.ts';
import { revokeShareAgain } from '../shares/revoke.ts';
import { type Forget, forgetting } from './forget.ts';
import { forgettingBrowsers } from './forget-browser.ts';

export interface ForgottenAgain {
  erased: number;
  withdrawn: number;
  /** Entries of people the restored database does not know: they came after the backup. */
  unknown: number;
}

type Withdrawn = Extract<Forgotten, { kind: 'withdrawal' }>;
type Erased = Extract<Forgotten, { kind: 'erasure' }>;
type Display = Extract<Forgotten, { kind: 'display' }>;
type Browser = Extract<Forgotten, { kind: 'browser' }>;

// Entries that are looked up together; and addresses of a site that are in memory at once.
const ENTRIES_AT_ONCE = 500;
const ADDRESSES_AT_ONCE = 2000;

/**
 * pool     connections of the app's role to the restored database
 * since    the backup's moment: what is older is in it already, and a later opt-in must stand
 * journal  path of the journal of what was forgotten
 * pepper   the one the journal's hashes were made with; with another, people are still known by their lead's id
 * tables   of all features
 * returns  counts; running it twice changes nothing more
 */
export async function forgetAgain(
  pool: Pool,
  { journal, since, pepper, tables }: { journal: string; since: string; pepper: string; tables: Tables },
): Promise<ForgottenAgain> {
  const forget = forgetting(pool, tables, null);
  const forgetBrowser = forgettingBrowsers(pool, tables, null);
  const done: ForgottenAgain = { erased: 0, withdrawn: 0, unknown: 0 };
  for await (const entries of inLists(youngerThan(since, readForgotten(journal)), ENTRIES_AT_ONCE)) {
    const ofSites = entries.filter(
      (entry) =>
        entry.kind !== 'account' &&
        entry.kind !== 'key' &&
        entry.kind !== 'share' &&
        entry.kind !== 'recipient' &&
        entry.kind !== 'archive',
    );
    for (const entry of entries) {
      if (entry.kind === 'account') done[(await leaveAgain(pool, entry.userId)) ? 'erased' : 'unknown'] += 1;
      if (entry.kind === 'key') await revokeAgain(pool, entry.keyId);
      if (entry.kind === 'share') await revokeShareAgain(pool, entry.shareId);
      if (entry.kind === 'archive') await markAgain(pool, entry);
      if (entry.kind === 'recipient') await leaveRecipientsAgain(pool, entry.siteId, entry.recipientId);
    }
    for (const [siteId, ofSite] of Map.groupBy(ofSites, (entry) => entry.siteId)) {
      // A withdrawal before an erasure in the journal leaves nothing that the erasure would not take; one after it is of
      // a lead that the erasure knows by another id.
      const kinds = Object.groupBy(ofSite, ({ kind }) => kind);
      await withdrawAgain(pool, siteId, (kinds.withdrawal ?? []) as Withdrawn[], done);
      await hideAgain(pool, siteId, (kinds.display ?? []) as Display[], done);
      await eraseAgain({ pool, pepper, forget }, siteId, (kinds.erasure ?? []) as Erased[], done);
      // after the addresses: a browser that was one's then is erased with it
      const browsers = (kinds.browser ?? []) as Browser[];
      const there = await browsersThere(pool, siteId, browsers);
      done.unknown += browsers.length - there.length;
      for (const entry of there) {
        const { found, isSomebodys } = await forgetBrowser({ ...entry, again: entry.at });
        done[found && !isSomebodys ? 'erased' : 'unknown'] += 1;
      }
    }
  }
  return done;
}

async function* youngerThan(since: string, entries: AsyncIterable<Forgotten>): AsyncGenerator<Forgotten> {
  for await (const entry of entries) if (entry.at >= since) yield entry;
}

/** Two round trips, whatever their number; one more for each of a single purpose. */
async function withdrawAgain(
  pool: Pool,
  siteId: string,
  entries: Withdrawn[],
  done: ForgottenAgain,
): Promise<void> {
  if (entries.length === 0) return;
  const leads = await leadsOf(pool, siteId, entries);
  const requests: Withdrawal[] = [];
  for (const entry of entries) {
    const lead = leads.get(entry.leadId);
    if (!lead) continue;
    requests.push({
      site_id: siteId,
      request_id: randomUUID(),
      at: entry.saidAt ?? entry.at,
      basis: 'unsubscribe_request',
      key: lead.key,
      purposes: entry.purposes && (await purposesOf(pool, entry, entry.purposes)),
      reason: 'repeated after a restore',
    });
  }
  await withdrawConsents(pool, requests);
  done.withdrawn += requests.length;
  done.unknown += entries.length - requests.length;
}

/** Who took back that they may be named. */
async function hideAgain(
  pool: Pool,
  siteId: string,
  entries: Display[],
  done: ForgottenAgain,
): Promise<void> {
  for (const { leadId, at } of entries) {
    const request = { site_id: siteId, at, basis: 'restore', lead_id: leadId } as const;
    const known = await inSites(pool, siteId, (db) => withdrawDisplay(db, request));
    done[known ? 'withdrawn' : 'unknown'] += 1;
  }
}

/** Which purposes a withdrawal was of: email, and those the restored lead has. */
async function purposesOf(pool: Pool, { siteId, leadId }: Withdrawn, digests: string[]): Promise<string[]> {
  const standings = await inSites(pool, siteId, (db) => consentStandings(db, siteId, leadId));
  return standings
    .map(({ purpose }) => purpose)
    .filter((purpose) => digests.includes(purposeDigest(purpose)));
}

async function eraseAgain(
  { pool, pepper, forget }: { pool: Pool; pepper: string; forget: Forget },
  siteId: string,
  entries: Erased[],
  done: ForgottenAgain,
): Promise<void> {
  if (entries.length === 0) return;
  const leads = await leadsOf(pool, siteId, entries);
  const nameless = entries.filter(({ leadId }) => !leads.has(leadId ?? ''));
  const addresses = await addressesOf(
    pool,
    siteId,
    pepper,
    new Set(nameless.map((entry) => entry.emailHash)),
  );
  for (const { leadId, emailHash: hash, at, isOver, earlier = [] } of entries) {
    // corrected since the backup: it knows the lead by the address of before
    const before = leads.get(leadId ?? '')?.email;
    const { found } = await forget({
      siteId,
      // The same person under another lead: erased, and captured anew before the backup was made. Without any address
      // there may still be conversions told by it.
      emailNormalized: before ?? addresses.get(hash) ?? null,
      emailHash: hash,
      earlierHashes: before === undefined ? earlier : [...earlier, emailHash(pepper, siteId, before)],
      again: { leadId, at },
      isOver,
    });
    if (found) done.erased += 1;
    else done.unknown += 1;
  }
}

async function browsersThere(pool: Pool, siteId: string, entries: Browser[]): Promise<Browser[]> {
  if (entries.length === 0) return [];
  const { rows } = await inSites(pool, siteId, (db) =>
    db.query<{ id: string }>(
      'select visitor_id as id from visitors where site_id = $1 and visitor_id = any ($2)',
      [siteId, entries.map(({ visitorId }) => visitorId)],
    ),
  );
  const there = new Set(rows.map(({ id }) => id));
  return entries.filter(({ visitorId }) => there.has(visitorId));
}

/** By id, those that are there. */
async function leadsOf(
  pool: Pool,
  siteId: string,
  entries: { leadId: string | null }[],
): Promise<Map<string, { email: string; key: string }>> {
  const { rows } = await inSites(pool, siteId, (db) =>
    db.query<{ id: string; email: string; key: string }>(
      'select lead_id as id, email_normalized as email, unsubscribe_key as key from leads where site_id = $1 and lead_id = any ($2)',
      [siteId, entries.map(({ leadId }) => leadId)],
    ),
  );
  return new Map(rows.map(({ id, email, key }) => [id, { email, key }]));
}

/** Those addresses of a site, by their hash, that are wanted: of leads, and of who waits in quarantine. Read page by page. */
async function addressesOf(
  pool: Pool,
  siteId: string,
  pepper: string,
  wanted: Set<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (wanted.size === 0) return found;
  for (const table of ['leads', 'quarantine'])
    for (let after = ''; ; ) {
      const { rows } = await inSites(pool, siteId, (db) =>
        db.query<{ email: string }>(
          `select distinct email_normalized as email from ${table}
           where site_id = $1 and email_normalized > $2 order by email_normalized limit ${ADDRESSES_AT_ONCE}`,
          [siteId, after],
        ),
      );
      for (const { email } of rows) {
        const hash = emailHash(pepper, siteId, email);
        if (wanted.has(hash)) found.set(hash, email);
      }
      if (rows.length < ADDRESSES_AT_ONCE) break;
      after = rows.at(-1)!.email;
    }
  return found;
}
