// The CSS variables that a template's tokens become: for the feed, and for whoever looks at a template before it is kept.
import type { Colors, Tokens } from './tokens.ts';

/** Nothing is fetched: letters that systems have. */
export const FONTS = {
  inherit: 'inherit',
  system: 'system-ui, sans-serif',
  sans: 'Arial, Helvetica, sans-serif',
  serif: 'Georgia, "Times New Roman", serif',
  mono: 'ui-monospace, monospace',
  rounded: 'ui-rounded, system-ui, sans-serif',
} as const;
export type Font = keyof typeof FONTS;

export const LIGHT = { background: '#ffffff', text: '#1f2328', accent: '#0b57a4', border: '#d0d7de' };
export const DARK = { background: '#1b1f24', text: '#f0f3f6', accent: '#8cc4ff', border: '#444c56' };

/** What the page gets: variables in a style sheet of its own. */
export function printTokens(tokens: Tokens): string {
  const print = (of: Colors) =>
    Object.entries(of)
      .map(([name, value]) => `--mk-${name}:${value};`)
      .join('');
  const { light, dark, font, radius, width } = tokens;
  const letters = font === 'inherit' ? '' : `--mk-font:${FONTS[font]};`;
  return (
    `:host{${print(light)}${letters}--mk-radius:${radius}px;--mk-width:${width}px}` +
    (dark ? `@media (prefers-color-scheme:dark){:host{${print(dark)}}}` : '')
  );
}
