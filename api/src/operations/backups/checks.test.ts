// What trial restores proved is told backup by backup: what each says it holds, whether it came to that, and that one was not tried.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makeManifest, setPaths, stampedAt, writeManifest } from './manifest.ts';

let server: TestServer;
let folder: string;
before(async () => {
  server = await startServer();
  folder = join(server.services.config.DATA_DIR, 'backups');
  mkdirSync(folder, { recursive: true });
});
after(() => server.end());

const looked = async () =>
  (await call(`${server.url}/v1/admin/restore-checks`, 'GET', undefined, admin)).body;

/** A backup as it lies there, but for the dump itself, which nobody opens here. */
async function lay(stamp: string, check: object | null, paper = true): Promise<void> {
  const { dump, check: checkPath } = setPaths(folder, stamp);
  const file = { name: `marketing-${stamp}.dump`, bytes: 4, sha256: 'a'.repeat(64) };
  const manifest = makeManifest({
    createdAt: stampedAt(stamp).toISOString(),
    installation: { id: randomUUID(), pepper: 'b'.repeat(32) },
    version: '0.1.0',
    server: '18.4',
    file,
    dump: { bytes: 4, sha256: 'a'.repeat(64) },
    encryption: 'none',
    content: {
      tables: { leads: { rows: '40', checksum: '1' }, sites: { rows: '2', checksum: '2' } },
      objects: { indexes: 3 },
      migrations: ['0001_sites.sql', '0002_events.sql'],
    },
  });
  writeFileSync(dump, 'dump');
  if (paper) await writeManifest(dump, manifest);
  else writeFileSync(`${dump}.json`, 'torn');
  if (check) writeFileSync(checkPath, JSON.stringify(check));
}

test('without a backup there is nothing proven, and nothing is said to be', async () => {
  const { checks, skipped } = await looked();
  assert.deepEqual([checks, skipped], [[], null]);
});

test('each backup says what it holds and what its trial came to; one that was not tried, or lost its paper, says so', async () => {
  const good = { ok: true, at: '2026-11-26T03:04:00.000Z', ms: 61_000, problems: [] };
  const bad = { ok: false, at: '2026-11-27T03:04:00.000Z', ms: 9000, problems: ['leads: 39 rows, not 40'] };
  await lay('20261126T021500Z', good);
  await lay('20261127T021500Z', bad);
  await lay('20261128T021500Z', null, false);
  const content = { tables: 2, rows: 42, migration: '0002_events.sql' };
  const { checks } = await looked();
  assert.deepEqual(checks, [
    {
      backup: 'marketing-20261128T021500Z',
      madeAt: '2026-11-28T02:15:00.000Z',
      encrypted: false,
      content: null,
      check: null,
    },
    {
      backup: 'marketing-20261127T021500Z',
      madeAt: '2026-11-27T02:15:00.000Z',
      encrypted: false,
      content,
      check: bad,
    },
    {
      backup: 'marketing-20261126T021500Z',
      madeAt: '2026-11-26T02:15:00.000Z',
      encrypted: false,
      content,
      check: good,
    },
  ]);
});
