// A shared view in a frame, in a real browser: on the page that it names its numbers are seen, on any other nothing is.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';
import { storeTraffic } from '../../../demo/store.ts';
import { complaintsOf } from '../../../test/axe.ts';
import { launchChromium, until } from '../../../test/chromium.ts';
import { setupToken } from '../../../test/people.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { freePort } from '../../ground/db/embedded.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { rollUp } from '../metrics/rollup.ts';

const today = dayOf(Date.now());
let server: TestServer;
let browser: Browser;
/** Pages of a shop, and of its sibling under the same name: another port is another origin. */
let shop: Server;
let sibling: Server;
/** What their pages hold. */
let line = '';
/** What is measured is a site under another name than the API's, as it is for a third party. */
let named: string;
let others: string[];

const portOf = (one: Server) => (one.address() as AddressInfo).port;
async function pages(): Promise<Server> {
  const one = createServer((_request, response) =>
    response
      .setHeader('content-type', 'text/html; charset=utf-8')
      .end(`<!doctype html><html lang="en"><title>Shop</title><h1>Our numbers</h1>${line}</html>`),
  );
  await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
  return one;
}

before(async () => {
  const port = await freePort();
  [server, browser, shop, sibling] = await Promise.all([
    startServer({ PORT: String(port), PUBLIC_URL: `http://127.0.0.1:${port}` }),
    launchChromium(BROWSER),
    pages(),
    pages(),
  ]);
  named = `http://www.shop.localhost:${portOf(shop)}`;
  others = [`http://www.shop.localhost:${portOf(sibling)}`, `http://shop.localhost:${portOf(shop)}`];
  const { siteId } = server.services.sites.fallback();
  const [first, last] = [addDays(today, -40), today];
  await storeTraffic(server.services.db, {
    siteId,
    seed: 'crumb',
    first,
    last,
    until: Date.now(),
    visitorsPerDay: 6,
  });
  await rollUp(server.services.db, { siteIds: [siteId] });
});
after(async () => {
  await browser?.close();
  shop?.close();
  sibling?.close();
  await server?.end();
});

const share = async (more: object = {}) => {
  const at = `${server.url}/v1/sites/default/shares`;
  const { status, body } = await call(at, 'POST', { name: 'our pages', embed: [named], ...more }, admin);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
};
const revoke = (shareId: string) =>
  call(`${server.url}/v1/sites/default/shares/${shareId}`, 'DELETE', undefined, admin);
const frameOf = (link: string) =>
  `<iframe src="${link}" title="Numbers" width="100%" height="1200"></iframe>`;

/** A browser that keeps nothing for frames of others, and tells who tried. */
async function strict(): Promise<BrowserContext> {
  const context = await browser.newContext({ locale: 'en-CA' });
  await context.addInitScript(`
    globalThis.touched = [];
    const refuse = (what, name) => {
      const fail = () => { touched.push(name); throw new DOMException('kept from third parties', 'SecurityError'); };
      Object.defineProperty(what, name, { get: fail, set: fail });
    };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) refuse(globalThis, name);
    refuse(document, 'cookie');
  `);
  return context;
}
function watched(page: Page): string[] {
  const bad: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().includes('favicon')) bad.push(message.text());
  });
  page.on('pageerror', (error) => bad.push(String(error)));
  return bad;
}
const inFrame = (page: Page): FrameLocator => page.frameLocator('iframe');
const tileIn = async (frame: FrameLocator, name: string) =>
  (await frame.locator('.tile', { hasText: name }).locator('.value').first().textContent())!;
const numbersStand = (page: Page) => inFrame(page).locator('.panel').first().waitFor();
/** Waits until the browser refused what the frame asked for. */
const isRefused = (page: Page) =>
  until('the browser refuses the frame', () =>
    page.frames().some((frame) => frame.url().startsWith('chrome-error:')),
  );

test('on the page that it names a frame shows the API’s own numbers, with nothing around them and nothing kept in the browser', async () => {
  const { embedLink, token } = await share();
  line = frameOf(embedLink);
  const context = await strict();
  const page = await context.newPage();
  const bad = watched(page);
  const asked: { url: string; headers: Record<string, string> }[] = [];
  page.on('request', (request) => asked.push({ url: request.url(), headers: request.headers() }));
  await page.goto(named);
  await numbersStand(page);
  const frame = inFrame(page);
  const range = { from: addDays(today, -30), to: addDays(today, -1) };
  const query = new URLSearchParams({ ...range, propertyId: 'default' });
  const { body } = await call(`${server.url}/v1/metrics/page?${query}`, 'GET', undefined, admin);
  const visitors = String(body.summary.metrics.uniqueVisitors.value);
  assert.notEqual(visitors, '0');
  assert.equal((await tileIn(frame, 'Visitors')).replace(/\D/g, ''), visitors);
  assert.equal(await frame.getByRole('heading', { name: 'Default site' }).count(), 1);
  for (const around of ['navigation', 'banner'] as const)
    assert.equal(await frame.getByRole(around).count(), 0, around);
  assert.equal(await frame.locator('a').count(), 0, 'nothing leads to where no frame may go');

  // letters belong to the page around; what is chosen in the frame leaves that page's way back alone
  const before = await page.evaluate('history.length');
  await frame.getByRole('heading').first().click();
  await page.keyboard.press('w');
  assert.equal(await frame.getByLabel('Days', { exact: true }).inputValue(), '30d');
  await frame.getByLabel('Days', { exact: true }).selectOption('7d');
  await until('seven days are asked for', () =>
    asked.some(({ url }) => url.includes(`from=${addDays(today, -7)}`)),
  );
  await frame.locator('[aria-busy=false]').waitFor();
  assert.equal(await page.evaluate('history.length'), before);

  // a browser that loads the frame's page again still has what it needs
  const inner = page.frames().find((one) => one !== page.mainFrame())!;
  await inner.evaluate('location.reload()');
  await numbersStand(page);
  assert.deepEqual(await inner.evaluate('touched'), []);
  assert.deepEqual(await context.cookies(server.url), []);
  for (const { url, headers } of asked) {
    assert.ok(!url.split('#')[0]!.includes(token), url);
    assert.ok(!headers.cookie && !headers.referer?.includes(token), url);
  }
  assert.deepEqual(bad, []);
  await context.close();
});

test('on a page of another origin, be it the same name at another port, the frame stays empty', async () => {
  const { embedLink } = await share();
  for (const [where, link] of [
    ...others.map((origin) => [origin, embedLink] as const),
    // nor does the named page frame anything else of the dashboard, or its view under another path
    [named, embedLink.replace('/embed/', '/default/')] as const,
    [named, embedLink.replace(/embed\/[^#]+/, '')] as const,
    [named, `${server.url}/app/default/overview`] as const,
    [named, `${server.url}/app/`] as const,
  ]) {
    line = frameOf(link);
    const context = await browser.newContext();
    const page = await context.newPage();
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(where);
    await isRefused(page);
    assert.ok(!(await inFrame(page).locator('body').textContent())!.includes('Default site'), link);
    assert.deepEqual(
      asked.filter((path) => path.startsWith('/v1/') || path.startsWith('/app/-/')),
      [],
      'nothing of it was even loaded',
    );
    await context.close();
  }
});

test('revoked, it is in no frame from the next load on, and in an open one shows nothing more', async () => {
  const { embedLink, share: made } = await share();
  line = frameOf(embedLink.replace('#', '?range=7d#'));
  const context = await browser.newContext({ locale: 'en-CA' });
  const page = await context.newPage();
  await page.goto(named);
  await numbersStand(page);
  const days = inFrame(page).getByLabel('Days', { exact: true });
  assert.equal(await days.inputValue(), '7d', 'the line may say which days');
  await revoke(made.shareId);
  await days.selectOption('30d');
  await inFrame(page).getByRole('alert').waitFor();
  await page.reload();
  await isRefused(page);
  // at its own address it says why
  await page.goto(embedLink);
  await page.getByText('was revoked').waitFor();
  await context.close();
});

test('a frame is for its own view: with another one’s token, or a link of another kind, it shows none', async () => {
  const one = await share();
  const other = await share({ embed: [] });
  const page = await (await browser.newContext({ locale: 'en-CA' })).newPage();
  const at = (fragment: string) => one.embedLink.replace(/#.*/, fragment);
  line = frameOf(at(`#/share/${other.token}`));
  await page.goto(named);
  await inFrame(page).getByText('This link is not the one that this frame is for').waitFor();
  for (const fragment of ['', `#/setup/${await setupToken(server)}`, `#/reset/${'x'.repeat(43)}`]) {
    line = frameOf(at(fragment));
    await page.goto(named);
    await inFrame(page).getByText('This link is not known').waitFor();
    assert.equal(await inFrame(page).locator('input').count(), 0, fragment);
  }
  await page.context().close();
});

test('a password is asked for in the frame, without taking the page’s focus, and kept in its memory alone', async () => {
  const { embedLink } = await share({ password: 'asked for beside it' });
  line = frameOf(embedLink);
  const context = await strict();
  const page = await context.newPage();
  await page.goto(named);
  await inFrame(page).getByLabel('Password').waitFor();
  assert.equal(await page.evaluate('document.activeElement.tagName'), 'BODY');
  await inFrame(page).getByLabel('Password').fill('asked for beside it');
  await inFrame(page).getByRole('button', { name: 'Show' }).click();
  await numbersStand(page);
  const inner = page.frames().find((frame) => frame !== page.mainFrame())!;
  assert.deepEqual(await inner.evaluate('touched'), []);
  await context.close();
});

test('a site’s settings make the link and the line for a page, for as long and with as much as was chosen; and the line works', async () => {
  const context = await browser.newContext({ locale: 'en-CA', bypassCSP: true });
  const page = await context.newPage();
  await page.goto(`${server.url}/app/#/setup/${await setupToken(server)}`);
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Email address').fill('ada@people.example');
  await page.getByLabel('New password').fill('rye, oats and a spoon');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
  await page.goto(`${server.url}/app/default/settings`);
  const card = page.locator('section.card', { has: page.getByRole('heading', { name: 'Links for others' }) });
  await card.getByLabel('For whom').fill('our own pages');
  await card.getByLabel('It works for').selectOption('7 days');
  await card.getByLabel('without what it cost and earned').check();
  await card.getByLabel('with who is there right now').uncheck();
  await card.getByLabel('Pages that may show it in a frame').fill('http://shop.example');
  await card.getByRole('button', { name: 'Make a link' }).click();
  await card.getByText('an origin such as https://www.example.com').waitFor();
  await card
    .getByLabel('Pages that may show it in a frame')
    .fill(`${named}/about-us, www.a-shop-whose-name-is-longer-than-a-telephone.example/de/preise`);
  await card.getByRole('button', { name: 'Make a link' }).click();
  line = await card.getByLabel('The line for your page').inputValue();
  await card
    .getByText(`in frames of ${named}, https://www.a-shop-whose-name-is-longer-than-a-telephone.example`)
    .waitFor();
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 900 });
    assert.deepEqual(await complaintsOf(page), [], `${width}`);
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
    assert.ok(wide <= width, `${wide} wide`);
  }
  const { body } = await call(`${server.url}/v1/sites/default/shares`, 'GET', undefined, admin);
  const [made] = body.shares;
  assert.deepEqual([made.name, made.views, made.hideMoney], ['our own pages', ['page'], true]);
  assert.equal(dayOf(Date.parse(made.expiresAt)), dayOf(Date.parse(made.createdAt) + 7 * 86_400_000));

  // in the very browser that is signed in, too: what is seen is what the link shows
  await page.goto(named);
  await numbersStand(page);
  assert.equal(await tileIn(inFrame(page), 'Cost per lead'), '–');
  assert.equal(await inFrame(page).locator('.live').count(), 0);
  await context.close();
});

test('somebody who is signed in sees through a link what it shows, and no more once it is revoked', async () => {
  const { link, share: made } = await share({ views: ['page'] });
  const context = await browser.newContext({ locale: 'en-CA' });
  const page = await context.newPage();
  await page.goto(`${server.url}/app/`);
  await page.getByLabel('Email address').fill('ada@people.example');
  await page.getByLabel('Password').fill('rye, oats and a spoon');
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
  const shown = await context.newPage();
  await shown.goto(link);
  await shown.locator('.panel').first().waitFor();
  await revoke(made.shareId);
  await shown.getByLabel('Days', { exact: true }).selectOption('7d');
  await shown.getByRole('alert').waitFor();
  await context.close();
});
