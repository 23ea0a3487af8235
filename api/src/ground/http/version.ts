// If-Match: who changes something says which version of it they saw, so that nobody's change is lost under another's.

import { AppError } from '../lib/app-error.ts';
import type { Call } from './call.ts';
import { Reply } from './reply.ts';

/** throws  precondition_failed, when the call names another version than this, or none */
export function checkVersion(call: Call, version: number): void {
  const named = call.header('if-match').trim();
  if (named === `"${version}"`) return;
  throw new AppError(
    'precondition_failed',
    named === ''
      ? `Say which version this changes: If-Match: "${version}" is the one there is.`
      : `It was changed meanwhile: version ${version} is the one there is. Look at it again and send If-Match: "${version}".`,
  );
}

export const versioned = (version: number, body: object, status = 200): Reply =>
  new Reply(status, body, { ETag: `"${version}"`, 'Cache-Control': 'no-store' });
