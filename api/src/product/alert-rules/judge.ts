// Whether a number is unlike itself: against the same hour of other weeks by median and median deviation, with what
// chance alone would do (Poisson) as the floor. Pure.

export const KINDS = ['spike', 'drop', 'silence', 'lead_drought', 'goal_zero'] as const;
export type Kind = (typeof KINDS)[number];
export const SENSITIVITIES = ['low', 'normal', 'high'] as const;
export type Sensitivity = (typeof SENSITIVITIES)[number];

/** So many deviations, and so many of chance's own, away. */
const FACTOR: Record<Sensitivity, number> = { low: 6, normal: 4, high: 3 };
/** Nothing at all where so many are usual: by chance once in a million, in eight thousand, in a thousand. */
const ZERO_FLOOR: Record<Sensitivity, number> = { low: 14, normal: 9, high: 7 };
/** Fewer visits in an hour are no spike, whatever was usual. */
const SPIKE_MIN = 20;
const WEEKS_MIN = 3;
/** Makes a median deviation comparable with a standard deviation. */
const MAD_TO_SIGMA = 1.4826;

/** A number now, and the same of those of the last four weeks that had visits at all. */
export interface Course {
  now: number;
  before: readonly number[];
}
/** Where there is nothing to compare with, a course is null. */
export interface Seen {
  /** Visits of the hour, and of the last whole day. */
  hour: Course;
  day: Course;
  /** Leads of the last 24 hours, and of the last seven days. */
  dayLeads: Course;
  weekLeads: Course;
  /** Of the last whole day, by the event's name. */
  goals: Record<string, Course>;
}
export interface Finding {
  now: number;
  usual: number;
  over: 'hour' | 'day' | 'week';
}

export function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How far from the usual a number must be: the larger of what these weeks and what chance scatter. */
function reachOf(before: readonly number[], usual: number, sensitivity: Sensitivity): number {
  const deviation = MAD_TO_SIGMA * medianOf(before.map((one) => Math.abs(one - usual)));
  return FACTOR[sensitivity] * Math.max(deviation, Math.sqrt(Math.max(usual, 1)));
}

function zero({ now, before }: Course, over: Finding['over'], sensitivity: Sensitivity): Finding | null {
  if (now > 0 || before.length < WEEKS_MIN) return null;
  const usual = medianOf(before);
  return usual >= ZERO_FLOOR[sensitivity] ? { now, usual, over } : null;
}

/** goal  the event's name, of goal_zero. returns  null: as usual, or too little is known */
export function judge(kind: Kind, sensitivity: Sensitivity, seen: Seen, goal: string | null): Finding | null {
  const { hour } = seen;
  switch (kind) {
    case 'spike':
    case 'drop': {
      if (hour.before.length < WEEKS_MIN) return null;
      const usual = medianOf(hour.before);
      const reach = reachOf(hour.before, usual, sensitivity);
      const isFar =
        kind === 'spike' ? hour.now >= SPIKE_MIN && hour.now > usual + reach : hour.now < usual - reach;
      return isFar ? { now: hour.now, usual, over: 'hour' } : null;
    }
    case 'silence':
      return zero(hour, 'hour', sensitivity) ?? zero(seen.day, 'day', sensitivity);
    case 'lead_drought':
      return zero(seen.dayLeads, 'day', sensitivity) ?? zero(seen.weekLeads, 'week', sensitivity);
    case 'goal_zero': {
      const course = seen.goals[goal ?? ''];
      return course ? zero(course, 'day', sensitivity) : null;
    }
  }
}
