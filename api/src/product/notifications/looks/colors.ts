// Colours as numbers: hex, rgb(), hsl() and oklch() without transparency, and the contrast of two (WCAG 2.2).

/** Red, green, blue, each 0..1, sRGB. */
export type Color = readonly [number, number, number];

const NAMED: Record<string, Color> = { white: [1, 1, 1], black: [0, 0, 0] };

const clamp = (value: number) => Math.min(1, Math.max(0, value));

/** #rgb or #rrggbb. returns  null for all else */
export function hexColor(text: string): Color | null {
  const [, short, long] = /^#(?:([0-9a-f]{3})|([0-9a-f]{6}))$/i.exec(text) ?? [];
  const digits = short ? [...short].map((one) => one + one).join('') : long;
  if (!digits) return null;
  const part = (at: number) => Number.parseInt(digits.slice(at, at + 2), 16) / 255;
  return [part(0), part(2), part(4)];
}

export const hexOf = (color: Color): string =>
  `#${color
    .map((part) =>
      Math.round(part * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`;

export const namedColor = (word: string): Color | null => NAMED[word.toLowerCase()] ?? null;

export interface Amount {
  value: number;
  unit: string;
}

const turn = ({ value, unit }: Amount): number | null => {
  if (unit === '' || unit === 'deg') return value;
  if (unit === 'turn') return value * 360;
  return unit === 'rad' ? (value * 180) / Math.PI : null;
};
/** A number, or a percentage of `whole`. */
const part = ({ value, unit }: Amount, whole: number): number | null =>
  unit === '' ? value : unit === '%' ? (value / 100) * whole : null;

/** The arguments of a colour function, without an alpha. returns  null when they make no colour */
export function functionColor(name: string, args: readonly Amount[]): Color | null {
  if (args.length !== 3) return null;
  const [a, b, c] = args as [Amount, Amount, Amount];
  if (name === 'rgb') {
    const parts = [a, b, c].map((one) => part(one, 255));
    return parts.includes(null) ? null : (parts.map((one) => clamp(one! / 255)) as unknown as Color);
  }
  if (name === 'hsl') {
    const [hue, saturation, light] = [turn(a), part(b, 100), part(c, 100)];
    return hue === null || saturation === null || light === null
      ? null
      : fromHsl(hue, clamp(saturation / 100), clamp(light / 100));
  }
  const [light, chroma, hue] = [part(a, 1), part(b, 0.4), turn(c)];
  return light === null || chroma === null || hue === null
    ? null
    : fromOklch(clamp(light), Math.max(0, chroma), hue);
}

function fromHsl(hue: number, saturation: number, light: number): Color {
  const amount = saturation * Math.min(light, 1 - light);
  const at = (n: number) => {
    const k = (((n + hue / 30) % 12) + 12) % 12;
    return light - amount * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return [at(0), at(8), at(4)];
}

/** Björn Ottosson's matrices; what no screen shows is cut. */
function fromOklch(light: number, chroma: number, hue: number): Color {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((one) => {
    const cut = clamp(one);
    return cut <= 0.0031308 ? 12.92 * cut : 1.055 * cut ** (1 / 2.4) - 0.055;
  }) as unknown as Color;
}

function luminance(color: Color): number {
  const [r, g, b] = color.map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

export function contrast(one: Color, other: Color): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high! + 0.05) / (low! + 0.05);
}

/** How a colour looks at this opacity over another. */
export const over = (color: Color, below: Color, opacity: number): Color =>
  color.map((one, at) => one * opacity + below[at]! * (1 - opacity)) as unknown as Color;

/** What a gradient shows between two stops, whose worst may lie in the middle: from black to white all greys. */
export const between = (from: Color, to: Color, steps: number): Color[] =>
  Array.from({ length: steps - 1 }, (_, at) => over(to, from, (at + 1) / steps));

export const CONTRAST_MIN = 4.5;
