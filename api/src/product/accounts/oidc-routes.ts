// Signing in through another provider: /v1/auth/oidc. What was asked stands sealed in a cookie, so that only the browser that
// began gets back in.
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { mustNotBeForeign, readCookie, writeCookie } from './cookies.ts';
import { noteAuth, noteStranger } from './events.ts';
import { deleteIdentities } from './identity-queries.ts';
import { inAccounts } from './in-accounts.ts';
import type { Asked, Claims, Oidc } from './oidc.ts';
import { linkProvider, signInByProvider, type Wanted } from './oidc-sign-in.ts';
import { findUser } from './queries.ts';
import { seal, unseal } from './seal.ts';
import { cookieHash } from './sessions.ts';
import { language, timeZone, token } from './shapes.ts';

const FLOW_SECONDS = 600;
const PLACE = 'oidc cookie';
const BEGIN_AGAIN = 'This sign-in began in another browser, too long ago, or was finished. Begin again.';

interface Flow {
  asked: Asked;
  wanted: Wanted;
  endsMs: number;
  /** The session that this browser had at the beginning, as a hash: a Strict cookie does not come back from another site. */
  instead: string | null;
  /** Which session sent the browser away to link its account; null: this is a sign-in. */
  linkTo: string | null;
}

const keyOf = (accounts: Accounts) => accounts.vault().keyring.index('oidc cookie', '');

function writeFlow(accounts: Accounts, call: Call, flow: Flow): string {
  const sealed = seal(keyOf(accounts), Buffer.from(JSON.stringify(flow)), PLACE).toString('base64url');
  return writeCookie(call, accounts.publicUrl, 'oidc', sealed, FLOW_SECONDS);
}
/** throws  unauthorized: it began in another browser, or too long ago */
function readFlow(accounts: Accounts, call: Call): Flow {
  const sealed = Buffer.from(readCookie(call, accounts.publicUrl, 'oidc'), 'base64url');
  const text = unseal(keyOf(accounts), sealed, PLACE);
  const flow = text && (JSON.parse(text.toString()) as Flow);
  if (flow && flow.endsMs > Date.now()) return flow;
  throw new AppError('unauthorized', BEGIN_AGAIN);
}

function provider({ oidc }: Accounts): Oidc {
  if (oidc) return oidc;
  throw new AppError('not_found', 'No provider signs people in here: OIDC_ISSUER is not set.');
}

/** throws  unauthorized, and says so among the events: nobody knows yet whose sign-in it was; unavailable */
async function comeBack(accounts: Accounts, call: Call): Promise<Flow & { claims: Claims }> {
  try {
    const flow = readFlow(accounts, call);
    const claims = await provider(accounts).finish(call.querystring, flow.asked);
    // a provider may take a code twice when both come at once; what was asked is answered once
    if (!accounts.challenges.useUp(flow.asked.state)) throw new AppError('unauthorized', BEGIN_AGAIN);
    return { ...flow, claims };
  } catch (error) {
    if (error instanceof AppError && error.code === 'unauthorized')
      await noteStranger(accounts, call, { kind: 'sign_in', method: 'oidc' });
    throw error;
  }
}

async function begin(
  accounts: Accounts,
  call: Call,
  { fresh, ...flow }: Pick<Flow, 'wanted' | 'linkTo'> & { fresh: boolean },
): Promise<Reply> {
  accounts.vault();
  const { url, asked } = await provider(accounts).begin(fresh);
  const instead = cookieHash(call, accounts)?.toString('base64url') ?? null;
  const cookie = writeFlow(accounts, call, {
    ...flow,
    asked,
    instead,
    endsMs: Date.now() + FLOW_SECONDS * 1000,
  });
  return new Reply(200, { url }, { 'Set-Cookie': cookie, 'Cache-Control': 'no-store' });
}

export function oidcRoutes(accounts: Accounts): Route[] {
  const anyone = { tag: 'sign-in', who: 'anyone' } as const;
  const app = `${accounts.publicUrl?.replace(/\/$/, '') ?? ''}/app/`;
  const home = `${app}#/`;
  return [
    route({
      ...anyone,
      at: 'GET /v1/auth/ways',
      id: 'listSignInWays',
      says: 'By what one can sign in here',
      answers: {
        200: z.object({
          password: z.boolean().describe('with codes as a second factor, where set up'),
          passkey: z.boolean(),
          oidc: z.string().nullable().describe('the name of the provider; null: there is none'),
        }),
      },
      run: () => ({
        password: accounts.isConfigured,
        passkey: accounts.isConfigured,
        oidc: accounts.isConfigured ? (accounts.oidc?.host ?? null) : null,
      }),
    }),
    route({
      ...anyone,
      at: 'POST /v1/auth/oidc',
      id: 'beginOidc',
      says: 'Begins a sign-in through the provider: where the browser goes',
      takes: {
        as: ['json'],
        bytesMax: 4096,
        optional: true,
        shape: z
          .object({
            inviteToken: token.optional(),
            language: language.default('en').describe('of the account that an invitation makes'),
            timeZone: timeZone.default('UTC'),
            fresh: z.boolean().default(false).describe('to prove again for dangerous acts, at the provider'),
          })
          .meta({ id: 'OidcSignIn' }),
      },
      answers: { 200: z.object({ url: z.string() }) },
      async run({ fresh, ...wanted }, call) {
        mustNotBeForeign(call, accounts.publicUrl);
        return begin(accounts, call, { wanted, fresh, linkTo: null });
      },
    }),
    route({
      ...anyone,
      at: 'GET /v1/auth/oidc/callback',
      id: 'finishOidc',
      says: 'Where the provider sends the browser back: signs in and goes on to the dashboard, with what went wrong in its address',
      answers: { 303: { says: 'to /app/' } },
      async run(_input, call) {
        const forget = writeCookie(call, accounts.publicUrl, 'oidc', '', 0);
        let page = '';
        try {
          const { claims, wanted, instead, linkTo } = await comeBack(accounts, call);
          if (linkTo) {
            page = 'account';
            await linkProvider(accounts, call, claims, linkTo);
            return away(`${app}account`, [forget]);
          }
          const hash = instead === null ? null : Buffer.from(instead, 'base64url');
          const { cookies } = await signInByProvider(accounts, call, claims, wanted, hash);
          return away(home, [forget, ...cookies]);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          call.errorCode = error.code;
          return away(`${app}${page}#/sign-in/${error.code}`, [forget]);
        }
      },
    }),
    route({
      at: 'POST /v1/users/me/oidc',
      id: 'addOidc',
      says: 'Lets the provider open one’s own account from now on, by its own name for whoever signs in there: where the browser goes',
      tag: 'users',
      who: 'person',
      proof: 'fresh',
      answers: { 200: z.object({ url: z.string() }) },
      run: (_input, call) =>
        begin(accounts, call, {
          wanted: { language: 'en', timeZone: 'UTC' },
          // the proof is the one that this route asked for: some providers (Google) give none of their own
          fresh: false,
          linkTo: call.caller.person!.sessionId,
        }),
    }),
    route({
      at: 'DELETE /v1/users/me/oidc',
      id: 'removeOidc',
      says: 'Takes the provider away from one’s own account; a password or a passkey must be left to sign in with',
      tag: 'users',
      who: 'person',
      proof: 'fresh',
      answers: { 200: z.object({ removed: z.boolean().describe('false: there was none') }) },
      async run(_input, call) {
        const { userId } = call.caller.person!;
        return inAccounts(accounts.db, async (tx) => {
          const user = (await findUser(tx, userId, true))!;
          if (user.passwordPhc === null && !user.hasPasskey)
            throw new AppError('conflict', 'Choose a password or make a passkey first.');
          const removed = await deleteIdentities(tx, userId);
          if (removed) await noteAuth(tx, { kind: 'identity_removed', userId, requestId: call.id });
          return { removed };
        });
      },
    }),
  ];
}

const away = (to: string, cookies: string[]): Reply =>
  new Reply(303, null, { Location: to, 'Set-Cookie': cookies, 'Cache-Control': 'no-store' });
