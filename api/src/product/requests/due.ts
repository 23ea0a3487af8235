// By which day a request must be answered, by the law whoever asks is under.
const DAY_MS = 86_400_000;

const TERMS = { pipeda: { days: 30 }, law25: { days: 30 }, gdpr: { months: 1 }, ccpa: { days: 45 } } as const;
export type Law = keyof typeof TERMS;
export const LAWS = Object.keys(TERMS) as [Law, ...Law[]];

/** GDPR counts a month: to the same day of the next one, or to its last day where it is shorter. */
export function dueAt(received: Date, law: Law): Date {
  const term = TERMS[law];
  if ('days' in term) return new Date(received.getTime() + term.days * DAY_MS);
  const [year, month] = [received.getUTCFullYear(), received.getUTCMonth() + term.months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const due = new Date(received);
  due.setUTCFullYear(year, month, Math.min(received.getUTCDate(), lastDay));
  return due;
}
