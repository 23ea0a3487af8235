// From a real browser on the bakery's site, through the real API, into a real PostgreSQL 18.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startDemo } from '../../../demo/server.ts';
import { launchChromium, until } from '../../../test/chromium.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';

let api: TestServer;
let browser: Browser;
let demo: Awaited<ReturnType<typeof startDemo>>;

before(async () => {
  api = await startServer({ RATE_LIMITS: 'on' });
  [demo, browser] = await Promise.all([
    startDemo({ port: 0, apiOrigin: api.url, propertyId: 'bakery', consent: 'full' }),
    launchChromium(BROWSER),
  ]);
  const { status } = await call(
    `${api.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'Crumb & Co.', domain: 'bakery.example', origins: [demo.url] },
    admin,
  );
  assert.equal(status, 201);
});
after(async () => {
  await browser?.close();
  await demo?.close();
  await api?.end();
});

const visit = async (options: BrowserContextOptions = {}): Promise<Page> =>
  (await browser.newContext(options)).newPage();
const rows = async (sql: string, values: unknown[] = []) =>
  (await api.database.owner.query(sql, values)).rows;
const eventsOf = (visitorId: string) =>
  rows('select * from events where visitor_id = $1 order by occurred_at', [visitorId]);
const visitorOf = async (email: string): Promise<string | undefined> =>
  (await rows('select first_visitor_id from leads where email_normalized = $1', [email]))[0]
    ?.first_visitor_id;

async function subscribe(page: Page, email: string) {
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Your email address').fill(email);
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Subscribe' }).click();
}

test('a visit from a campaign to a subscription is one visitor, one session, one lead and one submission', async () => {
  const page = await visit();
  await page.goto(`${demo.url}/?utm_source=newsletter&utm_medium=email&utm_campaign=autumn`);
  await until('the script is there', () => page.evaluate('typeof mkt.event === "function"'));
  await page.getByRole('link', { name: 'Get the weekly bake' }).click();
  await page.waitForURL('**/newsletter');
  await subscribe(page, 'ada@example.com');
  await page.waitForURL(`${demo.url}/thanks`);
  await until('the last page view', async () => {
    const visitor = await visitorOf('ada@example.com');
    return visitor && (await eventsOf(visitor)).some((event) => event.path === '/thanks');
  });

  const visitor = (await visitorOf('ada@example.com'))!;
  const events = await eventsOf(visitor);
  const count = (type: string) => events.filter((event) => event.event_type === type).length;
  assert.equal(count('page_view'), 3);
  assert.equal(count('cta_click'), 1);
  assert.equal(count('form_start'), 1);
  assert.equal(count('form_submit'), 1, 'browser and server tell of one submission');
  assert.deepEqual(
    events
      .filter((event) => event.bot_reason)
      .map((event) => [event.event_type, event.path, event.bot_reason]),
    [],
  );
  const sessions = await rows('select * from sessions where visitor_id = $1', [visitor]);
  assert.equal(sessions.length, 1);
  assert.equal(sessions[0].source, 'email');
  assert.equal(sessions[0].utm.campaign, 'autumn');
  const vitals = events.find((event) => event.event_type === 'web_vitals');
  assert.ok(vitals && vitals.ttfb_ms >= 0);
  const links = await rows('select * from lead_identities where visitor_id = $1', [visitor]);
  assert.deepEqual(
    links.map((link) => link.link_source),
    ['form_submit'],
  );
  await page.context().close();
});

test('without JavaScript the page is counted with its campaign, and the subscription is taken', async () => {
  const page = await visit({ javaScriptEnabled: false });
  await page.goto(`${demo.url}/newsletter?utm_source=flyer&utm_campaign=market`);
  await until('the view', async () => {
    const [event] = await rows("select * from events where event_type = 'page_view' and path like '%flyer%'");
    return event;
  });
  await subscribe(page, 'grace@example.com');
  await page.waitForURL(`${demo.url}/thanks`);
  const [lead] = await rows("select * from leads where email_normalized = 'grace@example.com'");
  assert.equal(lead.consent_status, 'express');
  await page.context().close();
});

test('the browser may read the answer, so nothing waits in its queue', async () => {
  const page = await visit();
  await page.goto(`${demo.url}/bread`);
  const queued = () =>
    page.evaluate(() => Object.keys(localStorage).filter((key) => /^_mkt7bakery:\d/.test(key)).length);
  await until('the visitor is stored', () => page.evaluate(() => Boolean(localStorage['_mkt7bakery:id'])));
  await until('the queue is empty', async () => (await queued()) === 0);
  await page.context().close();
});
