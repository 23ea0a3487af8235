// A bucket elsewhere, with the real containers: tried, copied to, listed and restored from, through a night of each kind of trouble.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Bucket, type Night, startBucket } from '../../api/test/bucket.ts';
import { figure, LONG, repository, Stack } from './stack.ts';

const { generateX25519Identity, identityToRecipient } = (await import(
  pathToFileURL(join(repository, 'api/node_modules/age-encryption/dist/index.js')).href
)) as typeof import('../../api/node_modules/age-encryption/dist/index.js');

const NAME = 'bucket.example.com';
const identity = await generateX25519Identity();
const stack = new Stack('offsite');
const fresh = new Stack('lost');
const folder = join(stack.folder, 'elsewhere');
const key = join(folder, 'identity');
let bucket: Bucket;
let settings = '';
before(async () => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(key, `${identity}\n`);
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', ...made, '-subj', `/CN=${NAME}`, '-addext', `subjectAltName=DNS:${NAME}`],
      ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')],
    ],
    { stdio: 'ignore' },
  );
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  bucket = await startBucket('box', { name: NAME, key: read('key.pem'), cert: read('cert.pem') });
  // the bucket is this process; the containers know its name and whom its certificate is from
  const override = join(folder, 'bucket.yaml');
  writeFileSync(
    override,
    `services:
  api:
    extra_hosts: ["${NAME}:host-gateway"]
    environment: {NODE_EXTRA_CA_CERTS: /bucket.pem}
    volumes: ["${folder}/cert.pem:/bucket.pem:ro"]
`,
  );
  stack.files.push(override);
  fresh.files.push(override);
  const { region, accessKeyId } = bucket.target;
  settings = `BACKUP_S3_REGION=${region}\nBACKUP_S3_ACCESS_KEY_ID=${accessKeyId}\nRATE_LIMITS=off\nJOBS=off\n`;
  await stack.prepare(`BACKUP_PUBLIC_KEY=${await identityToRecipient(identity)}\n${settings}`);
  await stack.up();
  await setUp(stack);
  await stack.send({ path: '/from-before' });
});
after(async () => {
  bucket?.close();
  await stack.down();
  await fresh.down();
});

const secret = (of: Stack, name: string, value: string) =>
  of.command(join(of.root, 'scripts/secret'), [name], { input: `${value}\n` });

/** The address last, as the docs say: with it the rest is wanted. */
async function setUp(of: Stack): Promise<void> {
  await secret(of, 'BACKUP_S3_SECRET_ACCESS_KEY', bucket.target.secretAccessKey);
  await of.script('set', 'BACKUP_S3_URL', bucket.target.url);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
/** Whose manifest lies beside it and says the very bytes that lie there. */
function goodCopies(): string[] {
  return [...bucket.objects.keys()]
    .filter((name) => /\.dump(\.age)?$/.test(name))
    .filter((name) => {
      try {
        const manifest = JSON.parse(bucket.objects.get(`${name}.json`)!.toString());
        return manifest.file.sha256 === sha256(bucket.objects.get(name)!);
      } catch {
        return false; // no manifest, or half of one
      }
    })
    .sort();
}
const copy = () => stack.attempt('backup', '--to', '-');

test('the place can be tried: written, read back, listed and removed, and nothing of the try stays there', async () => {
  const tried = await stack.attempt('backup', '--check-offsite');
  assert.equal(tried.code, 0, tried.said);
  assert.doesNotMatch(tried.said, /FAILED|not tried/);
  assert.equal(bucket.objects.size, 0);
});

test('a backup lies there whole, is listed as here and there, and no byte of it can be read without the key', async () => {
  const done = await copy();
  assert.equal(done.code, 0, done.said);
  const [name = ''] = goodCopies();
  assert.match(name, /^marketing-\d{8}T\d{6}Z\.dump\.age$/);
  assert.equal(bucket.objects.get(name)!.subarray(0, 21).toString(), 'age-encryption.org/v1');
  const listed = await stack.attempt('backup', '--list');
  assert.equal(listed.code, 0, listed.said);
  assert.match(listed.said, new RegExp(`^${name} .* here, s3 ${NAME}`, 'm'));
});

// what the night is like, and what a person then reads about it
const nights: [Night, RegExp][] = [
  ['resets', /cut the connection/],
  ['stores half', /the bucket shows \d+ bytes of .* instead of \d+|is not what was sent/],
  ['refuses', /403 AccessDenied/],
  ['is full', /507 InsufficientStorage/],
  ['is away', /cut the connection/],
  // a minute without a byte, three times
  ...(LONG ? ([['is silent', /silent for 60 s/]] as [Night, RegExp][]) : []),
];
for (const [night, words] of nights)
  test(`a bucket that ${night} costs no copy: it is said, the try of the place says it too, and the next hour makes up for it`, async () => {
    const before = goodCopies();
    assert.ok(before.length > 0);
    bucket.night = night;
    const began = Date.now();
    const failed = await copy();
    figure(`a backup while the bucket ${night}, s`, Math.round((Date.now() - began) / 1000));
    assert.equal(failed.code, 4, failed.said);
    assert.match(failed.said, words);
    const name = /marketing-\d{8}T\d{6}Z\.dump\.age/.exec(failed.said)![0];
    const kept = goodCopies();
    assert.deepEqual(
      before.filter((each) => !kept.includes(each)),
      [],
      'the bucket holds what it held',
    );
    if (night !== 'is silent') {
      const tried = await stack.attempt('backup', '--check-offsite');
      assert.equal(tried.code, 1, tried.said);
      assert.match(tried.said, /FAILED/);
    }
    // the backup itself is here, and so is what a status of it says
    assert.match((await stack.attempt('status')).said, /s3 bucket\.example\.com/);
    bucket.night = 'well';
    await stack.compose('exec', '-T', 'api', 'marketing', 'offsite');
    const now = goodCopies();
    assert.ok(now.includes(name), `${name} is made up for: ${now}`);
    assert.ok(now.length >= before.length, `${before} became ${now}`);
  });

test('restored straight from the bucket: the server fetches it itself, and what came in since is gone', async () => {
  assert.equal((await stack.send({ path: '/since-then' })).status, 202);
  const options = ['--from-offsite', 'latest', '--identity', key, '--yes'];
  for (const night of ['is away', 'stores half'] as const) {
    bucket.night = night;
    // a copy that lies there damaged is no better than a place that is away
    const [newest = ''] = goodCopies().slice(-1);
    const whole = bucket.objects.get(newest)!;
    if (night === 'stores half') bucket.objects.set(newest, whole.subarray(0, whole.length >> 1));
    const refused = await stack.attempt('restore', ...options);
    bucket.objects.set(newest, whole);
    bucket.night = 'well';
    assert.notEqual(refused.code, 0, refused.said);
    assert.match(refused.said, /nothing was touched/);
    assert.equal(await stack.sql("select count(*) from events where path = '/since-then'"), '1');
  }
  const began = Date.now();
  const done = await stack.attempt('restore', ...options);
  assert.equal(done.code, 0, done.said);
  figure('restore straight from the bucket, s', Math.round((Date.now() - began) / 1000));
  assert.match(done.said, /fetching latest/);
  assert.equal(await stack.sql("select count(*) from events where path = '/since-then'"), '0');
  assert.equal(await stack.sql("select count(*) from events where path = '/from-before'"), '1');
  assert.equal((await stack.compose('exec', '-T', 'api', 'ls', '/data')).includes('incoming'), false);
});

test('the machine is lost: a new one with the pepper brings everything back from the bucket alone', async () => {
  const pepper = (await stack.script('secret', 'IP_HASH_PEPPER', '--show')).trim();
  await stack.compose('down', '--volumes', '--timeout', '5');
  await fresh.prepare(settings);
  await fresh.up();
  // in the order of docs/backups.md: an API that starts again with this pepper on its own empty database would refuse
  await setUp(fresh);
  await secret(fresh, 'IP_HASH_PEPPER', pepper);
  const options = ['--from-offsite', 'latest', '--from-another-installation', '--identity', key, '--yes'];
  const done = await fresh.attempt('restore', ...options);
  assert.equal(done.code, 0, done.said);
  assert.equal(await fresh.sql("select count(*) from events where path = '/from-before'"), '1');
  assert.equal((await fresh.send()).status, 202);
});
