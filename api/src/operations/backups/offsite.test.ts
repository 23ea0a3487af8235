// Copies elsewhere as an operator meets them: a place that is away costs an alarm and never the backup; a place can be tried,
// looked into, and fetched from.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { INSTALLATION, makeSet } from '../../../test/backup-set.ts';
import { type Bucket, startBucket } from '../../../test/bucket.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { standInTools } from '../../../test/pg-tools.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { type SshServer, startSshServer } from '../../../test/ssh-server.ts';
import { readingsOf } from '../alerts/watch.ts';
import type { Status } from '../status/status.ts';
import { bring } from './bring.ts';
import { checkOffsite } from './check-offsite.ts';
import { fetchOffsite } from './fetch-offsite.ts';
import { allBackups } from './list.ts';
import { BackupError } from './tools.ts';

const CLI = fileURLToPath(new URL('../../cli.ts', import.meta.url));
const top = mkdtempSync(join(tmpdir(), 'offsite-test-'));
let database: TestDatabase;
let server: TestServer;
let bucket: Bucket;
let ssh: SshServer;
let environment: Record<string, string>;
before(async () => {
  [database, bucket, ssh] = await Promise.all([makeDatabase(), startBucket(), startSshServer()]);
  await database.owner.query('update installation set id = $1', [INSTALLATION]);
  await standInTools(join(top, 'bin'), database.owner);
  environment = {
    BACKUP_PG_BIN: join(top, 'bin'),
    BACKUP_S3_URL: bucket.target.url,
    BACKUP_S3_REGION: bucket.target.region,
    BACKUP_S3_ACCESS_KEY_ID: bucket.target.accessKeyId,
    BACKUP_S3_SECRET_ACCESS_KEY: bucket.target.secretAccessKey,
  };
  server = await startServer(environment, database);
});
after(async () => {
  await server.end();
  bucket.close();
  ssh.close();
  rmSync(top, { recursive: true, force: true });
});
let folder = '';
beforeEach(() => {
  folder = join(top, randomUUID());
  mkdirSync(folder);
  bucket.night = 'well';
  ssh.night = 'well';
  bucket.objects.clear();
  for (const name of readdirSync(ssh.folder)) rmSync(join(ssh.folder, name));
});

const settings = (installation: string | null = INSTALLATION) => ({
  folder,
  recipient: null,
  keptDays: 35,
  journal: join(folder, 'forgotten.ndjson'),
  installation,
});
const day = (n: number) => new Date(Date.parse('2026-03-01T02:15:00Z') + n * 86_400_000);
const refusedAs = (reason: string, what: RegExp) => (error: unknown) =>
  error instanceof BackupError && error.reason === reason && what.test(error.message);

const run = async (job: string) =>
  (await call(`${server.url}/v1/admin/jobs/${job}`, 'POST', {}, admin)).body.run;
const status = async () =>
  (await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin)).body as Status;

test('a bucket that is away costs an alarm and not the backup, the job says so, and an hour later it is made up', async () => {
  bucket.night = 'refuses';
  const made = await run('backup');
  assert.equal(made.state, 'incomplete');
  assert.match(made.error, /s3 127\.0\.0\.1:\d+: the bucket answered 403 AccessDenied to the upload/);
  assert.ok(existsSync(join(server.folder, 'backups', made.result.file)));
  const bad = await status();
  assert.equal(bad.backups.last?.ok, true);
  assert.match(readingsOf(bad, true).offsiteFailed!, /403/);
  assert.equal(bad.backups.offsite[0]?.ok, false);

  bucket.night = 'well';
  const later = await run('offsite');
  assert.deepEqual([later.state, later.error], ['succeeded', null]);
  assert.ok(bucket.objects.has(made.result.file));
  const good = await status();
  assert.equal(readingsOf(good, true).offsiteFailed, null);
  assert.deepEqual([good.backups.offsite[0]?.copies, good.backups.offsite[0]?.failingSince], [1, null]);
});

/** As an operator's script calls it; the bucket lives in this process, which must go on meanwhile. */
async function marketing(...args: string[]) {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: database.ownerUrl,
      IP_HASH_PEPPER: PEPPER,
      DATA_DIR: server.folder,
      ...environment,
    },
  });
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { status, stdout, stderr };
}

test('a backup for a laptop or before an upgrade asks no bucket at all; another says which copy failed by its exit status', async () => {
  bucket.calls.length = 0;
  const name = /^marketing-\d{8}T\d{6}Z\.dump$/m;
  const here = await marketing('backup', '--name', '--no-copy');
  assert.deepEqual([here.status, bucket.calls], [0, []]);
  assert.match(here.stdout, name);
  bucket.night = 'is away';
  const both = await marketing('backup', '--name');
  assert.equal(both.status, 4);
  assert.match(both.stdout, name);
  assert.match(both.stderr, /the backup is made; its copy to s3 127.* failed: it cut the connection/);
});

test('an operator sees what lies where, tries the place, and fetches from it', async () => {
  await makeSet(join(server.folder, 'backups'), day(0), { proven: true });
  await marketing('offsite');
  const listed = await marketing('list-backups');
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(
    listed.stdout,
    /marketing-20260301T021500Z\.dump +2026-03-01 02:15 UTC +0\.0 MB +proven +here, s3 127/,
  );
  const tried = await marketing('check-offsite');
  assert.equal(tried.status, 0, tried.stdout);
  assert.match(tried.stdout, /write a small file +well/);
  const fetched = await marketing('fetch-offsite', 'marketing-20260301T021500Z.dump');
  assert.equal(fetched.status, 0, fetched.stderr);
  assert.equal(fetched.stdout.trim(), join(server.folder, 'incoming', 'marketing-20260301T021500Z.dump'));
  bucket.night = 'is away';
  assert.equal((await marketing('check-offsite')).status, 1);
  const away = await marketing('list-backups');
  assert.equal(away.status, 1, 'what lies here is listed all the same');
  assert.match(away.stdout, /marketing-20260301T021500Z\.dump/);
  assert.match(away.stderr, /could not be asked: s3/);
});

test('a trial of a place says step by step what works there and what does not, and leaves nothing', async () => {
  for (const target of [bucket.target, ssh.target]) {
    const { steps } = await checkOffsite(target, folder);
    assert.deepEqual(
      steps.map(({ ok }) => ok),
      [true, true, true, true, true],
      JSON.stringify(steps),
    );
  }
  assert.equal(bucket.objects.size + readdirSync(ssh.folder).length + readdirSync(folder).length, 0);
  const failing = async (night: Bucket['night']) => {
    bucket.night = night;
    return (await checkOffsite(bucket.target, folder)).steps.map(({ ok, message }) => message ?? ok);
  };
  assert.deepEqual(await failing('refuses'), [
    'the bucket answered 403 AccessDenied to the upload: the key is wrong, or may not do that',
    null,
    true,
    null,
  ]);
  assert.match(String((await failing('removes nothing'))[3]), /403 AccessDenied to the removal/);
  bucket.objects.clear();
  assert.match(String((await failing('lists nothing'))[2]), /403 AccessDenied to the list/);
});

test('a backup is fetched from either place, with what was forgotten since, and is what was brought', async () => {
  const paths: string[] = [];
  for (const n of [0, 1, 2]) paths.push(await makeSet(folder, day(n)));
  writeFileSync(join(folder, 'forgotten.ndjson'), '\n{"at":"1"}');
  for (const target of [bucket.target, ssh.target]) {
    await bring(target, settings(), { now: day(2) });
    const to = join(folder, `to-${target.kind}`);
    for (const [wanted, expected] of [
      ['latest', paths[2]!],
      [paths[0]!.slice(folder.length + 1), paths[0]!],
    ] as const) {
      const { file } = await fetchOffsite({ folder, offsite: [target] }, wanted, {
        installation: INSTALLATION,
        to,
      });
      assert.match(readFileSync(join(to, 'forgotten.ndjson'), 'utf8'), /"at":"1"/);
      for (const suffix of ['', '.json'])
        assert.ok(readFileSync(`${file}${suffix}`).equals(readFileSync(`${expected}${suffix}`)));
    }
  }
});

test('what cannot be fetched is said, place by place, and nothing half stays', async () => {
  await makeSet(folder, day(0));
  await bring(bucket.target, settings(), { now: day(0) });
  const name = 'marketing-20260301T021500Z.dump';
  const to = join(folder, 'to');
  const fetch = (wanted: string, installation: string | null = INSTALLATION) =>
    fetchOffsite({ folder, offsite: [bucket.target] }, wanted, { installation, to });
  await assert.rejects(
    fetch('marketing-20250101T000000Z.dump'),
    refusedAs('no_backup', /there are 20260301T021500Z/),
  );
  bucket.objects.set(name, Buffer.from(bucket.objects.get(name)!.map((byte) => byte ^ 1)));
  await assert.rejects(fetch('latest'), refusedAs('corrupt', /checksum/));
  bucket.objects.set(name, Buffer.alloc(3));
  await assert.rejects(fetch(name), refusedAs('no_backup', /not whole there/));
  await assert.rejects(fetch('latest'), refusedAs('no_backup', /no whole backup/));
  assert.deepEqual(
    readdirSync(to).filter((each) => each.endsWith('.dump') || each.endsWith('.partial')),
    [],
  );
  bucket.night = 'is away';
  await assert.rejects(fetch('latest'), refusedAs('no_backup', /s3 127.*cut the connection/));
});

test('"latest" of a folder with backups of several installations is asked for by name', async () => {
  const installation = (id: string) => ({ installation: { id, pepper: 'a'.repeat(32) } });
  const gone = randomUUID();
  await makeSet(folder, day(0), installation(gone));
  await makeSet(folder, day(1), installation(gone));
  const share = () => {
    for (const name of readdirSync(folder))
      if (name.startsWith('marketing-')) bucket.objects.set(name, readFileSync(join(folder, name)));
  };
  const fetch = (wanted: string) =>
    fetchOffsite({ folder, offsite: [bucket.target] }, wanted, {
      installation: INSTALLATION,
      to: join(folder, 'to'),
    });
  share();
  assert.match((await fetch('latest')).file, /20260302T/, 'the old machine is gone, its copies are taken');
  await makeSet(folder, day(2));
  share();
  await assert.rejects(
    fetch('latest'),
    refusedAs('no_backup', new RegExp(`20260302T021500Z of ${gone}, 20260303T021500Z of this one`)),
  );
  assert.match((await fetch('marketing-20260302T021500Z.dump')).file, /20260302T/);
  const { backups } = await allBackups(
    { folder: join(folder, 'none'), offsite: [bucket.target], recipient: null },
    INSTALLATION,
  );
  assert.deepEqual(
    backups.map(({ foreign }) => foreign),
    [false, true, true],
  );
});
