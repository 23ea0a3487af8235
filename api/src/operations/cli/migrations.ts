// marketing migrations: what this release knows; an upgrade asks a new image before it touches anything.
import { readdirSync } from 'node:fs';
import { print } from './print.ts';

export const known = (): string[] =>
  readdirSync(new URL('../../../migrations/', import.meta.url))
    .filter((name) => /^\d{4}_.*\.sql$/.test(name))
    .sort();

export async function migrations({ done }: { done: boolean }): Promise<void> {
  for (const name of done ? await seen() : known()) print(name);
}

/** Those of the database, for which alone the settings and its client are needed. */
async function seen(): Promise<string[]> {
  const { schemaOf } = await import('../backups/restore.ts');
  const { settings } = await import('./settings.ts');
  return schemaOf(settings().DATABASE_URL);
}
