// What a backup must not hold: the salts of day visitors, which would outlive their 48 hours in it, and what would open a
// door again after it was closed: sessions and links that work once.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { PEPPER } from '../../../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { standInTools } from '../../../test/pg-tools.ts';
import { runBackup } from './dump.ts';
import { differences, fingerprint } from './fingerprint.ts';

let database: TestDatabase;
const folder = mkdtempSync(join(tmpdir(), 'marketing-backup-'));
before(async () => {
  database = await makeDatabase();
});
after(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

test('pg_dump is told to leave salts, sessions and links out, and what a backup says of itself does not know of them', async () => {
  await standInTools(folder, database.owner);
  const backups = join(folder, 'backups');
  const { file } = await runBackup({
    ownerUrl: database.ownerUrl,
    pgBin: folder,
    folder: backups,
    recipient: null,
    keptDays: 35,
    offsite: [],
    journal: join(folder, 'none'),
    pepper: PEPPER,
    version: '0',
  });
  for (const table of [
    'day_salts',
    'user_sessions',
    'used_refresh_tokens',
    'one_time_links',
    'account_mails',
  ])
    assert.match(
      readFileSync(join(folder, 'pg_dump.called'), 'utf8'),
      new RegExp(`^--exclude-table-data=public\\.${table}$`, 'm'),
    );
  const { content } = JSON.parse(readFileSync(join(backups, `${file}.json`), 'utf8'));
  assert.ok(content.tables.events);
  assert.equal(content.tables.day_salts, undefined);
});

test('a restored database that has made salts of its own is still equal to its backup', async () => {
  const client = new pg.Client(database.ownerUrl);
  await client.connect();
  try {
    const before = await fingerprint(client);
    await client.query("insert into day_salts (day) values ('2031-05-05')");
    assert.deepEqual(differences(before, await fingerprint(client)), []);
  } finally {
    await client.end();
  }
});
