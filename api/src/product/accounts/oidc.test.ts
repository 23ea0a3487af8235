// Signing in through another provider, a real one on loopback: whom it lets in, and that nothing of the round can be another's.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startProvider, type TestProvider } from '../../../test/oidc-provider.ts';
import { addTotp, atOnce, cookiesOf, newOwner, OWN_PAGE } from '../../../test/people.ts';
import { type Answer, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { STRANGERS_PER_MINUTE } from './events.ts';

const PUBLIC_URL = 'https://marketing.example';
const CALLBACK = `${PUBLIC_URL}/v1/auth/oidc/callback`;
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
let provider: TestProvider;
before(async () => {
  provider = await startProvider(CALLBACK);
  server = await startServer({
    PUBLIC_URL,
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: 'marketing',
    OIDC_CLIENT_SECRET: 'a secret of the tests',
  });
});
after(async () => {
  await server?.end();
  provider?.close();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const begin = (
  body: Record<string, unknown> = {},
  headers: Record<string, string> = OWN_PAGE,
): Promise<Answer> => call(`${server.url}/v1/auth/oidc`, 'POST', body, headers);
/** As a browser does that a provider's page sends back: another site's navigation, with the Lax cookie alone. */
const comeBack = (query: string, cookie: string): Promise<Answer> =>
  call(`${server.url}/v1/auth/oidc/callback?${query}`, 'GET', undefined, {
    cookie,
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
  });
async function round(
  body: Record<string, unknown> = {},
  headers: Record<string, string> = OWN_PAGE,
): Promise<Answer> {
  const begun = await begin(body, headers);
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const back = await provider.visit(begun.body.url);
  assert.equal(back.origin + back.pathname, CALLBACK);
  return comeBack(back.search.slice(1), cookiesOf(begun));
}
/** As somebody who is signed in sends their browser to the provider to link their account. */
async function link(headers: Record<string, string>): Promise<Answer> {
  const begun = await call(`${server.url}/v1/users/me/oidc`, 'POST', undefined, headers);
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  return comeBack((await provider.visit(begun.body.url)).search.slice(1), cookiesOf(begun));
}
const isIn = ({ headers }: Answer) =>
  headers.getSetCookie().some((line) => line.startsWith('__Host-session='));
const whereTo = ({ headers }: Answer) =>
  headers.get('location')!.replace(`${PUBLIC_URL}/app/`, '').replace('#/', '');
const me = async (answer: Answer) =>
  (await call(`${server.url}/v1/users/me`, 'GET', undefined, { cookie: cookiesOf(answer), ...OWN_PAGE })).body
    .user;
const invite = async (wanted: Record<string, unknown>): Promise<string> =>
  (await call(`${server.url}/v1/invitations`, 'POST', wanted, admin)).body.link.split('/').at(-1);

let made = 0;
async function owner() {
  made += 1;
  const email = `owner-${made}@people.example`;
  return { email, sub: `sub-${made}`, ...(await newOwner(server, email, PASSWORD)) };
}

test('an account is opened by the provider once its owner linked it, by the provider’s own name and never by an address', async () => {
  const who = await owner();
  provider.is = { sub: who.sub, email: who.email.toUpperCase(), emailVerified: true };
  const byAddress = await round();
  assert.deepEqual([whereTo(byAddress), isIn(byAddress)], ['sign-in/forbidden', false]);
  const linking = await link(who.headers);
  assert.deepEqual([linking.status, whereTo(linking), isIn(linking)], [303, 'account', false]);
  const first = await round();
  assert.deepEqual([first.status, whereTo(first), isIn(first)], [303, '', true]);
  assert.deepEqual([(await me(first)).userId, (await me(first)).oidc], [who.userId, true]);
  const asked = provider.asked.at(-1)!;
  assert.equal(asked.get('code_challenge_method'), 'S256');
  assert.ok(asked.get('state')!.length > 40 && asked.get('nonce')!.length > 40);
  provider.is = { sub: who.sub, email: 'moved@people.example', emailVerified: false };
  const second = await round();
  assert.equal((await me(second)).userId, who.userId, 'another address later changes nothing');
  const [session] = await rows(
    'select extract(epoch from expires_at - created_at) / 3600 as hours from user_sessions where user_id = $1 order by session_id desc limit 1',
    [who.userId],
  );
  assert.equal(Math.round(Number(session.hours)), 12);
  const [row] = await rows('select t::text as line from user_identities t where user_id = $1', [who.userId]);
  assert.ok(!row.line.includes(who.sub) && !row.line.includes('people.example'));
  const events = await rows(
    "select kind from auth_events where user_id = $1 and method = 'oidc' order by event_id",
    [who.userId],
  );
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ['identity_added', 'sign_in', 'sign_in'],
  );
});

test('strangers, addresses that nobody verified and addresses that changed hands stay outside', async () => {
  const [who, other] = [await owner(), await owner()];
  const before = await rows('select count(*)::int as users from users');
  for (const is of [
    { sub: 'stranger', email: 'stranger@people.example', emailVerified: true },
    { sub: 'unverified', email: who.email, emailVerified: false },
    { sub: 'silent' },
    { sub: 'odd', email: 'not an address', emailVerified: true },
    { sub: 'who rules the address', email: who.email, emailVerified: true },
  ]) {
    provider.is = is;
    const answer = await round();
    assert.deepEqual(
      [answer.status, whereTo(answer), isIn(answer)],
      [303, 'sign-in/forbidden', false],
      is.sub,
    );
  }
  provider.is = { sub: who.sub, email: who.email, emailVerified: true };
  await link(who.headers);
  assert.ok(isIn(await round()));
  assert.equal(
    whereTo(await link(other.headers)),
    'accountsign-in/conflict',
    'one account for each person there',
  );
  provider.is = { sub: 'the-next-who-has-the-address', email: who.email, emailVerified: true };
  assert.equal(whereTo(await round()), 'sign-in/forbidden');
  await rows('update users set disabled_at = now() where user_id = $1', [who.userId]);
  provider.is = { sub: who.sub, email: who.email, emailVerified: true };
  assert.equal(whereTo(await round()), 'sign-in/forbidden');
  assert.deepEqual(await rows('select count(*)::int as users from users'), before);
  assert.deepEqual(await rows('select from user_identities where issuer <> $1', [provider.issuer]), []);
});

test('an invitation lets in whoever the provider says has the invited address, once', async () => {
  const token = await invite({ role: 'viewer', email: 'guest@people.example' });
  provider.is = { sub: 'wrong-guest', email: 'other@people.example', emailVerified: true };
  assert.equal(whereTo(await round({ inviteToken: token })), 'sign-in/invalid_request');
  provider.is = { sub: 'guest', email: 'guest@people.example', emailVerified: true, name: 'A Guest' };
  const joined = await round({ inviteToken: token, language: 'fr', fresh: true });
  const user = await me(joined);
  assert.deepEqual([user.email, user.fullName, user.language], ['guest@people.example', 'A Guest', 'fr']);
  provider.is = { sub: 'late', email: 'guest@people.example', emailVerified: true };
  assert.equal(whereTo(await round({ inviteToken: token })), 'sign-in/not_found');
  const headers = { cookie: cookiesOf(joined), ...OWN_PAGE };
  const removed = await call(`${server.url}/v1/users/me/oidc`, 'DELETE', undefined, headers);
  assert.deepEqual([removed.status, removed.body.error], [409, 'conflict'], 'nothing else signs them in');
});

test('an account with a second factor is opened only when the provider says that it asked for more than one', async () => {
  const who = await owner();
  provider.is = { sub: who.sub, email: who.email, emailVerified: true };
  await link(who.headers);
  await addTotp(server, who);
  const half = await round();
  assert.deepEqual([whereTo(half), isIn(half)], ['sign-in/second_factor_required', false]);
  const [{ outcome, method }] = await rows(
    'select outcome, method from auth_events where user_id = $1 order by event_id desc limit 1',
    [who.userId],
  );
  assert.deepEqual([outcome, method], ['failed', 'oidc'], 'an event of theirs');
  provider.is = { ...provider.is, amr: ['pwd', 'mfa'] };
  assert.ok(isIn(await round()));
});

test('dangerous acts ask for a proof at the provider that is ten minutes old at most', async () => {
  const who = await owner();
  provider.is = { sub: who.sub, email: who.email, emailVerified: true };
  await link(who.headers);
  provider.is = { ...provider.is, secondsAgo: 3600 };
  const key = (answer: Answer) =>
    call(
      `${server.url}/v1/keys`,
      'POST',
      { name: 'x', scopes: ['read'] },
      { cookie: cookiesOf(answer), ...OWN_PAGE },
    );
  const old = await round();
  assert.equal((await key(old)).body.error, 'proof_required');
  provider.is = { ...provider.is, secondsAgo: 0 };
  const fresh = await round({ fresh: true }, { cookie: cookiesOf(old), ...OWN_PAGE });
  assert.equal(await me(old), undefined, 'the session before it has ended');
  assert.equal(provider.asked.at(-1)!.get('prompt'), 'login');
  assert.equal((await key(fresh)).status, 201);
});

test('nothing of a round can be another’s: state, code, cookie, provider, time', async () => {
  const who = await owner();
  provider.is = { sub: who.sub, email: who.email, emailVerified: true };
  await link(who.headers);
  const one = await begin();
  const other = await begin();
  const [oneBack, otherBack] = [await provider.visit(one.body.url), await provider.visit(other.body.url)];
  const with_ = (url: URL, changes: Record<string, string | null>) => {
    const query = new URLSearchParams(url.search);
    for (const [name, value] of Object.entries(changes))
      value === null ? query.delete(name) : query.set(name, value);
    return query.toString();
  };
  const mine = cookiesOf(one);
  const flipped = mine.replace(/.(.{40})$/, (_, rest) => `${mine.at(-41) === 'A' ? 'B' : 'A'}${rest}`);
  const refused: [string, string, string][] = [
    ['no cookie', oneBack.search.slice(1), ''],
    ['another’s cookie', oneBack.search.slice(1), cookiesOf(other)],
    ['a forged cookie', oneBack.search.slice(1), flipped],
    ['another state', with_(oneBack, { state: otherBack.searchParams.get('state') }), mine],
    ['no state', with_(oneBack, { state: null }), mine],
    ['an invented code', with_(oneBack, { code: 'x'.repeat(43) }), mine],
    [
      'another’s code, which the verifier does not fit',
      with_(oneBack, { code: otherBack.searchParams.get('code') }),
      mine,
    ],
    ['another provider', with_(oneBack, { iss: 'https://evil.example' }), mine],
    ['no answer at all', '', mine],
    ['a refusal', with_(oneBack, { code: null, error: 'access_denied' }), mine],
  ];
  for (const [what, query, cookie] of refused) {
    const answer = await comeBack(query, cookie);
    assert.deepEqual(
      [answer.status, whereTo(answer), isIn(answer)],
      [303, 'sign-in/unauthorized', false],
      what,
    );
  }
  const third = await begin();
  const back = (await provider.visit(third.body.url)).search.slice(1);
  assert.ok(isIn(await comeBack(back, cookiesOf(third))));
  assert.ok(!isIn(await comeBack(back, cookiesOf(third))), 'and once');
  const fourth = await begin();
  const again = (await provider.visit(fourth.body.url)).search.slice(1);
  const twenty = await atOnce(20, () => comeBack(again, cookiesOf(fourth)));
  assert.equal(twenty.filter(isIn).length, 1, 'also of twenty at once');
  provider.is = null;
  assert.equal(whereTo(await round()), 'sign-in/unauthorized');
  assert.equal(
    (await call(`${server.url}/v1/auth/oidc`, 'POST', {}, { 'sec-fetch-site': 'same-site' })).status,
    403,
  );
});

test('a session that was ended while its browser was at the provider links nothing, and what does not link is told', async () => {
  const who = await owner();
  provider.is = { sub: who.sub, email: who.email, emailVerified: true };
  const begun = await call(`${server.url}/v1/users/me/oidc`, 'POST', undefined, who.headers);
  const back = (await provider.visit(begun.body.url)).search.slice(1);
  await rows('delete from user_sessions where user_id = $1', [who.userId]);
  const late = await comeBack(back, cookiesOf(begun));
  assert.equal(whereTo(late), 'accountsign-in/unauthorized');
  assert.equal((await rows('select from user_identities where user_id = $1', [who.userId])).length, 0);

  const [one, other] = [await owner(), await owner()];
  provider.is = { sub: one.sub, email: one.email, emailVerified: true };
  await link(one.headers);
  assert.equal(whereTo(await link(other.headers)), 'accountsign-in/conflict');
  const [event] = await rows(
    'select kind, outcome from auth_events where user_id = $1 order by event_id desc limit 1',
    [other.userId],
  );
  assert.deepEqual(event, { kind: 'identity_added', outcome: 'failed' });
});

test('strangers who come back with nothing write a few lines a minute among the events, however often they come', async () => {
  const count = async () =>
    (await rows("select count(*)::int as n from auth_events where method = 'oidc' and user_id is null"))[0].n;
  const before = await count();
  const answers = await atOnce(60, (n) =>
    call(`${server.url}/v1/auth/oidc/callback?code=${n}`, 'GET', undefined, {
      'x-real-ip': `203.0.113.${n}`,
    }),
  );
  assert.ok(answers.every((answer) => whereTo(answer) === 'sign-in/unauthorized'));
  assert.ok((await count()) - before <= STRANGERS_PER_MINUTE);
});

test('a provider that is away is said so and asked again, and where there is none, one learns that', async () => {
  const ways = await call(`${server.url}/v1/auth/ways`);
  assert.deepEqual(ways.body, {
    ok: true,
    password: true,
    passkey: true,
    oidc: new URL(provider.issuer).host,
  });
  const none = await startServer({ PUBLIC_URL });
  const away = await startServer({
    PUBLIC_URL,
    OIDC_ISSUER: 'http://127.0.0.1:9',
    OIDC_CLIENT_ID: 'marketing',
  });
  try {
    assert.equal((await call(`${none.url}/v1/auth/ways`)).body.oidc, null);
    assert.equal((await call(`${none.url}/v1/auth/oidc`, 'POST', {}, OWN_PAGE)).status, 404);
    const { status, body } = await call(`${away.url}/v1/auth/oidc`, 'POST', {}, OWN_PAGE);
    assert.deepEqual([status, body.error], [503, 'unavailable']);
  } finally {
    await none.end();
    await away.end();
  }
});
