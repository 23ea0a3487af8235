// Round values beside a chart: 0 and two to four steps of 1, 2 or 5 times a power of ten.

/** most  the largest value drawn, at least 0; whole  values are counts, so no step is below 1 */
export function ticksOf(most: number, whole: boolean): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 3;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough - 1e-12)!;
  const by = whole ? Math.max(1, step) : step;
  const count = Math.max(1, Math.ceil(most / by - 1e-9));
  return Array.from({ length: count + 1 }, (_, n) => Number((n * by).toPrecision(12)));
}

/** Which of `count` places along the foot are named, so that about `room` names fit. */
export function namedPlaces(count: number, room: number): number[] {
  if (count === 0) return [];
  const every = Math.max(1, Math.ceil(count / Math.max(1, room)));
  return Array.from({ length: Math.ceil(count / every) }, (_, n) => n * every);
}
