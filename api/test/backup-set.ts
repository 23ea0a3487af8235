// Backups as they lie in a folder, without a database: a dump of chance, and the manifest that describes it.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { digestFile } from '../src/ground/lib/digest.ts';
import { pepperMark } from '../src/operations/backups/installation.ts';
import {
  type Manifest,
  makeManifest,
  setPaths,
  stampOf,
  writeManifest,
} from '../src/operations/backups/manifest.ts';
import { PEPPER } from './cluster.ts';

export const INSTALLATION = '11111111-1111-4111-8111-111111111111';

/** facts  of its manifest, where they differ. returns  the path of the dump */
export async function makeSet(
  folder: string,
  at: Date,
  { proven = false, bytes = 2000, ...facts }: Partial<Manifest> & { proven?: boolean; bytes?: number } = {},
): Promise<string> {
  const { dump: path, check } = setPaths(folder, stampOf(at));
  await writeFile(path, randomBytes(bytes));
  const found = await digestFile(path);
  const content = {
    tables: { sites: { rows: '1', checksum: '42' } },
    objects: { indexes: 3 },
    migrations: ['0001_sites.sql'],
  };
  await writeManifest(
    path,
    makeManifest(
      {
        createdAt: at.toISOString(),
        version: '1.0.0',
        server: '18.4',
        installation: { id: INSTALLATION, pepper: pepperMark(PEPPER, INSTALLATION) },
        file: { name: path.slice(path.lastIndexOf('/') + 1), ...found },
        dump: found,
        encryption: 'none',
        content,
        ...facts,
      },
      PEPPER,
    ),
  );
  if (proven) await writeFile(check, JSON.stringify({ ok: true, at: at.toISOString(), ms: 1, problems: [] }));
  return path;
}
