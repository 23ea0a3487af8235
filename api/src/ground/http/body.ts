// Reads a request's body: JSON, a form, a beacon's text/plain holding JSON, a table; bounded, cleaned, never trusted.

import type { IncomingMessage } from 'node:http';
import type { Context } from 'koa';
import { koaBody } from 'koa-body';
import rawBody from 'raw-body';
import { AppError } from '../lib/app-error.ts';
import type { Call } from './call.ts';
import { charsetIn, knownDecoder, textOf } from './charset.ts';
import { fieldsOf, formTooLarge, URLENCODED_GROWTH, urlencodedFields } from './form-fields.ts';
import { boundaryIn, readMultipart } from './multipart.ts';
import type { BodyKind } from './route.ts';
import { clean, cleanText } from './validate.ts';

export interface BodyOptions {
  bytesMax: number;
  kinds: readonly BodyKind[];
  /** No body at all is an empty object. */
  optional?: boolean;
  /** Of a multipart form together with its files, which are dropped. Default: bytesMax. */
  filesBytesMax?: number | undefined;
}

/** Fills the call's body (cleaned), bodyBytes (as sent), isForm and droppedFiles. */
export type BodyReader = (ctx: Context, call: Call) => Promise<void>;

const BYTE_ORDER_MARK = 0xfeff;

const malformed = (cause?: unknown) =>
  new AppError('malformed_json', 'The body is not JSON. Check it with a JSON validator and send it again.', {
    cause,
  });

type ReadFault = Error & { status?: number; type?: string; code?: string };

// A sender that goes away breaks the same kind of socket as the database's: told apart here, where we know whose it was.
const isCutOff = ({ type, code }: ReadFault) =>
  type === 'request.aborted' || type === 'request.size.invalid' || code === 'ECONNRESET' || code === 'EPIPE';

/** What a reader threw, as the sender is told. */
function faultOf(error: ReadFault): AppError {
  if (error instanceof AppError) return error;
  if (isCutOff(error))
    return new AppError(
      'invalid_request',
      'The connection ended before the whole body was here. Send it again.',
      {
        cause: error,
      },
    );
  if (error.status === 413 || error.type === 'entity.too.large') {
    return new AppError('payload_too_large', 'The body is larger than this address takes.', { cause: error });
  }
  if (error.status === 415)
    return new AppError(
      'unsupported_media_type',
      'The body has an encoding or character set we do not read.',
      { cause: error },
    );
  return malformed(error);
}
function failed(error: ReadFault): never {
  throw faultOf(error);
}

const PACKINGS: Record<string, string> = {
  '': '',
  identity: '',
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
};

/** How a body is packed, in the one spelling the reader beneath knows; '' when it is not. throws  unsupported_media_type */
function packingOf(ctx: Context): string {
  const { headers } = ctx.req;
  const said = headers['content-encoding'];
  if (said === undefined) return '';
  const packing = PACKINGS[said.trim().toLowerCase()];
  if (packing === undefined)
    throw new AppError('unsupported_media_type', 'Pack the body with gzip, deflate or br, or not at all.');
  headers['content-encoding'] = packing || 'identity';
  return packing;
}

// Packed bodies. As latin1 a text is its bytes: what character set they are in is found out later.
const readPacked = (bytesMax: number) =>
  koaBody({
    textLimit: bytesMax,
    encoding: 'latin1',
    json: false,
    text: true,
    textTypes: ['*/*'],
    urlencoded: false,
    multipart: false,
    includeUnparsed: false,
    onError: failed,
  });

async function unpacked(ctx: Context, unpack: ReturnType<typeof readPacked>): Promise<Buffer> {
  await unpack(ctx, async () => {});
  return Buffer.from(String(ctx.request.body), 'latin1');
}

function failedForm(error: unknown): never {
  throw error instanceof AppError && error.code === 'payload_too_large' ? formTooLarge() : error;
}

/**
 * A body whose length its sender told and the parser beneath holds it to; raw-body's five listeners, each hung up and taken
 * down again, cost as much as all that is done with an event's text.
 */
function readKnownLength(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const cutOff = () =>
      reject(faultOf(Object.assign(new Error('request aborted'), { type: 'request.aborted' })));
    if (!request.readable) return cutOff();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    request.on('error', (error: ReadFault) => reject(faultOf(error)));
    request.on('close', () => {
      if (!request.complete) cutOff();
    });
  });
}

const isMultipart = (ctx: Context) => Boolean(ctx.is('multipart/form-data'));

/** throws  malformed_json, payload_too_large, unsupported_media_type */
export function bodyReader({ bytesMax, kinds, optional = false, filesBytesMax }: BodyOptions): BodyReader {
  const takes = (kind: BodyKind) => kinds.includes(kind);
  const form = takes('form');
  const beacon = takes('beacon');
  const csv = takes('csv');
  const unpack = readPacked(bytesMax);
  const unpackForm = readPacked(bytesMax * URLENCODED_GROWTH);
  // The reader beneath koa-body, called directly: an event's body is read in a third of the time.
  const readBytes = (ctx: Context, isForm = false): Promise<Buffer> => {
    const { headers } = ctx.req;
    if (headers['content-encoding'] && packingOf(ctx)) return unpacked(ctx, isForm ? unpackForm : unpack);
    const limit = isForm ? bytesMax * URLENCODED_GROWTH : bytesMax;
    const length = Number(headers['content-length']);
    if (length <= limit && !headers['transfer-encoding']) return readKnownLength(ctx.req);
    return rawBody(ctx.req, { limit, length: headers['content-length'] ?? null }).catch(failed);
  };
  const readFiles = async (ctx: Context, call: Call): Promise<unknown> => {
    const type = ctx.req.headers['content-type']!;
    const boundary = boundaryIn(type);
    if (!boundary || packingOf(ctx))
      throw new AppError(
        'unsupported_media_type',
        'Send multipart/form-data with its boundary and without Content-Encoding.',
      );
    const bounds = { fieldsBytesMax: bytesMax, bytesMax: filesBytesMax ?? bytesMax };
    if (Number(ctx.req.headers['content-length']) > bounds.bytesMax) throw formTooLarge();
    const { fields, files } = await readMultipart(ctx.req, boundary, bounds).catch(failed);
    call.droppedFiles = files;
    return fieldsOf(fields, charsetIn(type));
  };

  return async (ctx, call) => {
    const { headers } = ctx.req;
    const isEmpty = !headers['transfer-encoding'] && Number(headers['content-length'] || 0) === 0;
    if (isEmpty) {
      // A form without a field that is sent has an empty body: its fields are missed, as those of any other.
      call.isForm = form && /^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '');
      if (!optional && !call.isForm) throw malformed();
      call.body = {};
      return;
    }
    if (takes('raw')) {
      // signed as it came: not a byte of it may change
      const bytes = await readBytes(ctx);
      call.bodyBytes = bytes.length;
      call.body = bytes;
      return;
    }
    if (takes('text') || (csv && ctx.is('text/csv'))) {
      const bytes = await readBytes(ctx);
      call.bodyBytes = bytes.length;
      call.body = cleanText(textOf(bytes, charsetIn(headers['content-type'])));
      return;
    }
    // sendBeacon with a plain Blob has no type
    if (beacon && !headers['content-type']) headers['content-type'] = 'text/plain';
    call.isForm = form && Boolean(ctx.is('application/x-www-form-urlencoded', 'multipart/form-data'));
    if (call.isForm) {
      if (isMultipart(ctx)) {
        call.body = clean(await readFiles(ctx, call));
        return;
      }
      const bytes = await readBytes(ctx, true).catch(failedForm);
      call.bodyBytes = bytes.length;
      call.body = clean(fieldsOf(urlencodedFields(bytes, bytesMax), charsetIn(headers['content-type'])));
      return;
    }
    if (
      headers['content-type'] !== 'application/json' &&
      !ctx.is('application/json', '+json') &&
      !(beacon && ctx.is('text/plain'))
    )
      throw new AppError('unsupported_media_type', `Send ${typesOf(kinds)}.`);
    const bytes = await readBytes(ctx);
    call.bodyBytes = bytes.length;
    call.body = clean(parseObject(jsonText(bytes, headers['content-type']!)));
  };
}

function typesOf(kinds: readonly BodyKind[]): string {
  const others = [
    kinds.includes('form') && 'application/x-www-form-urlencoded or multipart/form-data',
    kinds.includes('csv') && 'text/csv',
  ].filter(Boolean);
  return `${[...others, 'application/json'].join(' or ')}${kinds.includes('beacon') ? ', or text/plain holding JSON' : ''}`;
}

/** JSON is UTF-8 unless it says otherwise; bytes that are no UTF-8 become the sign for that. */
function jsonText(bytes: Buffer, contentType: string): string {
  const said =
    contentType.includes('charset') || contentType.includes('CHARSET') ? charsetIn(contentType) : '';
  return said === '' || /^utf-?8$/i.test(said) ? bytes.toString() : knownDecoder(said).decode(bytes);
}

function parseObject(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text);
  } catch (error) {
    throw malformed(error);
  }
  if (typeof parsed !== 'object' || parsed === null) throw malformed();
  return parsed;
}
