// A form's fields as an object: name[key] nests, a name that comes again is a list, in the character set of its page.
import { AppError } from '../lib/app-error.ts';
import { charsetFor, decoderOf } from './charset.ts';

/** Bytes, since only all fields together tell their character set. */
export type RawField = [name: Buffer, value: Buffer];
export type Fields = Record<string, unknown>;

const DEPTH_MAX = 5;
const UNSAFE = new Set(['__proto__', 'constructor', 'prototype']);

export const formTooLarge = () =>
  new AppError(
    'payload_too_large',
    'This form holds more than we can take. Shorten the longest text and send it again.',
  );

/** What a byte may become on its way: %XX. */
export const URLENCODED_GROWTH = 3;

/** The fields of application/x-www-form-urlencoded. A % that begins no byte stands for itself. throws  payload_too_large, by what was meant */
export function urlencodedFields(body: Buffer, bytesMax: number): RawField[] {
  const bytesOf = (text: string) =>
    Buffer.from(
      text
        .replaceAll('+', ' ')
        .replace(/%([0-9a-f]{2})/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    );
  const fields = body
    .toString('latin1')
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair): RawField => {
      const mark = pair.indexOf('=');
      return mark < 0
        ? [bytesOf(pair), Buffer.alloc(0)]
        : [bytesOf(pair.slice(0, mark)), bytesOf(pair.slice(mark + 1))];
    });
  const bytes = fields.reduce((sum, [name, value]) => sum + name.length + value.length + 2, 0);
  if (bytes > bytesMax + 2) throw formTooLarge();
  return fields;
}

/**
 * said    the charset of the Content-Type, '' when it names none; the form's own `_charset_` goes before it
 * throws  unsupported_media_type, when the header names one that nobody knows
 */
export function fieldsOf(raw: readonly RawField[], said: string): Fields {
  const own = raw.find(([name]) => name.toString('latin1') === '_charset_')?.[1].toString('latin1') ?? '';
  const decoder = charsetFor(raw.flat(), decoderOf(own) ? own : said);
  const isWhole = decoder.encoding === 'utf-8';
  const read = (bytes: Buffer) => {
    const text = decoder.decode(bytes);
    return isWhole ? text : written(text);
  };
  const fields: Fields = {};
  for (const [name, value] of raw) {
    const key = read(name);
    if (key !== '_charset_') put(fields, key, read(value));
  }
  return listed(fields) as Fields;
}

/** What a page's character set lacks, its browser sends as &#128512;. */
const written = (text: string): string =>
  text.replace(/&#(\d{3,7});/g, (all, digits: string) => {
    const code = Number(digits);
    return code > 0xff && code <= 0x10ffff ? String.fromCodePoint(code) : all;
  });

/** a[b][c] as its keys; null where brackets are no more than part of a name. */
function keysOf(name: string): string[] | null {
  const parts = /^([^[\]]+)((?:\[[^[\]]*\])+)$/.exec(name);
  if (!parts) return null;
  const keys = [parts[1]!, ...[...parts[2]!.matchAll(/\[([^[\]]*)\]/g)].map(([, key]) => key!)];
  return keys.length <= DEPTH_MAX ? keys : null;
}

function put(fields: Fields, name: string, value: string): void {
  const keys = keysOf(name) ?? [name];
  if (keys.some((key) => UNSAFE.has(key))) return;
  const isList = keys.length > 1 && keys.at(-1) === '';
  if (isList) keys.pop();
  let holder = fields;
  for (const key of keys.slice(0, -1)) {
    const inner = Object.hasOwn(holder, key) ? holder[key] : undefined;
    // a text of the same name is there already: both are kept, this one under its whole name
    if (inner !== undefined && (typeof inner !== 'object' || Array.isArray(inner))) {
      append(fields, name, value, false);
      return;
    }
    if (inner === undefined) holder[key] = {};
    holder = holder[key] as Fields;
  }
  append(holder, keys.at(-1)!, value, isList);
}

function append(holder: Fields, key: string, value: string, isList: boolean): void {
  const before = Object.hasOwn(holder, key) ? holder[key] : undefined;
  if (before === undefined) holder[key] = isList ? [value] : value;
  else if (Array.isArray(before)) before.push(value);
  else if (typeof before === 'string') holder[key] = [before, value];
  else append(before as Fields, '', value, isList); // name beside name[key]
}

/** name[0], name[1] … are a list too. */
function listed(part: unknown): unknown {
  if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
  const holder = part as Fields;
  for (const key of Object.keys(holder)) holder[key] = listed(holder[key]);
  const keys = Object.keys(holder);
  return keys.length > 0 && keys.every((key, i) => key === String(i)) ? Object.values(holder) : holder;
}
