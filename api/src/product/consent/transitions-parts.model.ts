// Parts of the model of consent: its words, how long implied consent lasts, and what is remembered of an address. Times are
// milliseconds.

export type Purpose = 'email' | 'partners';
export type Status = 'pending' | 'implied' | 'express' | 'withdrawn' | 'expired';
export type Basis = 'form' | 'double_opt_in' | 'import' | 'purchase' | 'admin';

export interface Said {
  purposes: Purpose[];
  words: string | null;
  policy: string | null;
}

export interface Stand {
  status: Status;
  at: number;
  until: number | null;
  words: string | null;
  policy: string | null;
}

export interface Request extends Said {
  token: string;
  at: number;
  state: 'open' | 'confirmed' | 'cancelled';
}

export interface Lead {
  stands: Map<Purpose, Stand>;
  /** Newest line of the ledger about a purpose, when that changes nothing: a request that waits, or a form that agreed to nothing. */
  asked: Map<Purpose, Pick<Said, 'words' | 'policy'> & { isAsking: boolean }>;
  seen: Set<Purpose>;
  leftAll: number | null;
  /** When their address was corrected last: they had the other one before. */
  correctedAt: number | null;
  requests: Request[];
  records: number;
  mails: number;
}

export const MINUTE = 60_000;
export const DAY = 86_400_000;
export const PURPOSES: Purpose[] = ['email', 'partners'];

export const isSame = (a: Pick<Said, 'words' | 'policy'> | undefined, b: Pick<Said, 'words' | 'policy'>) =>
  a !== undefined && a.words === b.words && a.policy === b.policy;

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

/** Of each the latest. */
export function latest(
  ...maps: (ReadonlyMap<Purpose | 'all', number> | undefined)[]
): Map<Purpose | 'all', number> {
  const all = maps.flatMap((map) => [...(map ?? [])]).sort(([, a], [, b]) => a - b);
  return new Map(all);
}

export const newLead = (): Lead => ({
  stands: new Map(),
  asked: new Map(),
  seen: new Set(['email']),
  leftAll: null,
  correctedAt: null,
  requests: [],
  records: 0,
  mails: 0,
});
