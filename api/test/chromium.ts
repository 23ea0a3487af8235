// A real browser for tests: one per test file, a fresh context (storage and all) per test.
import { type Browser, chromium, type Page } from 'playwright-core';

/** The whole browser, with tabs that nobody sees; it takes twice the machine's time, so for what the other has not. */
export const WHOLE = '/usr/bin/chromium';
/** The same engine without a window. It keeps no page for going back to (the back/forward cache). */
const HEADLESS = '/usr/bin/chromium-headless-shell';

/**
 * Launches Debian's Chromium, or the one that CHROMIUM_PATH names.
 * userAgent  what it says it is; headless Chromium names itself, and is marked as a bot for it. Said at the
 *            launch, because a context's own doesn't reach requests that outlive their page
 * path       WHOLE, where that is needed
 */
export function launchChromium(userAgent?: string, path = HEADLESS): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? path,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      // People's browsers don't say that a program drives them; a page asks, and a test that means a robot says so.
      '--disable-blink-features=AutomationControlled',
      ...(userAgent ? [`--user-agent=${userAgent}`] : []),
    ],
    // Playwright switches the back/forward cache off, which is one of the things to be tested.
    ignoreDefaultArgs: ['--disable-back-forward-cache'],
  });
}

/** Waits until `check` is true; a timeout, not a pause, decides when it never will be. */
export async function until(what: string, check: () => unknown, ms = 30_000): Promise<void> {
  const end = Date.now() + ms;
  while (!(await check())) {
    if (Date.now() > end) throw new Error(`still not so after ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** What has the focus once the page has come to rest: drawn, and with all done that follows a drawing. */
export async function focusAtRest(page: Page): Promise<string> {
  await page.evaluate(`new Promise((done) =>
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 50))),
  )`);
  return page.evaluate(
    `(({ tagName, textContent }) => tagName + ' ' + textContent.trim())(document.activeElement)`,
  );
}

/** Everything the browser keeps for a page, by name; a text, because only browsers know these names. */
export const inventoryOf = (page: Page): Promise<Record<string, string>> =>
  page.evaluate(`(async () => ({
    ...localStorage,
    ...Object.fromEntries(Object.keys(sessionStorage).map((key) => ['session ' + key, ''])),
    ...Object.fromEntries((await indexedDB.databases()).map(({ name }) => ['database ' + name, ''])),
    ...(document.cookie && { cookie: document.cookie }),
  }))()`);
