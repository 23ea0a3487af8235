// What a feature says of each of its tables: what its columns mean for a person who wants to be forgotten, whose its rows
// are, and when they end. Erasure, retention, /v1/privacy and docs/kept.md are read off these; a test fails for a table or a
// column that no feature names.
import type { Config } from '../config.ts';

/**
 * goes       its row is deleted with the lead, the visitor or the address (`whose` of its table)
 * scrub …    its row stays for counting; the value of the person's own rows becomes this SQL expression
 * found …    and wherever else the address itself is found in it, the address is taken out
 * digest     a hash or a random key that names nobody by itself
 * sealed     encrypted under a key that no dump holds; nothing can be found in it
 * bounded    one of a few words of ours
 * operator   written by the site's people about the site
 * counted, found  the name of such a sum, maybe a visitor's words: one that holds the address becomes [erased]
 * counted    sums over visitors; made anew from the changed rows, whose days are marked dirty
 */
export type Column =
  | 'goes'
  | 'goes, found'
  | 'found'
  | 'digest'
  | 'sealed'
  | 'bounded'
  | 'operator'
  | 'counted'
  | 'counted, found'
  | { scrub: string; found?: true };

/** By which columns a row is a person's; user: of somebody who signs in, which no lead's or visitor's erasure touches. */
export type Whose =
  | 'lead'
  | 'visitor'
  | 'lead or visitor'
  | 'lead, visitor or hash'
  | 'address'
  | 'hash'
  | 'user';

/** A setting of config.ts that holds how long. */
type Setting =
  | 'EVENT_RETENTION_DAYS'
  | 'ROLLUP_RETENTION_MONTHS'
  | 'REJECTION_RETENTION_DAYS'
  | 'BACKUP_RETENTION_DAYS'
  | 'PAYLOAD_RETENTION_MONTHS'
  | 'QUARANTINE_RETENTION_DAYS'
  | 'LAPSED_LEAD_RETENTION_DAYS'
  | 'UNCONFIRMED_LEAD_RETENTION_DAYS'
  | 'PENDING_LEAD_RETENTION_MONTHS'
  | 'WITHDRAWN_LEAD_RETENTION_YEARS'
  | 'CONSENT_RECORD_RETENTION_YEARS'
  | 'DELIVERY_RETENTION_DAYS'
  | 'ARCHIVE_RETENTION_MONTHS'
  | 'AUDIT_RETENTION_YEARS';
export type Period = { days: number | Setting } | { months: number | Setting } | { years: number | Setting };

export type Kept =
  /** Why without an end. */
  | { ever: string }
  /**
   * Ends with the rows of another table, by deletion there. on: the columns beside site_id that say with which, where those end
   * by the clock: a purge says how many go along.
   */
  | { with: string; on?: string[]; why: string }
  /** Ends by work of its own, a job's, whatever the period. */
  | { job: string; why: string }
  | {
      for: Period;
      /** The column that says how old a row is. */
      since: string;
      why: string;
      /** And only these rows; the table is `target`, $1 the bound. */
      where?: string;
      /** And only where no row of that table, of the same site, has the same value in this column. */
      unless?: { table: string; by: string };
      /** Only this is forgotten: SQL of an update's set; else the row goes. */
      forgets?: string;
      /** What of the row that is, for the counts of a purge. Default: the table's name. */
      counted?: string;
      /** Forgotten by the feature itself (`endings`), because it is more than deleting rows. */
      by?: string;
      /** After everything else of a run: other rules would find less, and the dry run could not know. */
      last?: true;
      /** Its key in /v1/privacy. */
      told?: string;
    };

export interface TableRule {
  /** What a row is, in words for the page of what is kept. */
  holds: string;
  whose?: Whose;
  /** An erased person's rows are moved to a nameless visitor instead of being deleted; or one visitor of a row's list is. */
  moved?: true | 'in visitor_ids';
  /**
   * When the lead's time is over (not when the person asks) its rows stay for counting, under a random id: SQL of what else
   * is set, and of which rows, when they are more than those of the lead ($1 the site, $2 the lead; the table is t).
   */
  outlives?: { set?: string; where?: string };
  /** Made from other tables by triggers, which write it again while those are deleted: it goes after them. */
  derived?: true;
  /** Strangers lengthen it: how far at most. Its size stands in the status. */
  bound?: string;
  columns: Record<string, Column>;
  kept: Kept | Kept[];
}

export type Tables = Record<string, TableRule>;

export const keptOf = ({ kept }: TableRule): Kept[] => (Array.isArray(kept) ? kept : [kept]);

export type Settings = Pick<Config, Setting>;

/** e.g. {unit: 'days', count: 90} */
export function lengthOf(
  period: Period,
  settings: Settings,
): { unit: 'days' | 'months' | 'years'; count: number } {
  const [unit, count] = Object.entries(period)[0] as ['days' | 'months' | 'years', number | Setting];
  return { unit, count: typeof count === 'number' ? count : settings[count] };
}

/**
 * What is older goes. Days end at a UTC midnight, months that are counted for numbers at the first of one, because days
 * and months are what is kept of them; all else is kept to the moment.
 */
export function boundOf(period: Period, settings: Settings, now: Date): Date {
  const { unit, count } = lengthOf(period, settings);
  const year = now.getUTCFullYear();
  const month = now.getUTCMonth();
  if (unit === 'days') return new Date(Date.UTC(year, month, now.getUTCDate() - count));
  if ((period as { months?: unknown }).months === 'ROLLUP_RETENTION_MONTHS')
    return new Date(Date.UTC(year, month - count, 1));
  const months = unit === 'years' ? count * 12 : count;
  // the last day of a shorter month, never the first days of the next
  const lastDay = new Date(Date.UTC(year, month - months + 1, 0)).getUTCDate();
  const bound = new Date(now);
  bound.setUTCFullYear(year, month - months, Math.min(now.getUTCDate(), lastDay));
  return bound;
}
