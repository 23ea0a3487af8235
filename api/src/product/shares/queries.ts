// The SQL door of shared views. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';
import type { View } from '../../ground/http/route.ts';
import type { Share } from './schema.ts';

const AS_SHARE = `share_id as "shareId", site_id as "siteId", name, views, password_phc is not null as "hasPassword", hide_money as "hideMoney", segment_id as "segmentId", embed, made_by as "madeBy",
  instant_text(created_at) as "createdAt", instant_text(expires_at) as "expiresAt", last_used_on::text as "lastUsedOn", instant_text(revoked_at) as "revokedAt"`;

export interface ShareRow {
  siteId: string;
  name: string;
  tokenHash: Buffer;
  views: readonly View[];
  passwordPhc: string | null;
  hideMoney: boolean;
  segmentId: string | null;
  embed: readonly string[];
  madeBy: string;
  expiresAt: Date;
}

export async function insertShare(db: Db, share: ShareRow): Promise<Share> {
  const { rows } = await db.query<Share>(
    `insert into shares (site_id, name, token_hash, views, password_phc, hide_money, embed, made_by, expires_at, segment_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${AS_SHARE}`,
    [
      share.siteId,
      share.name,
      share.tokenHash,
      share.views,
      share.passwordPhc,
      share.hideMoney,
      share.embed,
      share.madeBy,
      share.expiresAt,
      share.segmentId,
    ],
  );
  return rows[0]!;
}

/** The newest first. */
export async function listShares(
  db: Db,
  siteId: string,
  after: string | null,
  limit: number,
): Promise<Share[]> {
  const { rows } = await db.query<Share>(
    `select ${AS_SHARE} from shares where site_id = $1 and ($2::uuid is null or share_id < $2) order by share_id desc limit $3`,
    [siteId, after, limit],
  );
  return rows;
}

/** siteId  null: whatever its site. An ended one stays as it ended. returns  null when there is none */
export async function revokeShare(db: Db, siteId: string | null, shareId: string): Promise<Share | null> {
  const { rows } = await db.query<Share>(
    `update shares set revoked_at = coalesce(revoked_at, now()) where share_id = $2 and ($1::uuid is null or site_id = $1) returning ${AS_SHARE}`,
    [siteId, shareId],
  );
  return rows[0] ?? null;
}

export type LiveShare = Share & { passwordPhc: string | null; isUsedToday: boolean };

/** returns  null when it is not there, has run out or was revoked */
export async function findLiveShare(db: Db, tokenHash: Buffer): Promise<LiveShare | null> {
  const { rows } = await db.query<LiveShare>(
    `select ${AS_SHARE}, password_phc as "passwordPhc", coalesce(last_used_on = (now() at time zone 'UTC')::date, false) as "isUsedToday"
     from shares where token_hash = $1 and revoked_at is null and expires_at > now()`,
    [tokenHash],
  );
  return rows[0] ?? null;
}

export async function listFramers(db: Db, shareId: string): Promise<string[]> {
  const { rows } = await db.query<{ embed: string[] }>(
    'select embed from shares where share_id = $1 and revoked_at is null and expires_at > now()',
    [shareId],
  );
  return rows[0]?.embed ?? [];
}

export async function noteShareUse(db: Db, shareId: string): Promise<void> {
  await db.query("update shares set last_used_on = (now() at time zone 'UTC')::date where share_id = $1", [
    shareId,
  ]);
}
