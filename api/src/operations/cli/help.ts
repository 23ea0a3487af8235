// The text of "marketing help" and of "marketing VERB --help", made of the table of verbs alone.
import { usageOf, type Verb } from './verb.ts';

const WIDTH = 18;

/** verbs  all of them, a family's, or one: few enough are shown with what each option does */
export function help(verbs: readonly Verb[], release: string): string {
  const all = new Set(verbs.map(({ words }) => words.split(' ')[0])).size > 1;
  if (!all) return verbs.map(explained).join('\n\n');
  return [
    `The command line of release ${release}. Exit status: 0 done, 1 something is not as it should be, 2 wrong words and`,
    'nothing was done, 3 it failed, 4 a copy of a backup failed. marketing VERB --help explains the options.',
    ...verbs.map((verb) => `\n  ${usageOf(verb)}\n      ${verb.does}`),
  ].join('\n');
}

function explained(verb: Verb): string {
  const options = Object.entries(verb.options ?? {}).map(
    ([name, { value, needed, does }]) =>
      `  ${`--${name}${value ? ` ${value}` : ''}`.padEnd(WIDTH)}${does}${needed ? '; needed' : ''}`,
  );
  const usual = verb.byDefault ? ` ("marketing ${verb.words.split(' ')[0]}" alone means this)` : '';
  return [usageOf(verb), `  ${verb.does}${usual}`, ...options].join('\n');
}
