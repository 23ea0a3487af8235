// scripts/status on a bad day: with the API down it still tells the database, the backups, the disk, and what to do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeSet } from '../../../test/backup-set.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';

const CLI = fileURLToPath(new URL('../../cli.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'status-test-'));
let database: TestDatabase;
before(async () => {
  database = await makeDatabase();
  mkdirSync(join(folder, 'backups'));
  await makeSet(join(folder, 'backups'), new Date(Date.now() - 5 * 3_600_000), { proven: true });
  const since = '2026-03-01T00:00:00.000Z';
  writeFileSync(
    join(folder, 'alerts.json'),
    JSON.stringify({
      alarms: { disk: { since, severity: 'warning', message: 'full', toldAt: null } },
      sentAt: [],
    }),
  );
});
after(async () => {
  await database.drop();
  rmSync(folder, { recursive: true });
});

function status(environment: Record<string, string> = {}, ...words: string[]) {
  const {
    status: code,
    stdout,
    stderr,
  } = spawnSync(process.execPath, [CLI, 'status', ...words], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      DATA_DIR: folder,
      DATABASE_URL: database.ownerUrl,
      IP_HASH_PEPPER: PEPPER,
      ADMIN_API_KEY: 'an admin key for the tests only',
      PORT: '1',
      ...environment,
    },
  });
  return { code, stdout, stderr };
}

test('without the API the database, the backups, the disk, the last alarms and a hint are told', () => {
  const { code, stdout, stderr } = status();
  assert.deepEqual([code, stderr], [1, '']);
  for (const line of [
    /^release +\S+; the API DOES NOT ANSWER \(.+\)$/m,
    /^database +PostgreSQL 18\.\d+, \d+ MB, \d{4}_\w+\.sql, \d+ connections$/m,
    /^backup +marketing-\w+\.dump, 5 h ago; 1 in all$/m,
    /^restored +equal, table by table, 5 h ago/m,
    /^disk +[\d.]+ % used, \d+ MB free/m,
    /^ALARM +warning since 2026-03-01T00:00:00.000Z: disk: full \(as last seen\)$/m,
    /^hint +scripts\/logs api says why/m,
  ])
    assert.match(stdout, line);
  const told = JSON.parse(status({}, '--json').stdout);
  assert.deepEqual(
    [told.ok, told.api.answers, told.database.ok, told.backups.count],
    [false, false, true, 1],
  );
});

test('with a setting that is wrong, or without the database, it says which and goes on', () => {
  const wrong = status({ EVENT_RETENTION_DAYS: 'ninety' }).stdout;
  assert.match(wrong, /^settings +EVENT_RETENTION_DAYS: must be a whole number$/m);
  assert.match(wrong, /^backup +marketing-/m);
  assert.match(wrong, /^hint +correct the lines above/m);
  const away = status({ DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' }).stdout;
  assert.match(away, /^database +does not answer$/m);
  assert.match(away, /^hint +the database first: scripts\/logs postgres$/m);
});
