// The forty properties of paint that a template's CSS may set, and between what bounds: nothing that moves, hides or loads.

export type Rule =
  /** A colour without transparency. */
  | { is: 'color' }
  /** A colour or linear-gradient(). */
  | { is: 'paint' }
  /** One to `many` lengths in px (em and rem count 16), each between these. */
  | { is: 'length'; min: number; max: number; many?: number; percent?: boolean }
  | { is: 'number'; min: number; max: number }
  | { is: 'word'; of: readonly string[]; many?: number }
  /** Width, style and colour in any order; a width up to `max`. */
  | { is: 'line'; max: number }
  /** Lengths and a colour, none of it inset. */
  | { is: 'shadow' };

const LINES = ['none', 'solid', 'dashed', 'dotted', 'double'];
const color: Rule = { is: 'color' };
const border: Rule = { is: 'line', max: 8 };
const radius: Rule = { is: 'length', min: 0, max: 32, percent: true };
const padding: Rule = { is: 'length', min: 0, max: 32 };

export const PROPERTIES: Readonly<Record<string, Rule>> = {
  color,
  background: { is: 'paint' },
  'background-color': color,
  'background-image': { is: 'paint' },
  border,
  'border-top': border,
  'border-right': border,
  'border-bottom': border,
  'border-left': border,
  'border-color': color,
  'border-style': { is: 'word', of: LINES, many: 4 },
  'border-width': { is: 'length', min: 0, max: 8, many: 4 },
  'border-radius': { ...radius, many: 4 },
  'border-top-left-radius': radius,
  'border-top-right-radius': radius,
  'border-bottom-left-radius': radius,
  'border-bottom-right-radius': radius,
  'box-shadow': { is: 'shadow' },
  outline: { is: 'line', max: 6 },
  'outline-color': color,
  'outline-style': { is: 'word', of: LINES.slice(1) },
  'outline-width': { is: 'length', min: 1, max: 6 },
  'outline-offset': { is: 'length', min: 0, max: 8 },
  opacity: { is: 'number', min: 0.6, max: 1 },
  'font-size': { is: 'length', min: 12, max: 24 },
  'font-style': { is: 'word', of: ['normal', 'italic'] },
  'font-weight': { is: 'number', min: 300, max: 800 },
  'letter-spacing': { is: 'length', min: -0.5, max: 3 },
  'line-height': { is: 'number', min: 1.2, max: 2 },
  'text-align': { is: 'word', of: ['start', 'center', 'end'] },
  'text-decoration-line': { is: 'word', of: ['none', 'underline'] },
  'text-decoration-color': color,
  'text-decoration-style': { is: 'word', of: ['solid', 'dashed', 'dotted', 'double', 'wavy'] },
  'text-decoration-thickness': { is: 'length', min: 1, max: 4 },
  'text-underline-offset': { is: 'length', min: 0, max: 6 },
  'text-transform': { is: 'word', of: ['none', 'capitalize', 'uppercase'] },
  padding: { ...padding, many: 4 },
  'padding-block': { ...padding, many: 2 },
  'padding-inline': { ...padding, many: 2 },
  'column-gap': { is: 'length', min: 0, max: 24 },
};

export const PARTS = ['card', 'logo', 'text', 'link', 'receipt', 'close'] as const;
export type Part = (typeof PARTS)[number];

/** Of the button that closes and the link to the receipt: nothing that could make them vanish. */
const ALWAYS_SEEN: readonly Part[] = ['receipt', 'close'];
const NOT_OF_THESE = /^(opacity|font-size|letter-spacing|line-height|padding|text-transform)/;

export const mayHave = (part: Part, property: string): boolean =>
  Object.hasOwn(PROPERTIES, property) && !(ALWAYS_SEEN.includes(part) && NOT_OF_THESE.test(property));
