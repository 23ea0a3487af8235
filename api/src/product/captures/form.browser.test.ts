// A person fills in the bakery's form: with and without JavaScript, in haste, with a slip of the pen, and leaves again.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startDemo } from '../../../demo/server.ts';
import { complaintsOf } from '../../../test/axe.ts';
import { launchChromium, until } from '../../../test/chromium.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken } from '../consent/link.ts';

const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at

let api: TestServer;
let browser: Browser;
let demo: Awaited<ReturnType<typeof startDemo>>;
before(async () => {
  api = await startServer();
  [demo, browser] = await Promise.all([
    startDemo({ port: 0, apiOrigin: api.url, propertyId: 'bakery', consent: 'full' }),
    launchChromium(BROWSER),
  ]);
  await call(
    `${api.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'Crumb & Co.', origins: [demo.url] },
    admin,
  );
});
after(async () => {
  await browser?.close();
  await demo?.close();
  await api?.end();
});

const open = async (options: BrowserContextOptions = {}): Promise<Page> =>
  (await browser.newContext(options)).newPage();
const rows = async (sql: string, values: unknown[] = []) =>
  (await api.database.owner.query(sql, values)).rows;
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];

async function fill(page: Page, email: string) {
  await page.getByLabel('Your name').fill('Ada "the baker" <b>');
  await page.getByLabel('Your email address').fill(email);
  await page.getByRole('checkbox').check();
}
const submit = (page: Page) => page.getByRole('button', { name: 'Subscribe' });

async function photograph(page: Page, name: string) {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/${name}.png` });
}

/** What axe-core has against the page; it is run from outside, since the pages themselves allow no script. */
async function complaints(
  url: string,
  html?: string,
  options: BrowserContextOptions = {},
): Promise<string[]> {
  const page = await open({ bypassCSP: true, ...options });
  if (html) await page.setContent(html);
  else await page.goto(url);
  const found = await complaintsOf(page);
  await page.context().close();
  return found;
}

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
  test(`${how} the form makes a lead with its consent and ends on the site's own page`, async () => {
    const email = `ada-${javaScriptEnabled}@example.com`;
    const page = await open({ javaScriptEnabled });
    await page.goto(`${demo.url}/newsletter`);
    await fill(page, email);
    await submit(page).click();
    await page.waitForURL(`${demo.url}/thanks`);
    const lead = await leadOf(email);
    assert.equal(lead.consent_status, 'express');
    assert.ok(lead.first_visitor_id, 'its own id, or the day visitor');
    const [submission] = await rows('select payload from submissions where lead_id = $1', [lead.lead_id]);
    assert.equal(submission.payload.name, 'Ada "the baker" <b>');
    await page.context().close();
  });

  test(`${how} a mistyped address is mended on a page that lost nothing`, async () => {
    const email = `mended-${javaScriptEnabled}@example.com`;
    const page = await open({ javaScriptEnabled });
    await page.goto(`${demo.url}/newsletter`);
    await fill(page, 'ada@localhost'); // browsers think this is an address
    await submit(page).click();
    const field = page.getByLabel('Email address');
    await field.waitFor();
    await photograph(page, `mend-${javaScriptEnabled}`);
    assert.equal(await field.inputValue(), 'ada@localhost');
    assert.equal(await leadOf(email), undefined);
    await field.fill(email);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${demo.url}/thanks`);
    const lead = await leadOf(email);
    assert.equal(lead.consent_status, 'express');
    const [submission] = await rows('select payload, form_name from submissions where lead_id = $1', [
      lead.lead_id,
    ]);
    assert.equal(submission.payload.name, 'Ada "the baker" <b>');
    assert.equal(submission.form_name, 'newsletter');
    await page.context().close();
  });

  test(`${how} a double click sends one submission`, async () => {
    const email = `twice-${javaScriptEnabled}@example.com`;
    const page = await open({ javaScriptEnabled });
    await page.goto(`${demo.url}/newsletter`);
    await fill(page, email);
    await submit(page).dblclick();
    // the second click breaks the first one's way off, which is no fault of the page's
    await until('the thanks', () => page.url() === `${demo.url}/thanks`);
    await until('the lead', () => leadOf(email));
    const lead = await leadOf(email);
    assert.equal((await rows('select from submissions where lead_id = $1', [lead.lead_id])).length, 1);
    assert.equal((await rows('select from consent_records where lead_id = $1', [lead.lead_id])).length, 1);
    await page.context().close();
  });

  test(`${how} the link in a mail unsubscribes with one button, by keyboard too`, async () => {
    const email = `leaves-${javaScriptEnabled}@example.com`;
    const page = await open({ javaScriptEnabled });
    await page.goto(`${demo.url}/newsletter`);
    await fill(page, email);
    await submit(page).click();
    await page.waitForURL(`${demo.url}/thanks`);
    const { site_id: site, unsubscribe_key: key } = await leadOf(email);
    await page.goto(`${api.url}/v1/unsubscribe/${linkToken(site, key)}`);
    await photograph(page, `unsubscribe-${javaScriptEnabled}`);
    assert.equal((await leadOf(email)).consent_status, 'express');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'You are unsubscribed' }).waitFor();
    assert.equal((await leadOf(email)).consent_status, 'withdrawn');
    await page.context().close();
  });
}

test('axe-core finds nothing on the form and on any page a person meets', async () => {
  const wrong = await call(
    `${api.url}/v1/leads/capture`,
    'POST',
    new URLSearchParams({ email: 'ada@', 'payload[name]': 'Ada', propertyId: 'bakery' }).toString(),
    { 'content-type': 'application/x-www-form-urlencoded' },
  );
  assert.deepEqual(await complaints('', wrong.body), [], 'the page that mends an address');
  const lead = await leadOf('leaves-true@example.com');
  for (const url of [
    `${demo.url}/newsletter`,
    `${demo.url}/thanks`,
    `${api.url}/v1/leads/thank-you`,
    `${api.url}/v1/leads/thank-you?lang=fr`,
    `${api.url}/v1/privacy`,
    `${api.url}/v1/privacy?lang=fr`,
    `${api.url}/v1/unsubscribe/${linkToken(lead.site_id, lead.unsubscribe_key)}`,
    `${api.url}/v1/unsubscribe/nothing`,
    `${api.url}/v1/confirm/${linkToken(lead.site_id, lead.unsubscribe_key)}`,
  ])
    assert.deepEqual(await complaints(url), [], url.replace(/:\d+/, ''));
});

test('the link in a confirmation mail confirms with one button, by keyboard too, also while the database is away', async () => {
  const { pool } = api.services.leads;
  const query = pool.query;
  const away = () => Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }));
  await rows(`update sites set settings = '{"doubleOptIn": true}' where key = 'bakery'`);
  await api.services.sites.reload();
  for (const isAway of [false, true]) {
    const email = `confirms-${isAway}@example.com`;
    const page = await open({ javaScriptEnabled: false });
    await page.goto(`${demo.url}/newsletter`);
    await fill(page, email);
    await submit(page).click();
    await page.waitForURL(`${demo.url}/thanks`);
    const [{ site_id: site, token }] = await rows(
      'select site_id, token from opt_ins join leads using (site_id, lead_id) where email_normalized = $1',
      [email],
    );
    await page.goto(`${api.url}/v1/confirm/${linkToken(site, token)}`);
    await photograph(page, `confirm-${isAway}`);
    assert.equal((await leadOf(email)).consent_status, 'pending');
    if (isAway) pool.query = away as unknown as typeof query;
    try {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page
        .getByRole('heading', { name: isAway ? 'Your confirmation has arrived' : 'Thank you' })
        .waitFor();
    } finally {
      pool.query = query;
    }
    await photograph(page, `confirmed-${isAway}`);
    assert.deepEqual(await complaints('', await page.content()), []);
    // played by itself every two seconds
    await until('the consent', async () => (await leadOf(email)).consent_status === 'express');
    await page.context().close();
  }
  await rows("update sites set settings = '{}' where key = 'bakery'");
  await api.services.sites.reload();
});

test('axe-core finds nothing on what a person sees after a button either, light or dark', async () => {
  const lead = await leadOf('leaves-true@example.com');
  const link = `${api.url}/v1/unsubscribe/${linkToken(lead.site_id, lead.unsubscribe_key)}`;
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const answers = {
    unsubscribed: await call(link, 'POST', '', form),
    'too large': await call(link, 'POST', 'x'.repeat(5000), form),
    'unsubscribed by address': await call(
      `${api.url}/v1/leads/unsubscribe`,
      'POST',
      'email=a%40b.example',
      form,
    ),
    'no address': await call(`${api.url}/v1/leads/unsubscribe`, 'POST', 'email=a', form),
    'no such site': await call(
      `${api.url}/v1/leads/capture`,
      'POST',
      'propertyId=x&email=a%40b.example',
      form,
    ),
    mistyped: await call(`${api.url}/v1/leads/capture`, 'POST', 'email=a%40', form),
  };
  for (const [name, { body }] of Object.entries(answers)) {
    for (const colorScheme of ['light', 'dark'] as const)
      assert.deepEqual(await complaints('', body, { colorScheme }), [], `${name}, ${colorScheme}`);
    if (PICTURES) {
      const page = await open({ viewport: { width: 390, height: 700 } });
      await page.setContent(body);
      await photograph(page, name.replaceAll(' ', '-'));
      await page.context().close();
    }
  }
});
