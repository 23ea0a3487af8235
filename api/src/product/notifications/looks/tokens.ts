// Tokens of a template: its colours, letters, corners, width, place and logo.
import { z } from 'zod';
import type { Issue } from '../../../ground/lib/app-error.ts';
import { CONTRAST_MIN, type Color, contrast, hexColor } from './colors.ts';
import { DARK, FONTS, type Font, LIGHT } from './print.ts';

const color = z.string().regex(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i, 'a colour such as #1a2b3c');
const colors = z
  .strictObject({ background: color, text: color, accent: color, border: color })
  .meta({ id: 'TemplateColors' });
export type Colors = z.output<typeof colors>;

export const tokensShape = z
  .strictObject({
    light: colors.default(LIGHT),
    dark: colors.nullable().default(DARK).describe('null: light in a dark page too'),
    font: z.enum(Object.keys(FONTS) as [Font, ...Font[]]).default('inherit'),
    radius: z.int().min(0).max(24).default(10).describe('px'),
    width: z.int().min(200).max(420).default(340).describe('px, at most'),
    position: z.enum(['bottom-left', 'bottom-right', 'top-left', 'top-right']).default('bottom-left'),
    logo: z
      .url({ protocol: /^https$/ })
      .max(2048)
      .nullable()
      .default(null)
      .describe("an image of one of the site's own origins"),
  })
  .meta({ id: 'TemplateTokens' });
export type Tokens = z.output<typeof tokensShape>;

export const SCHEMES = ['light', 'dark'] as const;
export type Scheme = (typeof SCHEMES)[number];

export const colorsOf = (tokens: Tokens, scheme: Scheme): Colors =>
  scheme === 'dark' ? (tokens.dark ?? tokens.light) : tokens.light;

/** What CSS may name: colours, and lengths in px. */
export interface Variables {
  colors: Readonly<Record<string, Color>>;
  lengths: Readonly<Record<string, number>>;
}

/** Of a scheme, by the name that CSS may use: --mk-text. */
export function variablesOf(tokens: Tokens, scheme: Scheme): Variables {
  const of = colorsOf(tokens, scheme);
  return {
    colors: Object.fromEntries(Object.entries(of).map(([name, value]) => [`--mk-${name}`, hexColor(value)!])),
    lengths: { '--mk-radius': tokens.radius, '--mk-width': tokens.width },
  };
}

export function tokenFaults(tokens: Tokens, origins: readonly string[]): Issue[] {
  const issues: Issue[] = [];
  for (const scheme of SCHEMES) {
    const { background, text, accent } = colorsOf(tokens, scheme);
    for (const [name, value] of [
      ['text', text],
      ['accent', accent],
    ] as const) {
      const ratio = contrast(hexColor(value)!, hexColor(background)!);
      if (ratio < CONTRAST_MIN)
        issues.push({
          path: `tokens.${scheme}.${name}`,
          message: `has a contrast of ${ratio.toFixed(2)}:1 with the background; at least ${CONTRAST_MIN}:1`,
        });
    }
  }
  if (tokens.logo && !origins.includes(new URL(tokens.logo).origin))
    issues.push({ path: 'tokens.logo', message: 'is of none of the site’s own origins' });
  return issues;
}
