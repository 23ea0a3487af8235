// The consent control in Chromium, on somebody's strict page, with the real API behind it: by keyboard, in both languages, on
// a narrow screen; what each answer keeps in the browser, what it proves, and when it ends.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { complaintsOf } from '../../../test/axe.ts';
import { inventoryOf, launchChromium, until } from '../../../test/chromium.ts';
import { type Pages, startPages } from '../../../test/pages.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';

declare global {
  interface Window {
    // biome-ignore lint/suspicious/noExplicitAny: an array first, then what core.ts calls Mkt
    mkt: any;
  }
}

const README = readFileSync(new URL('README.md', import.meta.url), 'utf8');
/** The README's lines for a page with the control. */
const LINES = /<script defer src="\S+\/consent\.js".*\n<script defer .*<\/script>/.exec(README)![0];
const DAY_MS = 86_400_000;

let api: TestServer;
let site: Pages;
let browser: Browser;
let context: BrowserContext;
let page: Page;
/** What the page threw, and what its policy forbade. */
let troubles: string[];
before(async () => {
  [api, site, browser] = await Promise.all([startServer(), startPages(), launchChromium(BROWSER)]);
  await call(
    `${api.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'Crumb & Co.', origins: [site.url] },
    admin,
  );
});
after(async () => {
  await browser?.close();
  await site?.close();
  await api?.end();
});
beforeEach(async () => {
  await rows('delete from browser_choices');
  put('en');
  await open();
});
afterEach(async () => {
  await context.close();
  assert.deepEqual(troubles, [], 'nothing is thrown into the page, and its policy forbids nothing of it');
});

/** A page whose policy allows no style, no markup made by scripts, and the API alone. */
function put(lang: string, attributes = ''): void {
  const lines = LINES.replaceAll('https://api.example.com', api.url)
    .replaceAll('data-site="default"', 'data-site="bakery"')
    .replace(/><\/script>$/, `${attributes}></script>`);
  const html = (
    name: string,
  ) => `<html lang="${lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${api.url}; connect-src ${api.url}; require-trusted-types-for 'script'; trusted-types 'none'">
<title>${name}</title>${lines}</head><body><main><h1>${name}</h1><p>Baked this morning.</p><a href="/next">Next</a>
<button type="button" data-mkt-consent>Privacy</button></main></body></html>`;
  site.pages.set('/bread', html('Bread'));
  site.pages.set('/next', html('Next'));
}
async function open(options: BrowserContextOptions = {}): Promise<void> {
  await context?.close();
  context = await browser.newContext(options);
  page = await context.newPage();
  troubles = [];
  watch(page);
}
function watch(one: Page): void {
  one.on('pageerror', (error) => troubles.push(String(error)));
  one.on('console', (message) => {
    if (/Content Security|Trusted|Uncaught/i.test(message.text())) troubles.push(message.text());
  });
}
const rows = async (sql: string, values: unknown[] = []) =>
  (await api.database.owner.query(sql, values)).rows;
const told = async (n: number) => {
  await until(`${n} answers are told`, async () => (await rows('select from browser_choices')).length === n);
  return rows('select * from browser_choices order by chosen_at, recorded_at');
};
const go = (path = '/bread') => page.goto(site.url + path);
const control = () => page.getByRole('region', { name: 'Your privacy choice' });
const answer = (name: string) => control().getByRole('button', { name, exact: true });
const NOTHING = 'Do not count me';
const COUNT = 'Count me without a number';
const KNOW = 'Recognise this browser';
async function choose(name: string): Promise<void> {
  await answer(name).click();
  await until('it closes', async () => (await control().count()) === 0);
}
const reopen = async () => {
  await page.getByRole('button', { name: 'Privacy' }).click();
  await control().waitFor();
};
const inventory = () => inventoryOf(page);
/** Once nothing waits to be told any more. */
async function kept(): Promise<Record<string, string>> {
  await until('all is told', async () => Object.keys(await inventory()).every((key) => !/!|:\d/.test(key)));
  return inventory();
}
/** As if the answer, and the id, had been given that long ago. */
const age = (days: number) =>
  page.evaluate((ms) => {
    const [mode, at] = localStorage['_mkt7bakery?'].split(' ');
    localStorage['_mkt7bakery?'] = `${mode} ${at - ms}`;
    const id = localStorage['_mkt7bakery:id'];
    if (id) localStorage['_mkt7bakery:id'] = `${((Date.now() - ms) / 3e4) | 0}${id.slice(8)}`;
  }, days * DAY_MS);
const settled = async () => {
  const path = `/settled-${Math.random()}`;
  await page.evaluate((at) => window.mkt.event('last', { path: at }), path);
  await until(
    'the last event',
    async () => (await rows('select from events where path = $1', [path])).length,
  );
};

test('it asks once, by keyboard, with three answers that are equal, and moves nothing on the page', async () => {
  await go();
  const place = () => page.locator('h1').evaluate((heading) => heading.getBoundingClientRect().top);
  const top = await place();
  await control().waitFor();
  assert.equal(await place(), top);
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'BODY', 'nobody is interrupted');
  const boxes = await control()
    .getByRole('button')
    .evaluateAll((buttons) =>
      buttons.map((button) => {
        const { width, height } = button.getBoundingClientRect();
        const { color, backgroundColor, fontWeight, borderWidth } = getComputedStyle(button);
        return { width, height, color, backgroundColor, fontWeight, borderWidth };
      }),
    );
  assert.equal(boxes.length, 3);
  for (const box of boxes) assert.deepEqual(box, boxes[0]);
  const reached = [];
  for (let i = 0; i < 4; i += 1) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate(() => document.activeElement?.textContent));
  }
  assert.deepEqual(reached, ['What happens with your data', NOTHING, COUNT, KNOW], 'first on the page');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Next', 'it holds nobody');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  const [row] = await told(1);
  assert.equal(row.mode, 'full');
  await until('it is gone', async () => (await control().count()) === 0);
  await go('/next');
  await settled();
  assert.equal(await control().count(), 0, 'it does not ask again');
});

test('what each answer keeps in the browser is this and no more', async () => {
  await go();
  await control().waitFor();
  await settled();
  assert.deepEqual(await inventory(), {}, 'nothing before the answer');
  const names = async () => Object.keys(await kept()).sort();
  const answerKeys = ['_mkt7bakery:', '_mkt7bakery?'];

  await choose(NOTHING);
  assert.deepEqual(await names(), answerKeys);
  assert.match(
    (await kept())['_mkt7bakery?']!,
    /^off \d{13}$/,
    'nothing by which one could be told from others',
  );
  assert.equal((await kept())['_mkt7bakery:'], 'off');

  await reopen();
  await choose(COUNT);
  assert.deepEqual(await names(), answerKeys);
  assert.match((await kept())['_mkt7bakery?']!, /^measure \d{13}$/);

  await reopen();
  await choose(KNOW);
  assert.deepEqual(await names(), ['_mkt7bakery:', '_mkt7bakery:id', '_mkt7bakery?']);

  await reopen();
  await choose(COUNT);
  assert.deepEqual(await names(), answerKeys, 'the id is gone at once');
  assert.deepEqual(await context.cookies(), []);
});

test('the server has each answer with the words that were read, the time and the end', async () => {
  await go();
  await choose(KNOW);
  await reopen();
  await choose(NOTHING);
  const [agreed, left] = await told(2);
  assert.deepEqual([agreed.mode, left.mode, agreed.language], ['full', 'off', 'en']);
  assert.ok(agreed.visitor_id);
  assert.equal(left.visitor_id, agreed.visitor_id, 'whose id it was that ended');
  const { body } = await call(`${api.url}/v1/sites/bakery/choices`, 'GET', undefined, admin);
  const { words, chosenAt, endsAt } = body.choices[1];
  for (const shown of ['Crumb & Co.: we count', '13 months', '6 months', NOTHING, COUNT, KNOW])
    assert.ok(words.includes(shown), `${shown}: ${words}`);
  assert.ok(Date.parse(endsAt) - Date.parse(chosenAt) > 180 * DAY_MS);
});

test('agreeing makes nothing of before the visitor’s', async () => {
  for (const attributes of ['', ' data-consent="page"', ' data-consent="off"']) {
    await rows('delete from browser_choices');
    put('en', attributes);
    await open();
    await go('/bread?utm_source=before');
    await control().waitFor();
    if (!attributes.includes('off')) await settled();
    const began = new Date();
    await choose(KNOW);
    await go('/next');
    await settled();
    const [{ visitor_id: visitor }] = await told(1);
    const events = await rows(
      'select path, occurred_at from events where visitor_id = $1 order by occurred_at',
      [visitor],
    );
    assert.ok(events.length >= 2, 'known from then on');
    for (const { path, occurred_at: at } of events) assert.ok(at >= began, `${attributes} ${path}`);
  }
});

test('an agreement counts no more after half a year, not even for one page, and is asked for again', async () => {
  await go();
  await choose(KNOW);
  await settled();
  await kept();
  const [{ visitor_id: visitor }] = await told(1);
  const count = async () => (await rows('select from events where visitor_id = $1', [visitor])).length;
  const before = await count();
  await age(179);
  await go('/next');
  await settled();
  assert.equal(await control().count(), 0);
  await age(2);
  await go();
  await control().waitFor();
  await settled();
  assert.deepEqual(Object.keys(await kept()), ['_mkt7bakery?']);
  assert.equal(await count(), before, 'of an aged id, which is another');
  assert.ok(before >= 1);
  await choose(KNOW);
  const [, again] = await told(2);
  assert.notEqual(again.visitor_id, visitor);
});

test('a refusal is asked about again after half a year, and holds until it is answered', async () => {
  for (const [name, mode] of [
    [NOTHING, 'off'],
    [COUNT, 'measure'],
  ] as const) {
    put('en', ' data-consent="full"');
    await open();
    await go();
    await choose(name);
    await kept();
    await age(182);
    await go('/next');
    await control().waitFor();
    assert.equal(await page.evaluate(() => window.mkt.id()), undefined);
    assert.equal((await kept())['_mkt7bakery:'], mode);
  }
});

test('an id lives thirteen months at most, however often its visitor agrees', async () => {
  await go();
  await choose(KNOW);
  await settled();
  await page.evaluate(() => {
    const born = `${(Date.now() / 3e4 - 397 * 2880) | 0}`;
    localStorage['_mkt7bakery:id'] = born + localStorage['_mkt7bakery:id'].slice(8);
  });
  const old = (await kept())['_mkt7bakery:id'];
  await go('/next');
  await settled();
  const { '_mkt7bakery:id': id, '_mkt7bakery:': mode } = await kept();
  assert.notEqual(id, old);
  assert.deepEqual([mode, id!.length], ['full', old!.length]);
});

test('it opens again from the page and from code, tells what holds, and Escape answers nothing', async () => {
  await go();
  await choose(COUNT);
  await told(1);
  const before = await kept();
  await reopen();
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'mkt-consent', 'the focus goes there');
  const pressed = () =>
    control()
      .getByRole('button')
      .evaluateAll((buttons) => buttons.map((button) => button.ariaPressed));
  assert.deepEqual(await pressed(), ['false', 'true', 'false']);
  await page.keyboard.press('Escape');
  assert.equal(await control().count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Privacy', 'and comes back');
  assert.deepEqual(await inventory(), before);

  await page.evaluate(() => window.mkt.choose());
  await control().waitFor();
  await page.evaluate(() => window.mkt.choose());
  await page.waitForLoadState('networkidle');
  assert.equal(await control().count(), 1);
  await choose(NOTHING);
  await told(2);
});

test('unanswered, it asks on the next page, and nothing is kept', async () => {
  await go();
  await control().waitFor();
  await answer(NOTHING).focus();
  await page.keyboard.press('Escape');
  assert.equal(await control().count(), 0);
  await go('/next');
  await control().waitFor();
  assert.deepEqual(await inventory(), {});
  assert.deepEqual(await rows('select from browser_choices'), []);
});

test('who sends a signal is not asked, and may still choose among what it leaves open', async () => {
  for (const [name, header] of [
    ['globalPrivacyControl', 'sec-gpc'],
    ['doNotTrack', 'dnt'],
  ] as const) {
    await rows('delete from browser_choices');
    await open({ extraHTTPHeaders: { [header]: '1' } });
    await page.addInitScript((key) => {
      Object.defineProperty(navigator, key, { get: () => (key === 'doNotTrack' ? '1' : true) });
    }, name);
    await go();
    await settled();
    await page.waitForLoadState('networkidle');
    assert.equal(await control().count(), 0);
    await reopen();
    assert.deepEqual(await control().getByRole('button').allTextContents(), [NOTHING, COUNT]);
    assert.match((await control().textContent())!, /Your browser asks not to be recognised, so we do not\./);
    await choose(NOTHING);
    const [row] = await told(1);
    assert.deepEqual([row.mode, row.privacy_signal, row.visitor_id], ['off', true, null]);
  }
});

test('an answer that nobody acknowledged is told on the next page, once', async () => {
  for (const fails of [503, 429, 'abort'] as const) {
    await rows('delete from browser_choices');
    await open();
    const door = `${api.url}/v1/choices`;
    await page.route(door, (route) =>
      fails === 'abort'
        ? route.abort()
        : route.fulfill({ status: fails, headers: { 'access-control-allow-origin': site.url } }),
    );
    await go();
    await choose(NOTHING);
    await page.waitForLoadState('networkidle');
    const waiting = async () => Object.keys(await inventory()).filter((key) => key.includes('!')).length;
    assert.equal(await waiting(), 1, `${fails}`);
    await page.unroute(door);
    await go('/next');
    const [row] = await told(1);
    assert.equal(row.mode, 'off');
    await until('it is forgotten', async () => (await waiting()) === 0);
    await go();
    await page.waitForLoadState('networkidle');
    await told(1);
  }
});

test('a choice in one tab holds in the others', async () => {
  await go();
  await choose(KNOW);
  const other = await context.newPage();
  watch(other);
  await other.goto(`${site.url}/next`);
  await until('it is known there', () => other.evaluate(() => window.mkt?.id?.()));
  await reopen();
  await choose(COUNT);
  assert.equal(await other.evaluate(() => window.mkt.id()), undefined);
  await told(2);
});

test('without its words, or with the script blocked, it stays away and throws nothing', async () => {
  await page.route('**/v1/choices/control*', (route) => route.abort());
  await go();
  await settled();
  await page.waitForLoadState('networkidle');
  assert.equal(await page.locator('#mkt-consent').count(), 0);
  await open();
  await page.route('**/s.js', (route) => route.abort());
  await go();
  await page.waitForLoadState('networkidle');
  assert.equal(await page.locator('#mkt-consent').count(), 0);
  await open();
  await page.addInitScript(() => {
    Object.defineProperty(window, 'localStorage', {
      get() {
        throw new DOMException('denied', 'SecurityError');
      },
    });
  });
  await go();
  await page.waitForLoadState('networkidle');
  assert.equal(await page.locator('#mkt-consent').count(), 0);
});

test('in English and French, light and dark, narrow and enlarged: axe-core finds nothing, and nothing is cut off', async () => {
  for (const lang of ['en', 'fr-CA'])
    for (const [width, height, colorScheme] of [
      [320, 640, 'light'],
      [320, 256, 'dark'],
      [1280, 800, 'dark'],
    ] as const) {
      put(lang);
      await open({ viewport: { width, height }, colorScheme, bypassCSP: true });
      await go();
      const region = page.locator('#mkt-consent');
      await region.waitFor();
      const said = `${lang} ${width}×${height}`;
      for (const isReopened of [false, true]) {
        if (isReopened) {
          await region.getByRole('button').first().click();
          await page.locator('[data-mkt-consent]').focus();
          await page.keyboard.press('Enter');
          await region.waitFor();
        }
        assert.deepEqual(await complaintsOf(page), [], said);
        const { scroll, seen } = await page.evaluate(() => ({
          scroll: document.documentElement.scrollWidth - innerWidth,
          seen: document.querySelector('#mkt-consent')!.scrollWidth - innerWidth,
        }));
        assert.ok(scroll <= 0 && seen <= 0, said);
        assert.equal(await region.getAttribute('lang'), lang.slice(0, 2));
        const last = region.getByRole('button').last();
        await last.focus();
        const box = (await last.boundingBox())!;
        assert.ok(
          box.y >= 0 && Math.floor(box.y + box.height) <= height && box.x >= 0 && box.x + box.width <= width,
          said,
        );
        assert.ok(box.height >= 44, said);
      }
      const french = 'Votre choix de confidentialité';
      const name = lang === 'en' ? 'Your privacy choice' : french;
      assert.equal(await page.getByRole('region', { name }).count(), 1);
      assert.equal(
        await region.getByRole('button').last().textContent(),
        lang === 'en' ? KNOW : 'Reconnaître ce navigateur',
      );
      const href = await region.getByRole('link').getAttribute('href');
      assert.match(href!, new RegExp(`/v1/privacy\\?lang=${lang.slice(0, 2)}&propertyId=bakery$`));
    }
});
