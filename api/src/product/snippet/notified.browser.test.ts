// Whom a notification is shown, how often, in which wording and until when it may be; with the browser's own clock moved where
// it is about time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  CAP,
  card,
  feed,
  go,
  gone,
  item,
  MESSAGE,
  ONE,
  OTHER,
  propsOf,
  remembered,
  settled,
  shown,
  told,
} from '../../../test/cards.ts';
import { inventoryOf, until } from '../../../test/chromium.ts';
import { api, hide, of, open, page, unhide, useSnippet } from '../../../test/snippet-browser.ts';
import { armOf, type Split, sharesOf } from '../ab-tests/arm.ts';
import { wordsIn } from '../proof/card-words.ts';

useSnippet();

const words = (text: string) => [{ key: 'default', text, style: null, link: null, receipt: null }];
const inFrench = { languages: ['fr'] };

test('it is shown where and to whom its owner said, and nobody else is told about', async () => {
  const others = [
    { include: ['/shop/*'] },
    { exclude: ['/sh*'] },
    { devices: ['mobile'] },
    { sources: ['direct'] },
    { visitors: 'returning' },
    inFrench,
    { channels: ['page'] },
  ].map((where, n) =>
    item({ id: `${n}`, where: { channels: ['toast'], ...where }, variants: words('Not for you') }),
  );
  const mine = {
    channels: ['bar'],
    include: ['/sh*p'],
    exclude: ['/page'],
    devices: ['desktop'],
    sources: ['newsletter'],
    visitors: 'new',
    languages: ['en'],
    consent: 'full',
  };
  feed([...others, item({ where: mine, when: { afterMs: 300 } })]);
  await go('full', '/shop?utm_source=Newsletter');
  await until('it is told', () => told('exposed').length > 0);
  assert.deepEqual(
    propsOf('exposed').map((props) => props!.notificationId),
    [ONE],
  );
  assert.ok(await card().evaluate((element) => element.classList.contains('bar')));
});

test('it is shown as often in a visit and on a day as its owner said', async () => {
  for (const cap of [
    { ...CAP, perSession: 1 },
    { ...CAP, perDay: 1 },
  ]) {
    await open();
    feed([item({ cap })]);
    await go();
    await shown();
    feed([
      item({ cap }),
      item({ id: OTHER, cap, when: { afterMs: 300 }, variants: words('The oven is on') }),
    ]);
    await go();
    await shown();
    assert.equal(await card().locator('.mk-text').textContent(), 'The oven is on');
    await until('it is told', () => told('exposed').length === 2);
  }
});

test('a visit comes from where its first page did, while its id is kept; without one only that page shows it', async () => {
  for (const mode of ['full', '']) {
    const from = (source: string) =>
      item({ id: source, where: { channels: ['inline'], sources: [source] }, variants: words(source) });
    const both = [from('newsletter'), from('direct'), from('poster')];
    const places = '<div data-mk-place=""></div><div data-mk-place=""></div>';
    await go(mode, '/next', places); // so that there is one to go on to
    await open();
    feed(both);
    await go(mode, '/page?utm_source=Newsletter', places);
    await shown();
    assert.deepEqual(await card().locator('.mk-text').allTextContents(), ['newsletter']);
    api.asked = 0;
    await page.locator('#first').click();
    await page.waitForURL('**/next');
    await settled();
    assert.deepEqual(
      await card().locator('.mk-text').allTextContents(),
      mode === 'full' ? ['newsletter'] : [],
      'its own page sent it, which is nobody',
    );
    if (mode === '') {
      assert.equal(await remembered(), null);
      continue;
    }
    await go(mode, '/page?utm_medium=Poster', places);
    await shown();
    assert.deepEqual(await card().locator('.mk-text').allTextContents(), ['poster'], 'another campaign');
    // half an hour later it is another visit, from the site's own page
    await page.evaluate(() => {
      const memory = JSON.parse(localStorage['_mkt7default:p']!);
      localStorage['_mkt7default:p'] = JSON.stringify({ ...memory, t: memory.t - 31 * 60_000, l: 0 });
    });
    feed(both);
    await page.locator('#first').click();
    await until('the card of another visit', async () => {
      const texts = await card().locator('.mk-text').allTextContents();
      return texts.length === 1 && texts[0] === 'direct';
    });
  }
});

test('the next card waits as long as its owner said', async () => {
  await page.clock.install();
  const cap = { ...CAP, gapMs: 30_000 };
  feed([item({ cap }), item({ id: OTHER, cap, variants: words('The oven is on') })]);
  await go('full', '/page', '', 's-core');
  await until('the first', async () => {
    await page.clock.runFor(300);
    return (await card().count()) === 1;
  });
  await page.clock.runFor(20_000);
  assert.equal(await card().count(), 0, 'the first is gone, and the next does not come yet');
  await page.clock.runFor(15_000);
  assert.deepEqual(await card().locator('.mk-text').allTextContents(), ['The oven is on']);
});

test('one card follows the other', async () => {
  await page.clock.install();
  feed([item(), item({ id: OTHER, variants: words('The oven is on') })]);
  await go('full', '/page', '', 's-core');
  const texts = new Set<string | null>();
  await until('both were there', async () => {
    await page.clock.runFor(1000);
    assert.ok((await card().count()) <= 1);
    for (const text of await card().locator('.mk-text').allTextContents()) texts.add(text);
    return texts.size === 2;
  });
  assert.deepEqual([...texts], [MESSAGE, 'The oven is on']);
});

test('without an id that is kept there is one card a page, and nothing stays; with `off` nothing is sent either', async () => {
  for (const [mode, gpc] of [
    ['', false],
    ['off', false],
    ['full', true],
  ] as const) {
    await open();
    if (gpc)
      await page.addInitScript(() =>
        Object.defineProperty(navigator, 'globalPrivacyControl', { value: true }),
      );
    feed([item(), item({ id: OTHER })], {
      tests: [{ testId: ONE, notificationId: ONE, split: [{ key: 'control', share: 1 }] }],
    });
    await go(mode);
    await shown();
    if (mode !== 'off') {
      await until('the impression', () => told('shown').length === 1);
      assert.equal(told('exposed')[0]!.props!.testId, undefined, 'takes part in no test');
    }
    await page.keyboard.press('Escape');
    await gone();
    assert.equal(await remembered(), null);
    api.asked = 0;
    await go(mode, '/next');
    await until('the feed was asked', () => api.asked > 0);
    assert.equal(await page.evaluate(() => sessionStorage['_mkt7default:p']), '1');
    if (mode === 'off') assert.equal(api.seen().length, 0);
  }
});

test('what showing notifications leaves in a browser is this and nothing else, by mode', async () => {
  const kept: Record<string, string[]> = {};
  for (const mode of ['', 'page', 'off', 'full']) {
    await open();
    feed([item()]);
    await go(mode);
    await shown();
    if (mode !== 'off') await until('the impression', () => told('shown').length === 1);
    await page.keyboard.press('Escape');
    await gone();
    // what waits to be told is gone once it was told
    const names = async () => Object.keys(await inventoryOf(page)).sort();
    await until('all is told', async () => (await names()).every((name) => !/:\d|!/.test(name)));
    kept[mode] = await names();
  }
  const visit = 'session _mkt7default:p';
  assert.deepEqual(kept, {
    '': [visit],
    page: [visit],
    off: [visit],
    full: ['_mkt7default:id', '_mkt7default:p', visit],
  });
});

test('who takes part in a test sees the arm that the server computes, and control sees nothing', async () => {
  const testId = '01890000-0000-7000-8000-00000000000a';
  const split: Split = [
    ['control', 4000],
    ['a', 7000],
    ['b', 10_000],
  ];
  const variants = ['a', 'b'].map((key) => ({
    key,
    text: `Wording ${key}`,
    style: null,
    link: null,
    receipt: null,
  }));
  const seen = new Set<string>();
  for (let n = 0; seen.size < 3; n += 1) {
    const anonId = `browser-number-${n}`;
    const arm = armOf(testId, anonId, split);
    if (seen.has(arm)) continue;
    seen.add(arm);
    await open();
    await page.addInitScript((id) => {
      localStorage['_mkt7default:id'] = id;
    }, anonId);
    feed([item({ variants })], { tests: [{ testId, notificationId: ONE, split: sharesOf(split) }] });
    await go();
    await until('the exposure', () => told('exposed').length === 1);
    assert.deepEqual(
      [told('exposed')[0]!.anonId, told('exposed')[0]!.props],
      [anonId, { notificationId: ONE, variantId: arm, testId }],
    );
    if (arm === 'control') {
      await settled();
      assert.deepEqual([await card().count(), told('shown').length], [0, 0]);
    } else {
      await shown();
      assert.equal(await card().locator('.mk-text').textContent(), `Wording ${arm}`);
    }
  }
});

test('where wordings have moments of their own, each arm is exposed at the first of them all, and shown at its own', async () => {
  const testId = '01890000-0000-7000-8000-00000000000b';
  const split: Split = [
    ['control', 3333],
    ['early', 6666],
    ['late', 10_000],
  ];
  const variant = (key: string, afterMs: number) => ({ ...words(key)[0]!, key, when: { afterMs } });
  const variants = [variant('early', 1000), variant('late', 60_000)];
  const when = { afterMs: 30_000, scrollPercent: null, exitIntent: false };
  const waited: Record<string, number> = {};
  for (let n = 0; Object.keys(waited).length < 3; n += 1) {
    const anonId = `moment-number-${n}`;
    const arm = armOf(testId, anonId, split);
    if (arm in waited) continue;
    await open();
    await page.clock.install();
    await page.addInitScript((id) => {
      localStorage['_mkt7default:id'] = id;
    }, anonId);
    feed([item({ variants, when })], { tests: [{ testId, notificationId: ONE, split: sharesOf(split) }] });
    await go('full', '/page', '', 's-core');
    await until('the exposure', async () => {
      await page.clock.runFor(200);
      return told('exposed').length === 1;
    });
    assert.deepEqual(told('exposed')[0]!.props, { notificationId: ONE, variantId: arm, testId });
    waited[arm] = told('exposed')[0]!.timestamp - of('page_view')[0]!.timestamp;
    assert.equal(await card().count(), arm === 'early' ? 1 : 0, arm);
    await page.clock.runFor(arm === 'early' ? 1000 : 35_000);
    assert.equal(await card().count(), arm === 'early' ? 1 : 0, arm);
    await page.clock.runFor(28_000);
    assert.equal(await card().count(), arm === 'late' ? 1 : 0, arm);
    await page.evaluate(() => window.mkt.event('last'));
    await until('all is told', async () => {
      await page.clock.runFor(300);
      return of('last').length === 1;
    });
    assert.equal(told('exposed').length, 1, 'once');
  }
  for (const ms of Object.values(waited)) assert.ok(ms >= 1000 && ms < 10_000, JSON.stringify(waited));
});

test('a card that may name somebody is asked for again when it is 15 s old, and while it is on the screen', async () => {
  await page.clock.install();
  const named = item({ named: true, when: { afterMs: 16_000 } });
  feed([named]);
  await go('full', '/page', '', 's-core');
  await until('the feed was asked', async () => {
    await page.clock.runFor(300);
    return api.asked === 1;
  });
  feed([item({ ...named, variants: words('Somebody else bought this') })]);
  await until('the card', async () => {
    await page.clock.runFor(1000);
    return (await card().count()) > 0;
  });
  assert.equal(await card().locator('.mk-text').textContent(), 'Somebody else bought this');
  assert.equal(api.asked, 2);
  await card().hover(); // so that its clock does not end it
  feed([]);
  await page.clock.runFor(15_000);
  await gone();
  assert.equal(api.asked, 3);
});

test('whose person took it back while another card asked is never shown', async () => {
  await page.clock.install();
  const first = item({
    named: true,
    where: { channels: ['inline'] },
    variants: words('Ada bought this'),
  });
  const second = item({
    id: OTHER,
    named: true,
    when: { afterMs: 22_000 },
    variants: words('Ben bought this'),
  });
  feed([first, second]);
  await go('full', '/page', `<div data-mk-place="${ONE}"></div>`, 's-core');
  await until('the first card', async () => {
    await page.clock.runFor(300);
    return (await card().count()) === 1;
  });
  feed([first]);
  await page.clock.runFor(16_000);
  await until('it was asked again', () => api.asked === 2);
  await page.clock.runFor(10_000);
  assert.deepEqual(await card().locator('.mk-text').allTextContents(), ['Ada bought this']);
  assert.equal(api.asked, 2, 'what was known was young enough');
});

test('where nobody answers, and on a page that was away, what may name somebody is not seen once it is 25 s old', async () => {
  await page.clock.install();
  const named = item({ named: true, where: { channels: ['inline'] } });
  const place = `<div data-mk-place="${ONE}"></div>`;
  const seen = () => card().isVisible();
  feed([named]);
  await go('full', '/page', place, 's-core');
  await until('the card', async () => {
    await page.clock.runFor(300);
    return (await card().count()) === 1;
  });
  let answer = () => {};
  let held = 0;
  await page.route('**/v1/feed?*', async (route) => {
    await new Promise<void>((done) => {
      answer = done;
      held += 1;
    });
    await route.continue();
  });
  await page.clock.runFor(20_000);
  assert.equal(await seen(), true, 'it may still be so');
  await page.clock.runFor(6000);
  assert.equal(await seen(), false, 'nobody answers');
  await until('it asks', () => held === 1);
  answer();
  await until('it was so all the time', seen);

  const asked = api.asked;
  await hide();
  await page.clock.runFor(120_000);
  assert.equal(api.asked, asked, 'a page that nobody looks at asks nothing');
  feed([]);
  await unhide();
  assert.equal(await seen(), false, 'not before it is known');
  await until('it asks again', () => held === 2);
  answer();
  await gone();
});

test('what must be said beside a review is said, in the language of the feed', async () => {
  const review = { rating: 4, verified: true, incentive: 'a free loaf', relationship: null, selected: true };
  for (const [language, beside] of [
    ['en', '4/5 · verified purchase · a free loaf · selected reviews'],
    ['fr', '4/5 · achat vérifié · a free loaf · avis choisis'],
  ] as const) {
    await open();
    feed([item({ kind: 'review', named: true, review })], { words: wordsIn(language) });
    await go('full', '/page', '', 's-core', language);
    await shown();
    assert.deepEqual(await card().locator('.mk-text').allTextContents(), [MESSAGE, beside]);
  }
  await open();
  feed([item({ kind: 'review', named: true, review: { ...review, verified: false, selected: false } })], {
    words: wordsIn('en'),
  });
  await go('full', '/page', '', 's-core');
  await shown();
  assert.equal(await card().locator('.mk-text').last().textContent(), '4/5 · a free loaf');
});

test('its words are in their own language and what we say beside them in ours, whatever the page is in', async () => {
  feed([item({ lang: 'fr-CA' })], { words: wordsIn('en') });
  await go('full', '/page', '', 's-core', 'ja');
  await shown();
  const said = (selector: string) =>
    card()
      .locator(selector)
      .evaluate((element) => [element.textContent, element.closest<HTMLElement>('[lang]')?.lang]);
  assert.deepEqual(await said('.mk-text'), [MESSAGE, 'fr-CA']);
  assert.deepEqual(await said('.mk-receipt'), ['How do we know?', 'en']);
  assert.deepEqual(await said('.mk-close'), ['×', 'en']);
});

test('whatever the feed is, the page hears nothing of it', async () => {
  for (const broken of [
    null,
    'no JSON',
    {},
    { items: 7 },
    { items: [{ id: ONE }] },
    { items: [item({ variants: [] })] },
  ]) {
    await open();
    api.feed = broken;
    await go();
    await settled();
    assert.equal(await card().count(), 0);
  }
  await open();
  feed([
    item({
      variants: [
        {
          key: 'default',
          text: '<img src=x onerror=alert(1)>',
          link: { url: 'javascript:alert(1)', label: 'x' },
        },
      ],
    }),
  ]);
  await go();
  await shown();
  assert.equal(await card().locator('.mk-text').textContent(), '<img src=x onerror=alert(1)>');
  assert.equal(await card().locator('a, img').count(), 0);
});

test('an inline card fills the place that the page reserved, and stays', async () => {
  await page.clock.install();
  feed([item({ where: { channels: ['inline', 'toast'] } })]);
  await go('full', '/page', `<div data-mk-place="${ONE}"></div>`, 's-core', 'ar');
  await until('the card', async () => {
    await page.clock.runFor(500);
    return (await page.locator('[data-mk-place] mk-proof .mk-card.inline').count()) === 1;
  });
  await page.clock.runFor(60_000);
  assert.equal(await card().count(), 1);
});

test('in a page that reads from right to left the card begins at the right, and its button ends it', async () => {
  await page.addInitScript(() => {
    addEventListener('DOMContentLoaded', () => {
      document.documentElement.dir = 'rtl';
    });
  });
  feed([item()]);
  await go('full', '/page', '', 's', 'ar');
  await shown();
  const [box, close] = [await card().boundingBox(), await card().locator('.mk-close').boundingBox()];
  const width = await page.evaluate(() => document.documentElement.clientWidth);
  assert.ok(box!.x > width / 2, 'stands at the right');
  assert.ok(close!.x < box!.x + 40, 'its button at the left');
});
