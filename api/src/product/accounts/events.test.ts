// Every try to say who one is leaves an event, whatever stopped it; and what a stranger makes up leaves none.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startProvider, type TestProvider } from '../../../test/oidc-provider.ts';
import {
  addTotp,
  beginTotp,
  emailToken,
  newOwner,
  OWN_PAGE,
  resetToken,
  setupToken,
  signedIn,
  signUpWith,
  trySignIn,
} from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inAccounts } from './in-accounts.ts';

const PASSWORD = 'rye, oats and a spoon';
const PUBLIC_URL = 'https://marketing.example';
let server: TestServer;
let provider: TestProvider;
before(async () => {
  provider = await startProvider(`${PUBLIC_URL}/v1/auth/oidc/callback`);
  server = await startServer({
    PUBLIC_URL,
    RATE_LIMITS: 'on',
    OIDC_ISSUER: provider.issuer,
    OIDC_CLIENT_ID: 'marketing',
    OIDC_CLIENT_SECRET: 'a secret of the tests',
  });
});
after(async () => {
  await server?.end();
  provider?.close();
});

const post = (path: string, body: unknown, headers: Record<string, string> = OWN_PAGE) =>
  call(`${server.url}${path}`, 'POST', body, headers);
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;

/** What the work leaves among the events, the oldest first: kind, outcome, method, whose, who. */
async function left(work: () => Promise<unknown>): Promise<(string | null)[][]> {
  const [{ last }] = await rows('select max(event_id::text) as last from auth_events');
  await work();
  const after = await rows(
    'select kind, outcome, method, user_id, actor from auth_events where $1::uuid is null or event_id > $1 order by event_id',
    [last],
  );
  return after.map(({ kind, outcome, method, user_id: userId, actor }) => [
    kind,
    outcome,
    method,
    userId,
    actor,
  ]);
}
async function times(count: number, work: () => Promise<{ status: number }>): Promise<number[]> {
  const statuses = [];
  for (let i = 0; i < count; i += 1) statuses.push((await work()).status);
  return statuses;
}

test('a sign-in is an event also where only the second factor was missing or wrong, and where too many came before', async () => {
  const email = 'ada@people.example';
  const who = await newOwner(server, email, PASSWORD);
  await addTotp(server, who);
  const { userId } = who;
  const said = await left(async () => {
    assert.equal((await trySignIn(server, email, PASSWORD)).status, 403);
    assert.equal((await trySignIn(server, email, PASSWORD, { code: '000000' })).status, 401);
    const recoveryCode = 'AAAAA-AAAAA-AAAAA-AAAAA-AAAAA';
    assert.equal((await trySignIn(server, email, PASSWORD, { recoveryCode })).status, 401);
    const wrong = () => trySignIn(server, email, 'not it, not at all');
    assert.deepEqual(await times(6, wrong), [401, 401, 401, 429, 429, 429]);
  });
  const failed = (method: string) => ['sign_in', 'failed', method, userId, 'nobody'];
  assert.deepEqual(
    said,
    'second_factor_missing totp recovery password password password too_many_tries'.split(' ').map(failed),
  );
  const ofNobody = await left(() => times(8, () => trySignIn(server, 'no@people.example', PASSWORD)));
  assert.deepEqual(
    ofNobody,
    [...Array(5).fill('password'), 'too_many_tries'].map((method) => [
      'sign_in',
      'failed',
      method,
      null,
      'nobody',
    ]),
  );
});

test('a proof is one too, with what was wrong', async () => {
  const who = await newOwner(server, 'bea@people.example', PASSWORD);
  await addTotp(server, who);
  const prove = (more: object) => post('/v1/auth/prove', { password: PASSWORD, ...more }, who.headers);
  const said = await left(async () => {
    assert.equal((await prove({})).status, 403);
    assert.equal((await prove({ code: '000000' })).status, 403);
    const wrong = () => prove({ password: 'not it, not at all', code: '000000' });
    assert.deepEqual(await times(6, wrong), [403, 403, 403, 403, 429, 429]);
  });
  assert.deepEqual(
    said,
    ['second_factor_missing', 'totp', ...Array(4).fill('password'), 'too_many_tries'].map((method) => [
      'proof',
      'failed',
      method,
      who.userId,
      `user:${who.userId}`,
    ]),
  );
});

test('a return from the provider that is refused before it says who somebody is, is an event of nobody', async () => {
  const back = () =>
    call(`${server.url}/v1/auth/oidc/callback?code=x&state=y`, 'GET', undefined, {
      'sec-fetch-site': 'cross-site',
    });
  assert.deepEqual(await left(back), [['sign_in', 'failed', 'oidc', null, 'nobody']]);
});

test('a wrong code for a factor that is begun is an event', async () => {
  const who = await newOwner(server, 'cem@people.example', PASSWORD);
  await beginTotp(server, who);
  const wrong = () => post('/v1/users/me/totp/confirm', { code: '000000' }, who.headers);
  assert.deepEqual(await left(wrong), [['totp_added', 'failed', 'totp', who.userId, `user:${who.userId}`]]);
});

test('a link that opens nothing any more is an event of its kind, and an invented one is none', async () => {
  const email = 'dan@people.example';
  const spent = await setupToken(server);
  const { userId } = signedIn(await signUpWith(server, spent, email, PASSWORD));
  const reset = await resetToken(server, email);
  const address = await emailToken(server, userId, 'else@people.example');
  await rows('update one_time_links set expires_at = now() where user_id = $1', [userId]);
  const person = { email: 'eve@people.example', fullName: 'Eve' };
  const tries = (setup: string, forPassword: string, forAddress: string) => [
    () => signUpWith(server, setup, person.email, PASSWORD),
    () => post('/v1/auth/signup/options', { inviteToken: setup, ...person }),
    () => post('/v1/auth/reset/confirm', { resetToken: forPassword, newPassword: PASSWORD }),
    () => post('/v1/auth/email/confirm', { emailToken: forAddress }),
  ];
  const all = async (work: (() => Promise<{ status: number }>)[]) => {
    for (const one of work) assert.equal((await one()).status, 404);
  };
  assert.deepEqual(await left(() => all(tries(spent, reset, address))), [
    ['sign_up', 'failed', 'setup', null, 'nobody'],
    ['sign_up', 'failed', 'setup', null, 'nobody'],
    ['password_reset', 'failed', 'reset', userId, 'nobody'],
    ['email_confirmed', 'failed', 'email', userId, 'nobody'],
  ]);
  const invented = 'x'.repeat(43);
  assert.deepEqual(await left(() => all(tries(invented, invented, invented))), []);
});

test('a try at the password of a shared view is an event, for the people of its site', async () => {
  for (const site of ['mill', 'forge'])
    assert.equal((await post('/v1/sites', { key: site, name: site }, admin)).status, 201);
  const shared = await post(
    '/v1/sites/mill/shares',
    { name: 'board', views: ['summary'], password: PASSWORD },
    admin,
  );
  const { token: shareToken, share } = shared.body;
  const unlock = (password: string) => post('/v1/shares/unlock', { shareToken, password });
  const said = await left(async () => {
    assert.equal((await unlock(PASSWORD)).status, 200);
    assert.deepEqual(await times(7, () => unlock('not it, not at all')), [401, 401, 401, 401, 401, 429, 429]);
  });
  const event = (outcome: string, method: string) => [
    'share_unlocked',
    outcome,
    method,
    null,
    `share:${share.shareId}`,
  ];
  assert.deepEqual(said, [
    event('done', 'password'),
    ...Array(5).fill(event('failed', 'password')),
    event('failed', 'too_many_tries'),
  ]);
  const seenBy = async (site: string) => {
    const invited = await post('/v1/invitations', { role: 'admin', sites: [site] }, admin);
    const joined = await signUpWith(
      server,
      invited.body.link.split('/').at(-1),
      `${site}@people.example`,
      PASSWORD,
    );
    const { body } = await call(`${server.url}/v1/auth/events`, 'GET', undefined, signedIn(joined).headers);
    return body.events.filter(({ kind }: { kind: string }) => kind === 'share_unlocked').length;
  };
  assert.deepEqual([await seenBy('mill'), await seenBy('forge')], [7, 0]);
});

test('the application adds events and changes none: it may neither rewrite nor remove one', async () => {
  const { db } = server.services;
  const [{ events }] = await rows('select count(*)::int as events from auth_events');
  assert.ok(events > 0);
  assert.equal(
    await inAccounts(db, async (tx) => (await tx.query('select from auth_events')).rowCount),
    events,
  );
  for (const sql of [
    "update auth_events set outcome = 'done'",
    'delete from auth_events',
    'truncate auth_events',
    'drop table auth_events',
  ])
    await assert.rejects(
      inAccounts(db, (tx) => tx.query(sql)),
      { code: '42501' },
      sql,
    );
  assert.deepEqual(await rows('select count(*)::int as events from auth_events'), [{ events }]);
});
