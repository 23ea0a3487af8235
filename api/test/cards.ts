// Notifications on the page of snippet-browser.ts: a feed that the recording server answers, and the card that comes of it.
import { until } from './chromium.ts';
import { api, of, page, show } from './snippet-browser.ts';

export const ONE = '01890000-0000-7000-8000-000000000001';
export const OTHER = '01890000-0000-7000-8000-000000000002';
export const MESSAGE = '12 people bought this in 30 days';
export const RECEIPT = 'R'.repeat(22);
export const CAP = { perSession: 5, perDay: 20, gapMs: 0, afterDismissDays: 7 };

/** One of a feed, shown at once to everybody; give the fields the test is about. */
export const item = (more: Record<string, unknown> = {}) => ({
  id: ONE,
  kind: 'count',
  variants: [
    { key: 'default', text: MESSAGE, style: null, link: { url: '/cart', label: 'See' }, receipt: RECEIPT },
  ],
  where: { channels: ['toast'] },
  when: { afterMs: 0, scrollPercent: null, exitIntent: false },
  cap: CAP,
  ...more,
});

export function feed(items: unknown[], more: Record<string, unknown> = {}): void {
  api.feed = { ok: true, asOf: new Date().toISOString(), items, tests: [], styles: {}, ...more };
}

/** Goes to a page whose policy allows no style, no markup made by scripts, and the API alone. */
export function go(mode = 'full', at = '/page', body = '', snippet = 's', lang = 'en'): Promise<void> {
  const script = (file: string) =>
    `<script async src="${api.url}/${file}.js" data-site="default" data-consent="${mode}"></script>`;
  return show(
    `<html lang="${lang}"><head><title>Bread</title><meta http-equiv="Content-Security-Policy" content="default-src 'none';
      script-src ${api.url}; connect-src ${api.url}; require-trusted-types-for 'script'; trusted-types 'none'">
      ${script(snippet)}${script('p')}</head><body><main><h1>Bread</h1><a href="/next" id="first">Next</a>${body}</main></body></html>`,
    at,
  );
}

export const card = () => page.locator('mk-proof .mk-card');
export const shown = () => card().first().waitFor();
export const gone = () => until('no card is there', async () => (await card().count()) === 0);
export const told = (what: string) => of(`proof_${what}`);
export const propsOf = (what: string) => told(what).map(({ props }) => props);
/** Once the feed was read, and what is told before this is stored. */
export async function settled(): Promise<void> {
  await until('the feed was asked', () => api.asked > 0);
  const id = await page.evaluate(() => window.mkt.event('last'));
  await until('the last event', () => of('last').some((event) => event.eventId === id));
}
export const remembered = () => page.evaluate(() => localStorage['_mkt7default:p'] ?? null);
