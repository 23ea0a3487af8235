// Whether every text of a card can be read on what lies under it, in each colour scheme and state, as the cascade has it.
import type { Issue } from '../../../ground/lib/app-error.ts';
import { CONTRAST_MIN, type Color, contrast, over } from './colors.ts';
import type { Part } from './properties.ts';
import { SCHEMES, type Scheme, type Tokens, variablesOf } from './tokens.ts';
import type { Value } from './values.ts';

/** A declaration, as it applies. */
export interface Painted {
  scheme: Scheme;
  part: Part;
  /** '', ':hover' or ':focus-visible'. */
  state: string;
  property: string;
  value: Value;
  place: string;
}

/** States that may hold at once; a state's rule is stronger than one without, and a later one than an earlier. */
const STATES: readonly (readonly string[])[] = [
  [''],
  ['', ':hover'],
  ['', ':focus-visible'],
  ['', ':hover', ':focus-visible'],
];
const READ: readonly Part[] = ['text', 'link', 'receipt', 'close'];

interface Look {
  color: Painted | null;
  /** null: what lies under it shows. */
  ground: Painted | null;
  opacity: number;
}

function lookOf(all: readonly Painted[], scheme: Scheme, part: Part, states: readonly string[]): Look {
  const mine = all
    .filter((one) => one.scheme === scheme && one.part === part && states.includes(one.state))
    .map((one, at) => ({ one, rank: (one.state === '' ? 0 : 1e6) + at }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ one }) => one);
  const last = (property: string) => mine.findLast((one) => one.property === property) ?? null;
  // a gradient lies above the colour of the same element until `background` sets both anew
  let image: Painted | null = null;
  let plain: Painted | null = null;
  for (const one of mine) {
    if (one.property === 'background') [image, plain] = one.value.isImage ? [one, null] : [null, one];
    if (one.property === 'background-color') plain = one;
    if (one.property === 'background-image') image = one;
  }
  const opacity = last('opacity');
  return {
    color: last('color'),
    ground: image ?? plain,
    opacity: opacity ? Number(opacity.value.text) : 1,
  };
}

/**
 * The worst of all pairs.
 * own    null: the text stands on what lies under it
 */
function worst(text: Color, own: readonly Color[] | null, below: readonly Color[], opacity: number): number {
  if (own && opacity === 1) return Math.min(...own.map((ground) => contrast(text, ground)));
  let least = Number.POSITIVE_INFINITY;
  for (const under of below)
    for (const ground of own ?? [under])
      least = Math.min(least, contrast(over(text, under, opacity), over(ground, under, opacity)));
  return least;
}

export function contrastFaults(painted: readonly Painted[], tokens: Tokens): Issue[] {
  const found = new Map<string, Issue>();
  for (const scheme of SCHEMES) {
    const own = variablesOf(tokens, scheme).colors;
    for (const around of STATES) {
      const card = lookOf(painted, scheme, 'card', around);
      const ground = card.ground?.value.colors ?? [own['--mk-background']!];
      const ink = card.color?.value.colors[0] ?? own['--mk-text']!;
      for (const part of READ)
        for (const states of STATES) {
          const look = lookOf(painted, scheme, part, states);
          const usual = part === 'link' ? own['--mk-accent']! : ink;
          const ratio = worst(
            look.color?.value.colors[0] ?? usual,
            look.ground?.value.colors ?? null,
            ground,
            look.opacity,
          );
          if (ratio >= CONTRAST_MIN) continue;
          const cause = look.color ?? look.ground ?? card.color ?? card.ground;
          const place = cause?.place ?? 'line 1, column 1';
          if (!found.has(place))
            found.set(place, {
              path: 'css',
              message: `${place}: .mk-${part} has a contrast of ${ratio.toFixed(2)}:1 in ${scheme}; at least ${CONTRAST_MIN}:1`,
            });
        }
    }
  }
  return [...found.values()];
}
