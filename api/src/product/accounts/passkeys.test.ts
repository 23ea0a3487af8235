// Passkeys: making, using, naming and removing them, and that a device which says one thing wrong opens nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Authenticator, makeAuthenticator, type Says } from '../../../test/authenticator.ts';
import {
  addPasskey,
  addTotp,
  atOnce,
  cookiesOf,
  newOwner,
  OWN_PAGE,
  passkeyOptions,
  type SignedIn,
  trySignIn,
} from '../../../test/people.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { makeChallenges } from './challenges.ts';
import { resetFromMachine } from './machine.ts';

const ORIGIN = 'https://marketing.example';
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
before(async () => {
  server = await startServer({ PUBLIC_URL: ORIGIN });
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const post = (path: string, body: unknown, headers: Record<string, string> = OWN_PAGE) =>
  call(`${server.url}${path}`, 'POST', body, headers);
let made = 0;
async function somebody(): Promise<SignedIn & { email: string; device: Authenticator }> {
  made += 1;
  const email = `owner-${made}@people.example`;
  return { email, device: makeAuthenticator(ORIGIN), ...(await newOwner(server, email, PASSWORD)) };
}
async function withPasskey() {
  const who = await somebody();
  return { ...who, ...(await addPasskey(server, who, who.device)) };
}
const signIn = async (device: Authenticator, says: Says = {}, more: Record<string, unknown> = {}) =>
  post('/v1/auth/passkey', { response: device.use(await passkeyOptions(server), says), ...more });

test('a passkey signs in by itself, without an address, and is both factors', async () => {
  const who = await withPasskey();
  const answer = await signIn(who.device);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(
    [answer.body.user.userId, answer.body.user.secondFactor, answer.body.user.secondFactorDue],
    [who.userId, true, null],
  );
  assert.match(answer.headers.getSetCookie()[0]!, /^__Host-session=/);
  const program = await signIn(who.device, {}, { as: 'token' });
  assert.equal(program.body.expiresIn, 600);
  const events = await rows("select outcome from auth_events where user_id = $1 and method = 'passkey'", [
    who.userId,
  ]);
  assert.deepEqual(events, [{ outcome: 'done' }, { outcome: 'done' }]);
});

test('with a passkey the password alone opens nothing; a recovery code helps who lost the device', async () => {
  const who = await withPasskey();
  assert.equal(who.recoveryCodes!.length, 10);
  const lacking = await trySignIn(server, who.email, PASSWORD);
  assert.deepEqual([lacking.status, lacking.body.error], [403, 'second_factor_required']);
  const [recoveryCode] = who.recoveryCodes!;
  assert.equal((await trySignIn(server, who.email, PASSWORD, { recoveryCode })).status, 200);
  const second = await addPasskey(server, who, makeAuthenticator(ORIGIN), 'A ring');
  assert.equal(second.recoveryCodes, null, 'those from before still count');
});

test('an owner whose week is over gets in again with a passkey', async () => {
  const who = await somebody();
  await rows("update users set strong_since = now() - interval '8 days' where user_id = $1", [who.userId]);
  const sites = () => call(`${server.url}/v1/sites`, 'GET', undefined, who.headers);
  assert.equal((await sites()).body.error, 'second_factor_required');
  await addPasskey(server, who, who.device);
  assert.equal((await sites()).status, 200);
});

const FALSE: Record<string, Says> = {
  'another challenge': { challenge: Buffer.alloc(56, 7).toString('base64url') },
  'no challenge': { challenge: '' },
  'a sibling’s origin': { origin: 'https://www.marketing.example' },
  'another scheme': { origin: 'http://marketing.example' },
  'another port': { origin: 'https://marketing.example:8443' },
  'another name than ours': { rpId: 'evil.example' },
  'the name of the domain above': { rpId: 'example' },
  'nobody was there': { flags: 4 },
  'nobody was verified': { flags: 1 },
  'a counter that went back': { counter: 1 },
  'a counter that was the same': { counter: 2 },
  'another type': { type: 'webauthn.create' },
  'a signature of nothing': { signature: Buffer.alloc(70, 1).toString('base64url') },
  'no key of ours': { id: Buffer.alloc(32, 9).toString('base64url') },
  'another account': { userHandle: Buffer.alloc(16, 1).toString('base64url') },
};

test('a device that says one thing wrong, and signs it rightly, gets in nowhere', async () => {
  const who = await withPasskey();
  for (let i = 0; i < 2; i += 1) assert.equal((await signIn(who.device)).status, 200);
  for (const [what, says] of Object.entries(FALSE)) {
    const { status, body, headers } = await signIn(who.device, says);
    assert.deepEqual([status, body.error], [401, 'unauthorized'], what);
    assert.deepEqual(headers.getSetCookie(), [], what);
  }
  assert.equal((await signIn(who.device)).status, 200, 'and the real one goes on');
  const failed = await rows(
    "select user_id from auth_events where outcome = 'failed' and kind = 'sign_in' and method = 'passkey'",
  );
  assert.equal(failed.length, Object.keys(FALSE).length);
});

test('each byte of what is signed, and of the signature, counts', async () => {
  const who = await withPasskey();
  for (const field of ['clientDataJSON', 'authenticatorData', 'signature'] as const)
    for (const at of [0, 7, 33, -3]) {
      const response = who.device.use(await passkeyOptions(server)) as {
        response: Record<string, string>;
      };
      const bytes = Buffer.from(response.response[field]!, 'base64url');
      const index = at < 0 ? bytes.length + at : at;
      bytes[index] = bytes[index]! ^ 1;
      response.response[field] = bytes.toString('base64url');
      assert.equal((await post('/v1/auth/passkey', { response })).status, 401, `${field} at ${at}`);
    }
});

test('what was signed once opens nothing again, also of twenty at once, and not after five minutes', async () => {
  const who = await withPasskey();
  const quiet = makeAuthenticator(ORIGIN, false); // says no counter, so the challenge alone tells a replay
  await addPasskey(server, who, quiet);
  const response = quiet.use(await passkeyOptions(server));
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('/v1/auth/passkey', { response })));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(401)]);
  assert.equal((await post('/v1/auth/passkey', { response })).status, 401);
});

test('a challenge is good for its purpose, five minutes, once, in the process that made it', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 });
  const challenges = makeChallenges();
  const one = challenges.make('get');
  assert.ok(challenges.isGood(one, 'get'));
  assert.ok(!challenges.isGood(one, 'create somebody'));
  assert.ok(!makeChallenges().isGood(one, 'get'));
  for (const odd of ['', 'x', one.slice(1), `${one}AA`, one.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))])
    assert.ok(!challenges.isGood(odd, 'get'), odd);
  assert.ok(challenges.useUp(one));
  assert.ok(!challenges.useUp(one) && !challenges.isGood(one, 'get'));
  const late = challenges.make('get');
  t.mock.timers.tick(300_001);
  assert.ok(!challenges.isGood(late, 'get'));
});

test('a passkey is made for who asked, for this origin, once, and is nobody’s twice', async () => {
  const who = await somebody();
  const other = await somebody();
  const options = async () =>
    (await post('/v1/users/me/passkeys/options', undefined, who.headers)).body.options;
  const asked = await options();
  assert.equal(asked.rp.id, 'marketing.example');
  assert.equal(asked.authenticatorSelection.userVerification, 'required');
  const add = (response: object, headers = who.headers) =>
    post('/v1/users/me/passkeys', { name: 'x', response }, headers);
  for (const [what, says] of Object.entries(FALSE)) {
    if (/counter|signature|account|key/.test(what)) continue;
    const wrong = says.type ? { type: 'webauthn.get' } : { ...says };
    if (wrong.flags !== undefined) wrong.flags |= 64;
    const { status, body } = await add(who.device.create(await options(), wrong));
    assert.deepEqual([status, body.issues?.[0].path], [400, 'response'], what);
  }
  assert.equal((await add(other.device.create(asked), other.headers)).status, 400, 'another one’s options');
  const request = await passkeyOptions(server);
  const signInAsked = who.device.create({ ...asked, challenge: request.challenge });
  assert.equal((await add(signInAsked)).status, 400, 'a challenge for signing in');
  const good = who.device.create(asked);
  assert.equal((await add(good)).status, 201);
  assert.equal((await add(good)).status, 400, 'the challenge is used up');
  assert.equal((await add(who.device.create(await options()))).status, 409, 'it is here already');
  const theirs = (await post('/v1/users/me/passkeys/options', undefined, other.headers)).body.options;
  assert.equal((await add(who.device.create(theirs), other.headers)).status, 409);
  assert.deepEqual((await options()).excludeCredentials[0].id, who.device.id);
});

test('what a device made once is taken once, also of twenty at once', async () => {
  const who = await somebody();
  const { options } = (await post('/v1/users/me/passkeys/options', undefined, who.headers)).body;
  const given = { name: 'x', response: who.device.create(options) };
  const answers = await atOnce(20, () => post('/v1/users/me/passkeys', given, who.headers));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(19).fill(400)]);
  assert.equal((await rows('select from passkeys where user_id = $1', [who.userId])).length, 1);
});

test('passkeys are listed, named and removed by their own person only, after a fresh proof', async () => {
  const who = await withPasskey();
  const other = await withPasskey();
  const at = `${server.url}/v1/users/me/passkeys`;
  const list = async (by: SignedIn) => (await call(at, 'GET', undefined, by.headers)).body.passkeys;
  const renamed = await call(`${at}/${who.passkeyId}`, 'PATCH', { name: 'The old telephone' }, who.headers);
  assert.equal(renamed.body.passkey.name, 'The old telephone');
  assert.deepEqual(
    (await list(who)).map(({ name }: { name: string }) => name),
    ['The old telephone'],
  );
  const remove = (by: SignedIn, id: string) => call(`${at}/${id}`, 'DELETE', undefined, by.headers);
  assert.equal((await call(`${at}/${who.passkeyId}`, 'PATCH', { name: 'mine' }, other.headers)).status, 404);
  assert.equal((await remove(other, who.passkeyId)).status, 404);
  assert.equal((await list(who)).length, 1);
  await rows("update user_sessions set proved_at = now() - interval '11 minutes' where user_id = $1", [
    who.userId,
  ]);
  for (const [method, path] of [
    ['DELETE', `/${who.passkeyId}`],
    ['POST', '/options'],
  ] as const) {
    const { body } = await call(at + path, method, undefined, who.headers);
    assert.equal(body.error, 'proof_required', path);
  }
  await rows('update user_sessions set proved_at = now() where user_id = $1', [who.userId]);
  assert.equal((await remove(who, who.passkeyId)).status, 200);
  assert.equal((await signIn(who.device)).status, 401);
  assert.equal((await trySignIn(server, who.email, PASSWORD)).status, 200, 'the password alone again');
  assert.deepEqual(await rows('select from user_factors where user_id = $1', [who.userId]), []);
});

test('a proof by one’s own passkey opens dangerous acts, and another one’s does not', async () => {
  const who = await withPasskey();
  const other = await withPasskey();
  await rows("update user_sessions set proved_at = now() - interval '11 minutes' where user_id = $1", [
    who.userId,
  ]);
  const invite = (headers: Record<string, string>) => post('/v1/invitations', { role: 'viewer' }, headers);
  assert.equal((await invite(who.headers)).body.error, 'proof_required');
  const byPassword = await post('/v1/auth/prove', { password: PASSWORD }, who.headers);
  assert.equal(byPassword.body.error, 'second_factor_required');
  const prove = async (device: Authenticator) =>
    post('/v1/auth/prove/passkey', { response: device.use(await passkeyOptions(server)) }, who.headers);
  assert.deepEqual((await prove(other.device)).body.error, 'forbidden');
  const proved = await prove(who.device);
  assert.equal(proved.status, 200, JSON.stringify(proved.body));
  const headers = { ...who.headers, cookie: cookiesOf(proved, who.headers.cookie) };
  assert.equal((await invite(headers)).status, 201);
});

test('wrong passwords of others lock no passkey and no known browser out, a forged one gets in nowhere, and an account that is shut out stays out', async () => {
  const who = await withPasskey();
  const own = await startServer({ PUBLIC_URL: ORIGIN, RATE_LIMITS: 'on' }, undefined);
  try {
    const device = makeAuthenticator(ORIGIN);
    const ida = await newOwner(own, 'ida@people.example', PASSWORD);
    const { recoveryCodes } = await addPasskey(own, ida, device);
    for (let i = 0; i < 6; i += 1) await trySignIn(own, 'ida@people.example', 'not it, not at all');
    assert.equal((await trySignIn(own, 'ida@people.example', PASSWORD)).status, 429);
    const deviceOf = ({ headers }: SignedIn) => /__Host-device=[^;]+/.exec(headers.cookie!)![0];
    const from = (cookie: string) =>
      trySignIn(
        own,
        'ida@people.example',
        PASSWORD,
        { recoveryCode: recoveryCodes![0] },
        { ...OWN_PAGE, cookie },
      );
    const hers = deviceOf(ida);
    const other = deviceOf(await newOwner(own, 'jon@people.example', PASSWORD));
    const forged = hers.replace(/.(.{8})$/, (_, rest) => `${hers.at(-9) === 'A' ? 'B' : 'A'}${rest}`);
    const renamed = hers.replace(/=(.)/, (_, one) => `=${one === 'A' ? 'B' : 'A'}`);
    for (const cookie of [forged, renamed, other, '__Host-device=', `${hers.split('.')[0]}.`])
      assert.equal((await from(cookie)).status, 429, `a browser that was never here: ${cookie}`);
    assert.equal((await from(hers)).status, 200, 'her own browser is not locked out');
    const response = device.use(await passkeyOptions(own));
    assert.equal((await call(`${own.url}/v1/auth/passkey`, 'POST', { response }, OWN_PAGE)).status, 200);
  } finally {
    await own.end();
  }
  await rows('update users set disabled_at = now() where user_id = $1', [who.userId]);
  assert.equal((await signIn(who.device)).status, 401);
});

test('the machine lets in again who lost every factor, and no page of another origin signs anybody in', async () => {
  const who = await withPasskey();
  await addTotp(server, who);
  const foreign = { 'sec-fetch-site': 'same-site' };
  assert.equal((await post('/v1/auth/passkey/options', undefined, foreign)).status, 403);
  const response = who.device.use(await passkeyOptions(server));
  assert.equal((await post('/v1/auth/passkey', { response }, foreign)).status, 403);
  const { db, accounts } = server.services;
  await resetFromMachine(db, accounts.vault(), who.email, undefined, true);
  assert.equal((await signIn(who.device)).status, 401);
  assert.equal((await trySignIn(server, who.email, PASSWORD)).status, 200);
});

test('odd answers of a device are refused in words', async () => {
  const who = await withPasskey();
  const good = who.device.use(await passkeyOptions(server)) as Record<string, unknown>;
  for (const response of [
    {},
    { ...good, id: 'not base64url!' },
    { ...good, type: 'password' },
    { ...good, response: {} },
    { ...good, response: { ...(good.response as object), clientDataJSON: 'x'.repeat(5000) } },
  ]) {
    const { status, body } = await post('/v1/auth/passkey', { response });
    assert.deepEqual([status, body.error], [400, 'invalid_request']);
  }
  for (const [field, value] of [
    ['clientDataJSON', 'AAAA'],
    ['authenticatorData', 'AAAA'],
    ['clientDataJSON', Buffer.from('{"challenge":7}').toString('base64url')],
    ['clientDataJSON', Buffer.from('null').toString('base64url')],
  ] as const) {
    const response = { ...good, response: { ...(good.response as object), [field]: value } };
    assert.equal((await post('/v1/auth/passkey', { response })).status, 401, field);
  }
});
