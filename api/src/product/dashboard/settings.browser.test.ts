// What a site's settings hold beside the line to paste, in a real browser: reports and warnings by mail, days of another tool.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { complaintsOf } from '../../../test/axe.ts';
import { launchChromium } from '../../../test/chromium.ts';
import { setupToken } from '../../../test/people.ts';
import { BROWSER, startServer, type TestServer } from '../../../test/server.ts';

const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at

let server: TestServer;
let browser: Browser;
let page: Page;
before(async () => {
  const settings = {
    SMTP_URL: 'smtp://127.0.0.1:9',
    MAIL_FROM: 'bread@bakery.example',
    MAIL_SENDER: '1 Oven Lane, Toronto',
    PUBLIC_URL: 'https://api.bakery.example',
  };
  [server, browser] = await Promise.all([startServer(settings), launchChromium(BROWSER)]);
  page = await (await browser.newContext({ locale: 'en-CA', bypassCSP: true })).newPage();
  await page.goto(`${server.url}/app/#/setup/${await setupToken(server)}`);
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Email address').fill('ada@people.example');
  await page.getByLabel('New password').fill('rye, oats and a spoon');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
});
after(async () => {
  await browser?.close();
  await server?.end();
});

const card = (title: string) =>
  page.locator('section.card', { has: page.getByRole('heading', { name: title, exact: true }) });

test('a report and a warning are made, say who was asked, and end; what is wrong stands at its field', async () => {
  await page.goto(`${server.url}/app/default/settings`);
  const reports = card('Reports by mail');
  await reports.getByLabel('To').fill('ada@bakery.example, nobody');
  await reports.getByLabel('How often').selectOption('week');
  await reports.getByLabel('On', { exact: true }).selectOption('Friday');
  await reports.getByRole('button', { name: 'Send reports' }).click();
  await reports.getByText('an address such as').waitFor();
  await reports.getByLabel('To').fill('ada@bakery.example, bob@bakery.example');
  await reports.getByRole('button', { name: 'Send reports' }).click();
  await reports.getByText('Every week, Friday, 8:00').waitFor();
  assert.equal(await reports.getByText('was asked').count(), 2);

  const alerts = card('Warnings by mail');
  await alerts.getByLabel('When').selectOption('An event is missing for a day');
  await alerts.getByLabel('Name of the event').fill('order');
  await alerts.getByLabel('To').fill('ada@bakery.example');
  await alerts.getByRole('button', { name: 'Warn' }).click();
  await alerts.getByText('An event is missing for a day: order').waitFor();
  for (const [width, theme] of [
    [320, 'dark'],
    [1280, 'light'],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: theme });
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/settings-mail-${width}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} wide`);
    assert.deepEqual(await complaintsOf(page), []);
  }
  await reports.getByRole('button', { name: 'End', exact: true }).click();
  await reports.getByText('None yet.').waitFor();
  await alerts.getByRole('button', { name: 'End', exact: true }).click();
  await alerts.getByText('None yet.').waitFor();
});

test('days of another tool are read in the browser, looked at, brought in, shown beside the numbers, and undone', async () => {
  const asked: string[] = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${server.url}/app/default/settings`);
  await page.getByRole('link', { name: 'Bring in days of another tool' }).click();
  const choose = async (name: string, text: string) => {
    const buffer = Buffer.from(text);
    await page.getByLabel('Files').setInputFiles({ name, mimeType: 'text/csv', buffer });
    await page.getByRole('button', { name: 'Read', exact: true }).click();
  };
  await choose('list.csv', 'one,two\n1,2\n');
  await page.getByText('None of these is an export').waitFor();
  const day = (back: number) => new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10);
  await choose(
    'imported_visitors.csv',
    `date,visitors,pageviews,bounces,visits,visit_duration\n${day(3)},10,30,2,12,60\n${day(2)},11,31,2,13,60\n${day(-3)},1,1,1,1,1\n`,
  );
  await page.getByRole('heading', { name: 'Plausible: 2 days' }).waitFor();
  await page.getByText('1 days that this site counts itself').waitFor();
  for (const width of [320, 1280]) {
    await page.setViewportSize({ width, height: 800 });
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/imports-${width}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} wide`);
    assert.deepEqual(await complaintsOf(page), []);
  }
  await page.getByRole('button', { name: 'Bring them in' }).click();
  await page.getByText('25 Visits, 61 Page views').waitFor();
  await page.goto(`${server.url}/app/default/overview`);
  await page.getByText('Brought in from plausible: 2 of these days, 25 visits').waitFor();
  await page.goto(`${server.url}/app/default/settings/imports`);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.getByText('Nothing yet.').waitFor();
  const { rows } = await server.database.owner.query('select from imported_days');
  assert.equal(rows.length, 0);
  assert.deepEqual(
    asked.filter((url) => !url.startsWith(server.url)),
    [],
  );
});
