// What a backup must not hold: the salts of day visitors, which would outlive their 48 hours in it.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { PEPPER } from '../../../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
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

test('pg_dump is told to leave the salts out, and what a backup says of itself does not know of them', async () => {
  const { rows } = await database.owner.query('show server_version');
  const version = String(rows[0].server_version);
  // stands in for the tools: notes how it was called, and writes what it was asked to
  for (const tool of ['pg_dump', 'pg_restore']) {
    writeFileSync(
      join(folder, tool),
      `#!/bin/sh
case "$1" in --version) echo "${tool} (PostgreSQL) ${version}"; exit 0;; esac
printf '%s\\n' "$@" >> ${folder}/${tool}.called
for argument in "$@"; do case "$argument" in --file=/dev/null) ;; --file=*) echo dump > "\${argument#--file=}";; esac; done
`,
    );
    chmodSync(join(folder, tool), 0o755);
  }
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
  assert.match(
    readFileSync(join(folder, 'pg_dump.called'), 'utf8'),
    /^--exclude-table-data=public\.day_salts$/m,
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
