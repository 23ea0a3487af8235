// Visits put together from single hits, in whatever order these come. Pure.
import type { Days } from './days.ts';

interface Visit {
  visitor: string;
  day: string;
  from: number;
  to: number;
  entrance: string;
  exit: string;
  views: number;
  facts: Facts;
}
export interface Facts {
  source?: string;
  campaign?: string;
  referrer?: string;
  country?: string;
  device?: string;
  browser?: string;
  os?: string;
}
const KINDS = ['source', 'campaign', 'referrer', 'country', 'device', 'browser', 'os'] as const;

export class Visits {
  readonly #visits = new Map<string, Visit>();

  /** A page view, of the visit with this id; its facts are those of its first hit. */
  see(id: string, visitor: string, day: string, at: number, path: string, facts: Facts, views = 1): void {
    const known = this.#visits.get(id);
    if (!known) {
      this.#visits.set(id, { visitor, day, from: at, to: at, entrance: path, exit: path, views, facts });
      return;
    }
    known.views += views;
    if (at < known.from) Object.assign(known, { from: at, entrance: path, facts, day });
    if (at >= known.to) Object.assign(known, { to: at, exit: path });
  }

  /** A visit belongs to the day it began on; its visitor counts once a day and kind. */
  into(days: Days): void {
    const seen = new Set<string>();
    const isNew = (...parts: string[]) => {
      const key = parts.join('\n');
      if (seen.has(key)) return 0;
      seen.add(key);
      return 1;
    };
    for (const { visitor, day, from, to, entrance, exit, views, facts } of this.#visits.values()) {
      const counts = { visits: 1, bounces: views === 1 ? 1 : 0, seconds: (to - from) / 1000 };
      days.add('total', day, '', { ...counts, visitors: isNew(day, visitor) });
      if (views > 0) {
        days.add('entrance', day, entrance, { ...counts, visitors: isNew(day, 'in', entrance, visitor) });
        days.add('exit', day, exit, { visits: 1, visitors: isNew(day, 'out', exit, visitor) });
      }
      for (const kind of KINDS) {
        const name = facts[kind] ?? '';
        days.add(kind, day, name, { ...counts, pageviews: views, visitors: isNew(day, kind, name, visitor) });
      }
    }
  }
}

/** Of an address or a path: the path alone. */
export function pathOf(text: string): string {
  const path = /^[a-z]+:\/\//i.test(text) ? (URL.parse(text)?.pathname ?? '') : text;
  return path.split(/[?#]/, 1)[0] || '/';
}
