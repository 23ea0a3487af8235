// Mergeable histograms: bucket b holds (1.1^(b-1), 1.1^b] units; a window's percentile comes from the sum of its days.

/** bucket → count */
export type Histogram = Record<string, number>;

export function merge(into: Histogram, from: Histogram | null | undefined): Histogram {
  for (const bucket in from) into[bucket] = (into[bucket] ?? 0) + from[bucket]!;
  return into;
}

/**
 * The value below or at which that share of the measurements lies, null without any. The answer is the geometric
 * middle of its bucket, so it is within 5 % of the true value.
 * share  0..1
 * unit   how many of the buckets' units are one of the answer's: 100 for milliseconds, 10 000 for layout shift
 */
export function percentile(histogram: Histogram, share: number, unit = 100): number | null {
  const buckets = Object.keys(histogram).map(Number);
  if (buckets.length === 0) return null;
  buckets.sort((a, b) => a - b);
  const total = buckets.reduce((sum, bucket) => sum + histogram[bucket]!, 0);
  let passed = 0;
  for (const bucket of buckets) {
    passed += histogram[bucket]!;
    if (passed >= total * share)
      return bucket === 0 ? 0 : Number((1.1 ** (bucket - 0.5) / unit).toPrecision(4));
  }
  return null;
}
