// Copies of backups on another machine: an S3-compatible bucket, or a folder reached over ssh.

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';

export type Offsite = S3Target | SshTarget;

export interface S3Target {
  kind: 's3';
  /** Endpoint with the bucket, and a folder in it if wanted: https://s3.ca-central-1.amazonaws.com/bucket/folder */
  url: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Files larger than this go in parts of this size (in bytes; at least 5 MiB where the bucket is Amazon's). Default 64 MiB. */
  partBytes?: number;
}

export interface SshTarget {
  kind: 'ssh';
  /** ssh://user@host[:port]/folder */
  url: string;
  /** Text of the private key. */
  privateKey: string;
  /** SHA256 of the server's host key, base64 without padding, as ssh-keygen -l shows it: without it, anyone could pose as the target. */
  hostKeySha256: string;
}

export interface CopyResult {
  target: string;
  ok: boolean;
  message?: string;
}

// A copy over a slow line may take long, but a silent one must not hold the job for ever.
const SILENCE_MS = 60_000;

/** What the outside does is a value: a target that fails never costs the local backup. */
export async function copyOffsite(target: Offsite, files: string[]): Promise<CopyResult> {
  try {
    for (const file of files) await (target.kind === 's3' ? putS3(target, file) : putSsh(target, file));
    return { target: nameOf(target), ok: true };
  } catch (error) {
    return { target: nameOf(target), ok: false, message: messageOf(error) };
  }
}

/** Forgets old copies too; one that is gone already is fine. */
export async function removeOffsite(target: Offsite, names: string[]): Promise<CopyResult> {
  try {
    for (const name of names) await (target.kind === 's3' ? deleteS3(target, name) : deleteSsh(target, name));
    return { target: nameOf(target), ok: true };
  } catch (error) {
    return { target: nameOf(target), ok: false, message: messageOf(error) };
  }
}

const nameOf = (target: Offsite): string => `${target.kind} ${new URL(target.url).host}`;
const messageOf = (error: unknown): string => {
  const cause = (error as Error & { cause?: { code?: string } }).cause?.code;
  return `${(error as Error).message}${cause ? ` (${cause})` : ''}`.slice(0, 300);
};

// One request takes at most 5 GB, and a line that breaks would cost all of it; a part costs itself.
const PART_BYTES = 64 * 1024 * 1024;
const PARTS_MAX = 10_000;
const TRIES = 3;

async function s3(
  target: S3Target,
  method: string,
  name: string,
  { query = '', headers = {}, body }: { query?: string; headers?: Record<string, string>; body?: Body } = {},
): Promise<Response> {
  const { AwsV4Signer } = await import('aws4fetch');
  const signed = await new AwsV4Signer({
    method,
    url: `${target.url.replace(/\/$/, '')}/${encodeURIComponent(name)}${query}`,
    headers: {
      ...headers,
      // The signature covers the content's hash, so the bucket itself refuses a copy that was damaged on the way.
      ...(body && { 'x-amz-content-sha256': body.sha256, 'content-length': String(body.bytes) }),
    },
    accessKeyId: target.accessKeyId,
    secretAccessKey: target.secretAccessKey,
    region: target.region,
    service: 's3',
  }).sign();
  return fetch(signed.url, {
    method,
    headers: signed.headers,
    signal: AbortSignal.timeout(30 * SILENCE_MS),
    // streamed, so that the size of a backup never is the size of our memory
    ...(body ? { body: Readable.toWeb(body.stream()) as unknown as ReadableStream, duplex: 'half' } : {}),
  } as RequestInit);
}

interface Body {
  bytes: number;
  sha256: string;
  stream(): Readable;
}

/** The bytes from `start` on, described; read twice, so that they need not be held. */
async function partOf(file: string, start: number, bytes: number): Promise<Body> {
  const stream = () =>
    bytes === 0
      ? Readable.from([])
      : createReadStream(file, { start, end: start + bytes - 1, highWaterMark: 1 << 18 });
  const hash = createHash('sha256');
  for await (const chunk of stream()) hash.update(chunk);
  return { bytes, sha256: hash.digest('hex'), stream };
}

async function putS3(target: S3Target, file: string): Promise<void> {
  const { size } = await stat(file);
  const name = basename(file);
  if (size > (target.partBytes ?? PART_BYTES)) await putParts(target, file, size);
  else {
    const body = await partOf(file, 0, size);
    const headers = { 'content-type': 'application/octet-stream' };
    const answer = await s3(target, 'PUT', name, { headers, body });
    await answer.body?.cancel();
    if (!answer.ok) throw new Error(`the bucket answered ${answer.status} to the upload`);
  }
  const head = await s3(target, 'HEAD', name);
  if (!head.ok || Number(head.headers.get('content-length')) !== size)
    throw new Error('the bucket does not show the copy in its full size');
}

/** Nothing shows in the bucket until the last part is there; what a failed upload left is removed, because it costs money. */
async function putParts(target: S3Target, file: string, size: number): Promise<void> {
  const name = basename(file);
  const partBytes = Math.max(target.partBytes ?? PART_BYTES, Math.ceil(size / PARTS_MAX));
  const begun = await s3(target, 'POST', name, { query: '?uploads=' });
  const upload = /<UploadId>([^<]+)<\/UploadId>/.exec(await begun.text())?.[1];
  if (!begun.ok || !upload) throw new Error(`the bucket answered ${begun.status} to the upload in parts`);
  const uploadId = encodeURIComponent(unescaped(upload));
  try {
    const parts: string[] = [];
    for (let number = 1; (number - 1) * partBytes < size; number++) {
      const start = (number - 1) * partBytes;
      const body = await partOf(file, start, Math.min(partBytes, size - start));
      const etag = await putPart(target, name, `?partNumber=${number}&uploadId=${uploadId}`, body);
      parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`);
    }
    const list = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
    const done = await s3(target, 'POST', name, {
      query: `?uploadId=${uploadId}`,
      headers: { 'content-type': 'application/xml' },
      body: {
        bytes: list.length,
        sha256: createHash('sha256').update(list).digest('hex'),
        stream: () => Readable.from([list]),
      },
    });
    // putting parts together takes a bucket so long that it answers 200 before it knows how that ends
    const said = await done.text();
    if (!done.ok || said.includes('<Error>'))
      throw new Error(`the bucket answered ${done.status} when the parts were to be put together`);
  } catch (error) {
    await s3(target, 'DELETE', name, { query: `?uploadId=${uploadId}` })
      .then((answer) => answer.body?.cancel())
      .catch(() => {});
    throw error;
  }
}

/** returns  the part's ETag; a lost connection or a 5xx is tried again */
async function putPart(target: S3Target, name: string, query: string, body: Body): Promise<string> {
  for (let left = TRIES - 1; ; left--) {
    try {
      const answer = await s3(target, 'PUT', name, { query, body });
      await answer.body?.cancel();
      const etag = answer.headers.get('etag');
      if (answer.ok && etag) return etag;
      const refused = new Error(`the bucket answered ${answer.status} to a part of the upload`);
      if (answer.status < 500) throw Object.assign(refused, { final: true });
      throw refused;
    } catch (error) {
      if (left === 0 || (error as { final?: boolean }).final) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * (TRIES - left)));
    }
  }
}

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};
const unescaped = (xml: string): string =>
  xml.replace(/&(?:amp|lt|gt|quot|#39);/g, (word) => ENTITIES[word]!);
const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (sign) => (sign === '&' ? '&amp;' : sign === '<' ? '&lt;' : '&gt;'));

async function deleteS3(target: S3Target, name: string): Promise<void> {
  const answer = await s3(target, 'DELETE', name);
  await answer.body?.cancel();
  if (!answer.ok && answer.status !== 404)
    throw new Error(`the bucket answered ${answer.status} to the removal`);
}

interface Sftp {
  put(from: string, to: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  size(path: string): Promise<number>;
  remove(path: string): Promise<void>;
}

async function withSftp<T>(target: SshTarget, work: (sftp: Sftp, folder: string) => Promise<T>): Promise<T> {
  const { Client } = (await import('ssh2')).default;
  const url = new URL(target.url);
  const client = new Client();
  try {
    await new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
      client.connect({
        host: url.hostname,
        port: Number(url.port || 22),
        username: decodeURIComponent(url.username),
        privateKey: target.privateKey,
        readyTimeout: 30_000,
        keepaliveInterval: SILENCE_MS / 4,
        hostVerifier: (key: Buffer) =>
          createHash('sha256').update(key).digest('base64').replace(/=+$/, '') ===
          target.hostKeySha256.replace(/^SHA256:/, '').replace(/=+$/, ''),
      });
    });
    client.on('error', () => {});
    const channel = await new Promise<import('ssh2').SFTPWrapper>((resolve, reject) =>
      client.sftp((error, sftp) => (error ? reject(error) : resolve(sftp))),
    );
    const settle = (resolve: () => void, reject: (error: Error) => void) => (error?: Error | null) =>
      error ? reject(error) : resolve();
    const sftp: Sftp = {
      put: (from, to) =>
        new Promise((resolve, reject) => channel.fastPut(from, to, { mode: 0o600 }, settle(resolve, reject))),
      rename: (from, to) =>
        new Promise((resolve, reject) => channel.rename(from, to, settle(resolve, reject))),
      size: (path) =>
        new Promise((resolve, reject) =>
          channel.stat(path, (error, stats) => (error ? reject(error) : resolve(stats.size))),
        ),
      remove: (path) => new Promise((resolve, reject) => channel.unlink(path, settle(resolve, reject))),
    };
    return await work(sftp, decodeURIComponent(url.pathname).replace(/\/$/, ''));
  } finally {
    client.end();
  }
}

async function putSsh(target: SshTarget, file: string): Promise<void> {
  await withSftp(target, async (sftp, folder) => {
    const to = `${folder}/${basename(file)}`;
    await sftp.put(file, `${to}.partial`);
    if ((await sftp.size(`${to}.partial`)) !== (await stat(file)).size)
      throw new Error('the copy over ssh has another size');
    await sftp.remove(to).catch(() => {});
    await sftp.rename(`${to}.partial`, to);
  });
}

async function deleteSsh(target: SshTarget, name: string): Promise<void> {
  const NO_SUCH_FILE = 2;
  await withSftp(target, (sftp, folder) =>
    sftp.remove(`${folder}/${name}`).catch((error: Error & { code?: number }) => {
      if (error.code !== NO_SUCH_FILE) throw error;
    }),
  );
}
