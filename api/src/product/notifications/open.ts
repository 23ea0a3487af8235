// Whether a schedule is open at a moment, by the clock of its own zone.
import type { Notification } from './schema.ts';

const clocks = new Map<string, Intl.DateTimeFormat>();
const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
const ZONES_MAX = 100;

function clockOf(zone: string): Intl.DateTimeFormat {
  let clock = clocks.get(zone);
  if (!clock) {
    clock = new Intl.DateTimeFormat('en', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      hourCycle: 'h23',
    });
    if (clocks.size >= ZONES_MAX) clocks.clear();
    clocks.set(zone, clock);
  }
  return clock;
}

/** siteZone  of a schedule that names none */
export function isOpen(schedule: Notification['schedule'], siteZone: string, atMs: number): boolean {
  const { from, to, timeZone, weekdays, hours } = schedule;
  if (from !== null && Date.parse(from) > atMs) return false;
  if (to !== null && Date.parse(to) <= atMs) return false;
  if (weekdays.length === 0 && hours.length === 0) return true;
  const parts = clockOf(timeZone ?? siteZone).formatToParts(atMs);
  const part = (type: string) => parts.find((one) => one.type === type)!.value;
  const weekday = WEEKDAYS.indexOf(part('weekday')) + 1;
  const hour = Number(part('hour'));
  return (
    (weekdays.length === 0 || weekdays.includes(weekday)) &&
    (hours.length === 0 || hours.some((span) => span.from <= hour && hour < span.to))
  );
}
