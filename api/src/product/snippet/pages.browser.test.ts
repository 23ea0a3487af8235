// What the snippet sends from a real browser, seen by a server that records it.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startDemo } from '../../../demo/server.ts';
import { launchChromium, until } from '../../../test/chromium.ts';
import { type Sent, startStub } from '../../../test/snippet-stub.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

declare global {
  interface Window {
    // biome-ignore lint/suspicious/noExplicitAny: an array first, then what core.ts calls Mkt
    mkt: any;
  }
}

let api: Awaited<ReturnType<typeof startStub>>;
let browser: Browser;
let site: Awaited<ReturnType<typeof startDemo>>;
let context: BrowserContext;
let page: Page;
let thrown: Error[];
const sites: (typeof site)[] = [];

async function demo(options: { consent?: string; script?: string } = {}) {
  const started = await startDemo({ port: 0, apiOrigin: api.url, ...options });
  sites.push(started);
  return started;
}

before(async () => {
  api = await startStub();
  [browser, site] = await Promise.all([launchChromium(), demo({ consent: 'full' })]);
});
after(async () => {
  await browser?.close();
  await Promise.all(sites.map((one) => one.close()));
  await api?.close();
});
beforeEach(async () => {
  api.requests.length = 0;
  api.answer = 202;
  api.since = Date.now();
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
}

/** Events of one type, each once: one whose page went away before the answer came is sent again by the next. */
const of = (type: string, events = api.stored()) => [
  ...new Map(
    events.filter((event) => event.eventType === type).map((event) => [event.eventId, event]),
  ).values(),
];
const views = () => of('page_view').map((event) => event.path);
const ids = (events: Sent[]) => [...new Set(events.map((event) => event.eventId))].sort();
const OURS = '_mkt7default:';
const stored = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('_mkt7')));
const queued = async () => (await stored()).filter((key) => key.startsWith(`${OURS}0`));
const unanswered = () => page.evaluate(() => typeof window.mkt?.event);
const ready = () => until('the snippet is there', async () => (await unanswered()) === 'function');
async function hide() {
  // A tab in front of it is what hides a page; headless pages don't know of each other, so it is said to them.
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    Object.defineProperty(document, 'visibilityState', { value: 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  });
}

test('a page view arrives without a preflight, with a UUIDv7 and its visitor', async () => {
  await page.goto(`${site.url}/bread`);
  await until('a page view', () => views().length === 1);
  const request = api.requests.find((one) => one.body.includes('/bread'));
  assert.equal(request!.method, 'POST');
  assert.match(request!.contentType, /^text\/plain/);
  const [event] = of('page_view');
  assert.match(event!.eventId, UUID_V7);
  assert.match(event!.anonId!, UUID_V7);
  assert.equal(event!.path, '/bread');
  assert.equal(event!.propertyId, 'default');
  assert.equal(event!.referrer, undefined);
  assert.ok(Math.abs(event!.timestamp - Date.now()) < 60_000);
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('the same visitor is seen on the next page, and where they came from', async () => {
  await page.goto(`${site.url}/`);
  await page.getByRole('link', { name: 'Visit' }).click();
  await until('two page views', () => views().length === 2);
  const [first, second] = of('page_view');
  assert.equal(second!.anonId, first!.anonId);
  assert.equal(second!.referrer, `${site.url}/`);
});

test('a landing carries its campaign and click ids, and nothing else of its query', async () => {
  const long = 'x'.repeat(300);
  await page.goto(
    `${site.url}/bread?utm_source=news&utm_medium=email&utm_term=&utm_content=${long}&gclid=abc-1&email=ada%40example.com&fbclid=f%26b#part`,
  );
  await until('a page view', () => views().length === 1);
  const [event] = of('page_view');
  assert.deepEqual(event!.utm, { source: 'news', medium: 'email', content: long.slice(0, 255) });
  assert.equal(event!.path, '/bread?gclid=abc-1&fbclid=f%26b');
  for (const { body } of api.requests) assert.doesNotMatch(body, /example.com/);
});

test('pages of a single-page site are counted by path, without the campaign', async () => {
  await page.goto(`${site.url}/menu?utm_source=news`);
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
  assert.equal(lunch!.referrer, `${site.url}/menu`);
});

test('a page that comes back from the back/forward cache is viewed again', async () => {
  await page.goto(`${site.url}/bread?utm_source=news`);
  await until('a page view', () => views().length === 1);
  await page.evaluate(() => {
    (window as unknown as { kept: boolean }).kept = true;
  });
  await page.goto(`${site.url}/visit`);
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
  await page.goto(`${site.url}/bread?utm_source=news`);
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

test('what is not acknowledged is sent again with the same ids, by the next page too', async () => {
  api.answer = 503;
  await page.goto(`${site.url}/bread`);
  await until('a refused try', () => api.seen().length === 1);
  await page.goto(`${site.url}/visit`);
  await until('another', () => of('page_view', api.seen()).some((event) => event.path === '/visit'));
  assert.deepEqual(api.stored(), []);
  api.answer = 202;
  await page.goto(`${site.url}/`);
  await until('all three', () => views().length >= 3);
  const all = of('page_view', api.seen());
  assert.deepEqual(ids(all), ids(of('page_view')), 'every event that was ever tried is stored');
  assert.equal(ids(all).length, 3, 'and none was minted anew');
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('what happens offline arrives when the browser is online again', async () => {
  await page.goto(`${site.url}/menu`);
  await until('a page view', () => views().length === 1);
  await until('its answer has come', async () => (await queued()).length === 0);
  await context.setOffline(true);
  await page.getByRole('link', { name: 'Lunch' }).click();
  await until('it waits in storage', async () => (await queued()).length === 1);
  await page.getByRole('link', { name: 'Coffee' }).click();
  const waiting = await queued();
  assert.equal(views().length, 1);
  await context.setOffline(false);
  await until('the rest', () => views().length === 3);
  assert.deepEqual(views(), ['/menu', '/menu/lunch', '/menu/coffee']);
  assert.deepEqual(
    waiting.map((key) => key.slice(OURS.length)).sort(),
    ids(of('page_view').slice(1)),
    'with the ids they had while waiting',
  );
});

test('an event that the server refuses for its content is not sent again', async () => {
  api.answer = 400;
  await page.goto(`${site.url}/bread`);
  await until('a refusal', () => api.seen().length === 1);
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('a rate limit, a broken connection and a full server keep the event', async () => {
  for (const answer of [429, 0, 503]) {
    api.answer = answer;
    const before = api.requests.length;
    await page.goto(`${site.url}/bread`);
    await until(`an answer ${answer}`, () => api.requests.length > before);
  }
  await until('all wait', async () => {
    const waiting = await page.evaluate(
      (keys) => keys.map((key) => localStorage[key]).join(),
      await queued(),
    );
    return waiting.match(/page_view/g)?.length === 3;
  });
});

test('two tabs that send and remove at the same time lose nothing', async () => {
  api.answer = 503;
  await page.goto(`${site.url}/menu`);
  const other = await context.newPage();
  await other.goto(`${site.url}/menu`);
  await until('both tried', () => ids(api.seen()).length === 2);
  api.answer = 202;
  const minted: string[] = [];
  for (const tab of [page, other, page, other]) {
    minted.push(...(await tab.evaluate(() => Array.from({ length: 20 }, () => window.mkt.event('knead')))));
  }
  for (const tab of [page, other]) await tab.evaluate(() => dispatchEvent(new Event('online')));
  await until('all are stored', () => ids(of('knead')).length === 80);
  assert.deepEqual(ids(of('knead')), minted.sort());
  await until('the queue is empty', async () => (await queued()).length === 0);
});

test('a queue that nobody takes stays small', async () => {
  api.answer = 503;
  await page.goto(`${site.url}/bread`);
  await until('a try', () => api.seen().length > 0);
  await page.evaluate(() => {
    for (let i = 0; i < 500; i++) window.mkt.event(`knead ${i}`);
  });
  const waiting = await queued();
  assert.ok(waiting.length > 50 && waiting.length <= 306, `${waiting.length} wait`);
  const kept = await page.evaluate((keys) => keys.map((key) => localStorage[key]).join(), waiting);
  assert.match(kept, /knead 499/, 'the newest stays');
  assert.doesNotMatch(kept, /knead 1"/, 'the oldest goes');
});

test('batches stay within what the server takes', async () => {
  await page.goto(`${site.url}/bread`);
  await until('a page view', () => views().length === 1);
  await page.evaluate(() => {
    const mkt = window.mkt;
    for (let i = 0; i < 90; i++) mkt.event('small');
    for (let i = 0; i < 9; i++) mkt.event('large', { props: { text: 'é'.repeat(4000) } });
    mkt.event('too large', { props: { text: 'x'.repeat(70_000) } });
  });
  await until('the small ones', () => of('small').length === 90);
  await until('the large ones', () => of('large').length === 9);
  for (const { events, body } of api.requests) {
    assert.ok(events.length <= 50);
    assert.ok(Buffer.byteLength(body) <= 64 * 1024);
  }
});

test('with consent "page" nothing is stored, and a page has an id of its own', async () => {
  const strict = await demo({ consent: 'page' });
  await page.goto(`${strict.url}/menu`);
  await ready();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await until('two page views', () => views().length === 2);
  assert.deepEqual(await stored(), []);
  await page.goto(`${strict.url}/menu`);
  await until('a third', () => views().length === 3);
  const [first, second, third] = of('page_view');
  assert.equal(first!.anonId, second!.anonId);
  assert.notEqual(first!.anonId, third!.anonId);
  assert.deepEqual(await context.cookies(), []);
});

test('without a word about consent nothing is stored and no id is sent', async () => {
  for (const consent of ['', 'measure', 'nonsense']) {
    const silent = await demo({ consent });
    api.since = Date.now();
    await page.goto(silent.url);
    await until('a page view', () => views().length === 1);
    assert.equal(of('page_view')[0]!.anonId, undefined);
    assert.equal(await page.evaluate(() => window.mkt.id()), undefined);
    assert.deepEqual(await stored(), []);
    assert.deepEqual(await context.cookies(), []);
  }
});

test('with consent "off" nothing is sent, until the visitor agrees', async () => {
  const off = await demo({ consent: 'off' });
  await page.goto(`${off.url}/bread?utm_source=news`);
  await ready();
  await page.getByRole('link', { name: 'Hear what is baked' }).hover();
  assert.equal(await page.evaluate(() => window.mkt.event('x')), undefined);
  await page.getByRole('button', { name: 'with a memory' }).click();
  await until('the view of this page', () => views().length === 1);
  assert.deepEqual(of('page_view')[0]!.utm, { source: 'news' });
  assert.deepEqual(ids(api.seen()), ids(of('page_view')));
  await until('the view is acknowledged', async () => (await stored()).length === 2);
  assert.equal((await stored()).sort().join(), `${OURS},${OURS}id`);
  await page.goto(`${off.url}/visit`);
  await until('the choice holds on the next page', () => views().length === 2);
  assert.equal(of('page_view')[1]!.anonId, of('page_view')[0]!.anonId);
});

test('a withdrawn consent forgets the visitor, in every tab', async () => {
  await page.goto(`${site.url}/menu`);
  const other = await context.newPage();
  await other.goto(`${site.url}/menu`);
  await until('two page views', () => views().length === 2);
  const known = of('page_view')[0]!.anonId;
  await page.getByRole('button', { name: 'off' }).click();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await other.getByRole('link', { name: 'Coffee' }).click();
  assert.deepEqual(await stored(), [OURS]);
  await page.getByRole('button', { name: 'without' }).click();
  await page.getByRole('link', { name: 'Coffee' }).click();
  await until('a view again', () => of('page_view').length > 2);
  for (const event of of('page_view').slice(2)) assert.notEqual(event.anonId, known);
  assert.deepEqual(await stored(), [OURS]);
});

test('global privacy control keeps the visitor unknown even where the site asks for a memory', async () => {
  for (const signal of ['globalPrivacyControl', 'doNotTrack']) {
    await open();
    await page.addInitScript((name) => {
      Object.defineProperty(navigator, name, { get: () => (name === 'doNotTrack' ? '1' : true) });
    }, signal);
    api.since = Date.now();
    await page.goto(`${site.url}/bread`);
    await until('a page view', () => views().length === 1);
    await page.goto(`${site.url}/visit`);
    await until('another', () => views().length === 2);
    assert.deepEqual(
      of('page_view').map((event) => event.anonId),
      [undefined, undefined],
    );
    assert.deepEqual(await stored(), []);
  }
});

test('blocked storage costs the visitor their memory, not the page its count', async () => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('denied', 'SecurityError');
      },
    });
  });
  await page.goto(`${site.url}/menu`);
  await ready();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await until('two page views', () => views().length === 2);
  assert.equal(of('page_view')[0]!.anonId, of('page_view')[1]!.anonId);
  await page.goto(`${site.url}/bread`);
  await until('a third', () => views().length === 3);
  assert.notEqual(of('page_view')[2]!.anonId, of('page_view')[1]!.anonId);
});

test('full storage loses nothing while the page is open', async () => {
  await page.addInitScript(() => {
    Storage.prototype.setItem = () => {};
    const full = new Proxy({} as Record<string, string>, {
      set() {
        throw new DOMException('full', 'QuotaExceededError');
      },
    });
    Object.defineProperty(window, 'localStorage', { get: () => full });
  });
  await page.goto(`${site.url}/menu`);
  await ready();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await until('two page views', () => views().length === 2);
  assert.equal(of('page_view')[0]!.anonId, of('page_view')[1]!.anonId);
});

test('commands given before the script has loaded are carried out', async () => {
  await page.addInitScript(() => {
    window.mkt = [
      ['consent', 'measure'],
      ['event', 'early', { props: { bird: true } }],
      ['nonsense', 1],
    ];
  });
  await page.goto(`${site.url}/bread`);
  await until('both events', () => of('early').length === 1 && views().length === 1);
  assert.deepEqual(of('early')[0]!.props, { bird: true });
  assert.deepEqual(await stored(), [OURS]);
});

test('nonsense from the page is swallowed', async () => {
  await page.goto(`${site.url}/bread`);
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

test('a script that is on the page twice counts once', async () => {
  await page.goto(`${site.url}/bread`);
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

test('attention and depth are told when the page hides, in parts that add up', async () => {
  await page.goto(`${site.url}/bread`);
  await until('a page view', () => views().length === 1);
  const start = Date.now();
  await page.mouse.wheel(0, 5000);
  await until('a while', () => Date.now() - start > 1200);
  await hide();
  await until('an engagement', () => of('engagement').length === 1);
  const [event] = of('engagement');
  assert.equal(event!.path, '/bread');
  assert.ok(event!.traffic!.engagedTimeMs! >= 1000 && event!.traffic!.engagedTimeMs! < 60_000);
  assert.ok(event!.traffic!.scrollDepthPercent! > 50 && event!.traffic!.scrollDepthPercent! <= 100);
});

test('web vitals are told once, when the page hides, with their final values', async () => {
  await page.goto(`${site.url}/newsletter`);
  await until('a page view', () => views().length === 1);
  await page.evaluate(() => {
    const late = document.createElement('div');
    late.style.height = '300px';
    document.querySelector('main')!.prepend(late);
    document.querySelector('button')!.addEventListener('pointerdown', () => {
      const end = performance.now() + 120;
      while (performance.now() < end);
    });
  });
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await until('both are measured', () =>
    page.evaluate(
      () =>
        new Promise((resolve) => {
          const seen: string[] = [];
          for (const type of ['layout-shift', 'event'])
            new PerformanceObserver(() => {
              seen.push(type);
              if (seen.length > 1) resolve(true);
            }).observe({ type, buffered: true });
        }),
    ),
  );
  await hide();
  await until('the vitals', () => of('web_vitals').length === 1);
  const { webVitals } = of('web_vitals')[0]!.traffic!;
  for (const name of ['fcpMs', 'lcpMs', 'ttfbMs', 'inpMs'])
    assert.ok(webVitals![name]! >= 0 && webVitals![name]! <= 120_000, name);
  assert.ok(webVitals!.inpMs! >= 100);
  assert.ok(webVitals!.clsScore! > 0 && webVitals!.clsScore! <= 10);
  await hide();
  await page.goto(`${site.url}/visit`);
  await until('the next page', () => views().length === 2);
  assert.equal(ids(of('web_vitals').filter((event) => event.path === '/newsletter')).length, 1);
});

test('a form is begun once and submitted, and its capture carries the same event id and visitor', async () => {
  await page.goto(`${site.url}/newsletter`);
  await ready();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('Your email address').fill('ada@example.com');
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await page.waitForURL('**/thanks');
  await until('the submit', () => of('form_submit').length > 0);
  assert.equal(ids(of('form_start')).length, 1);
  assert.deepEqual(of('form_start')[0]!.props, { formName: 'newsletter' });
  assert.deepEqual(of('form_submit')[0]!.props, { formName: 'newsletter' });
  const capture = api.requests.find((request) => request.url === '/v1/leads/capture')!;
  const posted = new URLSearchParams(capture.body);
  assert.equal(posted.get('eventId'), of('form_submit')[0]!.eventId);
  assert.equal(posted.get('anonId'), of('form_submit')[0]!.anonId);
  assert.equal(posted.get('email'), 'ada@example.com');
  for (const { body, url } of api.requests) if (url === '/v1/events') assert.doesNotMatch(body, /ada@/i);
});

test('a page that posts its form by itself finds the ids in the form data', async () => {
  await page.goto(`${site.url}/newsletter`);
  await ready();
  const data = await page.evaluate(
    () =>
      new Promise<Record<string, unknown>>((resolve) => {
        const form = document.querySelector('form')!;
        form.addEventListener('submit', (event) => {
          event.preventDefault();
          resolve(Object.fromEntries(new FormData(form)));
        });
        form.noValidate = true;
        form.requestSubmit();
      }),
  );
  await until('the submit', () => of('form_submit').length === 1);
  assert.equal(data.eventId, of('form_submit')[0]!.eventId);
  assert.equal(data.anonId, of('form_submit')[0]!.anonId);
});

test('another form is counted by its name and gets no fields of ours', async () => {
  await page.goto(`${site.url}/visit`);
  await ready();
  await page.getByLabel('Your question').fill('Rye?');
  await page.getByRole('button', { name: 'Ask' }).click();
  await page.waitForURL('**/thanks?q=Rye%3F');
  await until('the submit', () => of('form_submit').length > 0);
  assert.deepEqual(of('form_submit')[0]!.props, { formName: 'question' });
});

test('marked clicks, links that lead away and downloads are told', async () => {
  await context.route('https://en.wikipedia.org/**', (route) => route.fulfill({ body: 'sourdough' }));
  await page.goto(`${site.url}/`);
  await ready();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the price list' }).click();
  await download;
  await page.getByRole('link', { name: 'Read about sourdough' }).click();
  await page.waitForURL('https://en.wikipedia.org/**');
  await page.goto(`${site.url}/`);
  await page.getByRole('link', { name: 'Get the weekly bake' }).click();
  await page.waitForURL('**/newsletter');
  await until('all three', () =>
    ['download', 'outbound_click', 'cta_click'].every((type) => of(type).length > 0),
  );
  assert.deepEqual(of('download')[0]!.props, { url: `${site.url}/price-list.pdf` });
  assert.deepEqual(of('outbound_click')[0]!.props, { url: 'https://en.wikipedia.org/wiki/Sourdough' });
  assert.deepEqual(of('cta_click')[0]!.props, { label: 'hero' });
  assert.equal(of('cta_click')[0]!.path, '/');
});

test('a page that is not there is told when it is left', async () => {
  await page.goto(`${site.url}/no-such-page`);
  await until('a page view', () => views().length === 1);
  await page.goto(`${site.url}/bread`);
  await until('a not_found', () => of('not_found').length === 1);
  assert.equal(of('not_found')[0]!.path, '/no-such-page');
  await page.goto(`${site.url}/visit`);
  await until('the last view', () => views().includes('/visit'));
  assert.equal(of('not_found').length, 1);
});

test('without JavaScript a pixel counts the page and the form still posts', async () => {
  await open({ javaScriptEnabled: false });
  await page.goto(`${site.url}/newsletter`);
  const shown = () => api.requests.find((request) => request.url.startsWith('/v1/pixel.gif'));
  await until('the pixel', shown);
  const pixel = new URL(shown()!.url, api.url);
  assert.equal(shown()!.referer, `${site.url}/newsletter`, 'the page names itself');
  assert.equal(pixel.searchParams.get('propertyId'), 'default');
  await page.getByLabel('Your email address').fill('ada@example.com');
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Subscribe' }).click();
  await page.waitForURL('**/thanks');
  assert.equal(api.requests.filter((request) => request.url === '/v1/leads/capture').length, 1);
});

test('the core alone counts pages and events', async () => {
  const small = await demo({ script: '/s-core.js', consent: 'full' });
  await page.goto(`${small.url}/menu`);
  await ready();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await page.evaluate(() => window.mkt.event('knead'));
  await until('both', () => views().length === 2 && of('knead').length === 1);
});
