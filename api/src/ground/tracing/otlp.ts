// Traces by OTLP over HTTP, with OpenTelemetry's SDK. Loaded where a collector is named, and nowhere else (tracing.ts).
import { randomUUID } from 'node:crypto';
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { inTime } from '../lib/in-time.ts';
import type { Log } from '../lib/log.ts';
import type { Tracing, TracingOptions } from './tracing.ts';

/** A span is under a kilobyte: 2 MB at most wait for a collector that is slow or away, what comes then is dropped. */
const QUEUED_SPANS_MAX = 2048;
const SPANS_A_SENDING_MAX = 512;
const SEND_EVERY_MS = 5000;
const TIMEOUT_MS = 5000;
/** Draining may take 12 s of the 15 that a stop has (serve.ts), and what was taken in goes first. */
const CLOSE_MS_MAX = 1500;

/** `name=value,name=value`, percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS is written. */
function headersOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())];
    }),
  );
}

/** What kind of fault, in a word: a message can quote a row. */
function kindOf(fault: unknown): string {
  const { code, name } = Object(fault) as { code?: unknown; name?: unknown };
  if (typeof code === 'string' && /^\w{1,40}$/.test(code)) return code;
  return typeof name === 'string' ? name : 'Error';
}

/** Says once that the collector takes nothing, and once that it does again. */
function tellingOnce(exporter: SpanExporter, endpoint: string, log: Log): SpanExporter {
  let lost = 0;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error) {
          const { code, message } = result.error as Error & { code?: unknown };
          const reason = [code, message].filter(Boolean).join(' ');
          if (lost === 0)
            log.warn({ endpoint, reason }, 'traces do not reach the collector; they are dropped');
          lost += spans.length;
        } else if (lost > 0) {
          log.info({ endpoint, lost }, 'traces reach the collector again');
          lost = 0;
        }
        done(result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}

export function traceByOtlp(options: TracingOptions & { endpoint: string }): Tracing {
  const { headers, ratio, serviceName, version, log } = options;
  const { sendEveryMs = SEND_EVERY_MS, timeoutMs = TIMEOUT_MS, closeMsMax = CLOSE_MS_MAX } = options;
  const url = new URL(options.endpoint);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`;
  const exporter = new OTLPTraceExporter({
    url: url.href,
    headers: headers === undefined ? {} : headersOf(headers),
    timeoutMillis: timeoutMs,
  });
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': serviceName,
      'service.version': version,
      'service.instance.id': randomUUID(),
    }),
    sampler: new AlwaysOnSampler(),
    spanProcessors: [
      new BatchSpanProcessor(tellingOnce(exporter, url.host, log), {
        maxQueueSize: QUEUED_SPANS_MAX,
        maxExportBatchSize: SPANS_A_SENDING_MAX,
        scheduledDelayMillis: sendEveryMs,
        exportTimeoutMillis: timeoutMs * 2, // of a fault the exporter itself says more
      }),
    ],
  });
  const tracer = provider.getTracer('marketing-api', version);

  // no span hangs on another, so the lot is drawn here: the SDK's own sampler made an id and more for each that is left out
  const isSampled = () => Math.random() < ratio;

  /** A span of what is over. */
  function record(
    name: string,
    kind: SpanKind,
    ms: number,
    attributes: Attributes,
    hasFailed: boolean,
  ): string {
    const ended = Date.now();
    const span = tracer.startSpan(name, { kind, attributes, startTime: ended - ms }, ROOT_CONTEXT);
    if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(ended);
    return span.spanContext().traceId;
  }

  return {
    request(method, route, status, ms, errorCode) {
      if (!isSampled()) return undefined;
      const isMatched = route !== 'none';
      const attributes: Attributes = { 'http.request.method': method, 'http.response.status_code': status };
      if (isMatched) attributes['http.route'] = route;
      if (errorCode !== undefined || status >= 500) attributes['error.type'] = errorCode ?? String(status);
      const name = isMatched ? `${method} ${route}` : method;
      return record(name, SpanKind.SERVER, ms, attributes, status >= 500);
    },
    batch(rows, ms, fault) {
      if (!isSampled()) return;
      const attributes: Attributes = {
        'db.system.name': 'postgresql',
        'db.operation.name': 'ingest_events',
        'db.operation.batch.size': rows,
      };
      if (fault !== undefined) attributes['error.type'] = kindOf(fault);
      record('ingest_events', SpanKind.CLIENT, ms, attributes, fault !== undefined);
    },
    job(job, trigger, ms, isFrequent, fault) {
      if (isFrequent && !isSampled()) return;
      const attributes: Attributes = { 'marketing.job': job, 'marketing.trigger': trigger };
      if (fault !== undefined) attributes['error.type'] = kindOf(fault);
      record(`job ${job}`, SpanKind.INTERNAL, ms, attributes, fault !== undefined);
    },
    async close() {
      await inTime(closeMsMax, provider.shutdown()).catch((err) => {
        log.debug({ err }, 'the last traces were not sent');
      });
    },
  };
}
