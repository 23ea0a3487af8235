// What people set up for themselves on the page of their account, in a real browser: a second factor by its picture, and a provider
// that signs them in.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generate } from 'lean-qr';
import type { Browser, Page } from 'playwright-core';
import { complaintsOf } from '../../../test/axe.ts';
import { launchChromium } from '../../../test/chromium.ts';
import { startProvider, type TestProvider } from '../../../test/oidc-provider.ts';
import { codeOf, newOwner } from '../../../test/people.ts';
import { BROWSER, startServer, type TestServer } from '../../../test/server.ts';
import { freePort } from '../../ground/db/embedded.ts';

const EMAIL = 'ada@people.example';
/** Pixels of the quiet border that scanners need (app.css). */
const BORDER = 16;
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
let provider: TestProvider;
let browser: Browser;
let home: string;
let page: Page;

before(async () => {
  const port = await freePort();
  home = `http://localhost:${port}`;
  provider = await startProvider(`${home}/v1/auth/oidc/callback`);
  [server, browser] = await Promise.all([
    startServer({
      PORT: String(port),
      PUBLIC_URL: home,
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: 'marketing',
      OIDC_CLIENT_SECRET: 'a secret of the tests',
    }),
    launchChromium(BROWSER),
  ]);
  await newOwner(server, EMAIL, PASSWORD);
  page = await (await browser.newContext({ locale: 'en-CA' })).newPage();
  // its pages ask nothing: whoever comes is at once who the test says
  await page.route(`${provider.issuer}/**`, async (asked) => {
    const back = await provider.visit(asked.request().url());
    await asked.fulfill({ status: 303, headers: { location: back.href } });
  });
});
after(async () => {
  await browser?.close();
  await server?.end();
  provider?.close();
});

test('a provider is linked under the account, signs in from then on, and is taken away again', async () => {
  provider.is = { sub: 'ada', email: 'elsewhere@people.example', emailVerified: false };
  await page.goto(`${home}/app/account`);
  await page.getByLabel('Email address').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Link', exact: true }).click();
  await page.getByText('Linked: you can sign in there.').waitFor();
  assert.equal(page.url(), `${home}/app/account`);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: /^Through / }).click();
  // the provider sends the browser back, signed in
  await page.waitForURL(new RegExp(`^${home}/app/#/`));
  await page.goto(`${home}/app/account`);
  await page.getByText('Linked: you can sign in there.').waitFor();
  assert.deepEqual(await complaintsOf(page), []);
  await page
    .getByRole('region')
    .or(page.locator('section', { hasText: 'Linked: you can sign in there.' }))
    .getByRole('button', { name: 'Remove' })
    .first()
    .click();
  await page.getByRole('button', { name: 'Link', exact: true }).waitFor();
});

test('a second factor is set up by the picture of its secret, which no other server draws', async () => {
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(home)) elsewhere.push(request.url());
  });
  await page.getByRole('button', { name: 'Set it up' }).click();
  const picture = page.getByRole('img', { name: /^The secret as a picture/ });
  await picture.waitFor();
  const uri = (await page.getByRole('link', { name: 'Open it in an app' }).getAttribute('href'))!;
  const code = generate(uri);
  // as a camera sees it: the middle of each square, painted
  const box = (await picture.boundingBox())!;
  const png = (await picture.screenshot()).toString('base64');
  const drawn = await page.evaluate(
    async ({ png, size, border, step }) => {
      const image = new Image();
      image.src = `data:image/png;base64,${png}`;
      await image.decode();
      const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')!;
      canvas.drawImage(image, 0, 0);
      return Array.from({ length: size * size }, (_, n) => {
        const [x, y] = [n % size, Math.floor(n / size)].map((at) => Math.floor(border + (at + 0.5) * step));
        return canvas.getImageData(x!, y!, 1, 1).data[0]! < 128;
      });
    },
    { png, size: code.size, border: BORDER, step: (box.width - 2 * BORDER) / code.size },
  );
  const wanted = Array.from({ length: code.size ** 2 }, (_, n) =>
    code.get(n % code.size, Math.floor(n / code.size)),
  );
  assert.ok(wanted.filter(Boolean).length > 200);
  assert.deepEqual(drawn, wanted);
  assert.deepEqual(await complaintsOf(page), []);
  const secret = (await page.locator('code.secret').textContent())!.replaceAll(' ', '');
  assert.ok(uri.includes(secret));
  await page.getByLabel('Code').fill(codeOf(secret));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByText('Keep these where the telephone is not').waitFor();
  assert.deepEqual(elsewhere, []);
});
