// The next tokens of a program that signed in as a person: POST /v1/auth/refresh.
import { z } from 'zod';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { mustNotBeForeign } from './cookies.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { findUser } from './queries.ts';
import { hashOf, newSecret } from './secrets.ts';
import { endReused, renewRefresh } from './session-queries.ts';
import type { Begun } from './sessions.ts';
import { tokenFields, tokensOf } from './welcome.ts';

/**
 * Each refresh token is good once. One that comes again has been copied, and nobody can say who copied it: the session ends for
 * both. returns  null when it is good for nothing
 */
const renewed = (accounts: Accounts, refreshToken: string, requestId: string): Promise<Begun | null> =>
  inAccounts(accounts.db, async (tx) => {
    const before = hashOf(refreshToken);
    const next = newSecret();
    const session = await renewRefresh(tx, before, hashOf(next));
    if (session) {
      const user = await findUser(tx, session.userId);
      return user && !user.disabledAt ? { session, cookies: [], refreshToken: next } : null;
    }
    const userId = await endReused(tx, before);
    if (userId) {
      const user = await findUser(tx, userId);
      await noteAuth(tx, { kind: 'token_reused', outcome: 'failed', userId, actor: 'nobody', requestId });
      if (user) await accounts.post.tell(tx, user, 'token_reused');
    }
    return null;
  });

export function tokenRoutes(accounts: Accounts): Route[] {
  return [
    route({
      at: 'POST /v1/auth/refresh',
      id: 'refreshTokens',
      says: 'The next tokens of a program that signed in; a refresh token that comes a second time ends the session',
      tag: 'sign-in',
      who: 'anyone',
      takes: {
        as: ['json'],
        bytesMax: 1024,
        shape: z.object({ refreshToken: z.string().length(43) }).meta({ id: 'Refresh' }),
      },
      answers: { 200: z.object(tokenFields) },
      async run({ refreshToken }, call) {
        mustNotBeForeign(call, accounts.publicUrl);
        const begun = await renewed(accounts, refreshToken, call.id);
        const tokens = begun && (await tokensOf(accounts, begun));
        if (!tokens)
          throw new AppError(
            'unauthorized',
            'This refresh token was used before, has ended, or never was. Sign in again.',
          );
        return new Reply(200, tokens, { 'Cache-Control': 'no-store' });
      },
    }),
  ];
}
