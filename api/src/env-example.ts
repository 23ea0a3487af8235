// Rewrites the API's part of .env.example from the settings themselves: npm run env:example. A test finds it out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import { settings } from './config.ts';

export const EXAMPLE = new URL('../../.env.example', import.meta.url);
/** The line in .env.example above which people write, and below which this does. */
export const MARK = '# start, and HOST, PORT,';

export function describeSettings(): string {
  return Object.entries(settings.shape)
    .map(([name, rule]) => {
      const { success, data } = rule.safeParse(undefined);
      const preset =
        success && data !== undefined ? (Array.isArray(data) ? data.join(',') : String(data)) : '';
      return `# ${rule.description}\n#${name}=${preset}\n`;
    })
    .join('');
}

export function exampleText(now: string): string {
  const head = now.slice(0, now.indexOf('\n\n', now.indexOf(MARK)) + 2);
  return head + describeSettings();
}

if (import.meta.main) writeFileSync(EXAMPLE, exampleText(readFileSync(EXAMPLE, 'utf8')));
