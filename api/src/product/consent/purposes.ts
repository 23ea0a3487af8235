// What consent is for: short words of the site's own. `email` is the one that lets the site write to a person.
import { z } from 'zod';

export const EMAIL = 'email';
/** That what their browsers did is kept with their address. */
export const PROFILE = 'profile';
/** Of a withdrawal: everything. */
export const ALL = 'all';
const COUNT_MAX = 20;
const LENGTH_MAX = 64;
const SAME = new Map([
  ['e-mail', EMAIL],
  ['mail', EMAIL],
  ['courriel', EMAIL],
]);

function slug(text: string): string {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9_-]+/g, '_')
    .replace(/^[_-]+/, '')
    .slice(0, LENGTH_MAX)
    .replace(/[_-]+$/, '');
  return SAME.get(plain) ?? plain;
}

/**
 * A word, words parted by commas, or a list of them, as purposes in their order, each once.
 * returns  undefined when nothing was named; what can't be read is `other`, never email
 */
export function readPurposes(value: unknown): string[] | undefined {
  const named = [value]
    .flat(2)
    .flatMap((entry) => (typeof entry === 'string' ? entry.split(',') : [entry]))
    .filter((entry) => entry !== undefined && entry !== null && String(entry).trim() !== '');
  if (named.length === 0) return undefined;
  const words = named.map((entry) => (typeof entry === 'string' ? slug(entry) : ''));
  return [...new Set(words.map((word) => (word === '' || word === ALL ? 'other' : word)))].slice(
    0,
    COUNT_MAX,
  );
}

export const purposesField = z
  .union([z.string(), z.array(z.string()).max(COUNT_MAX)])
  .transform(readPurposes)
  .describe('words, in a list or parted by commas; email is the one that allows mail');

/** The one purpose that a question is about. */
export const purposeField = z
  .string()
  .max(LENGTH_MAX)
  .transform(readPurposes)
  .refine((named) => named === undefined || named.length === 1, 'name one purpose')
  .transform((named) => named?.[0]);
