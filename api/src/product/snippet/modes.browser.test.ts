// What each mode keeps in the browser and sends, and how it is changed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import {
  api,
  bakery,
  context,
  demo,
  FULL,
  ids,
  keys,
  OURS,
  of,
  open,
  page,
  ready,
  settled,
  show,
  stored,
  tag,
  useSnippet,
  views,
} from '../../../test/snippet-browser.ts';

useSnippet();

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

test('a number that a browser keeps ends within a year, whoever asked for it, and its visitor is new', async () => {
  for (const script of ['/s.js', '/s-core.js']) {
    const shop = await demo({ script, consent: 'full' });
    await page.goto(shop.url);
    await ready();
    const idOf = () => page.evaluate(() => window.mkt.id() as string);
    const first = await idOf();
    const born = (days: number) => `${Math.trunc(Date.now() / 3e4 - days * 2880)}`;
    const aged = (days: number) => born(days) + first.slice(8);
    const keep = (id: string) =>
      page.evaluate((kept) => {
        const key = Object.keys(localStorage).find((name) => name.endsWith(':id'))!;
        localStorage[key] = kept;
      }, id);
    await keep(aged(340));
    await page.goto(`${shop.url}/menu`);
    assert.equal(await idOf(), aged(340), 'it is kept as long as it may be');
    await keep(aged(348));
    api.since = Date.now();
    await page.goto(`${shop.url}/bread`);
    await until('a page view', () => views().length === 1);
    const anew = await idOf();
    assert.ok(anew > born(1), anew);
    assert.equal(of('page_view')[0]!.anonId, anew);
    await page.goto(`${shop.url}/menu`);
    assert.equal(await idOf(), anew);
  }
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

test('agreeing begins a new id: what was seen and read before stays what it was', async () => {
  for (const consent of ['page', '']) {
    const asks = await demo({ consent });
    await open();
    await page.goto(`${asks.url}/bread`);
    await ready();
    const before = await page.evaluate(() => window.mkt.id());
    await page.mouse.move(10, 10);
    await page.waitForTimeout(1100); // shorter attention is not told at all
    await page.mouse.move(20, 20);
    await page.getByRole('button', { name: 'with a memory' }).click();
    const after = await page.evaluate(() => window.mkt.id());
    assert.notEqual(after, before);
    await until('what was read is told', () => of('engagement').length === 1);
    assert.equal(of('engagement')[0]!.anonId, before);
    assert.deepEqual(
      of('page_view').map((event) => event.anonId),
      [before],
    );
    await page.goto(`${asks.url}/visit`);
    await until('the next page', () => views().length === 2);
    assert.equal(of('page_view')[1]!.anonId, after);
  }
});

test('a withdrawn consent forgets the visitor, in every tab', async () => {
  await page.goto(`${bakery.url}/menu`);
  const other = await context.newPage();
  await other.goto(`${bakery.url}/menu`);
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
    await page.goto(`${bakery.url}/bread`);
    await until('a page view', () => views().length === 1);
    await page.goto(`${bakery.url}/visit`);
    await until('another', () => views().length === 2);
    assert.deepEqual(
      of('page_view').map((event) => event.anonId),
      [undefined, undefined],
    );
    assert.deepEqual(await stored(), []);
  }
});

test('an id that was kept ends when the browser begins to send a signal, and is not taken up again when that stops', async () => {
  await open();
  await page.addInitScript(() => {
    Object.defineProperty(navigator, 'globalPrivacyControl', {
      get: () => new URL(location.href).searchParams.has('signal'),
    });
  });
  api.since = Date.now();
  await page.goto(`${bakery.url}/bread`);
  await until('a page view', () => views().length === 1);
  const [before] = of('page_view');
  assert.ok(before!.anonId);
  await page.goto(`${bakery.url}/visit?signal`);
  await until('another', () => views().length === 2);
  assert.deepEqual(await stored(), []);
  await page.goto(`${bakery.url}/bread`);
  await until('a third', () => views().length === 3);
  const [, silent, after] = of('page_view');
  assert.equal(silent!.anonId, undefined);
  assert.ok(after!.anonId);
  assert.notEqual(after!.anonId, before!.anonId);
});

test('blocked storage costs the visitor their memory, not the page its count', async () => {
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('denied', 'SecurityError');
      },
    });
  });
  await page.goto(`${bakery.url}/menu`);
  await ready();
  await page.getByRole('link', { name: 'Lunch' }).click();
  await until('two page views', () => views().length === 2);
  assert.equal(of('page_view')[0]!.anonId, of('page_view')[1]!.anonId);
  await page.goto(`${bakery.url}/bread`);
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
  await page.goto(`${bakery.url}/menu`);
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
  await page.goto(`${bakery.url}/bread`);
  await until('both events', () => of('early').length === 1 && views().length === 1);
  assert.deepEqual(of('early')[0]!.props, { bird: true });
  assert.deepEqual(await stored(), [OURS]);
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
