// The SQL door of sessions. Inside a transaction of inAccounts.
import type { Db } from '../../ground/db/pool.ts';
import { USER_COLUMNS, type User, type UserColumns, userOf } from './queries.ts';

export interface Session {
  sessionId: string;
  userId: string;
  createdAt: Date;
  seenAt: Date;
  provedAt: Date;
  expiresAt: Date;
  device: string;
  /** browser: by a cookie; token: a program's, by tokens. */
  kind: 'browser' | 'token';
}

const COLUMNS = `s.session_id as "sessionId", s.user_id as "userId", s.created_at as "createdAt", s.seen_at as "seenAt", s.proved_at as "provedAt",
  s.expires_at as "expiresAt", s.device, s.kind`;
const IS_LIVE = "s.expires_at > now() and s.seen_at > now() - s.idle_minutes * interval '1 minute'";

export interface NewSession {
  userId: string;
  tokenHash: Buffer;
  hours: number;
  idleMinutes: number;
  device: string;
  kind: Session['kind'];
  /** null: now */
  provedAt: Date | null;
}

export async function insertSession(db: Db, session: NewSession): Promise<Session> {
  const { rows } = await db.query<Session>(
    `insert into user_sessions as s (user_id, token_hash, expires_at, idle_minutes, device, kind, proved_at)
     values ($1, $2, now() + $3 * interval '1 hour', $4, $5, $6, coalesce($7, now())) returning ${COLUMNS}`,
    [
      session.userId,
      session.tokenHash,
      session.hours,
      session.idleMinutes,
      session.device,
      session.kind,
      session.provedAt,
    ],
  );
  return rows[0]!;
}

export interface Found {
  session: Session;
  user: User;
}

/** name  of the statement: each request of a person asks it, and planning it anew costs more than running it */
async function foundBy(db: Db, name: string, condition: string, values: unknown[]): Promise<Found | null> {
  const { rows } = await db.query<Session & UserColumns>({
    name,
    text: `select ${COLUMNS}, ${USER_COLUMNS} from user_sessions s join users u using (user_id)
     where ${condition} and ${IS_LIVE} and u.disabled_at is null`,
    values,
  });
  const row = rows[0];
  return row ? { session: row, user: userOf(row) } : null;
}

/** By a browser's cookie. returns  null when it is not there, has ended, or its user may not sign in */
export const findSession = (db: Db, tokenHash: Buffer): Promise<Found | null> =>
  foundBy(db, 'session_of_cookie', "s.kind = 'browser' and s.token_hash = $1", [tokenHash]);

/** Of either kind. As findSession. */
export const findSessionById = (db: Db, sessionId: string): Promise<Found | null> =>
  foundBy(db, 'session_by_id', 's.session_id = $1', [sessionId]);

/** Of a program, by what its access token says. As findSession. */
export const findTokenSession = (db: Db, userId: string, sessionId: string): Promise<Found | null> =>
  foundBy(db, 'session_of_token', "s.kind = 'token' and s.user_id = $1 and s.session_id = $2", [
    userId,
    sessionId,
  ]);

export async function noteSeen(db: Db, sessionId: string): Promise<void> {
  await db.query('update user_sessions set seen_at = now() where session_id = $1', [sessionId]);
}

/** Sets another token in the place of the one before; a refresh token is remembered as used. */
async function renew(db: Db, condition: string, changes: string, values: unknown[]): Promise<Session | null> {
  const { rows } = await db.query<Session>(
    `with before as (select session_id, token_hash from user_sessions s where ${condition} for update),
       used as (insert into used_refresh_tokens (token_hash, session_id)
         select token_hash, session_id from before join user_sessions using (session_id, token_hash) where kind = 'token')
     update user_sessions s set ${changes} from before where s.session_id = before.session_id returning ${COLUMNS}`,
    values,
  );
  return rows[0] ?? null;
}

/** A proof gives the session another token: what was read before it opens nothing after it. */
export const renewProof = (db: Db, sessionId: string, tokenHash: Buffer): Promise<Session | null> =>
  renew(db, 's.session_id = $1', 'proved_at = now(), seen_at = now(), token_hash = $2', [
    sessionId,
    tokenHash,
  ]);

/** The next refresh token for this one. returns  null when it is none that is good now */
export const renewRefresh = (db: Db, oldHash: Buffer, newHash: Buffer): Promise<Session | null> =>
  renew(db, `s.kind = 'token' and s.token_hash = $1 and ${IS_LIVE}`, 'seen_at = now(), token_hash = $2', [
    oldHash,
    newHash,
  ]);

/** Ends the session of a refresh token that was used before. returns  whose it was; null: it never was one, or has ended */
export async function endReused(db: Db, tokenHash: Buffer): Promise<string | null> {
  const { rows } = await db.query<{ userId: string }>(
    `delete from user_sessions s using used_refresh_tokens t where t.token_hash = $1 and t.session_id = s.session_id
     returning s.user_id as "userId"`,
    [tokenHash],
  );
  return rows[0]?.userId ?? null;
}

/** The newest first. */
export async function listSessions(db: Db, userId: string): Promise<Session[]> {
  const { rows } = await db.query<Session>(
    `select ${COLUMNS} from user_sessions s where s.user_id = $1 and ${IS_LIVE} order by s.session_id desc limit 200`,
    [userId],
  );
  return rows;
}

/** Of a browser. */
export async function endSessionOf(db: Db, tokenHash: Buffer): Promise<void> {
  await db.query("delete from user_sessions where kind = 'browser' and token_hash = $1", [tokenHash]);
}

export async function endSession(db: Db, userId: string, sessionId: string): Promise<boolean> {
  const sql = 'delete from user_sessions where user_id = $1 and session_id = $2';
  return (await db.query(sql, [userId, sessionId])).rowCount === 1;
}

/** but  this one goes on; null: none. returns  how many ended */
export async function endSessions(db: Db, userId: string, but: string | null = null): Promise<number> {
  const sql = 'delete from user_sessions where user_id = $1 and session_id is distinct from $2';
  return (await db.query(sql, [userId, but])).rowCount ?? 0;
}
