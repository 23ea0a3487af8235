// An S3-compatible bucket as a place for copies.
import { createHash } from 'node:crypto';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { digestFile } from '../lib/digest.ts';
import { type Asked, refused, s3, unescaped } from './s3-request.ts';
import { endOldUploads, upload } from './s3-upload.ts';
import { type Found, OffsiteFault, type S3Target, type Shelf } from './target.ts';

export function s3Shelf(target: S3Target, signal?: AbortSignal): Shelf {
  const { origin, pathname } = new URL(target.url);
  const words = pathname.split('/').filter(Boolean);
  const objectUrl = (name: string) => [origin, ...words, encodeURIComponent(name)].join('/');
  const ask = (method: string, name: string, asked: Asked = {}) =>
    s3(target, method, objectUrl(name), { signal, ...asked });

  // where the bucket is a part of the host's name, all of the path is the folder; which of both, its list says
  const byPath = { url: `${origin}/${words[0] ?? ''}`, folder: words.slice(1) };
  const byHost = { url: `${origin}/`, folder: words };
  let bucket: typeof byPath | null = null;
  async function list(): Promise<Found[]> {
    for (const one of bucket ? [bucket] : [byPath, byHost]) {
      const found = await listFolder(target, one.url, one.folder, signal);
      if (!found) continue;
      bucket = one;
      return found;
    }
    return [];
  }

  return {
    list,
    async put(file) {
      const { size } = await stat(file);
      const etag = await upload(target, objectUrl, file, size, signal);
      const head = await ask('HEAD', basename(file));
      if (!head.ok) throw refused(head, 'the question whether the copy is there');
      const found = Number(head.headers.get('content-length'));
      if (found !== size)
        throw new OffsiteFault(`the bucket shows ${found} bytes of ${basename(file)} instead of ${size}`);
      if (head.headers.get('etag')?.replace(/^W\/|"/g, '') === etag) return;
      // An ETag that is made otherwise (encryption by a managed key, for example) proves nothing: then all of it is read back.
      const hash = createHash('sha256');
      const back = await ask('GET', basename(file), { into: (chunk) => hash.update(chunk) });
      if (!back.ok) throw refused(back, 'reading the copy back');
      if (hash.digest('hex') !== (await digestFile(file)).sha256)
        throw new OffsiteFault(`what the bucket gives back as ${basename(file)} is not what was sent`);
    },
    async get(name, to) {
      const handle = await open(to, 'wx', 0o600);
      try {
        const answer = await ask('GET', name, { into: (chunk) => handle.writeFile(chunk) });
        if (!answer.ok) throw refused(answer, `fetching ${name}`);
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
    async remove(name) {
      const answer = await ask('DELETE', name);
      if (!answer.ok && answer.status !== 404) throw refused(answer, 'the removal');
    },
    async tidy(before) {
      if (!bucket) await list();
      const { url, folder } = bucket ?? byPath;
      await endOldUploads(target, url, prefixOf(folder), objectUrl, before);
    },
    close() {},
  };
}

const prefixOf = (folder: string[]): string => folder.map((word) => `${decodeURIComponent(word)}/`).join('');

/** returns  null when what was asked is no bucket; a 403 is an OffsiteFault */
async function listFolder(
  target: S3Target,
  bucketUrl: string,
  folder: string[],
  signal?: AbortSignal,
): Promise<Found[] | null> {
  const prefix = prefixOf(folder);
  const found: Found[] = [];
  let token: string | undefined;
  do {
    const query = new URLSearchParams({ 'list-type': '2', prefix, delimiter: '/' });
    if (token) query.set('continuation-token', token);
    const answer = await s3(target, 'GET', bucketUrl, { query: `?${query}`, signal });
    if (answer.status === 404 && /<Code>NoSuchKey/.test(answer.text)) return null;
    if (!answer.ok) throw refused(answer, 'the list of what is there');
    for (const [, entry = ''] of answer.text.matchAll(/<Contents>([\s\S]*?)<\/Contents>/g)) {
      const key = unescaped(/<Key>([^<]*)<\/Key>/.exec(entry)?.[1] ?? '');
      const bytes = Number(/<Size>(\d+)<\/Size>/.exec(entry)?.[1]);
      if (key.startsWith(prefix) && key !== prefix) found.push({ name: key.slice(prefix.length), bytes });
    }
    const next = /<NextContinuationToken>([^<]+)<\/NextContinuationToken>/.exec(answer.text)?.[1];
    token = next && unescaped(next);
  } while (token);
  return found;
}
