// Second factors, new passwords, and the mails about both; with a real mail server on loopback.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { until } from '../../../test/chromium.ts';
import {
  addTotp,
  atOnce,
  beginTotp,
  codeOf,
  cookiesOf,
  newOwner,
  OWN_PAGE,
  resetToken,
  signedIn,
  signIn,
  trySignIn,
} from '../../../test/people.ts';
import { type Answer, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { newRecoveryCode, newTotp, stepOf } from './totp.ts';

const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
let smtp: SMTPServer;
const mails: { to: string; text: string }[] = [];
before(async () => {
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData(stream, session, done) {
      let raw = '';
      stream.on('data', (chunk) => {
        raw += chunk;
      });
      stream.on('end', () => {
        const [to] = session.envelope.rcptTo;
        mails.push({ to: to!.address, text: raw.replace(/=\r\n/g, '').replace(/=3D/g, '=') });
        done();
      });
    },
  });
  await new Promise<void>((done) => smtp.listen(0, '127.0.0.1', done));
  const { port } = smtp.server.address() as { port: number };
  server = await startServer({
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    MAIL_FROM: 'accounts@marketing.example',
    PUBLIC_URL: 'https://marketing.example',
  });
});
after(async () => {
  await server.end();
  await new Promise<void>((done) => smtp.close(() => done()));
});

const post = (path: string, body: unknown, headers: Record<string, string> = OWN_PAGE) =>
  call(`${server.url}${path}`, 'POST', body, headers);
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const mailTo = async (to: string, what: RegExp): Promise<string> => {
  const found = () => mails.find((mail) => mail.to === to && what.test(mail.text));
  await until(`a mail to ${to} about ${what}`, async () => found() !== undefined);
  return found()!.text;
};
const tokenIn = (text: string) => /\/app\/#\/email\/([\w-]{43})/.exec(text)![1]!;
let made = 0;
async function owner() {
  made += 1;
  const email = `owner-${made}@people.example`;
  return { email, ...(await newOwner(server, email, PASSWORD)) };
}
const isIn = ({ status }: Answer) => status === 200;

test('codes are those of RFC 6238, of the running step and the one before', async () => {
  // the document's own secret and instants, in six digits
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  for (const [seconds, code] of [
    [59, '287082'],
    [1111111109, '081804'],
    [1234567890, '005924'],
    [20000000000, '353130'],
  ] as const) {
    const step = Math.floor(seconds / 30);
    assert.equal(await stepOf(secret, code, seconds * 1000), step);
    assert.equal(await stepOf(secret, code, (seconds + 30) * 1000), step, 'the clock of the device is late');
    assert.equal(await stepOf(secret, code, (seconds + 60) * 1000), null);
    assert.equal(await stepOf(secret, code, (seconds - 30) * 1000), null, 'a code of the future');
  }
  assert.match(
    (await newTotp('ada@people.example')).uri,
    /^otpauth:\/\/totp\/marketing:ada%40people\.example\?/,
  );
  assert.match(newRecoveryCode(), /^([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}$/);
});

test('with a second factor the password alone opens nothing, and each code opens once', async () => {
  const who = await owner();
  const { secret } = await addTotp(server, who);
  const lacking = await trySignIn(server, who.email, PASSWORD);
  assert.deepEqual([lacking.status, lacking.body.error], [403, 'second_factor_required']);
  assert.deepEqual(lacking.headers.getSetCookie(), []);
  const wrong = await trySignIn(server, who.email, PASSWORD, { code: '000000' });
  const unknown = await trySignIn(server, who.email, 'not it, not at all', { code: codeOf(secret) });
  assert.deepEqual([wrong.status, wrong.body.message], [401, unknown.body.message]);
  const code = codeOf(secret);
  const twenty = await atOnce(20, () => trySignIn(server, who.email, PASSWORD, { code }));
  assert.deepEqual(twenty.map(({ status }) => status).sort(), [200, ...Array(19).fill(401)]);
  assert.equal(
    (await rows("select from auth_events where user_id = $1 and method = 'password totp'", [who.userId]))
      .length,
    1,
  );
  const [row] = await rows(
    "select f::text as line from user_factors f where user_id = $1 and kind = 'totp'",
    [who.userId],
  );
  assert.ok(!row.line.includes(secret));
});

test('a recovery code takes the place of a code once, also of twenty at once; new ones end the old', async () => {
  const who = await owner();
  const { recoveryCodes } = await addTotp(server, who);
  assert.equal(new Set(recoveryCodes).size, 10);
  const [first, second, third] = recoveryCodes as [string, string, string];
  const answers = await atOnce(20, () => trySignIn(server, who.email, PASSWORD, { recoveryCode: first }));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(401)]);
  const typed = second.toLowerCase().replaceAll('-', ' ');
  assert.ok(isIn(await trySignIn(server, who.email, PASSWORD, { recoveryCode: typed })), 'as one types it');
  const renewed = await post('/v1/users/me/recovery-codes', undefined, who.headers);
  assert.equal(renewed.status, 201);
  assert.ok(!isIn(await trySignIn(server, who.email, PASSWORD, { recoveryCode: third })));
  assert.ok(
    isIn(await trySignIn(server, who.email, PASSWORD, { recoveryCode: renewed.body.recoveryCodes[9] })),
  );
});

test('a second factor counts from its first code on, asks for a fresh proof, and its removal is told by mail', async () => {
  const who = await owner();
  await beginTotp(server, who);
  assert.ok(isIn(await trySignIn(server, who.email, PASSWORD)), 'begun and not confirmed asks for nothing');
  const confirm = (code: string) => post('/v1/users/me/totp/confirm', { code }, who.headers);
  assert.equal((await confirm('000000')).status, 400);
  const { secret } = await addTotp(server, who);
  assert.equal((await confirm(codeOf(secret))).status, 409);
  assert.equal((await post('/v1/users/me/totp', undefined, who.headers)).status, 409);
  await rows("update user_sessions set proved_at = now() - interval '11 minutes' where user_id = $1", [
    who.userId,
  ]);
  const remove = (headers: Record<string, string>) =>
    call(`${server.url}/v1/users/me/totp`, 'DELETE', undefined, headers);
  assert.equal((await remove(who.headers)).body.error, 'proof_required');
  assert.equal(
    (await post('/v1/auth/prove', { password: PASSWORD }, who.headers)).body.error,
    'second_factor_required',
  );
  const proved = await post('/v1/auth/prove', { password: PASSWORD, code: codeOf(secret) }, who.headers);
  assert.equal(proved.status, 200, JSON.stringify(proved.body));
  const renewed = { ...who.headers, cookie: cookiesOf(proved, who.headers.cookie) };
  assert.equal((await remove(renewed)).status, 200);
  await mailTo(who.email, /second factor was removed/);
  assert.ok(isIn(await trySignIn(server, who.email, PASSWORD)));
});

test('of twenty who confirm a second factor at once with one code one does, and has the recovery codes', async () => {
  const who = await owner();
  const code = codeOf(await beginTotp(server, who));
  const answers = await atOnce(20, () => post('/v1/users/me/totp/confirm', { code }, who.headers));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(409)]);
  const { recoveryCodes } = answers.find(isIn)!.body;
  assert.ok(isIn(await trySignIn(server, who.email, PASSWORD, { recoveryCode: recoveryCodes[0] })));
  const added = await rows("select from auth_events where user_id = $1 and kind = 'totp_added'", [
    who.userId,
  ]);
  assert.equal(added.length, 1);
});

test('an owner whose week is over gets in again with a second factor', async () => {
  const who = await owner();
  await rows("update users set strong_since = now() - interval '8 days' where user_id = $1", [who.userId]);
  const sites = () => call(`${server.url}/v1/sites`, 'GET', undefined, who.headers);
  assert.equal((await sites()).body.error, 'second_factor_required');
  await addTotp(server, who);
  assert.equal((await sites()).status, 200);
});

test('a link for a new password comes by mail, works once, ends all sessions and leaves the second factor', async () => {
  const who = await owner();
  const { secret } = await addTotp(server, who);
  assert.equal((await post('/v1/auth/reset', { email: who.email.toUpperCase() })).status, 202);
  const text = await mailTo(who.email, /Choose a new password/);
  const token = /https:\/\/marketing\.example\/app\/#\/reset\/([\w-]{43})/.exec(text)![1]!;
  const reset = (newPassword: string) => post('/v1/auth/reset/confirm', { resetToken: token, newPassword });
  assert.equal((await reset('password1234')).status, 400, 'and a weak one does not use it up');
  const answers = await atOnce(20, () => reset('barley, hops and a cup'));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(19).fill(404)]);
  assert.equal((await call(`${server.url}/v1/users/me`, 'GET', undefined, who.headers)).status, 401);
  assert.ok(!isIn(await trySignIn(server, who.email, PASSWORD, { code: codeOf(secret) })));
  assert.equal(
    (await trySignIn(server, who.email, 'barley, hops and a cup')).body.error,
    'second_factor_required',
  );
  await mailTo(who.email, /password was changed/);
});

test('who asks for a new password learns nothing, and a link ends the one before and itself after ten minutes', async () => {
  const who = await owner();
  const known = await post('/v1/auth/reset', { email: who.email });
  const unknown = await post('/v1/auth/reset', { email: 'nobody@people.example' });
  const plain = ({ status, body }: Answer) => ({ status, body });
  assert.deepEqual(plain(known), plain(unknown));
  await mailTo(who.email, /Choose a new password/);
  const older = await resetToken(server, who.email);
  const newer = await resetToken(server, who.email);
  const reset = (resetToken: string) =>
    post('/v1/auth/reset/confirm', { resetToken, newPassword: 'barley, hops and a cup' });
  assert.equal((await reset(older)).status, 404);
  await rows('update one_time_links set expires_at = now() where user_id = $1', [who.userId]);
  assert.equal((await reset(newer)).status, 404);
  assert.ok(!mails.some(({ to }) => to === 'nobody@people.example'));
});

test('a new browser, a fifth failure and another address are told by mail, in the language of the account', async () => {
  const who = await owner();
  await call(`${server.url}/v1/users/me`, 'PATCH', { language: 'fr' }, who.headers);
  const again = signedIn(await trySignIn(server, who.email, PASSWORD, {}, who.headers));
  await signIn(server, who.email, PASSWORD);
  await mailTo(who.email, /nouveau navigateur/);
  assert.equal(
    mails.filter(({ to, text }) => to === who.email && /navigateur/.test(text)).length,
    1,
    'the known one is not',
  );
  for (let i = 0; i < 5; i += 1) await trySignIn(server, who.email, 'wrong, as wrong can be');
  await mailTo(who.email, /mauvais mots de passe/);
  const asked = await post('/v1/users/me/email', { email: `new-${who.email}` }, again.headers);
  assert.equal(asked.status, 202);
  const emailToken = tokenIn(await mailTo(`new-${who.email}`, /votre adresse/));
  assert.equal((await post('/v1/auth/email/confirm', { emailToken })).status, 200);
  await mailTo(who.email, /une autre adresse/);
});

test('a new address counts once the mail to it was answered, once, within an hour, and only the newest', async () => {
  const who = await owner();
  const other = await owner();
  const ask = (email: string) => post('/v1/users/me/email', { email }, who.headers);
  const confirm = (emailToken: string) => post('/v1/auth/email/confirm', { emailToken });
  const first = `first-${who.email}`;
  assert.equal((await ask(first)).status, 202);
  const older = tokenIn(await mailTo(first, /Is this your address/));
  assert.ok(isIn(await trySignIn(server, who.email, PASSWORD)), 'until then the one from before counts');
  assert.ok(!isIn(await trySignIn(server, first, PASSWORD)));
  const second = `second-${who.email}`;
  await ask(second);
  const newer = tokenIn(await mailTo(second, /Is this your address/));
  assert.equal((await confirm(older)).status, 404);
  const twenty = await Promise.all(Array.from({ length: 20 }, () => confirm(newer)));
  assert.deepEqual(twenty.map(({ status }) => status).sort(), [200, ...Array(19).fill(404)]);
  assert.ok(isIn(await trySignIn(server, second, PASSWORD)));
  assert.ok(!isIn(await trySignIn(server, who.email, PASSWORD)));
  // who asks for an address that has an account is answered as for any other
  assert.equal((await ask(other.email)).status, 202);
  const taken = tokenIn(await mailTo(other.email, /Is this your address/));
  assert.equal((await confirm(taken)).status, 409);
  const late = `late-${who.email}`;
  await ask(late);
  const tooLate = tokenIn(await mailTo(late, /Is this your address/));
  await rows("update one_time_links set expires_at = now() where kind = 'email'");
  assert.equal((await confirm(tooLate)).status, 404);
});

test('an invitation for an address is mailed to it', async () => {
  const { body } = await post('/v1/invitations', { role: 'viewer', email: 'guest@people.example' }, admin);
  assert.ok((await mailTo('guest@people.example', /You are invited/)).includes(body.link));
});
