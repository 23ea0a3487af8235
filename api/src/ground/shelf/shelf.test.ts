// The places for copies, each over its real protocol: an S3 double that checks signatures, and an ssh server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { startBucket } from '../../../test/bucket.ts';
import { startSshServer } from '../../../test/ssh-server.ts';
import { shelfOf } from './shelf.ts';
import { patiently, type S3Target, wordsOf } from './target.ts';

const folder = await mkdtemp(join(tmpdir(), 'shelf-test-'));
const file = join(folder, 'marketing-20260318T021500Z.dump');
const name = basename(file);
await writeFile(file, randomBytes(700_000));
const bucket = await startBucket();
const server = await startSshServer();
after(async () => {
  bucket.close();
  server.close();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  bucket.night = 'well';
  server.night = 'well';
  bucket.objects.clear();
  bucket.stumbles.length = 0;
  bucket.strangeEtags = false;
});
const fails = (what: RegExp) => (error: unknown) => what.test(wordsOf(error));
const large: S3Target = { ...bucket.target, partBytes: 200_000 };

test('a file reaches either place whole, is listed, comes back, and can be removed again', async () => {
  for (const target of [bucket.target, large, server.target]) {
    const shelf = shelfOf(target);
    try {
      await shelf.put(file);
      assert.deepEqual(await shelf.list(), [{ name, bytes: 700_000 }]);
      const back = join(folder, 'back');
      await rm(back, { force: true });
      await shelf.get(name, back);
      assert.ok((await readFile(back)).equals(await readFile(file)));
      // another content takes its place
      await shelf.put(file);
      for (const gone of [name, 'never-there.dump']) await shelf.remove(gone);
      assert.deepEqual(await shelf.list(), []);
      await assert.rejects(shelf.get(name, join(folder, 'nothing')));
      await rm(join(folder, 'nothing'), { force: true });
    } finally {
      shelf.close();
    }
  }
});

test('a long list is asked for to its end, and what lies deeper is no copy', async () => {
  for (let n = 0; n < 8; n++) bucket.objects.set(`n${n}`, Buffer.alloc(n));
  const found = await shelfOf(bucket.target).list();
  assert.deepEqual(
    found.map((one) => one.name),
    ['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'],
  );
});

test('a bucket whose ETags tell nothing of the content is read back', async () => {
  bucket.strangeEtags = true;
  bucket.calls.length = 0;
  await shelfOf(bucket.target).put(file);
  assert.ok(bucket.calls.includes(`GET ${name}`));
  bucket.night = 'stores garbage';
  await assert.rejects(shelfOf(bucket.target).put(file), fails(/is not what was sent/));
});

test('what was stored by half, or changed on the way, is never taken for a copy', async () => {
  bucket.night = 'stores half';
  await assert.rejects(shelfOf(bucket.target).put(file), fails(/350000 bytes.*instead of 700000/));
  await assert.rejects(shelfOf(large).put(file), fails(/350000 bytes.*instead of 700000/));
  bucket.night = 'stores garbage';
  await assert.rejects(shelfOf(bucket.target).put(file), fails(/is not what was sent/));
  server.night = 'stores half';
  const shelf = shelfOf(server.target);
  await assert.rejects(shelf.put(file), fails(/instead of 700000/));
  shelf.close();
  await assert.rejects(stat(join(server.folder, name)), 'nothing bears its name');
});

test('a place that falls silent is given up, and says so', async () => {
  bucket.night = 'is silent';
  server.night = 'is silent';
  for (const target of [
    { ...bucket.target, silenceMs: 100 },
    { ...server.target, silenceMs: 2000 },
  ]) {
    const shelf = shelfOf(target);
    await assert.rejects(shelf.put(file), fails(/silent for/));
    shelf.close();
  }
});

test('a busy place is asked again, one that refuses is not', async () => {
  const tries = async (...stumbles: number[]) => {
    bucket.stumbles.push(...stumbles);
    bucket.calls.length = 0;
    const target = bucket.target;
    await patiently(target, () => shelfOf(target).put(file)).catch(() => {});
    bucket.stumbles.length = 0;
    return bucket.calls.filter((call) => call.startsWith('PUT')).length;
  };
  assert.equal(await tries(503), 2);
  assert.equal(await tries(429, 500), 3);
  assert.equal(await tries(503, 503, 503, 503), 3);
  assert.equal(await tries(403), 1);
});

test('a large file goes in parts, of which one may stumble; of an upload that fails nothing is left behind', async () => {
  bucket.stumbles.push(503);
  await shelfOf(large).put(file);
  assert.ok(bucket.objects.get(name)!.equals(await readFile(file)));
  bucket.objects.clear();
  bucket.stumbles.push(403);
  await assert.rejects(shelfOf(large).put(file), fails(/403 Stumbled to a part/));
  assert.equal(bucket.uploads.size + bucket.objects.size, 0);
});

test('whatever is wrong with a place is said so that a person can mend it', async () => {
  const away = await startBucket();
  const closed = new URL(away.target.url).port;
  away.close();
  const cases: [Parameters<typeof shelfOf>[0], RegExp][] = [
    [{ ...bucket.target, secretAccessKey: 'wrong' }, /403 SignatureDoesNotMatch.*the key is wrong/],
    [{ ...bucket.target, url: `http://127.0.0.1:${closed}/b` }, /nothing listens there \(ECONNREFUSED\)/],
    [
      { ...bucket.target, url: 'http://no-such-name.invalid/b' },
      /its name (is not known|cannot be looked up)/,
    ],
    [
      { ...server.target, hostKeySha256: `SHA256:${'A'.repeat(43)}` },
      /shows the host key SHA256:[\w+/]{43}, not that of BACKUP_SSH_HOST_KEY/,
    ],
    [{ ...server.target, url: `${server.target.url}/nowhere` }, /the server has no folder \/nowhere/],
    [
      { ...server.target, privateKey: (await startedElsewhere()).privateKey },
      /does not take the key of BACKUP_SSH_KEY/,
    ],
    [{ ...server.target, url: `ssh://backup@127.0.0.1:${closed}/b` }, /nothing listens there/],
  ];
  for (const [target, what] of cases) {
    const shelf = shelfOf(target);
    await assert.rejects(
      shelf.list(),
      (error) => what.test(wordsOf(error)) && !/wrong-|PRIVATE KEY/.test(wordsOf(error)),
      String(what),
    );
    shelf.close();
  }
});

async function startedElsewhere() {
  const other = await startSshServer();
  other.close();
  return other.target;
}
