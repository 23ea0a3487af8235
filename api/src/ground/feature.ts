// A feature says what it owns: its routes, jobs, tables, SQL functions and readings, in one value beside its code. The list
// stands in features.ts, in an order made by hand; nothing is discovered, nothing injected.
import type { z } from 'zod';
import type { WayIn } from './http/caller.ts';
import type { Route } from './http/route.ts';
import type { Job } from './jobs/runner.ts';
import type { Ending } from './retention/purge.ts';
import type { Period, Tables } from './tables.ts';

export interface Alarm {
  /** Stable name, e.g. "disk". */
  id: string;
  severity: 'warning' | 'critical';
  /** What is wrong, and what to do; never an address or a key. */
  message: string;
}

/** When something is wrong enough to wake a person. */
export interface Rule<Value> {
  id: string;
  /** Minutes in a row that it must hold before anyone is told. */
  minutes: number;
  /** The threshold in words, for the documents and /v1/admin/status. */
  when: string;
  /** others: what else was read at the same moment, by name; null where it could not be */
  check(value: Value, others: Record<string, unknown>): Omit<Alarm, 'id'> | null;
}

/** Something a feature tells about itself. */
// biome-ignore lint/suspicious/noExplicitAny: a list holds readings of every value; each is checked where it is made
export interface Reading<House = never, Value = any> {
  /** Its key in GET /v1/admin/status; null there when it could not be read. */
  name: string;
  shape: z.ZodType<Value>;
  read(house: House): Promise<Value>;
  /** Its line of scripts/status; null: nothing worth a line. */
  line?(value: Value): string | null;
  /** Lines that the status mail carries away from the machine, because they prove nothing while they are only here. */
  carriedAway?(value: Value): string[];
  rules?: Rule<Value>[];
}

export const reading = <House, Value>(value: Reading<House, Value>): Reading<House, Value> => value;
export const warning = (message: string) => ({ severity: 'warning' as const, message });
export const critical = (message: string) => ({ severity: 'critical' as const, message });

/** House: what a serving process has; Workshop: what jobs have, in any process. Each feature names the part it needs. */
export interface Feature<House = never, Workshop = never> {
  name: string;
  /** SQL functions, replaced at the start whenever their text has changed; in this order. */
  functions?: readonly URL[];
  tables?: Tables;
  /** Of its routes those whose answers a person looks at: known before there is a house, so that they wait before a page. */
  tells?: readonly Pick<Route, 'at' | 'tells'>[];
  routes?(house: House): Route[];
  /** How its callers come in, beside the admin key. */
  ways?(house: House): WayIn[];
  jobs?(workshop: Workshop): Job[];
  /** What of its tables ends by more than deleting rows, by the name the table's rule says (`by`). */
  endings?(workshop: Workshop): Record<string, Ending>;
  /** Periods of what it keeps outside the database, as /v1/privacy calls them. */
  keeps?: Record<string, { holds: string; for: Period }>;
  readings?: readonly Reading<House>[];
}
