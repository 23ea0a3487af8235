// How pages are read: attention, web vitals, marked clicks, links that lead away, pages that are not there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import {
  bakery,
  context,
  hide,
  ids,
  of,
  page,
  ready,
  useSnippet,
  views,
} from '../../../test/snippet-browser.ts';

useSnippet();

test('attention and depth are told when the page hides, in parts that add up', async () => {
  await page.goto(`${bakery.url}/bread`);
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
  await page.goto(`${bakery.url}/newsletter`);
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
  await page.goto(`${bakery.url}/visit`);
  await until('the next page', () => views().length === 2);
  assert.equal(ids(of('web_vitals').filter((event) => event.path === '/newsletter')).length, 1);
});

test('marked clicks, links that lead away and downloads are told', async () => {
  await context.route('https://en.wikipedia.org/**', (route) => route.fulfill({ body: 'sourdough' }));
  await page.goto(`${bakery.url}/`);
  await ready();
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download the price list' }).click();
  await download;
  await page.getByRole('link', { name: 'Read about sourdough' }).click();
  await page.waitForURL('https://en.wikipedia.org/**');
  await page.goto(`${bakery.url}/`);
  await page.getByRole('link', { name: 'Get the weekly bake' }).click();
  await page.waitForURL('**/newsletter');
  await until('all three', () =>
    ['download', 'outbound_click', 'cta_click'].every((type) => of(type).length > 0),
  );
  assert.deepEqual(of('download')[0]!.props, { url: `${bakery.url}/price-list.pdf` });
  assert.deepEqual(of('outbound_click')[0]!.props, { url: 'https://en.wikipedia.org/wiki/Sourdough' });
  assert.deepEqual(of('cta_click')[0]!.props, { label: 'hero' });
  assert.equal(of('cta_click')[0]!.path, '/');
});

test('a page that is not there is told when it is left', async () => {
  await page.goto(`${bakery.url}/no-such-page`);
  await until('a page view', () => views().length === 1);
  await page.goto(`${bakery.url}/bread`);
  await until('a not_found', () => of('not_found').length === 1);
  assert.equal(of('not_found')[0]!.path, '/no-such-page');
  await page.goto(`${bakery.url}/visit`);
  await until('the last view', () => views().includes('/visit'));
  assert.equal(of('not_found').length, 1);
});

test('what a browser measures beyond all measure is cut before it is sent', async () => {
  await page.addInitScript(() => {
    const real = PerformanceObserver;
    const strange = [
      { entryType: 'paint', startTime: 500_000, duration: 0 },
      { entryType: 'largest-contentful-paint', startTime: 500_000, duration: 0, size: 1 },
      { entryType: 'event', startTime: 1, duration: 900_000, interactionId: 1 },
      { entryType: 'layout-shift', startTime: 1, duration: 0, value: 40 },
    ];
    // biome-ignore lint/suspicious/noExplicitAny: stands in for the browser's
    (window as any).PerformanceObserver = class {
      static supportedEntryTypes = real.supportedEntryTypes;
      observe() {}
      takeRecords = () => strange;
    };
  });
  await page.goto(`${bakery.url}/bread`);
  await until('a page view', () => views().length === 1);
  await hide();
  await until('the vitals', () => of('web_vitals').length === 1);
  const { ttfbMs, ...rest } = of('web_vitals')[0]!.traffic!.webVitals!;
  assert.ok(ttfbMs! >= 0 && ttfbMs! <= 120_000);
  assert.deepEqual(rest, { fcpMs: 120_000, lcpMs: 120_000, inpMs: 120_000, clsScore: 10 });
});
