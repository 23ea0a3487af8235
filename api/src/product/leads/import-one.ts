// One row of an import: the lead it makes or meets, and what its consent is worth beside what we know already.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import type { Issue } from '../../ground/lib/app-error.ts';
import type { Address } from '../../ground/lib/email.ts';
import { domainClass } from '../captures/domains.ts';
import { newKey } from '../consent/link.ts';
import { recordConsent } from '../consent/record.ts';
import type { ImportedRow } from './import-rows.ts';

export const outcome = z.enum(['created', 'updated', 'unchanged', 'refused']);

export interface Imported {
  outcome: z.output<typeof outcome>;
  message?: string;
  /** Why it was refused. */
  because?: 'erased' | 'corrected';
}

const claimsConsent = ({ consentStatus }: ImportedRow) =>
  consentStatus === 'express' || consentStatus === 'implied';

export interface Whose {
  address: Address;
  /** Keyed. */
  emailHash: string;
  /** Further columns; null: none. */
  attributes: Record<string, unknown> | null;
  /** What of them was left out or cut. */
  warnings?: readonly Issue[];
}

/** Inside inSites, under the address's lock. */
export async function importRow(
  db: Db,
  siteId: string,
  row: ImportedRow,
  { address, emailHash, attributes, warnings = [] }: Whose,
  now = new Date(),
): Promise<Imported> {
  if (await isErased(db, siteId, row, emailHash))
    return {
      outcome: 'refused',
      message:
        'this address was erased, on request or because its time was over: only consent that was given later brings it back, with its own consentAt and evidence, and not yet over',
      because: 'erased',
    };
  const corrected = await correctedFrom(db, siteId, row, address, emailHash);
  if (corrected)
    return {
      outcome: 'refused',
      message: `this address was corrected to another one on ${corrected.toISOString().slice(0, 10)}, by which we know its person: put that one into your list; only consent that was given later, with its own consentAt and evidence, makes somebody of this one`,
      because: 'corrected',
    };
  const { leadId, isNew } = await leadOf(db, siteId, row, address, emailHash, capturedAt(row, now));
  const before = await consentOf(db, siteId, leadId);
  const says = attributes && (await keepAttributes(db, siteId, leadId, attributes));
  await recordConsent(db, siteId, leadId, asConsent(row, now));
  const after = await consentOf(db, siteId, leadId);
  if (isNew)
    await db.query('select adopt_conversions($1, $2, $3, $4)', [
      siteId,
      leadId,
      emailHash,
      capturedAt(row, now),
    ]);
  const message = [remark(row, after), ...warnings.map(({ path, message }) => `${path} ${message}`)]
    .filter((said) => said !== null)
    .join('; ');
  return {
    outcome: isNew ? 'created' : after.seq > before.seq || says ? 'updated' : 'unchanged',
    ...(message ? { message } : {}),
  };
}

/**
 * Of someone who asked to be forgotten nothing may come back but consent of their own, given since and still running.
 * An erasure that is still to come was dated by a clock that was ahead.
 */
async function isErased(db: Db, siteId: string, row: ImportedRow, emailHash: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from erasures where site_id = $1 and email_hash = $2
       and ($3::timestamptz is null or erased_at between $3 and now() + interval '1 minute' or (not $4 and least($5::timestamptz,
         $3::timestamptz + case $6 when 'implied_purchase' then interval '2 years' else interval '6 months' end) <= now())) limit 1`,
    [
      siteId,
      emailHash,
      claimsConsent(row) ? row.consentAt : null,
      row.consentStatus === 'express',
      row.expiresAt ?? null,
      row.consentKind ?? null,
    ],
  );
  return Boolean(rowCount);
}

/**
 * A list from before a correction means the person whom we know by another address now: made a second time, they would go on
 * getting mails here after they leave there. Who came by this address since stays who they are, but for what was agreed to before.
 * A withdrawal is taken in any case: it makes nobody who gets mails.
 *
 * returns  when it was corrected; null: the row may be taken
 */
async function correctedFrom(
  db: Db,
  siteId: string,
  row: ImportedRow,
  { normalized }: Address,
  emailHash: string,
): Promise<Date | null> {
  if (row.consentStatus === 'withdrawn') return null;
  const { rows } = await db.query<{ at: Date | null }>(
    `select max(c.rectified_at) as at from lead_rectifications c join leads l on l.site_id = c.site_id and l.lead_id = c.lead_id
     where c.site_id = $1 and c.email_hash = $2 and l.email_normalized <> $3
       and ($4 or not exists (select from leads o where o.site_id = $1 and o.email_normalized = $3))
     having ($4 and $5::timestamptz > max(c.rectified_at)) is not true`,
    [siteId, emailHash, normalized, claimsConsent(row), row.consentAt ?? null],
  );
  return rows[0]?.at ?? null;
}

/** returns  whether they say something new */
async function keepAttributes(
  db: Db,
  siteId: string,
  leadId: string,
  attributes: Record<string, unknown>,
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update leads set attributes = coalesce(attributes, '{}') || $3::jsonb
     where site_id = $1 and lead_id = $2 and not coalesce(attributes, '{}') @> $3::jsonb`,
    [siteId, leadId, JSON.stringify(attributes)],
  );
  return Boolean(rowCount);
}

const capturedAt = (row: ImportedRow, now: Date): Date => new Date(row.capturedAt ?? row.consentAt ?? now);

async function leadOf(
  db: Db,
  siteId: string,
  row: ImportedRow,
  address: Address,
  emailHash: string,
  at: Date,
): Promise<{ leadId: string; isNew: boolean }> {
  const inserted = await db.query<{ lead_id: string }>(
    `insert into leads (site_id, email, email_normalized, email_domain, domain_class, first_captured_at, last_submitted_at, first_source,
       first_form_name, source_channel, unsubscribe_key, imported_at)
     values ($1, $2, $3, $4, $5, $6, $6, 'import', $7, $8, $9, now()) on conflict (site_id, email_normalized) do nothing returning lead_id`,
    [
      siteId,
      address.email,
      address.normalized,
      address.domain,
      domainClass(address.domain),
      at,
      row.formName ?? null,
      row.sourceChannel ?? null,
      newKey(),
    ],
  );
  const made = inserted.rows[0]?.lead_id;
  if (made) {
    await db.query('select recall_withdrawal($1, $2, $3)', [siteId, made, emailHash]);
    return { leadId: made, isNew: true };
  }
  const { rows } = await db.query<{ lead_id: string }>(
    'select lead_id from leads where site_id = $1 and email_normalized = $2',
    [siteId, address.normalized],
  );
  return { leadId: rows[0]!.lead_id, isNew: false };
}

interface Standing {
  seq: number;
  status: string;
  at: Date | null;
  until: Date | null;
}

async function consentOf(db: Db, siteId: string, leadId: string): Promise<Standing> {
  const { rows } = await db.query<Standing>(
    `select consent_seq as seq, consent_at(consent_status, consent_expires_at, now()) as status, consent_at as at, consent_expires_at as until
     from leads where site_id = $1 and lead_id = $2`,
    [siteId, leadId],
  );
  return rows[0]!;
}

/** As record_consent takes it. A withdrawal without a date is of today: it is known that it was, not that it is over. */
function asConsent(row: ImportedRow, now: Date): Record<string, unknown> {
  const undated = row.consentStatus === 'withdrawn' ? now : capturedAt(row, now);
  return {
    status: row.consentStatus,
    kind: row.consentKind,
    basis: 'import',
    occurred_at: row.consentAt ?? undated.toISOString(),
    expires_at: row.expiresAt,
    words: row.words,
    language: row.language,
    policy_version: row.policyVersion,
    purposes: row.purposes,
    form_name: row.formName,
    source: row.sourceChannel,
    evidence: row.evidence,
  };
}

/** What became of the row's consent, where that is not what it says. */
function remark(row: ImportedRow, { status, at, until }: Standing): string | null {
  if (status === 'withdrawn' && row.consentStatus !== 'withdrawn')
    return `withdrew on ${at?.toISOString().slice(0, 10)}: only express consent that was given later brings this address back`;
  if (row.consentStatus !== 'implied') return null;
  if (status === 'expired') return 'the term of this implied consent is over: recorded as expired';
  if (row.expiresAt && until && until.toISOString() < row.expiresAt)
    return `expiresAt is later than the law allows: until ${until.toISOString().slice(0, 10)}`;
  return null;
}
