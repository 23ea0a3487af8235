// Reads a request's body: JSON, a form, or a beacon's text/plain holding JSON; bounded, cleaned, never trusted.

import type { Context, Middleware } from 'koa';
import { koaBody } from 'koa-body';
import rawBody from 'raw-body';
import { AppError } from '../lib/app-error.ts';
import { clean } from './validate.ts';

export interface BodyOptions {
  bytesMax: number;
  /** Beacon routes also take text/plain: sendBeacon and fetch without a preflight. */
  beacon?: boolean;
  form?: boolean;
}

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

/** As a layer of a route: see bodyReader. */
export function readBody(options: BodyOptions): Middleware {
  const read = bodyReader(options);
  return async (ctx, next) => {
    await read(ctx);
    return next();
  };
}

/**
 * Fills ctx.state.body: the cleaned body; bodyBytes: of its JSON as sent; isForm: whether it came as a form.
 * throws  malformed_json, payload_too_large, unsupported_media_type; invalid_request when the sender went away
 */
export function bodyReader({
  bytesMax,
  beacon = false,
  form = false,
}: BodyOptions): (ctx: Context) => Promise<void> {
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
  return async (ctx) => {
    const { headers } = ctx.req;
    if (!headers['transfer-encoding'] && Number(headers['content-length'] || 0) === 0) throw malformed(); // no body at all
    // sendBeacon with a plain Blob has no type
    if (beacon && !headers['content-type']) headers['content-type'] = 'text/plain';
    const isForm = form && Boolean(ctx.is('application/x-www-form-urlencoded'));
    if (
      !isForm &&
      headers['content-type'] !== 'application/json' &&
      !ctx.is('application/json', '+json') &&
      !(beacon && ctx.is('text/plain'))
    ) {
      throw new AppError(
        'unsupported_media_type',
        `Send ${form ? 'application/x-www-form-urlencoded or ' : ''}application/json${beacon ? ', or text/plain holding JSON' : ''}.`,
      );
    }
    ctx.state.isForm = isForm;
    if (isForm || headers['content-encoding']) {
      await unpack(ctx, async () => {});
      const text = isForm ? '' : String(ctx.request.body);
      ctx.state.bodyBytes = Buffer.byteLength(text);
      ctx.state.body = clean(isForm ? ctx.request.body : parseObject(text));
      return;
    }
    // The reader beneath koa-body, called directly: an event's body is read in a third of the time.
    const bytes = await rawBody(ctx.req, {
      limit: bytesMax,
      length: headers['content-length'] ?? null,
    }).catch(failed);
    ctx.state.bodyBytes = bytes.length;
    ctx.state.body = clean(parseObject(bytes.toString()));
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
