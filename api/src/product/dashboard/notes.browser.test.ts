// Notes on the overview's chart in a real browser: written on a day, read, changed and removed by keyboard alone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { storeTraffic } from '../../../demo/store.ts';
import { complaintsOf } from '../../../test/axe.ts';
import { focusAtRest, launchChromium, until } from '../../../test/chromium.ts';
import { setupToken } from '../../../test/people.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { rollUp } from '../metrics/rollup.ts';

const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at
const today = dayOf(Date.now());

let server: TestServer;
let browser: Browser;
let page: Page;
before(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium(BROWSER)]);
  const { siteId } = server.services.sites.fallback();
  const last = addDays(today, -1);
  await storeTraffic(server.services.db, {
    siteId,
    seed: 'crumb',
    first: addDays(today, -12),
    last,
    until: Date.parse(today),
    visitorsPerDay: 6,
  });
  await rollUp(server.services.db, { siteIds: [siteId] });
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

const write = (body: object) => call(`${server.url}/v1/sites/default/notes`, 'POST', body, admin);
const kept = async (): Promise<string[]> =>
  (await server.database.owner.query('select text from notes order by note_id')).rows.map(({ text }) => text);

test('a note is written on a day of the chart by keyboard, stands there as a mark, is read, changed and removed', async () => {
  await write({ at: `${addDays(today, -9)}T12:00:00Z`, text: 'Release 12', kind: 'deploy' });
  await write({ at: `${addDays(today, -9)}T14:00:00Z`, text: 'The till was away', kind: 'incident' });
  await page.goto(`${server.url}/app/default/overview?range=7d`);
  await page.getByText('No notes on these days').waitFor();
  const slider = page.getByRole('slider');
  await slider.focus();
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Add a note' });
  await dialog.waitFor();
  assert.equal(await dialog.getByLabel('Day').inputValue(), addDays(today, -4), 'the day of the slider');
  assert.deepEqual(await complaintsOf(page), []);
  await dialog.getByRole('textbox', { name: 'Note' }).focus();
  await page.keyboard.type('The spring sale begins');
  await page.keyboard.press('Enter');
  const mark = page.getByRole('button', { name: /Note: The spring sale begins$/ });
  await mark.waitFor();
  assert.equal(await page.getByRole('dialog').count(), 0);
  assert.equal(await focusAtRest(page), 'BUTTON Add a note');
  await slider.focus();
  for (let n = 0; n < 3; n += 1) await page.keyboard.press('ArrowLeft');
  await until('the slider says what was noted', async () =>
    (await slider.getAttribute('aria-valuetext'))?.endsWith('Note: The spring sale begins'),
  );

  await mark.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('cell', { name: 'Note: The spring sale begins', exact: true }).waitFor();
  await until('the row of the mark has the focus', () =>
    page.evaluate(() => document.activeElement?.hasAttribute('data-note') ?? false),
  );
  await page.keyboard.press('Tab');
  assert.equal(
    await page.evaluate(() => document.activeElement?.getAttribute('aria-label')),
    'Change: Note: The spring sale begins',
  );
  await page.keyboard.press('Enter');
  const changing = page.getByRole('dialog', { name: 'Change a note' });
  await changing.getByLabel('Kind').selectOption('Campaign');
  await changing.getByRole('textbox', { name: 'Note' }).press('Enter');
  await page.getByRole('button', { name: /, Campaign: The spring sale begins$/ }).waitFor();
  assert.equal(await focusAtRest(page), 'BUTTON Add a note');

  await page.getByLabel('Days', { exact: true }).selectOption('30d');
  await page.getByRole('button', { name: /Deploy: Release 12\s.*Incident: The till was away$/ }).waitFor();
  for (const [width, theme] of [
    [320, 'dark'],
    [1280, 'light'],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: theme });
    await until(
      'the chart is as wide',
      async () => (await page.locator('.course').boundingBox())!.width < width,
    );
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/notes-${width}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${wide} wide`);
    assert.deepEqual(await complaintsOf(page), []);
  }

  await page.getByRole('button', { name: 'Change: Campaign: The spring sale begins' }).press('Enter');
  await changing.getByRole('button', { name: 'Remove' }).press('Enter');
  await until('it is gone', async () => (await kept()).length === 2);
  await page.getByText('2 notes on these days').first().waitFor();
  assert.equal(await page.getByRole('button', { name: /spring sale/ }).count(), 0);
});

test('who only looks writes for themselves, and is told so', async () => {
  const { body } = await call(
    `${server.url}/v1/invitations`,
    'POST',
    { role: 'viewer', sites: ['default'], email: 'bea@people.example' },
    admin,
  );
  const own = await (await browser.newContext({ locale: 'en-CA' })).newPage();
  await own.goto(`${server.url}/app/#/join/${body.link.split('/').at(-1)}`);
  await own.getByLabel('Your name').fill('Bea');
  await own.getByLabel('New password').fill('milk, honey and a fork');
  await own.getByRole('button', { name: 'Make the account' }).click();
  await own.getByRole('link', { name: 'Default site' }).click();
  await own.getByRole('button', { name: '2 notes on these days' }).click();
  await own.getByRole('cell', { name: 'Deploy: Release 12' }).waitFor();
  assert.equal(await own.getByRole('button', { name: /^Change:/ }).count(), 0, 'those of others are read');
  await own.getByRole('button', { name: 'Add a note' }).click();
  await own.getByText('Only you see it; notes for all').waitFor();
  await own.getByRole('textbox', { name: 'Note' }).fill('Ask Ada');
  await own.getByRole('button', { name: 'Save' }).click();
  await own.getByRole('cell', { name: 'Note: Ask Ada (Only you see it)' }).waitFor();
  await page.reload();
  await page.getByText('2 notes on these days').first().waitFor();
  await own.context().close();
});
