// A real browser on the demo site, another origin: its beacon and its form go through Caddy into PostgreSQL.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startDemo } from '../../api/demo/server.ts';
import { launchChromium } from '../../api/test/chromium.ts';
import { eventually, Stack } from './stack.ts';

const stack = new Stack('browser');
let demo: Awaited<ReturnType<typeof startDemo>>;
let browser: Awaited<ReturnType<typeof launchChromium>>;
before(async () => {
  await stack.prepare();
  await stack.up();
  demo = await startDemo({ port: 0, apiOrigin: `https://localhost:${stack.https}` });
  const key = { 'x-admin-key': await stack.adminKey() };
  const { body } = await stack.call('GET', '/v1/sites', undefined, key);
  const made = await stack.call('PATCH', `/v1/sites/${body.sites[0].siteId}`, { origins: [demo.url] }, key);
  assert.equal(made.status, 200, JSON.stringify(made.body));
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await demo?.close();
  await stack.down();
});

for (const javaScriptEnabled of [true, false])
  test(`a visitor with JavaScript ${javaScriptEnabled ? 'on' : 'off'} reads a page, leaves an address, and is thanked on the site’s own page`, async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled });
    try {
      const page = await context.newPage();
      await page.goto(`${demo.url}/newsletter`);
      const email = `ada-${javaScriptEnabled ? 'on' : 'off'}@example.com`;
      if (javaScriptEnabled)
        await eventually(
          'the page view is stored',
          20,
          async () =>
            (await stack.sql(
              "select count(*) from events where event_type = 'page_view' and path = '/newsletter'",
            )) !== '0',
        );
      await page.fill('#email', email);
      await page.check('input[name=consentStatus]');
      await page.click('button[type=submit]');
      await page.waitForURL((url) => url.pathname === '/thanks', { timeout: 15_000 });
      assert.equal(new URL(page.url()).origin, demo.url);
      assert.equal(await stack.sql(`select count(*) from leads where email = '${email}'`), '1');
      assert.equal(
        await stack.sql(
          `select status from consent_records join leads using (site_id, lead_id) where email = '${email}'`,
        ),
        'express',
      );
    } finally {
      await context.close();
    }
  });

test('the beacon’s origin is allowed by name, another one is refused where it can read that, and gets no CORS header elsewhere', async () => {
  const asked = (origin: string) =>
    stack.call(
      'POST',
      '/v1/events',
      { anonId: 'cors-browser', eventType: 'page_view', path: '/' },
      { origin },
    );
  const own = await asked(demo.url);
  assert.deepEqual([own.status, own.headers.get('access-control-allow-origin')], [202, demo.url]);
  const strange = await asked('https://evil.example');
  assert.deepEqual([strange.status, strange.body.error], [403, 'origin_not_allowed']);
  assert.equal(strange.headers.get('access-control-allow-origin'), 'https://evil.example');
  const elsewhere = await stack.call('GET', '/v1/healthz', undefined, { origin: 'https://evil.example' });
  assert.equal(elsewhere.headers.get('access-control-allow-origin'), null);
});
