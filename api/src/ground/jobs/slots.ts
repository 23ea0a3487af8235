// Pure: which minutes a cron pattern means, in UTC. For finding the slot that was missed while nobody ran.
import { parse } from 'node-cron';

/**
 * The latest slot of a five-field pattern at or before `at` (UTC), or null when there is none within 400 days.
 * throws  when the pattern is not one
 */
export function latestSlot(cron: string, at: Date): Date | null {
  const fields = parse(cron);
  const minutes = new Set(fields.minute);
  const hours = new Set(fields.hour);
  const months = new Set(fields.month);
  const days = new Set(fields.dayOfMonth.map(String));
  const weekdays = new Set(fields.dayOfWeek.map((day) => Number(day) % 7));
  const slot = new Date(at);
  slot.setUTCSeconds(0, 0);
  const earliest = at.getTime() - 400 * 86_400_000;
  while (slot.getTime() >= earliest) {
    const fits =
      months.has(slot.getUTCMonth() + 1) &&
      days.has(String(slot.getUTCDate())) &&
      weekdays.has(slot.getUTCDay());
    if (!fits) {
      slot.setUTCHours(0, 0, 0, 0);
      slot.setTime(slot.getTime() - 60_000);
    } else if (!hours.has(slot.getUTCHours())) {
      slot.setUTCMinutes(0);
      slot.setTime(slot.getTime() - 60_000);
    } else if (!minutes.has(slot.getUTCMinutes())) {
      slot.setTime(slot.getTime() - 60_000);
    } else return slot;
  }
  return null;
}
