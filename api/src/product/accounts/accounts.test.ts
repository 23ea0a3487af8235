// The first owner, signing in and out, and what a session is worth where.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, before, test } from 'node:test';
import {
  atOnce,
  cookiesOf,
  newOwner,
  OWN_PAGE,
  setupToken,
  signedIn,
  signIn,
  signUpWith,
  trySignIn,
} from '../../../test/people.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { inAccounts } from './in-accounts.ts';
import { placeOfEmail, placeOfFullName } from './pii.ts';

const ADA = 'ada@people.example';
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
before(async () => {
  server = await startServer({ PUBLIC_URL: 'https://marketing.example' });
  await newOwner(server, ADA, PASSWORD);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const me = (headers: Record<string, string>) => call(`${server.url}/v1/users/me`, 'GET', undefined, headers);
const post = (path: string, body: unknown, headers: Record<string, string>) =>
  call(`${server.url}${path}`, 'POST', body, headers);
const lastEvent = async () =>
  (await rows('select kind, outcome, method from auth_events order by event_id desc limit 1'))[0];

test('the first owner sets up by a link that works once, and is signed in', async () => {
  const token = await setupToken(server);
  const answer = await signUpWith(server, token, 'bea@people.example', PASSWORD, { language: 'fr' });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const { user } = answer.body;
  assert.deepEqual(
    [user.email, user.isOwner, user.language, user.grants],
    ['bea@people.example', true, 'fr', []],
  );
  assert.equal((await me(signedIn(answer).headers)).body.user.userId, user.userId);
  const again = await signUpWith(server, token, 'cem@people.example', PASSWORD);
  assert.deepEqual([again.status, again.body.error], [404, 'not_found']);
});

test('of twenty who use a link at once one gets in, and a newer setup link ends the one before', async () => {
  const older = await setupToken(server);
  const token = await setupToken(server);
  assert.equal((await signUpWith(server, older, 'old@people.example', PASSWORD)).status, 404);
  const join = (i: number) => signUpWith(server, token, `racer-${i}@people.example`, PASSWORD);
  const answers = await atOnce(20, join);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(19).fill(404)]);
  const ofLinks = "select outcome from auth_events where kind = 'sign_up' and method = 'setup'";
  const outcomes = (await rows(ofLinks)).map(({ outcome }) => outcome);
  assert.equal(outcomes.filter((outcome) => outcome === 'done').length, 3);
  // the one that a newer link ended is gone, and so is nobody's
  assert.equal(outcomes.filter((outcome) => outcome === 'failed').length, 1 + 19);
});

test('nobody joins without a link, with a spent or invented one, a weak password or a taken address', async () => {
  assert.equal((await signUpWith(server, 'x'.repeat(43), 'dan@people.example', PASSWORD)).status, 404);
  const token = await setupToken(server);
  const cases: [string, string, number, string][] = [
    ['dan@people.example', 'password1234', 400, 'password'],
    ['dan@people.example', 'short', 400, 'password'],
    ['nobody', PASSWORD, 400, 'email'],
    [ADA.toUpperCase(), PASSWORD, 409, ''],
  ];
  for (const [email, password, status, path] of cases) {
    const answer = await signUpWith(server, token, email, password);
    assert.deepEqual([answer.status, answer.body.issues?.[0].path ?? ''], [status, path], email);
  }
  assert.equal((await signUpWith(server, token, 'dan@people.example', PASSWORD)).status, 201);
  await rows("update one_time_links set expires_at = now() where token_hash = sha256('x')");
  const late = await setupToken(server);
  await rows('update one_time_links set expires_at = now() where used_at is null');
  assert.equal((await signUpWith(server, late, 'late@people.example', PASSWORD)).status, 404);
});

test('the cookie is unreadable for scripts, bound to this host, and never sent for another site', async () => {
  const { headers } = await trySignIn(server, ADA, PASSWORD);
  const [session, device] = headers.getSetCookie();
  assert.match(session!, /^__Host-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  assert.match(
    device!,
    /^__Host-device=[\w.-]+; Path=\/; HttpOnly; SameSite=Strict; Secure; Max-Age=34560000$/,
  );
  assert.equal(headers.get('cache-control'), 'no-store');
  const looked = await me({ ...OWN_PAGE, cookie: cookiesOf(await trySignIn(server, ADA, PASSWORD)) });
  assert.equal(looked.headers.get('cache-control'), 'no-store');
  const kept = await trySignIn(server, ADA, PASSWORD, { keep: true });
  assert.match(kept.headers.getSetCookie()[0]!, /; Max-Age=2592000$/);
  const [row] = await rows('select t::text as line from user_sessions t order by session_id desc limit 1');
  assert.ok(!row.line.includes(/=([\w-]{43});/.exec(kept.headers.getSetCookie()[0]!)![1]!));
});

test('a wrong password, an address without an account and a disabled account get one and the same answer', async () => {
  await newOwner(server, 'off@people.example', PASSWORD);
  await rows(
    'update users set disabled_at = now() where user_id = (select max(user_id::text)::uuid from users)',
  );
  const answers = [
    await trySignIn(server, ADA, 'not the password'),
    await trySignIn(server, 'nobody@people.example', PASSWORD),
    await trySignIn(server, 'off@people.example', PASSWORD),
  ].map(({ status, body: { requestId: _, ...body } }) => ({ status, body }));
  assert.equal(answers[0]!.status, 401);
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
  const failed = await rows(
    "select actor, user_id from auth_events where outcome = 'failed' and kind = 'sign_in'",
  );
  assert.equal(failed.length, 3);
  assert.ok(failed.every(({ actor }) => actor === 'nobody'));
});

test('a session counts on pages of the API’s own origin only: a sibling of its name changes nothing', async () => {
  const { headers } = await signIn(server, ADA, PASSWORD);
  const { cookie } = headers as { cookie: string };
  const pages: [Record<string, string>, number][] = [
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'https://marketing.example' }, 200],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ 'sec-fetch-site': 'same-site', origin: 'https://marketing.example' }, 403],
    [{ origin: 'https://www.marketing.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://marketing.example' }, 403],
    [{}, 403],
  ];
  const before = (await rows('select full_name_encrypted from users')).length;
  for (const [page, status] of pages) {
    const looked = await me({ cookie, ...page });
    assert.equal(looked.status, status, JSON.stringify(page));
    if (status === 403) assert.equal(looked.body.error, 'origin_not_allowed');
    for (const [method, path] of [
      ['DELETE', '/v1/users/me/sessions'],
      ['POST', '/v1/auth/logout'],
      ['PATCH', '/v1/users/me'],
      ['POST', '/v1/sites'],
    ] as const)
      if (status === 403)
        assert.equal((await call(server.url + path, method, {}, { cookie, ...page })).status, 403, path);
  }
  assert.equal((await rows('select from users')).length, before);
  assert.equal((await me({ cookie, ...OWN_PAGE })).status, 200, 'still signed in');
});

test('no page of another origin signs somebody in, and no form does', async () => {
  for (const page of [{ 'sec-fetch-site': 'same-site' }, { origin: 'https://www.marketing.example' }]) {
    const answer = await trySignIn(server, ADA, PASSWORD, {}, page);
    assert.deepEqual([answer.status, answer.headers.getSetCookie()], [403, []]);
  }
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x']) {
    const form = await call(
      `${server.url}/v1/auth/login`,
      'POST',
      JSON.stringify({ email: ADA, password: PASSWORD }),
      { 'content-type': type },
    );
    assert.equal(form.status, 415, type);
  }
  assert.equal((await trySignIn(server, ADA, PASSWORD, {}, {})).status, 200, 'curl is no page');
});

test('a cookie of another name, as a sibling’s page can set one, is not looked at', async () => {
  const { headers } = await signIn(server, ADA, PASSWORD);
  const tossed = headers.cookie!.replaceAll('__Host-', '');
  assert.equal((await me({ ...OWN_PAGE, cookie: tossed })).status, 401);
  assert.equal((await me({ ...OWN_PAGE, cookie: `${tossed}; ${headers.cookie}` })).status, 200);
});

test('signing out ends the session at once and clears what the browser kept', async () => {
  const { headers } = await signIn(server, ADA, PASSWORD);
  const out = await post('/v1/auth/logout', undefined, headers);
  assert.equal(out.status, 200);
  assert.deepEqual(
    out.headers.getSetCookie().map((line) => /^([^=]+)=; .*Max-Age=0$/.exec(line)?.[1]),
    ['__Host-session', '__Host-device', '__Host-oidc'],
  );
  // "cookies" would be those of every sibling too
  assert.equal(out.headers.get('clear-site-data'), '"cache", "storage"');
  assert.equal((await me(headers)).status, 401);
  assert.deepEqual(await lastEvent(), { kind: 'sign_out', outcome: 'done', method: null });
});

test('whoever signs in again in the same browser ends the session it had, and no program’s', async () => {
  const email = 'again@people.example';
  const first = await newOwner(server, email, PASSWORD);
  const program = await trySignIn(server, email, PASSWORD, { as: 'token' }, first.headers);
  assert.equal(program.status, 200);
  assert.equal((await me(first.headers)).status, 200, 'a program’s sign-in is none of the browser’s');
  const second = signedIn(await trySignIn(server, email, PASSWORD, {}, first.headers));
  assert.equal((await me(first.headers)).status, 401);
  assert.equal((await me(second.headers)).status, 200);
});

test('sessions are listed with their browser, ended one by one or all others, and nobody ends another’s', async () => {
  const email = 'eve@people.example';
  const first = await newOwner(server, email, PASSWORD);
  const second = await signIn(server, email, PASSWORD);
  const third = await signIn(server, email, PASSWORD);
  const list = await call(`${server.url}/v1/users/me/sessions`, 'GET', undefined, third.headers);
  assert.deepEqual(
    list.body.sessions.map(({ sessionId, device, isThis }: Record<string, unknown>) => [
      sessionId,
      device,
      isThis,
    ]),
    [third, second, first].map(({ sessionId }) => [
      sessionId,
      'Chrome on Linux',
      sessionId === third.sessionId,
    ]),
  );
  const end = (id: string, by: Record<string, string>) =>
    call(`${server.url}/v1/users/me/sessions/${id}`, 'DELETE', undefined, by).then(({ status }) => status);
  const stranger = await signIn(server, ADA, PASSWORD);
  assert.equal(await end(first.sessionId, stranger.headers), 404);
  assert.equal(await end(first.sessionId, third.headers), 200);
  assert.equal((await me(first.headers)).status, 401);
  assert.equal((await me(second.headers)).status, 200);
  const others = await call(`${server.url}/v1/users/me/sessions`, 'DELETE', undefined, third.headers);
  assert.equal(others.body.sessionsEnded, 1);
  assert.equal((await me(second.headers)).status, 401);
  assert.equal((await me(third.headers)).status, 200);
  assert.equal((await me(stranger.headers)).status, 200);
});

test('a session ends when it lies idle, and at the latest on its day', async () => {
  const { headers, sessionId } = await signIn(server, ADA, PASSWORD);
  const age = (set: string) => rows(`update user_sessions set ${set} where session_id = $1`, [sessionId]);
  await age("seen_at = now() - interval '7 hours 59 minutes'");
  assert.equal((await me(headers)).status, 200);
  const [{ fresh }] = await rows(
    "select seen_at > now() - interval '1 minute' as fresh from user_sessions where session_id = $1",
    [sessionId],
  );
  assert.equal(fresh, true, 'and is noted as seen');
  await age("seen_at = now() - interval '8 hours 1 minute'");
  assert.equal((await me(headers)).status, 401);
  await age("seen_at = now(), expires_at = now() - interval '1 second'");
  assert.equal((await me(headers)).status, 401);
});

test('a dangerous act asks for a proof that is at most ten minutes old, and a proof changes the cookie', async () => {
  const email = 'fay@people.example';
  const { headers, sessionId } = await newOwner(server, email, PASSWORD);
  const change = (by: Record<string, string>) =>
    post('/v1/users/me/password', { newPassword: 'barley, hops and a cup' }, by);
  await rows("update user_sessions set proved_at = now() - interval '11 minutes' where session_id = $1", [
    sessionId,
  ]);
  const refused = await change(headers);
  assert.deepEqual([refused.status, refused.body.error], [403, 'proof_required']);
  assert.equal((await post('/v1/auth/prove', { password: 'not this one, no' }, headers)).status, 403);
  const proved = await post('/v1/auth/prove', { password: PASSWORD }, headers);
  assert.equal(proved.status, 200);
  assert.equal((await me(headers)).status, 401, 'the cookie from before is worth nothing');
  const renewed = { ...headers, cookie: cookiesOf(proved, headers.cookie) };
  assert.equal((await change(renewed)).status, 200);
  assert.equal((await trySignIn(server, email, PASSWORD)).status, 401);
  assert.equal((await trySignIn(server, email, 'barley, hops and a cup')).status, 200);
  const keys = await post('/v1/keys', { name: 'x', scopes: ['read'] }, renewed);
  assert.deepEqual([keys.status, keys.body.key.madeBy], [201, `user:${proved.body.user.userId}`]);
});

test('another password ends all other sessions', async () => {
  const email = 'gus@people.example';
  const first = await newOwner(server, email, PASSWORD);
  const second = await signIn(server, email, PASSWORD);
  const changed = await post(
    '/v1/users/me/password',
    { newPassword: 'millet, malt and a mug' },
    second.headers,
  );
  assert.equal(changed.body.sessionsEnded, 1);
  assert.equal((await me(first.headers)).status, 401);
  assert.equal((await me(second.headers)).status, 200);
});

test('people change their name, language, zone and address, each kept sealed', async () => {
  const { headers, userId } = await newOwner(server, 'hal@people.example', PASSWORD);
  const patch = await call(
    `${server.url}/v1/users/me`,
    'PATCH',
    { fullName: 'Hal 9000', timeZone: 'America/Toronto' },
    headers,
  );
  assert.deepEqual(
    [patch.body.user.fullName, patch.body.user.timeZone, patch.body.user.email],
    ['Hal 9000', 'America/Toronto', 'hal@people.example'],
  );
  assert.equal(
    (await call(`${server.url}/v1/users/me`, 'PATCH', { timeZone: 'Mars/Base' }, headers)).status,
    400,
  );
  const moved = await post('/v1/users/me/email', { email: 'Hal@Discovery.example' }, headers);
  assert.equal(moved.body.user.email, 'Hal@Discovery.example');
  assert.equal((await post('/v1/users/me/email', { email: ADA }, headers)).status, 409);
  assert.equal((await trySignIn(server, 'hal@discovery.example', PASSWORD)).status, 200);
  assert.equal((await trySignIn(server, 'hal@people.example', PASSWORD)).status, 401);
  const [row] = await rows('select t::text as line from users t where user_id = $1', [userId]);
  assert.doesNotMatch(row.line, /hal/i);
});

test('no dump holds an address, a name, a password or a token of a user', async () => {
  const canary = 'canary-bird@people.example';
  const { headers } = await newOwner(server, canary, 'a canary sings alone');
  await trySignIn(server, canary, 'a canary sings wrongly');
  await call(`${server.url}/v1/users/me`, 'PATCH', { fullName: 'Canary Bird' }, headers);
  const tables = await rows(
    "select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'",
  );
  for (const { name } of tables)
    for (const { line } of await rows(`select t::text as line from ${name} t`)) {
      const bytes = line.replace(/\\\\?x([0-9a-f]+)/g, (_: string, hex: string) =>
        Buffer.from(hex, 'hex').toString('latin1'),
      );
      for (const text of [line, bytes]) assert.doesNotMatch(text, /canary/i, name);
    }
});

test('PostgreSQL gives what is sealed of a user and its key, in a transaction about accounts alone, and the keyring opens it', async () => {
  const { userId } = await newOwner(server, 'sealed@people.example', PASSWORD);
  const { accounts, db } = server.services;
  const sql =
    'select e.ciphertext as email, e.key_id as "emailKey", n.ciphertext as name, n.key_id as "nameKey" from get_user_email($1) e, get_user_full_name($1) n';
  await inAccounts(db, async (tx) => {
    const [row] = (await tx.query(sql, [userId])).rows;
    const open = (sealed: Buffer, keyId: string, place: string) =>
      accounts.vault().open(tx, { sealed, keyId }, place);
    assert.equal(await open(row.email, row.emailKey, placeOfEmail(userId)), 'sealed@people.example');
    assert.equal(await open(row.name, row.nameKey, placeOfFullName(userId)), 'Somebody');
  });
  const [outside] = (await db.query(sql, [userId])).rows;
  assert.deepEqual([outside.email, outside.name], [null, null]);
});

test('who deletes their account is gone with all that was theirs; the last owner stays', async () => {
  const own = await startServer();
  try {
    const first = await newOwner(own, 'ida@people.example', PASSWORD);
    const remove = (by: Record<string, string>) => call(`${own.url}/v1/users/me`, 'DELETE', undefined, by);
    const refused = await remove(first.headers);
    assert.deepEqual([refused.status, refused.body.error], [409, 'conflict']);
    const second = await newOwner(own, 'jon@people.example', PASSWORD);
    assert.equal((await remove(first.headers)).status, 200);
    assert.equal((await call(`${own.url}/v1/users/me`, 'GET', undefined, first.headers)).status, 401);
    assert.equal((await trySignIn(own, 'ida@people.example', PASSWORD)).status, 401);
    const { rows: left } = await own.database.owner.query(
      `select (select count(*) from users) as users, (select count(*) from user_sessions where user_id = $1) as sessions,
         (select string_agg(kind, ' ' order by event_id) from auth_events where user_id = $1) as events`,
      [first.userId],
    );
    assert.deepEqual(left, [{ users: 1, sessions: 0, events: 'sign_up account_deleted' }]);
    assert.equal((await remove(second.headers)).status, 409);
  } finally {
    await own.end();
  }
});

test('where there is no keyring, sign-in says what is missing and everything else works', async () => {
  const own = await startServer({ ACCOUNT_KEYS: '' });
  try {
    const answer = await trySignIn(own, ADA, PASSWORD);
    assert.equal(answer.status, 503);
    assert.match(answer.body.message, /ACCOUNT_KEYS/);
    assert.equal((await call(`${own.url}/v1/healthz`)).status, 200);
  } finally {
    await own.end();
  }
});

test('who finds every place taken is told so before their password is read, and nothing is looked up for them', async () => {
  const hasher = server.services.accounts.hasher();
  const { promise, resolve: leave } = Promise.withResolvers<void>();
  const seated = Array.from({ length: 9 }, () => hasher.placed(() => promise));
  try {
    const { hostname, port } = new URL(server.url);
    const headers = { 'content-type': 'application/json', 'content-length': '1000', ...OWN_PAGE };
    const asked = request({ hostname, port, path: '/v1/auth/login', method: 'POST', headers });
    asked.flushHeaders();
    const [answer] = await once(asked, 'response');
    assert.deepEqual([answer.statusCode, answer.headers['retry-after']], [503, '3']);
    asked.destroy();
    const before = await rows('select count(*)::int as n from auth_events');
    assert.equal((await trySignIn(server, ADA, 'not the one of hers')).status, 503);
    assert.deepEqual(await rows('select count(*)::int as n from auth_events'), before, 'and no try counts');
  } finally {
    leave();
    await Promise.all(seated);
  }
  assert.equal((await trySignIn(server, ADA, PASSWORD)).status, 200);
});

test('while hundreds try passwords at once, forms are taken, and who finds no place is told when to come back', async () => {
  const tries = Array.from({ length: 400 }, (_, i) =>
    trySignIn(server, `nobody-${i}@people.example`, PASSWORD),
  );
  const form = await post(
    '/v1/leads/capture',
    { email: 'lead@example.com', anonId: 'a-browser-of-a-lead', path: '/' },
    {},
  );
  assert.equal(form.status, 200);
  const answers = await Promise.all(tries);
  const statuses = new Set(answers.map(({ status }) => status));
  assert.deepEqual(statuses, new Set([401, 503]));
  const full = answers.find(({ status }) => status === 503)!;
  assert.deepEqual([full.body.error, full.headers.get('retry-after')], ['unavailable', '3']);
  assert.equal(
    (await trySignIn(server, ADA, PASSWORD)).status,
    200,
    'and afterwards everything is as before',
  );
});
