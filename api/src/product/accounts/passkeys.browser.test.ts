// A real Chromium with a device of its own (CDP) makes a passkey and signs in with it, on a page of ours and on a sibling's.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../../../test/chromium.ts';
import { newOwner, setupToken } from '../../../test/people.ts';
import { BROWSER, startServer, type TestServer } from '../../../test/server.ts';
import { freePort } from '../../ground/db/embedded.ts';

const EMAIL = 'ada@people.example';
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
let browser: Browser;
let api: string;
let sibling: Server;
let evil: string;
before(async () => {
  const port = await freePort();
  api = `http://shop.localhost:${port}`;
  server = await startServer({ PORT: String(port), PUBLIC_URL: api });
  await newOwner(server, EMAIL, PASSWORD);
  sibling = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>shop</title><body></body>'),
  );
  await new Promise<void>((done) => sibling.listen(0, '127.0.0.1', done));
  evil = `http://www.shop.localhost:${(sibling.address() as AddressInfo).port}`;
  browser = await launchChromium(BROWSER);
});
after(async () => {
  await browser?.close();
  sibling?.close();
  await server?.end();
});

// as text: these run in the page, whose types are not ours
const IN_PAGE = `
  const post = async (path, body) => {
    const answer = await fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });
    return { status: answer.status, body: await answer.json() };
  };
  const parse = (kind, options) => PublicKeyCredential['parse' + kind + 'OptionsFromJSON'](options);
  const create = async () => {
    const { body } = await post('/v1/users/me/passkeys/options');
    return (await navigator.credentials.create({ publicKey: parse('Creation', body.options) })).toJSON();
  };
  const use = async () => {
    const { body } = await post('/v1/auth/passkey/options');
    return (await navigator.credentials.get({ publicKey: parse('Request', body.options) })).toJSON();
  };`;
interface Said {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  body: any;
}
const inPage = <T = Said>(page: Page, work: string): Promise<T> =>
  page.evaluate(`(async () => { ${IN_PAGE} ${work} })()`) as Promise<T>;

/** isVerified  whether it checks who its person is (a finger, a PIN) and finds them right */
async function withDevice(context: BrowserContext, isVerified = true): Promise<Page> {
  const page = await context.newPage();
  const device = await context.newCDPSession(page);
  await device.send('WebAuthn.enable');
  await device.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: isVerified,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(`${api}/livez`);
  return page;
}
const signIn = (page: Page) =>
  inPage(
    page,
    `return post('/v1/auth/login', ${JSON.stringify({ email: EMAIL, password: PASSWORD, recoveryCode: codes.pop() })})`,
  );
/** Recovery codes that the first passkey was answered with. */
const codes: string[] = [];

/** A context in which a passkey was made, and nobody is signed in any more. */
async function withPasskey(): Promise<{ context: BrowserContext; page: Page }> {
  const context = await browser.newContext();
  const page = await withDevice(context);
  assert.equal((await signIn(page)).status, 200);
  const added = await inPage(
    page,
    `return post('/v1/users/me/passkeys', { name: 'Chromium', response: await create() })`,
  );
  assert.equal(added.status, 201, JSON.stringify(added.body));
  codes.push(...(added.body.recoveryCodes ?? []));
  await inPage(page, `return post('/v1/auth/logout')`);
  return { context, page };
}

test('a browser makes a passkey and signs in with it, proves with it, and what it signed is good once', async () => {
  const { context, page } = await withPasskey();
  const answers = await inPage<Said[]>(
    page,
    `const response = await use();
     const first = await post('/v1/auth/passkey', { response });
     const again = await post('/v1/auth/passkey', { response });
     const proved = await post('/v1/auth/prove/passkey', { response: await use() });
     const me = await fetch('/v1/users/me');
     return [first, again, proved, { status: me.status, body: await me.json() }]`,
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 401, 200, 200],
    JSON.stringify(answers),
  );
  assert.equal(answers[3]!.body.user.email, EMAIL);
  await context.close();
});

/** Each field that a browser and its device say, as it would have to be changed to be worth something to another. */
const CHANGES = {
  type: `said.type = 'webauthn.create'`,
  challenge: `said.challenge = (await post('/v1/auth/passkey/options')).body.options.challenge`,
  origin: `said.origin = ${JSON.stringify('https://www.shop.localhost')}`,
  rpIdHash: `data[0] ^= 1`,
  flags: `data[32] ^= 4`,
  counter: `data[36] ^= 1`,
  signature: `signature[8] ^= 1`,
  id: `id[3] ^= 1`,
  userHandle: `handle[3] ^= 1`,
};

test('every field of what a browser signed counts', async () => {
  const { context, page } = await withPasskey();
  const answers = await inPage<Record<string, number>>(
    page,
    `const bytes = (text) => Uint8Array.fromBase64(text, { alphabet: 'base64url' });
     const base64url = (all) => all.toBase64({ alphabet: 'base64url', omitPadding: true });
     const changed = async (change) => {
       const given = await use();
       const { clientDataJSON, authenticatorData, userHandle } = given.response;
       const said = JSON.parse(new TextDecoder().decode(bytes(clientDataJSON)));
       const [data, signature, id, handle] = [authenticatorData, given.response.signature, given.id, userHandle].map(bytes);
       await change({ said, data, signature, id, handle });
       return {
         ...given, id: base64url(id), rawId: base64url(id),
         response: {
           ...given.response,
           clientDataJSON: base64url(new TextEncoder().encode(JSON.stringify(said))),
           authenticatorData: base64url(data), signature: base64url(signature), userHandle: base64url(handle),
         },
       };
     };
     const statuses = {};
     const status = async (change) => (await post('/v1/auth/passkey', { response: await changed(change) })).status;
     ${Object.entries(CHANGES)
       .map(
         ([field, change]) =>
           `statuses.${field} = await status(async ({ said, data, signature, id, handle }) => { ${change}; });`,
       )
       .join('\n')}
     statuses.nothing = await status(() => {});
     return statuses;`,
  );
  const refused = Object.keys(CHANGES).map((field) => [field, 401]);
  assert.deepEqual(answers, { ...Object.fromEntries(refused), nothing: 200 });
  await context.close();
});

test('a device that does not check its person makes and opens nothing', async () => {
  const context = await browser.newContext();
  const page = await withDevice(context, false);
  assert.equal((await signIn(page)).status, 200);
  const said = await inPage<string>(page, `return create().then(() => 'made', (error) => error.name)`);
  assert.equal(said, 'NotAllowedError');
  await context.close();
});

test('a sibling’s page gets a browser to sign for our name, and is refused for its origin', async () => {
  const { context, page } = await withPasskey();
  const { body } = await inPage(page, `return post('/v1/auth/passkey/options')`);
  await page.goto(evil);
  const signed = await inPage<object | string>(
    page,
    `return navigator.credentials.get({ publicKey: parse('Request', ${JSON.stringify(body.options)}) })
       .then((one) => one.toJSON(), (error) => error.name)`,
  );
  assert.equal(typeof signed, 'object', `the name above its own is one it may ask for: ${signed}`);
  await page.goto(`${api}/livez`);
  const answer = await inPage(
    page,
    `return post('/v1/auth/passkey', { response: ${JSON.stringify(signed)} })`,
  );
  assert.equal(answer.status, 401);
  await context.close();
});

// {fmt: 'none', attStmt: {}, authData}: what comes first in authData is the hash of our name, then flags
const HASH_AT = 30;
const JOIN = `
  const changed = (text, at, bits) => {
    const all = Uint8Array.fromBase64(text, { alphabet: 'base64url' });
    all[at] ^= bits;
    return all.toBase64({ alphabet: 'base64url', omitPadding: true });
  };
  const join = async (who, field) => {
    const { options } = (await post('/v1/auth/signup/options', who)).body;
    const response = (await navigator.credentials.create({ publicKey: parse('Creation', options) })).toJSON();
    const made = response.response;
    let userHandle = options.user.id;
    if (field === 'id') response.id = response.rawId = changed(response.id, 3, 1);
    if (field === 'clientDataJSON') made.clientDataJSON = changed(made.clientDataJSON, 30, 1);
    if (field === 'rpIdHash') made.attestationObject = changed(made.attestationObject, ${HASH_AT}, 1);
    if (field === 'flags') made.attestationObject = changed(made.attestationObject, ${HASH_AT + 32}, 4);
    if (field === 'userHandle') userHandle = changed(userHandle, 3, 1);
    return (await post('/v1/auth/signup', { ...who, passkey: { name: 'Chromium', userHandle, response } })).status;
  };`;

test('a browser joins by a passkey, each field of what it made counts, and it signs in with it', async () => {
  const context = await browser.newContext();
  const who = { inviteToken: await setupToken(server), email: 'kim@people.example', fullName: 'Kim' };
  const join = (page: Page, field: string) =>
    inPage<number>(page, `${JOIN} return join(${JSON.stringify(who)}, '${field}')`);
  for (const field of ['id', 'clientDataJSON', 'rpIdHash', 'flags', 'userHandle']) {
    const page = await withDevice(context);
    assert.equal(await join(page, field), 400, field);
    await page.close();
  }
  const page = await withDevice(context);
  assert.equal(await join(page, 'nothing'), 201);
  const again = await inPage(
    page,
    `await post('/v1/auth/logout');
     return post('/v1/auth/passkey', { response: await use() })`,
  );
  assert.equal(again.status, 200);
  await context.close();
});

test('the dashboard’s page of a link offers a passkey in the place of a password', async () => {
  const context = await browser.newContext({ locale: 'en-CA' });
  const page = await withDevice(context);
  await page.goto(`${api}/app/#/setup/${await setupToken(server)}`);
  await page.getByRole('button', { name: 'With a passkey instead of a password' }).click();
  await page.getByLabel('Your name').fill('Lee');
  await page.getByLabel('Email address').fill('lee@people.example');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Recovery codes' }).waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
  const me = await inPage<{ user: { email: string; secondFactor: boolean } }>(
    page,
    `return (await fetch('/v1/users/me')).json()`,
  );
  assert.deepEqual([me.user.email, me.user.secondFactor], ['lee@people.example', true]);
  await context.close();
});
