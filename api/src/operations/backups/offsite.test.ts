import assert from 'node:assert/strict';
import { createHash, createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rename, rm, stat, unlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import ssh2 from 'ssh2';
import { copyOffsite, removeOffsite, type S3Target, type SshTarget } from './offsite.ts';

const folder = await mkdtemp(join(tmpdir(), 'offsite-test-'));
after(() => rm(folder, { recursive: true }));
const file = join(folder, 'marketing-20260318T021500Z.dump');
await writeFile(file, randomBytes(700_000));

// --- a bucket that checks the signature as AWS documents it, written without the library under test

const SECRET = 'secret-of-the-bucket';
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
/** Path and query as they are signed: parameters sorted, each with its "=". */
function canonicalTarget(target: string): [string, string] {
  const [path, query = ''] = target.split('?');
  const pairs = query.split('&').filter(Boolean);
  return [path!, pairs.sort().join('&')];
}
function signatureOf(request: IncomingMessage): string {
  const [, credential, names] =
    /Credential=([^,]+), ?SignedHeaders=([^,]+)/.exec(request.headers.authorization ?? '') ?? [];
  const [, day, region, service] = credential!.split('/');
  const headers = names!.split(';').map((name) => `${name}:${request.headers[name]}\n`);
  const canonical = [
    request.method,
    ...canonicalTarget(request.url!),
    headers.join(''),
    names,
    request.headers['x-amz-content-sha256'],
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = [
    'AWS4-HMAC-SHA256',
    request.headers['x-amz-date'],
    scope,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n');
  const key = [region!, service!, 'aws4_request'].reduce(
    (made: Buffer, part) => hmac(made, part),
    hmac(`AWS4${SECRET}`, day!),
  );
  return createHmac('sha256', key).update(text).digest('hex');
}
const objects = new Map<string, Buffer>();
/** Uploads in parts that are neither complete nor aborted; the id has signs that must be escaped in a URL and in XML. */
const uploads = new Map<string, Map<number, Buffer>>();
/** Statuses that the next parts are answered with instead of being taken. */
const stumbles: number[] = [];
let partsSeen = 0;
const bucket = createServer(async (request, response) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const status = (code: number, headers = {}) => response.writeHead(code, headers).end();
  if (!request.headers.authorization?.includes(`Signature=${signatureOf(request)}`)) return status(403);
  const hashFits = () =>
    createHash('sha256').update(body).digest('hex') === request.headers['x-amz-content-sha256'];
  const { pathname, searchParams } = new URL(request.url!, 'http://bucket');
  const uploadId = searchParams.get('uploadId');
  if (request.method === 'POST' && searchParams.has('uploads')) {
    uploads.set('an/id+&=', new Map());
    return response.end('<?xml version="1.0"?><R><UploadId>an/id+&amp;=</UploadId></R>');
  }
  if (uploadId) {
    const parts = uploads.get(uploadId);
    if (!parts) return status(404);
    if (request.method === 'DELETE') return status(uploads.delete(uploadId) ? 204 : 404);
    if (!hashFits()) return status(400);
    if (request.method === 'PUT') {
      partsSeen++;
      const stumble = stumbles.shift();
      if (stumble) return status(stumble);
      const number = Number(searchParams.get('partNumber'));
      parts.set(number, body);
      return status(200, { etag: `"part-${number}-${body.length}"` });
    }
    const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
    const fits = named.every(
      ([, number, etag]) => etag === `"part-${number}-${parts.get(Number(number))?.length}"`,
    );
    if (!fits || named.length !== parts.size) return response.end('<Error><Code>InvalidPart</Code></Error>');
    objects.set(pathname, Buffer.concat(named.map(([, number]) => parts.get(Number(number))!)));
    uploads.delete(uploadId);
    return response.end('<CompleteMultipartUploadResult/>');
  }
  if (request.method === 'PUT') {
    if (!hashFits()) return status(400);
    objects.set(request.url!, body);
    return status(200);
  }
  const found = objects.get(request.url!);
  if (request.method === 'DELETE') return status(objects.delete(request.url!) ? 204 : 404);
  return found ? status(200, { 'content-length': found.length }) : status(404);
});
await new Promise<void>((done) => bucket.listen(0, '127.0.0.1', done));
after(() => bucket.close());
const s3: S3Target = {
  kind: 's3',
  url: `http://127.0.0.1:${(bucket.address() as AddressInfo).port}/backups/box`,
  region: 'ca-central-1',
  accessKeyId: 'key',
  secretAccessKey: SECRET,
};

test('a copy reaches the bucket whole and signed, and can be removed again', async () => {
  assert.deepEqual(await copyOffsite(s3, [file]), { target: `s3 ${new URL(s3.url).host}`, ok: true });
  const [[path, bytes]] = [...objects] as [[string, Buffer]];
  assert.equal(path, `/backups/box/${basename(file)}`);
  assert.deepEqual(bytes, await readFile(file));
  assert.equal((await removeOffsite(s3, [basename(file), 'never-there.dump'])).ok, true);
  assert.equal(objects.size, 0);
});

test('a bucket that refuses, or is not there, is a result and not an exception', async () => {
  const refused = await copyOffsite({ ...s3, secretAccessKey: 'wrong' }, [file]);
  assert.equal(refused.ok, false);
  assert.match(refused.message!, /403/);
  assert.equal(JSON.stringify(refused).includes('wrong'), false);
  assert.equal((await copyOffsite({ ...s3, url: 'http://127.0.0.1:9/b' }, [file])).ok, false);
});

test('a large file goes in parts, each signed with its own content, and shows in the bucket as one', async () => {
  const large = { ...s3, partBytes: 200_000 };
  // the connection may fail for a part without costing the others
  stumbles.push(503);
  partsSeen = 0;
  assert.equal((await copyOffsite(large, [file])).ok, true);
  assert.equal(partsSeen, 5);
  assert.deepEqual([...objects.values()], [await readFile(file)]);
  assert.equal(uploads.size, 0);
  assert.equal((await removeOffsite(s3, [basename(file)])).ok, true);
});

test('of an upload in parts that fails nothing is left behind', async () => {
  stumbles.push(403);
  const failed = await copyOffsite({ ...s3, partBytes: 200_000 }, [file]);
  assert.equal(failed.ok, false);
  assert.match(failed.message!, /403 to a part/);
  assert.equal(uploads.size + objects.size, 0);
});

// --- a real ssh server with sftp

const keys = () =>
  generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
    publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
const [hostKey, clientKey] = [keys(), keys()];
const allowed = ssh2.utils.parseKey(clientKey.privateKey) as ssh2.ParsedKey;
const shelf = await mkdtemp(join(tmpdir(), 'offsite-ssh-'));
after(() => rm(shelf, { recursive: true }));
const { STATUS_CODE } = ssh2.utils.sftp;
const server = new ssh2.Server({ hostKeys: [hostKey.privateKey] }, (client) => {
  client.on('error', () => {});
  client.on('authentication', (attempt) => {
    const known = attempt.method === 'publickey' && attempt.key.data.equals(allowed.getPublicSSH());
    if (!known) return attempt.reject();
    if (attempt.signature && allowed.verify(attempt.blob!, attempt.signature, attempt.hashAlgo) !== true)
      return attempt.reject();
    attempt.accept();
  });
  client.on('session', (accept) => {
    accept().on('sftp', (acceptSftp) => {
      const sftp = acceptSftp();
      const handles: Awaited<ReturnType<typeof open>>[] = [];
      const answer = (id: number, work: Promise<unknown>) =>
        work.then(
          () => sftp.status(id, STATUS_CODE.OK),
          (error: NodeJS.ErrnoException) =>
            sftp.status(id, error.code === 'ENOENT' ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE),
        );
      sftp.on('OPEN', async (id, name) =>
        sftp.handle(id, Buffer.from([handles.push(await open(join(shelf, name), 'w')) - 1])),
      );
      sftp.on('WRITE', (id, handle, offset, data) =>
        answer(id, handles[handle[0]!]!.write(data, 0, data.length, offset)),
      );
      sftp.on('FSETSTAT', (id) => answer(id, Promise.resolve()));
      sftp.on('CLOSE', (id, handle) => answer(id, handles[handle[0]!]!.close()));
      sftp.on('STAT', (id, name) =>
        stat(join(shelf, name)).then(
          ({ size, mode, uid, gid }) => sftp.attrs(id, { size, mode, uid, gid, atime: 0, mtime: 0 }),
          () => sftp.status(id, STATUS_CODE.NO_SUCH_FILE),
        ),
      );
      sftp.on('REMOVE', (id, name) => answer(id, unlink(join(shelf, name))));
      sftp.on('RENAME', (id, from, to) => answer(id, rename(join(shelf, from), join(shelf, to))));
    });
  });
});
await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
after(() => server.close());
const hostKeyData = (ssh2.utils.parseKey(hostKey.privateKey) as ssh2.ParsedKey).getPublicSSH();
const ssh: SshTarget = {
  kind: 'ssh',
  url: `ssh://backup@127.0.0.1:${(server.address() as AddressInfo).port}`,
  privateKey: clientKey.privateKey,
  hostKeySha256: `SHA256:${createHash('sha256').update(hostKeyData).digest('base64').replace(/=+$/, '')}`,
};

test('a copy goes over ssh under a temporary name first, replaces an older one, and can be removed', async () => {
  for (let round = 0; round < 2; round++)
    assert.deepEqual(await copyOffsite(ssh, [file]), { target: `ssh ${new URL(ssh.url).host}`, ok: true });
  assert.deepEqual(await readFile(join(shelf, basename(file))), await readFile(file));
  assert.equal((await removeOffsite(ssh, [basename(file), 'never-there.dump'])).ok, true);
  await assert.rejects(stat(join(shelf, basename(file))));
});

test('a server with another host key than the known one gets nothing', async () => {
  const posing = await copyOffsite({ ...ssh, hostKeySha256: `SHA256:${'A'.repeat(43)}` }, [file]);
  assert.equal(posing.ok, false);
});
