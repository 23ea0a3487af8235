// Which passwords are taken: long enough, of any make, and not among those that everybody tries first.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from '../../ground/lib/app-error.ts';

export const LENGTH_MIN = 12;
export const LENGTH_MAX = 256;

/** As typed: nothing is trimmed or folded. Length in characters, not in UTF-16 units. */
export const password = z
  .string()
  .refine((text) => [...text].length <= LENGTH_MAX, `must have at most ${LENGTH_MAX} characters`);
export const newPassword = password
  .refine((text) => [...text].length >= LENGTH_MIN, `must have at least ${LENGTH_MIN} characters`)
  .describe(`${LENGTH_MIN} to ${LENGTH_MAX} characters of any kind`);

// 37 000 words, needed a few times a year: read each time, and not kept
const isCommon = (word: string): boolean =>
  `\n${readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')}`.includes(`\n${word}\n`);

const IN_A_ROW = '01234567890123456789012345678901234567890123456789';
const backwards = [...IN_A_ROW].reverse().join('');

/** What is left when what people add to a common word is taken off: a repetition, digits and signs at the end. */
function coreOf(typed: string): string {
  const lower = typed.toLowerCase();
  const unit = /^(.+?)\1+$/su.exec(lower)?.[1] ?? lower;
  return unit.replace(/[^\p{L}]+$/u, '');
}

const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/**
 * names   of the sites, and what else anybody would try here
 * throws  invalid_request with the field's path, saying why
 */
export function refuseCommon(typed: string, names: readonly string[], path: string): void {
  const lower = typed.toLowerCase();
  const core = coreOf(typed);
  const own = new Set(names.map(plain).filter((name) => name.length > 2));
  const isShortUnit = /^(.{1,3})\1+.{0,2}$/su.test(lower);
  const isRow = IN_A_ROW.includes(lower) || backwards.includes(lower);
  const isOwn = own.has(plain(core)) || own.has(plain(lower));
  if (!isShortUnit && !isRow && !isOwn && !isCommon(lower) && (core === '' || !isCommon(core))) return;
  throw new AppError(
    'invalid_request',
    'Everybody tries this password first. Take several words that do not belong together.',
    {
      issues: [{ path, message: isOwn ? 'is the name of a site' : 'is among the most common ones' }],
    },
  );
}
