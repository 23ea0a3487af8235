// People who sign in, as browsers do it: by the pages of the API's own origin, with the cookie they were given.
import assert from 'node:assert/strict';
import { Secret, TOTP } from 'otpauth';
import { setupLink } from '../src/product/accounts/first-owner.ts';
import { inAccounts } from '../src/product/accounts/in-accounts.ts';
import { makeEmailLink } from '../src/product/accounts/links.ts';
import { resetFromMachine } from '../src/product/accounts/machine.ts';
import type { Authenticator } from './authenticator.ts';
import { type Answer, call, type TestServer } from './server.ts';

export interface SignedIn {
  userId: string;
  sessionId: string;
  /** Of a browser that is signed in, on a page of ours. */
  headers: Record<string, string>;
}

export const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };

/** What a browser keeps of an answer, as it sends it again; on top of what it had. */
export function cookiesOf(answer: Answer, before = ''): string {
  const jar = new Map(before ? before.split('; ').map((pair) => pair.split('=') as [string, string]) : []);
  for (const line of answer.headers.getSetCookie()) {
    const [pair = ''] = line.split(';');
    const at = pair.indexOf('=');
    if (line.includes('Max-Age=0')) jar.delete(pair.slice(0, at));
    else jar.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
}

export function signedIn(answer: Answer, before = ''): SignedIn {
  assert.ok(answer.status < 300, JSON.stringify(answer.body));
  return {
    userId: answer.body.user.userId,
    sessionId: answer.body.session.sessionId,
    headers: { cookie: cookiesOf(answer, before), ...OWN_PAGE },
  };
}

/** So many at once. Who finds no place among the passwords that wait asks again, as they are told to. */
export const atOnce = (count: number, work: (i: number) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(
    Array.from({ length: count }, async (_, i) => {
      for (;;) {
        const answer = await work(i);
        if (answer.status !== 503) return answer;
        await new Promise((done) => setTimeout(done, 20));
      }
    }),
  );

/** Of the link that only the machine gives. */
export async function setupToken(server: TestServer): Promise<string> {
  const link = await setupLink(server.services.db, undefined);
  return link.split('/').at(-1)!;
}

export const signUpWith = (
  server: TestServer,
  inviteToken: string,
  email: string,
  password: string,
  more: Record<string, unknown> = {},
): Promise<Answer> =>
  call(
    `${server.url}/v1/auth/signup`,
    'POST',
    { inviteToken, email, fullName: 'Somebody', password, ...more },
    OWN_PAGE,
  );

export const newOwner = async (server: TestServer, email: string, password: string): Promise<SignedIn> =>
  signedIn(await signUpWith(server, await setupToken(server), email, password));

export const trySignIn = (
  server: TestServer,
  email: string,
  password: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = OWN_PAGE,
): Promise<Answer> => call(`${server.url}/v1/auth/login`, 'POST', { email, password, ...more }, headers);

export const signIn = async (server: TestServer, email: string, password: string): Promise<SignedIn> =>
  signedIn(await trySignIn(server, email, password));

/** What an app shows at this moment; or so many steps of thirty seconds from now. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 });

/** returns  the secret of a second factor that is not confirmed yet */
export async function beginTotp(server: TestServer, { headers }: SignedIn): Promise<string> {
  const { status, body } = await call(`${server.url}/v1/users/me/totp`, 'POST', undefined, headers);
  assert.equal(status, 201, JSON.stringify(body));
  return body.secret;
}

/** returns  the secret, whose code of the step before now was used to confirm it, and the recovery codes */
export async function addTotp(
  server: TestServer,
  who: SignedIn,
): Promise<{ secret: string; recoveryCodes: string[] }> {
  const secret = await beginTotp(server, who);
  const url = `${server.url}/v1/users/me/totp/confirm`;
  const confirm = () => call(url, 'POST', { code: codeOf(secret, -1) }, who.headers);
  let answer = await confirm();
  if (answer.status !== 200) answer = await confirm(); // the step ended in between
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return { secret, recoveryCodes: answer.body.recoveryCodes };
}

/** Of the link that the machine prints. */
export async function resetToken(server: TestServer, email: string): Promise<string> {
  const { db, accounts } = server.services;
  return (await resetFromMachine(db, accounts.vault(), email, undefined)).split('/').at(-1)!;
}

/** Of the mail to an account's new address. */
export const emailToken = (server: TestServer, userId: string, email: string): Promise<string> => {
  const { db, accounts } = server.services;
  return inAccounts(db, (tx) => makeEmailLink(tx, accounts.vault(), userId, email));
};

/** An example with `now SECRET` where it means the code of the moment it is sent. */
export const timely = <T>(example: T): T =>
  JSON.parse(JSON.stringify(example).replace(/"now ([A-Z2-7]+)"/g, (_, secret) => `"${codeOf(secret)}"`));

/** returns  the device that holds it, its id, and recovery codes where there were none */
export async function addPasskey(
  server: TestServer,
  { headers }: SignedIn,
  device: Authenticator,
  name = 'A telephone',
): Promise<{ passkeyId: string; recoveryCodes: string[] | null }> {
  const url = `${server.url}/v1/users/me/passkeys`;
  const { options } = (await call(`${url}/options`, 'POST', undefined, headers)).body;
  const { status, body } = await call(url, 'POST', { name, response: device.create(options) }, headers);
  assert.equal(status, 201, JSON.stringify(body));
  return { passkeyId: body.passkey.passkeyId, recoveryCodes: body.recoveryCodes };
}

/** What a device has to sign to let its person in. */
export async function passkeyOptions(server: TestServer): Promise<{ challenge: string; rpId: string }> {
  const { body } = await call(`${server.url}/v1/auth/passkey/options`, 'POST', undefined, OWN_PAGE);
  return body.options;
}
