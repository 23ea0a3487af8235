// Copies elsewhere: whatever a night brings, there are never fewer good ones than before, and what was missed is made up.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { INSTALLATION, makeSet } from '../../../test/backup-set.ts';
import { type Bucket, type Night, startBucket } from '../../../test/bucket.ts';
import { type SshServer, startSshServer } from '../../../test/ssh-server.ts';
import type { Offsite } from '../../ground/shelf/target.ts';
import { bring } from './bring.ts';
import { stampOf } from './manifest.ts';
import { chooseKept, listBackups } from './rotate.ts';
import type { Known } from './there.ts';

const DAY_MS = 86_400_000;
const FIRST = Date.parse('2026-03-01T02:15:00Z');
const night = (n: number) => new Date(FIRST + n * DAY_MS);

const top = await mkdtemp(join(tmpdir(), 'bring-test-'));
const bucket: Bucket = await startBucket();
const server: SshServer = await startSshServer();
after(async () => {
  bucket.close();
  server.close();
  await rm(top, { recursive: true });
});

/** What was made, by name: the only judge of whether a copy is good. */
const made = new Map<string, Buffer>();
let folder = '';
let journal = '';
beforeEach(async () => {
  folder = join(top, randomUUID());
  journal = join(folder, 'forgotten.ndjson');
  await mkdir(folder);
  bucket.objects.clear();
  bucket.calls.length = 0;
  bucket.night = 'well';
  server.night = 'well';
  for (const name of readdirSync(server.folder)) await rm(join(server.folder, name));
  made.clear();
  known = undefined;
});

const there = (target: Offsite): Map<string, Buffer> =>
  target.kind === 's3'
    ? bucket.objects
    : new Map(readdirSync(server.folder).map((name) => [name, readFileSync(join(server.folder, name))]));
/** Copies that are there to the byte, with their manifests. */
const good = (target: Offsite): string[] => {
  const files = there(target);
  return [...files.keys()]
    .filter((name) => name.endsWith('.dump'))
    .filter((name) => [name, `${name}.json`].every((each) => files.get(each)?.equals(made.get(each)!)))
    .sort();
};

/** A night of the machine: a backup, restored on trial, and the rotation of what lies here. */
async function backupAt(at: Date, facts: Parameters<typeof makeSet>[2] = { proven: true }): Promise<void> {
  const path = await makeSet(folder, at, facts);
  for (const each of [path, `${path}.json`]) made.set(each.slice(folder.length + 1), readFileSync(each));
  const sets = await listBackups(folder);
  const kept = chooseKept(sets, at, 35);
  for (const { stamp } of sets)
    if (!kept.includes(stamp))
      for (const suffix of ['dump', 'dump.json', 'check.json'])
        await rm(join(folder, `marketing-${stamp}.${suffix}`), { force: true });
}
let known: Known | undefined;
async function bringTo(target: Offsite, now: Date, installation: string | null = INSTALLATION) {
  const brought = await bring(
    { ...target, silenceMs: target.kind === 's3' ? 200 : 1500 },
    { folder, recipient: null, keptDays: 35, journal, installation },
    { now, known },
  );
  known = JSON.parse(JSON.stringify(brought.known)); // as it is kept between two runs
  return brought;
}

for (const target of [bucket.target, server.target] as Offsite[]) {
  const bads: string[] =
    target.kind === 's3'
      ? ([
          'resets',
          'stores half',
          'stores garbage',
          'refuses',
          'is busy',
          'is silent',
          'is full',
          'removes nothing',
          'lists nothing',
          'is away',
        ] satisfies Night[])
      : ['cuts', 'stores half', 'is silent', 'removes nothing', 'is full'];
  const spoil = (how: string) => {
    if (target.kind === 's3') bucket.night = how as Night;
    else server.night = how as SshServer['night'];
  };

  test(`${target.kind}: a night of each misfortune leaves no fewer good copies, is told, and is made up for`, async () => {
    for (let n = 0; n < 8; n++) {
      await backupAt(night(n));
      assert.equal((await bringTo(target, night(n))).message, null);
    }
    let n = 8;
    for (const how of bads) {
      const before = good(target);
      spoil(how);
      await backupAt(night(n));
      const { ok, message } = await bringTo(target, night(n));
      const left = good(target);
      assert.ok(left.length >= before.length, `${how}: ${before.length} before, ${left.length} after`);
      // what is as good as new counts for nothing where the new one is not there
      if (!left.includes(`marketing-${stampOf(night(n))}.dump`)) assert.deepEqual(left, before, how);
      if (how !== 'stores garbage' || !ok) {
        assert.equal(ok, false, how);
        assert.ok(message, how);
      }
      spoil('well');
      const hourLater = await bringTo(target, new Date(night(n).getTime() + 3_600_000));
      assert.equal(hourLater.message, null, how);
      assert.ok(good(target).includes(`marketing-${stampOf(night(n))}.dump`), `${how}: made up`);
      n++;
    }
  });

  test(`${target.kind}: however long a place takes nothing, it loses nothing`, async () => {
    for (let n = 0; n < 8; n++) {
      await backupAt(night(n));
      await bringTo(target, night(n));
    }
    const before = good(target);
    spoil('is full');
    for (let n = 8; n < 48; n += 10) {
      await backupAt(night(n));
      assert.equal((await bringTo(target, night(n))).ok, false);
    }
    assert.deepEqual(good(target), before);
  });

  test(`${target.kind}: a removal that is refused is told, and done by a later run`, async () => {
    for (let n = 0; n < 9; n++) {
      if (n === 8) spoil('removes nothing');
      await backupAt(night(n));
      const { ok, message, unremoved } = await bringTo(target, night(n));
      if (n < 8) continue;
      assert.equal(ok, false);
      assert.ok(unremoved.length > 0);
      assert.match(message!, /old cop(y|ies).*still lie there/);
    }
    const before = good(target).length;
    spoil('well');
    const { removed, message } = await bringTo(target, night(8));
    assert.equal(message, null);
    assert.equal(good(target).length, before - removed.length);
    assert.ok(removed.length > 0);
  });
}

test('the last three proven copies stay however old, and they are those proven copies that lie there', async () => {
  for (let n = 0; n < 5; n++) {
    await backupAt(night(n), { proven: n < 4 });
    await bringTo(bucket.target, night(n));
  }
  // a month without a trial restore, and the local proofs are gone
  for (const name of readdirSync(folder)) await rm(join(folder, name), { recursive: true });
  await backupAt(night(60), {});
  const { copies, proven, message } = await bringTo(bucket.target, night(60));
  assert.equal(message, null);
  assert.deepEqual([copies, proven], [4, 3]);
  assert.deepEqual(
    good(bucket.target),
    [1, 2, 3, 60].map((n) => `marketing-${stampOf(night(n))}.dump`),
  );
});

test('nights without the place are made up, of each day the newest', async () => {
  bucket.night = 'is away';
  for (let n = 0; n < 4; n++) {
    await backupAt(night(n));
    await bringTo(bucket.target, night(n));
  }
  bucket.night = 'well';
  const { sent } = await bringTo(bucket.target, night(3));
  assert.equal(sent.length, 4);
  assert.equal(sent[0], `marketing-${stampOf(night(3))}.dump`, 'the newest first');
  assert.equal((await bringTo(bucket.target, night(3))).sent.length, 0, 'and nothing twice');
});

test('a copy that was cut short there is brought again, and counts for nothing until then', async () => {
  await backupAt(night(0));
  await bringTo(bucket.target, night(0));
  const name = `marketing-${stampOf(night(0))}.dump`;
  bucket.objects.set(name, bucket.objects.get(name)!.subarray(0, 10));
  const { sent, copies } = await bringTo(bucket.target, night(0));
  assert.deepEqual([sent, copies], [[name], 1]);
  assert.deepEqual(good(bucket.target), [name]);
});

test('what is left of a backup whose other half is lost goes when it is as old as backups may be', async () => {
  const [orphan, young] = [`marketing-${stampOf(night(0))}.dump`, `marketing-${stampOf(night(30))}.dump`];
  bucket.objects.set(orphan, Buffer.from('half of one'));
  bucket.objects.set(young, Buffer.from('half of one'));
  await backupAt(night(36));
  await bringTo(bucket.target, night(36));
  assert.equal(bucket.objects.has(orphan), false);
  assert.equal(bucket.objects.has(young), true);
});

test('backups of another installation in the same folder are never touched, and that is told', async () => {
  const other = { id: randomUUID(), pepper: 'a'.repeat(32) };
  for (const n of [0, 1, 50]) await backupAt(night(n), { installation: other });
  for (const [name, bytes] of made) bucket.objects.set(name, bytes);
  const theirs = good(bucket.target);
  for (const name of readdirSync(folder)) await rm(join(folder, name), { recursive: true });
  await backupAt(night(49));
  const brought = await bringTo(bucket.target, night(49));
  assert.match(brought.message!, /3 backups of another installation/);
  assert.equal(brought.copies, 1);
  // of the very moment of theirs: their copy is not overwritten
  await backupAt(night(50));
  for (const [name, bytes] of [...bucket.objects]) if (theirs.includes(name)) made.set(name, bytes);
  for (const name of theirs) made.set(`${name}.json`, bucket.objects.get(`${name}.json`)!);
  const refused = await bringTo(bucket.target, night(50));
  assert.match(refused.message!, /another installation keeps a backup of the same moment/);
  assert.deepEqual(
    theirs.filter((name) => !good(bucket.target).includes(name)),
    [],
  );
});

test('so are those of a bucket that stands in the name of its host', async () => {
  const other = await startBucket('box', undefined, '');
  try {
    await backupAt(night(10));
    other.uploads.set('old', new Map());
    other.begun.set('old', { name: `marketing-${stampOf(night(0))}.dump`, at: night(0).toISOString() });
    assert.equal((await bringTo(other.target, night(10))).message, null);
    assert.deepEqual([...other.uploads.keys()], []);
    assert.ok(other.objects.size > 0);
  } finally {
    other.close();
  }
});

test('uploads that a killed process left begun are ended a week later, and nobody else’s', async () => {
  await backupAt(night(10));
  const begin = (id: string, name: string, at: Date) => {
    bucket.uploads.set(id, new Map());
    bucket.begun.set(id, { name, at: at.toISOString() });
  };
  begin('old/one&=', `marketing-${stampOf(night(0))}.dump`, night(0));
  begin('young', `marketing-${stampOf(night(9))}.dump`, night(9));
  begin('strange', 'somebody-elses.tar', night(0));
  assert.equal((await bringTo(bucket.target, night(10))).message, null);
  assert.deepEqual([...bucket.uploads.keys()], ['young', 'strange']);
  bucket.uploads.clear();
});

test('a key that may not list brings the newest to safety all the same, once', async () => {
  await backupAt(night(0));
  bucket.night = 'lists nothing';
  const first = await bringTo(bucket.target, night(0));
  assert.match(first.message!, /403 AccessDenied to the list/);
  assert.deepEqual(good(bucket.target), [`marketing-${stampOf(night(0))}.dump`]);
  assert.equal((await bringTo(bucket.target, night(0))).sent.length, 0);
});

test('a process that ends does not wait for a silent place', async () => {
  await backupAt(night(0));
  bucket.night = 'is silent';
  const settings = { folder, recipient: null, keptDays: 35, journal, installation: INSTALLATION };
  const ending = new AbortController();
  const work = bring(bucket.target, settings, { now: night(0), signal: ending.signal });
  while (!bucket.calls.some((call) => call.startsWith('PUT')))
    await new Promise((done) => setTimeout(done, 5));
  ending.abort();
  assert.equal((await work).ok, false);
});

test('without knowing whose it is, nothing there is removed', async () => {
  for (let n = 0; n < 12; n++) await backupAt(night(n));
  for (const [name, bytes] of made) bucket.objects.set(name, bytes);
  const { removed } = await bringTo(bucket.target, night(11), null);
  assert.deepEqual(removed, []);
});

test('with a key, nothing in the clear leaves the machine', async () => {
  await backupAt(night(0));
  const settings = { folder, recipient: 'age1…', keptDays: 35, journal, installation: INSTALLATION };
  const { ok, sent } = await bring(bucket.target, settings, { now: night(0) });
  assert.deepEqual([ok, sent, bucket.objects.size], [true, [], 0]);
});

test('the list of what was forgotten grows there, and a new machine’s short one never takes its place', async () => {
  await backupAt(night(0));
  await appendFile(journal, '\n{"at":"1"}\n{"at":"2"}');
  await bringTo(bucket.target, night(0));
  await writeFile(journal, '\n{"at":"3"}');
  await bringTo(bucket.target, night(0));
  const lines = bucket.objects.get('forgotten.ndjson')!.toString().split('\n').filter(Boolean);
  assert.deepEqual(lines, ['{"at":"1"}', '{"at":"2"}', '{"at":"3"}']);
  bucket.calls.length = 0;
  await bringTo(bucket.target, night(0));
  assert.equal(
    bucket.calls.some((call) => call.startsWith('PUT')),
    false,
    'nothing new, nothing sent',
  );
  assert.equal(existsSync(join(folder, 'offsite', 'forgotten.ndjson')), false);
});
