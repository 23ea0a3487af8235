// The snippet on pages that somebody else wrote: it starts, counts the site's visits and nothing else, and leaves the page its own.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium, until } from '../../../test/chromium.ts';
import { type Pages, startPages } from '../../../test/pages.ts';
import { startStub } from '../../../test/snippet-stub.ts';

const README = readFileSync(new URL('README.md', import.meta.url), 'utf8');
/** The README's line, for an API at that address. */
const LINE = /<script async .*<\/script>/.exec(README)![0];
const tag = (attributes = '') =>
  LINE.replace('https://api.example.com', api.url).replace('></script>', `${attributes}></script>`);
const FULL = ' data-consent="full"';

let api: Awaited<ReturnType<typeof startStub>>;
let site: Pages;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let thrown: Error[];

before(async () => {
  [api, site, browser] = await Promise.all([startStub(), startPages(), launchChromium()]);
});
after(async () => {
  await browser?.close();
  await site?.close();
  await api?.close();
});
beforeEach(async () => {
  site.pages.clear();
  await open();
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(thrown, [], 'the snippet throws nothing into the page');
});

async function open(options: Parameters<Browser['newContext']>[0] = {}) {
  await context?.close();
  context = await browser.newContext(options);
  page = await context.newPage();
  thrown = [];
  page.on('pageerror', (error) => thrown.push(error));
  api.requests.length = 0;
  api.answer = 202;
  api.since = Date.now();
}
async function show(html: string, at = '/page') {
  site.pages.set(new URL(at, site.url).pathname, html);
  await page.goto(site.url + at);
}
/** Events of a type as they came, each once. */
const of = (type: string) =>
  [...new Map(api.seen().map((event) => [event.eventId, event])).values()].filter(
    (event) => event.eventType === type,
  );
const views = () => of('page_view').map((event) => event.path);
/** Waits for an event that is queued after all that came before. */
async function settled() {
  const id = await page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const ask = () => (window.mkt?.event ? resolve(window.mkt.event('last')) : setTimeout(ask, 20));
        ask();
      }),
  );
  await until('the last event', () => of('last').some((event) => event.eventId === id));
}
const keys = () => page.evaluate(() => Object.keys(localStorage).sort());

// What stands in front of the line, and what the page may have done to it.
const STARTS: Record<string, string | { before: string; line?: (line: string) => string }> = {
  'nothing in front': '',
  'an element with id="mkt"': '<div id="mkt">x</div>',
  'two of them': '<div id="mkt"></div><p id="mkt"></p>',
  'a form called mkt': '<form name="mkt"></form>',
  'a picture called mkt': '<img name="mkt" alt="">',
  'a frame called mkt': '<iframe name="mkt" srcdoc="x"></iframe>',
  'null under our name': '<script>window.mkt = null</script>',
  'a constant under our name': '<script>const mkt = 1</script>',
  'an own object under our name': '<script>window.mkt = { mine: 1 }</script>',
  'a function under our name': '<script>window.mkt = () => 1</script>',
  'a module': { before: '', line: (line) => line.replace('async', 'type="module"') },
  'a deferred script': { before: '', line: (line) => line.replace('async', 'defer') },
  'a blocking script': { before: '', line: (line) => line.replace('async ', '') },
  'currentScript taken away': {
    before: "<script>Object.defineProperty(document, 'currentScript', { get: () => null })</script>",
  },
  'a loader that inserts it': {
    before: '',
    line: (line) =>
      `<script>document.head.append(document.createRange().createContextualFragment(${JSON.stringify(line).replaceAll('</', '<\\/')}))</script>`,
  },
};
for (const [name, given] of Object.entries(STARTS))
  test(`it starts with ${name}`, async () => {
    const { before, line = (same: string) => same } = typeof given === 'string' ? { before: given } : given;
    await show(`${before}${line(tag())}`);
    await until('the view', () => views().length === 1);
    assert.deepEqual(views(), ['/page']);
    assert.equal(of('page_view')[0]!.propertyId, 'default');
  });

test("what the page has under our name stays the page's", async () => {
  await show(`<script>window.mkt = { mine: 1, event: () => 'mine' }</script>${tag()}`);
  await until('the view', () => views().length === 1);
  assert.deepEqual(await page.evaluate(() => [window.mkt.mine, window.mkt.event()]), [1, 'mine']);
});

test('a queue that the page keeps a hold of goes on working', async () => {
  await show(`<script>window.kept = window.mkt = window.mkt || []</script>${tag()}`);
  await until('the view', () => views().length === 1);
  await page.evaluate(() => (window as unknown as { kept: unknown[][] }).kept.push(['event', 'late']));
  await until('the event', () => of('late').length === 1);
});

for (const attribute of ['data-site=""', ''])
  test(`a tag with ${attribute || 'no data-site'} leaves the site to the origin`, async () => {
    await show(tag().replace('data-site="default"', attribute));
    await until('the view', () => views().length === 1);
    assert.equal(of('page_view')[0]!.propertyId, undefined);
  });

test('no early command becomes an event without what the server requires', async () => {
  await show(
    `<script>window.mkt = window.mkt || [];
    mkt.push(['event', 'signup', { props: { plan: 'loaf' }, traffic: { isConversion: true } }]);
    mkt.push(['event', 'nothing', null]); mkt.push(['event', 'undefined', { path: undefined, eventId: undefined }]);
    mkt.push(['event', 'empty', { path: '', eventId: '' }]); mkt.push(['event', 'elsewhere', { path: '/else' }]);
    mkt.push(['event']); mkt.push(['event', '']); mkt.push(['no such']); mkt.push(); mkt.push('event');
    </script>${tag()}`,
    '/early',
  );
  await settled();
  const early = ['signup', 'nothing', 'undefined', 'empty', 'elsewhere'];
  assert.deepEqual(
    [...new Set(api.seen().map((event) => event.eventType))].sort(),
    [...early, 'last', 'page_view'].sort(),
  );
  for (const event of api.seen()) {
    assert.match(event.eventId, /^[0-9a-f-]{36}$/);
    assert.equal(event.path, event.eventType === 'elsewhere' ? '/else' : '/early');
    assert.ok(event.timestamp > 0);
  }
  assert.equal(of('signup')[0]!.traffic!.isConversion, true);
});

test('every batch says when it was sent', async () => {
  await show(tag());
  await settled();
  for (const { sentAt, events } of api.requests.filter((one) => one.url === '/v1/events'))
    for (const event of events) assert.ok(sentAt! >= event.timestamp && sentAt! <= Date.now());
});

test('an eventId from the page is the one that is sent and returned, and leaves nothing behind', async () => {
  await show(tag(FULL));
  await settled();
  const eventId = '018f2c6e-4b1a-7c3d-8e5f-0a1b2c3d4e5f';
  const told = await page.evaluate((id) => window.mkt.event('purchase', { eventId: id }), eventId);
  assert.equal(told, eventId);
  await settled();
  assert.deepEqual(
    of('purchase').map((event) => event.eventId),
    [eventId],
  );
  await until('nothing waits', async () => (await keys()).join() === '_mkt7default:id');
});

test("other people's keys in the storage stay, whatever they are called", async () => {
  const theirs = [
    'mkt',
    'mkt_popup_seen',
    'mkt_2026_banner',
    'mkt_consent',
    'mkt_id',
    '_mkt',
    '_mkt6',
    'a_mkt7default:id',
  ];
  await show('');
  await page.evaluate((names) => names.map((name) => localStorage.setItem(name, 'seen')), theirs);
  await show(tag(FULL));
  await settled();
  await page.evaluate(() => window.mkt.push(['consent', 'measure']));
  await settled();
  assert.deepEqual(await keys(), [...theirs, '_mkt7default:'].sort());
  assert.equal(await page.evaluate(() => localStorage.mkt_2026_banner), 'seen');
});

test('text in our own keys that we did not write poisons no batch', async () => {
  await show('');
  await page.evaluate(() => {
    const junk = [
      'seen',
      '{',
      'null',
      '5',
      '"x"',
      '[]',
      '{}',
      '{"a":1}',
      '',
      'x'.repeat(20_000),
      `{"eventId":"${'y'.repeat(20_000)}"}`,
    ];
    junk.map((text, at) => localStorage.setItem(`_mkt7default:0${at}`, text));
  });
  await show(tag(FULL));
  await until('the view', () => views().length === 1);
  assert.equal(api.requests.filter((one) => one.url === '/v1/events')[0]!.events.length, 1);
});

for (const [status, kept] of [
  [400, 0],
  [401, 0],
  [403, 0],
  [404, 0],
  [410, 0],
  [413, 0],
  [415, 0],
  [422, 0],
  [451, 0],
  [408, 1],
  [425, 1],
  [429, 1],
  [500, 1],
  [502, 1],
  [503, 1],
] as const)
  test(`an answer ${status} is ${kept ? 'a reason to try again' : 'final'}`, async () => {
    api.answer = status;
    await show(tag(FULL));
    const waiting = async () => (await keys()).filter((key) => key.startsWith('_mkt7default:0')).length;
    await until('an answer', () => api.requests.some((one) => one.url === '/v1/events'));
    if (!kept) await until('nothing waits', async () => (await waiting()) === 0);
    else {
      await page.reload();
      await until(
        'it is tried again',
        () => api.requests.filter((one) => one.body.includes('page_view')).length > 1,
      );
      const kept = await page.evaluate(() => Object.values(localStorage).join());
      assert.equal(kept.match(/"page_view"/g)?.length, 2);
    }
  });

test('what waits from before never stands in front of what happens now', async () => {
  await show('');
  await page.evaluate(() => {
    for (let at = 100; at < 220; at++) {
      const eventId = `00000000-0000-7000-8000-000000000${at}`;
      const event = { eventId, eventType: 'old', path: '/', timestamp: Date.now() };
      localStorage.setItem(`_mkt7default:${eventId}`, JSON.stringify(event));
    }
  });
  await show(tag(FULL));
  await until('all came', () => of('old').length === 120);
  const batches = api.requests.filter((one) => one.url === '/v1/events').map((one) => one.events);
  assert.equal(batches[0]!.at(-1)!.eventType, 'page_view');
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

const AGENT =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15';
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1';
for (const [name, deviceType, options, driven] of [
  ['a browser that a program drives', 'bot', {}, true],
  ['an iPad, which says that it is a Mac', 'tablet', { userAgent: AGENT, hasTouch: true }],
  ['a Mac', undefined, { userAgent: AGENT }],
  ['an iPhone', undefined, { userAgent: IPHONE, hasTouch: true }],
  ['a laptop with a touch screen', undefined, { hasTouch: true }],
] as const)
  test(`${name} is told as ${deviceType ?? 'its user agent has it'}`, async () => {
    await open(options);
    await page.addInitScript((webdriver) => {
      Object.defineProperty(navigator, 'webdriver', { get: () => webdriver });
      // What Chromium's emulation of touch leaves at one, and an iPad has at five.
      if (navigator.maxTouchPoints) Object.defineProperty(navigator, 'maxTouchPoints', { get: () => 5 });
    }, Boolean(driven));
    await show(tag());
    await settled();
    for (const event of api.seen()) assert.equal(event.traffic?.deviceType, deviceType, event.eventType);
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

test('one link leaves a browser out, whatever else is chosen, and another takes it back', async () => {
  for (const link of ['#mkt=off', '?mkt=off', '?a=1&mkt=off#top']) {
    await open();
    await show(tag(FULL), `/page${link}`);
    await until('it is kept', async () => (await keys()).includes('_mkt7'));
    await show(tag(FULL), '/next');
    await page.waitForFunction(() => window.mkt?.event);
    await page.evaluate(() => window.mkt.consent('full'));
    await page.evaluate(() => window.mkt.consent('measure'));
    assert.equal(await page.evaluate(() => window.mkt.event('x')), undefined);
    await page.waitForLoadState('networkidle');
    assert.deepEqual(api.seen(), [], link);
    await show(tag(FULL), '/back#mkt=on');
    await until('it is counted again', () => views().join() === '/back');
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
  assert.ok(of('page_view')[0]!.referrer!.length <= 2048);
  await show(tag(), `/${'z'.repeat(2100)}`);
  await until('the long one', () => views().length === 2);
  assert.ok(views()[1]!.length <= 2048);
});

test('two tags for two sites both count, and hear what code says; two for one site count once', async () => {
  const second = tag(FULL).replace('"default"', '"bakery"');
  await show(`${tag(FULL)}${second}${second}`);
  await until('both', () => views().length === 2);
  await page.evaluate(() => window.mkt.event('knead'));
  await until('both hear', () => of('knead').length === 2);
  const sites = (type: string) =>
    of(type)
      .map((event) => event.propertyId)
      .sort();
  assert.deepEqual(
    [sites('page_view'), sites('knead')],
    [
      ['bakery', 'default'],
      ['bakery', 'default'],
    ],
  );
  await page.evaluate(() => window.mkt.consent('off'));
  assert.equal(await page.evaluate(() => window.mkt.event('x')), undefined);
  assert.deepEqual(await keys(), ['_mkt7bakery:', '_mkt7default:']);
});
