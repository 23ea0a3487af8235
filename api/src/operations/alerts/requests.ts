// What the process says about its requests: the meters of the last minutes.
import type { Registry } from 'prom-client';

/** Of the last minutes. unavailable: those of the failed that were asked to come again (503) */
export interface Requests {
  total: number;
  failed: number;
  unavailable: number;
  p95Ms: number | null;
}

interface Sample {
  total: number;
  failed: number;
  unavailable: number;
  /** Cumulative counts by upper bound in seconds, of the write routes. */
  buckets: Map<number, number>;
}

/**
 * Turns the ever growing meters into the last five minutes: keeps one sample a minute and takes the difference.
 * metric  name of the request histogram with labels method, route, status
 */
export function requestWindow(registry: Registry, metric: string, minutes = 5) {
  const samples: Sample[] = [];
  return async (): Promise<Requests | null> => {
    const found = registry.getSingleMetric(metric);
    if (!found) return null;
    const sample: Sample = { total: 0, failed: 0, unavailable: 0, buckets: new Map() };
    for (const { labels, value, metricName } of (await found.get()).values as {
      labels: Record<string, string | number>;
      value: number;
      metricName?: string;
    }[]) {
      if (metricName?.endsWith('_count')) {
        sample.total += value;
        if (/^5/.test(String(labels.status))) sample.failed += value;
        if (String(labels.status) === '503') sample.unavailable += value;
      } else if (metricName?.endsWith('_bucket') && labels.method === 'POST' && labels.le !== '+Inf') {
        const bound = Number(labels.le);
        sample.buckets.set(bound, (sample.buckets.get(bound) ?? 0) + value);
      }
    }
    samples.push(sample);
    if (samples.length > minutes + 1) samples.shift();
    const before = samples[0]!;
    if (before === sample) return null;
    const total = sample.total - before.total;
    const failed = sample.failed - before.failed;
    const unavailable = sample.unavailable - before.unavailable;
    const bounds = [...sample.buckets.keys()].sort((a, b) => a - b);
    const counts = bounds.map((bound) => sample.buckets.get(bound)! - (before.buckets.get(bound) ?? 0));
    const all = counts.at(-1) ?? 0;
    const p95 = all > 0 ? bounds[counts.findIndex((count) => count >= all * 0.95)] : undefined;
    return { total, failed, unavailable, p95Ms: p95 === undefined ? null : p95 * 1000 };
  };
}
