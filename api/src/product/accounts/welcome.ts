// What signing in answers: who they are, their session, and its cookie, or its tokens for a program.
import { z } from 'zod';
import { Reply } from '../../ground/http/reply.ts';
import type { Accounts } from './accounts.ts';
import { inAccounts } from './in-accounts.ts';
import { personCaller } from './person.ts';
import type { User } from './queries.ts';
import type { Begun } from './sessions.ts';
import { sessionShape, showSession, showUser, userShape } from './shapes.ts';
import { ACCESS_SECONDS } from './tokens.ts';

/** How long a session lives, and how it is carried. */
export const howLong = {
  keep: z.boolean().default(false).describe('keep me signed in: 30 days at most, instead of 7'),
  as: z.enum(['cookie', 'token']).default('cookie').describe('token: for a program, which sets no cookie'),
};

export const tokenFields = {
  accessToken: z.string().describe('for Authorization: Bearer'),
  expiresIn: z.int().describe('seconds, of the access token'),
  refreshToken: z.string().describe('for POST /v1/auth/refresh, once'),
};
const { accessToken, expiresIn, refreshToken } = tokenFields;
export const signedIn = z.object({
  user: userShape,
  session: sessionShape,
  accessToken: accessToken.optional(),
  expiresIn: expiresIn.optional(),
  refreshToken: refreshToken.optional(),
});

export async function tokensOf(
  accounts: Accounts,
  { session, refreshToken: next }: Begun,
): Promise<z.output<z.ZodObject<typeof tokenFields>> | null> {
  if (next === undefined) return null;
  const signed = await accounts.tokens().sign(session);
  return { accessToken: signed, expiresIn: ACCESS_SECONDS, refreshToken: next };
}

/** Who they are and their session, with its cookies or tokens. */
export async function welcome(
  accounts: Accounts,
  status: 200 | 201,
  { user, ...begun }: { user: User } & Begun,
  more: Record<string, unknown> = {},
): Promise<Reply> {
  const { session, cookies } = begun;
  const reader = personCaller(accounts.db, user, session);
  const parts = { vault: accounts.vault(), sites: accounts.sites };
  const shown = await inAccounts(accounts.db, (tx) => showUser(tx, parts, user, reader));
  const tokens = await tokensOf(accounts, begun);
  const body = { user: shown, session: showSession(session, session.sessionId), ...tokens, ...more };
  return new Reply(status, body, { 'Set-Cookie': cookies, 'Cache-Control': 'no-store' });
}
