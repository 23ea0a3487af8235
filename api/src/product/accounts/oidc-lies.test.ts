// What a provider of sign-ins says is believed only where each claim of its token is right: one that lies, on loopback.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { cookiesOf, OWN_PAGE } from '../../../test/people.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';

const PUBLIC_URL = 'https://marketing.example';
const CLIENT = 'marketing';
const SECRET = 'a secret of the tests, long enough for a key';
const keys = await generateKeyPair('RS256');
const others = await generateKeyPair('RS256');
const now = () => Math.floor(Date.now() / 1000);

let server: TestServer;
let provider: Server;
let issuer: string;
/** What the next token is made of. */
let make: (right: JWTPayload) => Promise<string> | string;
let right: JWTPayload;
before(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  provider = createServer(async (request, response) => {
    const path = new URL(request.url!, issuer).pathname;
    const say = (body: object) =>
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    if (path === '/.well-known/openid-configuration')
      return say({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      });
    if (path === '/jwks') return say({ keys: [jwk] });
    return say({ access_token: 'x', token_type: 'Bearer', expires_in: 60, id_token: await make(right) });
  });
  await new Promise<void>((done) => provider.listen(0, '127.0.0.1', done));
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  server = await startServer({
    PUBLIC_URL,
    OIDC_ISSUER: issuer,
    OIDC_CLIENT_ID: CLIENT,
    OIDC_CLIENT_SECRET: SECRET,
  });
});
after(async () => {
  await server?.end();
  provider?.close();
});

const signed = (claims: JWTPayload, key = keys.privateKey, header: object = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);
const without = (name: string) => (claims: JWTPayload) => {
  const { [name]: _, ...rest } = claims;
  return signed(rest);
};
const with_ = (changes: JWTPayload) => (claims: JWTPayload) => signed({ ...claims, ...changes });

/** returns  where the browser ends: `forbidden` for a stranger who was believed, `unauthorized` for one who was not */
async function round(fresh = false): Promise<string> {
  const begun = await call(`${server.url}/v1/auth/oidc`, 'POST', { fresh }, OWN_PAGE);
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const asked = new URL(begun.body.url).searchParams;
  right = {
    iss: issuer,
    aud: CLIENT,
    sub: 'somebody',
    nonce: asked.get('nonce')!,
    iat: now(),
    exp: now() + 300,
    auth_time: now(),
    email: 'somebody@people.example',
    email_verified: true,
  };
  const query = new URLSearchParams({ code: 'a-code', state: asked.get('state')! });
  const back = await call(`${server.url}/v1/auth/oidc/callback?${query}`, 'GET', undefined, {
    cookie: cookiesOf(begun),
  });
  assert.equal(back.status, 303);
  assert.ok(!back.headers.getSetCookie().some((line) => line.startsWith('__Host-session=')));
  return back.headers.get('location')!.split('/').at(-1)!;
}

const LIES: Record<string, (claims: JWTPayload) => Promise<string> | string> = {
  'the signature of another key': (claims) => signed(claims, others.privateKey),
  'a key that the provider has not': (claims) => signed(claims, others.privateKey, { kid: 'two' }),
  'no signature': (claims) => new UnsecuredJWT(claims).encode(),
  'a signature by the secret of the client': (claims) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(SECRET)),
  'a signature that was cut': async (claims) => (await signed(claims)).slice(0, -10),
  'claims that were changed after they were signed': async (claims) => {
    const [head, , tail] = (await signed(claims)).split('.');
    return [head, Buffer.from(JSON.stringify({ ...claims, sub: 'other' })).toString('base64url'), tail].join(
      '.',
    );
  },
  'another issuer': with_({ iss: 'https://evil.example' }),
  'no issuer': without('iss'),
  'another audience': with_({ aud: 'another-client' }),
  'no audience': without('aud'),
  'two audiences, and another one’s token': with_({ aud: [CLIENT, 'another-client'], azp: 'another-client' }),
  'another nonce': with_({ nonce: 'x'.repeat(43) }),
  'no nonce': without('nonce'),
  'a time that is over': with_({ iat: now() - 7200, exp: now() - 3600 }),
  'no end': without('exp'),
  'no moment of issue': without('iat'),
  nobody: without('sub'),
  'no token at all': () => 'not.a.token',
};

test('a stranger whose token is right is believed, and let in nowhere', async () => {
  make = signed;
  assert.equal(await round(), 'forbidden');
});

for (const [what, lie] of Object.entries(LIES))
  test(`a token is not believed with ${what}`, async () => {
    make = lie;
    assert.equal(await round(), 'unauthorized');
    make = signed;
    assert.equal(await round(), 'forbidden', 'and the next one is');
  });

test('who must prove it anew is not believed with a sign-in of an hour ago, or of no time', async () => {
  for (const lie of [with_({ auth_time: now() - 3600 }), without('auth_time')]) {
    make = lie;
    assert.equal(await round(true), 'unauthorized');
    assert.equal(await round(false), 'forbidden', 'where nothing fresh was asked for, it is');
  }
});
