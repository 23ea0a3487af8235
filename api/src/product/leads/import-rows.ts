// What a row of an import may hold, and how its dates are read: nothing is guessed, since they are evidence. Pure.
import { z } from 'zod';
import { cutText } from '../../ground/lib/text.ts';
import { readPurposes } from '../consent/purposes.ts';

/** How days are written where they are not ISO; a time may follow (HH:mm or HH:mm:ss) and is UTC. */
export const DATE_FORMATS = ['DD/MM/YYYY', 'MM/DD/YYYY', 'DD.MM.YYYY', 'YYYY/MM/DD', 'YYYY-MM-DD'] as const;
export type DateFormat = (typeof DATE_FORMATS)[number];

const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)\s?(Z|[+-]\d\d:?\d\d))?$/i;

/** The instant, or null: it is none that can be read in one way only. A day is its first moment in UTC. */
export function readInstant(text: string, format: DateFormat | undefined): string | null {
  const [, day, time, offset = 'Z'] = ISO.exec(text) ?? [];
  if (day) return instantOf(day, time ?? '00:00', offset.replace(/^([+-]\d\d)(\d\d)$/, '$1:$2'));
  if (!format) return null;
  const [written = '', clock = '00:00'] = text.split(/[T ]+/);
  const order = format.split(/[/.-]/);
  const parts = written.split(/[/.-]/);
  if (parts.length !== 3 || parts.some((part, at) => !/^\d+$/.test(part) || part.length > order[at]!.length))
    return null;
  const part = (name: string) => parts[order.indexOf(name)]!.padStart(name.length, '0');
  if (!/^\d\d?:\d\d(?::\d\d)?$/.test(clock) || part('YYYY').startsWith('0')) return null;
  return instantOf(
    `${part('YYYY')}-${part('MM')}-${part('DD')}`,
    clock.padStart(clock.length > 5 ? 8 : 5, '0'),
    'Z',
  );
}

function instantOf(day: string, time: string, offset: string): string | null {
  if (!z.iso.date().safeParse(day).success) return null; // Date takes the 31st of February
  const at = Date.parse(`${day}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** A cell that may be empty. */
export const optional = (max: number) =>
  z
    .string()
    .trim()
    .max(max)
    .transform((text) => text || undefined)
    .optional();

export function instant(format: DateFormat | undefined, mayBeLater: boolean) {
  return z
    .string()
    .trim()
    .transform((text, context) => {
      if (!text) return undefined;
      const at = readInstant(text, format);
      if (at !== null && (mayBeLater || Date.parse(at) <= Date.now())) return at;
      context.addIssue({
        code: 'custom',
        message:
          at === null
            ? 'a day (2026-03-04) or an instant with its offset (2026-03-04T09:30:00Z); for other ways of writing give dateFormat'
            : 'is in the future',
      });
      return z.NEVER;
    })
    .optional();
}

const lowered = (value: unknown) =>
  typeof value === 'string'
    ? value
        .trim()
        .toLowerCase()
        .replace(/[\s-]+/g, '_') || undefined
    : value;

export const importedRow = (format: DateFormat | undefined) =>
  z
    .object({
      email: z.string(),
      capturedAt: instant(format, false),
      formName: optional(255),
      sourceChannel: optional(255),
      consentStatus: z.preprocess(
        (text) => lowered(text) ?? 'pending',
        z.enum(['pending', 'implied', 'express', 'withdrawn']),
      ),
      consentAt: instant(format, false),
      consentKind: z.preprocess(lowered, z.enum(['implied_inquiry', 'implied_purchase']).optional()),
      expiresAt: instant(format, true),
      words: optional(8000),
      language: optional(35),
      policyVersion: optional(255),
      purposes: z.string().max(500).transform(readPurposes).optional(),
      evidence: optional(2000),
    })
    .superRefine((row, context) => {
      const need = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      const claims = row.consentStatus === 'express' || row.consentStatus === 'implied';
      if (claims && !row.consentAt) need('consentAt', `is needed for ${row.consentStatus} consent`);
      if (claims && !row.evidence)
        need('evidence', 'is needed: where and how was it given, and where is the proof?');
      if (row.expiresAt && row.consentAt && row.expiresAt <= row.consentAt)
        need('expiresAt', 'is not after consentAt');
      if (row.consentStatus === 'express' && !row.words)
        need('words', 'are needed for express consent: what exactly was agreed to?');
    });
export type ImportedRow = z.output<ReturnType<typeof importedRow>>;

const COLUMNS = [
  'email',
  'capturedAt',
  'formName',
  'sourceChannel',
  'consentStatus',
  'consentAt',
  'consentKind',
  'expiresAt',
  'words',
  'language',
  'policyVersion',
  'purposes',
  'evidence',
];
/** A header as it is compared: however it is spelt. */
export const letters = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
const KNOWN = new Map<string, string>([
  ...COLUMNS.map((name) => [letters(name), name] as const),
  ['emailaddress', 'email'],
  ['mail', 'email'],
]);

/** A column's name however it is written: Email, E-Mail, consent_status; one we don't know as it stands. */
export const columnOf = (header: string): string => KNOWN.get(letters(header)) ?? header.trim();
export const isColumn = (name: string): boolean => COLUMNS.includes(name);

const ATTRIBUTES_MAX = 32;
const ATTRIBUTE_NAME_MAX = 64;
const ATTRIBUTE_MAX = 255;

/** Which of a file's further columns become attributes of the leads, under the names they have there. */
export const attributeColumns = (names: string[]): string[] =>
  names
    .filter((name) => name && !isColumn(name) && name.length <= ATTRIBUTE_NAME_MAX)
    .filter((name) => !['__proto__', 'constructor', 'prototype'].includes(name))
    .slice(0, ATTRIBUTES_MAX);

/** null: the row says nothing in those columns. */
export function attributesOf(
  cells: Record<string, string>,
  columns: string[],
): Record<string, string> | null {
  const said = columns.flatMap((name) => {
    const value = cells[name]?.trim();
    return value ? [[name, cutText(value, ATTRIBUTE_MAX)] as const] : [];
  });
  return said.length > 0 ? Object.fromEntries(said) : null;
}
