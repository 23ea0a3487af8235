// Values of a template's CSS, checked against the rule of their property and printed anew; colours come out as numbers.
import parseValue, { type Node } from 'postcss-value-parser';
import { type Amount, between, type Color, functionColor, hexColor, hexOf, namedColor } from './colors.ts';
import type { Rule } from './properties.ts';
import type { Variables } from './tokens.ts';

/** What is wrong with a value; at: where in it. */
export class ValueFault extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

export interface Value {
  /** Our own print. */
  text: string;
  /** The colours it paints: one, or those of a gradient; by variables, of the scheme that was asked. */
  colors: Color[];
  /** A gradient, which lies above the colour of the same element. */
  isImage?: true;
}

const UNITS = new Set(['', 'px', 'em', 'rem', '%', 'deg', 'turn', 'rad']);
const MATHS = new Set(['calc', 'min', 'max', 'clamp']);
const COLORS = new Set(['rgb', 'hsl', 'oklch']);
const DEPTH_MAX = 8;
const STOPS_MAX = 8;
const STEPS = 8;
const ANGLE = /^-?(\d+|\d*\.\d+)(deg|turn|rad)$/;
const SIDES = /^to (top|bottom|left|right|(top|bottom) (left|right)|(left|right) (top|bottom))$/;

type Lengths = Variables['lengths'];
const NONE: Lengths = {};

const isSpace = (node: Node) => node.type === 'space' || node.type === 'comment';
const words = (nodes: readonly Node[]) => nodes.filter((node) => !isSpace(node));

const variableIn = (node: Node & { type: 'function' }): string => {
  const [name, ...more] = words(node.nodes);
  return name && more.length === 0 ? name.value : '';
};

function amountOf(node: Node, lengths: Lengths, depth = 0): Amount {
  if (node.type === 'function' && node.value.toLowerCase() === 'var') {
    const name = variableIn(node);
    if (Object.hasOwn(lengths, name)) return { value: lengths[name]!, unit: 'px' };
    const known = Object.keys(lengths).join(', ');
    throw new ValueFault(known ? `is no length of ours: ${known}` : 'is no number', node.sourceIndex);
  }
  if (node.type === 'function') return mathOf(node, lengths, depth);
  const { number, unit } = (node.type === 'word' && parseValue.unit(node.value)) || { number: '', unit: '' };
  const value = Number(number);
  if (number === '' || !Number.isFinite(value)) throw new ValueFault('is no number', node.sourceIndex);
  const known = unit.toLowerCase();
  if (!UNITS.has(known))
    throw new ValueFault(`the unit ${unit} is not allowed; px, em, rem, %`, node.sourceIndex);
  return { value, unit: known };
}

/** calc, min, max, clamp, worked out: lengths in px, so that their bounds can be told. */
function mathOf(node: Node & { type: 'function' }, lengths: Lengths, depth: number): Amount {
  const name = node.value.toLowerCase();
  if ((!MATHS.has(name) && name !== '') || depth > DEPTH_MAX)
    throw new ValueFault(`${node.value}() is not allowed here`, node.sourceIndex);
  const args = argumentsOf(node.nodes, node.sourceIndex).map((arg) =>
    sumOf(arg, lengths, depth + 1, node.sourceIndex),
  );
  const same = args.every(({ unit }) => unit === args[0]!.unit);
  const right = name === 'clamp' ? 3 : name === 'calc' || name === '' ? 1 : args.length;
  if (!same || args.length !== right) throw new ValueFault('does not add up', node.sourceIndex);
  const [a, b, c] = args.map(({ value }) => value) as [number, number, number];
  const all = args.map(({ value }) => value);
  const value =
    name === 'min'
      ? Math.min(...all)
      : name === 'max'
        ? Math.max(...all)
        : name === 'clamp'
          ? Math.max(a, Math.min(b, c))
          : a;
  return { value, unit: args[0]!.unit };
}

function argumentsOf(nodes: readonly Node[], at: number): Node[][] {
  const args: Node[][] = [[]];
  for (const node of words(nodes))
    if (node.type === 'div' && node.value === ',') args.push([]);
    else args.at(-1)!.push(node);
  if (args.some((arg) => arg.length === 0)) throw new ValueFault('something is missing', at);
  return args;
}

const inPx = ({ value, unit }: Amount): Amount =>
  unit === 'em' || unit === 'rem' ? { value: value * 16, unit: 'px' } : { value, unit };

/** a + b * c: operators stand between amounts, as the parser's words or dividers. */
function sumOf(nodes: readonly Node[], lengths: Lengths, depth: number, at: number): Amount {
  const terms: { sign: number; amount: Amount }[] = [];
  let operator = '+';
  let expectsAmount = true;
  for (const node of nodes) {
    if (expectsAmount) {
      const next = inPx(amountOf(node, lengths, depth));
      if (operator === '+' || operator === '-') terms.push({ sign: operator === '-' ? -1 : 1, amount: next });
      else terms.push(multiplied(terms.pop()!, operator, next, node.sourceIndex));
    } else {
      operator = node.value.trim();
      if (!['+', '-', '*', '/'].includes(operator)) throw new ValueFault('does not add up', node.sourceIndex);
    }
    expectsAmount = !expectsAmount;
  }
  const unit = terms[0]?.amount.unit;
  if (expectsAmount || unit === undefined || terms.some(({ amount }) => amount.unit !== unit))
    throw new ValueFault('does not add up', at);
  return { unit, value: terms.reduce((sum, { sign, amount }) => sum + sign * amount.value, 0) };
}

function multiplied(term: { sign: number; amount: Amount }, operator: string, by: Amount, at: number) {
  const { sign, amount } = term;
  const isDivision = operator === '/';
  if ((by.unit !== '' && (isDivision || amount.unit !== '')) || (isDivision && by.value === 0))
    throw new ValueFault('does not add up', at);
  const value = isDivision ? amount.value / by.value : amount.value * by.value;
  return { sign, amount: { value, unit: amount.unit || by.unit } };
}

const decimal = (value: number) => String(Number(value.toFixed(4)));
const printAmount = ({ value, unit }: Amount) => `${decimal(value)}${unit}`;

/** Whether a template's own lengths decide it; then its print goes on naming them, so that it follows its tokens. */
const isVariable = (node: Node): boolean =>
  node.type === 'function' && (node.value.toLowerCase() === 'var' || node.nodes.some(isVariable));

/** Of what was read as an amount. */
function printTerm(node: Node): string {
  if (node.type !== 'function') {
    const { number, unit } = (node.type === 'word' && parseValue.unit(node.value)) || {
      number: '',
      unit: '',
    };
    return number === ''
      ? node.value.trim()
      : printAmount(inPx({ value: Number(number), unit: unit.toLowerCase() }));
  }
  const name = node.value.toLowerCase();
  return `${name}(${words(node.nodes).map(printTerm).join(' ').replaceAll(' , ', ',')})`;
}

function colorOf(node: Node, { colors: variables }: Variables): Value {
  const at = node.sourceIndex;
  if (node.type === 'word') {
    const color = hexColor(node.value) ?? namedColor(node.value);
    if (color) return { text: node.value.toLowerCase(), colors: [color] };
    throw new ValueFault(
      'is no colour of ours: #hex without transparency, rgb(), hsl(), oklch(), var(--mk-…)',
      at,
    );
  }
  if (node.type !== 'function') throw new ValueFault('is no colour', at);
  const name = node.value.toLowerCase();
  const inner = words(node.nodes);
  if (name === 'var') {
    const variable = variableIn(node);
    const color = Object.hasOwn(variables, variable) ? variables[variable]! : null;
    if (!color) throw new ValueFault(`is no colour of ours: ${Object.keys(variables).join(', ')}`, at);
    return { text: `var(${variable})`, colors: [color] };
  }
  if (!COLORS.has(name)) throw new ValueFault(`${node.value}() is not allowed here`, at);
  if (inner.some((one) => one.type === 'div' && one.value === '/'))
    throw new ValueFault('a colour without transparency', at);
  const args = inner.filter((one) => one.type !== 'div').map((one) => amountOf(one, NONE));
  const color = functionColor(name, args);
  if (!color) throw new ValueFault('does not make a colour', at);
  // as a number that every browser reads: one that it does not know would be left out, and another colour hold
  const text = hexOf(color);
  return { text, colors: [hexColor(text)!] };
}

function gradientOf(node: Node & { type: 'function' }, variables: Variables): Value {
  const args = argumentsOf(node.nodes, node.sourceIndex);
  const printed: string[] = [];
  const colors: Color[] = [];
  args.forEach((arg, at) => {
    const [first, ...rest] = arg as [Node, ...Node[]];
    if (at === 0 && first.type === 'word' && /^(to$|[-.\d])/i.test(first.value)) {
      const direction = arg.map(({ value }) => value.toLowerCase()).join(' ');
      if (!ANGLE.test(direction) && !SIDES.test(direction))
        throw new ValueFault('is no direction', first.sourceIndex);
      printed.push(direction);
      return;
    }
    const { text: stop, colors: of } = colorOf(first, variables);
    const [color] = of as [Color];
    if (rest.length > 2) throw new ValueFault('is no colour stop', first.sourceIndex);
    const before = colors.at(-1);
    colors.push(...(before ? between(before, color, STEPS) : []), color);
    printed.push([stop, ...rest.map((one) => stopOf(one, variables.lengths))].join(' '));
  });
  const stops = (colors.length + STEPS - 1) / STEPS;
  if (stops < 2) throw new ValueFault('a gradient has two colours or more', node.sourceIndex);
  if (stops > STOPS_MAX)
    throw new ValueFault(`a gradient has at most ${STOPS_MAX} colours`, node.sourceIndex);
  return { text: `linear-gradient(${printed.join(',')})`, colors, isImage: true };
}

function stopOf(node: Node, lengths: Lengths): string {
  const amount = inPx(amountOf(node, lengths));
  if (amount.unit !== 'px' && amount.unit !== '%' && (amount.unit !== '' || amount.value !== 0))
    throw new ValueFault('is no place of a colour: px or %', node.sourceIndex);
  return isVariable(node) ? printTerm(node) : printAmount(amount);
}

function lengthOf(
  node: Node,
  rule: { min: number; max: number; percent?: boolean },
  lengths: Lengths,
): string {
  const amount = inPx(amountOf(node, lengths));
  const isLength = amount.unit === 'px' || (amount.unit === '' && amount.value === 0);
  if (amount.unit === '%' && rule.percent) {
    if (amount.value < 0 || amount.value > 50) throw new ValueFault('between 0% and 50%', node.sourceIndex);
  } else if (!isLength || amount.value < rule.min || amount.value > rule.max)
    throw new ValueFault(`a length between ${rule.min}px and ${rule.max}px`, node.sourceIndex);
  return isVariable(node) ? printTerm(node) : printAmount(amount);
}

const LINE_STYLES = new Set(['none', 'solid', 'dashed', 'dotted', 'double']);
const looksLikeAmount = (node: Node, { lengths }: Variables) =>
  (node.type === 'word' && /^[-+.\d]/.test(node.value)) ||
  (node.type === 'function' &&
    (MATHS.has(node.value.toLowerCase()) || Object.hasOwn(lengths, variableIn(node))));

function several(nodes: Node[], many: number, print: (node: Node) => string): Value {
  if (nodes.length > many) throw new ValueFault(`at most ${many}`, nodes[many]!.sourceIndex);
  return { text: nodes.map(print).join(' '), colors: [] };
}

function lineOf(nodes: Node[], { min = 0, max }: { min?: number; max: number }, variables: Variables): Value {
  const [first] = nodes as [Node];
  const texts: { width?: string; style?: string; color?: string } = {};
  for (const node of nodes) {
    const style = node.type === 'word' && LINE_STYLES.has(node.value.toLowerCase());
    const what = looksLikeAmount(node, variables) ? 'width' : style ? 'style' : 'color';
    if (texts[what] !== undefined) throw new ValueFault('width, style, colour', node.sourceIndex);
    texts[what] =
      what === 'width'
        ? lengthOf(node, { min, max }, variables.lengths)
        : what === 'style'
          ? node.value.toLowerCase()
          : colorOf(node, variables).text;
  }
  // a line without a width is as wide as browsers like
  const isDrawn = texts.style !== undefined && texts.style !== 'none';
  if (isDrawn ? texts.width === undefined : min > 0)
    throw new ValueFault(
      isDrawn ? 'needs its width' : 'has to be seen: width, style, colour',
      first.sourceIndex,
    );
  // without one it would be as wide as that too, once another declaration draws it
  const width = texts.width === undefined ? ['0px'] : [];
  return { text: [...width, ...Object.values(texts)].join(' '), colors: [] };
}

function shadowOf(nodes: Node[], variables: Variables): Value {
  if (nodes.length === 1 && nodes[0]!.value.toLowerCase() === 'none') return { text: 'none', colors: [] };
  const lengths = nodes.filter((node) => looksLikeAmount(node, variables));
  const colors = nodes.filter((node) => !looksLikeAmount(node, variables));
  if (lengths.length < 2 || lengths.length > 4 || colors.length > 1)
    throw new ValueFault('two to four lengths and a colour', nodes[0]!.sourceIndex);
  const printed = lengths.map((node, at) =>
    lengthOf(node, { min: at === 2 ? 0 : -40, max: 40 }, variables.lengths),
  );
  return { text: [...printed, ...colors.map((node) => colorOf(node, variables).text)].join(' '), colors: [] };
}

const isGradient = (node: Node): node is Node & { type: 'function' } =>
  node.type === 'function' && node.value.toLowerCase() === 'linear-gradient';

/** throws  ValueFault */
export function readValue(text: string, rule: Rule, variables: Variables): Value {
  const nodes = words(parseValue(text).nodes);
  const [first] = nodes;
  if (!first) throw new ValueFault('is empty', 0);
  const alone = () => {
    if (nodes.length > 1) throw new ValueFault('one value', nodes[1]!.sourceIndex);
  };
  switch (rule.is) {
    case 'color':
      alone();
      return colorOf(first, variables);
    case 'paint':
      alone();
      return isGradient(first) ? gradientOf(first, variables) : colorOf(first, variables);
    case 'gradient':
      alone();
      if (!isGradient(first)) throw new ValueFault('is no linear-gradient()', first.sourceIndex);
      return gradientOf(first, variables);
    case 'length':
      return several(nodes, rule.many ?? 1, (node) => lengthOf(node, rule, variables.lengths));
    case 'number': {
      alone();
      const amount = amountOf(first, NONE);
      if (amount.unit !== '' || amount.value < rule.min || amount.value > rule.max)
        throw new ValueFault(`a number between ${rule.min} and ${rule.max}`, first.sourceIndex);
      return { text: decimal(amount.value), colors: [] };
    }
    case 'word':
      return several(nodes, rule.many ?? 1, (node) => {
        const word = node.type === 'word' ? node.value.toLowerCase() : '';
        if (!rule.of.includes(word)) throw new ValueFault(`one of ${rule.of.join(', ')}`, node.sourceIndex);
        return word;
      });
    case 'line':
      return lineOf(nodes, rule, variables);
    case 'shadow':
      return shadowOf(nodes, variables);
  }
}
