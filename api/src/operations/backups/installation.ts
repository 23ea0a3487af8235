// Whose a backup is: the random name of the installation, and a mark of the pepper that its hashes were made with.
import { createHmac } from 'node:crypto';
import type pg from 'pg';

export interface Installation {
  id: string;
  /** Tells whether two peppers are the same, and nothing else about them. */
  pepper: string;
}

/** returns  null for a database from before installations had names, or one that is not ours */
export async function installationId(client: pg.ClientBase): Promise<string | null> {
  const { rows } = await client.query<{ there: boolean }>(
    `select to_regclass('public.installation') is not null as there`,
  );
  if (!rows[0]!.there) return null;
  const { rows: found } = await client.query<{ id: string }>('select id from public.installation');
  return found[0]?.id ?? null;
}

/** A backup from before had no name for whose it is: its data go on under the name that the database had here. */
export async function nameInstallation(client: pg.ClientBase, id: string): Promise<void> {
  await client.query('update public.installation set id = $1', [id]);
}

/** Half of an HMAC: it can be compared, not turned back; the installation's name in it keeps two of them from being told alike. */
export const pepperMark = (pepper: string, id: string): string =>
  createHmac('sha256', pepper).update(`the pepper of installation ${id}`).digest('hex').slice(0, 32);

/**
 * What will not match when these data go on here, in sentences; empty when all does.
 * its   of the backup; null: it was made before backups named it
 * ours  the installation here; id null: no database yet
 */
export function strangeness(
  its: Installation | null | undefined,
  ours: { id: string | null; pepper: string },
): { foreign: boolean; says: string[] } {
  if (!its) return { foreign: false, says: ['it was made before backups said whose they are'] };
  const says: string[] = [];
  const foreign = its.id !== ours.id;
  if (foreign)
    says.push(
      `it is of another installation (${its.id}; this one is ${ours.id ?? 'new'}): sites, keys and people here are replaced by those of that one`,
    );
  if (its.pepper !== pepperMark(ours.pepper, its.id))
    says.push(
      'it was made with another pepper: who was at the same address before, and who asked to be forgotten by address, is not recognised. Bring the pepper first: scripts/secret IP_HASH_PEPPER',
    );
  return { foreign, says };
}
