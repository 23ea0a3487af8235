// One signed request to an S3-compatible bucket, streamed both ways, given up when nothing moves any more.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { hush, OffsiteFault, type S3Target, silenceOf } from './target.ts';

export interface Body {
  bytes: number;
  sha256: string;
  md5: Buffer;
  stream(): Readable;
}

/** The bytes from `start` on, described; read twice, so that they need not be held. */
export async function partOf(file: string, start: number, bytes: number): Promise<Body> {
  const stream = () =>
    bytes === 0
      ? Readable.from([])
      : createReadStream(file, { start, end: start + bytes - 1, highWaterMark: 1 << 18 });
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  for await (const chunk of stream()) {
    sha256.update(chunk);
    md5.update(chunk);
  }
  return { bytes, sha256: sha256.digest('hex'), md5: md5.digest(), stream };
}

export const textBody = (text: string): Body => {
  const bytes = Buffer.from(text);
  return {
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    md5: createHash('md5').update(bytes).digest(),
    stream: () => Readable.from([bytes]),
  };
};

export interface Asked {
  /** With its "?". */
  query?: string;
  headers?: Record<string, string>;
  body?: Body;
  /** Gets the answer's bytes instead of the text. */
  into?: (chunk: Uint8Array) => unknown;
  signal?: AbortSignal | undefined;
}

export interface Answered {
  ok: boolean;
  status: number;
  headers: Headers;
  /** Of the answer, when nobody else took it; at most 4 MB. */
  text: string;
}

const TEXT_MAX = 4_000_000;

/** url: of the object, or of the bucket. throws  only when there is no answer; a refusal is one */
export async function s3(
  target: S3Target,
  method: string,
  url: string,
  asked: Asked = {},
): Promise<Answered> {
  const { body } = asked;
  const signed = await sign(target, method, url, asked);
  const silence = hush(silenceOf(target), asked.signal);
  try {
    const answer = await fetch(signed.url, {
      method,
      headers: signed.headers,
      redirect: 'error',
      signal: silence.signal,
      // streamed, so that the size of a backup never is the size of our memory
      ...(body ? { body: Readable.toWeb(heard(body.stream(), silence.moved)), duplex: 'half' } : {}),
    } as RequestInit);
    silence.moved();
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of answer.body ?? []) {
      silence.moved();
      if (asked.into && answer.ok) await asked.into(chunk);
      else if (text.length < TEXT_MAX) text += decoder.decode(chunk, { stream: true });
    }
    return { ok: answer.ok, status: answer.status, headers: answer.headers, text };
  } catch (error) {
    throw silence.signal.aborted ? silence.signal.reason : error;
  } finally {
    silence.end();
  }
}

async function sign(
  target: S3Target,
  method: string,
  url: string,
  { query = '', headers = {}, body }: Asked,
) {
  const { AwsV4Signer } = await import('aws4fetch');
  return new AwsV4Signer({
    method,
    url: `${url}${query}`,
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
}

function heard(stream: Readable, moved: () => void): Readable {
  return Readable.from(
    (async function* () {
      for await (const chunk of stream) {
        moved();
        yield chunk;
      }
    })(),
    { objectMode: false },
  );
}

/** Codes that a place answers with a 4xx although another moment may do. */
const PASSING = new Set([408, 425, 429]);

/** what: "the upload", as it stands in "the bucket answered 403 to the upload" */
export function refused({ status, text }: Answered, what: string): OffsiteFault {
  const code = /<Code>([\w.]{1,60})<\/Code>/.exec(text)?.[1];
  const meaning =
    status === 403 && code !== 'QuotaExceeded'
      ? ': the key is wrong, or may not do that'
      : status === 404 && code === 'NoSuchBucket'
        ? ': there is no such bucket'
        : '';
  return new OffsiteFault(`the bucket answered ${status}${code ? ` ${code}` : ''} to ${what}${meaning}`, {
    final: status < 500 && !PASSING.has(status),
  });
}

const ENTITIES: Record<string, string> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&#39;': "'",
};
export const unescaped = (xml: string): string =>
  xml.replace(/&(?:amp|lt|gt|quot|apos|#39);/g, (word) => ENTITIES[word]!);
export const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (sign) => (sign === '&' ? '&amp;' : sign === '<' ? '&lt;' : '&gt;'));
