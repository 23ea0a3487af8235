// How far the numbers of a window can be trusted, by rule: what the mark beside a number says.
import { z } from 'zod';
import { addDays, daysIn } from '../../../ground/lib/days.ts';
import type { Summary } from './summary-shape.ts';
import { count } from './window.ts';

/** Where more of what was accepted came late, or more of the window's minutes had no service, it is said. */
const LATE_SHARE_MAX = 0.01;
const AWAY_SHARE_MAX = 0.1;
const DAY_MINUTES = 1440;

const REMARKS = [
  'day_visitors',
  'absences_forgotten',
  'minutes_without_service',
  'not_counted_yet',
  'sealed_days',
  'days_in_other_zone',
  'late_events',
  'imported_days',
] as const;
const REASONS = ['ledger_off', 'service_away'] as const;

export const trustShape = z
  .object({
    level: z
      .enum(['exact', 'remarks', 'not_reliable'])
      .describe('not_reliable: the ledger does not add up, or a tenth of the window had no service'),
    remarks: z.array(z.object({ code: z.enum([...REASONS, ...REMARKS]), n: count })),
  })
  .meta({ id: 'Trust' });
export type Trust = z.output<typeof trustShape>;

/** How many days of the window have happened and are in no number yet; the day in progress is always one. */
function uncountedOf({ window, freshness: { rolledUpThrough, lagDays } }: Summary): number {
  if (rolledUpThrough === null || lagDays === null) return 0;
  const today = addDays(rolledUpThrough, lagDays);
  const [last = today] = [window.to, today].sort();
  const first = rolledUpThrough < window.from ? window.from : addDays(rolledUpThrough, 1);
  return Math.max(0, daysIn(first, last));
}

/**
 * received      of the window's ledger; what was accepted, dropped as a duplicate and refused must add up to it
 * importedDays  days of the window that another tool counted
 */
export function trustOf(summary: Summary, received: number, importedDays = 0): Trust {
  const { quality, ingest, window } = summary;
  const {
    totalEventsAccepted: accepted,
    totalEventsDuplicate: duplicate,
    totalEventsRejected: rejected,
  } = ingest;
  const late = quality.lateEvents ?? 0;
  const off = Math.abs(received - (accepted ?? 0) - (duplicate ?? 0) - (rejected ?? 0));
  const minutes = daysIn(window.from, window.to) * DAY_MINUTES;
  const away = quality.minutesWithoutService;
  const uncounted = uncountedOf(summary);
  const isAway = away > minutes * AWAY_SHARE_MAX;
  const found: [Trust['remarks'][number]['code'], number][] = [
    ['ledger_off', off],
    ['service_away', isAway ? away : 0],
    ['minutes_without_service', isAway ? 0 : away],
    ['day_visitors', quality.dayVisitors],
    ['absences_forgotten', quality.uniquesMethod.startsWith('exact_but') ? 1 : 0],
    ['not_counted_yet', uncounted > 1 ? uncounted : 0],
    ['sealed_days', quality.sealedDays],
    ['days_in_other_zone', quality.daysInOtherZone],
    ['late_events', late > (accepted ?? 0) * LATE_SHARE_MAX ? late : 0],
    ['imported_days', importedDays],
  ];
  const remarks = found.filter(([, n]) => n > 0).map(([code, n]) => ({ code, n }));
  const isWrong = remarks.some(({ code }) => (REASONS as readonly string[]).includes(code));
  return { level: isWrong ? 'not_reliable' : remarks.length > 0 ? 'remarks' : 'exact', remarks };
}
