// A collector of traces: a real server on this machine that takes OTLP over HTTP, as JSON, and keeps what came.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Span {
  traceId: string;
  parentSpanId?: string;
  name: string;
  kind: number;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: Record<string, unknown>;
  /** 2: an error. */
  status: { code?: number };
}

export interface Collector {
  url: string;
  port: number;
  /** Every sending: where to, with which headers, and all of it as text. */
  sendings: { path: string; headers: IncomingHttpHeaders; text: string }[];
  spans: Span[];
  /** Of the process that sent. */
  resource: Record<string, unknown>;
  /** hang: takes it and says nothing. */
  answer: number | 'hang';
  /** Resolves when a sending has come. */
  next(): Promise<void>;
  close(): Promise<void>;
}

interface KeyValue {
  key: string;
  value: { stringValue?: string; intValue?: number };
}
const record = (list: KeyValue[] = []) =>
  Object.fromEntries(list.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value]));

export async function makeCollector(port = 0): Promise<Collector> {
  let waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      collector.sendings.push({ path: request.url!, headers: request.headers, text });
      for (const { resource, scopeSpans } of JSON.parse(text).resourceSpans) {
        collector.resource = record(resource.attributes);
        for (const { spans } of scopeSpans)
          for (const span of spans) collector.spans.push({ ...span, attributes: record(span.attributes) });
      }
      for (const wake of waiting.splice(0)) wake();
      if (collector.answer === 'hang') return;
      response.writeHead(collector.answer, { 'content-type': 'application/json' });
      response.end('{}');
    });
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const own = (server.address() as AddressInfo).port;
  const collector: Collector = {
    url: `http://127.0.0.1:${own}`,
    port: own,
    sendings: [],
    spans: [],
    resource: {},
    answer: 200,
    next: () => new Promise((done) => waiting.push(done)),
    close() {
      waiting = [];
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
  return collector;
}
