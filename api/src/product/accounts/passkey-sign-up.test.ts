// Joining by a passkey in the place of a password: for the first owner and the invited, for one link, and with nothing wrong.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Authenticator, makeAuthenticator, type Says } from '../../../test/authenticator.ts';
import {
  OWN_PAGE,
  passkeyOptions,
  type SignedIn,
  setupToken,
  signedIn,
  trySignIn,
} from '../../../test/people.ts';
import { type Answer, admin, call, startServer, type TestServer } from '../../../test/server.ts';

const ORIGIN = 'https://marketing.example';
let server: TestServer;
before(async () => {
  server = await startServer({ PUBLIC_URL: ORIGIN });
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const users = async (): Promise<number> => (await rows('select count(*)::int as n from users'))[0].n;
const post = (path: string, body?: unknown, headers: Record<string, string> = OWN_PAGE) =>
  call(`${server.url}${path}`, 'POST', body, headers);
async function invited(more: Record<string, unknown> = {}): Promise<string> {
  const { body } = await post('/v1/invitations', { role: 'admin', sites: ['default'], ...more }, admin);
  return body.link.split('/').at(-1);
}

interface Joining {
  inviteToken: string;
  email?: string;
}
const fullName = 'Ada';
const begin = (who: Joining) => post('/v1/auth/signup/options', { ...who, fullName });
const finish = (who: Joining, userHandle: string, response: object, more: Record<string, unknown> = {}) =>
  post('/v1/auth/signup', {
    ...who,
    fullName,
    passkey: { name: 'A telephone', userHandle, response },
    ...more,
  });
async function join(who: Joining, device: Authenticator, says: Says = {}): Promise<Answer> {
  const { options } = (await begin(who)).body;
  return finish(who, options.user.id, device.create(options, says));
}
const signIn = async (device: Authenticator) =>
  post('/v1/auth/passkey', { response: device.use(await passkeyOptions(server)) });
const outcome = ({ status, body }: Answer) => [status, body.error];

test('the first owner and the invited join by a passkey, which is both factors, and get recovery codes', async () => {
  const links = [await setupToken(server), await invited()];
  for (const [i, inviteToken] of links.entries()) {
    const device = makeAuthenticator(ORIGIN);
    const email = `joined-${i}@people.example`;
    const joined = await join({ inviteToken, email }, device);
    assert.equal(joined.status, 201, JSON.stringify(joined.body));
    const { user, recoveryCodes } = joined.body;
    assert.deepEqual([user.email, user.secondFactor, user.secondFactorDue], [email, true, null]);
    assert.equal(new Set(recoveryCodes).size, 10);
    assert.equal((await signIn(device)).body.user.userId, user.userId);
    assert.equal((await trySignIn(server, email, 'any twelve characters')).status, 401);
    assert.equal(
      (await begin({ inviteToken, email: 'late@people.example' })).status,
      404,
      'the link is spent',
    );
    const noted = await rows('select kind, method from auth_events where user_id = $1 order by event_id', [
      user.userId,
    ]);
    assert.deepEqual(
      noted.slice(0, 3).map(({ kind, method }) => `${kind} ${method}`),
      [`sign_up ${i === 0 ? 'setup' : 'invitation'}`, 'passkey_added null', 'sign_in passkey'],
    );
  }
});

test('a device that says one thing wrong makes no account, and the link stays good', async () => {
  const who = { inviteToken: await invited(), email: 'wrong@people.example' };
  const other = { inviteToken: await invited(), email: 'other@people.example' };
  const before = await users();
  const wrongs: Record<string, Says> = {
    type: { type: 'webauthn.get' },
    'a challenge of nobody’s': { challenge: Buffer.alloc(56).toString('base64url') },
    'a challenge for another link': { challenge: (await begin(other)).body.options.challenge },
    'a challenge for signing in': { challenge: (await passkeyOptions(server)).challenge },
    'the page of a sibling': { origin: 'https://www.marketing.example' },
    'another name': { rpId: 'example.com' },
    'nobody was there': { flags: 4 | 64 },
    'nobody was verified': { flags: 1 | 64 },
    'no key follows': { flags: 1 | 4 },
    'another credential': { id: Buffer.alloc(32).toString('base64url') },
  };
  for (const [what, says] of Object.entries(wrongs)) {
    const refused = await join(who, makeAuthenticator(ORIGIN), says);
    assert.deepEqual(outcome(refused), [400, 'invalid_request'], `${what}: ${JSON.stringify(refused.body)}`);
  }
  const [mine, theirs] = [(await begin(who)).body.options, (await begin(other)).body.options];
  const made = makeAuthenticator(ORIGIN).create(mine);
  assert.equal((await finish(who, theirs.user.id, made)).status, 400, 'another account’s handle');
  assert.equal((await finish(other, mine.user.id, made)).status, 400, 'another link');
  assert.equal(await users(), before);
  assert.equal((await finish(who, mine.user.id, made)).status, 201, 'all of it right, the same is taken');
});

test('of twenty who answer one challenge, or use one link, at once one gets in', async () => {
  const who = { inviteToken: await invited(), email: 'twenty@people.example' };
  const { options } = (await begin(who)).body;
  const response = makeAuthenticator(ORIGIN).create(options);
  const before = await users();
  const same = await Promise.all(Array.from({ length: 20 }, () => finish(who, options.user.id, response)));
  assert.equal(same.filter(({ status }) => status === 201).length, 1);
  const link = await invited();
  const many = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      join({ inviteToken: link, email: `one-of-${i}@people.example` }, makeAuthenticator(ORIGIN)),
    ),
  );
  assert.equal(many.filter(({ status }) => status === 201).length, 1);
  assert.equal(await users(), before + 2);
});

test('what would refuse the account is said before a device keeps a key for it', async () => {
  const link = await invited({ email: 'kim@people.example' });
  const refused = async (who: Joining) => outcome(await begin(who));
  assert.deepEqual(await refused({ inviteToken: 'x'.repeat(43), email: 'kim@people.example' }), [
    404,
    'not_found',
  ]);
  assert.deepEqual(await refused({ inviteToken: link, email: 'lee@people.example' }), [
    400,
    'invalid_request',
  ]);
  const named = (await begin({ inviteToken: link })).body;
  assert.ok(!JSON.stringify(named).includes('kim@'), 'whoever has the link does not learn the address');
  const taken = { inviteToken: await invited(), email: 'joined-0@people.example' };
  assert.deepEqual(await refused(taken), [409, 'conflict']);
  const foreign = { 'sec-fetch-site': 'same-site' };
  const theirs = await post('/v1/auth/signup/options', { inviteToken: link, fullName }, foreign);
  assert.deepEqual(outcome(theirs), [403, 'origin_not_allowed']);
});

test('one joins by a password or by a passkey, not by neither and not by both', async () => {
  const who = { inviteToken: await invited(), email: 'both@people.example' };
  const neither = await post('/v1/auth/signup', { ...who, fullName });
  assert.deepEqual([neither.status, neither.body.issues[0].path], [400, 'password']);
  const { options } = (await begin(who)).body;
  const response = makeAuthenticator(ORIGIN).create(options);
  const both = await finish(who, options.user.id, response, { password: 'rye, oats and a spoon' });
  assert.deepEqual([both.status, both.body.issues[0].path], [400, 'password']);
  const known = await post('/v1/auth/signup', { ...who, fullName, password: 'rye, oats and a spoon' });
  assert.equal(known.status, 201);
});

test('the last passkey of who has no password stays until something else signs them in', async () => {
  const device = makeAuthenticator(ORIGIN);
  const joined = await join({ inviteToken: await invited(), email: 'alone@people.example' }, device);
  const me: SignedIn = signedIn(joined);
  const [{ id }] = await rows('select passkey_id as id from passkeys where user_id = $1', [me.userId]);
  const url = `${server.url}/v1/users/me/passkeys/${id}`;
  assert.deepEqual(outcome(await call(url, 'DELETE', undefined, me.headers)), [409, 'conflict']);
  assert.equal((await signIn(device)).status, 200);
  const newPassword = 'rye, oats and a spoon';
  const changed = await post('/v1/users/me/password', { newPassword }, me.headers);
  assert.ok(changed.status < 300, JSON.stringify(changed.body));
  const later = signedIn(await signIn(device));
  assert.equal((await call(url, 'DELETE', undefined, later.headers)).status, 200);
  assert.equal((await trySignIn(server, 'alone@people.example', newPassword)).status, 200);
});
