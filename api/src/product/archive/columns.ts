// What a row of the archive is: the columns of a Parquet file, how a raw event becomes one, and what an erasure leaves of it. Pure.
import { createHash } from 'node:crypto';
import { type Field, impersonal } from '../custom-fields/values.ts';

/** Of these columns; a file says by which it was written. */
export const SCHEMA_VERSION = 1;

type Type = 'UUID' | 'DATE' | 'TIMESTAMP' | 'STRING' | 'JSON' | 'BOOLEAN' | 'INT32' | 'FLOAT';
interface ArchiveColumn {
  name: string;
  type: Type;
  required?: true;
}
const must = (name: string, type: Type): ArchiveColumn => ({ name, type, required: true });
const may = (name: string, type: Type): ArchiveColumn => ({ name, type });

export const COLUMNS: readonly ArchiveColumn[] = [
  must('site_id', 'UUID'),
  must('event_id', 'UUID'),
  must('visitor_id', 'UUID'),
  must('session_id', 'UUID'),
  must('site_day', 'DATE'),
  must('occurred_at', 'TIMESTAMP'),
  must('received_at', 'TIMESTAMP'),
  must('event_type', 'STRING'),
  must('path', 'STRING'),
  may('referrer', 'STRING'),
  may('source', 'STRING'),
  may('utm_source', 'STRING'),
  may('utm_medium', 'STRING'),
  may('utm_campaign', 'STRING'),
  may('utm_term', 'STRING'),
  may('utm_content', 'STRING'),
  may('bot_reason', 'STRING'),
  must('clamped', 'BOOLEAN'),
  must('privacy_signal', 'BOOLEAN'),
  must('is_conversion', 'BOOLEAN'),
  may('engaged_ms', 'INT32'),
  may('scroll_percent', 'FLOAT'),
  may('fcp_ms', 'FLOAT'),
  may('lcp_ms', 'FLOAT'),
  may('inp_ms', 'FLOAT'),
  may('ttfb_ms', 'FLOAT'),
  may('cls_score', 'FLOAT'),
  may('props', 'JSON'),
  may('device_type', 'STRING'),
  may('browser', 'STRING'),
  may('os', 'STRING'),
  may('country', 'STRING'),
];

/** A value a column. */
export type ArchiveRow = Record<string, unknown>;

/** Everything between signs that part an address from its surroundings. */
const ADDRESSES = /[^\s/?&=#;,"<>|]*(?:@|%(?:25)*40)[^\s/?&=#;,"<>|]*/gi;
const WITHOUT = '(address)';

/** A text in which somebody may have written an address: none leaves this machine, whoever's it is. */
export const withoutAddresses = (text: string): string => text.replace(ADDRESSES, WITHOUT);

const cleaned = (value: unknown): unknown => (typeof value === 'string' ? withoutAddresses(value) : value);
const cleanedAll = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [cleaned(name), cleaned(value)]));

/**
 * Of props what nobody is told by: which form it was, and fields that the site defined and does not call personal. What
 * nobody defined stays behind, since nobody said what it is.
 */
function keptProps(
  eventType: unknown,
  props: Record<string, unknown> | null,
  fields: readonly Field[],
): Record<string, unknown> | null {
  if (!props) return null;
  const ofForm =
    eventType === 'form_start' || eventType === 'form_submit'
      ? Object.fromEntries(
          ['formName', 'role'].flatMap((name) =>
            typeof props[name] === 'string' ? [[name, props[name]]] : [],
          ),
        )
      : {};
  const kept = cleanedAll({ ...impersonal(fields, props), ...ofForm });
  return Object.keys(kept).length > 0 ? kept : null;
}

const TEXTS = ['event_type', 'path', 'referrer', 'source'];

/** fields: what the site defines of props. raw: as SELECT_RAW of queries.ts reads it */
export function archived(raw: ArchiveRow, fields: readonly Field[]): ArchiveRow {
  const { utm, props, ...row } = raw;
  for (const name of TEXTS) row[name] = cleaned(row[name]);
  row.site_day = new Date(`${raw.site_day}T00:00:00.000Z`);
  for (const name of ['source', 'medium', 'campaign', 'term', 'content'])
    row[`utm_${name}`] = cleaned((utm as Record<string, unknown> | null)?.[name]) ?? null;
  row.props = keptProps(raw.event_type, props as Record<string, unknown> | null, fields);
  return row;
}

export interface Taken {
  /** Visitors whose rows become those of somebody without a name: by id, who. */
  visitors: Map<string, string>;
  /** Events that were somebody's form in a browser that is another's too: they stay that browser's. */
  events: Set<string>;
}

/** As an erasure leaves a raw event (events/tables.ts): it is counted, and says nothing of whose it was. known: our own types */
function nameless(row: ArchiveRow, known: ReadonlySet<string>): ArchiveRow {
  const props = row.props as Record<string, unknown> | null;
  const bare: ArchiveRow = { ...row, path: '/(erased)', referrer: null, browser: null, os: null };
  for (const { name } of COLUMNS) if (name.startsWith('utm_')) bare[name] = null;
  if (!known.has(String(row.event_type))) bare.event_type = 'erased';
  bare.props =
    props && 'formName' in props
      ? { formName: '(erased)', ...(props.role === 'lead' ? { role: 'lead' } : {}) }
      : null;
  return bare;
}

/** returns the row itself when it is nobody's of them */
export function afterErasure(row: ArchiveRow, taken: Taken, known: ReadonlySet<string>): ArchiveRow {
  const becomes = taken.visitors.get(String(row.visitor_id));
  if (becomes) return { ...nameless(row, known), visitor_id: becomes };
  return taken.events.has(String(row.event_id)) ? nameless(row, known) : row;
}

const MARK_BYTES = 6;
/** By which a file's list of visitors knows one; as the SQL of queries.ts makes it. */
export const markOf = (visitorId: string): Buffer =>
  createHash('sha256').update(visitorId).digest().subarray(0, MARK_BYTES);

/** The list without these. */
export function withoutMarks(list: Buffer, gone: readonly string[]): Buffer {
  const marks = new Set(gone.map((id) => markOf(id).toString('hex')));
  const kept: Buffer[] = [];
  for (let at = 0; at + MARK_BYTES <= list.length; at += MARK_BYTES) {
    const mark = list.subarray(at, at + MARK_BYTES);
    if (!marks.has(mark.toString('hex'))) kept.push(mark);
  }
  return Buffer.concat(kept);
}
