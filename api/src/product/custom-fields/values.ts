// What a value of a custom field has to be. Forms send texts, so a text that says a number is one; nothing is guessed. Pure.
import { z } from 'zod';
import type { Issue } from '../../ground/lib/app-error.ts';
import { cutText } from '../../ground/lib/text.ts';
import type { CustomField } from './schema.ts';

export type Field = Pick<CustomField, 'name' | 'fieldType' | 'personal' | 'options'>;
type Value = string | number | boolean;
type Values = Record<string, unknown>;

const TEXT_MAX = 500;
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i;
const YES = new Set(['true', 'yes', 'on', '1']);
const NO = new Set(['false', 'no', 'off', '0']);
const day = z.iso.date();

/** null: it is none of this type */
function readValue({ fieldType, options }: Field, sent: unknown): Value | null {
  const text = typeof sent === 'string' ? sent.trim() : null;
  if (fieldType === 'number') {
    const number = typeof sent === 'number' ? sent : text !== null && NUMBER.test(text) ? Number(text) : null;
    return number !== null && Number.isFinite(number) ? number : null;
  }
  if (fieldType === 'boolean') {
    if (typeof sent === 'boolean') return sent;
    const said = typeof sent === 'number' ? String(sent) : text?.toLowerCase();
    return said === undefined ? null : YES.has(said) ? true : NO.has(said) ? false : null;
  }
  const written = text ?? (typeof sent === 'number' ? String(sent) : '');
  if (written === '') return null;
  if (fieldType === 'date') return day.safeParse(written).success ? written : null;
  if (fieldType === 'enum') return options?.includes(written) ? written : null;
  return written;
}

function rule({ fieldType, options }: Field): string {
  if (fieldType === 'number') return 'a number, such as 12.5';
  if (fieldType === 'boolean') return 'true or false';
  if (fieldType === 'date') return 'a day, such as 2026-01-31';
  if (fieldType === 'enum')
    return `one of ${options!.slice(0, 10).join(', ')}${options!.length > 10 ? ', …' : ''}`;
  return 'a text';
}

export interface Fitted {
  /** All that was sent, but what is wrong; values as their fields have them. */
  sent: Values;
  /** Of the fields alone. */
  values: Record<string, Value>;
  warnings: Issue[];
}

/** at  the name of what holds them, for warnings */
export function fitFields(fields: readonly Field[], sent: Values, at: string): Fitted {
  const fitted: Fitted = { sent: { ...sent }, values: {}, warnings: [] };
  for (const field of fields) {
    const { name } = field;
    if (!Object.hasOwn(sent, name)) continue;
    const warn = (message: string) => fitted.warnings.push({ path: `${at}.${name}`, message });
    const value = readValue(field, sent[name]);
    if (value === null) {
      delete fitted.sent[name];
      warn(`was left out: it must be ${rule(field)}`);
      continue;
    }
    const kept = typeof value === 'string' ? cutText(value, TEXT_MAX) : value;
    if (kept !== value) warn(`was cut at ${TEXT_MAX} characters`);
    fitted.sent[name] = kept;
    fitted.values[name] = kept;
  }
  return fitted;
}

/** Of what is kept what may be shown: of fields that still are, and that say nothing of a person. null: nothing */
export function impersonal(fields: readonly Field[], kept: Values | null): Record<string, Value> | null {
  const shown = fields.filter(({ personal }) => !personal);
  if (kept === null || shown.length === 0) return null;
  const { values } = fitFields(shown, kept, '');
  return Object.keys(values).length > 0 ? values : null;
}
