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
  /** If-Match names another version than there is, or none. */
  | 'precondition_failed'
  /** A notification holds a number that nothing counts. */
  | 'unbacked_claim'
  /** What came is not signed by whom it should be. */
  | 'invalid_signature'
  /** It was there, and its person took it back. */
  | 'gone'
  /** The data of a site has to be elsewhere. */
  | 'region_mismatch'
  /** The site's plan has no room for more of it. */
  | 'plan_limit_reached'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'daily_limit'
  /** Of what was seen of a notification: the site has none of this id; or it was counted often enough today. */
  | 'unknown_notification'
  | 'proof_cap'
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
  /** The ledger's word for it, where that is not the code. */
  readonly reason: string;

  constructor(
    code: ErrorCode,
    message: string,
    more: { issues?: Issue[]; retryAfterSeconds?: number; reason?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.issues = more.issues;
    this.retryAfterSeconds = more.retryAfterSeconds;
    this.reason = more.reason ?? code;
  }
}
