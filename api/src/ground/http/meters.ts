// What the process counts about itself, for GET /metrics (Prometheus text).
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Meters {
  registry: Registry;
  request(method: string, route: string, status: number, seconds: number): void;
  batch(rows: number, seconds: number): void;
  /** Adds a gauge that is read when it is scraped. */
  gauge(name: string, help: string, read: () => number): void;
}

export function makeMeters(): Meters {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'marketing_http_request_seconds',
    help: 'Server time of requests',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  const rows = new Counter({
    name: 'marketing_batch_rows_total',
    help: 'Events written',
    registers: [registry],
  });
  const batches = new Histogram({
    name: 'marketing_batch_seconds',
    help: 'Time of one write of the ingestion engine',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [registry],
  });
  return {
    registry,
    request: (method, route, status, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    batch(count, seconds) {
      rows.inc(count);
      batches.observe(seconds);
    },
    gauge(name, help, read) {
      new Gauge({
        name,
        help,
        registers: [registry],
        collect() {
          this.set(read());
        },
      });
    },
  };
}
