// Whether the pepper is the one that this database was made with: asked before anything is done with it.
import pg from 'pg';
import { installationId, pepperMark } from './installation.ts';

/**
 * Notes the pepper of a new database, and of one that was restored.
 * throws  an Error that says what to do, when another was noted; nothing was changed then
 */
export async function refuseOtherPepper(ownerUrl: string, pepper: string): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const id = await installationId(client);
    if (!id) return;
    const mark = pepperMark(pepper, id);
    const { rows } = await client.query<{ pepper_mark: string }>(
      'update public.installation set pepper_mark = coalesce(pepper_mark, $1) where pepper_mark is distinct from $1 returning pepper_mark',
      [mark],
    );
    if (rows.length === 0 || rows[0]!.pepper_mark === mark) return;
    throw new Error(
      'IP_HASH_PEPPER is not the one that this database was made with: addresses of people who asked to be forgotten would not be recognised, and another process that has the right one would be locked out. Put the right one back (scripts/secret IP_HASH_PEPPER). To go on with this one for good: update installation set pepper_mark = null (scripts/sql), and start again.',
    );
  } finally {
    await client.end().catch(() => {});
  }
}

/** The next start notes the pepper it has: whoever restored was told when it is another than the backup's. */
export async function forgetPepper(client: pg.ClientBase): Promise<void> {
  await client.query('update public.installation set pepper_mark = null');
}
