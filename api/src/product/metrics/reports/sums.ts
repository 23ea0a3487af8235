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

/**
 * One name in several spellings is one: which to show, the most frequent.
 * list  every spelling as often as it came
 */
export function spellings(list: Iterable<{ name: string; weight: number }>): (name: string) => string {
  const weights = new Map<string, Map<string, number>>();
  for (const { name, weight } of list) {
    const key = name.toLowerCase();
    const of = weights.get(key) ?? new Map<string, number>();
    of.set(name, (of.get(name) ?? 0) + weight);
    weights.set(key, of);
  }
  const shown = new Map<string, string>();
  for (const [key, of] of weights)
    shown.set(key, [...of].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))[0]![0]);
  return (name) => shown.get(name.toLowerCase()) ?? name;
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
