// Turns what a client sent into what a schema promises, or into invalid_request with the path of every fault.
import type { z } from 'zod';
import { AppError, type Issue } from '../lib/app-error.ts';

const DEPTH_MAX = 32;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** Without NUL (PostgreSQL's text cannot hold it) and without lone surrogates (no UTF-8 can). */
export function cleanText(text: string): string {
  const withoutNul = text.includes('\0') ? text.replaceAll('\0', '') : text;
  return withoutNul.isWellFormed() ? withoutNul : withoutNul.replace(/\p{Surrogate}/gu, '');
}

/**
 * Parsed JSON whose strings and keys are clean and which holds no key that could reach a prototype. Changed in place:
 * nearly everything is clean already, and a copy of each body was a tenth of the garbage.
 * Numbers that JSON cannot carry back (1e400 parses to Infinity) become null.
 * throws  invalid_request when it is nested deeper than 32, whatever the schema says later
 */
export function clean(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) {
    throw new AppError(
      'invalid_request',
      `The body is nested deeper than ${DEPTH_MAX} levels. Flatten it and send it again.`,
    );
  }
  const holder = value as Record<string, unknown>;
  for (const key of Object.keys(holder)) {
    const cleanKey = cleanText(key);
    const forbidden = FORBIDDEN_KEYS.has(cleanKey);
    const part = forbidden ? undefined : clean(holder[key], depth + 1);
    if (forbidden || cleanKey !== key) delete holder[key];
    if (!forbidden && (cleanKey !== key || part !== holder[key])) holder[cleanKey] = part;
  }
  return value;
}

export function issuesOf(error: z.ZodError): Issue[] {
  return error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
}

/** throws invalid_request with the path of every fault. */
export function validate<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = issuesOf(parsed.error);
  const where = issues.map((issue) => issue.path || 'the body').join(', ');
  throw new AppError('invalid_request', `Some fields are not as they should be: ${where}.`, { issues });
}
