// What a verb of the command line is: the shape of a line of the table in verbs.ts.
import { isDay } from '../../ground/lib/days.ts';

/** What may stand after an option, and how a value is told from a slip before anything runs. */
export const KINDS = {
  FILE: { like: 'a file', fits: (text: string) => text !== '' },
  KEY: { like: "a site's key or id", fits: (text: string) => text.trim() !== '' },
  DAY: { like: 'a day such as 2026-01-31', fits: isDay },
  ADDRESS: {
    like: 'an address such as you@example.com',
    fits: (text: string) => /^[^\s@]+@[^\s@]+$/.test(text),
  },
  INSTANT: {
    like: 'a moment such as 2026-01-31T02:15:00.000Z',
    fits: (text: string) => !Number.isNaN(Date.parse(text)),
  },
} as const;

export interface Option {
  does: string;
  /** What must stand after it; without one the option is said or not. */
  value?: keyof typeof KINDS;
  /** Without it the verb does nothing. */
  needed?: true;
}
type Options = Record<string, Option>;

/** What the verb is given for its options, by their names in the table. */
type Given<O extends Options> = {
  [name in keyof O]: O[name] extends { value: string }
    ? O[name] extends { needed: true }
      ? string
      : string | undefined
    : boolean;
};

interface VerbOf<O extends Options> {
  /** One word, or two: a family's name and what to do. */
  words: string;
  /** What its family's name alone means. */
  byDefault?: true;
  does: string;
  /** What it does with people's data, copies of it too; unless nothing, the audit log says that it was done. */
  people: 'nothing' | 'shows' | 'changes';
  /** The one word that may follow, if any may. */
  takes?: { name: string; needed: boolean };
  options?: O;
  /** Loads what it needs only now. Throws, or sets the exit status, when it did not succeed. */
  run(options: Given<O>, word: string): Promise<void>;
}
/** A line of the table, for whoever does not care which verb it is. */
export interface Verb extends Omit<VerbOf<Options>, 'run'> {
  run(options: Values, word: string): Promise<void>;
}
/** What was given for a verb's options; a flag is never undefined. */
export type Values = Record<string, string | boolean | undefined>;

/** A line of the table; a misspelt option in its own run does not compile. */
export const verb = <const O extends Options = Record<never, Option>>(line: VerbOf<O>): Verb =>
  // what run is given comes from parse.ts, which reads these very options
  line as unknown as Verb;

/** Wrong words: nothing was done, and the exit status is 2. */
export class UsageFault extends Error {
  constructor(words: string, what: string) {
    super(`marketing ${words ? `${words} ` : ''}did nothing: ${what}`);
  }
}

/** How a verb is written, with everything it takes. */
export function usageOf({ words, takes, options = {} }: Verb): string {
  const written = Object.entries(options).map(([name, { value, needed }]) => {
    const option = value ? `--${name} ${value}` : `--${name}`;
    return needed ? option : `[${option}]`;
  });
  const word = takes && (takes.needed ? takes.name : `[${takes.name}]`);
  return ['marketing', words, word, ...written].filter(Boolean).join(' ');
}
