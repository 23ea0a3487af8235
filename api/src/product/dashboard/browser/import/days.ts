// What an export comes to: sums by day, kind and name, and what was left out and why. Pure.
import type { Counts, Kind } from '../../../imports/kinds.ts';
import type { ImportedRow } from '../../../imports/schema.ts';

/** Of a day and kind so many names are kept, the largest. */
const NAMES_MAX = 100;
const LENGTH_MAX = 512;
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const ADDRESS = /[^\s/?&=]+(?:@|%40)[^\s/?&=]+\.[a-z]{2,}/gi;

const none = (): Counts => ({ visitors: 0, visits: 0, pageviews: 0, bounces: 0, seconds: 0, events: 0 });
const NAMES = Object.keys(none()) as (keyof Counts)[];
/** An address that stands in a name is nobody's business here. */
const named = (name: string): string => name.replace(ADDRESS, '[address]').slice(0, LENGTH_MAX);
const weightOf = (row: Counts): number => row.visits + row.pageviews + row.events + row.visitors;

export class Days {
  readonly #kinds = new Map<Kind, Map<string, ImportedRow>>();
  /** Rows that are in no sum, by why. */
  readonly leftOut: Record<string, number> = {};

  leave(why: string, n = 1): void {
    this.leftOut[why] = (this.leftOut[why] ?? 0) + n;
  }

  add(kind: Kind, day: string, name: string, counts: Partial<Counts>, detail = ''): void {
    if (!DAY.test(day)) {
      this.leave('no_day');
      return;
    }
    if (kind !== 'total' && name === '') return;
    const rows = this.#kinds.get(kind) ?? new Map<string, ImportedRow>();
    this.#kinds.set(kind, rows);
    const [one, two] = [named(name), named(detail)];
    const key = `${day}\n${one}\n${two}`;
    const row = rows.get(key) ?? { day, name: one, detail: two, ...none() };
    rows.set(key, row);
    for (const count of NAMES) {
      const n = counts[count] ?? 0;
      if (Number.isFinite(n)) row[count] += Math.max(0, Math.round(n));
    }
  }

  /** before  the first day that is left out */
  cut(before: string): void {
    for (const [kind, rows] of this.#kinds)
      for (const [key, row] of rows)
        if (row.day >= before) {
          rows.delete(key);
          if (kind === 'total') this.leave('own_days');
        }
  }

  /** By day; of each day the largest names. */
  rowsOf(kind: Kind): ImportedRow[] {
    const byDay = Map.groupBy(this.#kinds.get(kind)?.values() ?? [], (row) => row.day);
    const kept = [...byDay]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, rows]) => {
        const largest = rows.sort((a, b) => weightOf(b) - weightOf(a) || (a.name < b.name ? -1 : 1));
        if (largest.length > NAMES_MAX) this.leave('rare_names', largest.length - NAMES_MAX);
        return largest.slice(0, NAMES_MAX);
      });
    return kept;
  }

  sums(): Counts & { days: number; first: string | null; last: string | null } {
    const rows = [...(this.#kinds.get('total')?.values() ?? [])];
    const days = rows.map((row) => row.day).sort();
    const sums = none();
    for (const row of rows) for (const name of NAMES) sums[name] += row[name];
    return { ...sums, days: rows.length, first: days[0] ?? null, last: days.at(-1) ?? null };
  }
}

/** Days of a zone, of instants; asked for thousands of times, each quarter of an hour is looked up once. */
export function dayReader(timeZone: string): (ms: number) => string {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  });
  const known = new Map<number, string>();
  return (ms) => {
    if (!Number.isFinite(ms)) return '';
    const quarter = Math.floor(ms / 900_000);
    const day = known.get(quarter) ?? format.format(quarter * 900_000);
    known.set(quarter, day);
    return day;
  };
}
