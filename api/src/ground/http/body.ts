// Reads a request's body: JSON, a form, a beacon's text/plain holding JSON, a table; bounded, cleaned, never trusted.

import type { Context } from 'koa';
import { koaBody } from 'koa-body';
import rawBody from 'raw-body';
import { AppError } from '../lib/app-error.ts';
import type { Call } from './call.ts';
import type { BodyKind } from './route.ts';
import { clean, cleanText } from './validate.ts';

export interface BodyOptions {
  bytesMax: number;
  kinds: readonly BodyKind[];
  /** No body at all is an empty object. */
  optional?: boolean;
}

/** Fills the call's body (cleaned), bodyBytes (of its JSON or text as sent) and isForm. */
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

function failed(error: ReadFault): never {
  if (isCutOff(error))
    throw new AppError(
      'invalid_request',
      'The connection ended before the whole body was here. Send it again.',
      {
        cause: error,
      },
    );
  if (error.status === 413 || error.type === 'entity.too.large') {
    throw new AppError('payload_too_large', 'The body is larger than this address takes.', { cause: error });
  }
  if (error.status === 415)
    throw new AppError(
      'unsupported_media_type',
      'The body has an encoding or character set we do not read.',
      { cause: error },
    );
  throw malformed(error);
}

/** throws  malformed_json, payload_too_large, unsupported_media_type */
export function bodyReader({ bytesMax, kinds, optional = false }: BodyOptions): BodyReader {
  const takes = (kind: BodyKind) => kinds.includes(kind);
  const form = takes('form');
  const beacon = takes('beacon');
  const csv = takes('csv');
  // forms, and whatever came compressed
  const unpack = koaBody({
    formLimit: bytesMax,
    textLimit: bytesMax,
    // JSON is read as text and parsed here: koa-body's own reader refuses a body with a __proto__ key, we drop the key
    json: false,
    text: true,
    textTypes: ['application/json', '+json', 'text/plain'],
    urlencoded: form,
    multipart: false,
    includeUnparsed: false,
    onError: failed,
  });
  // The reader beneath koa-body, called directly: an event's body is read in a third of the time.
  const readBytes = (ctx: Context) =>
    rawBody(ctx.req, { limit: bytesMax, length: ctx.req.headers['content-length'] ?? null }).catch(failed);

  return async (ctx, call) => {
    const { headers } = ctx.req;
    const isEmpty = !headers['transfer-encoding'] && Number(headers['content-length'] || 0) === 0;
    if (isEmpty) {
      if (!optional) throw malformed();
      call.body = {};
      return;
    }
    if (takes('text') || (csv && ctx.is('text/csv'))) {
      const bytes = await readBytes(ctx);
      call.bodyBytes = bytes.length;
      call.body = cleanText(bytes.toString());
      return;
    }
    // sendBeacon with a plain Blob has no type
    if (beacon && !headers['content-type']) headers['content-type'] = 'text/plain';
    call.isForm = form && Boolean(ctx.is('application/x-www-form-urlencoded'));
    if (
      !call.isForm &&
      headers['content-type'] !== 'application/json' &&
      !ctx.is('application/json', '+json') &&
      !(beacon && ctx.is('text/plain'))
    ) {
      const others = [form && 'application/x-www-form-urlencoded', csv && 'text/csv'].filter(Boolean);
      throw new AppError(
        'unsupported_media_type',
        `Send ${[...others, 'application/json'].join(' or ')}${beacon ? ', or text/plain holding JSON' : ''}.`,
      );
    }
    if (call.isForm || headers['content-encoding']) {
      await unpack(ctx, async () => {});
      const text = call.isForm ? '' : String(ctx.request.body);
      call.bodyBytes = Buffer.byteLength(text);
      call.body = clean(call.isForm ? ctx.request.body : parseObject(text));
      return;
    }
    const bytes = await readBytes(ctx);
    call.bodyBytes = bytes.length;
    call.body = clean(parseObject(bytes.toString()));
  };
}

/**
 * The body as it was sent, whatever it calls itself.
 * tooLarge  what to send instead, for a person
 * throws    payload_too_large, unsupported_media_type; invalid_request when the sender went away
 */
export async function readRawBody(ctx: Context, bytesMax: number, tooLarge: string): Promise<Buffer> {
  return rawBody(ctx.req, { limit: bytesMax }).catch((error: ReadFault) => {
    if (error.status === 413) throw new AppError('payload_too_large', tooLarge, { cause: error });
    return failed(error);
  });
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
