// A template's CSS: what is allowed is printed anew, all else is refused with its line and column. Loaded when a template
// with CSS is saved, and not before.
import { type AtRule, CssSyntaxError, type Declaration, parse, type Rule as StyleRule } from 'postcss';
import { AppError, type Issue } from '../../../ground/lib/app-error.ts';
import { contrastFaults, type Painted } from './contrast.ts';
import { mayChange, PARTS, type Part, type Rule, ruleOf, widthsFor } from './properties.ts';
import { SCHEMES, type Scheme, type Tokens, variablesOf } from './tokens.ts';
import { readValue, ValueFault } from './values.ts';

export const CSS_BYTES_MAX = 8 * 1024;
const ISSUES_MAX = 20;
const SELECTOR = new RegExp(`^\\.mk-(${PARTS.join('|')})(:hover|:focus-visible)?$`);
const SCHEME_RULE = /^\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)$/i;

interface Reading {
  tokens: Tokens;
  issues: Issue[];
  painted: Painted[];
}

function place(
  node: { source?: { start?: { line: number; column: number } | undefined } | undefined },
  more = 0,
): string {
  const { line = 1, column = 1 } = node.source?.start ?? {};
  return `line ${line}, column ${column + more}`;
}

/**
 * returns  our own print of it
 * throws   invalid_request, each issue with its line and column
 */
export function printCss(css: string, tokens: Tokens): string {
  if (Buffer.byteLength(css) > CSS_BYTES_MAX)
    throw refused([{ path: 'css', message: `at most ${CSS_BYTES_MAX} bytes` }]);
  const reading: Reading = { tokens, issues: [], painted: [] };
  const text = sheetOf(css)
    .map((node) => printNode(node, reading))
    .join('');
  if (reading.issues.length === 0) reading.issues.push(...contrastFaults(reading.painted, tokens));
  if (reading.issues.length > 0) throw refused(reading.issues);
  return text;
}

const refused = (issues: Issue[]) =>
  new AppError('invalid_request', `This CSS cannot be taken: ${issues[0]!.message}.`, {
    issues: issues.slice(0, ISSUES_MAX),
  });

function sheetOf(css: string) {
  try {
    return parse(css).nodes;
  } catch (error) {
    if (!(error instanceof CssSyntaxError)) throw error;
    throw refused([{ path: 'css', message: `line ${error.line}, column ${error.column}: ${error.reason}` }]);
  }
}

function printNode(node: ReturnType<typeof sheetOf>[number], reading: Reading): string {
  if (node.type === 'comment') return '';
  if (node.type === 'rule') return printRule(node, null, reading);
  if (node.type === 'atrule') return printScheme(node, reading);
  reading.issues.push({ path: 'css', message: `${place(node)}: stands outside of any rule` });
  return '';
}

function printScheme(node: AtRule, reading: Reading): string {
  const [, scheme] = SCHEME_RULE.exec(node.params.trim()) ?? [];
  if (node.name.toLowerCase() !== 'media' || !scheme || !node.nodes) {
    reading.issues.push({
      path: 'css',
      message: `${place(node)}: @${node.name} is not allowed; only @media (prefers-color-scheme: dark)`,
    });
    return '';
  }
  const inner = node.nodes.map((one) => {
    if (one.type === 'comment') return '';
    if (one.type === 'rule') return printRule(one, scheme.toLowerCase() as Scheme, reading);
    reading.issues.push({ path: 'css', message: `${place(one)}: only rules stand here` });
    return '';
  });
  return `@media (prefers-color-scheme:${scheme.toLowerCase()}){${inner.join('')}}`;
}

function printRule(node: StyleRule, scheme: Scheme | null, reading: Reading): string {
  const selectors = node.selectors.map((one) => one.trim());
  const wrong = selectors.find((one) => !SELECTOR.test(one));
  if (wrong !== undefined) {
    reading.issues.push({
      path: 'css',
      message: `${place(node)}: ${wrong.slice(0, 60)} is no selector of ours: ${PARTS.map((part) => `.mk-${part}`).join(' ')}, with :hover or :focus-visible`,
    });
    return '';
  }
  const printed = node.nodes.map((one) => {
    if (one.type === 'comment') return '';
    if (one.type === 'decl') return printDeclaration(one, selectors, scheme, reading);
    reading.issues.push({ path: 'css', message: `${place(one)}: rules do not stand in rules` });
    return '';
  });
  return `${selectors.join(',')}{${printed.join('')}}`;
}

const saysOneOf = ({ parent }: Declaration, properties: readonly string[]): boolean =>
  parent?.nodes?.some((one) => one.type === 'decl' && properties.includes(one.prop.toLowerCase())) ?? false;

function printDeclaration(
  node: Declaration,
  selectors: string[],
  scheme: Scheme | null,
  reading: Reading,
): string {
  const property = node.prop.toLowerCase();
  const fault = (message: string, at = 0) => {
    reading.issues.push({ path: 'css', message: `${place(node, at)}: ${message}` });
    return '';
  };
  if (node.important) return fault('!important is not allowed');
  if (/[\\<>@]/.test(node.value)) return fault('a character that no value of ours has');
  const of = selectors.map((one) => {
    const [, part, state = ''] = SELECTOR.exec(one)!;
    return { part: part as Part, state };
  });
  const rules = new Map<string, { rule: Rule; parts: typeof of }>();
  for (const one of of) {
    const rule = ruleOf(one.part, property);
    if (!rule) return fault(`${property} is not allowed for .mk-${one.part}`);
    // what has the focus has an outline of two already
    const widths = one.state === ':focus-visible' ? null : widthsFor(one.part, property);
    if (widths && !saysOneOf(node, widths))
      return fault(`${property} needs its width for .mk-${one.part}, in the same rule: ${widths[0]}`);
    if (one.state !== '' && !mayChange(property))
      return fault(`${property} is not allowed with ${one.state}, where it would move things`);
    const same = rules.get(JSON.stringify(rule)) ?? { rule, parts: [] };
    rules.set(JSON.stringify(rule), { rule, parts: [...same.parts, one] });
  }
  try {
    let printed = '';
    for (const { rule, parts } of rules.values()) {
      const values = SCHEMES.map((one) => readValue(node.value, rule, variablesOf(reading.tokens, one)));
      printed = values[0]!.text;
      SCHEMES.forEach((one, at) => {
        if (scheme === null || scheme === one)
          for (const { part, state } of parts)
            reading.painted.push({
              scheme: one,
              part,
              state,
              property,
              value: values[at]!,
              place: place(node),
            });
      });
    }
    return `${property}:${printed};`;
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error;
    return fault(
      `${property} ${error.message}`,
      node.prop.length + (node.raws.between?.length ?? 1) + error.at,
    );
  }
}
