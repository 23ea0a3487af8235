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

/** ctx.state.body: the cleaned body; ctx.state.isForm: whether it came as a form. */
export function readBody({ bytesMax, beacon = false, form = false }: BodyOptions): Middleware {
  const reader = koaBody({
    jsonLimit: bytesMax,
    formLimit: bytesMax,
    textLimit: bytesMax,
    json: true,
    text: beacon,
    urlencoded: form,
    multipart: false,
    includeUnparsed: false,
    jsonStrict: true,
    onError: failed,
  });
  return async (ctx: Context, next) => {
    const isForm =
      form &&
      ctx.is('application/x-www-form-urlencoded') !== false &&
      ctx.is('application/x-www-form-urlencoded') !== null;
    const isText = beacon && (ctx.is('text/plain') === 'text/plain' || ctx.get('content-type') === '');
    if (
      ctx.is('application/json', '+json') === null &&
      Number(ctx.get('content-length') || 0) === 0 &&
      !ctx.get('transfer-encoding')
    ) {
      throw malformed(); // no body at all
    }
    if (!isForm && !isText && !ctx.is('application/json', '+json')) {
      throw new AppError(
        'unsupported_media_type',
        `Send ${form ? 'application/x-www-form-urlencoded or ' : ''}application/json${beacon ? ', or text/plain holding JSON' : ''}.`,
      );
    }
    if (isText && ctx.get('content-type') === '') ctx.req.headers['content-type'] = 'text/plain';
    await reader(ctx, async () => {});
    let body: unknown = ctx.request.body;
    if (isText) {
      try {
        body = JSON.parse(String(body));
      } catch (error) {
        throw malformed(error);
      }
    }
    ctx.state.isForm = isForm;
    ctx.state.body = clean(body);
    return next();
  };
}
