// What a template may do to a card, in Chromium: whatever is accepted, its close button and the link to its receipt can be
// seen and pressed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { card, feed, go, item, shown } from '../../../test/cards.ts';
import { context, open, page, useSnippet } from '../../../test/snippet-browser.ts';
import { printCss } from '../notifications/looks/css.ts';
import { printTokens } from '../notifications/looks/print.ts';
import { PARTS, PROPERTIES, type Rule } from '../notifications/looks/properties.ts';
import { tokensShape } from '../notifications/looks/tokens.ts';

useSnippet();

const NARROW = { width: 320, height: 480 };
const LONG = 'Warm bread of the whole night is what people say they come back for, again and again. '.repeat(
  3,
);
const LOGO = 'https://bakery.example/logo.svg';
const TOKENS = tokensShape.parse({ width: 200, radius: 24, logo: LOGO });

/** What comes closest to covering, crowding out or blinding them, of what is accepted. */
const HOSTILE = [
  '',
  '.mk-card{padding:0;column-gap:0;text-align:end}.mk-text{background:#000;color:#fff}',
  '.mk-card{padding:32px;border:8px solid #000;column-gap:24px;letter-spacing:3px}.mk-text{font-size:24px;line-height:2;padding:8px;border:2px solid #000}.mk-logo{border:2px solid #000}.mk-link{font-size:24px;padding:8px;border:2px solid #000}',
  '.mk-text{font-size:12px;line-height:1.2;text-decoration-line:underline;text-decoration-thickness:2px;text-underline-offset:3px}.mk-link{line-height:1.2;text-decoration-line:underline;text-decoration-thickness:2px;text-underline-offset:3px}',
  '.mk-card{text-decoration-line:underline;text-decoration-thickness:2px;text-underline-offset:3px;line-height:1.2;letter-spacing:-0.5px;text-transform:uppercase}',
  '.mk-link{outline:2px solid #000;outline-offset:2px}.mk-receipt{outline:2px solid #fff;outline-offset:2px}.mk-close{outline:2px solid #fff;outline-offset:2px}',
  '.mk-text{opacity:.99;background:#000;color:#fff}.mk-link{opacity:.99;background:#000;color:#fff}.mk-logo{opacity:.6}',
  '.mk-card{border-radius:32px;padding:0;background:linear-gradient(to top left,#000,#333);color:#fff;box-shadow:0 0 40px 40px #000}.mk-link{color:#fff}',
  '.mk-close{border:2px double #000;border-radius:50%;background:#000;color:#fff;text-decoration-line:underline}.mk-receipt{border:2px solid #000;border-radius:4px;background:#000;color:#fff;font-weight:300;font-style:italic;text-decoration-line:none}',
  '.mk-card{border-width:8px;border-style:double;outline:6px solid #fff;outline-offset:8px}.mk-card:hover{background:#000;color:#fff}.mk-card:hover{border-color:#000}.mk-link{background:#fff;color:#000}',
];

/** Always the same draws. */
function draws(seed: number) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return <T>(of: readonly T[]): T => of[Math.floor(next() * of.length)]!;
}
const COLORS = ['#000', '#fff', 'var(--mk-text)', 'var(--mk-background)'];

/** At the ends of what a rule allows. */
function extremeOf(rule: Rule, pick: ReturnType<typeof draws>): string {
  const color = pick(COLORS);
  switch (rule.is) {
    case 'color':
      return color;
    case 'paint':
      return pick([color, `linear-gradient(${color},${pick(COLORS)})`]);
    case 'gradient':
      return `linear-gradient(45deg,${color},${pick(COLORS)})`;
    case 'length':
      return `${pick([rule.min, rule.max, 2, 4, 8])}px`;
    case 'number':
      return `${pick([rule.min, rule.max])}`;
    case 'word':
      return pick(rule.of);
    case 'line':
      return `${pick([rule.max, 2])}px ${pick(['solid', 'double'])} ${color}`;
    case 'shadow':
      return `${pick([-40, 0, 40])}px ${pick([-40, 0, 40])}px ${pick([0, 40])}px ${pick([0, 40])}px ${color}`;
  }
}

function randomLooks(count: number): string[] {
  const pick = draws(7);
  const names = Object.keys(PROPERTIES);
  const looks: string[] = [];
  for (let tries = 0; looks.length < count; tries += 1) {
    assert.ok(tries < 100_000, 'some of what is drawn is accepted');
    let css = '';
    for (let n = 0; n < 12; n += 1) {
      const property = pick(names);
      const rule = `.mk-${pick(PARTS)}${pick(['', '', ':hover', ':focus-visible'])}{${property}:${extremeOf(PROPERTIES[property]!, pick)}}`;
      if (accepted(css + rule)) css += rule;
    }
    if (css !== '') looks.push(css);
  }
  return looks;
}

function accepted(css: string): boolean {
  try {
    printCss(css, TOKENS);
    return true;
  } catch {
    return false;
  }
}

/** Pixels whose contrast with what is there without the letters is at least 4.5:1. */
async function inkOf(selector: string, canvas: Page): Promise<number> {
  const box = await card().locator(selector).first().boundingBox();
  const shoot = async () =>
    (await page.screenshot({ clip: box!, animations: 'disabled' })).toString('base64');
  const paint = (fill: string) =>
    card()
      .locator(selector)
      .first()
      .evaluate((element, fill) => {
        (element as HTMLElement).style.webkitTextFillColor = fill;
      }, fill);
  const whole = await shoot();
  await paint('transparent');
  const bare = await shoot();
  await paint('');
  return canvas.evaluate(
    async ([one, other]) => {
      const pixels = async (base64: string) => {
        const image = new Image();
        image.src = `data:image/png;base64,${base64}`;
        await image.decode();
        const drawn = new OffscreenCanvas(image.width, image.height).getContext('2d')!;
        drawn.drawImage(image, 0, 0);
        return drawn.getImageData(0, 0, image.width, image.height).data;
      };
      const linear = (part: number) =>
        part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4;
      const [a, b] = [await pixels(one!), await pixels(other!)];
      const light = (of: Uint8ClampedArray, at: number) =>
        0.2126 * linear(of[at]!) + 0.7152 * linear(of[at + 1]!) + 0.0722 * linear(of[at + 2]!);
      let count = 0;
      for (let at = 0; at < a.length; at += 4) {
        const [low, high] = [light(a, at), light(b, at)].sort((x, y) => x - y) as [number, number];
        if ((high + 0.05) / (low + 0.05) >= 4.5) count += 1;
      }
      return count;
    },
    [whole, bare],
  );
}

/** Puts a card that has everything into a window as narrow as there are. */
async function everything(colorScheme: 'light' | 'dark'): Promise<Page> {
  await open({ bypassCSP: true, viewport: NARROW, colorScheme });
  await context.route(LOGO, (route) =>
    route.fulfill({
      contentType: 'image/svg+xml',
      body: '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40"/></svg>',
    }),
  );
  const link = { url: '/cart', label: 'See the bread' };
  const receipt = 'R'.repeat(22);
  feed(
    [
      item({
        kind: 'message',
        // a bar stays until it is closed; the looks are tried as a toast
        where: { channels: ['bar'] },
        variants: [{ key: 'a', text: LONG.slice(0, 200), style: 'own', link, receipt }],
        source: { url: 'https://bakery.example/about', statedOn: '2026-01-31' },
      }),
    ],
    { styles: { own: { css: '', position: 'bottom-left', logo: LOGO } } },
  );
  await go();
  await shown();
  const canvas = await context.newPage();
  await page.bringToFront();
  return canvas;
}

const look = (css: string, channel: string) =>
  card().evaluate(
    (element, [text, channel]) => {
      (element.getRootNode() as ShadowRoot).adoptedStyleSheets[1]!.replaceSync(text!);
      element.setAttribute('class', `mk-card ${channel}`);
      element.scrollTo(0, 0);
    },
    [css, channel],
  );

/** Whether what lies in its middle is itself. */
const isOnTop = (selector: string) =>
  card()
    .locator(selector)
    .first()
    .evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      const hit = (element.getRootNode() as ShadowRoot).elementFromPoint(left + width / 2, top + height / 2);
      return hit === element;
    });

/** What is wrong with how they stand. */
async function faultsOf(inks: Record<string, number>, canvas: Page): Promise<string[]> {
  const faults: string[] = [];
  for (const selector of ['.mk-close', '.mk-receipt'] as const) {
    const it = card().locator(selector).first();
    // the button without scrolling; the link may have to be scrolled to
    if (selector !== '.mk-close') await it.scrollIntoViewIfNeeded();
    for (const state of ['at rest', 'pointed at and focused'] as const) {
      if (state === 'at rest') await page.mouse.move(310, 5);
      else {
        const box = (await it.boundingBox())!;
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await it.focus();
      }
      if (!(await isOnTop(selector))) faults.push(`${selector} ${state}: something else lies on it`);
      const ink = await inkOf(selector, canvas);
      if (ink < inks[selector]! * 0.5)
        faults.push(`${selector} ${state}: ${ink} of ${inks[selector]} pixels can be read`);
    }
    await it.evaluate((element) => (element as HTMLElement).blur());
  }
  return faults;
}

test('whatever look is accepted, the close button and the link to the receipt can be read and pressed', async () => {
  const drawn = randomLooks(8);
  for (const scheme of ['light', 'dark'] as const) {
    const looks = [...HOSTILE, ...drawn.filter((_, at) => at % 2 === (scheme === 'dark' ? 1 : 0))];
    const canvas = await everything(scheme);
    await look(printTokens(TOKENS), 'toast');
    const inks: Record<string, number> = {};
    for (const selector of ['.mk-close', '.mk-receipt']) {
      await card().locator(selector).first().scrollIntoViewIfNeeded();
      inks[selector] = await inkOf(selector, canvas);
      assert.ok(inks[selector] > 10, `${selector} is seen on a plain card: ${inks[selector]}`);
    }
    for (const [at, css] of looks.entries()) {
      const channel = ['toast', 'toast top right', 'bar', 'bar top'][at % 4]!;
      await look(printTokens(TOKENS) + printCss(css, TOKENS), channel);
      assert.deepEqual(await faultsOf(inks, canvas), [], `${scheme}, ${channel}: ${css}`);
    }
  }
});

test('the looks that were found to hide them do so in a browser, which is why they are refused', async () => {
  const canvas = await everything('light');
  const plain = printTokens(TOKENS);
  await look(plain, 'bar');
  const inks = { '.mk-close': await inkOf('.mk-close', canvas), '.mk-receipt': 0 };
  await card().locator('.mk-receipt').first().scrollIntoViewIfNeeded();
  inks['.mk-receipt'] = await inkOf('.mk-receipt', canvas);
  for (const css of [
    '.mk-card{background:linear-gradient(#000,#000);background-color:#fff;color:#000}',
    '.mk-card{background:#000;background-image:#fff;color:#000}',
    '.mk-link{background:#000;color:#fff;box-shadow:0 0 0 40px #000}',
    '.mk-text{outline:60px solid #fff;outline-offset:8px}',
    '.mk-card{opacity:.6;color:#777}',
    '.mk-card{background:linear-gradient(#000,#fff);color:#757575}',
  ]) {
    assert.equal(accepted(css), false, css);
    await look(plain + css, 'bar');
    assert.notDeepEqual(await faultsOf(inks, canvas), [], css);
  }
});
