// The SQL door of links that work once. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';
import { mayAs, type Role, SITE_ROLES } from '../../ground/http/roles.ts';
import type { Sealed } from './vault.ts';

export type LinkKind = 'setup' | 'invitation' | 'reset' | 'email';
export interface Link {
  linkId: string;
  kind: LinkKind;
  /** Whose password, of a reset. */
  userId: string | null;
  role: Role | null;
  siteIds: string[] | null;
  emailSealed: Buffer | null;
  emailKeyId: string | null;
  madeBy: string;
  createdAt: Date;
  expiresAt: Date;
  usedAt: Date | null;
}
const COLUMNS = `link_id as "linkId", kind, user_id as "userId", role, site_ids as "siteIds", email_encrypted as "emailSealed", email_key_id as "emailKeyId",
  made_by as "madeBy", created_at as "createdAt", expires_at as "expiresAt", used_at as "usedAt"`;

export interface NewLink {
  linkId: string;
  kind: LinkKind;
  tokenHash: Buffer;
  userId?: string | undefined;
  role?: Role | undefined;
  siteIds?: readonly string[] | null | undefined;
  email?: Sealed | undefined;
  madeBy: string;
  minutes: number;
}

export async function insertLink(db: Db, link: NewLink): Promise<Link> {
  const { rows } = await db.query<Link>(
    `insert into one_time_links (link_id, kind, token_hash, user_id, role, site_ids, email_encrypted, email_key_id, made_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + $10 * interval '1 minute') returning ${COLUMNS}`,
    [
      link.linkId,
      link.kind,
      link.tokenHash,
      link.userId ?? null,
      link.role ?? null,
      link.siteIds ?? null,
      link.email?.sealed ?? null,
      link.email?.keyId ?? null,
      link.madeBy,
      link.minutes,
    ],
  );
  return rows[0]!;
}

const MAY_INVITE = (['owner', ...SITE_ROLES] as const).filter((role) => mayAs(role, 'people'));
/** SQL: an invitation is worth what its maker may give now; whoever was shut out left no door open. */
const MAKER_STANDS = `(kind <> 'invitation' or made_by not like 'user:%' or exists (
  select from users m where m.user_id::text = substr(one_time_links.made_by, 6) and m.disabled_at is null and (m.is_owner
    or (one_time_links.role <> 'owner' and not exists (select from unnest(one_time_links.site_ids) as s (id) where not exists (
      select from site_grants g where g.user_id = m.user_id and g.site_id = s.id and g.role in (${MAY_INVITE.map((role) => `'${role}'`).join(', ')})))))))`;
const IS_LIVE = `used_at is null and expires_at > now() and ${MAKER_STANDS}`;

/** Looks without using it. */
export async function findLink(db: Db, tokenHash: Buffer, kinds: readonly LinkKind[]): Promise<Link | null> {
  const { rows } = await db.query<Link>(
    `select ${COLUMNS} from one_time_links where token_hash = $1 and kind = any ($2) and ${IS_LIVE}`,
    [tokenHash, kinds],
  );
  return rows[0] ?? null;
}

/** One that opens nothing any more; it is forgotten a day after its end. */
export async function findSpentLink(db: Db, tokenHash: Buffer): Promise<Link | null> {
  const sql = `select ${COLUMNS} from one_time_links where token_hash = $1 and not (${IS_LIVE})`;
  return (await db.query<Link>(sql, [tokenHash])).rows[0] ?? null;
}

/** Of several at once one gets it: the row is locked by the first, and used when the others come to it. */
export async function useLink(db: Db, tokenHash: Buffer, kinds: readonly LinkKind[]): Promise<Link | null> {
  const { rows } = await db.query<Link>(
    `update one_time_links set used_at = now() where token_hash = $1 and kind = any ($2) and ${IS_LIVE} returning ${COLUMNS}`,
    [tokenHash, kinds],
  );
  return rows[0] ?? null;
}

/** Ends what is still open: of a kind, of one user, or one by its id. returns how many */
export async function endLinks(
  db: Db,
  which: { kind: LinkKind; userId?: string; linkId?: string; siteIds?: readonly string[] | null },
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from one_time_links where kind = $1 and used_at is null and ($2::uuid is null or user_id = $2) and ($3::uuid is null or link_id = $3)
       and ($4::uuid[] is null or (role <> 'owner' and site_ids <@ $4::uuid[]))`,
    [which.kind, which.userId ?? null, which.linkId ?? null, which.siteIds ?? null],
  );
  return rowCount ?? 0;
}

/** Open invitations, the newest first. siteIds  null: every one; else those that reach no further */
export async function listInvitations(
  db: Db,
  siteIds: readonly string[] | null,
  after: string | null,
  limit: number,
): Promise<Link[]> {
  const { rows } = await db.query<Link>(
    `select ${COLUMNS} from one_time_links where kind = 'invitation' and ${IS_LIVE}
       and ($1::uuid[] is null or (role <> 'owner' and site_ids <@ $1::uuid[])) and ($2::uuid is null or link_id < $2)
     order by link_id desc limit $3`,
    [siteIds, after, limit],
  );
  return rows;
}
