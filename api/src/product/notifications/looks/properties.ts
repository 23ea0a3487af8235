// The forty properties of paint that a template's CSS may set, and between what bounds: nothing that moves, hides or loads.
// Close button and receipt link are never covered: what an element paints stays within its own box, or within the room that
// draw.ts leaves around it.

export type Rule =
  /** A colour without transparency. */
  | { is: 'color' }
  /** A colour or linear-gradient(). */
  | { is: 'paint' }
  | { is: 'gradient' }
  /** One to `many` lengths in px (em and rem count 16), each between these. */
  | { is: 'length'; min: number; max: number; many?: number; percent?: boolean }
  | { is: 'number'; min: number; max: number }
  | { is: 'word'; of: readonly string[]; many?: number }
  /** Width, style and colour in any order; a width up to `max`, and of one that has to be seen at least `min`. */
  | { is: 'line'; min?: number; max: number }
  /** Lengths and a colour, none of it inset. */
  | { is: 'shadow' };

/** What browsers make of a line whose width nobody says, in px. */
const MEDIUM = 3;
const LINES = ['none', 'solid', 'dashed', 'dotted', 'double'];
const color: Rule = { is: 'color' };
const border: Rule = { is: 'line', max: 8 };
const radius: Rule = { is: 'length', min: 0, max: 32 };
const padding: Rule = { is: 'length', min: 0, max: 32 };

export const PROPERTIES: Readonly<Record<string, Rule>> = {
  color,
  background: { is: 'paint' },
  'background-color': color,
  'background-image': { is: 'gradient' },
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
  outline: { is: 'line', min: 1, max: 6 },
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
  'text-decoration-style': { is: 'word', of: LINES.slice(1, 4) },
  'text-decoration-thickness': { is: 'length', min: 1, max: 2 },
  'text-underline-offset': { is: 'length', min: 0, max: 3 },
  'text-transform': { is: 'word', of: ['none', 'capitalize', 'uppercase'] },
  padding: { ...padding, many: 4 },
  'padding-block': { ...padding, many: 2 },
  'padding-inline': { ...padding, many: 2 },
  'column-gap': { is: 'length', min: 0, max: 24 },
};

export const PARTS = ['card', 'logo', 'text', 'link', 'receipt', 'close'] as const;
export type Part = (typeof PARTS)[number];

/** Of a part, what is narrower than for the others; null: not allowed. The first that fits holds. */
type Narrower = readonly (readonly [RegExp, ((rule: Rule) => Rule) | null])[];

const upTo = (max: number) => (rule: Rule) => ('max' in rule ? { ...rule, max } : rule);
const percent = (rule: Rule): Rule => (rule.is === 'length' ? { ...rule, percent: true } : rule);
const NO_SHADOW = [/^box-shadow$/, null] as const;
// What lies in a card must fit beside the lane of the button, also in the narrowest one with a logo; and a border that is as
// thick as the button would hide its sign.
const THIN_BORDER = [/^border(-(top|right|bottom|left|width))?$/, upTo(2)] as const;
// Of what stands beside others: an outline is painted over them.
const NEAR_OUTLINE = [/^outline(-width|-offset)?$/, upTo(2)] as const;
// Round corners cut nothing off its own ground that a letter stands on.
const SMALL_CORNERS = [/^border-.*radius$/, upTo(4)] as const;
/** Nothing that could make them vanish. */
const ALWAYS_SEEN = [
  NO_SHADOW,
  THIN_BORDER,
  NEAR_OUTLINE,
  [/^(opacity|font-size|letter-spacing|line-height|padding|text-transform)/, null],
] as const;

const OF_PART: Readonly<Record<Part, Narrower>> = {
  // its opacity would be theirs
  card: [[/^opacity$/, null]],
  logo: [NO_SHADOW, THIN_BORDER, [/^(outline|padding)/, null], [/^border-.*radius$/, percent]],
  text: [NO_SHADOW, THIN_BORDER, SMALL_CORNERS, [/^outline/, null], [/^padding/, upTo(8)]],
  link: [NO_SHADOW, THIN_BORDER, NEAR_OUTLINE, [/^padding/, upTo(8)]],
  receipt: [SMALL_CORNERS, ...ALWAYS_SEEN],
  close: [[/^border-.*radius$/, percent], ...ALWAYS_SEEN],
};

/** What takes room: under the pointer it would move the button away from it. */
const TAKES_ROOM =
  /^(border(-(top|right|bottom|left|width|style))?|font-.*|letter-spacing|line-height|text-(align|transform)|padding.*|column-gap)$/;
export const mayChange = (property: string): boolean => !TAKES_ROOM.test(property);

/**
 * A line is as thick as browsers like (3 px) unless its width stands with it; in a card that is more than there is room for.
 * The widths that a style of this part needs in its own rule; null: none, it has room enough.
 */
export function widthsFor(part: Part, property: string): readonly string[] | null {
  const [, line] = /^(border|outline)-style$/.exec(property) ?? [];
  if (line === undefined) return null;
  const width = ruleOf(part, `${line}-width`);
  return width && 'max' in width && width.max < MEDIUM ? [`${line}-width`, line] : null;
}

/** returns  null: not for this part */
export function ruleOf(part: Part, property: string): Rule | null {
  if (!Object.hasOwn(PROPERTIES, property)) return null;
  const rule = PROPERTIES[property]!;
  const narrower = OF_PART[part].find(([names]) => names.test(property));
  if (!narrower) return rule;
  return narrower[1]?.(rule) ?? null;
}
