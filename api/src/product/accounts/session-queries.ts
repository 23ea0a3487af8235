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
}

const COLUMNS = `s.session_id as "sessionId", s.user_id as "userId", s.created_at as "createdAt", s.seen_at as "seenAt", s.proved_at as "provedAt",
  s.expires_at as "expiresAt", s.device`;
const IS_LIVE = "s.expires_at > now() and s.seen_at > now() - s.idle_minutes * interval '1 minute'";

export interface NewSession {
  userId: string;
  tokenHash: Buffer;
  hours: number;
  idleMinutes: number;
  device: string;
}

export async function insertSession(db: Db, session: NewSession): Promise<Session> {
  const { rows } = await db.query<Session>(
    `insert into user_sessions as s (user_id, token_hash, expires_at, idle_minutes, device)
     values ($1, $2, now() + $3 * interval '1 hour', $4, $5) returning ${COLUMNS}`,
    [session.userId, session.tokenHash, session.hours, session.idleMinutes, session.device],
  );
  return rows[0]!;
}

/** returns  null when it is not there, has ended, or its user may not sign in */
export async function findSession(
  db: Db,
  tokenHash: Buffer,
): Promise<{ session: Session; user: User } | null> {
  const { rows } = await db.query<Session & UserColumns>(
    `select ${COLUMNS}, ${USER_COLUMNS} from user_sessions s join users u using (user_id)
     where s.token_hash = $1 and ${IS_LIVE} and u.disabled_at is null`,
    [tokenHash],
  );
  const row = rows[0];
  return row ? { session: row, user: userOf(row) } : null;
}

export async function noteSeen(db: Db, sessionId: string): Promise<void> {
  await db.query('update user_sessions set seen_at = now() where session_id = $1', [sessionId]);
}

/** A proof gives the session another token: what was read before it opens nothing after it. */
export async function renewProof(db: Db, sessionId: string, tokenHash: Buffer): Promise<Session | null> {
  const { rows } = await db.query<Session>(
    `update user_sessions s set proved_at = now(), seen_at = now(), token_hash = $2 where session_id = $1 returning ${COLUMNS}`,
    [sessionId, tokenHash],
  );
  return rows[0] ?? null;
}

/** The newest first. */
export async function listSessions(db: Db, userId: string): Promise<Session[]> {
  const { rows } = await db.query<Session>(
    `select ${COLUMNS} from user_sessions s where s.user_id = $1 and ${IS_LIVE} order by s.session_id desc limit 200`,
    [userId],
  );
  return rows;
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
