// Receipts: what was shown, counted when and how, signed. Made while a feed is built, one for each value that is new.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import { utc } from '../../ground/http/fields.ts';
import type { Notification } from '../notifications/at-work.ts';
import { claimShape } from '../notifications/schema.ts';
import { type Counted, ruleOf, windowOf } from './claims.ts';
import { canonical, receiptIdOf, type Signer } from './signing.ts';
import { sayCount } from './words.ts';

export const RECEIPT_MONTHS = 24;

export const receiptShape = z
  .object({
    text: z
      .string()
      .describe('as it was said, in `language`; of a single act the rule’s words: no receipt holds a name'),
    language: z.string(),
    notificationId: z.uuid(),
    version: z.int(),
    claim: claimShape.nullable().describe('null: stated by the owner'),
    source: z.object({ url: z.string(), statedOn: z.iso.date() }).nullable(),
    rule: z.string().describe('which rows count, in words'),
    value: z.int().nullable(),
    window: z.object({ from: utc, to: utc }).nullable(),
    minimum: z.int().nullable(),
    excluded: z.object({ bots: z.int(), staff: z.int(), voided: z.int() }).nullable(),
    basis: z.enum(['counted', 'stated_by_owner']),
    asOf: utc,
    signature: z
      .string()
      .describe(
        'Ed25519 over everything here but signature and keyId, as JSON with its names in order and no gaps; base64url',
      ),
    keyId: z.string().describe('of /.well-known/proof-keys.json'),
  })
  .meta({ id: 'ProofReceipt' });
export type Receipt = z.output<typeof receiptShape>;

export interface Stated {
  /** null: the owner's words. */
  value: number | null;
  excluded: Counted['excluded'] | null;
  asOf: Date;
}

/** Claims that are counted from whole days. */
export const isRounded = ({ kind, claim }: Pick<Notification, 'kind' | 'claim'>): boolean =>
  kind === 'count' && /^(visitors|page_views|event:)/.test(claim?.of ?? '');

/** What is signed: made again from the version and the numbers each time it is shown, so that no change of either stays unseen. */
export function claimedBy(
  notification: Notification,
  { value, excluded, asOf }: Stated,
): Omit<Receipt, 'signature' | 'keyId'> {
  const { kind, claim, source, texts, notificationId, version } = notification;
  const language = texts.en ? 'en' : Object.keys(texts).sort()[0]!;
  const window = claim && windowOf(kind, claim, asOf);
  const rule = ruleOf(kind, claim);
  const isSaid = kind === 'count' || kind === 'live_visitors';
  const text =
    kind === 'message'
      ? texts[language]!.other!
      : isSaid
        ? sayCount(notification, { value: value!, isRounded: isRounded(notification) }, language)
        : null;
  return {
    text: text ?? rule,
    language,
    notificationId,
    version,
    claim,
    source,
    rule,
    value,
    window: window && { from: window.from.toISOString(), to: window.to.toISOString() },
    minimum: claim?.minimum ?? null,
    excluded,
    basis: claim ? 'counted' : 'stated_by_owner',
    asOf: asOf.toISOString(),
  };
}

/** Base64url, 22 characters: as it stands in addresses. */
export const writeId = (id: Buffer): string => id.toString('base64url');
/** returns  null for what no id of ours can be */
export const readId = (text: string): Buffer | null =>
  /^[\w-]{22}$/.test(text) ? Buffer.from(text, 'base64url') : null;

/**
 * Signs and keeps one; the same again is the same.
 * whose    whose act it is of, and of which review; null: of many, or of the owner
 * returns  its id
 */
export async function makeReceipt(
  db: Db,
  siteId: string,
  signer: Signer,
  notification: Notification,
  stated: Stated,
  whose: { leadId: string; reviewId?: string } | null = null,
): Promise<string> {
  // an act's own salt is its person: two acts of one moment are two receipts
  const text = canonical({ ...claimedBy(notification, stated) });
  const id = receiptIdOf([text, ...(whose ? Object.values(whose) : [])].join(' '));
  const { excluded, value, asOf } = stated;
  await db.query(
    `with known as (insert into proof_keys (key_id, public_key) values ($8, $9) on conflict do nothing)
     insert into receipts (site_id, receipt_id, notification_id, version, value, as_of, excluded, key_id, signature)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $10) on conflict do nothing`,
    [
      siteId,
      id,
      notification.notificationId,
      notification.version,
      value,
      asOf,
      excluded && [excluded.bots, excluded.staff, excluded.voided],
      signer.keyId,
      signer.publicKey,
      signer.sign(text),
    ],
  );
  if (whose)
    await db.query(
      'insert into receipt_acts (site_id, receipt_id, lead_id, review_id) values ($1, $2, $3, $4) on conflict do nothing',
      [siteId, id, whose.leadId, whose.reviewId ?? null],
    );
  return writeId(id);
}

export interface Kept extends Stated {
  siteId: string;
  receiptId: Buffer;
  notificationId: string;
  version: number;
  signature: Buffer;
  keyId: string;
  publicKey: Buffer;
  leadId: string | null;
  /** The review that was shown; null: another act. */
  reviewId: string | null;
}

interface Row {
  site_id: string;
  receipt_id: Buffer;
  notification_id: string;
  version: number;
  value: string | null;
  as_of: Date;
  excluded: [number, number, number] | null;
  signature: Buffer;
  key_id: string;
  public_key: Buffer;
  lead_id: string | null;
  review_id: string | null;
}

const asKept = (row: Row): Kept => ({
  siteId: row.site_id,
  receiptId: row.receipt_id,
  notificationId: row.notification_id,
  version: row.version,
  value: row.value === null ? null : Number(row.value),
  asOf: row.as_of,
  excluded: row.excluded && { bots: row.excluded[0], staff: row.excluded[1], voided: row.excluded[2] },
  signature: row.signature,
  keyId: row.key_id,
  publicKey: row.public_key,
  leadId: row.lead_id,
  reviewId: row.review_id,
});

const SELECT = `select r.*, k.public_key, a.lead_id, a.review_id from receipts r join proof_keys k using (key_id) left join receipt_acts a using (site_id, receipt_id)`;

/** Of the sites that the transaction sees. */
export async function findReceipt(db: Db, id: Buffer): Promise<Kept | null> {
  const { rows } = await db.query<Row>(
    `${SELECT} where r.site_id = any (current_sites()) and r.receipt_id = $1`,
    [id],
  );
  return rows[0] ? asKept(rows[0]) : null;
}

/** The newest of a notification that are not of single acts: what is being shown. */
export async function newestReceipt(db: Db, siteId: string, notificationId: string): Promise<Kept | null> {
  const { rows } = await db.query<Row>(
    `${SELECT} where r.site_id = $1 and r.notification_id = $2 order by r.as_of desc, r.receipt_id limit 1`,
    [siteId, notificationId],
  );
  return rows[0] ? asKept(rows[0]) : null;
}

export async function listKeys(db: Db): Promise<{ keyId: string; publicKey: Buffer; firstUsedAt: Date }[]> {
  const { rows } = await db.query<{ keyId: string; publicKey: Buffer; firstUsedAt: Date }>(
    'select key_id as "keyId", public_key as "publicKey", first_used_at as "firstUsedAt" from proof_keys order by first_used_at, key_id',
  );
  return rows;
}
