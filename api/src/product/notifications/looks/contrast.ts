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
  background: Painted | null;
  opacity: number;
}

function lookOf(all: readonly Painted[], scheme: Scheme, part: Part, states: readonly string[]): Look {
  const mine = all
    .filter((one) => one.scheme === scheme && one.part === part && states.includes(one.state))
    .map((one, at) => ({ one, rank: (one.state === '' ? 0 : 1e6) + at }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ one }) => one);
  const last = (pattern: RegExp) => mine.findLast(({ property }) => pattern.test(property)) ?? null;
  // a gradient lies above the colour of the same element, and `background` sets both
  const image = mine.findLast(
    ({ property, value }) =>
      property === 'background' || (property === 'background-image' && value.colors.length > 0),
  );
  const opacity = last(/^opacity$/);
  return {
    color: last(/^color$/),
    background:
      image && image.value.colors.length > 1 && image.property === 'background-image'
        ? image
        : last(/^background/),
    opacity: opacity ? Number(opacity.value.text) : 1,
  };
}

/** The worst of all pairs. */
const worst = (
  texts: readonly Color[],
  grounds: readonly Color[],
  opacity: number,
  below: readonly Color[],
): number =>
  Math.min(
    ...texts.flatMap((text) =>
      grounds.flatMap((ground) =>
        below.map((under) => contrast(over(text, under, opacity), over(ground, under, opacity))),
      ),
    ),
  );

export function contrastFaults(painted: readonly Painted[], tokens: Tokens): Issue[] {
  const found = new Map<string, Issue>();
  for (const scheme of SCHEMES) {
    const own = variablesOf(tokens, scheme);
    for (const around of STATES) {
      const card = lookOf(painted, scheme, 'card', around);
      const ground = card.background?.value.colors ?? [own['--mk-background']!];
      const ink = card.color?.value.colors ?? [own['--mk-text']!];
      for (const part of READ)
        for (const states of STATES) {
          const look = lookOf(painted, scheme, part, states);
          const usual = part === 'link' ? [own['--mk-accent']!] : ink;
          const ratio = worst(
            look.color?.value.colors ?? usual,
            look.background?.value.colors ?? ground,
            look.opacity,
            ground,
          );
          if (ratio >= CONTRAST_MIN) continue;
          const cause = look.color ?? look.background ?? card.color ?? card.background;
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
