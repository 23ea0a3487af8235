// A real provider of OpenID Connect on loopback, in which whoever asks is at once who the test says.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

export interface Account {
  sub: string;
  email?: string;
  emailVerified?: boolean;
  name?: string;
  groups?: string[];
  amr?: string[];
  /** How long ago they proved it there. */
  secondsAgo?: number;
}

export interface TestProvider {
  issuer: string;
  /** Who signs in there from now on; null: nobody does. */
  is: Account | null;
  /** What it was asked, the newest last. */
  asked: URLSearchParams[];
  /** Follows its pages as a browser does. returns  where it sends the browser back to */
  visit(url: string): Promise<URL>;
  close(): void;
}

export async function startProvider(redirectUri: string): Promise<TestProvider> {
  let handle: RequestListener = () => {};
  const server = createServer((request, response) => handle(request, response));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const accounts = new Map<string, Account>();
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'marketing',
        client_secret: 'a secret of the tests',
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    claims: {
      amr: null,
      auth_time: null,
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name'],
      groups: ['groups'],
    },
    cookies: { keys: ['cookies of the tests'] },
    features: { devInteractions: { enabled: false }, claimsParameter: { enabled: true } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => {
        const { email, emailVerified, name, groups } = accounts.get(sub)!;
        return {
          sub,
          ...(email ? { email, email_verified: emailVerified } : {}),
          ...(name ? { name } : {}),
          ...(groups ? { groups } : {}),
        };
      },
    }),
    async loadExistingGrant(ctx) {
      const { session, client } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({
        clientId: client!.clientId,
        accountId: session!.accountId!,
      });
      grant.addOIDCScope('openid email profile groups');
      grant.addOIDCClaims(['auth_time', 'amr', 'email', 'email_verified', 'name', 'groups']);
      await grant.save();
      return grant;
    },
  });
  const made: TestProvider = {
    issuer,
    is: null,
    asked: [],
    async visit(url) {
      const jar = new Map<string, string>();
      let at = new URL(url);
      for (let i = 0; i < 10 && at.origin === issuer; i += 1) {
        const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
        const answer = await fetch(at, { redirect: 'manual', headers: { cookie } });
        for (const line of answer.headers.getSetCookie()) {
          const [name, value] = line.split(';')[0]!.split('=') as [string, string];
          jar.set(name, value);
        }
        const to = answer.headers.get('location');
        if (!to) throw new Error(`${at} answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
        at = new URL(to, at);
      }
      return at;
    },
    close: () => void server.close(),
  };
  provider.use(async (ctx, next) => {
    if (ctx.path === '/auth') made.asked.push(new URLSearchParams(ctx.querystring));
    if (!ctx.path.startsWith('/interaction/')) return next();
    const { is } = made;
    if (is) accounts.set(is.sub, is);
    const at = Math.floor(Date.now() / 1000) - (is?.secondsAgo ?? 0);
    await provider.interactionFinished(
      ctx.req,
      ctx.res,
      is
        ? { login: { accountId: is.sub, ts: at, ...(is.amr ? { amr: is.amr } : {}) } }
        : { error: 'access_denied', error_description: 'nobody is there' },
    );
    ctx.respond = false;
  });
  handle = provider.callback() as RequestListener;
  return made;
}
