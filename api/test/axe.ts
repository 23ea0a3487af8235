// What axe-core has against a page. It is run from outside, since our own pages allow no script of others.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** page  of a context with bypassCSP. returns  rule, help, and the first element that breaks it */
export async function complaintsOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  // biome-ignore lint/suspicious/noExplicitAny: axe is a global of the page
  const { violations } = await page.evaluate(() => (globalThis as any).axe.run());
  return violations.map(
    (one: { id: string; help: string; nodes: { html: string }[] }) =>
      `${one.id}: ${one.help} ${one.nodes[0]?.html}`,
  );
}
