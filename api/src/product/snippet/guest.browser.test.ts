// The snippet on pages that somebody else wrote: it starts, and leaves the page its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import {
  api,
  bakery,
  FULL,
  keys,
  of,
  open,
  page,
  ready,
  settled,
  show,
  site,
  tag,
  useSnippet,
  views,
} from '../../../test/snippet-browser.ts';

useSnippet();

/** The address of this version, from /s.json. */
let pinned = '';
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
  'a module under a pinned address': {
    before: '',
    line: (line) => line.replace('async', 'type="module"').replace('/s.js', pinned),
  },
  'a module under an address of a proxy': {
    before: '',
    line: (line) => line.replace('async', 'type="module"').replace(`${api.url}/s.js`, '/stats/hello.js'),
  },
  'a pinned address and currentScript taken away': {
    before: "<script>Object.defineProperty(document, 'currentScript', { get: () => null })</script>",
    line: (line) => line.replace('/s.js', pinned),
  },
  "somebody else's data-site above a module": {
    before: '<script type="text/plain" data-site="ABC" src="/other.js"></script>',
    line: (line) => line.replace('async', 'type="module"'),
  },
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
    const told = (await (await fetch(`${api.url}/s.json`)).json()) as { full: { path: string } };
    pinned = told.full.path;
    // A proxy serves the script, and passes on what it sends.
    const script = await (await fetch(`${api.url}/s.js`)).text();
    site.pages.set('/stats/hello.js', { type: 'text/javascript', body: Buffer.from(script) });
    await page.route(`${site.url}/v1/events`, async (route) => {
      const { status } = await fetch(`${api.url}/v1/events`, {
        method: 'POST',
        body: route.request().postData(),
      });
      await route.fulfill({ status });
    });
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
    assert.ok(!of('page_view')[0]!.propertyId, 'an empty one is none');
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

test('nonsense from the page is swallowed', async () => {
  await page.goto(`${bakery.url}/bread`);
  await ready();
  await page.evaluate(() => {
    const mkt = window.mkt;
    const loop: Record<string, unknown> = {};
    loop.self = loop;
    mkt.event('loop', { props: loop });
    mkt.event('big', { props: { n: 1n } });
    mkt.push(undefined);
    mkt.push(['event']);
    mkt.consent();
    mkt.event('after');
  });
  await until('the event after', () => of('after').length === 1);
});
