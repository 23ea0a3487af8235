// Brings a file into a bucket, small ones at once and large ones in parts, and says which ETag must come of it.
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { type Asked, type Body, escaped, partOf, refused, s3, textBody, unescaped } from './s3-request.ts';
import { OffsiteFault, patiently, type S3Target } from './target.ts';

// One request takes at most 5 GB, and a line that breaks would cost all of it; a part costs itself.
const PART_BYTES = 64 * 1024 * 1024;
const PARTS_MAX = 10_000;
const TYPE = { 'content-type': 'application/octet-stream' };

/** objectUrl: of a name. returns  the ETag that a bucket gives that makes them of the content, as most do */
export async function upload(
  target: S3Target,
  objectUrl: (name: string) => string,
  file: string,
  size: number,
  signal?: AbortSignal,
): Promise<string> {
  const url = objectUrl(basename(file));
  if (size > (target.partBytes ?? PART_BYTES)) return uploadParts(target, url, file, size, signal);
  const body = await partOf(file, 0, size);
  const answer = await s3(target, 'PUT', url, { headers: TYPE, body, signal });
  if (!answer.ok) throw refused(answer, 'the upload');
  return body.md5.toString('hex');
}

/** Nothing shows in the bucket until the last part is there; what a failed upload left is removed, because it costs money. */
async function uploadParts(
  target: S3Target,
  url: string,
  file: string,
  size: number,
  signal?: AbortSignal,
): Promise<string> {
  const ask = (method: string, asked: Asked) => s3(target, method, url, { signal, ...asked });
  const begun = await ask('POST', { query: '?uploads=' });
  const id = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.text)?.[1];
  if (!begun.ok || !id) throw refused(begun, 'the upload in parts');
  const query = `?uploadId=${encodeURIComponent(unescaped(id))}`;
  try {
    const { list, etag } = await sendParts(target, url, file, size, query, signal);
    const body = textBody(`<CompleteMultipartUpload>${list}</CompleteMultipartUpload>`);
    const done = await ask('POST', { query, headers: { 'content-type': 'application/xml' }, body });
    // putting parts together takes a bucket so long that it answers 200 before it knows how that ends
    if (!done.ok || done.text.includes('<Error>')) throw refused(done, 'putting the parts together');
    return etag;
  } catch (error) {
    await s3(target, 'DELETE', url, { query }).catch(() => {});
    throw error;
  }
}

async function sendParts(
  target: S3Target,
  url: string,
  file: string,
  size: number,
  query: string,
  signal?: AbortSignal,
): Promise<{ list: string; etag: string }> {
  const partBytes = Math.max(target.partBytes ?? PART_BYTES, Math.ceil(size / PARTS_MAX));
  const parts: string[] = [];
  const hashes: Buffer[] = [];
  for (let number = 1; (number - 1) * partBytes < size; number++) {
    const start = (number - 1) * partBytes;
    const body = await partOf(file, start, Math.min(partBytes, size - start));
    const part = `?partNumber=${number}&${query.slice(1)}`;
    const etag = await patiently(target, () => sendPart(target, url, part, body, signal), signal).catch(
      // the other parts need not be sent all over again: a later run begins anew
      (error) => Promise.reject(Object.assign(error, { final: true })),
    );
    parts.push(`<Part><PartNumber>${number}</PartNumber><ETag>${escaped(etag)}</ETag></Part>`);
    hashes.push(body.md5);
  }
  const etag = `${createHash('md5').update(Buffer.concat(hashes)).digest('hex')}-${hashes.length}`;
  return { list: parts.join(''), etag };
}

async function sendPart(
  target: S3Target,
  url: string,
  query: string,
  body: Body,
  signal?: AbortSignal,
): Promise<string> {
  const answer = await s3(target, 'PUT', url, { query, body, signal });
  if (!answer.ok) throw refused(answer, 'a part of the upload');
  const etag = answer.headers.get('etag');
  if (!etag) throw new OffsiteFault('the bucket took a part of the upload and gave no ETag for it');
  return etag;
}

/** A process that is killed in the middle of an upload in parts leaves it begun: it shows in no list of files, and is paid for. */
export async function endOldUploads(
  target: S3Target,
  bucketUrl: string,
  prefix: string,
  objectUrl: (name: string) => string,
  before: Date,
): Promise<void> {
  const query = `?uploads=&${new URLSearchParams({ prefix })}`;
  const answer = await s3(target, 'GET', bucketUrl, { query });
  if (!answer.ok) throw refused(answer, 'the list of uploads that were begun');
  for (const [, entry = ''] of answer.text.matchAll(/<Upload>([\s\S]*?)<\/Upload>/g)) {
    const word = (name: string) => unescaped(new RegExp(`<${name}>([^<]*)</${name}>`).exec(entry)?.[1] ?? '');
    const name = word('Key').slice(prefix.length);
    if (!word('Key').startsWith(prefix) || !/^marketing-\d{8}T\d{6}Z\./.test(name)) continue;
    if (!(Date.parse(word('Initiated')) < before.getTime())) continue;
    await s3(target, 'DELETE', objectUrl(name), {
      query: `?uploadId=${encodeURIComponent(word('UploadId'))}`,
    });
  }
}
