// Another installation's backup takes this one's place only when somebody says so, knowing what will not match.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeSet } from '../../../test/backup-set.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { standInTools } from '../../../test/pg-tools.ts';
import { runBackup } from './dump.ts';
import { pepperMark, strangeness } from './installation.ts';
import { readManifest } from './manifest.ts';
import { restoreBackup } from './restore.ts';
import { BackupError } from './tools.ts';
import { ownName, refuseForeign } from './whose.ts';

const folder = mkdtempSync(join(tmpdir(), 'whose-test-'));
let one: TestDatabase;
let other: TestDatabase;
before(async () => {
  [one, other] = await Promise.all([makeDatabase(), makeDatabase()]);
  // test databases are copies of one template; real ones get their names from the migration
  await other.owner.query('update installation set id = gen_random_uuid()');
  await addLead(one);
  await addLead(other);
  await standInTools(join(folder, 'bin'), one.owner);
});
after(async () => {
  await one.drop();
  await other.drop();
  rmSync(folder, { recursive: true, force: true });
});

const addLead = ({ owner }: TestDatabase) =>
  owner.query(
    `insert into leads (site_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, unsubscribe_key)
     select site_id, 'ada@example.com', 'ada@example.com', 'example.com', now(), now(), 'k' from sites limit 1`,
  );

const settingsOf = (database: TestDatabase, pepper = PEPPER) => ({
  ownerUrl: database.ownerUrl,
  pgBin: join(folder, 'bin'),
  folder: join(folder, 'backups'),
  recipient: null,
  keptDays: 35,
  offsite: [],
  journal: join(folder, 'none'),
  pepper,
  version: '0',
});
const refusal =
  (...words: RegExp[]) =>
  (error: unknown) =>
    error instanceof BackupError &&
    error.reason === 'foreign' &&
    words.every((word) => word.test(error.message)) &&
    /--from-another-installation/.test(error.message);

test('a backup names its installation and its pepper, without telling the pepper', async () => {
  const { file } = await runBackup(settingsOf(one));
  const manifest = await readManifest(join(folder, 'backups', file));
  const id = await ownName(one.ownerUrl);
  assert.deepEqual(manifest.installation, { id, pepper: pepperMark(PEPPER, id!) });
  assert.equal(JSON.stringify(manifest).includes(PEPPER), false);
  assert.deepEqual(await refuseForeign(settingsOf(one), manifest, false), []);

  await assert.rejects(
    refuseForeign(settingsOf(other), manifest, false),
    refusal(/another installation \([0-9a-f-]{36}; this one is [0-9a-f-]{36}\)/),
  );
  await assert.rejects(
    refuseForeign(settingsOf(other, 'another pepper of mine'), manifest, false),
    refusal(/another pepper.*scripts\/secret IP_HASH_PEPPER/),
  );
  const said = await refuseForeign(settingsOf(other, 'another pepper of mine'), manifest, true);
  assert.equal(said.length, 3);
});

test('its own backup with another pepper is refused: nobody can say whose it is until the pepper is there', async () => {
  const { file } = await runBackup({ ...settingsOf(one), now: () => new Date(Date.now() + 2000) });
  const manifest = await readManifest(join(folder, 'backups', file));
  await assert.rejects(
    refuseForeign(settingsOf(one, 'another pepper of mine'), manifest, false),
    refusal(/bring the pepper first.*scripts\/secret IP_HASH_PEPPER/),
  );
});

test('a restore of another’s backup is refused before a database is made', async () => {
  const file = await makeSet(folder, new Date('2026-03-01T02:15:00Z'), {
    installation: { id: randomUUID(), pepper: 'a'.repeat(32) },
  });
  const databases = async () =>
    (await one.owner.query("select datname from pg_database where datname ~ '^marketing_'")).rows;
  const before = await databases();
  await assert.rejects(
    restoreBackup({
      ...settingsOf(one),
      file,
      identity: null,
      fromAnother: false,
      knownMigrations: ['0001_sites.sql'],
      migrate: () => assert.fail('too late'),
      replayJournal: () => assert.fail('too late'),
      say: () => {},
    }),
    refusal(/another installation/),
  );
  assert.deepEqual(await databases(), before);
});

test('what nobody can know is said', () => {
  const ours = { id: randomUUID(), pepper: PEPPER };
  assert.deepEqual(strangeness(undefined, ours), {
    foreign: false,
    says: ['it was made before backups said whose they are'],
  });
  const fresh = strangeness({ id: ours.id, pepper: pepperMark(PEPPER, ours.id) }, { ...ours, id: null });
  assert.equal(fresh.foreign, true);
  assert.match(fresh.says.join(), /this one is new/);
});

test('a machine whose database was lost takes its own backup without being asked: its secrets signed it, and nothing is replaced', async () => {
  const { file } = await runBackup({ ...settingsOf(one), now: () => new Date(Date.now() + 4000) });
  const manifest = await readManifest(join(folder, 'backups', file));
  const made = await makeDatabase();
  try {
    await made.owner.query('update installation set id = gen_random_uuid()');
    const said = await refuseForeign(settingsOf(made), manifest, false);
    assert.match(said.join(), /another installation/);
    await addLead(made);
    await assert.rejects(refuseForeign(settingsOf(made), manifest, false), refusal(/another installation/));
  } finally {
    await made.drop();
  }
});
