// One wrong field never costs the rest: what is too long is cut, what makes no sense is left out, and each is told.
import type { z } from 'zod';
import { AppError, type Issue } from '../lib/app-error.ts';
import { cutText } from '../lib/text.ts';
import { issuesOf } from './validate.ts';

type Holder = Record<string, unknown>;

/** Where something can be changed for an issue: what is missing is missing of whatever holds it. null: nothing is there */
function placeOf(
  fields: Holder,
  issue: z.core.$ZodIssue,
): { holder: Holder; path: string[]; last: string } | null {
  for (const path = issue.path.map(String); path.length > 0; ) {
    const last = path.pop()!;
    const holder = path.reduce<unknown>((part, key) => (part as Holder | undefined)?.[key], fields);
    if (typeof holder === 'object' && holder !== null && Object.hasOwn(holder, last))
      return { holder: holder as Holder, path, last };
  }
  return null;
}

/** Changes something of the fields, or answers null: so forgive comes to an end. */
function mend(fields: Holder, issue: z.core.$ZodIssue, isExact: (path: string) => boolean): Issue | null {
  const place = placeOf(fields, issue);
  if (!place) return null;
  const { holder, path, last } = place;
  const where = [...path, last].join('.');
  const value = holder[last];
  // only a text is too long: a number that came as one, as a form sends it, is too large
  if (issue.code === 'too_big' && issue.origin === 'string' && typeof value === 'string' && !isExact(where)) {
    const lengthMax = Number(issue.maximum);
    const cut = cutText(value.trim(), lengthMax);
    if (cut !== value) {
      holder[last] = cut;
      return { path: where, message: `cut to ${lengthMax} characters` };
    }
  }
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else delete holder[last];
  return { path: where, message: `left out: ${issue.message}` };
}

/**
 * fields   changed in place
 * isFault  whether a field at the top must be right
 * isExact  whether a text (by its dotted path) is worth nothing when it is cut
 * throws   invalid_request with the faults only
 */
export function forgive<Schema extends z.ZodType>(
  schema: Schema,
  fields: Holder,
  isFault: (name: string) => boolean,
  isExact: (path: string) => boolean = () => false,
): { value: z.output<Schema>; warnings: Issue[] } {
  const warnings: Issue[] = [];
  for (;;) {
    const parsed = schema.safeParse(fields);
    if (parsed.success) return { value: parsed.data, warnings };
    const { issues } = parsed.error;
    const faults = issuesOf(parsed.error).filter((_, i) => isFault(String(issues[i]!.path[0] ?? '')));
    const mended = issues
      .filter(({ path }) => !isFault(String(path[0] ?? '')))
      // of a list's entries the last first, so that the others keep their places
      .toReversed()
      .flatMap((issue) => mend(fields, issue, isExact) ?? []);
    warnings.push(...mended.toReversed());
    if (mended.length > 0) continue;
    const where = faults.map(({ path }) => path || 'the body').join(', ');
    throw new AppError('invalid_request', `Some fields are not as they should be: ${where}.`, {
      issues: faults,
    });
  }
}
