// One PostgreSQL 18 for a whole test run: made by test/run.ts, or by the first test file that is run alone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, embeddedPostgres } from '../src/ground/db/embedded.ts';

export const PEPPER = 'a pepper for the tests only';

/** A server of its own in a folder of its own; remove() stops it and forgets everything. */
export async function startCluster(
  settings: Record<string, string> = {},
): Promise<EmbeddedPostgres & { remove(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'marketing-test-'));
  const server = await embeddedPostgres({
    dataDir: join(folder, 'db'),
    password: 'test',
    settings: { max_connections: '150', ...settings },
  });
  await server.start();
  return {
    ...server,
    async remove() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
