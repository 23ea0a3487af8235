// A notification's card in Chromium, on somebody's strict page: how it comes, what counts as seen, and how it goes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { complaintsOf } from '../../../test/axe.ts';
import {
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
import { until } from '../../../test/chromium.ts';
import { api, faults, hide, open, page, show, useSnippet } from '../../../test/snippet-browser.ts';

useSnippet();

/** From the next page on, how much of it was moved. */
async function watchShifts(): Promise<() => Promise<number>> {
  await page.addInitScript(() => {
    // biome-ignore lint/suspicious/noExplicitAny: a counter of this test
    const all = self as any;
    all.shifted = 0;
    new PerformanceObserver((list) => {
      // biome-ignore lint/suspicious/noExplicitAny: fields that TypeScript does not know
      for (const entry of list.getEntries() as any[]) all.shifted += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  // biome-ignore lint/suspicious/noExplicitAny: as above
  return () => page.evaluate(() => (self as any).shifted);
}
/** A page's place for a card, so high that it moves nothing; as the page of these tests may have no style. */
const PLACE = `<table width="400"><tr><td height="140" data-mk-place="${ONE}"></td></tr></table><p>Below it</p>`;

test('a card comes without moving anything or taking the focus, and half of it for a second is an impression', async () => {
  feed([item()]);
  const shifted = await watchShifts();
  await go();
  await page.locator('#first').focus();
  await shown();
  assert.equal(await card().locator('.mk-text').textContent(), MESSAGE);
  assert.equal(await page.locator('mk-proof [role=status]').count(), 1);
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'first');
  await until('the impression', () => told('shown').length === 1);
  const props = { notificationId: ONE, variantId: 'default', receiptId: 'R'.repeat(22) };
  assert.deepEqual([propsOf('exposed'), propsOf('shown')], [[props], [props]]);
  assert.equal(await shifted(), 0);
  assert.equal(
    await card().locator('.mk-receipt').getAttribute('href'),
    `${api.url}/proof/${'R'.repeat(22)}`,
  );
});

test('a page that is busy all the time shows its card all the same', async () => {
  feed([item()]);
  await page.addInitScript(() => {
    self.requestIdleCallback = (work, { timeout } = {}) =>
      timeout ? window.setTimeout(work, timeout, { didTimeout: true, timeRemaining: () => 0 }) : 0;
  });
  await go();
  await shown();
});

test('a bar, and an inline card in a place that was kept for it, move nothing either', async () => {
  for (const channel of ['bar', 'inline']) {
    await open();
    const shifted = await watchShifts();
    // late, so that the page stands before it comes
    feed([item({ where: { channels: [channel] }, when: { afterMs: 300 } })]);
    await go('full', '/page', PLACE);
    await shown();
    await until('the impression', () => told('shown').length === 1);
    assert.ok(await card().evaluate((element, name) => element.classList.contains(name), channel));
    assert.equal(await shifted(), 0, channel);
    // what would be seen of a card that does move something
    await page.evaluate(() => document.querySelector('main')!.prepend(document.createElement('hr')));
    await until('the counter counts', async () => (await shifted()) > 0);
  }
});

test('less than half of a card is no impression, and more than half is one', async () => {
  const far = '<table><tr><td height="2000">bread</td></tr></table>';
  feed([item({ where: { channels: ['inline'] } })]);
  await go('full', '/page', far + PLACE + far);
  await shown();
  const see = (part: number) =>
    card().evaluate((element, part) => {
      const { top, height } = element.getBoundingClientRect();
      scrollTo(0, scrollY + top + height * part - innerHeight);
    }, part);
  await see(0.4);
  await page.waitForTimeout(1500);
  await settled();
  assert.deepEqual([told('exposed').length, told('shown').length], [1, 0]);
  await see(0.6);
  await until('the impression', () => told('shown').length === 1);
});

test('a click on its link is told, once, and one on what proves it is none', async () => {
  feed([item({ cap: { perSession: 5, perDay: 20, gapMs: 0, afterDismissDays: 7 } })]);
  await go();
  await page.evaluate(() => addEventListener('click', (event) => event.preventDefault()));
  await shown();
  await card().locator('.mk-receipt').click();
  await settled();
  assert.equal(told('clicked').length, 0);
  await card().locator('.mk-link').click();
  await card().locator('.mk-link').click();
  await until('it is told', () => told('clicked').length > 0);
  await settled();
  assert.deepEqual(propsOf('clicked'), [
    { notificationId: ONE, variantId: 'default', receiptId: 'R'.repeat(22) },
  ]);
});

test('who asks for less motion sees none, and in forced colours its button has a border', async () => {
  const looks = async (options: Parameters<typeof open>[0]) => {
    await open(options);
    feed([item()]);
    await go();
    await shown();
    return card().evaluate((element) => [
      getComputedStyle(element).animationName,
      getComputedStyle(element.querySelector('.mk-close')!).borderTopWidth,
    ]);
  };
  assert.deepEqual(await looks({ reducedMotion: 'no-preference', forcedColors: 'none' }), ['in', '0px']);
  assert.deepEqual(await looks({ reducedMotion: 'reduce' }), ['none', '0px']);
  assert.deepEqual(await looks({ forcedColors: 'active' }), ['in', '1px']);
});

test('an owner’s own words lead to where they can be checked, if that is a page', async () => {
  for (const [url, count] of [
    ['https://bakery.example/about', 1],
    ['javascript:alert(1)', 0],
  ] as const) {
    await open();
    feed([item({ kind: 'message', source: { url, statedOn: '2026-01-31' } })]);
    await go();
    await shown();
    const link = card().getByRole('link', { name: 'Source, 2026-01-31' });
    assert.equal(await link.count(), count);
    if (count) assert.equal(await link.getAttribute('href'), url);
  }
});

test('a page that is not looked at has no impression', async () => {
  feed([item({ when: { afterMs: 300 } })]);
  await go();
  await until('the snippet', () => page.evaluate(() => typeof window.mkt?.event === 'function'));
  await hide();
  await shown();
  await page.waitForTimeout(1500);
  await settled();
  assert.deepEqual([told('exposed').length, told('shown').length], [1, 0]);
});

/** Until it would have begun: the page is loaded, and idle, and the snippet there. */
async function idle(): Promise<void> {
  await until('the snippet', () => page.evaluate(() => typeof window.mkt?.event === 'function'));
  await page.waitForTimeout(1000);
}

test('the line that asks for notifications fetches them once the page is loaded, and nothing of them before', async () => {
  const { full } = (await (await fetch(`${api.url}/s.json`)).json()) as { full: { path: string } };
  // and beside the tag of their own they are there once
  for (const [src, beside] of [
    ['/s.js', ''],
    [full.path, `<script async src="${api.url}/p.js" data-site="default"></script>`],
  ]) {
    await open();
    feed([item()]);
    await show(
      `<html lang="en"><head><title>Bread</title><meta http-equiv="Content-Security-Policy" content="default-src 'none';
        script-src ${api.url}; connect-src ${api.url}; require-trusted-types-for 'script'; trusted-types 'none'">
        <script async src="${api.url}${src}" data-site="default" data-consent="full" data-notifications></script>${beside}
        </head><body><h1>Bread</h1></body></html>`,
      '/page',
    );
    await shown();
    await until('it is told', () => told('shown').length === 1);
    assert.deepEqual([await card().count(), told('exposed').length, api.asked], [1, 1, 1]);
    const { loaded, fetched } = await page.evaluate(() => {
      const [visit] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
      return {
        loaded: visit!.loadEventStart,
        fetched: performance.getEntriesByType('resource').filter(({ name }) => name.includes('/p/')),
      };
    });
    assert.ok(fetched.length === 1 && fetched[0]!.startTime >= loaded, src);
  }
});

test('a browser that cannot draw a card, in whatever way, tells of none and hears of no fault', async () => {
  const broken: [string, () => void][] = [
    [
      'no constructed sheets, as in Safari before 16.4: it takes no part, in whichever arm',
      // biome-ignore lint/suspicious/noExplicitAny: what other browsers lack
      () => delete (CSSStyleSheet.prototype as any).replaceSync,
    ],
    [
      'no shadow roots',
      () => {
        Element.prototype.attachShadow = () => {
          throw new Error('none here');
        };
      },
    ],
    [
      'no observers',
      // biome-ignore lint/suspicious/noExplicitAny: as above
      () => delete (self as any).IntersectionObserver,
    ],
  ];
  for (const [what, breaks] of broken) {
    await open();
    await page.addInitScript(breaks);
    feed([item()]);
    await go();
    await idle();
    assert.deepEqual([told('exposed').length, told('shown').length, api.asked], [0, 0, 0], what);
    // what it heard of faults is looked at after each test; of this page now, before the next takes its place
    assert.deepEqual(faults(), [], what);
  }
});

test('a page that took the name of the snippet away loses what would be told, and its card closes all the same', async () => {
  feed([item()]);
  await go();
  await shown();
  await page.evaluate(() => {
    window.mkt = {
      event() {
        throw new Error('not this one');
      },
    };
  });
  await card().locator('.mk-close').click();
  await gone();
});

test('axe has nothing against it, and its button is large enough', async () => {
  await open({ bypassCSP: true });
  feed([item()]);
  await go();
  await shown();
  assert.deepEqual(await complaintsOf(page), []);
  const box = await card().locator('.mk-close').boundingBox();
  assert.ok(box!.width >= 24 && box!.height >= 24);
});

test('Escape closes it, from wherever, and silences all for days', async () => {
  feed([item(), item({ id: OTHER })]);
  await go();
  await shown();
  await page.keyboard.press('Escape');
  await gone();
  await until('it is told', () => told('dismissed').length === 1);
  api.asked = 0;
  await go('full', '/next');
  await settled();
  assert.equal(await card().count(), 0);
  const { x } = JSON.parse((await remembered())!);
  assert.ok(x > Date.now() + 6 * 86_400_000);
});

test('by keyboard its link, its receipt and its button are reached in this order', async () => {
  feed([item()]);
  await go();
  await shown();
  await page.locator('#first').focus();
  const seen: string[] = [];
  for (let n = 0; n < 3; n += 1) {
    await page.keyboard.press('Tab');
    seen.push(
      await page.evaluate(
        () => document.querySelector('mk-proof')?.shadowRoot?.activeElement?.className ?? 'elsewhere',
      ),
    );
  }
  assert.deepEqual(seen, ['mk-link', 'mk-receipt', 'mk-close']);
  await page.keyboard.press('Enter');
  await gone();
});

test('it leaves by itself, but not while somebody points at it or is in it', async () => {
  await page.clock.install();
  feed([item()]);
  await go('full', '/page', '', 's-core');
  await until('the card', async () => {
    await page.clock.runFor(500);
    return (await card().count()) > 0;
  });
  await card().hover();
  await page.clock.runFor(60_000);
  assert.equal(await card().count(), 1);
  await page.mouse.move(600, 5);
  await page.clock.runFor(6000);
  assert.equal(await card().count(), 1);
  await card().locator('.mk-close').focus();
  await page.clock.runFor(60_000);
  assert.equal(await card().count(), 1);
  await page.locator('#first').focus();
  await page.clock.runFor(9000);
  await gone();
  await until('pointing at it was told once', () => told('hovered').length === 1);
});

test('a trigger asks for all of its parts', async () => {
  const tall = '<p>bread</p>'.repeat(200);
  feed([item({ when: { afterMs: 0, scrollPercent: 50, exitIntent: true } })]);
  await go('full', '/page', tall);
  await settled();
  await page.mouse.move(200, 200);
  const leave = () =>
    page.evaluate(() =>
      document.documentElement.dispatchEvent(new MouseEvent('mouseout', { bubbles: true, clientY: -1 })),
    );
  await leave();
  assert.equal(told('exposed').length + (await card().count()), 0);
  await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await card().count(), 0);
  await leave();
  await shown();
});
