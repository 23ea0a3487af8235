// What happened to sign-ins and to how people prove who they are: an id and a method, never an address.
import type { Db, Pool } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { inAccounts } from './in-accounts.ts';

export interface AuthEvent {
  kind:
    | 'sign_up'
    | 'sign_in'
    | 'sign_out'
    | 'proof'
    | 'password_changed'
    | 'reset_asked'
    | 'password_reset'
    | 'totp_added'
    | 'totp_removed'
    | 'passkey_added'
    | 'passkey_removed'
    | 'factors_removed'
    | 'identity_added'
    | 'identity_removed'
    | 'recovery_codes_made'
    | 'sessions_ended'
    | 'token_reused'
    | 'profile_changed'
    | 'roles_changed'
    | 'account_disabled'
    | 'account_enabled'
    | 'account_deleted'
    | 'email_confirmed'
    | 'share_unlocked'
    | 'setup_link_made'
    | 'reset_link_made';
  outcome?: 'done' | 'failed';
  /** By what; of one that failed also why: SECOND_MISSING, TOO_MANY. */
  method?: string;
  /** Whose account; null: there is none, or nobody knows. */
  userId: string | null;
  /** Who did it, as in the audit log. Default: that user. */
  actor?: string;
  requestId?: string;
}

/** The password was right, and no second factor came with it: the first step of many a sign-in, and all that a thief of a password gets to. */
export const SECOND_MISSING = 'second_factor_missing';
/** The first try that was refused for those before it, once a window. */
export const TOO_MANY = 'too_many_tries';

/** In the transaction of what happened. */
export async function noteAuth(db: Db, event: AuthEvent): Promise<void> {
  const { kind, outcome = 'done', method = null, userId, actor, requestId = null } = event;
  await db.query(
    'insert into auth_events (kind, outcome, method, user_id, actor, request_id) values ($1, $2, $3, $4, $5, $6)',
    [kind, outcome, method, userId, actor ?? (userId ? `user:${userId}` : 'nobody'), requestId],
  );
}

/** In one of its own, because what happened is that something was refused. */
export const noteRefusal = (pool: Pool, event: Omit<AuthEvent, 'outcome'>): Promise<void> =>
  inAccounts(pool, (tx) => noteAuth(tx, { ...event, outcome: 'failed' }));

/** Of all strangers together, in a minute; each network has one at most. */
export const STRANGERS_PER_MINUTE = 10;

/** A failure of nobody's account; what is beyond the bound stands in the log of requests only. */
export async function noteStranger(
  { db, mayStrangersWrite }: { db: Pool; mayStrangersWrite(network: string): boolean },
  call: Call,
  event: Pick<AuthEvent, 'kind' | 'method'>,
): Promise<void> {
  if (!mayStrangersWrite(call.client.limitKey)) return;
  await noteRefusal(db, { ...event, userId: null, actor: 'nobody', requestId: call.id });
}

/** Failed sign-ins of an account within the last quarter of an hour, in which something wrong was said; no more are counted than one above `max`, so that the time tells nobody how many there were. */
export async function failuresOf(db: Db, userId: string, max: number): Promise<number> {
  const { rows } = await db.query<{ count: number }>(
    `select count(*)::int as count from (
       select from auth_events where user_id = $1 and kind = 'sign_in' and outcome = 'failed'
         and method <> all ($2) and at > now() - interval '15 minutes' limit $3) tried`,
    [userId, [SECOND_MISSING, TOO_MANY], max + 1],
  );
  return rows[0]!.count;
}
