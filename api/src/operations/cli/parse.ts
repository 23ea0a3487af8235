// From the words of the command line to the verb they mean. Anything the table does not name is refused before a module of
// the product is loaded: as long as unknown options were ignored, "retention purge --dryrun" purged.
import { parseArgs } from 'node:util';
import { KINDS, UsageFault, usageOf, type Values, type Verb } from './verb.ts';

export type Asked = { help: readonly Verb[] } | { verb: Verb; options: Values; word: string };

const HELP = ['help', '--help', '-h'];
const said = (word: string) => (word === '' ? 'an empty word' : JSON.stringify(word).slice(1, -1));

/** throws  UsageFault, whose message is a sentence: what was wrong, and what there is */
export function parse(
  args: readonly string[],
  verbs: readonly Verb[],
  environment: NodeJS.ProcessEnv = {},
): Asked {
  const [first = 'help', ...others] = args;
  if (HELP.includes(first)) {
    const about = others.filter((word) => !HELP.includes(word));
    return about.length === 0 ? { help: verbs } : parse([...about, '--help'], verbs, environment);
  }
  const names = [...new Set(verbs.map(({ words }) => words.split(' ')[0]!))];
  if (!names.includes(first))
    throw new UsageFault(
      '',
      `there is no verb ${said(first)}; the verbs are ${names.join(', ')} (marketing help explains them)`,
    );
  const family = verbs.filter(({ words }) => words.split(' ')[0] === first);
  const alone = family.find(({ words }) => words === first);
  if (alone) return read(alone, others, environment);
  const [second = '--', ...rest] = others;
  const named = family.find(({ words }) => words === `${first} ${second}`);
  if (named) return read(named, rest, environment);
  if (HELP.includes(second)) return { help: family };
  const usual = family.find(({ byDefault }) => byDefault);
  if (usual && second.startsWith('-')) return read(usual, others, environment);
  const what = second.startsWith('-') ? 'a word is missing' : `there is no ${first} ${said(second)}`;
  throw new UsageFault(first, `${what}; it is used as: ${family.map(usageOf).join(', or: ')}`);
}

function read(verb: Verb, args: string[], environment: NodeJS.ProcessEnv): Asked {
  const { values, tokens, positionals } = strictly(verb, args);
  const options: Values = values;
  if (options.help) return { help: [verb] };
  const wrong =
    misplaced(verb, positionals) ??
    repeated(tokens) ??
    swallowed(verb, options, environment) ??
    unfit(verb, options);
  if (wrong) throw fault(verb, wrong);
  for (const [name, { value }] of Object.entries(verb.options ?? {})) if (!value) options[name] ??= false;
  return { verb, options, word: positionals[0] ?? '' };
}

function fault(verb: Verb, what: string): UsageFault {
  const none = Object.keys(verb.options ?? {}).length === 0;
  return new UsageFault(
    verb.words,
    `${what}; it is used as: ${usageOf(verb)}${none ? ', without options' : ''}`,
  );
}

function strictly(verb: Verb, args: string[]) {
  const rules = {
    args,
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        Object.entries(verb.options ?? {}).map(([name, { value }]) => [
          name,
          { type: value ? 'string' : 'boolean' } as const,
        ]),
      ),
    },
    tokens: true,
  } as const;
  try {
    return parseArgs({ ...rules, strict: true, allowPositionals: verb.takes !== undefined });
  } catch (error) {
    // node's own sentence goes on about "--" and does not say which options there are
    const { tokens } = parseArgs({ ...rules, strict: false, allowPositionals: true });
    throw fault(verb, slip(verb, tokens) ?? (error as Error).message);
  }
}

type Token = NonNullable<ReturnType<typeof parseArgs>['tokens']>[number];

/** What of these words parseArgs could not take. */
function slip(verb: Verb, tokens: readonly Token[]): string | undefined {
  for (const token of tokens) {
    if (token.kind === 'positional' && !verb.takes) return `the word ${said(token.value)} is too much`;
    if (token.kind !== 'option') continue;
    const known = token.name === 'help' || Object.hasOwn(verb.options ?? {}, token.name);
    if (!known) return `there is no option ${said(token.rawName)}`;
    const kind = verb.options?.[token.name]?.value;
    if (!kind && token.value !== undefined)
      return `${token.rawName} takes no value, but ${said(token.value)} was given`;
    if (kind && (token.value === undefined || (!token.inlineValue && token.value.startsWith('-'))))
      return `${token.rawName} needs ${KINDS[kind].like} after it`;
  }
  return undefined;
}

function misplaced({ takes }: Verb, words: string[]): string | undefined {
  if (takes?.needed && !words[0]) return `${takes.name} is missing`;
  if (words[0] === '') return `${takes?.name} is empty`;
  return words[1] === undefined ? undefined : `the word ${said(words[1])} is too much`;
}

/** The last one would win, and whoever wrote two sites would believe in both. */
function repeated(tokens: readonly Token[]): string | undefined {
  const names = tokens.flatMap((token) => (token.kind === 'option' ? token.name : []));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  return twice && `--${twice} is given twice`;
}

/** "npm run retention:purge --dry-run" keeps the option for npm itself, and would purge; npm shows what it kept in the environment. */
function swallowed(
  verb: Verb,
  options: Record<string, unknown>,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (!environment.npm_lifecycle_event) return undefined;
  const kept = Object.keys(verb.options ?? {}).find(
    (name) => options[name] === undefined && environment[`npm_config_${name.replaceAll('-', '_')}`],
  );
  return kept && `npm kept --${kept} for itself; write -- before it (npm run … -- --${kept})`;
}

function unfit(verb: Verb, options: Record<string, unknown>): string | undefined {
  for (const [name, { value, needed }] of Object.entries(verb.options ?? {})) {
    const text = options[name];
    if (needed && text === undefined) return `--${name} is missing`;
    if (value && typeof text === 'string' && !KINDS[value].fits(text))
      return `--${name} needs ${KINDS[value].like}, not ${said(text)}`;
  }
  return undefined;
}
