// Gives the owner of the database another password. What goes to the server, and into a log there, is only what it compares with.
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import pg from 'pg';
import { databaseName, quoted } from './tools.ts';

const ROUNDS = 4096;
const AUTH_FAILED = '28P01';

/** As PostgreSQL keeps it: SCRAM-SHA-256$rounds:salt$stored:server (RFC 5803). */
export function scramOf(password: string, salt = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ROUNDS, 32, 'sha256');
  const hmac = (word: string) => createHmac('sha256', salted).update(word).digest();
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ROUNDS}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`;
}

const withPassword = (url: string, password: string): string => {
  const changed = new URL(url);
  changed.password = encodeURIComponent(password);
  return changed.href;
};

/**
 * Safe to repeat: when the server knows the new one already, because a try before this one was cut off, nothing is changed.
 * next     letters, digits, - and _ only: SASLprep would read others otherwise
 * returns  false when the new one held already
 */
export async function changePassword(ownerUrl: string, next: string): Promise<boolean> {
  if (!/^[\w-]{24,200}$/.test(next))
    throw new Error('A password of 24 characters or more is needed: letters, digits, - and _.');
  if (await opens(withPassword(ownerUrl, next))) return false;
  const client = new pg.Client({ connectionString: ownerUrl, application_name: 'marketing password' });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('select current_user as name');
    await client.query(`alter role ${quoted(rows[0]!.name)} password '${scramOf(next)}'`);
  } finally {
    await client.end().catch(() => {});
  }
  if (!(await opens(withPassword(ownerUrl, next))))
    throw new Error(`The database ${databaseName(ownerUrl)} does not open with the new password.`);
  return true;
}

async function opens(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, application_name: 'marketing password' });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === AUTH_FAILED) return false;
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}
