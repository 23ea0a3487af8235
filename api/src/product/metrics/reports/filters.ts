// Which visits numbers are asked of: filters as a query writes them, and as SQL. What they are compared with are names as the
// breakdowns show them, never parts of a statement.
import { z } from 'zod';
import {
  type Dim,
  FILTERS_MAX,
  filterList,
  filterOf,
  type Op,
  type Selection,
} from '../../segments/filters.ts';

/** Of a report that can be asked of some visits only. */
export const selecting = {
  f: filterList
    .default([])
    .describe(
      `dim~op~value, up to ${FILTERS_MAX}, the parameter again for each: only visits that meet all. Several is, or several contains, of one dim are alternatives; is~ and nothing means none. page: of the visits that viewed it that day`,
    ),
  segment: z.uuid().optional().describe('only visits that meet this segment’s filters too'),
};

/** Values of a statement, in the order of their numbers. */
export class Values {
  readonly all: unknown[] = [];
  /** returns  its place in the statement, $n */
  put(value: unknown): string {
    this.all.push(value);
    return `$${this.all.length}`;
  }
}

// paths differ by upper and lower case, other names do not
const isPath = (dim: Dim) => dim === 'landing' || dim === 'page';

/** SQL: whether a text, never null, is one of the values of this parameter, or holds one. */
function compared(text: string, { dim, op }: { dim: Dim; op: Op }, place: string): string {
  if (op === 'contains')
    return `exists (select from unnest(${place}::text[]) v where strpos(lower(${text}), lower(v)) > 0)`;
  return isPath(dim)
    ? `${text} = any (${place}::text[])`
    : `lower(${text}) = any (array(select lower(v) from unnest(${place}::text[]) v))`;
}

interface Condition {
  dim: Dim;
  op: Op;
  /** Place of its values. */
  place: string;
}

function conditionsOf(selection: Selection, values: Values): Condition[] {
  return selection.flatMap((list) => {
    const filters = list.map(filterOf).filter((one) => one !== null);
    const alike = Map.groupBy(filters, ({ dim, op }) => `${dim} ${op}`);
    return [...alike.values()].map((same) => ({
      dim: same[0]!.dim,
      op: same[0]!.op,
      place: values.put(same.map(({ value }) => value)),
    }));
  });
}

const negated = (op: Op, sql: string) => (op === 'is_not' ? `not (${sql})` : sql);

/** SQL of which rows are meant: of session_days d (closed), and of visit_facts f (open). $1 is the site. */
export function conditionsSql(selection: Selection, values: Values): { closed: string; open: string } {
  const closed: string[] = [];
  const open: string[] = [];
  const ofOrigins: string[] = [];
  for (const { dim, op, place } of conditionsOf(selection, values)) {
    const one = (text: string) => compared(text, { dim, op }, place);
    if (dim === 'page') {
      closed.push(
        negated(
          op,
          `d.pages && array(select path_id from visit_paths where site_id = $1 and ${one('path')})`,
        ),
      );
      open.push(
        negated(
          op,
          `exists (select from unnest(f.kinds, f.names, f.name_views) n (kind, name, views) where kind = 'page' and views > 0 and ${one('name')})`,
        ),
      );
    } else if (dim === 'landing') {
      const paths = "(select path_id, path from visit_paths where site_id = $1 union all select 0, '') p";
      closed.push(negated(op, `d.landing_id in (select path_id from ${paths} where ${one('path')})`));
      open.push(negated(op, one("coalesce(f.landing, '')")));
    } else {
      const column = dim === 'device' ? 'device_type' : dim;
      const none = ['device', 'browser', 'os', 'country'].includes(dim) ? "'unknown'" : "''";
      ofOrigins.push(negated(op, one(`coalesce(o.${column}, ${none})`)));
      open.push(negated(op, one(`coalesce(f.${column}, ${none})`)));
    }
  }
  if (ofOrigins.length > 0)
    closed.push(
      `d.origin_id in (select origin_id from visit_origins o where o.site_id = $1 and ${ofOrigins.join(' and ')})`,
    );
  const all = (list: string[]) => (list.length > 0 ? list.join(' and ') : 'true');
  return { closed: all(closed), open: all(open) };
}
