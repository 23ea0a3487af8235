// What a backup lacks on this machine is told to who asks for one, and is no fault of the product.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'marketing-tools-'));
let server: TestServer;
before(async () => {
  writeFileSync(join(folder, 'pg_dump'), '#!/bin/sh\necho "pg_dump (PostgreSQL) 15.4"\n', { mode: 0o755 });
  server = await startServer({ BACKUP_PG_BIN: folder });
});
after(async () => {
  await server.end();
  rmSync(folder, { recursive: true });
});

test('a backup with the tools of another version is refused with the reason and what to do', async () => {
  const { status, body } = await call(`${server.url}/v1/admin/jobs/backup`, 'POST', {}, admin);
  assert.deepEqual([status, body.error], [503, 'unavailable']);
  assert.match(body.message, /pg_dump is version 15.*BACKUP_PG_BIN/);
});

test('a check without a backup is refused with the reason', async () => {
  const { status, body } = await call(`${server.url}/v1/admin/jobs/verify_backup`, 'POST', {}, admin);
  assert.equal(status, 503, JSON.stringify(body));
  assert.doesNotMatch(body.message, new RegExp(folder), 'no path');
});
