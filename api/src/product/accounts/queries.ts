// The SQL door of users and what they are where. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';
import type { Role, SiteRole } from '../../ground/http/roles.ts';
import type { SealedPerson } from './pii.ts';

export interface Grant {
  siteId: string;
  role: SiteRole;
}
export interface User extends SealedPerson {
  passwordPhc: string | null;
  isOwner: boolean;
  /** Since when their role asks for a second factor. */
  strongSince: Date | null;
  /** HMAC of the address, by which it is found. */
  emailIndex: Buffer;
  hasTotp: boolean;
  hasPasskey: boolean;
  /** Another provider signs them in too. */
  hasIdentity: boolean;
  /** Codes of an app, or a passkey: a password alone does not sign them in. */
  hasSecondFactor: boolean;
  language: 'en' | 'fr';
  timeZone: string;
  createdAt: Date;
  disabledAt: Date | null;
  grants: Grant[];
}

/** Of the table `users`, called u. */
export const USER_COLUMNS = `u.user_id, u.email_encrypted, u.email_key_id, u.email_index, u.full_name_encrypted, u.full_name_key_id, u.password_phc, u.is_owner,
  u.strong_since, u.language, u.time_zone, u.created_at, u.disabled_at,
  exists (select from user_factors f where f.user_id = u.user_id and f.kind = 'totp' and f.confirmed_at is not null) as has_totp,
  exists (select from passkeys p where p.user_id = u.user_id) as has_passkey,
  exists (select from user_identities i where i.user_id = u.user_id) as has_identity,
  coalesce((select json_agg(json_build_object('siteId', g.site_id, 'role', g.role) order by g.site_id) from site_grants g where g.user_id = u.user_id), '[]') as grants`;

export interface UserColumns {
  user_id: string;
  email_encrypted: Buffer;
  email_key_id: string;
  full_name_encrypted: Buffer;
  full_name_key_id: string;
  password_phc: string | null;
  is_owner: boolean;
  strong_since: Date | null;
  language: 'en' | 'fr';
  time_zone: string;
  created_at: Date;
  disabled_at: Date | null;
  email_index: Buffer;
  has_totp: boolean;
  has_passkey: boolean;
  has_identity: boolean;
  grants: Grant[];
}

export const userOf = (row: UserColumns): User => ({
  userId: row.user_id,
  email: { keyId: row.email_key_id, sealed: row.email_encrypted },
  fullName: { keyId: row.full_name_key_id, sealed: row.full_name_encrypted },
  passwordPhc: row.password_phc,
  isOwner: row.is_owner,
  strongSince: row.strong_since,
  emailIndex: row.email_index,
  hasTotp: row.has_totp,
  hasPasskey: row.has_passkey,
  hasIdentity: row.has_identity,
  hasSecondFactor: row.has_totp || row.has_passkey,
  language: row.language,
  timeZone: row.time_zone,
  createdAt: row.created_at,
  disabledAt: row.disabled_at,
  grants: row.grants,
});

const one = (rows: UserColumns[]) => (rows[0] ? userOf(rows[0]) : null);

export async function findUserByIndex(db: Db, emailIndex: Buffer): Promise<User | null> {
  const sql = `select ${USER_COLUMNS} from users u where u.email_index = $1`;
  return one((await db.query<UserColumns>(sql, [emailIndex])).rows);
}

/** lock  until the transaction ends nobody else changes them */
export async function findUser(db: Db, userId: string, lock = false): Promise<User | null> {
  const sql = `select ${USER_COLUMNS} from users u where u.user_id = $1 ${lock ? 'for update of u' : ''}`;
  return one((await db.query<UserColumns>(sql, [userId])).rows);
}

/** siteIds  null: everybody; else who is something at one of these and no owner. The newest first. */
export async function listUsers(
  db: Db,
  siteIds: readonly string[] | null,
  after: string | null,
  limit: number,
): Promise<User[]> {
  const { rows } = await db.query<UserColumns>(
    `select ${USER_COLUMNS} from users u
     where ($1::uuid[] is null or (not u.is_owner and exists (select from site_grants g where g.user_id = u.user_id and g.site_id = any ($1))))
       and ($2::uuid is null or u.user_id < $2) order by u.user_id desc limit $3`,
    [siteIds, after, limit],
  );
  return rows.map(userOf);
}

export interface NewUser extends SealedPerson {
  emailIndex: Buffer;
  passwordPhc: string | null;
  language: 'en' | 'fr';
  timeZone: string;
}

export async function insertUser(db: Db, user: NewUser): Promise<void> {
  await db.query(
    `insert into users (user_id, email_encrypted, email_key_id, email_index, full_name_encrypted, full_name_key_id, password_phc, language, time_zone)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      user.userId,
      user.email.sealed,
      user.email.keyId,
      user.emailIndex,
      user.fullName.sealed,
      user.fullName.keyId,
      user.passwordPhc,
      user.language,
      user.timeZone,
    ],
  );
}

export async function updateProfile(
  db: Db,
  { userId, email, fullName }: SealedPerson,
  emailIndex: Buffer | null,
  { language, timeZone }: { language: string; timeZone: string },
): Promise<void> {
  await db.query(
    `update users set email_encrypted = $2, email_key_id = $3, email_index = coalesce($4, email_index), full_name_encrypted = $5,
       full_name_key_id = $6, language = $7, time_zone = $8 where user_id = $1`,
    [userId, email.sealed, email.keyId, emailIndex, fullName.sealed, fullName.keyId, language, timeZone],
  );
}

export async function setPassword(db: Db, userId: string, phc: string): Promise<void> {
  await db.query('update users set password_phc = $2 where user_id = $1', [userId, phc]);
}

export async function setDisabled(db: Db, userId: string, disabled: boolean): Promise<void> {
  await db.query(
    'update users set disabled_at = case when $2 then coalesce(disabled_at, now()) end where user_id = $1',
    [userId, disabled],
  );
}

/** Factors, sessions, roles and links go with them. */
export async function deleteUser(db: Db, userId: string): Promise<boolean> {
  return (await db.query('delete from users where user_id = $1', [userId])).rowCount === 1;
}

/**
 * What somebody is from now on: an owner, or something at each of `siteIds` where `grants` says so, and nothing where it
 * does not. Other sites stay as they are.
 */
export async function setRoles(
  db: Db,
  userId: string,
  roles: { isOwner: boolean; siteIds: readonly string[]; grants: readonly Grant[] },
  { grantedBy, strongRoles }: { grantedBy: string; strongRoles: readonly Role[] },
): Promise<void> {
  await db.query('delete from site_grants where user_id = $1 and ($2 or site_id = any ($3))', [
    userId,
    roles.isOwner,
    roles.siteIds,
  ]);
  if (!roles.isOwner)
    await db.query(
      `insert into site_grants (user_id, site_id, role, granted_by)
       select $1, "siteId", role, $3 from json_to_recordset($2) as given ("siteId" uuid, role text)`,
      [userId, JSON.stringify(roles.grants), grantedBy],
    );
  await db.query('update users set is_owner = $2 where user_id = $1', [userId, roles.isOwner]);
  await askForSecondFactors(db, strongRoles, userId);
}

/** From now on of whoever has one of these roles, and of nobody else. userId  of one of them; null: everybody */
export async function askForSecondFactors(
  db: Db,
  strongRoles: readonly Role[],
  userId: string | null,
): Promise<void> {
  await db.query(
    `update users u set strong_since = case when is_strong then now() end
     from (select user_id, is_owner or exists (select from site_grants g where g.user_id = s.user_id and g.role = any ($1)) as is_strong from users s) w
     where w.user_id = u.user_id and ($2::uuid is null or u.user_id = $2) and (u.strong_since is not null) <> is_strong`,
    [strongRoles, userId],
  );
}

/** Whether somebody else is an owner who can sign in; until the transaction ends that stays so. */
export async function hasOtherOwner(db: Db, userId: string): Promise<boolean> {
  const { rows } = await db.query<{ user_id: string }>(
    'select user_id from users where is_owner and disabled_at is null order by user_id for update',
  );
  return rows.some((row) => row.user_id !== userId);
}

export async function countUsers(db: Db): Promise<number> {
  return (await db.query<{ count: number }>('select count(*)::int as count from users')).rows[0]!.count;
}
