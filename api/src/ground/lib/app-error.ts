// What we tell a caller when something is refused: one of the contract's codes and a sentence for a person.

export type ErrorCode =
  | 'invalid_request'
  | 'malformed_json'
  | 'unauthorized'
  | 'forbidden'
  /** A person's proof of who they are is too old for this: POST /v1/auth/prove. */
  | 'proof_required'
  /** Their role asks for a second factor, and they have none. */
  | 'second_factor_required'
  | 'origin_not_allowed'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'daily_limit'
  | 'internal_error'
  | 'unavailable'
  | 'admin_auth_not_configured';

export interface Issue {
  /** Dotted path of the field, e.g. "utm.source" or "events.3.path". */
  path: string;
  message: string;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly issues: Issue[] | undefined;
  /** Whole seconds after which trying again makes sense; sent as Retry-After. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    more: { issues?: Issue[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.issues = more.issues;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}
