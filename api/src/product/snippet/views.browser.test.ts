// What of a visit becomes a page view: loads, single-page sites, the back/forward cache, frames; and what of an address travels.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { until, WHOLE } from '../../../test/chromium.ts';
import { startPages } from '../../../test/pages.ts';
import {
  api,
  bakery,
  demo,
  of,
  open,
  page,
  queued,
  ready,
  settled,
  show,
  site,
  stored,
  tag,
  useSnippet,
  views,
} from '../../../test/snippet-browser.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

useSnippet(WHOLE);

test('a page view arrives without a preflight, with a UUID of its own and its visitor', async () => {
  await page.goto(`${bakery.url}/bread`);
  await until('a page view', () => views().length === 1);
  const request = api.requests.find((one) => one.body.includes('/bread'));
  assert.equal(request!.method, 'POST');
  assert.match(request!.contentType, /^text\/plain/);
  const [event] = of('page_view');
  assert.match(event!.eventId, UUID);
  assert.match(event!.anonId!, UUID);
  assert.equal(event!.path, '/bread');
  assert.equal(event!.propertyId, 'default');
  assert.equal(event!.referrer, undefined);
  assert.ok(Math.abs(event!.timestamp - Date.now()) < 60_000);
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('the same visitor is seen on the next page, and where they came from', async () => {
  await page.goto(`${bakery.url}/`);
  await page.getByRole('link', { name: 'Visit' }).click();
  await until('two page views', () => views().length === 2);
  const [first, second] = of('page_view');
  assert.equal(second!.anonId, first!.anonId);
  assert.equal(second!.referrer, `${bakery.url}/`);
});

test('a landing carries its campaign and click ids, and nothing else of its query', async () => {
  const long = 'x'.repeat(300);
  await page.goto(
    `${bakery.url}/bread?utm_source=news&utm_medium=email&utm_term=&utm_content=${long}&gclid=abc-1&email=ada%40example.com&fbclid=f%26b#part`,
  );
  await until('a page view', () => views().length === 1);
  const [event] = of('page_view');
  assert.deepEqual(event!.utm, { source: 'news', medium: 'email', content: long.slice(0, 255) });
  assert.equal(event!.path, '/bread?gclid=abc-1&fbclid=f%26b');
  for (const { body } of api.requests) assert.doesNotMatch(body, /example.com/);
});

test('pages of a single-page site are counted by path, without the campaign', async () => {
  await page.goto(`${bakery.url}/menu?utm_source=news`);
  await ready();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await page.getByRole('link', { name: 'Coffee' }).click();
  await page.evaluate(() => history.replaceState({}, '', '?seen=1'));
  await page.evaluate(() => history.pushState({}, '', '#cups'));
  await page.evaluate(() => history.replaceState({}, '', '/menu/breakfast'));
  await page.goBack();
  await page.goBack();
  await until('page views', () => views().length === 6);
  assert.deepEqual(views(), [
    '/menu',
    '/menu/lunch',
    '/menu/coffee',
    '/menu/breakfast',
    '/menu/coffee',
    '/menu/lunch',
  ]);
  const [landing, lunch] = of('page_view');
  assert.deepEqual(landing!.utm, { source: 'news' });
  assert.equal(lunch!.utm, undefined);
  assert.equal(lunch!.referrer, `${bakery.url}/menu`);
});

test('a page that comes back from the back/forward cache is viewed again', async () => {
  await page.goto(`${bakery.url}/bread?utm_source=news`);
  await until('a page view', () => views().length === 1);
  await page.evaluate(() => {
    (window as unknown as { kept: boolean }).kept = true;
  });
  await page.goto(`${bakery.url}/visit`);
  await until('another', () => views().length === 2);
  await page.evaluate(() => history.back());
  await page.waitForURL('**/bread?*', { waitUntil: 'commit' });
  assert.equal(
    await page.evaluate(() => (window as unknown as { kept?: boolean }).kept),
    true,
    'the browser used its cache',
  );
  await until('the return', () => views().length === 3);
  const [first, , again] = of('page_view');
  assert.equal(again!.path, '/bread');
  assert.notEqual(again!.eventId, first!.eventId);
  assert.equal(again!.utm, undefined);
});

test('a prerendered page is counted once, when it is shown', async () => {
  await page.addInitScript(() => {
    Object.defineProperty(document, 'prerendering', { value: true, configurable: true });
  });
  await page.goto(`${bakery.url}/bread?utm_source=news`);
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => {
    window.mkt ||= [];
    window.mkt.push(['event', 'shown']);
  });
  assert.deepEqual(of('page_view', api.seen()).concat(of('shown', api.seen())), []);
  assert.deepEqual(await stored(), []);
  await page.evaluate(() => {
    Object.defineProperty(document, 'prerendering', { value: false });
    document.dispatchEvent(new Event('prerenderingchange'));
  });
  await until('both', () => views().length === 1 && of('shown').length === 1);
  assert.deepEqual(of('page_view')[0]!.utm, { source: 'news' });
});

test('a script that is on the page twice counts once', async () => {
  await page.goto(`${bakery.url}/bread`);
  await ready();
  await page.evaluate(
    (src) =>
      new Promise((resolve) => {
        const twin = document.createElement('script');
        twin.src = src;
        twin.dataset.site = 'default';
        twin.dataset.consent = 'full';
        twin.onload = resolve;
        document.head.append(twin);
      }),
    `${api.url}/s.js`,
  );
  await page.evaluate(() => history.pushState({}, '', '/visit'));
  await until('the second view', () => views().includes('/visit'));
  await page.evaluate(() => window.mkt.event('done'));
  await until('the last event', () => of('done').length === 1);
  assert.deepEqual(views(), ['/bread', '/visit']);
});

test('the core alone counts pages and events', async () => {
  const small = await demo({ script: '/s-core.js', consent: 'full' });
  await page.goto(`${small.url}/menu`);
  await ready();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await page.evaluate(() => window.mkt.event('knead'));
  await until('both', () => views().length === 2 && of('knead').length === 1);
});

test('without JavaScript a pixel counts the page and the form still posts', async () => {
  await open({ javaScriptEnabled: false });
  await page.goto(`${bakery.url}/newsletter`);
  const shown = () => api.requests.find((request) => request.url.startsWith('/v1/pixel.gif'));
  await until('the pixel', shown);
  const pixel = new URL(shown()!.url, api.url);
  assert.equal(shown()!.referer, `${bakery.url}/newsletter`, 'the page names itself');
  assert.equal(pixel.searchParams.get('propertyId'), 'default');
  await page.getByLabel('Your email address').fill('ada@example.com');
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await page.waitForURL('**/thanks');
  assert.equal(api.requests.filter((request) => request.url === '/v1/leads/capture').length, 1);
});

test('pages of the Navigation API are counted once each', async () => {
  await show(`${tag()}<a href="/two">Two</a><script>
    navigation.addEventListener('navigate', (event) => event.canIntercept && event.intercept({ handler: async () => {} }))</script>`);
  await until('the view', () => views().length === 1);
  await page.getByText('Two').click();
  await page.evaluate(() =>
    (window as unknown as { navigation: { navigate(to: string): void } }).navigation.navigate('/three'),
  );
  await page.evaluate(() => history.pushState({}, '', '/four'));
  await page.evaluate(() => history.replaceState({}, '', '/four?seen=1'));
  await page.goBack();
  await settled();
  assert.deepEqual(views(), ['/page', '/two', '/three', '/four', '/three']);
});

test('routes in the fragment are pages only where the tag says so', async () => {
  for (const [attribute, expected] of [
    [' data-hash', ['/page', '/page/bread', '/page/bread/rye', '/page/cakes', '/page']],
    ['', ['/page']],
  ] as const) {
    await open();
    await show(tag(attribute));
    await until('the view', () => views().length === 1);
    for (const route of ['#/bread', '#/bread?sort=price', '#/bread/rye', '#!/cakes', ''])
      await page.evaluate((hash) => {
        location.hash = hash;
        return new Promise((resolve) => setTimeout(resolve));
      }, route);
    await settled();
    assert.deepEqual(views(), expected);
  }
});

// What of an address travels: campaigns and click ids in any spelling, and nothing that tells who somebody is.
for (const [address, sent] of [
  ['?UTM_Source=Facebook&Utm_Medium=cpc', '?UTM_Source=Facebook&Utm_Medium=cpc'],
  ['?utm_id=7&amp;utm_term=x', '?utm_id=7&utm_term=x'],
  ['?utm_id[]=7', '?utm_id[]=7'],
  ['?ref=letter&source=mail', '?ref=letter&source=mail'],
  ['#gclid=1&msclkid=2', '?gclid=1&msclkid=2'],
  ['?gbraid=1&wbraid=2&GCLID=3', '?gbraid=1&wbraid=2&GCLID=3'],
  ['?email=ada@example.com&token=x&referral=ada&preference=1&resource=2&session=3#access_token=4', ''],
] as const)
  test(`of ${address} it sends ${sent || 'nothing'}`, async () => {
    await show(tag(), `/page${address}`);
    await until('a view', () => views().length === 1);
    const { events } = JSON.parse(api.requests.find((one) => one.url === '/v1/events')!.body);
    assert.equal(events[0].path, `/page${sent}`);
  });

test('a long address, and a long one before it, cost no page view', async () => {
  site.pages.set(`/${'y'.repeat(2100)}`, '<a href="/page">On</a>');
  site.pages.set('/page', `<meta name="referrer" content="unsafe-url">${tag()}`);
  await page.goto(`${site.url}/${'y'.repeat(2100)}`);
  await page.getByText('On').click();
  await until('the view', () => views().length === 1);
  await show(tag(), `/${'z'.repeat(2100)}`);
  await until('the long one', () => views().length === 2);
});

test('a page saved to a disk is not the site', async () => {
  const file = join(tmpdir(), `saved-${process.pid}.html`);
  writeFileSync(file, `<!doctype html>${tag()}`);
  await page.goto(`file://${file}`);
  await page.waitForLoadState('networkidle');
  assert.deepEqual(api.seen(), []);
});

test('a frame of the same origin is no page, and what is done in it counts', async () => {
  site.pages.set('/widget', `${tag()}<a href="#" data-event="pressed">Press</a>`);
  await show(`${tag()}<iframe src="/widget"></iframe>`);
  await page.frameLocator('iframe').getByText('Press').click();
  await until('the press', () => of('pressed').length === 1);
  assert.deepEqual(views(), ['/page']);
  assert.equal(of('pressed')[0]!.path, '/widget');
});

test("a frame in a stranger's page is a visit of the site", async () => {
  site.pages.set('/widget', tag());
  const stranger = await startPages();
  stranger.pages.set('/', `<iframe src="${site.url.replace('127.0.0.1', 'localhost')}/widget"></iframe>`);
  await page.goto(stranger.url);
  await until('the view', () => views().length === 1);
  await stranger.close();
});
