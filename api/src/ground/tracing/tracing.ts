// Traces for a collector of the operator's: what is told of a request, a batch and a job, and who tells it. Off unless asked.
import type { Log } from '../lib/log.ts';

/**
 * Told when the thing is over, so that what is not traced costs one comparison and nobody carries a span along. Each is a trace
 * of its own: a request's `traceparent` is a stranger's, who would decide what we keep and under which name.
 */
export interface Tracing {
  /** route: its pattern, never the path. returns  the trace's id, for the log, when it is among the sampled */
  request(
    method: string,
    route: string,
    status: number,
    ms: number,
    errorCode: string | undefined,
  ): string | undefined;
  /** A write of events. fault: why nothing was stored */
  batch(rows: number, ms: number, fault?: unknown): void;
  /** isFrequent: runs every minute, so that a share of its runs says enough; of the others each is told */
  job(job: string, trigger: string, ms: number, isFrequent: boolean, fault?: unknown): void;
  /** Sends what waits, for as long as a stop has. Never throws. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** Where the collector listens, without /v1/traces; undefined: no traces. */
  endpoint: string | undefined;
  /** name=value, percent-encoded, comma list; what the collector wants to know us by. */
  headers?: string | undefined;
  /** Share of requests and batches that is traced, 0 to 1. */
  ratio: number;
  serviceName: string;
  version: string;
  log: Log;
  /** For tests. */
  sendEveryMs?: number;
  timeoutMs?: number;
  closeMsMax?: number;
}

/** null: none are asked for, and nothing of OpenTelemetry's SDK is loaded */
export async function openTracing(options: TracingOptions): Promise<Tracing | null> {
  const { endpoint } = options;
  if (endpoint === undefined) return null;
  const { traceByOtlp } = await import('./otlp.ts'); // 8 MB, and up to 18 in use (docs/performance.md)
  return traceByOtlp({ ...options, endpoint });
}
