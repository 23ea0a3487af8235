// Moments as a field of day and hour shows them, in a site's zone.

/** What a clock of the zone shows then: 2026-11-27T09:30. */
export function clockOf(instant: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(instant);
  const of = (name: string) => parts.find(({ type }) => type === name)!.value;
  return `${of('year')}-${of('month')}-${of('day')}T${of('hour')}:${of('minute')}`;
}

/** The moment at which a clock of the zone shows that; of an hour that a change of clocks leaves out, the hour after. */
export function momentOf(clock: string, zone: string): number {
  const wanted = Date.parse(`${clock}Z`);
  const offsetAt = (instant: number) => Date.parse(`${clockOf(instant, zone)}Z`) - instant;
  // twice: the first guess may lie on the other side of a change
  return wanted - offsetAt(wanted - offsetAt(wanted));
}
