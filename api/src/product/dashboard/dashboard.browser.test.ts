// The dashboard in a real browser: every page in both themes, both languages and three widths, by keyboard, with the API's
// own numbers, within its budget, and with no word to anybody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { storeTraffic } from '../../../demo/store.ts';
import { complaintsOf } from '../../../test/axe.ts';
import { focusAtRest, launchChromium, until } from '../../../test/chromium.ts';
import { setupToken } from '../../../test/people.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { rollUp } from '../metrics/rollup.ts';
import { bundleDashboard } from './build.ts';

const EMAIL = 'ada@people.example';
const PASSWORD = 'rye, oats and a spoon';
const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at
const PAGES = ['overview', 'leads', 'quality', 'machine', 'settings'].map((name) => `default/${name}`);

let server: TestServer;
let browser: Browser;
let signedIn: Awaited<ReturnType<BrowserContext['storageState']>>;
const today = dayOf(Date.now());

before(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium(BROWSER)]);
  const { siteId } = server.services.sites.fallback();
  const [first, last] = [addDays(today, -40), today];
  const until = Date.now();
  await storeTraffic(server.services.db, { siteId, seed: 'crumb', first, last, until, visitorsPerDay: 6 });
  await rollUp(server.services.db, { siteIds: [siteId] });
});
after(async () => {
  await browser?.close();
  await server?.end();
});

/** Everything a page did that it should not have. */
function watched(page: Page): string[] {
  const bad: string[] = [];
  page.on('console', (line) => {
    // a browser says itself that an answer was 401: nobody is signed in yet
    if (line.type() === 'error' && !line.text().includes('401')) bad.push(line.text());
  });
  page.on('pageerror', (error) => bad.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) bad.push(request.url());
  });
  return bad;
}
type Options = Parameters<Browser['newContext']>[0];
const open = async (options: Options = {}): Promise<Page> =>
  (await browser.newContext({ locale: 'en-CA', storageState: signedIn, ...options })).newPage();
const settled = (page: Page) =>
  until('the page stands', async () => {
    const [heads, waiting] = await Promise.all([
      page.locator('h1').count(),
      page.locator('.skeleton, [aria-busy=true]').count(),
    ]);
    return heads === 1 && waiting === 0;
  });
async function visit(page: Page, path: string): Promise<void> {
  await page.goto(`${server.url}/app/${path}`);
  await settled(page);
}

test('the link of the machine leads a founder to an account, a site, its snippet, and the first page view that is seen', async () => {
  const page = await open({ storageState: { cookies: [], origins: [] } });
  const bad = watched(page);
  await page.goto(`${server.url}/app/#/setup/${await setupToken(server)}`);
  await page.getByLabel('Your name').fill('Ada');
  assert.ok(!page.url().includes('setup'), 'the secret left the address at once');
  await page.getByLabel('Email address').fill(EMAIL);
  await page.getByLabel('New password').fill('short');
  await page.getByRole('button', { name: 'Make the account' }).click();
  assert.equal(await page.getByRole('heading', { name: 'Sites' }).count(), 0, 'a short password is refused');
  await page.getByLabel('New password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
  signedIn = await page.context().storageState();

  await page.getByRole('button', { name: 'Add a site' }).click();
  await page.getByLabel('Domain').fill('www.Shop.example/menu');
  await page.getByRole('button', { name: 'Add it' }).click();
  const line = await page.getByLabel('The line for your pages').inputValue();
  assert.ok(
    line.startsWith(`<script async src="${server.url}/s.js" data-site="shop.example"></script>\n<noscript>`),
  );
  await page.getByText('Nothing seen yet').waitFor();

  const visitor = { 'user-agent': BROWSER };
  const seen = (origin: string, path: string) =>
    call(
      `${server.url}/v1/events`,
      'POST',
      { eventType: 'page_view', path, anonId: 'a-browser-of-a-visitor', propertyId: 'shop.example' },
      { ...visitor, origin },
    );
  assert.equal((await seen('https://blog.shop.example', '/')).status, 403);
  await page.getByText('https://blog.shop.example is not on the list').waitFor();
  await page.getByRole('button', { name: 'Add it' }).click();
  await page
    .getByText('May send: https://shop.example, https://www.shop.example, https://blog.shop.example')
    .waitFor();
  assert.equal((await seen('https://blog.shop.example', '/pricing')).status, 202);
  await page.getByText('/pricing, Chrome').waitFor();
  assert.deepEqual(bad, []);
  await page.context().close();
});

test('a test lead shows its proof of consent, and is forgotten with a certificate', async () => {
  const page = await open();
  await visit(page, 'default/settings');
  await page.getByLabel('An address of yours').fill('me@founder.example');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('me@founder.example was left').waitFor();
  await page.getByRole('status').getByRole('link', { name: 'Leads' }).click();
  await page.getByRole('searchbox').fill('me@founder');
  await page.getByRole('link', { name: 'me@founder.example' }).click();
  await page.getByText('records is whole').waitFor();
  await page.getByRole('button', { name: 'Forget this person' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Type the address').fill('you@founder.example');
  await dialog.getByRole('button', { name: 'Forget this person' }).click();
  await dialog.getByText('This is not the address').waitFor();
  await dialog.getByLabel('Type the address').fill('me@founder.example');
  await dialog.getByRole('button', { name: 'Forget this person' }).click();
  await page.getByRole('heading', { name: 'Forgotten' }).waitFor();
  assert.equal(await focusAtRest(page), 'H1 Leads', 'the button that was pressed is gone');
  const { rows } = await server.database.owner.query('select from leads where email = $1', [
    'me@founder.example',
  ]);
  assert.equal(rows.length, 0);
  await page.context().close();
});

/** Every theme meets every language and width, every language every width; all twelve with MATRIX=all. */
const LOOKS =
  process.env.MATRIX === 'all'
    ? (['light', 'dark'] as const).flatMap((theme) =>
        (['en', 'fr'] as const).flatMap((language) =>
          [320, 768, 1280].map((width) => ({ theme, language, width })),
        ),
      )
    : ([
        { theme: 'light', language: 'en', width: 320 },
        { theme: 'light', language: 'en', width: 1280 },
        { theme: 'dark', language: 'en', width: 768 },
        { theme: 'light', language: 'fr', width: 768 },
        { theme: 'dark', language: 'fr', width: 320 },
        { theme: 'dark', language: 'fr', width: 1280 },
      ] as const);
for (const { theme, language, width } of LOOKS)
  test(`every page stands ${theme}, in ${language}, ${width} wide: nothing against it, nothing asked elsewhere`, async () => {
    await server.database.owner.query('update users set language = $1', [language]);
    const page = await open({ colorScheme: theme, bypassCSP: true, viewport: { width, height: 800 } });
    const bad = watched(page);
    for (const path of ['sites', ...PAGES, 'account']) {
      await visit(page, path);
      if (PICTURES)
        await page.screenshot({
          path: `${PICTURES}/${`${path} ${theme} ${language} ${width}`.replace(/\W+/g, '-')}.png`,
          fullPage: true,
        });
      assert.equal(await page.locator('html').getAttribute('lang'), language, path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${path}: ${wide} wide`);
      assert.deepEqual(await complaintsOf(page), [], path);
      assert.deepEqual(bad, [], path);
    }
    await page.context().close();
    await server.database.owner.query("update users set language = 'en'");
  });

test('the page’s own policy lets it work: no report of what was blocked, no script from text', async () => {
  const page = await open();
  const bad = watched(page);
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective));
  });
  for (const path of ['sites', ...PAGES, 'account']) await visit(page, path);
  assert.deepEqual(bad, []);
  const { headers } = await call(`${server.url}/app/default/overview`);
  const policy = headers.get('content-security-policy')!;
  for (const rule of ["default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'"])
    assert.ok(policy.includes(rule), rule);
  assert.ok(!policy.includes('unsafe'));
  await page.context().close();
});

test('the numbers on the page are the API’s, whatever the address asks for', async () => {
  const page = await open();
  const range = { from: addDays(today, -30), to: addDays(today, -1) };
  await visit(page, 'default/overview?vs=none');
  const { body } = await call(
    `${server.url}/v1/metrics/page?${new URLSearchParams({ ...range, vs: 'none' })}`,
    'GET',
    undefined,
    admin,
  );
  const shown = async (name: string) =>
    (await page.locator('.tile', { hasText: name }).locator('.value').first().textContent())!.replace(
      /\D/g,
      '',
    );
  const { metrics, totals } = body.summary;
  assert.equal(await shown('Visitors'), String(metrics.uniqueVisitors.value));
  assert.equal(await shown('Sessions'), String(metrics.sessions.value));
  assert.equal(await shown('Leads'), String(totals.leads));
  const rows = await page.getByRole('tabpanel').first().locator('tbody tr').allInnerTexts();
  assert.equal(rows.length, body.breakdowns.sources.rows.length);
  for (const [n, row] of rows.entries())
    assert.equal(row.split(/\s+/).at(-2), String(body.breakdowns.sources.rows[n].sessions), row);
  await page.context().close();
});

test('the address is the state: what is chosen stands in it, and back and forward go through it', async () => {
  const page = await open();
  await visit(page, 'default/overview');
  await page.getByLabel('Compared with').selectOption('year');
  await page.getByRole('tab', { name: 'Campaigns' }).click();
  await page.keyboard.press('Escape');
  await page.locator('h1').click();
  await page.keyboard.press('w');
  await until('the letter chose seven days', () => page.url().includes('range=7d'));
  assert.match(page.url(), /range=7d&vs=year&by=campaigns$/);
  await page.goBack();
  await until('back', () => !page.url().includes('range'));
  await settled(page);
  assert.equal(await page.getByLabel('Days', { exact: true }).inputValue(), '30d');
  const copy = await open();
  await copy.goto(page.url());
  await settled(copy);
  assert.equal(await copy.getByRole('tab', { name: 'Campaigns' }).getAttribute('aria-selected'), 'true');
  await copy.context().close();
  await page.context().close();
});

test('it is all reached by keyboard: signing in, a panel’s tabs, the days of the chart', async () => {
  const page = await open({ storageState: { cookies: [], origins: [] } });
  await page.goto(`${server.url}/app/default/overview`);
  await page.getByLabel('Email address').waitFor();
  await page.keyboard.type(EMAIL);
  await page.keyboard.press('Tab');
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await settled(page);
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  const reach = async (what: string, isThere: () => Promise<boolean>) => {
    for (let n = 0; n < 60; n += 1) {
      if (await isThere()) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${what} is not reached`);
  };
  await reach('the chart', () =>
    page.evaluate(() => document.activeElement?.classList.contains('along') ?? false),
  );
  const said = () => page.evaluate(() => document.activeElement?.getAttribute('aria-valuetext'));
  const last = await said();
  await page.keyboard.press('ArrowLeft');
  await until('another day is said', async () => (await said()) !== last);
  await reach('the tabs', async () => (await focused()) === 'Sources');
  await page.keyboard.press('ArrowRight');
  await until('the next tab', async () => (await focused()) === 'Campaigns');
  await page.context().close();
});

test('somebody who signed out, or never was in, sees nothing; and what failed is said with what to do', async () => {
  const page = await open();
  await visit(page, 'default/overview');
  await page.route('**/v1/metrics/page*', (route) =>
    route.fulfill({
      status: 503,
      headers: { 'retry-after': '2' },
      json: {
        ok: false,
        error: 'unavailable',
        message: 'The service is away for a moment.',
        requestId: 'r-1',
      },
    }),
  );
  await page.getByLabel('Days', { exact: true }).selectOption('90d');
  await page.getByText('The service is away for a moment.').waitFor();
  await page.getByText(/Asking again in/).waitFor();
  assert.equal(await page.locator('.tile').count(), 6, 'the numbers from before stay in sight');
  await page.unroute('**/v1/metrics/page*');
  await until('it asked again', async () => (await page.getByRole('alert').count()) === 0);
  await page.goto(`${server.url}/app/account`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.goto(`${server.url}/app/default/leads`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.context().close();
});

test('a viewer sees the numbers of their site and neither leads nor the machine; a site that is not theirs is nowhere', async () => {
  const invited = await call(
    `${server.url}/v1/invitations`,
    'POST',
    { role: 'viewer', sites: ['default'], email: 'bea@people.example' },
    admin,
  );
  const page = await open({ storageState: { cookies: [], origins: [] } });
  await page.goto(`${server.url}/app/#/join/${invited.body.link.split('/').at(-1)}`);
  await page.getByLabel('Your name').fill('Bea');
  await page.getByLabel('New password').fill('milk, honey and a fork');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('link', { name: 'Default site' }).click();
  await settled(page);
  const links = await page.getByRole('navigation').getByRole('link').allInnerTexts();
  assert.deepEqual(
    links.map((text) => text.trim()),
    ['Overview', 'Sessions', 'Quality'],
  );
  await page.goto(`${server.url}/app/shop.example/overview`);
  await page.getByRole('heading', { name: 'There is no such site' }).waitFor();
  await page.context().close();
});

test('a link shows the numbers of its site to who has no account: behind its password, without money, until it is revoked', async () => {
  const body = { name: 'the board', password: 'asked for beside it', hideMoney: true };
  const made = await call(`${server.url}/v1/sites/default/shares`, 'POST', body, admin);
  const page = await open({ storageState: { cookies: [], origins: [] } });
  const bad = watched(page);
  await page.goto(`${server.url}/app/#/share/${made.body.token}`);
  await page.getByLabel('Password').fill('asked for beside it');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('heading', { name: 'Default site' }).waitFor();
  await settled(page);
  assert.ok(!page.url().includes(made.body.token));
  const tile = (name: string) => page.locator('.tile', { hasText: name }).locator('.value').first();
  assert.notEqual(await tile('Visitors').textContent(), '0');
  assert.equal(await tile('Cost per lead').textContent(), '–');
  assert.equal(await page.getByRole('navigation').count(), 0);
  assert.deepEqual(
    bad.filter((line) => !line.includes('403')), // the password was not said yet
    [],
  );
  await call(`${server.url}/v1/sites/default/shares/${made.body.share.shareId}`, 'DELETE', undefined, admin);
  await page.getByLabel('Days', { exact: true }).selectOption('7d');
  await page.getByRole('alert').waitFor();
  await page.context().close();
});

test('a passkey made under the account signs in without a password', async () => {
  const named = server.url.replace('127.0.0.1', 'localhost');
  const page = await open({ storageState: { cookies: [], origins: [] } });
  const device = await page.context().newCDPSession(page);
  await device.send('WebAuthn.enable');
  await device.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto(`${named}/app/account`);
  await page.getByLabel('Email address').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('What to call it').fill('This computer');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.getByText('Keep these where the telephone is not').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'With a passkey' }).click();
  await page.getByRole('heading', { name: 'Your account' }).waitFor();
  await server.database.owner.query('delete from passkeys');
  await page.context().close();
});

test('the first page costs at most 40 KB of script and 8 KB of style, everything at most 120 KB, gzipped', async () => {
  const { files, first } = await bundleDashboard();
  const size = (names: string[]) =>
    names.reduce((sum, name) => sum + gzipSync(files[name]!, { level: 9 }).length, 0);
  const words = Object.keys(files).filter((name) => name.startsWith('en-'));
  const scripts = [...first.filter((name) => name.endsWith('.js')), ...words];
  assert.ok(size(scripts) <= 40_000, `${size(scripts)} bytes of script`);
  assert.ok(size(first.filter((name) => name.endsWith('.css'))) <= 8_000);
  assert.ok(size(Object.keys(files)) <= 120_000);
});
