// What the audit log says of a look, whatever the route: by which filter, and how many were shown.
import type { z } from 'zod';
import { NO_SITE } from '../site.ts';
import type { About, Call } from './call.ts';
import { Reply } from './reply.ts';
import { methodOf, type Route } from './route.ts';

/** Say nothing of whom was looked at: where in the list, and the site, which the line names by its id. */
const ASIDE = new Set(['limit', 'cursor', 'propertyId']);
const CLOSED_FORMATS = new Set(['uuid', 'date', 'datetime']);

/** What of it a client sends, without what stands around it. */
function core(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ('innerType' in def) return core(def.innerType);
  if (def.type !== 'pipe') return schema;
  const last = core(def.out);
  return last._zod.def.type === 'transform' ? core(def.in) : last;
}

/** Whether its texts are ours: names of a list, ids, days and instants; what people write is none of them. */
function isClosed(schema: z.core.$ZodType | undefined): boolean {
  if (!schema) return false;
  const { def } = (core(schema) as z.core.$ZodTypes)._zod;
  if (def.type === 'enum' || def.type === 'literal') return true;
  if (def.type === 'union') return def.options.every(isClosed);
  return def.type === 'string' && 'format' in def && CLOSED_FORMATS.has(def.format as string);
}

function fieldsOf(schema: z.core.$ZodType | undefined): Record<string, z.core.$ZodType> {
  const { def } = schema ? (core(schema) as z.core.$ZodTypes)._zod : { def: null };
  return def?.type === 'object' ? def.shape : {};
}

/** A text that anybody may have written is told by its length: part of an address is part of an address. */
function told(value: unknown, schema: z.core.$ZodType | undefined): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'string') return isClosed(schema) ? value : `${value.length} letters`;
  if (!Array.isArray(value)) return 'given';
  const { def } = schema ? (core(schema) as z.core.$ZodTypes)._zod : { def: null };
  return def?.type === 'array' && isClosed(def.element) ? value : `${value.length} values`;
}

/** returns  the filter of a route's input, without free text, addresses and the place in the list */
function filterOf({ takes }: Route, input: unknown): Record<string, unknown> {
  const fields = fieldsOf(takes?.shape);
  const given = Object.entries((input ?? {}) as Record<string, unknown>);
  return Object.fromEntries(
    given
      .filter(([name, value]) => value !== undefined && value !== null && !ASIDE.has(name))
      .map(([name, value]) => [name, told(value, fields[name])]),
  );
}

/** Lines of a table, without the one of its names; a quoted field may hold line breaks. */
const rowsOf = (csv: string): number =>
  csv
    .replace(/"[^"]*"/g, '')
    .trimEnd()
    .split('\n').length - 1;

/** returns  how long each list of an answer is, or `rows` of a table; of a stream nothing, whose route notes it itself */
function countsOf(answer: object | Reply): Record<string, number> {
  const body: unknown = answer instanceof Reply ? answer.body : answer;
  if (answer instanceof Reply && typeof body === 'string') {
    const type = String(answer.headers['Content-Type']);
    if (type.startsWith('text/csv')) return { rows: rowsOf(body) };
    return type.startsWith('application/json') ? lengthsIn(JSON.parse(body)) : {};
  }
  return typeof body === 'object' && body !== null ? lengthsIn(body) : {};
}

const lengthsIn = (body: object): Record<string, number> =>
  Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (Array.isArray(value) ? [[name, value.length]] : [])),
  );

/** A look at several: a GET, or a search whose words stand in its body. */
export const isLook = (route: Route): boolean => methodOf(route) === 'GET' || route.looks === true;

const isOfSeveral = ({ of }: Route): boolean => of === 'all' || of === 'named or all';

/** How many of each list are of which site, where rows say it; of several sites at once. */
function countsBySite(answer: object | Reply): Map<string, Record<string, number>> {
  const lists = Object.entries(answer instanceof Reply ? {} : answer).filter(([, rows]) =>
    Array.isArray(rows),
  );
  const bySite = new Map<string, Record<string, number>>();
  for (const [name, rows] of lists)
    for (const row of rows as unknown[]) {
      const siteId = (row as { siteId?: string | null } | null)?.siteId ?? NO_SITE;
      if (!bySite.has(siteId)) bySite.set(siteId, Object.fromEntries(lists.map(([list]) => [list, 0])));
      bySite.get(siteId)![name]! += 1;
    }
  return bySite;
}

type Details = NonNullable<About['details']>;
/** What a route says of its filter itself names more, and hides nothing of the rest. */
const joined = (said: Details, own: Details | undefined): Details => ({
  ...said,
  ...own,
  ...(said.filter || own?.filter
    ? { filter: { ...(said.filter as object), ...(own?.filter as object) } }
    : {}),
});

/**
 * Notes what a line says of a look: `{filter, <name of each list>: its length}`; `filter` where the route takes any. Of rows of
 * several sites each has a line of its own.
 */
export function noteLook(call: Call, route: Route, input: unknown, answer: object | Reply): void {
  const filter: Details = route.takes ? { filter: filterOf(route, input) } : {};
  const own = call.about?.details;
  const lines: typeof call.aboutSites =
    call.aboutSites.length > 0 || call.about?.siteId !== undefined
      ? call.aboutSites
      : [...(isOfSeveral(route) ? countsBySite(answer) : [])].map(([siteId, details]) => ({
          siteId,
          details,
        }));
  call.note({ details: joined({ ...filter, ...countsOf(answer) }, own) });
  call.noteSites(
    lines.map(({ details, ...line }) => ({ ...line, details: joined(joined(filter, own), details) })),
  );
}
