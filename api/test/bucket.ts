// An S3-compatible bucket of our own, over real HTTP: checks the signature as AWS documents it, written without the library
// under test, and misbehaves as it is told.
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { S3Target } from '../src/ground/shelf/target.ts';

const SECRET = 'secret-of-the-bucket';

/** What a night may bring. Without a word of its own it holds for uploads; a place that is away answers nothing at all. */
export type Night =
  | 'well'
  | 'resets'
  | 'stores half'
  | 'stores garbage'
  | 'refuses'
  | 'is busy'
  | 'is silent'
  | 'is full'
  | 'removes nothing'
  | 'lists nothing'
  | 'is away';

export interface Bucket {
  target: S3Target;
  /** By name, below the folder of the target. */
  objects: Map<string, Buffer>;
  /** Uploads in parts that are neither complete nor aborted; the id has signs that must be escaped in a URL and in XML. */
  uploads: Map<string, Map<number, Buffer>>;
  /** Of what, and since when. */
  begun: Map<string, { name: string; at: string }>;
  /** Statuses that the next uploads, or parts, are answered with instead of being taken. */
  stumbles: number[];
  night: Night;
  /** ETags that say nothing about the content, as with a managed key. */
  strangeEtags: boolean;
  /** e.g. "PUT name". */
  calls: string[];
  close(): void;
}

const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
const md5 = (bytes: Buffer) => createHash('md5').update(bytes).digest();

/** Path and query as they are signed: parameters sorted, each with its "=". */
function canonicalTarget(target: string): [string, string] {
  const [path, query = ''] = target.split('?');
  return [path!, query.split('&').filter(Boolean).sort().join('&').replaceAll('+', '%20')];
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
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [region!, service!, 'aws4_request'].reduce(
    (made: Buffer, part) => hmac(made, part),
    hmac(`AWS4${SECRET}`, day!),
  );
  return createHmac('sha256', key).update(text).digest('hex');
}

const error = (response: ServerResponse, status: number, code: string) =>
  response
    .writeHead(status, { 'content-type': 'application/xml' })
    .end(`<Error><Code>${code}</Code></Error>`);

/** tls: a key and a certificate in PEM, for those who come from another machine's network, under that name. */
/** top  '' where the bucket stands in the name of its host, so that all of the path is the folder */
export async function startBucket(
  folder = 'box',
  tls?: { name: string; key: string; cert: string },
  top = '/backups',
): Promise<Bucket> {
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    answer(bucket, folder, top, request, response).catch(() => response.destroy());
  };
  const server = tls ? createSecureServer(tls, listener) : createServer(listener);
  await new Promise<void>((done) => server.listen(0, tls ? '0.0.0.0' : '127.0.0.1', done));
  const bucket: Bucket = {
    target: {
      kind: 's3',
      url: `${tls ? `https://${tls.name}` : 'http://127.0.0.1'}:${(server.address() as AddressInfo).port}${top}/${folder}`,
      region: 'ca-central-1',
      accessKeyId: 'key',
      secretAccessKey: SECRET,
      backoffMs: 1,
    },
    objects: new Map(),
    uploads: new Map(),
    begun: new Map(),
    stumbles: [],
    night: 'well',
    strangeEtags: false,
    calls: [],
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return bucket;
}

async function answer(
  bucket: Bucket,
  folder: string,
  top: string,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const { pathname, searchParams } = new URL(request.url!, 'http://bucket');
  const name = decodeURIComponent(pathname.slice(`${top}/${folder}/`.length));
  const { method } = request;
  bucket.calls.push(`${method} ${name}`);
  if (bucket.night === 'is away') return request.socket.destroy();
  if (method === 'PUT' && bucket.night === 'is silent') return;
  if (method === 'PUT' && bucket.night === 'resets')
    return void request.once('data', () => {
      // only a bare socket can be reset; asked of one with TLS it throws, and node answers 400
      if (request.socket instanceof TLSSocket) request.socket.destroy();
      else request.socket.resetAndDestroy();
    });
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!request.headers.authorization?.includes(`Signature=${signatureOf(request)}`))
    return error(response, 403, 'SignatureDoesNotMatch');
  if (body.length > 0 && sha256(body) !== request.headers['x-amz-content-sha256'])
    return error(response, 400, 'XAmzContentSHA256Mismatch');
  const isBucket = pathname === (top || '/');
  if (isBucket && searchParams.has('uploads')) return listUploads(bucket, folder, response);
  if (isBucket) return list(bucket, folder, searchParams, response);
  if (searchParams.has('uploads') || searchParams.has('uploadId'))
    return inParts(bucket, name, method!, searchParams, body, response);
  if (method === 'PUT') return put(bucket, name, body, response);
  if (method === 'DELETE') {
    if (bucket.night === 'removes nothing') return error(response, 403, 'AccessDenied');
    return response.writeHead(bucket.objects.delete(name) ? 204 : 404).end();
  }
  const found = bucket.objects.get(name);
  if (!found) return error(response, 404, 'NoSuchKey');
  const headers = { 'content-length': found.length, etag: etagOf(bucket, name, found) };
  return response.writeHead(200, headers).end(method === 'GET' ? found : undefined);
}

const partSizes = new WeakMap<Buffer, number[]>();
function etagOf({ strangeEtags }: Bucket, name: string, bytes: Buffer): string {
  if (strangeEtags) return `"${sha256(name).slice(0, 32)}"`;
  const sizes = partSizes.get(bytes);
  if (!sizes) return `"${md5(bytes).toString('hex')}"`;
  let at = 0;
  const hashes = sizes.map((size) => {
    at += size;
    return md5(bytes.subarray(at - size, at));
  });
  return `"${md5(Buffer.concat(hashes)).toString('hex')}-${sizes.length}"`;
}

function put(bucket: Bucket, name: string, body: Buffer, response: ServerResponse) {
  const stumble = bucket.stumbles.shift();
  if (stumble) return error(response, stumble, 'Stumbled');
  if (bucket.night === 'refuses') return error(response, 403, 'AccessDenied');
  if (bucket.night === 'is busy') return error(response, 503, 'SlowDown');
  if (bucket.night === 'is full') return error(response, 507, 'InsufficientStorage');
  const stored =
    bucket.night === 'stores half'
      ? body.subarray(0, body.length >> 1)
      : bucket.night === 'stores garbage'
        ? Buffer.from(body.map((byte) => byte ^ 1))
        : body;
  bucket.objects.set(name, stored);
  return response.writeHead(200, { etag: etagOf(bucket, name, stored) }).end();
}

/** At most three names an answer, so that whoever lists has to ask on. */
function list(bucket: Bucket, folder: string, asked: URLSearchParams, response: ServerResponse) {
  if (bucket.night === 'lists nothing') return error(response, 403, 'AccessDenied');
  const all = [...bucket.objects.keys()]
    .map((name) => `${folder}/${name}`)
    .filter((key) => key.startsWith(asked.get('prefix') ?? ''))
    .sort();
  const from = Number(asked.get('continuation-token')?.replace(/\D/g, '') ?? 0);
  const contents = all.slice(from, from + 3).map((key) => {
    const { length } = bucket.objects.get(key.slice(folder.length + 1))!;
    return `<Contents><Key>${key}</Key><LastModified>x</LastModified><Size>${length}</Size></Contents>`;
  });
  const more = from + 3 < all.length;
  const next = more ? `<NextContinuationToken>a&amp;b ${from + 3}</NextContinuationToken>` : '';
  return response.end(
    `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${contents.join('')}${next}</ListBucketResult>`,
  );
}

function listUploads(bucket: Bucket, folder: string, response: ServerResponse) {
  const entries = [...bucket.uploads.keys()].map((id) => {
    const { name, at } = bucket.begun.get(id)!;
    const shown = id.replaceAll('&', '&amp;');
    return `<Upload><Key>${folder}/${name}</Key><UploadId>${shown}</UploadId><Initiated>${at}</Initiated></Upload>`;
  });
  return response.end(`<ListMultipartUploadsResult>${entries.join('')}</ListMultipartUploadsResult>`);
}

function inParts(
  bucket: Bucket,
  name: string,
  method: string,
  asked: URLSearchParams,
  body: Buffer,
  response: ServerResponse,
) {
  const ID = 'an/id+&=';
  if (asked.has('uploads')) {
    bucket.uploads.set(ID, new Map());
    bucket.begun.set(ID, { name, at: new Date().toISOString() });
    return response.end('<?xml version="1.0"?><R><UploadId>an/id+&amp;=</UploadId></R>');
  }
  const parts = bucket.uploads.get(asked.get('uploadId')!);
  if (!parts) return error(response, 404, 'NoSuchUpload');
  if (method === 'DELETE')
    return response.writeHead(bucket.uploads.delete(asked.get('uploadId')!) ? 204 : 404).end();
  if (method === 'PUT') {
    const stumble = bucket.stumbles.shift();
    if (stumble) return error(response, stumble, 'Stumbled');
    const number = Number(asked.get('partNumber'));
    parts.set(number, bucket.night === 'stores half' ? body.subarray(0, body.length >> 1) : body);
    return response.writeHead(200, { etag: `"part-${number}-${body.length}"` }).end();
  }
  const named = [...body.toString().matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag>/g)];
  if (named.length !== parts.size || !named.every(([, number, etag]) => etag!.startsWith(`"part-${number}-`)))
    return response.end('<Error><Code>InvalidPart</Code></Error>');
  const pieces = named.map(([, number]) => parts.get(Number(number))!);
  const whole = Buffer.concat(pieces);
  partSizes.set(
    whole,
    pieces.map(({ length }) => length),
  );
  bucket.objects.set(name, whole);
  bucket.uploads.delete(ID);
  return response.end('<CompleteMultipartUploadResult/>');
}
