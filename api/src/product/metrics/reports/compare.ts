// The window that a window is compared with: directly before, a year before, or one that is named.
import { z } from 'zod';
import { addDays, daysIn, isDay } from '../../../ground/lib/days.ts';
import type { Window } from './window.ts';

const NAMED = /^(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})$/;

/** `previous`, `year`, `none`, or FROM..TO. */
export const versus = z
  .string()
  .max(22)
  .refine((text) => {
    if (['previous', 'year', 'none'].includes(text)) return true;
    const [, from = '', to = ''] = NAMED.exec(text) ?? [];
    return isDay(from) && isDay(to) && from <= to && daysIn(from, to) <= 366 && from >= '1900' && to < '3000';
  }, 'previous, year, none, or two days as FROM..TO, at most 366 of them')
  .default('previous')
  .describe('compared with: previous (of the same length, directly before), year, none, or FROM..TO');
export const match = z
  .enum(['date', 'weekday'])
  .default('date')
  .describe('weekday: moved by whole weeks, so that a Monday stands beside a Monday');

/** Same length, directly before. */
export const windowBefore = ({ from, to }: Window): Window => ({
  from: addDays(from, -daysIn(from, to)),
  to: addDays(from, -1),
});

const moved = ({ from, to }: Window, days: number): Window => ({
  from: addDays(from, -days),
  to: addDays(to, -days),
});

/** The same date a year earlier; 29 February's is the 28th. */
function yearBefore(day: string): string {
  const [year, rest] = [Number(day.slice(0, 4)) - 1, day.slice(4)];
  return isDay(`${year}${rest}`) ? `${year}${rest}` : `${year}-02-28`;
}

/** null: with nothing, also where what was named would reach into the window itself */
export function comparedWith(window: Window, vs: string, by: 'date' | 'weekday'): Window | null {
  const length = daysIn(window.from, window.to);
  switch (vs) {
    case 'none':
      return null;
    case 'previous':
      return by === 'weekday' ? moved(window, Math.ceil(length / 7) * 7) : windowBefore(window);
    case 'year': {
      if (by === 'weekday') return moved(window, 52 * 7 * Math.ceil(length / 364));
      const from = yearBefore(window.from);
      const to = yearBefore(window.to);
      return to < window.from ? { from, to } : windowBefore(window);
    }
    default: {
      const [, from, to] = NAMED.exec(vs)!;
      return to! < window.from ? { from: from!, to: to! } : null;
    }
  }
}
