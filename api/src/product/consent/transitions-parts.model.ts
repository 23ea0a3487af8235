// Parts of the model of consent: how long implied consent lasts, and what is remembered of an address. Times are milliseconds.
import type { Purpose } from './transitions.model.ts';

/** As PostgreSQL adds months: the last day of a shorter one. */
export function addMonths(at: number, months: number): number {
  const from = new Date(at);
  const last = new Date(Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + months + 1, 0)).getUTCDate();
  const to = new Date(at);
  to.setUTCFullYear(from.getUTCFullYear(), from.getUTCMonth() + months, Math.min(from.getUTCDate(), last));
  return to.getTime();
}
export const termOf = (kind: 'inquiry' | 'purchase') => (kind === 'inquiry' ? 6 : 24);

/** What is remembered of an address, whoever's it is. */
export class Address {
  erasedAt: number | null = null;
  /** Unsubscribed by it: of email alone, or of anything else, which counts for all. */
  readonly unsubscribed = new Map<'email' | 'all', number>();

  unsubscribe(what: Purpose[] | ['all'], at: number): void {
    const remembered = what.length === 1 && what[0] === 'email' ? 'email' : 'all';
    this.unsubscribed.set(
      remembered,
      Math.max(at, this.unsubscribed.get(remembered) ?? Number.NEGATIVE_INFINITY),
    );
  }
}
