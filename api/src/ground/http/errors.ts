// Turns anything thrown further in into a status and a small JSON body: the only place that does.
import type { Context } from 'koa';
import { codeOf, isDatabaseAway, isDataFault, isTooSlow } from '../db/faults.ts';
import { AppError, type ErrorCode } from '../lib/app-error.ts';
import type { Log } from '../lib/log.ts';
import type { Call } from './call.ts';

export const STATUS: Record<ErrorCode, number> = {
  invalid_request: 400,
  malformed_json: 400,
  unauthorized: 401,
  forbidden: 403,
  proof_required: 403,
  second_factor_required: 403,
  origin_not_allowed: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  unbacked_claim: 422,
  invalid_signature: 401,
  region_mismatch: 409,
  plan_limit_reached: 402,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  daily_limit: 429,
  // neither is cured by sending it again
  unknown_notification: 400,
  proof_cap: 400,
  internal_error: 500,
  unavailable: 503,
  admin_auth_not_configured: 503,
};

// What the router and the body readers throw is known by its status, never by its text.
const BY_STATUS: Record<number, [ErrorCode, string]> = {
  400: ['invalid_request', 'The request could not be read.'],
  404: ['not_found', 'There is nothing at this address.'],
  405: [
    'method_not_allowed',
    'This address does not take that method; the Allow header lists those it takes.',
  ],
  413: ['payload_too_large', 'The body is larger than this address takes.'],
  415: [
    'unsupported_media_type',
    'Send application/json, application/x-www-form-urlencoded, or text/plain holding JSON.',
  ],
  501: ['method_not_allowed', 'This method is not supported.'],
};

export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDatabaseAway(error)) {
    return new AppError(
      'unavailable',
      'The database is not there at the moment. Nothing was stored; try again shortly.',
      {
        retryAfterSeconds: 5,
        cause: error,
      },
    );
  }
  if (isTooSlow(error))
    return new AppError(
      'unavailable',
      'The database did not answer in time, so nothing was stored. Try again, or ask for less at once.',
      { retryAfterSeconds: 10, cause: error },
    );
  if (isDataFault(error))
    return codeOf(error).startsWith('22')
      ? new AppError(
          'invalid_request',
          'It holds a value that cannot be stored: a text, number or time outside of all bounds. Nothing was stored.',
          { cause: error },
        )
      : new AppError(
          'conflict',
          'What it is about was changed or removed at the same moment, so nothing was stored. Look at it again and try once more.',
          { cause: error },
        );
  const status = (error as { status?: unknown } | null)?.status;
  const known = typeof status === 'number' ? BY_STATUS[status] : undefined;
  if (known) return new AppError(known[0], known[1], { cause: error });
  return new AppError(
    'internal_error',
    'Something went wrong on our side. The request id helps us to find it.',
    { cause: error },
  );
}

export function errorBody(error: AppError, requestId: string): Record<string, unknown> {
  return {
    ok: false,
    error: error.code,
    message: error.message,
    ...(error.issues ? { issues: error.issues } : {}),
    requestId,
  };
}

function sendError(ctx: Context, call: Call, error: AppError): void {
  ctx.status = STATUS[error.code];
  if (error.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(error.retryAfterSeconds));
  ctx.set('Cache-Control', 'no-store');
  ctx.body = errorBody(error, call.id);
}

/** Shows a refusal as a page where a person looks at it; false where nobody does. */
export type TellPerson = (ctx: Context, call: Call, status: number, error: AppError) => boolean;

/** Answers with what was thrown, whatever it is; logs it when it is our fault. */
export function answerError(
  ctx: Context,
  call: Call,
  thrown: unknown,
  log: Log,
  tellPerson: TellPerson,
): void {
  const error = asAppError(thrown);
  call.errorCode = error.code;
  // what only the database found wrong is answered as the sender's, and told here: a shape that should have known it lets it pass
  if (STATUS[error.code] >= 500 || isDataFault(error.cause))
    log.error({ requestId: call.id, err: error.cause ?? error }, 'request failed');
  if (!tellPerson(ctx, call, STATUS[error.code], error)) sendError(ctx, call, error);
}
