// Calendar days as text (UTC, YYYY-MM-DD): no time zone of this process comes near them.

export const DAY_MS = 86_400_000;
const start = (day: string) => Date.parse(`${day}T00:00:00.000Z`);

/** A real day, not 2026-02-30. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(start(text)) && dayOf(start(text)) === text;
}
export const dayOf = (instant: number | Date): string => new Date(instant).toISOString().slice(0, 10);
/** In a time zone. */
export const dayIn = (zone: string, instant: number | Date): string =>
  zone === 'UTC' ? dayOf(instant) : new Intl.DateTimeFormat('en-CA', { timeZone: zone }).format(instant);
export const addDays = (day: string, count: number): string => dayOf(start(day) + count * DAY_MS);
/** How many days the window holds, both ends included. */
export const daysIn = (from: string, to: string): number => (start(to) - start(from)) / DAY_MS + 1;
export const eachDay = (from: string, to: string): string[] =>
  Array.from({ length: Math.max(0, daysIn(from, to)) }, (_, i) => addDays(from, i));
