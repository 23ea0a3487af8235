// The pages of social proof in a real browser: reviews that are decided, tests that say what they can learn and what they
// showed, receipts that lead to the rows behind them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { complaintsOf } from '../../../test/axe.ts';
import { focusAtRest, launchChromium, until } from '../../../test/chromium.ts';
import { COUNT, orders, running } from '../../../test/claims.ts';
import { setupToken } from '../../../test/people.ts';
import { admin, BROWSER, call, QUICK_FEEDS, startServer, type TestServer } from '../../../test/server.ts';
import { judgeTests } from '../ab-tests/judge-tests.ts';
import { judge } from '../ab-tests/verdict.ts';

const PICTURES = process.env.PICTURES; // a folder: pages are photographed for looking at
const MAY = 'The bakery may publish this review with my first name. I can take that back at any time.';
const DAY_MS = 86_400_000;

let server: TestServer;
let browser: Browser;
let page: Page;
let siteId: string;
before(async () => {
  [server, browser] = await Promise.all([
    startServer({}, undefined, undefined, QUICK_FEEDS),
    launchChromium(BROWSER),
  ]);
  siteId = server.services.sites.fallback().siteId;
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

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/sites/${siteId}/${path}`, method, body, { ...admin, ...headers });
const visit = async (path: string, at = page) => {
  await at.goto(`${server.url}/app/default/${path}`);
  await at.locator('h1').waitFor();
  await until(`${path} stands`, async () => (await at.locator('.skeleton').count()) === 0);
};
const card = (text: string) => page.locator('li.review', { hasText: text });

/** By a plain form of somebody's page, as it stands in the documentation. */
async function write(fields: Record<string, string>): Promise<void> {
  const inputs = Object.entries({ propertyId: 'default', ...fields })
    .map(([name, value]) => `<input name="${name}" value="${value}">`)
    .join('');
  const theirs = await (await browser.newContext()).newPage();
  await theirs.route('http://bakery.example/', (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<form method="post" action="${server.url}/v1/reviews">${inputs}<button>Send</button></form>`,
    }),
  );
  await theirs.goto('http://bakery.example/');
  await theirs.getByRole('button').click();
  await theirs.waitForURL(`${server.url}/**`);
  await theirs.context().close();
}

test('a review left by the public form is declined only for a reason, and published by permission alone', async () => {
  await write({
    email: 'ida@people.example',
    name: 'Ida Noether',
    rating: '2',
    text: 'Dark crust, a little salty.',
    product: 'sourdough',
    incentive: 'a loaf',
    'display[text]': MAY,
    'display[fields]': 'name',
  });
  await write({ email: 'ben@people.example', rating: '5', text: 'The best rye of the town.' });
  await visit('reviews');
  const salty = card('a little salty');
  await salty.getByText('yes, exactly these words, as “Ida”').waitFor();
  assert.equal(await salty.getByRole('img', { name: '2 of 5 stars' }).count(), 1);
  for (const beside of ['a loaf', 'no purchase of theirs is known', 'your form', 'nothing said'])
    assert.equal(await salty.getByText(beside, { exact: true }).count(), 1, beside);

  await salty.getByRole('button', { name: 'Decline' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Decline' }).click();
  await dialog.getByText('say why, when it is declined and only then; a low rating is no reason').waitFor();
  assert.equal(await dialog.getByLabel('Why').getAttribute('aria-invalid'), 'true');
  await page.keyboard.press('Escape');
  await salty.getByRole('button', { name: 'Publish' }).click();
  await salty.getByText('Published', { exact: true }).waitFor();

  const rye = card('best rye');
  assert.equal(await rye.getByRole('button', { name: 'Publish' }).count(), 0, 'nobody allowed it');
  await rye.getByRole('button', { name: 'They allowed it in writing' }).click();
  await dialog.getByLabel('The words they agreed to').fill('Yes, put it on your page.');
  await dialog.getByLabel('Where the proof is').fill('mail of today');
  await dialog.getByRole('button', { name: 'Enter it' }).click();
  await rye.getByText('yes, exactly these words, without a name').waitFor();
  await rye.getByRole('button', { name: 'Decline' }).click();
  await dialog.getByLabel('Why').selectOption('Made up');
  await dialog.getByRole('button', { name: 'Decline' }).click();
  await rye.getByText('Declined: Made up').waitFor();

  await page.getByRole('link', { name: 'Published', exact: true }).click();
  await until('only what is published', async () => (await page.locator('li.review').count()) === 1);
  assert.match(page.url(), /reviews\?by=published$/);
  await card('a little salty').waitFor();
});

test('reviews of elsewhere are looked at before they are brought in, and what is wrong with a line is said', async () => {
  await visit('reviews/import');
  const csv =
    'date,rating,text,name,shoe\n2026-05-03,4,Good baguette.,Cleo,42\n2026-05-04,9,Too many stars.,Dan,43\n';
  await page.getByLabel('Where they come from').fill('google');
  await page
    .getByLabel('File')
    .setInputFiles({ name: 'reviews.csv', mimeType: 'text/csv', buffer: Buffer.from(csv) });
  await page.getByRole('button', { name: 'Look what would happen' }).click();
  await page.getByText('Columns that are left out: shoe').waitFor();
  await page.getByText('a whole number from 1 to 5').waitFor();
  assert.deepEqual(await rows("select from reviews where source = 'google'"), [], 'nothing was changed yet');
  await page.getByRole('button', { name: 'Bring them in' }).click();
  await page.getByRole('status').getByRole('link', { name: 'Reviews' }).click();
  await card('Good baguette').getByText('nobody of yours wrote it').waitFor();
});

/** As if so many had been exposed and converted: straight into the table, since thousands of browsers take minutes. */
async function fill(
  testId: string,
  counts: Record<string, [exposed: number, converted: number]>,
  days: number,
) {
  await rows('update ab_tests set started_at = now() - make_interval(days => $2) where test_id = $1', [
    testId,
    days,
  ]);
  for (const [arm, [n, converted]] of Object.entries(counts))
    await rows(
      `insert into ab_exposures (site_id, test_id, visitor_id, arm, first_exposed_at, converted_at)
       select $1, $2, gen_random_uuid(), $3, now() - interval '12 days', case when i <= $5 then now() - interval '11 days' end
       from generate_series(1, $4::int) i`,
      [siteId, testId, arm, n, converted],
    );
}
const judgeAll = () => judgeTests({ db: server.database.app, sites: server.services.sites });

let harmful: string;
test('a test says what it can learn before it starts, and its verdict in words afterwards', async () => {
  const notificationId = await running(server, 'default', { ...COUNT, name: 'Buyers of bread' });
  await visit('tests');
  await page.getByText('No test was made yet.').waitFor();
  await page.getByRole('link', { name: 'New test' }).click();
  const text = page.getByLabel('Text, English', { exact: true });
  assert.equal(await text.inputValue(), COUNT.texts.en.other);
  await text.fill('500 people, {count} in {days} days');
  await page.getByLabel('Its short name').fill('warm');
  await page.getByRole('button', { name: 'Make the draft' }).click();
  await page.getByText('A number in a notification is counted, never typed').waitFor();
  assert.equal(await text.getAttribute('aria-invalid'), 'true');
  await page.getByLabel('What a visitor does for it').selectOption('buys');
  await text.fill('{count} people took bread home in {days} days');
  await page.getByRole('button', { name: 'Make the draft' }).click();
  await page.getByRole('heading', { name: 'What a site of this size can hope to learn' }).waitFor();
  await page.getByText('Nobody reached this goal in the last four weeks').waitFor();
  const [{ test_id: testId }] = await rows('select test_id from ab_tests');
  const { needs } = (await ask('GET', `ab-tests/${testId}/results`)).body;
  const first = page.getByRole('row', { name: '+10%' });
  assert.equal(
    await first.getByRole('cell').first().textContent(),
    needs.learns[0].converters.toLocaleString('en-CA'),
  );
  await page.getByRole('button', { name: 'Start the test' }).click();
  await page.getByText('Not proven yet: nobody who keeps an id').waitFor();
  harmful = testId;

  await fill(testId, { control: [2000, 300], warm: [2000, 310] }, 20);
  await judgeAll();
  await visit(`tests/${testId}`);
  await page.getByText('Not proven yet: the effect of “warm” lies between').waitFor();
  await page.getByText('The arms are of the size they should be.').waitFor();
  assert.ok((await page.getByRole('slider').getAttribute('aria-valuetext'))?.startsWith('now: warm '));

  await fill(testId, { control: [2000, 500], warm: [2000, 100] }, 20);
  await judgeAll();
  await visit(`tests/${testId}`);
  await page.getByText('Harm: paused. “warm” kept people from the goal').waitFor();
  assert.equal(
    (await ask('GET', `notifications/${notificationId}`)).body.notification.status,
    'paused',
    'as the page says',
  );
  await visit('tests');
  await page.getByRole('row', { name: 'Buyers of bread' }).getByText('harm: paused').waitFor();
});

let ref: string;
test('what visitors are shown leads to its receipt, which is checked in the browser, and to the rows behind it', async () => {
  const ids = await orders(server, 'default', 6);
  // after them: a feed that was built anew for it before they came would wait a minute for the next
  await running(server, 'default', COUNT);
  await until('it is shown', async () => {
    const { body } = await call(`${server.url}/v1/feed?site=default`);
    return body.items.length > 0;
  });
  await visit('receipts');
  await page.getByRole('link', { name: 'Receipt: 6 people bought in 30 days' }).click();
  await page.getByText('Checked in this browser: nothing was changed').waitFor();
  ref = page.url().split('/').at(-1)!;
  const pageOfAll = await page.getByRole('link', { name: 'The page that visitors see' }).getAttribute('href');
  assert.equal(pageOfAll, `/proof/${ref}`);
  await page.getByRole('button', { name: 'Show the rows' }).click();
  await page.getByRole('heading', { name: 'Conversions: 6 rows' }).waitFor();
  const shown = await page.locator('.rows code').allInnerTexts();
  assert.deepEqual(shown.toSorted(), ids.toSorted());

  // a changed one does not fit
  await page.route('**/v1/proof/*', async (route) => {
    const answer = await route.fetch();
    const body = await answer.json();
    await route.fulfill({ response: answer, json: { ...body, receipt: { ...body.receipt, value: 7 } } });
  });
  await visit(`receipts/${ref}`);
  await page.getByText('It does not fit').waitFor();
  await page.unroute('**/v1/proof/*');

  await visit('receipts');
  await page.getByLabel('Receipt', { exact: true }).fill(`${server.url}/proof/${ref}?lang=fr`);
  await page.getByRole('button', { name: 'Look', exact: true }).click();
  await page.getByText('Checked in this browser').waitFor();
  assert.ok(page.url().endsWith(`/receipts/${ref}`));
});

test('what a notification said before is found with its receipts, also when the feed of the day has none of it', async () => {
  const name = 'Said before';
  const id = await running(server, 'default', { ...COUNT, name });
  const shown = async (version: number) => {
    for (;;) {
      const { receipts } = (await ask('GET', `notifications/${id}/receipts`)).body;
      if (receipts.some((one: { version: number }) => one.version === version)) return;
      await call(`${server.url}/v1/feed?site=default`);
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  await shown(2);
  const texts = { en: { other: '{count} came for bread in {days} days' } };
  await ask('PATCH', `notifications/${id}`, { texts }, { 'if-match': '"2"' });
  await shown(3);
  await ask('PATCH', `notifications/${id}`, { status: 'ended' }, { 'if-match': '"3"' });
  await visit('receipts');
  await page.getByLabel('Notification').selectOption(name);
  const before = page.locator('section', {
    has: page.getByRole('heading', { name: 'What a notification said before' }),
  });
  await before.getByText('6 came for bread in 30 days').waitFor();
  assert.deepEqual(await before.locator('.says').allInnerTexts(), [
    '6 came for bread in 30 days',
    '6 people bought in 30 days',
  ]);
  await before.getByText(/ · version 2 · counted: 6$/).waitFor();
  assert.deepEqual(await complaintsOf(page), []);
  await before.getByRole('link', { name: /^Receipt: 6 people bought/ }).click();
  await page.getByText('Checked in this browser').waitFor();
});

test('a sum of days says that nobody counted what was left out of it, and a receipt all its wordings', async () => {
  await rows(
    `insert into visitor_days (site_id, day, visitor_id) select $1, site_day($1, now()) - 2, gen_random_uuid() from generate_series(1, 12)`,
    [siteId],
  );
  const texts = {
    en: { one: '{count} visitor in {days} days', other: '{count} visitors in {days} days' },
    fr: { other: '{count} visites en {days} jours' },
  };
  const claim = { of: 'visitors', days: 7, minimum: 3 };
  const id = await running(server, 'default', { ...COUNT, name: 'Lookers', claim, texts });
  await visit(`notifications/${id}`);
  await page.getByText('of sums of days it is not counted how many').waitFor();
  const { body } = await call(`${server.url}/v1/feed?site=default`);
  const { receipt } = body.items.find((one: { id: string }) => one.id === id).variants[0];
  await visit(`receipts/${receipt}`);
  await page.getByText('robots and your own people; how many they were is not counted').waitFor();
  await page.getByText('{count} visites en {days} jours').waitFor();
  const { status } = await ask('PATCH', `notifications/${id}`, { status: 'ended' }, { 'if-match': '"2"' });
  assert.equal(status, 200);
});

/** Three weeks of looks at a test that goes on, as they were judged each day. */
async function longTest(): Promise<{ testId: string; notificationId: string }> {
  const notificationId = await running(server, 'default', { ...COUNT, name: 'Two wordings' });
  const { body } = await ask('POST', 'ab-tests', {
    notificationId,
    variants: [{ key: 'plain' }, { key: 'warm', texts: { en: { other: '{count} friends in {days} days' } } }],
    controlShare: 0.4,
    goal: { of: 'leads' },
  });
  const { test: made } = body;
  await ask('POST', `ab-tests/${made.testId}/start`);
  const at = (day: number) => ({
    control: [day * 40, day * 6],
    plain: [day * 30, day * 4],
    warm: [day * 30, Math.round(day * 5.7)],
  });
  await fill(made.testId, at(23) as never, 23);
  for (let day = 1; day < 23; day += 1) {
    const counts = Object.entries(at(day)).map(
      ([arm, [exposed, converted]]) => [arm, { exposed: exposed!, converted: converted! }] as const,
    );
    const { verdict, arms, comparisons, srm } = judge(made, new Map(counts), day);
    await rows(
      'insert into ab_verdicts (site_id, test_id, judged_at, verdict, arms, comparisons, srm) values ($1, $2, $3, $4, $5, $6, $7)',
      [
        siteId,
        made.testId,
        new Date(Date.now() - (23 - day) * DAY_MS),
        verdict,
        JSON.stringify(arms),
        JSON.stringify(comparisons),
        JSON.stringify(srm),
      ],
    );
  }
  return made;
}

let pages: string[] = [];
for (const [theme, language, width] of [
  ['light', 'en', 320],
  ['light', 'fr', 1280],
  ['dark', 'fr', 320],
  ['dark', 'en', 1280],
] as const)
  test(`the pages stand ${theme}, in ${language}, ${width} wide: nothing against them, nothing asked elsewhere`, async () => {
    if (pages.length === 0) {
      const { testId, notificationId } = await longTest();
      const goal = { of: 'page_views', where: { path: '/thanks' } };
      const { body } = await ask('POST', 'ab-tests', { notificationId, variants: [{ key: 'again' }], goal });
      pages = ['reviews?by=all', 'reviews/import', 'tests', 'tests/new', 'receipts', `receipts/${ref}`];
      for (const id of [testId, body.test.testId, harmful]) pages.push(`tests/${id}`);
    }
    const bad: string[] = [];
    const one = await page.context().newPage();
    one.on('console', (line) => line.type() === 'error' && bad.push(line.text()));
    one.on('pageerror', (error) => bad.push(String(error)));
    one.on('request', (request) => request.url().startsWith(server.url) || bad.push(request.url()));
    await rows('update users set language = $1', [language]);
    await one.setViewportSize({ width, height: 800 });
    await one.emulateMedia({ colorScheme: theme });
    for (const [n, path] of pages.entries()) {
      await visit(path, one);
      if (PICTURES)
        await one.screenshot({ path: `${PICTURES}-${n}-${theme}-${language}-${width}.png`, fullPage: true });
      assert.equal(await one.locator('html').getAttribute('lang'), language, path);
      const wide = await one.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${path}: ${wide} wide`);
      assert.deepEqual(await complaintsOf(one), [], path);
      assert.deepEqual(bad, [], path);
    }
    await one.close();
    await rows("update users set language = 'en'");
  });

test('by keyboard alone a review is declined with its reason, and a point of the evidence is read', async () => {
  await visit('reviews?by=all');
  const focused = () =>
    page.evaluate(() => {
      const one = document.activeElement;
      return one?.getAttribute('aria-valuetext') ?? `${one?.tagName} ${one?.textContent?.trim()}`;
    });
  const reach = async (what: RegExp) => {
    for (let n = 0; n < 80; n += 1) {
      if (what.test(await focused())) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${what} is not reached`);
  };
  await card('a little salty').waitFor();
  await reach(/^BUTTON Take it off/);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await reach(/^SELECT/);
  // an arrow, not letters: a slow machine takes letters that come far apart for several words
  await page.keyboard.press('ArrowDown');
  assert.equal(await page.getByLabel('Why').inputValue(), 'spam');
  await reach(/^BUTTON Decline/);
  await page.keyboard.press('Enter');
  await until('what came of it is heard', async () => /^SPAN Declined: Spam/.test(await focused()));
  assert.match(await focusAtRest(page), /^SPAN Declined: Spam/, 'and nothing takes it away');

  const [{ test_id: long }] = await rows("select test_id from ab_tests where status = 'running'");
  await visit(`tests/${long}`);
  await page.getByRole('slider').waitFor();
  await reach(/^now: /);
  const last = await focused();
  await page.keyboard.press('ArrowLeft');
  await until('the look before is told', async () => (await focused()) !== last);
  assert.match(await focused(), /plain [\d.]+, warm [\d.]+$/);
  await page.getByRole('button', { name: 'Stop the test' }).press('Enter');
  await page.getByRole('dialog').getByRole('button', { name: 'Stop the test' }).press('Enter');
  await until(
    'it stands stopped',
    async () => (await page.getByRole('button', { name: 'Stop the test' }).count()) === 0,
  );
  assert.equal(await focusAtRest(page), 'H1 Two wordings', 'the button that was pressed is gone');
});

test('who may only read sees what people wrote and its receipts, and no button that decides', async () => {
  const invited = await call(
    `${server.url}/v1/invitations`,
    'POST',
    { role: 'privacy', sites: ['default'], email: 'eve@people.example' },
    admin,
  );
  const theirs = await (await browser.newContext({ locale: 'en-CA' })).newPage();
  await theirs.goto(`${server.url}/app/#/join/${invited.body.link.split('/').at(-1)}`);
  await theirs.getByLabel('Your name').fill('Eve');
  await theirs.getByLabel('New password').fill('milk, honey and a fork');
  await theirs.getByRole('button', { name: 'Make the account' }).click();
  await theirs.getByRole('link', { name: 'Default site' }).click();
  await theirs.goto(`${server.url}/app/default/reviews?by=all`);
  await theirs.getByText('Your role reads them').waitFor();
  await theirs.locator('li.review').first().waitFor();
  assert.equal(await theirs.locator('main').getByRole('button').count(), 0);
  const links = await theirs
    .getByRole('navigation', { name: 'Pages of this site' })
    .getByRole('link')
    .allInnerTexts();
  assert.deepEqual(
    links.map((text) => text.trim()),
    ['Leads', 'Reviews', 'Receipts', 'Privacy'],
  );
  await theirs.context().close();
});

test('a wording wears a template and has a moment of its own, chosen by keyboard and drawn as it would be', async () => {
  const { body } = await ask('POST', 'templates', {
    name: 'Midnight',
    tokens: { light: { background: '#001122', text: '#ffffff', accent: '#ffffff', border: '#001122' } },
  });
  const { templateId } = body.template;
  await running(server, 'default', { ...COUNT, name: 'Buyers at night', trigger: { afterMs: 2500 } });
  await visit('tests/new');
  const focused = () =>
    page.evaluate(() => {
      const { activeElement: on } = document;
      return (on?.id ? document.querySelector(`label[for="${on.id}"]`) : on)?.textContent?.trim();
    });
  const reach = async (what: string) => {
    for (let n = 0; n < 80; n += 1) {
      if ((await focused()) === what) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`${what} is not reached; ${await focused()} is`);
  };
  const drawn = page.getByRole('region', { name: 'Wording 1 as it would be now' }).locator('.mk-card');
  await drawn.waitFor();
  const ground = () => drawn.evaluate((element) => getComputedStyle(element).backgroundColor);
  assert.equal(await ground(), 'rgb(255, 255, 255)');
  await page.getByLabel('Its short name').focus();
  await reach('Text, English');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('{count} people came by at night in {days} days');
  await drawn.getByText(/^\d+ people came by at night in 30 days$/).waitFor();
  await reach('Template');
  await page.keyboard.press('ArrowDown');
  await until('it is drawn in its colours', async () => (await ground()) === 'rgb(0, 17, 34)');
  await reach('Seconds on the page before its card');
  const moment = page.getByLabel('Seconds on the page before its card');
  assert.equal(await moment.inputValue(), '2.5');
  assert.deepEqual(await complaintsOf(page), []);
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('20');
  await reach('Scrolled down to, in %');
  await page.keyboard.type('60');
  await reach('Its part of all visitors, in %');
  await page.keyboard.type('30');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  assert.ok(await page.getByLabel('Only when somebody is about to leave').isChecked());
  await reach('Who is shown nothing, in %');
  await page.keyboard.press('ControlOrMeta+a');
  await page.keyboard.type('75');
  await reach('Make the draft');
  await page.keyboard.press('Enter');
  await page.getByText('with controlShare they sum to 1.05').waitFor();
  await page.getByLabel('Who is shown nothing').fill('70');
  await page.getByRole('button', { name: 'Make the draft' }).click();
  await page
    .getByText('its card after 20 s on the page, scrolled down to 60%, when somebody is about to leave')
    .waitFor();
  await page.getByRole('link', { name: 'Midnight' }).waitFor();
  const [one] = (await ask('GET', 'ab-tests?limit=1')).body.tests;
  assert.deepEqual(
    [one.variants[0].templateId, one.variants[0].trigger],
    [templateId, { afterMs: 20_000, scrollPercent: 60, exitIntent: true }],
  );
  assert.deepEqual([one.controlShare, one.variants[0].share], [0.7, 0.3]);
  await ask('POST', `ab-tests/${one.testId}/stop`);
});
