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

/** Staff are told apart from bots; both count nowhere else. */
export function botsOf({ staff = 0, ...botsByReason }: Record<string, number>) {
  return {
    botEvents: sum(Object.values(botsByReason), (count) => count),
    botsByReason,
    staffEvents: staff,
  };
}

/** Names and values of everything in it, however deep: `totals.leads`. */
export function flat(value: object, before = ''): [string, unknown][] {
  return Object.entries(value).flatMap(([name, part]) =>
    typeof part === 'object' && part !== null
      ? flat(part, `${before}${name}.`)
      : [[`${before}${name}`, part] as [string, unknown]],
  );
}
