// Who may come in, and what can be trusted, in a real browser: people, keys, the audit log, certificates, trial restores and visits.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { storeTraffic } from '../../../demo/store.ts';
import { complaintsOf } from '../../../test/axe.ts';
import { focusAtRest, launchChromium, until } from '../../../test/chromium.ts';
import { newOwner, signUpWith } from '../../../test/people.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at
const EMAIL = 'ada@people.example';
const PASSWORD = 'rye, oats and a spoon';
const today = dayOf(Date.now());

let server: TestServer;
let browser: Browser;
let page: Page;
before(async () => {
  [server, browser] = await Promise.all([startServer(), launchChromium(BROWSER)]);
  const { siteId } = server.services.sites.fallback();
  await storeTraffic(server.services.db, {
    siteId,
    seed: 'crumb',
    first: addDays(today, -3),
    last: addDays(today, -1),
    until: Date.now(),
    visitorsPerDay: 30,
  });
  await call(`${server.url}/v1/sites`, 'POST', { key: 'mill', name: 'The mill' }, admin);
  await newOwner(server, EMAIL, PASSWORD);
  page = await (await browser.newContext({ locale: 'en-CA', bypassCSP: true })).newPage();
  await page.goto(`${server.url}/app/default/people`);
  await page.getByLabel('Email address').fill(EMAIL);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('heading', { name: 'People', exact: true }).waitFor();
});
after(async () => {
  await browser?.close();
  await server?.end();
});

const visit = async (path: string) => {
  await page.goto(`${server.url}/app/${path}`);
  await page.locator('h1').waitFor();
  await until(
    `${path} stands`,
    async () => (await page.locator('.skeleton, [aria-busy=true]').count()) === 0,
  );
};
const entry = (text: string) => page.locator('.cards-of > li', { hasText: text });
const dialog = (title: string) => page.getByRole('dialog', { name: title });

/** Narrow and light, wide and dark; in French the other way about; all of them for pictures. */
const LOOKS = {
  en: [
    [320, 'light'],
    [1280, 'dark'],
  ],
  fr: [
    [320, 'dark'],
    [1280, 'light'],
  ],
} as const;

/** As it stands now: nothing against it, nothing wider than the window. */
async function looks(name: string, language: keyof typeof LOOKS = 'en'): Promise<void> {
  for (const [width, theme] of PICTURES ? [...LOOKS.en, ...LOOKS.fr] : LOOKS[language]) {
    await page.setViewportSize({ width, height: 800 });
    await page.emulateMedia({ colorScheme: theme });
    if (PICTURES)
      await page.screenshot({ path: `${PICTURES}/${name}-${width}-${theme}.png`, fullPage: true });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `${name}: ${wide} wide`);
    assert.deepEqual(await complaintsOf(page), [], `${name} ${width} ${theme}`);
  }
}

test('somebody is invited by a link, comes in, is given another role, shut out, let in again and removed', async () => {
  await page.getByLabel('Role').selectOption('analyst');
  await page.getByRole('checkbox', { name: 'The mill' }).check();
  await page.getByLabel('Address, if only this one may join').fill('bea@people.example');
  await page.getByRole('button', { name: 'Make the link' }).click();
  const link = await page.getByRole('textbox', { name: 'Invite somebody' }).inputValue();
  await entry('bea@people.example').getByText('The mill').waitFor();
  await looks('people-invited');
  const joined = await signUpWith(
    server,
    link.split('/').at(-1)!,
    'bea@people.example',
    'milk and honey, a fork',
    {
      fullName: 'Bea Honig',
    },
  );
  assert.equal(joined.status, 201, JSON.stringify(joined.body));
  await visit('default/people');
  const bea = entry('Bea Honig');
  await bea.getByText('The mill: analyst').waitFor();
  assert.equal(
    await entry('Ada').or(entry('Somebody')).getByRole('button').count(),
    0,
    'of oneself: the account',
  );

  await bea.getByRole('button', { name: 'Change: Bea Honig' }).click();
  const change = dialog('What Bea Honig is');
  await change.getByLabel('At Default site').selectOption('viewer');
  await change.getByLabel('At The mill').selectOption('nothing');
  await looks('people-change');
  await change.getByRole('button', { name: 'Save' }).click();
  await bea.getByText('Default site: viewer').waitFor();
  assert.equal(await bea.getByText('The mill').count(), 0);

  await bea.getByRole('button', { name: 'Change' }).click();
  await change.getByRole('button', { name: 'End sessions' }).click();
  await dialog('End sessions').getByRole('button', { name: 'End sessions' }).click();
  await change.getByText('One session ended.').waitFor();
  await change.getByRole('button', { name: 'Shut out' }).click();
  assert.equal(await focusAtRest(page), 'BUTTON Cancel', 'a key that is held down shuts nobody out');
  await dialog('Shut out').getByRole('button', { name: 'Shut out' }).click();
  await bea.locator('.pill', { hasText: 'shut out' }).waitFor();
  await bea.getByRole('button', { name: 'Change' }).click();
  await change.getByRole('button', { name: 'Let in again' }).click();
  await until('she may come in', async () => (await bea.locator('.pill').count()) === 0);

  await bea.getByRole('button', { name: 'Change' }).click();
  await change.getByRole('button', { name: 'Remove' }).click();
  const removing = dialog('Remove');
  await removing.getByLabel('Type bea@people.example').fill('ada@people.example');
  await removing.getByRole('button', { name: 'Remove' }).click();
  await removing.getByText('This is not the same').waitFor();
  await removing.getByLabel('Type bea@people.example').fill('bea@people.example');
  await removing.getByRole('button', { name: 'Remove' }).click();
  await until('she is gone', async () => (await bea.count()) === 0);
});

test('an invitation is taken back, and what each role may stands there as the API has it', async () => {
  await call(`${server.url}/v1/invitations`, 'POST', { role: 'owner' }, admin);
  await page.setViewportSize({ width: 320, height: 800 });
  await visit('default/people');
  const bar = (await page.getByRole('link', { name: 'Settings', exact: true }).boundingBox())!;
  assert.ok(bar.x >= 0 && bar.x + bar.width <= 320, `the page one is at stands in sight: ${bar.x}`);
  const open = entry('whoever has the link');
  await open.getByText('every site').waitFor();
  await open.getByRole('button', { name: 'Take back' }).click();
  await dialog('Take back').getByRole('button', { name: 'Take back' }).click();
  await until('it is gone', async () => (await open.count()) === 0);
  await page.locator('summary', { hasText: 'What each role may' }).click();
  const viewer = page.getByRole('row', { name: /^viewer / }).getByRole('cell');
  assert.equal(
    await viewer.textContent(),
    'see numbers and what advertising cost; write notes on days; keep segments of visits',
  );
  await looks('people-roles');
});

test('a key is shown once, reads what it may, and is refused from the moment it is ended; ending it asks who one is', async () => {
  await visit('default/keys');
  await page.getByText('None yet.').waitFor();
  await page.getByLabel('What it is for').fill('the shop');
  await page.getByRole('checkbox', { name: /^read/ }).uncheck();
  await page.getByRole('button', { name: 'Make a key' }).click();
  await page.getByText(/expected array to have >=1 items/).waitFor();
  await page.getByRole('checkbox', { name: /^read/ }).check();
  await page.getByRole('checkbox', { name: 'Default site' }).check();
  await page.getByLabel('It works for').selectOption('90 days');
  await page.getByRole('button', { name: 'Make a key' }).click();
  const token = await page.getByRole('textbox', { name: 'The key' }).inputValue();
  const asked = () =>
    call(`${server.url}/v1/metrics/summary?from=${today}&to=${today}`, 'GET', undefined, {
      authorization: `Bearer ${token}`,
    });
  assert.equal((await asked()).status, 200);
  await looks('keys-made');
  await visit('default/keys');
  assert.equal(await page.getByText(token).count(), 0);
  const key = entry('the shop');
  await key.getByText('last used').waitFor();

  await server.database.owner.query("update user_sessions set proved_at = now() - interval '1 hour'");
  await key.getByRole('button', { name: 'Revoke: the shop' }).click();
  await dialog('Revoke').getByRole('button', { name: 'Revoke' }).click();
  const proof = dialog('Is it you?');
  await proof.getByLabel('Password').waitFor();
  await looks('keys-proof');
  await proof.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await key.locator('.pill', { hasText: 'ended' }).waitFor();
  assert.equal(await focusAtRest(page), 'H1 Keys', 'the button that was pressed is gone');
  assert.equal((await asked()).status, 401);
  assert.equal(await key.getByRole('button').count(), 0);
});

test('the audit log is read by who, what and when, its filter stands in the address, and it is saved as a table', async () => {
  await visit('default/audit');
  await page
    .getByRole('row', { name: /DELETE \/v1\/keys/ })
    .first()
    .waitFor();
  await looks('audit');
  await page.getByRole('button', { name: 'Only POST /v1/keys' }).first().click();
  await until('only those', async () => {
    const rows = await page.locator('tbody tr').allInnerTexts();
    return rows.length > 0 && rows.every((row) => row.includes('POST /v1/keys'));
  });
  assert.match(page.url(), /audit\?what=POST\+%2Fv1%2Fkeys$/);
  await page.getByLabel('Who', { exact: true }).fill('machine');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('Nothing of this kind.').waitFor();
  assert.equal(await focusAtRest(page), 'BUTTON Show', 'where it was');
  await page.goBack();
  await page.getByRole('button', { name: 'Only POST /v1/keys' }).first().waitFor();
  await page.getByLabel('To', { exact: true }).fill(addDays(today, -2));
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('Nothing of this kind.').waitFor();
  await page.getByRole('button', { name: 'Clear' }).click();
  await until(
    'nothing is asked for',
    async () => (await page.getByLabel('What', { exact: true }).inputValue()) === '',
  );
  await page
    .getByRole('row', { name: /DELETE \/v1\/keys/ })
    .first()
    .waitFor();
  assert.match(page.url(), /audit$/);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'CSV' }).click(),
  ]);
  const lines = readFileSync(await download.path(), 'utf8')
    .trimEnd()
    .split('\r\n');
  assert.match(lines[0]!, /^auditId,siteId,at,actor,action,target,outcome,requestId,details$/);
  assert.ok(lines.some((line) => line.includes('POST /v1/keys')));
});

test('a certificate of erasure is found by its id, with its rows by table', async () => {
  const email = 'leaving@people.example';
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: 'a-browser-that-leaves' });
  const { body } = await call(
    `${server.url}/v1/leads/delete`,
    'POST',
    { email, propertyId: 'default' },
    admin,
  );
  await visit('default/privacy');
  await entry('asked for').first().waitFor();
  await page.getByLabel('Certificate').fill('nonsense');
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  await page.getByText('There is no certificate with this id').waitFor();
  await page.getByLabel('Certificate').fill(body.erasureId);
  await page.getByRole('button', { name: 'Show', exact: true }).click();
  const found = page.getByRole('status').locator('.cards-of > li');
  await found.getByText('What exactly').click();
  await found.getByText(body.erasureId).waitFor();
  const row = found.getByRole('row', { name: /^leads / });
  assert.equal(await row.getByRole('cell').textContent(), String(body.erased.leads));
  await looks('privacy');
});

test('the machine says of each backup what its restore on trial came to', async () => {
  const folder = join(server.services.config.DATA_DIR, 'backups');
  mkdirSync(folder, { recursive: true });
  for (const [stamp, check] of [
    ['20261126T021500Z', { ok: true, problems: [] }],
    ['20261127T021500Z', { ok: false, problems: ['leads: 39 rows, not 40'] }],
  ] as const) {
    const name = join(folder, `marketing-${stamp}`);
    writeFileSync(`${name}.dump`, 'dump');
    writeFileSync(`${name}.dump.json`, '{}');
    writeFileSync(`${name}.check.json`, JSON.stringify({ ...check, at: new Date().toISOString(), ms: 4200 }));
  }
  await visit('default/machine');
  await page.getByRole('cell', { name: 'equal' }).waitFor();
  await page.getByRole('cell', { name: 'differs: leads: 39 rows, not 40' }).waitFor();
  await looks('machine');
});

test('the visits behind the numbers are listed page by page, and one shows what happened in it, by keyboard too', async () => {
  await visit('default/sessions?range=7d');
  const rows = page.locator('tbody tr');
  assert.equal(await rows.count(), 50);
  await looks('sessions');
  await page.getByRole('button', { name: 'Show more' }).click();
  await until('the next ones', async () => (await rows.count()) > 50);
  await rows.first().getByRole('link').focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: /^Visit of / }).waitFor();
  await page.getByText('What happened').waitFor();
  assert.ok((await page.locator('.timeline li').count()) > 0);
  assert.match(await focusAtRest(page), /^H1 /);
  await looks('session');
  await page.getByRole('link', { name: '← Sessions' }).click();
  await page.getByRole('heading', { name: 'Sessions', exact: true }).waitFor();
  assert.match(page.url(), /sessions\?range=7d$/);
});

test('all of it stands in French too', async () => {
  await server.database.owner.query("update users set language = 'fr'");
  for (const [path, title] of [
    ['people', 'Personnes'],
    ['keys', 'Clés'],
    ['audit', 'Journal'],
    ['privacy', 'Vie privée'],
    ['machine', 'Machine'],
    ['sessions?range=7d', 'Visites'],
  ]) {
    await visit(`default/${path}`);
    assert.equal(await page.locator('h1').textContent(), title);
    await looks(`fr-${path!.replace(/\W.*/, '')}`, 'fr');
  }
  await server.database.owner.query("update users set language = 'en'");
});

test('privacy reads the audit log and certificates, and is shown no page of people, keys or the machine', async () => {
  const { body } = await call(
    `${server.url}/v1/invitations`,
    'POST',
    { role: 'privacy', sites: ['default'] },
    admin,
  );
  await signUpWith(server, body.link.split('/').at(-1), 'dan@people.example', 'salt, pepper and a cup');
  const theirs = await (await browser.newContext({ locale: 'en-CA' })).newPage();
  await theirs.goto(`${server.url}/app/default/audit`);
  await theirs.getByLabel('Email address').fill('dan@people.example');
  await theirs.getByLabel('Password').fill('salt, pepper and a cup');
  await theirs.getByRole('button', { name: 'Sign in', exact: true }).click();
  await theirs.getByRole('row', { name: /POST \/v1\/leads\/delete/ }).waitFor();
  const links = await theirs
    .getByRole('navigation', { name: 'Pages of this site' })
    .getByRole('link')
    .allInnerTexts();
  assert.deepEqual(
    links.map((text) => text.trim()),
    ['Leads', 'Reviews', 'Receipts', 'Privacy'],
  );
  await theirs.getByRole('link', { name: 'Certificates' }).click();
  await theirs.locator('.cards-of > li').first().waitFor();
  await theirs.goto(`${server.url}/app/default/keys`);
  await theirs.getByRole('alert').waitFor();
  await theirs.context().close();
});
