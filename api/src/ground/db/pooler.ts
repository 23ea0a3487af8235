// Whether a pooler in transaction mode stands before the database. A URL says so itself: …/marketing?pooler=transaction.
import pg from 'pg';
import { codeOf } from './faults.ts';

const PROTOCOL_VIOLATION = '08P01';
/** No limit that anybody would set. */
const PROBE_MS = 86_399_999;

export const isPooledUrl = (url: string): boolean =>
  new URL(url).searchParams.get('pooler') === 'transaction';

/** For programs of PostgreSQL, which know no such word. */
export function withoutPooler(url: string): string {
  const plain = new URL(url);
  plain.searchParams.delete('pooler');
  return plain.href;
}

function marked(url: string): string {
  const its = new URL(url);
  its.searchParams.set('pooler', 'transaction');
  return its.href;
}

/**
 * Logs in, and asks for a session with a limit. A server gives it; a pooler refuses it (pgbouncer), or passes the limit over
 * (with ignore_startup_parameters, and others): then the answer's URL says that one is there.
 * throws  what logging in throws otherwise
 */
export async function askForPooler(url: string): Promise<string> {
  if (isPooledUrl(url)) {
    await settingOf(url, {});
    return url;
  }
  try {
    return (await settingOf(url, { statement_timeout: PROBE_MS })) === String(PROBE_MS) ? url : marked(url);
  } catch (error) {
    if (codeOf(error) !== PROTOCOL_VIOLATION) throw error;
    // whether the name and its password are known is asked once more, without the limit
    await settingOf(url, {});
    return marked(url);
  }
}

async function settingOf(url: string, limits: { statement_timeout?: number }): Promise<string> {
  const probe = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000, ...limits });
  probe.on('error', () => {});
  try {
    await probe.connect();
    const { rows } = await probe.query<{ setting: string }>(
      "select setting from pg_settings where name = 'statement_timeout'",
    );
    return rows[0]!.setting;
  } finally {
    await probe.end().catch(() => {});
  }
}

const limits = new WeakMap<pg.Pool, string>();

export const sayLimits = (pool: pg.Pool, statements: string) => void limits.set(pool, statements);

/** What a transaction of this pool begins with beside BEGIN; '' where its sessions are its own and have their limits. */
export const limitsOf = (pool: pg.Pool): string => limits.get(pool) ?? '';
