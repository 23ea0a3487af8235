// Reads a request's body: JSON, a form, or a beacon's text/plain holding JSON; bounded, cleaned, never trusted.

import type { Context, Middleware } from 'koa';
import { koaBody } from 'koa-body';
import { AppError } from '../lib/app-error.ts';
import { clean } from './validate.ts';

export interface BodyOptions {
  bytesMax: number;
  /** Beacon routes also take text/plain: sendBeacon and fetch without a preflight. */
  beacon?: boolean;
  form?: boolean;
}

const malformed = (cause?: unknown) =>
  new AppError('malformed_json', 'The body is not JSON. Check it with a JSON validator and send it again.', {
    cause,
  });

function failed(error: Error & { status?: number; type?: string }): never {
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

/** ctx.state.body: the cleaned body; bodyBytes: of its JSON as sent; isForm: whether it came as a form. */
export function readBody({ bytesMax, beacon = false, form = false }: BodyOptions): Middleware {
  const reader = koaBody({
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
  return async (ctx: Context, next) => {
    if (!ctx.get('transfer-encoding') && Number(ctx.get('content-length') || 0) === 0) throw malformed(); // no body at all
    // sendBeacon with a plain Blob has no type
    if (beacon && ctx.get('content-type') === '') ctx.req.headers['content-type'] = 'text/plain';
    const isForm = form && Boolean(ctx.is('application/x-www-form-urlencoded'));
    if (!isForm && !ctx.is('application/json', '+json') && !(beacon && ctx.is('text/plain'))) {
      throw new AppError(
        'unsupported_media_type',
        `Send ${form ? 'application/x-www-form-urlencoded or ' : ''}application/json${beacon ? ', or text/plain holding JSON' : ''}.`,
      );
    }
    await reader(ctx, async () => {});
    ctx.state.isForm = isForm;
    const text = isForm ? '' : String(ctx.request.body);
    ctx.state.bodyBytes = Buffer.byteLength(text);
    ctx.state.body = clean(isForm ? ctx.request.body : parseObject(text));
    return next();
  };
}

function parseObject(text: string): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw malformed(error);
  }
  if (typeof parsed !== 'object' || parsed === null) throw malformed();
  return parsed;
}
