// What the machine and the process say about themselves: memory of the container, the certificate, the request meters.
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import type { Registry } from 'prom-client';

const read = (path: string) => readFile(path, 'utf8').catch(() => null);

/** Memory of this container in percent of its limit, page cache aside; null without a limit. */
export async function memoryUsedPct(root = '/sys/fs/cgroup'): Promise<number | null> {
  const v2 = await read(`${root}/memory.max`);
  const [limit, used, stat] = v2
    ? [v2, await read(`${root}/memory.current`), await read(`${root}/memory.stat`)]
    : [
        await read(`${root}/memory/memory.limit_in_bytes`),
        await read(`${root}/memory/memory.usage_in_bytes`),
        await read(`${root}/memory/memory.stat`),
      ];
  const max = Number(limit);
  // "max" and version 1's huge default both mean: no limit
  if (!limit || !used || !Number.isFinite(max) || max > 2 ** 50) return null;
  const cache = Number(/^(?:total_)?inactive_file (\d+)/m.exec(stat ?? '')?.[1] ?? 0);
  return Math.round(((Number(used) - cache) / max) * 1000) / 10;
}

/** Days until the certificate of a name ends, asked of our own Caddy; null when it can't be seen. */
export function certificateDays(host: string, port: number, name: string): Promise<number | null> {
  return new Promise((resolve) => {
    // Only its dates are of interest here; whether browsers trust it is ACME's business.
    const socket = connect({ host, port, servername: name, rejectUnauthorized: false, timeout: 5000 }, () => {
      const ends = Date.parse(socket.getPeerCertificate().valid_to);
      socket.destroy();
      resolve(Number.isFinite(ends) ? (ends - Date.now()) / 86_400_000 : null);
    });
    const give = () => {
      socket.destroy();
      resolve(null);
    };
    socket.once('error', give).once('timeout', give);
  });
}

interface Sample {
  total: number;
  failed: number;
  /** Cumulative counts by upper bound in seconds, of the write routes. */
  buckets: Map<number, number>;
}

/**
 * Turns the ever growing meters into the last five minutes: keeps one sample a minute and takes the difference.
 * metric  name of the request histogram with labels method, route, status
 */
export function requestWindow(registry: Registry, metric: string, minutes = 5) {
  const samples: Sample[] = [];
  return async (): Promise<{ total: number; failed: number; p95Ms: number | null } | null> => {
    const found = registry.getSingleMetric(metric);
    if (!found) return null;
    const sample: Sample = { total: 0, failed: 0, buckets: new Map() };
    for (const { labels, value, metricName } of (await found.get()).values as {
      labels: Record<string, string | number>;
      value: number;
      metricName?: string;
    }[]) {
      if (metricName?.endsWith('_count')) {
        sample.total += value;
        if (/^5/.test(String(labels.status))) sample.failed += value;
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
    const bounds = [...sample.buckets.keys()].sort((a, b) => a - b);
    const counts = bounds.map((bound) => sample.buckets.get(bound)! - (before.buckets.get(bound) ?? 0));
    const all = counts.at(-1) ?? 0;
    const p95 = all > 0 ? bounds[counts.findIndex((count) => count >= all * 0.95)] : undefined;
    return { total, failed, p95Ms: p95 === undefined ? null : p95 * 1000 };
  };
}
