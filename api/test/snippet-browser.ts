// Chromium on somebody's page with the snippet, against a server that records what it sends: what the snippet's browser tests share.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach } from 'node:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { startDemo } from '../demo/server.ts';
import { launchChromium, until } from './chromium.ts';
import { type Pages, startPages } from './pages.ts';
import { type Sent, startStub } from './snippet-stub.ts';

declare global {
  interface Window {
    // biome-ignore lint/suspicious/noExplicitAny: an array first, then what core.ts calls Mkt
    mkt: any;
  }
}

const README = readFileSync(new URL('../src/product/snippet/README.md', import.meta.url), 'utf8');
/** The README's line. */
const LINE = /<script async .*<\/script>/.exec(README)![0];
/** What begins a key of the site `default` in the browser's storage. */
export const OURS = '_mkt7default:';
export const FULL = ' data-consent="full"';

/** The recording server; `answer` is what it says next. */
export let api: Awaited<ReturnType<typeof startStub>>;
/** A static site on an origin of its own; pages are put into `pages`. */
export let site: Pages;
/** The demo, in the mode that remembers. */
export let bakery: Awaited<ReturnType<typeof startDemo>>;
export let context: BrowserContext;
export let page: Page;
let browser: Browser;
let thrown: Error[] = [];
/** What the page was thrown since it was opened. */
export const faults = () => thrown;
const demos: (typeof bakery)[] = [];

/**
 * Starts all of it before the file's tests, gives each a fresh browser context, and holds of each that the snippet
 * threw nothing into the page. To be called once, at the top of the file.
 * path  of the browser, as launchChromium takes it
 */
export function useSnippet(path?: string): void {
  before(async () => {
    api = await startStub();
    [site, bakery, browser] = await Promise.all([
      startPages(),
      demo({ consent: 'full' }),
      launchChromium(undefined, path),
    ]);
  });
  after(async () => {
    await browser?.close();
    await Promise.all([site?.close(), ...demos.map((one) => one.close())]);
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
}

/** A demo of its own, for a test that needs another mode or script; without notifications, which keep something of their own. */
export async function demo(options: { consent?: string; script?: string } = {}) {
  const started = await startDemo({ port: 0, apiOrigin: api.url, ...options });
  demos.push(started);
  return started;
}

/** A fresh context and page instead of the test's own; the server forgets what it recorded. */
export async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
  await context?.close();
  context = await browser.newContext(options);
  page = await context.newPage();
  thrown = [];
  page.on('pageerror', (error) => thrown.push(error));
  api.requests.length = 0;
  api.answer = 202;
  api.feed = null;
  api.asked = 0;
  api.since = Date.now();
}

/** The README's line for the recording server, with further attributes: ` data-consent="full"`. */
export const tag = (attributes = '') =>
  LINE.replace('https://api.example.com', api.url).replace('></script>', `${attributes}></script>`);

/** Puts the page on the static site and goes there; `at` may have a query and a fragment. */
export async function show(html: string, at = '/page'): Promise<void> {
  site.pages.set(new URL(at, site.url).pathname, html);
  await page.goto(site.url + at);
}

/** Events of a type that were stored, each once: one whose page went away before the answer came is sent again. */
export const of = (type: string, events = api.stored()): Sent[] => [
  ...new Map(
    events.filter((event) => event.eventType === type).map((event) => [event.eventId, event]),
  ).values(),
];
export const views = () => of('page_view').map((event) => event.path);
export const ids = (events: Sent[]) => [...new Set(events.map((event) => event.eventId))].sort();

/** Waits until the page's script has started. */
export const ready = () =>
  until('the snippet is there', () => page.evaluate(() => typeof window.mkt?.event === 'function'));
/** Waits for an event that is queued after all that came before. */
export async function settled(): Promise<void> {
  await ready();
  const id = await page.evaluate(() => window.mkt.event('last'));
  await until('the last event', () => of('last').some((event) => event.eventId === id));
}

/** All keys of the page's storage, sorted. */
export const keys = () => page.evaluate(() => Object.keys(localStorage).sort());
/** Our own among them, and of those the events that wait: their ids begin with a digit. */
export const stored = async () => (await keys()).filter((key) => key.startsWith('_mkt7'));
export const queued = async () => (await stored()).filter((key) => /:\d/.test(key));

/** A tab in front of it is what hides a page; headless pages don't know of each other, so it is said to them. */
export const hide = () => turn(true);
export const unhide = () => turn(false);
async function turn(hidden: boolean): Promise<void> {
  await page.evaluate((hidden) => {
    Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
    Object.defineProperty(document, 'visibilityState', {
      value: hidden ? 'hidden' : 'visible',
      configurable: true,
    });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
  }, hidden);
}
