// Filters as a query or a segment writes them: `dim~op~value`, compared with names as the breakdowns show them.
import { z } from 'zod';

export const DIMS = [
  'source',
  'campaign',
  'referrer',
  'landing',
  'page',
  'device',
  'browser',
  'os',
  'country',
] as const;
export type Dim = (typeof DIMS)[number];
const OPS = ['is', 'is_not', 'contains'] as const;
export type Op = (typeof OPS)[number];

export const FILTERS_MAX = 20;
const VALUE_MAX = 512;

export interface Filter {
  dim: Dim;
  op: Op;
  value: string;
}

/** `dim~op~value`; null when it is none. The value may hold a ~ of its own. */
export function filterOf(text: string): Filter | null {
  const [dim = '', op = '', ...rest] = text.split('~');
  const value = rest.join('~');
  const isOne =
    (DIMS as readonly string[]).includes(dim) &&
    (OPS as readonly string[]).includes(op) &&
    rest.length > 0 &&
    (op !== 'contains' || value !== '');
  return isOne ? ({ dim, op, value } as Filter) : null;
}

const filter = z
  .string()
  .max(VALUE_MAX + 20)
  .refine(
    (text) => filterOf(text) !== null,
    `dim~op~value, such as source~is~email: dim one of ${DIMS.join(', ')}; op is, is_not or contains`,
  );
export const filterList = z.array(filter).max(FILTERS_MAX);

/** Filters that belong together; of several lists a visit meets each. */
export type Selection = readonly (readonly string[])[];

export const isWhole = (selection: Selection): boolean => selection.every((list) => list.length === 0);
