// What a founder sees who does what the README says: the bakery's data is made, its pages are opened, and each card comes at its
// own moment, says what its rows say, and leads to its receipt.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { complaintsOf } from '../test/axe.ts';
import { launchChromium, until } from '../test/chromium.ts';
import { PEPPER } from '../test/cluster.ts';
import { admin, BROWSER, call, QUICK_FEEDS, startServer, type TestServer } from '../test/server.ts';
import { startDemo } from './server.ts';

let server: TestServer;
let bakery: Awaited<ReturnType<typeof startDemo>>;
let browser: Browser;
let context: BrowserContext;
let page: Page;

/** As the README says it, beside the running API; what it said. */
const makeData = (): Promise<string> =>
  new Promise((done, failed) => {
    execFile(
      process.execPath,
      ['data.ts', '--days', '8', '--visitors', '60', '--api', server.url],
      {
        cwd: fileURLToPath(new URL('.', import.meta.url)),
        env: {
          ...process.env,
          ...{ DATABASE_URL: server.database.ownerUrl, IP_HASH_PEPPER: PEPPER },
          ADMIN_API_KEY: admin['x-admin-key'],
        },
      },
      (error, _, said) => (error ? failed(error) : done(said)),
    );
  });

before(async () => {
  [server, browser] = await Promise.all([
    startServer({}, undefined, undefined, QUICK_FEEDS),
    launchChromium(BROWSER),
  ]);
  bakery = await startDemo({ port: 0, apiOrigin: server.url, notifications: true });
  // as scripts/start does: the demo is another origin than the API's
  const { siteId } = server.services.sites.fallback();
  const allowed = await call(`${server.url}/v1/sites/${siteId}`, 'PATCH', { origins: [bakery.url] }, admin);
  assert.equal(allowed.status, 200, JSON.stringify(allowed.body));
  assert.match(await makeData(), /\b5 notifications made/);
});
after(async () => {
  await browser?.close();
  await bakery?.close();
  await server?.end();
});
beforeEach(async () => {
  await context?.close();
  // low, so that every page is longer than what is seen of it
  context = await browser.newContext({ viewport: { width: 900, height: 420 }, bypassCSP: true });
  page = await context.newPage();
});

const card = (at = page) => at.locator('mk-proof .mk-card');
const textOf = async (at = page) => (await card(at).locator('.mk-text').allTextContents()).join(' | ');
/** Once the page knows what it may show. */
async function goTo(path: string, at = page): Promise<void> {
  const asked = at.waitForResponse((answer) => new URL(answer.url()).pathname === '/v1/feed');
  await at.goto(bakery.url + path);
  assert.equal((await asked).status(), 200);
}
/** Nothing to wait for: a card that came too early would be there by now. */
const moment = (ms = 1200) => page.waitForTimeout(ms);
/** More than a notification waits whose owner said nothing. */
const DEFAULT_WAIT_MS = 4000;
const one = async (sql: string) => (await server.database.owner.query(sql)).rows[0];
/** As each minute does. */
async function rebuilt(): Promise<void> {
  const { feeds, sites } = server.services;
  await server.database.owner.query('select pg_notify($1, $2)', [
    feeds.channel.name,
    sites.fallback().siteId,
  ]);
}
/** The pointer leaves by the upper edge, where the tabs are. */
const leave = async () => {
  await page.mouse.move(200, 200);
  await page.evaluate(() =>
    document.documentElement.dispatchEvent(new MouseEvent('mouseout', { bubbles: true, clientY: -1 })),
  );
};

test('made again, nothing is made twice', async () => {
  assert.match(await makeData(), /\b0 notifications made/);
});

test('by the clock: somebody who allowed it is named with what they ordered, and nobody else', async () => {
  await goTo('/');
  await card().waitFor();
  assert.match(
    await textOf(),
    /^(Maren|Idris|Odile) ordered (country loaf|seeded rye|baguette|cardamom knots) /,
  );
  assert.equal(await card().evaluate((element) => element.getRootNode() instanceof ShadowRoot), true);
  assert.deepEqual(await complaintsOf(page), []);
});

test('by scrolling: who reads on is told how many asked for the letter, which is what the table holds', async () => {
  await goTo('/bread');
  await moment();
  assert.equal(await card().count(), 0);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await card().waitFor();
  const { count } = await one(
    "select count(*)::int as count from leads where first_form_name = 'newsletter'",
  );
  assert.equal(await textOf(), `${count} people asked for the weekly bake in 30 days`);
  await card().getByRole('link', { name: 'Get it too' }).click();
  await page.waitForURL(`${bakery.url}/newsletter`);
});

test('by leaving: who is about to go is told how many looked in', async () => {
  await goTo('/visit');
  await moment();
  assert.equal(await card().count(), 0);
  await leave();
  await card().waitFor();
  assert.match(await textOf(), /^[\d,]+\+ people looked in within 7 days$/);
});

test('in its place on the page: a review with its stars, moving nothing', async () => {
  await page.addInitScript(`
    self.shifted = 0;
    new PerformanceObserver((list) => { for (const { value } of list.getEntries()) self.shifted += value; })
      .observe({ type: 'layout-shift', buffered: true });
  `);
  await goTo('/menu');
  await page.locator('[data-mk-place] mk-proof .mk-card, [data-mk-place] .mk-card').first().waitFor();
  assert.match(await textOf(), /^“.+” — (Maren|Odile|Wren), .* \| [1-5]\/5 · verified purchase/);
  await moment();
  assert.equal(await page.evaluate('self.shifted'), 0);
  assert.deepEqual(await complaintsOf(page), []);
});

test('as a bar: how many are here now, once there are as many as its owner wants', async () => {
  // the made day ends where the clock is: it has as many here now as the hour brings, none or several
  const { owner } = server.database;
  await owner.query("delete from events where occurred_at > now() - interval '15 minutes'");
  await rebuilt();
  await until('one is not three', async () => {
    await goTo('/newsletter');
    await moment(DEFAULT_WAIT_MS);
    return (await card().count()) === 0;
  });
  for (const system of [
    'Windows NT 10.0; Win64; x64',
    'X11; Linux x86_64',
    'Macintosh; Intel Mac OS X 10_15_7',
  ]) {
    const theirs = await browser.newContext({
      userAgent: `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36`,
    });
    const at = await theirs.newPage();
    const told = at.waitForResponse((answer) => answer.url().includes('/v1/events'));
    await goTo('/newsletter', at);
    await told;
  }
  await rebuilt();
  await until('it is there', async () => {
    await goTo('/newsletter');
    await moment(DEFAULT_WAIT_MS);
    return (await card().count()) === 1;
  });
  const { count } = await one(`
    select count(distinct visitor_id)::int as count from events
    where occurred_at > now() - interval '5 minutes' and bot_reason is null`);
  assert.ok(count >= 3, `${count} people`);
  assert.equal(await textOf(), `${count} people here in the last 5 minutes`);
  assert.ok(await card().evaluate((element) => element.classList.contains('bar')));
});

test('by keyboard a card is read, its receipt opened, and sent away for the rest of the visit', async () => {
  await goTo('/bread');
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await card().waitFor();
  assert.equal(
    await page
      .getByRole('status')
      .filter({ has: page.locator('.mk-text') })
      .count(),
    1,
  );
  const text = await textOf();
  const within = () =>
    page.evaluate(() => document.querySelector('mk-proof')?.shadowRoot?.activeElement?.className ?? '');
  const reach = async (what: string) => {
    for (let n = 0; n < 60 && (await within()) !== what; n += 1) await page.keyboard.press('Tab');
    assert.equal(await within(), what);
  };
  await reach('mk-receipt');
  const receipt = (await card().locator('.mk-receipt').getAttribute('href'))!;
  const shown = await context.newPage();
  await shown.goto(receipt);
  const [count] = /\d+/.exec(text)!;
  assert.ok((await shown.locator('main').textContent())!.includes(count!), 'the receipt has the number');
  assert.deepEqual(await complaintsOf(shown), []);
  await shown.close();

  await reach('mk-close');
  await page.keyboard.press('Enter');
  await until('it is gone', async () => (await card().count()) === 0);
  await goTo('/');
  await moment();
  await moment();
  assert.equal(await card().count(), 0, 'who sent one away is left alone');
});

test('a card that was looked at is counted once, for that notification', async () => {
  const { body } = await call(
    `${server.url}/v1/sites/default/notifications?limit=100`,
    'GET',
    undefined,
    admin,
  );
  const letters = body.notifications.find(({ name }: { name: string }) => name === 'Letters');
  const shown = async () =>
    (
      await server.database.owner.query(
        "select from notification_events where kind = 'shown' and notification_id = $1",
        [letters.notificationId],
      )
    ).rowCount!;
  const before = await shown();
  await goTo('/bread');
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await card().waitFor();
  await until('it is counted', async () => (await shown()) !== before);
  await moment();
  assert.equal(await shown(), before + 1);
});
