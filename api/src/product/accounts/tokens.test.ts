// Programs that sign in as a person: short signed tokens, refresh tokens that are good once, and what ends them.
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { after, before, test } from 'node:test';
import { addTotp, newOwner, OWN_PAGE, type SignedIn, trySignIn } from '../../../test/people.ts';
import { ACCOUNT_KEYS, type Answer, call, startServer, type TestServer } from '../../../test/server.ts';
import { readKeyring } from './keyring.ts';
import { makeTokens } from './tokens.ts';

const ADA = 'ada@people.example';
const PASSWORD = 'rye, oats and a spoon';
const PUBLIC_URL = 'https://marketing.example';
let server: TestServer;
let ada: SignedIn;
before(async () => {
  server = await startServer({ PUBLIC_URL });
  ada = await newOwner(server, ADA, PASSWORD);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const me = (token: string, more: Record<string, string> = {}) =>
  call(`${server.url}/v1/users/me`, 'GET', undefined, { ...bearer(token), ...more });
const refresh = (refreshToken: string) => call(`${server.url}/v1/auth/refresh`, 'POST', { refreshToken });
/** As a program does it: no browser's headers. */
async function program(): Promise<{ access: string; refreshed: string; sessionId: string; answer: Answer }> {
  const answer = await trySignIn(server, ADA, PASSWORD, { as: 'token' }, {});
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  const { accessToken, refreshToken, session } = answer.body;
  return { access: accessToken, refreshed: refreshToken, sessionId: session.sessionId, answer };
}
const partsOf = (token: string) => token.split('.') as [string, string, string];
const json = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
const packed = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

test('a program signs in for tokens and no session cookie, and acts as its person without a page of ours', async () => {
  const { access, answer } = await program();
  assert.equal(answer.body.expiresIn, 600);
  assert.ok(!answer.headers.getSetCookie().some((line) => line.includes('session')));
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  const [header, claims] = partsOf(access).slice(0, 2).map(json);
  assert.deepEqual([header.alg, header.typ], ['EdDSA', 'at+jwt']);
  assert.deepEqual(Object.keys(claims).sort(), ['aud', 'exp', 'iat', 'iss', 'sid', 'sub']);
  assert.deepEqual([claims.iss, claims.aud, claims.exp - claims.iat], [PUBLIC_URL, 'marketing-api', 600]);
  assert.ok(!access.includes(Buffer.from(ADA).toString('base64url').slice(0, 12)), 'no address in it');
  const looked = await me(access);
  assert.deepEqual([looked.status, looked.body.user.userId], [200, ada.userId]);
  assert.equal((await call(`${server.url}/v1/sites`, 'GET', undefined, bearer(access))).status, 200);
  const { sessions } = (await call(`${server.url}/v1/users/me/sessions`, 'GET', undefined, ada.headers)).body;
  assert.deepEqual(
    new Set(sessions.map(({ kind }: { kind: string }) => kind)),
    new Set(['browser', 'token']),
  );
});

test('a token is refused when any part of it is another one’s, unsigned, late, or signed by somebody else', async () => {
  const { access } = await program();
  const [header, payload, signature] = partsOf(access);
  const stranger = generateKeyPairSync('ed25519');
  const signed = (head: object, body: object, key = stranger.privateKey) => {
    const text = `${packed(head)}.${packed(body)}`;
    return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`;
  };
  const claims = json(payload);
  const head = json(header);
  const [, , other] = partsOf((await program()).access);
  const forged = [
    `${header}.${payload}.${other}`,
    `${header}.${packed({ ...claims, exp: claims.exp + 1 })}.${signature}`,
    `${header}.${packed({ ...claims, sub: ada.userId.replace(/^./, 'f') })}.${signature}`,
    `${packed({ ...head, alg: 'none' })}.${payload}.${signature}`,
    `${packed({ ...head, alg: 'none' })}.${payload}.AA`,
    `${packed({ ...head, alg: 'HS256' })}.${payload}.${signature}`,
    `${packed({ ...head, typ: 'JWT' })}.${payload}.${signature}`,
    `${packed({ ...head, kid: 'unknown' })}.${payload}.${signature}`,
    signed(head, claims),
    signed({ ...head, jwk: stranger.publicKey.export({ format: 'jwk' }) }, claims),
    `${header}.${payload}.`,
    'a.b.c',
    access.slice(0, -4),
  ];
  for (const token of forged) {
    const { status, body } = await me(token);
    assert.deepEqual([status, body.error], [401, 'unauthorized'], token);
  }
  assert.equal((await me(access)).status, 200, 'the real one goes on');
});

test('a token of another installation, another purpose or another time opens nothing, and a rotated keyring still reads it', async (t) => {
  const { sessionId } = await program();
  const named = { userId: ada.userId, sessionId };
  const keyring = readKeyring(ACCOUNT_KEYS);
  const elsewhere = makeTokens(keyring, 'https://elsewhere.example');
  assert.equal((await me(await elsewhere.sign(named))).status, 401);
  const ours = makeTokens(keyring, PUBLIC_URL);
  const good = await ours.sign(named);
  assert.deepEqual(await ours.read(good), named);
  const rotated = makeTokens(readKeyring(`wrap:${'y'.repeat(40)},${ACCOUNT_KEYS}`), PUBLIC_URL);
  assert.deepEqual(await rotated.read(good), named);
  assert.equal(await ours.read(await rotated.sign(named)), null);
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 601_000 });
  assert.equal(await ours.read(good), null);
});

test('a refresh gives the next tokens, and one that comes again ends the session for whoever has it', async () => {
  const { access, refreshed, sessionId } = await program();
  const next = await refresh(refreshed);
  assert.equal(next.status, 200, JSON.stringify(next.body));
  assert.notEqual(next.body.refreshToken, refreshed);
  assert.equal((await me(next.body.accessToken)).status, 200);
  const again = await refresh(next.body.refreshToken);
  assert.equal(again.status, 200);
  const stolen = await refresh(refreshed);
  assert.deepEqual([stolen.status, stolen.body.error], [401, 'unauthorized']);
  assert.equal((await refresh(again.body.refreshToken)).status, 401, 'the family is at its end');
  for (const token of [access, next.body.accessToken, again.body.accessToken])
    assert.equal((await me(token)).status, 401, 'and so is every access token of it');
  assert.deepEqual(await rows('select from user_sessions where session_id = $1', [sessionId]), []);
  const [event] = await rows('select kind, outcome, user_id from auth_events order by event_id desc limit 1');
  assert.deepEqual(event, { kind: 'token_reused', outcome: 'failed', user_id: ada.userId });
});

test('of twenty who refresh with one token at once one gets the next, and the session ends', async () => {
  const { refreshed, sessionId } = await program();
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshed)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(401)]);
  assert.deepEqual(await rows('select from user_sessions where session_id = $1', [sessionId]), []);
});

test('a refresh token is no cookie and no access token, a cookie is no refresh token, and a made-up one ends nothing', async () => {
  const { access, refreshed } = await program();
  const asCookie = { cookie: `__Host-session=${refreshed}`, ...OWN_PAGE };
  assert.equal((await call(`${server.url}/v1/users/me`, 'GET', undefined, asCookie)).status, 401);
  assert.equal((await me(refreshed)).status, 401);
  const cookie = /__Host-session=([\w-]{43})/.exec(ada.headers.cookie!)![1]!;
  assert.equal((await refresh(cookie)).status, 401);
  assert.equal((await refresh(randomBytes(32).toString('base64url'))).status, 401);
  assert.equal((await refresh('short')).status, 400);
  assert.equal((await me(access)).status, 200);
  assert.equal((await call(`${server.url}/v1/users/me`, 'GET', undefined, ada.headers)).status, 200);
  const foreign = { 'sec-fetch-site': 'cross-site' };
  const sent = await call(`${server.url}/v1/auth/refresh`, 'POST', { refreshToken: refreshed }, foreign);
  assert.equal(sent.status, 403, 'no page of another origin renews it');
  const [row] = await rows("select t::text as line from user_sessions t where kind = 'token' limit 1");
  assert.ok(!row.line.includes(refreshed));
});

test('a session that is ended, a time that is over and an account that is disabled end the tokens at once', async () => {
  const out = await program();
  const left = await call(`${server.url}/v1/auth/logout`, 'POST', undefined, bearer(out.access));
  assert.equal(left.status, 200);
  assert.deepEqual([(await me(out.access)).status, (await refresh(out.refreshed)).status], [401, 401]);
  const ended = await program();
  const path = `/v1/users/me/sessions/${ended.sessionId}`;
  assert.equal((await call(server.url + path, 'DELETE', undefined, ada.headers)).status, 200);
  assert.equal((await me(ended.access)).status, 401);
  const late = await program();
  await rows("update user_sessions set expires_at = now() - interval '1 second' where session_id = $1", [
    late.sessionId,
  ]);
  assert.deepEqual([(await me(late.access)).status, (await refresh(late.refreshed)).status], [401, 401]);
  const shut = await program();
  await rows('update users set disabled_at = now() where user_id = $1', [ada.userId]);
  assert.deepEqual([(await me(shut.access)).status, (await refresh(shut.refreshed)).status], [401, 401]);
  await rows('update users set disabled_at = null where user_id = $1', [ada.userId]);
});

test('a program proves again who it is as a person does, and gets other tokens for it', async () => {
  const { access, refreshed, sessionId } = await program();
  await rows("update user_sessions set proved_at = now() - interval '11 minutes' where session_id = $1", [
    sessionId,
  ]);
  const invite = (token: string) =>
    call(`${server.url}/v1/invitations`, 'POST', { role: 'viewer' }, bearer(token));
  assert.equal((await invite(access)).body.error, 'proof_required');
  const proved = await call(`${server.url}/v1/auth/prove`, 'POST', { password: PASSWORD }, bearer(access));
  assert.equal(proved.status, 200, JSON.stringify(proved.body));
  assert.equal((await invite(proved.body.accessToken)).status, 201);
  assert.equal((await refresh(proved.body.refreshToken)).status, 200);
  assert.equal((await refresh(refreshed)).status, 401, 'the one from before is used up');
});

test('a program needs the second factor too', async () => {
  const email = 'factored@people.example';
  await addTotp(server, await newOwner(server, email, PASSWORD));
  const lacking = await trySignIn(server, email, PASSWORD, { as: 'token' }, {});
  assert.deepEqual([lacking.status, lacking.body.error], [403, 'second_factor_required']);
});
