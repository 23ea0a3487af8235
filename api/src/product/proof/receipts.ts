// Receipts: what was shown, counted when and how, signed. Made while a feed is built, one for each value that is new.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import { utc } from '../../ground/http/fields.ts';
import type { Notification } from '../notifications/at-work.ts';
import { claimShape } from '../notifications/schema.ts';
import type { Texts } from '../notifications/texts.ts';
import { type Counted, isOfDays, ruleOf, type Window } from './claims.ts';
import { canonical, receiptIdOf, type Signer } from './signing.ts';
import type { Wording } from './wordings.ts';
import { sayCount } from './words.ts';

export const RECEIPT_MONTHS = 24;

export const receiptShape = z
  .object({
    text: z
      .string()
      .describe(
        'as it was said, in `language`, in the first wording; of a single act the rule’s words: no receipt holds a name',
      ),
    language: z.string(),
    wordings: z
      .array(
        z.object({
          key: z.string().describe('the variant of an A/B test, `a` where none runs'),
          texts: z.record(z.string(), z.record(z.string(), z.string())),
        }),
      )
      .describe(
        'every wording that was shown, the first first, by language and plural category; the placeholders stood for `value` and `claim`, of an act for what was known of it',
      ),
    notificationId: z.uuid(),
    version: z.int(),
    claim: claimShape.nullable().describe('null: stated by the owner'),
    source: z.object({ url: z.string(), statedOn: z.iso.date() }).nullable(),
    rule: z.string().describe('which rows count, in words'),
    value: z.int().nullable(),
    window: z
      .object({ from: utc, to: utc })
      .nullable()
      .describe('between when what was counted happened; of whole days their midnights; null: one act'),
    minimum: z.int().nullable(),
    excluded: z
      .object({ bots: z.int(), staff: z.int(), voided: z.int() })
      .nullable()
      .describe('rows that were left out; null: not counted, as where days are summed, or of one act'),
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

const status = z.enum(['current', 'superseded', 'withdrawn']);
/** A receipt as it is looked at. */
export const shownShape = z.object({
  receipt: receiptShape,
  status: status.describe(
    'current: it is being shown; superseded: another count or wording is, or nothing at the moment; withdrawn: the notification has ended. Of an act whose person took their permission back, or which was cancelled or refunded, 410 gone',
  ),
  now: z
    .object({ value: z.int(), asOf: utc })
    .nullable()
    .describe('the same claim counted again; null: not counted, or of one act'),
});
export type Shown = z.output<typeof shownShape>;

export interface Stated {
  /** null: the owner's words. */
  value: number | null;
  excluded: Counted['excluded'];
  /** null: the owner's words, or one act. */
  window: Window | null;
  asOf: Date;
}

/** What all receipts of a notification have in common, as long as nothing of it changes. */
type Words = Pick<Receipt, 'language' | 'wordings' | 'claim' | 'source' | 'rule' | 'minimum' | 'basis'>;

/** wordings  that are shown now, the first first */
export function wordsFor({ kind, claim, source, texts }: Notification, wordings: Wording[]): Words {
  return {
    language: texts.en ? 'en' : Object.keys(texts).sort()[0]!,
    wordings: wordings.map(({ key, texts: said }) => ({ key, texts: said })),
    claim,
    source,
    rule: ruleOf(kind, claim),
    minimum: claim?.minimum ?? null,
    basis: claim ? 'counted' : 'stated_by_owner',
  };
}
/** Equal words have equal ids. */
export const wordsIdOf = (words: Words): Buffer => receiptIdOf(canonical(words));

/** A wording with its number in it. returns  null: it is of an act, whose receipt holds nothing of anybody */
export function sayWording(
  { kind, claim }: Pick<Notification, 'kind' | 'claim'>,
  texts: Texts,
  value: number | null,
  language: string,
): string | null {
  if (kind === 'message') return texts[language]!.other!;
  if (kind !== 'count' && kind !== 'live_visitors') return null;
  return sayCount({ texts, claim }, { value: value!, isRounded: isOfDays({ kind, claim }) }, language);
}

type Claimed = Omit<Receipt, 'signature' | 'keyId'>;

/** What is signed: put together from what is kept each time it is shown, so that no change of it stays unseen. */
function claimedIn(
  words: Words,
  { value, excluded, window, asOf }: Stated,
  { text, notificationId, version }: Pick<Claimed, 'text' | 'notificationId' | 'version'>,
): Claimed {
  return {
    ...words,
    text,
    notificationId,
    version,
    value,
    window: window && { from: window.from.toISOString(), to: window.to.toISOString() },
    excluded,
    asOf: asOf.toISOString(),
  };
}
export const claimedBy = (kept: Kept): Claimed => claimedIn(kept.words, kept, kept);

/** Base64url, 22 characters: as it stands in addresses. */
export const writeId = (id: Buffer): string => id.toString('base64url');
/** returns  null for what no id of ours can be */
export const readId = (text: string): Buffer | null =>
  /^[\w-]{22}$/.test(text) ? Buffer.from(text, 'base64url') : null;

/** Whose act it is of; and which order or review, where it is one. */
export interface Whose {
  leadId: string;
  conversionId?: string;
  reviewId?: string;
}

/**
 * Signs and keeps one; the same again is the same.
 * wordings  that are shown
 * whose     null: of many, or of the owner
 * returns   its id
 */
export async function makeReceipt(
  db: Db,
  siteId: string,
  signer: Signer,
  notification: Notification,
  wordings: Wording[],
  stated: Stated,
  whose: Whose | null = null,
): Promise<string> {
  const { notificationId, version } = notification;
  const words = wordsFor(notification, wordings);
  const { excluded, value, window, asOf } = stated;
  const text = sayWording(notification, wordings[0]!.texts, value, words.language) ?? words.rule;
  const signed = canonical(claimedIn(words, stated, { text, notificationId, version }));
  // an act's own salt is its person and row: two acts of one moment are two receipts
  const id = receiptIdOf([signed, ...(whose ? Object.values(whose) : [])].join(' '));
  await db.query(
    `with known as (insert into proof_keys (key_id, public_key) values ($8, $9) on conflict do nothing),
       worded as (insert into receipt_words (site_id, notification_id, version, words_id, words) values ($1, $3, $4, $11, $12) on conflict do nothing)
     insert into receipts (site_id, receipt_id, notification_id, version, value, as_of, excluded, key_id, signature, words_id, said, window_from, window_to)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $10, $11, $13, $14, $15) on conflict do nothing`,
    [
      siteId,
      id,
      notificationId,
      version,
      value,
      asOf,
      excluded && [excluded.bots, excluded.staff, excluded.voided],
      signer.keyId,
      signer.publicKey,
      signer.sign(signed),
      wordsIdOf(words),
      JSON.stringify(words),
      text,
      window?.from ?? null,
      window?.to ?? null,
    ],
  );
  if (whose)
    await db.query(
      'insert into receipt_acts (site_id, receipt_id, lead_id, review_id, conversion_id) values ($1, $2, $3, $4, $5) on conflict do nothing',
      [siteId, id, whose.leadId, whose.reviewId ?? null, whose.conversionId ?? null],
    );
  return writeId(id);
}

export interface Kept extends Stated {
  siteId: string;
  receiptId: Buffer;
  notificationId: string;
  version: number;
  text: string;
  words: Words;
  wordsId: Buffer;
  signature: Buffer;
  keyId: string;
  publicKey: Buffer;
  leadId: string | null;
  /** The conversion that was shown; null: another act. */
  conversionId: string | null;
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
  said: string;
  words: Words;
  words_id: Buffer;
  window_from: Date | null;
  window_to: Date | null;
  lead_id: string | null;
  conversion_id: string | null;
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
  window: row.window_from && row.window_to && { from: row.window_from, to: row.window_to },
  text: row.said,
  words: row.words,
  wordsId: row.words_id,
  signature: row.signature,
  keyId: row.key_id,
  publicKey: row.public_key,
  leadId: row.lead_id,
  conversionId: row.conversion_id,
  reviewId: row.review_id,
});

const SELECT = `select r.*, k.public_key, w.words, a.lead_id, a.review_id, a.conversion_id
  from receipts r join proof_keys k using (key_id) join receipt_words w using (site_id, notification_id, version, words_id)
    left join receipt_acts a using (site_id, receipt_id)`;

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

/** A receipt in a list: which, and what it says. */
export type Listed = Pick<Kept, 'receiptId' | 'version' | 'text' | 'value' | 'window' | 'asOf'>;

/** Of a notification, the newest first; none of single acts, which are of people. */
export async function listReceipts(
  db: Db,
  siteId: string,
  notificationId: string,
  before: readonly [asOf: string, receiptRef: string] | null,
  limit: number,
): Promise<Listed[]> {
  const { rows } = await db.query<
    Pick<Row, 'receipt_id' | 'version' | 'said' | 'value' | 'as_of' | 'window_from' | 'window_to'>
  >(
    `select receipt_id, version, said, value, as_of, window_from, window_to from receipts
     where site_id = $1 and notification_id = $2 and ($3::timestamptz is null or (as_of, receipt_id) < ($3, $4))
     order by as_of desc, receipt_id desc limit $5`,
    [siteId, notificationId, before?.[0] ?? null, before && readId(before[1]), limit],
  );
  return rows.map((row) => ({
    receiptId: row.receipt_id,
    version: row.version,
    text: row.said,
    value: row.value === null ? null : Number(row.value),
    window: row.window_from && row.window_to && { from: row.window_from, to: row.window_to },
    asOf: row.as_of,
  }));
}

export async function listKeys(db: Db): Promise<{ keyId: string; publicKey: Buffer; firstUsedAt: Date }[]> {
  const { rows } = await db.query<{ keyId: string; publicKey: Buffer; firstUsedAt: Date }>(
    'select key_id as "keyId", public_key as "publicKey", first_used_at as "firstUsedAt" from proof_keys order by first_used_at, key_id',
  );
  return rows;
}
