// Notifications and templates in the dashboard, in a real browser: made, looked at with the numbers there are, run, and shown.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { complaintsOf } from '../../../test/axe.ts';
import { focusAtRest, launchChromium, until } from '../../../test/chromium.ts';
import { COUNT, feedWhen, orders, running } from '../../../test/claims.ts';
import { anon, makeEvent } from '../../../test/make.ts';
import { setupToken } from '../../../test/people.ts';
import { admin, BROWSER, call, QUICK_FEEDS, startServer, type TestServer } from '../../../test/server.ts';

const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at

let server: TestServer;
let browser: Browser;
let signedIn: Awaited<ReturnType<BrowserContext['storageState']>>;
before(async () => {
  [server, browser] = await Promise.all([
    startServer({}, undefined, undefined, QUICK_FEEDS),
    launchChromium(BROWSER),
  ]);
  const page = await (await browser.newContext({ locale: 'en-CA' })).newPage();
  await page.goto(`${server.url}/app/#/setup/${await setupToken(server)}`);
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Email address').fill('ada@people.example');
  await page.getByLabel('New password').fill('rye, oats and a spoon');
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Sites' }).waitFor();
  signedIn = await page.context().storageState();
  await page.context().close();
  await orders(server, 'default', 7);
});
after(async () => {
  await browser?.close();
  await server?.end();
});

type Options = Parameters<Browser['newContext']>[0];
const open = async (options: Options = {}): Promise<Page> =>
  (await browser.newContext({ locale: 'en-CA', storageState: signedIn, ...options })).newPage();
const at = (path: string) => `${server.url}/app/default/${path}`;
/** The card as it is drawn in the page in small. */
const cardOf = (page: Page) => page.locator('.screen .mk-card .mk-text').first();
const part = (page: Page, title: string) => page.locator('summary', { hasText: title });
const api = (path: string, method: string, body?: object, version?: number) =>
  call(`${server.url}/v1/sites/default/${path}`, method, body, {
    ...admin,
    ...(version ? { 'if-match': `"${version}"` } : {}),
  });

test('by keyboard alone a notification is made, looked at with real numbers, refused where a number is typed, and run', async () => {
  const page = await open();
  const bad: string[] = [];
  page.on('pageerror', (error) => bad.push(String(error)));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective));
  });
  // a browser says itself that what was being typed was refused
  page.on('console', (line) => {
    if (line.type() === 'error' && !/status of (400|422)/.test(line.text())) bad.push(line.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith('data:')) bad.push(request.url());
  });
  const focused = () =>
    page.evaluate(() => {
      const { activeElement: on } = document;
      return on?.id ? document.querySelector(`label[for="${on.id}"]`)?.textContent : on?.textContent;
    });
  const reach = async (what: string) => {
    for (let n = 0; n < 80; n += 1) {
      if ((await focused())?.trim() === what) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${what} is not reached; ${await focused()} is`);
  };
  await page.goto(at('notifications'));
  await page.getByText('None yet.').waitFor();
  await reach('New notification');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'New notification' }).waitFor();
  await reach('Name');
  await page.keyboard.type('Buyers of the month');
  await page.keyboard.press('Enter');
  await cardOf(page).getByText('7 people bought here in the last 30 days').waitFor();
  await page.getByText('Counted now: 7').waitFor();

  await reach('When it is 2, 3, 5 …');
  await page.keyboard.press('End');
  await page.keyboard.type(', 900 of them twice');
  const field = page.getByRole('textbox', { name: 'When it is 2, 3, 5 …' });
  const refusal = page.locator('.field', { has: field }).locator('.wrong');
  await refusal.getByText('A number is counted, never typed').waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  assert.match((await cardOf(page).textContent())!, /^7 people bought/, 'the last that could be');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('Bought by {count} people in {days} days');
  await cardOf(page).getByText('Bought by 7 people in 30 days').waitFor();
  assert.equal(await refusal.count(), 0);
  await reach('Save');
  await page.keyboard.press('Enter');
  await page.getByText('Saved as version 2').waitFor();
  await page.goto(at('notifications'));
  await reach('Run');
  await page.keyboard.press('Enter');
  await page.getByText('Visitors see it now').waitFor();
  assert.equal((await focused())?.trim(), 'Pause', 'whoever ran it stands on what stops it');
  const isShown = (texts: string[]) => texts.length === 1;
  assert.deepEqual(await feedWhen(server, 'default', isShown), ['Bought by 7 people in 30 days']);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Run' }).waitFor();
  await reach('End');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await until('the question is gone', async () => (await page.getByRole('dialog').count()) === 0);
  assert.equal((await focused())?.trim(), 'End');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'End', exact: true }).press('Enter');
  await page.locator('.pill.ended').waitFor();
  assert.equal(await focusAtRest(page), 'H1 Notifications', 'the button that was pressed is gone');
  assert.equal(await page.getByRole('button', { name: 'Run' }).count(), 0);
  assert.deepEqual(bad, []);
  await page.context().close();
});

test('what became of a notification stands in the list and at it: so many of so many, never a share of a few', async () => {
  const id = await running(server, 'default', { ...COUNT, name: 'seen and closed' });
  const few = await running(server, 'default', { ...COUNT, name: 'seen by few' });
  const none = await running(server, 'default', { ...COUNT, name: 'in an empty room' });
  const acts = (of: string, n: number, kinds: (i: number) => string[]) =>
    Array.from({ length: n }, (_, i) => {
      const anonId = anon();
      return kinds(i).map((kind) =>
        makeEvent({ anonId, eventType: `proof_${kind}`, props: { notificationId: of, variantId: 'a' } }),
      );
    }).flat();
  for (const events of [
    acts(id, 20, (i) => (i < 8 ? ['shown', 'shown', 'clicked'] : ['shown'])),
    acts(id, 20, (i) => (i < 2 ? ['shown', 'dismissed'] : ['shown'])),
    acts(few, 3, (i) => (i === 0 ? ['shown', 'clicked'] : ['shown'])),
  ]) {
    const { body } = await call(`${server.url}/v1/events`, 'POST', { events });
    assert.ok(
      body.results.every((one: { error?: string }) => !one.error),
      JSON.stringify(body),
    );
  }
  const page = await open({ bypassCSP: true });
  await page.goto(at('notifications'));
  const row = (name: string) => page.locator('li.card', { hasText: name });
  await row('seen and closed')
    .getByText(
      'Last 28 days: seen 48 times by 40 viewers · clicked: 20% · closed: 5% · whether it helps, only a test can say',
    )
    .waitFor();
  await row('seen by few')
    .getByText(/seen 3 times by 3 viewers · clicked: 1 of 3 \(6\.1% – 79\.2%\)/)
    .waitFor();
  await row('in an empty room').getByText('Seen by nobody in the last 28 days').waitFor();
  assert.deepEqual(await complaintsOf(page), []);
  await page.goto(at(`notifications/${id}`));
  await page.getByText('seen 48 times by 40 viewers').waitFor();
  for (const one of [id, few, none]) await api(`notifications/${one}`, 'PATCH', { status: 'ended' }, 2);
  await page.context().close();
});

test('what somebody else changed meanwhile is not written over, and can be looked at', async () => {
  const id = await running(server, 'default', { ...COUNT, name: 'both of us' });
  const page = await open();
  await page.goto(at(`notifications/${id}`));
  await part(page, 'Days and hours').click();
  await page.getByLabel('Begins').fill('2031-05-01T09:00');
  assert.equal((await api(`notifications/${id}`, 'PATCH', { priority: 3 }, 2)).status, 200);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Somebody else changed it meanwhile').waitFor();
  await page.getByRole('button', { name: 'Show what there is now' }).click();
  await page.getByText('version 3').waitFor();
  await part(page, 'Days and hours').click();
  assert.equal(await page.getByLabel('Begins').inputValue(), '');
  await page.getByLabel('Begins').fill('2031-05-01T09:00');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved as version 4').waitFor();
  const { body } = await api(`notifications/${id}`, 'GET');
  assert.deepEqual(
    [body.notification.priority, body.notification.schedule.from],
    [3, '2031-05-01T09:00:00.000Z'],
  );
  assert.equal((await api(`notifications/${id}`, 'PATCH', { status: 'ended' }, 4)).status, 200);
  await page.context().close();
});

test('the editor says why a draft would not show, what it said before, and gives the picture with its line', async () => {
  const claim = { ...COUNT.claim, minimum: 500 };
  const made = await api('notifications', 'POST', { ...COUNT, name: 'early', claim, channels: ['page'] });
  const { notificationId: id } = made.body.notification;
  const page = await open({ bypassCSP: true });
  await page.goto(at(`notifications/${id}`));
  await page.getByText('below its minimum of 500: not shown').waitFor();
  const act = {
    ...COUNT,
    kind: 'recent_activity',
    name: 'nothing yet',
    texts: { en: { other: '{name} {when}' } },
  };
  const other = await api('notifications', 'POST', act);
  await page.goto(at(`notifications/${other.body.notification.notificationId}`));
  await page.getByText('not shown: nothing happened that may be told yet').waitFor();

  const texts = { en: { other: 'Taken home by {count} in {days} days' } };
  await api(`notifications/${id}`, 'PATCH', { texts, claim: COUNT.claim }, 1);
  await page.goto(at(`notifications/${id}`));
  await page.getByText('nobody sees a draft').waitFor();
  const picture = page.getByRole('img', { name: 'Taken home by 7 in 30 days' });
  await until('it is drawn', () => picture.evaluate((img: HTMLImageElement) => img.naturalWidth > 100));
  const line = await page.getByLabel('Picture for a page').inputValue();
  const url = /^<img src="([^"]+)" alt="[^"]+">$/.exec(line)![1]!.replaceAll('&amp;', '&');
  assert.equal((await call(url)).status, 200);
  assert.ok(url.startsWith(`${server.url}/v1/badge.svg?site=default&n=${id}`), url);

  await part(page, 'What it said before').click();
  const versions = page.locator('details', { hasText: 'What it said before' }).getByRole('listitem');
  await versions.first().waitFor();
  const said = await versions.allInnerTexts();
  assert.equal(said.length, 2);
  assert.match(said[0]!, /^version 2 Draft.*Taken home by \{count\} in \{days\} days.*shown from 5 on/s);
  assert.match(said[1]!, /^version 1 Draft.*\{count\} people bought in \{days\} days.*shown from 500 on/s);
  assert.deepEqual(await complaintsOf(page), []);
  await part(page, 'Name').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('late');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await until('the version that was just made', async () => (await versions.count()) === 3);
  await page.context().close();
});

test('a template is drawn as it is typed, refused in words at its field and its line, and worn by a notification', async () => {
  const page = await open();
  await page.goto(at('templates/new'));
  await page.getByLabel('Name').fill('Rye');
  const colors = page.getByRole('group', { name: 'Light' }).last();
  await colors.getByLabel('Text', { exact: true }).fill('#eeeeee');
  const ink = () => cardOf(page).evaluate((text) => getComputedStyle(text).color);
  await until('it is drawn', async () => (await ink()) === 'rgb(238, 238, 238)');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const field = colors.locator('.field', { has: page.getByLabel('Text', { exact: true }) });
  await field.getByText('has a contrast of 1.16:1 with the background').waitFor();
  await colors.getByLabel('Text', { exact: true }).fill('#402010');
  await part(page, 'CSS').click();
  const css = page.getByLabel('CSS');
  await css.fill('.mk-card { border-width: 3px }\n.mk-close { display: none }');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('1 thing in it cannot be taken').waitFor();
  await page.getByRole('listitem').getByText('display is not allowed for .mk-close').waitFor();
  await page.getByRole('button', { name: 'line 2, column' }).click();
  const chosen = await css.evaluate((box: HTMLTextAreaElement) => box.value.slice(box.selectionStart));
  assert.ok(chosen.startsWith('display'), chosen);
  await css.fill('.mk-card { border-width: 3px }');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('heading', { name: 'Rye' }).waitFor();
  assert.equal(await css.inputValue(), '.mk-card{border-width:3px;}', 'the API’s own print of it');

  const { body } = await api('notifications', 'POST', { ...COUNT, name: 'in rye' });
  await page.goto(at(`notifications/${body.notification.notificationId}`));
  await part(page, 'Looks and place').click();
  await page.getByLabel('Template').selectOption('Rye');
  await until('it wears it', async () => (await ink()) === 'rgb(64, 32, 16)');
  await page.getByRole('button', { name: 'Dark', exact: true }).click();
  await until('its dark colours', async () => (await ink()) === 'rgb(240, 243, 246)');
  assert.match(page.url(), /\?by=dark$/);
  const width = () => page.locator('.screen').evaluate((box) => box.clientWidth);
  const before = await width();
  await page.getByRole('button', { name: 'Phone' }).click();
  assert.ok((await width()) < before && (await width()) <= 320);
  const box = await page.locator('.screen').boundingBox();
  const card = await page.locator('.screen .mk-card').boundingBox();
  assert.ok(card!.x >= box!.x && card!.x + card!.width <= box!.x + box!.width, 'the card fits the phone');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved as version 2').waitFor();
  await page.reload();
  await until('the address is the state', async () => (await ink()) === 'rgb(240, 243, 246)');
  assert.ok((await width()) <= 320);
  await page.context().close();
});

for (const { theme, language, width } of [
  { theme: 'light', language: 'en', width: 320 },
  { theme: 'dark', language: 'en', width: 1280 },
  { theme: 'dark', language: 'fr', width: 320 },
  { theme: 'light', language: 'fr', width: 1280 },
] as const)
  test(`the pages stand ${theme}, in ${language}, ${width} wide, with nothing against them`, async () => {
    await server.database.owner.query('update users set language = $1', [language]);
    const name = `${theme} ${language} ${width}`;
    const look = await api('templates', 'POST', {
      name,
      tokens: { radius: 4 },
      css: '.mk-card{border-width:2px}',
    });
    const { templateId } = look.body.template;
    const texts = { ...COUNT.texts, fr: { other: '{count} personnes ont acheté en {days} jours' } };
    const one = await api('notifications', 'POST', {
      ...COUNT,
      name,
      texts,
      templateId,
      channels: ['toast', 'inline', 'page'],
    });
    const page = await open({ colorScheme: theme, bypassCSP: true, viewport: { width, height: 800 } });
    for (const path of [
      'notifications',
      'notifications/new',
      `notifications/${one.body.notification.notificationId}`,
      'templates',
      `templates/${templateId}`,
    ]) {
      await page.goto(at(path));
      await page.locator('h1').waitFor();
      await until('the page stands', async () => (await page.locator('.skeleton').count()) === 0);
      if (/\/.{36}$/.test(path)) {
        await cardOf(page).waitFor();
        await page.evaluate(() => {
          for (const one of document.querySelectorAll('details')) one.open = true;
        });
      }
      if (PICTURES)
        await page.screenshot({
          path: `${PICTURES}/sn-${path.replace(/\/.{36}$/, '-one').replace('/', '-')}-${theme}-${language}-${width}.png`,
          fullPage: true,
        });
      assert.equal(await page.locator('html').getAttribute('lang'), language, path);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${path}: ${wide} wide`);
      assert.deepEqual(await complaintsOf(page), [], path);
    }
    await page.context().close();
    await server.database.owner.query("update users set language = 'en'");
  });

test('who may only read numbers has no way there, and no button', async () => {
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
  await page.getByRole('link', { name: 'Overview' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Notifications' }).count(), 0);
  for (const path of ['notifications', 'templates']) {
    await page.goto(at(path));
    await page.getByRole('alert').waitFor();
    assert.equal(await page.getByRole('link', { name: /^New / }).count(), 0);
    assert.equal(
      await page
        .locator('main')
        .getByRole('button', { name: /Run|Pause|End|Delete|Save/ })
        .count(),
      0,
    );
  }
  await page.context().close();
});
