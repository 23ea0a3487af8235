// Sums and shares.

export const sum = <T>(list: readonly T[], of: (item: T) => number): number =>
  list.reduce((total, item) => total + of(item), 0);

/** null when there is nothing to divide by: a ratio of nothing is not zero. */
export const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

export function addUp(records: Record<string, number>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const record of records)
    for (const key in record) total[key] = (total[key] ?? 0) + Number(record[key]);
  return total;
}
