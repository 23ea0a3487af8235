// The bench's client: raw sockets with prepared requests, so that making load costs next to nothing itself.
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { uuidv7 } from '../src/product/events/enrich.ts';

const BROWSER =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';

/** Events of visits of five page views each; one in five visits by a campaign, one event in fifty sent twice. */
export function* visits(): Generator<Record<string, unknown>> {
  for (let visit = 0; ; visit += 1) {
    const anonId = randomUUID();
    for (let page = 0; page < 5; page += 1) {
      const event = {
        eventId: uuidv7(), // as the snippet makes them
        anonId,
        eventType: page === 4 ? 'cta_click' : 'page_view',
        path:
          page === 0 && visit % 5 === 0 ? '/landing?utm_source=news&utm_campaign=spring' : `/page-${page}`,
        timestamp: Date.now(),
        referrer: page === 0 ? 'https://www.google.com/' : 'https://bakery.example/',
        traffic: { deviceType: 'desktop', engagedTimeMs: 1200, scrollDepthPercent: 60 },
        props: { plan: 'pro', position: page },
      };
      yield event;
      if ((visit * 5 + page) % 50 === 0) yield event;
    }
  }
}

/** The page that the bench's site lists. */
export const PAGE_ORIGIN = 'https://bakery.example';

/** Single page views of people who were here before, each time of another one: nobody begins twice within a round of all. */
export function* returns(people: number): Generator<Record<string, unknown>> {
  const known = Array.from({ length: people }, () => randomUUID());
  for (let at = 0; ; at += 1) {
    yield {
      eventId: uuidv7(),
      anonId: known[at % people],
      eventType: 'page_view',
      path: `/page-${at % 50}`,
      timestamp: Date.now(),
      referrer: `${PAGE_ORIGIN}/`,
      traffic: { deviceType: 'desktop', engagedTimeMs: 1200, scrollDepthPercent: 60 },
      props: { plan: 'pro', position: at % 5 },
    };
  }
}

/** What a browser sends beside its event: its page's origin, and (through our own proxy) an address of the visitor's own. */
export function ofBrowser(body: string): string {
  const at = body.indexOf('"anonId":"') + 10;
  const part = (from: number) => Number.parseInt(body.slice(at + from, at + from + 2), 16);
  return `Origin: ${PAGE_ORIGIN}\r\nX-Real-IP: 10.${part(0)}.${part(2)}.${part(4)}\r\n`;
}

export interface Load {
  events: number;
  seconds: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
  errors: number;
}

interface LoadOptions {
  port: number;
  path: string;
  connections: number;
  seconds: number;
  /** Events a second over all connections; absent: as fast as answers come. */
  rate?: number;
  eventsPerRequest?: number;
  /** Header lines, each ended by CRLF; made for a body. */
  headers?: string | ((body: string) => string);
  body?: (source: Generator<Record<string, unknown>>) => string;
  source?: Generator<Record<string, unknown>>;
}

/** Sends for so many seconds and measures from the request's first byte to the answer's last. */
export async function load(options: LoadOptions): Promise<Load> {
  const { port, path, connections, seconds, rate, eventsPerRequest = 1 } = options;
  const { source = visits() } = options;
  const body =
    options.body ??
    ((events) =>
      eventsPerRequest === 1
        ? JSON.stringify(events.next().value)
        : JSON.stringify({ events: Array.from({ length: eventsPerRequest }, () => events.next().value) }));
  const times: number[] = [];
  let errors = 0;
  let sent = 0;
  const began = performance.now();
  const until = began + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await open(port);
      while (performance.now() < until) {
        if (rate !== undefined) {
          const due = began + (sent / rate) * 1000;
          sent += eventsPerRequest;
          const wait = due - performance.now();
          if (wait > 0) await new Promise((done) => setTimeout(done, wait));
        }
        const text = body(source);
        const start = performance.now();
        const status = await ask(
          socket,
          `POST ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${BROWSER}\r\nContent-Type: application/json\r\n${(typeof options.headers === 'function' ? options.headers(text) : options.headers) ?? ''}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
        );
        if (status >= 200 && status < 300) times.push(performance.now() - start);
        else errors += 1;
      }
      socket.destroy();
    }),
  );
  return summed(times, began, errors, eventsPerRequest);
}

interface LookOptions extends Pick<LoadOptions, 'port' | 'path' | 'connections' | 'seconds'> {
  headers: string;
  /** Statuses that are as they should be. */
  wanted: readonly number[];
}

/** As load(), of a GET: an answer each counts as one. */
export async function loadOf({
  port,
  path,
  connections,
  seconds,
  headers,
  wanted,
}: LookOptions): Promise<Load> {
  const times: number[] = [];
  let errors = 0;
  const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ${BROWSER}\r\n${headers}\r\n`;
  const began = performance.now();
  const until = began + seconds * 1000;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await open(port);
      while (performance.now() < until) {
        const start = performance.now();
        if (wanted.includes(await ask(socket, request))) times.push(performance.now() - start);
        else errors += 1;
      }
      socket.destroy();
    }),
  );
  return summed(times, began, errors);
}

function summed(times: number[], began: number, errors: number, of = 1): Load {
  times.sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round((times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0) * 100) / 100;
  return {
    events: times.length * of,
    seconds: (performance.now() - began) / 1000,
    p50: at(0.5),
    p99: at(0.99),
    errors,
  };
}

function open(port: number): Promise<Socket> {
  return new Promise((done, failed) => {
    const socket = connect(port, '127.0.0.1', () => done(socket));
    socket.setNoDelay(true);
    socket.once('error', failed);
  });
}

function ask(socket: Socket, request: string): Promise<number> {
  return new Promise((done, failed) => {
    let answer = '';
    const onData = (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const end = answer.indexOf('\r\n\r\n');
      if (end < 0) return;
      const status = Number(answer.slice(9, 12));
      const length = /content-length: (\d+)/i.exec(answer.slice(0, end))?.[1];
      // a 304 has no body, whatever it says of one
      if (status !== 304 && (!length || answer.length < end + 4 + Number(length))) return;
      socket.off('data', onData);
      socket.off('error', failed);
      done(status);
    };
    socket.on('data', onData);
    socket.once('error', failed);
    socket.write(request);
  });
}
