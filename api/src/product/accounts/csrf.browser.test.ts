// A real browser on a page of a sibling's name, which is same-site with the API: nothing it tries has an effect.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium, until } from '../../../test/chromium.ts';
import { newOwner } from '../../../test/people.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { freePort } from '../../ground/db/embedded.ts';

const EMAIL = 'ada@people.example';
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
let sibling: Server;
let browser: Browser;
let api: string;
let evil: string;
before(async () => {
  const port = await freePort();
  api = `http://api.shop.localhost:${port}`;
  server = await startServer({ PORT: String(port), PUBLIC_URL: api });
  sibling = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>shop</title><body></body>'),
  );
  await new Promise<void>((done) => sibling.listen(0, '127.0.0.1', done));
  evil = `http://www.shop.localhost:${(sibling.address() as AddressInfo).port}`;
  // the measured site itself, whose origin CORS lets read answers
  await call(`${server.url}/v1/sites`, 'POST', { key: 'shop', origins: [evil] }, admin);
  await newOwner(server, EMAIL, PASSWORD);
  browser = await launchChromium(BROWSER);
});
after(async () => {
  await browser?.close();
  sibling?.close();
  await server?.end();
});

interface How {
  method?: string;
  credentials?: 'include';
  mode?: 'no-cors';
  headers?: Record<string, string>;
  body?: string;
}

/** Fetches on the page it is on; the status, or why there is none. */
const fetchOn = (page: Page, url: string, init: How = {}): Promise<string> =>
  page.evaluate(
    ([to, how]) =>
      fetch(to, how).then(
        (answer) => String(answer.status || answer.type),
        (error) => String(error.name),
      ),
    [url, init] as const,
  );

async function signedIn(context: BrowserContext): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${api}/livez`);
  const login = await fetchOn(page, `${api}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: EMAIL, password: PASSWORD }),
  });
  assert.equal(login, '200');
  return page;
}

/** What changes when something had an effect. */
async function state(): Promise<unknown> {
  const { rows } = await server.database.owner.query(
    `select (select count(*)::int from user_sessions) as sessions, (select count(*)::int from auth_events) as events,
       (select count(*)::int from sites) as sites, (select count(*)::int from api_keys) as keys, (select max(language) from users) as language`,
  );
  return rows[0];
}

test('form, fetch, beacon, image and navigation on a sibling’s page have no effect, and read nothing', async () => {
  const context = await browser.newContext();
  const own = await signedIn(context);
  assert.equal(await fetchOn(own, `${api}/v1/users/me`), '200', 'on a page of ours the session counts');
  const cookies = await context.cookies(api);
  assert.deepEqual(
    cookies.map(({ name, httpOnly, sameSite, secure }) => [name, httpOnly, sameSite, secure]).sort(),
    [
      ['__Host-device', true, 'Strict', true],
      ['__Host-session', true, 'Strict', true],
    ],
  );
  const before = await state();
  const page = await context.newPage();
  const answered: { url: string; status: number }[] = [];
  page.on('response', (answer) => {
    if (answer.url().startsWith(api)) answered.push({ url: answer.url(), status: answer.status() });
  });
  await page.goto(evil);
  // same-site, so the browser does send the cookie: what keeps it out is the check of where the page is
  for (const [path, init] of [
    ['/v1/users/me', { credentials: 'include', mode: 'no-cors' }],
    ['/v1/users/me', { credentials: 'include' }],
    ['/v1/auth/logout', { method: 'POST', credentials: 'include', mode: 'no-cors' }],
    ['/v1/auth/logout', { method: 'POST', credentials: 'include' }],
    ['/v1/users/me/sessions', { method: 'DELETE', credentials: 'include' }],
    [
      '/v1/keys',
      { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{"name":"x","scopes":["read"]}' },
    ],
    [
      '/v1/users/me',
      {
        method: 'PATCH',
        credentials: 'include',
        headers: { 'content-type': 'application/json' },
        body: '{"language":"fr"}',
      },
    ],
  ] as [string, How][]) {
    const said = await fetchOn(page, api + path, init);
    assert.ok(!said.startsWith('2'), `${init.method ?? 'GET'} ${path}: ${said}`);
  }
  // as text: these run in the page, whose types are not ours
  const inPage = (script: string) => page.evaluate(script);
  await inPage(
    `new Promise((done) => Object.assign(new Image(), { src: '${api}/v1/users/me', onload: done, onerror: done }))`,
  );
  // a beacon says nothing of its answer to its page; the browser is told of it
  const seen = answered.length;
  for (const path of ['/v1/auth/logout', '/v1/sites', '/v1/users/me/totp', '/v1/users/me/recovery-codes'])
    assert.equal(await inPage(`navigator.sendBeacon('${api}${path}', '{}')`), true);
  await until('the beacons are answered', async () => answered.length >= seen + 4);
  for (const [method, path, enctype] of [
    ['post', '/v1/auth/logout', 'text/plain'],
    ['post', '/v1/sites', 'text/plain'],
    ['post', '/v1/users/me/password', 'application/x-www-form-urlencoded'],
    ['get', '/v1/users/me', ''],
  ] as const) {
    await page.goto(evil);
    await Promise.all([
      page.waitForURL(`${api}/**`),
      inPage(
        `const form = document.createElement('form');
        Object.assign(form, { method: '${method}', action: '${api}${path}', enctype: '${enctype}' });
        document.body.append(form); form.submit()`,
      ),
    ]);
  }
  await page.goto(evil);
  await Promise.all([page.waitForURL(`${api}/**`), inPage(`location.href = '${api}/v1/users/me'`)]);
  assert.ok(answered.length >= 8);
  // without the cookie it would be 401: the browser did send it, and it did not count
  assert.deepEqual(
    answered.filter(({ status }) => status !== 403),
    [],
  );
  assert.deepEqual(await state(), before);
  assert.equal(await fetchOn(own, `${api}/v1/users/me`), '200', 'and the session goes on');
  await context.close();
});

test('a cookie that a sibling’s page tosses is not looked at, and leaves the one that counts', async () => {
  const context = await browser.newContext();
  const own = await signedIn(context);
  const page = await context.newPage();
  await page.goto(evil);
  for (const name of ['session', '__Host-session', 'device'])
    await page.evaluate(`document.cookie = '${name}=tossed; domain=shop.localhost; path=/'`);
  const tossed = (await context.cookies(api)).filter(({ value }) => value === 'tossed');
  assert.ok(tossed.length > 0, 'the browser does send what a sibling set, under names that it may');
  assert.ok(!tossed.some(({ name }) => name.startsWith('__Host-')));
  assert.equal(await fetchOn(own, `${api}/v1/users/me`), '200');
  await context.close();
});
