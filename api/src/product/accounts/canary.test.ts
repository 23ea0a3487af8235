// What people are and what lets them in stands in no line of the log and in no answer that refuses something, by whatever way they
// come: a canary sings on each of them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeAuthenticator } from '../../../test/authenticator.ts';
import { until } from '../../../test/chromium.ts';
import { startMailServer } from '../../../test/mail-server.ts';
import { startProvider, type TestProvider } from '../../../test/oidc-provider.ts';
import {
  addPasskey,
  addTotp,
  codeOf,
  cookiesOf,
  OWN_PAGE,
  passkeyOptions,
  setupToken,
  signedIn,
  signUpWith,
  trySignIn,
} from '../../../test/people.ts';
import { type Answer, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { freePort } from '../../ground/db/embedded.ts';
import { makeLog } from '../../ground/lib/log.ts';

const PUBLIC_URL = 'https://marketing.example';
const EMAIL = 'canary-bird@people.example';
const PASSWORD = 'a canary sings alone';
const lines: string[] = [];
/** What opens something, as it was given or typed: each stands in no line. */
const secrets = new Set<string>(['canary']);
/** What was refused said this. */
const refusals: Answer[] = [];
const mails = await startMailServer();
let server: TestServer;
let provider: TestProvider;
before(async () => {
  provider = await startProvider(`${PUBLIC_URL}/v1/auth/oidc/callback`);
  server = await startServer(
    {
      PUBLIC_URL,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: 'marketing',
      OIDC_CLIENT_SECRET: 'a secret of the tests',
      SMTP_URL: mails.url,
      MAIL_FROM: 'accounts@marketing.example',
    },
    undefined,
    makeLog('trace', { write: (line) => void lines.push(line) }),
  );
});
after(async () => {
  await server?.end();
  provider?.close();
});

const post = (path: string, body: unknown, headers: Record<string, string> = OWN_PAGE) =>
  call(`${server.url}${path}`, 'POST', body, headers);
/** An answer of this status, kept when it refuses; what its cookies hold is a secret. */
async function says(status: number, asked: Promise<Answer>): Promise<Answer> {
  const answer = await asked;
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  for (const pair of cookiesOf(answer).split('; ')) if (pair) keep(pair.slice(pair.indexOf('=') + 1));
  if (status >= 400) refusals.push(answer);
  return answer;
}
const keep = <T extends string>(secret: T): T => {
  secrets.add(secret);
  return secret;
};
const tokenOf = (link: string) => keep(link.split('/').at(-1)!);

/** By each way there is, rightly and wrongly. returns  a cookie that is signed in */
async function traffic(): Promise<Record<string, string>> {
  const setup = keep(await setupToken(server));
  const who = signedIn(await says(201, signUpWith(server, setup, EMAIL, PASSWORD)));
  await says(404, signUpWith(server, setup, EMAIL, PASSWORD));
  await says(401, trySignIn(server, EMAIL, 'a canary sings wrongly'));
  await says(400, signUpWith(server, await setupToken(server), 'canary is no address', PASSWORD));
  // codes of an app
  const { secret, recoveryCodes } = await addTotp(server, who);
  keep(secret);
  for (const code of recoveryCodes) keep(code);
  await says(403, trySignIn(server, EMAIL, PASSWORD));
  await says(401, trySignIn(server, EMAIL, PASSWORD, { code: '000000' }));
  await says(200, trySignIn(server, EMAIL, PASSWORD, { code: codeOf(secret) }));
  await says(200, trySignIn(server, EMAIL, PASSWORD, { recoveryCode: recoveryCodes[0] }));
  const tokens = await says(
    200,
    trySignIn(server, EMAIL, PASSWORD, { recoveryCode: recoveryCodes[1], as: 'token' }),
  );
  keep(tokens.body.accessToken);
  const refreshToken = keep(tokens.body.refreshToken);
  keep((await says(200, post('/v1/auth/refresh', { refreshToken }))).body.refreshToken);
  await says(401, post('/v1/auth/refresh', { refreshToken }));
  // a passkey
  const device = makeAuthenticator(PUBLIC_URL);
  await addPasskey(server, who, device, 'The yellow telephone');
  const response = device.use(await passkeyOptions(server)) as { response: { signature: string } };
  keep(response.response.signature);
  await says(200, post('/v1/auth/passkey', { response }));
  await says(401, post('/v1/auth/passkey', { response }));
  // another provider
  provider.is = { sub: 'canary', email: EMAIL, emailVerified: true, name: 'Canary', amr: ['mfa'] };
  const oidc = async (beginning = post('/v1/auth/oidc', {})) => {
    const begun = await says(200, beginning);
    const back = await provider.visit(begun.body.url);
    for (const name of ['code', 'state']) keep(back.searchParams.get(name)!);
    const headers = { cookie: cookiesOf(begun), 'sec-fetch-site': 'cross-site' };
    const come = () => call(`${server.url}/v1/auth/oidc/callback${back.search}`, 'GET', undefined, headers);
    return [await says(303, come()), await says(303, come())] as const;
  };
  const [linked] = await oidc(call(`${server.url}/v1/users/me/oidc`, 'POST', undefined, who.headers));
  assert.match(linked.headers.get('location')!, /\/app\/account$/);
  const [first, again] = await oidc();
  assert.match(first.headers.get('set-cookie')!, /__Host-session=/);
  assert.match(again.headers.get('location')!, /sign-in\/unauthorized/);
  provider.is = { sub: 'canary-of-nobody', email: 'canary@elsewhere.example', emailVerified: true };
  for (const refused of await oidc()) assert.match(refused.headers.get('location')!, /sign-in\/\w+$/);
  // links by mail
  const wanted = { role: 'viewer', email: 'canary-guest@people.example' };
  const invited = await says(201, post('/v1/invitations', wanted, admin));
  const joining = tokenOf(invited.body.link);
  await says(400, signUpWith(server, joining, 'canary-other@people.example', PASSWORD));
  await says(409, signUpWith(server, await setupToken(server), EMAIL, PASSWORD));
  await says(201, signUpWith(server, joining, wanted.email, PASSWORD));
  await says(202, post('/v1/auth/reset', { email: EMAIL }));
  await says(202, post('/v1/auth/reset', { email: 'canary-nobody@people.example' }));
  await says(
    404,
    post('/v1/auth/reset/confirm', { resetToken: keep('c'.repeat(43)), newPassword: PASSWORD }),
  );
  await says(202, post('/v1/users/me/email', { email: 'canary-moved@people.example' }, who.headers));
  return who.headers;
}

/** Every row as a dump has it, and as text what stands in it as bytes. */
async function noTableHolds(): Promise<void> {
  const { owner } = server.database;
  const { rows: tables } = await owner.query(
    "select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'",
  );
  const filled = new Set<string>();
  for (const { name } of tables)
    for (const { line } of (await owner.query(`select t::text as line from ${name} t`)).rows) {
      filled.add(name);
      const bytes = line.replace(/\\\\?x([0-9a-f]+)/g, (_: string, hex: string) =>
        Buffer.from(hex, 'hex').toString('latin1'),
      );
      for (const text of [line, bytes]) {
        assert.doesNotMatch(text, /canary/i, name);
        for (const secret of secrets) assert.ok(!text.includes(secret), `${name} holds ${secret}`);
      }
    }
  for (const name of [
    'users',
    'user_factors',
    'passkeys',
    'user_identities',
    'user_sessions',
    'one_time_links',
    'auth_events',
  ])
    assert.ok(filled.has(name), name);
}

test('no line of the log holds an address, a name, a password, a code, a link or a cookie, and no refusal says one, whatever goes wrong', async () => {
  const { owner } = server.database;
  const headers = await traffic();
  await noTableHolds();
  await until('the mails have left', async () => {
    await says(200, call(`${server.url}/v1/admin/jobs/account_mails`, 'POST', {}, admin));
    return (await owner.query('select from account_mails')).rowCount === 0;
  });
  await owner.query('alter table users rename to users_away');
  await says(500, trySignIn(server, EMAIL, PASSWORD));
  await says(500, post('/v1/auth/prove', { password: PASSWORD }, headers));
  await owner.query('alter table users_away rename to users');
  await says(200, call(`${server.url}/v1/users/me`, 'GET', undefined, headers));
  const said = lines.join('').toLowerCase();
  assert.match(said, /request failed/);
  assert.match(said, /a sign-in through the provider was refused/);
  const refused = refusals.map(({ body }) => JSON.stringify(body)).join('\n');
  assert.ok(refusals.length >= 12, `${refusals.length} refusals`);
  for (const secret of secrets) {
    assert.ok(!said.includes(secret.toLowerCase()), `the log: ${secret}`);
    assert.ok(!refused.toLowerCase().includes(secret.toLowerCase()), `a refusal: ${secret}`);
  }
});

test('a mail server that refuses a mail, or is away, puts no address into the log', async () => {
  for (const url of [
    (await startMailServer('550 no such canary')).url,
    `smtp://127.0.0.1:${await freePort()}`,
  ]) {
    const heard: string[] = [];
    const log = makeLog('trace', { write: (line) => void heard.push(line) });
    const settings = { PUBLIC_URL, SMTP_URL: url, MAIL_FROM: 'accounts@marketing.example' };
    const own = await startServer(settings, undefined, log);
    try {
      signedIn(await signUpWith(own, await setupToken(own), EMAIL, PASSWORD));
      assert.equal((await trySignIn(own, EMAIL, PASSWORD)).status, 200);
      await until('the mail was tried', async () => {
        const { rows } = await own.database.owner.query('select from account_mails where attempts = 0');
        return rows.length === 0;
      });
      await own.stop(); // with the try that is under way
      assert.ok(!heard.join('').toLowerCase().includes('canary-bird'));
    } finally {
      await own.end();
    }
  }
});
