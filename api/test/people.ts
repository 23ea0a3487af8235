// People who sign in, as browsers do it: by the pages of the API's own origin, with the cookie they were given.
import assert from 'node:assert/strict';
import { setupLink } from '../src/product/accounts/first-owner.ts';
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
