// Serves HTTP: listens before there is a house, answers what is no HTTP at all, and drains when asked to stop.
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type Koa from 'koa';
import type { Config } from './config.ts';
import { errorBody } from './ground/http/errors.ts';
import { watchEnd } from './ground/http/response-end.ts';
import { AppError } from './ground/lib/app-error.ts';

// Whoever is slower than these holds the line: a form with its files is 10 MB, which a line of a megabit sends in 80 s.
const HEADERS_MS_MAX = 10_000;
export const REQUEST_MS_MAX = 150_000;
// Node looks for them this often; its own 30 s let a slow body live twice as long as it may.
const LOOK_EVERY_MS = 5_000;
/** 12 KB each: 12 MB. Caddy opens a thousand at most (caddy/Caddyfile), so that it is Caddy where others wait. */
const CONNECTIONS_MAX = 1_100;
const IDLE_LOOK_MS = 50;
const DRAIN_MS_MAX = 12_000; // the container is given 20 s, the contract 15

export interface Listening {
  url: string;
  port: number;
  /** Composes the app anew, after it has got its routes. */
  renew(): void;
  /** Finishes what came in; whoever keeps a connection open for longer is cut off. */
  drain(): Promise<void>;
  /** Cuts everyone off at once. */
  cut(): void;
}

export interface Patience {
  headersMs: number;
  requestMs: number;
  lookEveryMs: number;
  connectionsMax: number;
  drainMs: number;
}
const STANDARD: Patience = {
  headersMs: HEADERS_MS_MAX,
  requestMs: REQUEST_MS_MAX,
  lookEveryMs: LOOK_EVERY_MS,
  connectionsMax: CONNECTIONS_MAX,
  drainMs: DRAIN_MS_MAX,
};

/** throws  when the port is in use, saying what to do */
export async function listen(
  app: Pick<Koa, 'callback'>,
  config: Pick<Config, 'PORT' | 'HOST'>,
  patience = STANDARD,
): Promise<Listening> {
  let handle = app.callback();
  let draining = false;
  const times = {
    headersTimeout: patience.headersMs,
    requestTimeout: patience.requestMs,
    connectionsCheckingInterval: patience.lookEveryMs,
  };
  const server = createServer(times, (request, response) => {
    // a client that keeps its connection busy would keep us from ever ending
    if (draining) response.setHeader('Connection', 'close');
    watchEnd(response);
    return handle(request, response);
  });
  refuseWhatIsNoHttp(server);
  // Longer than Caddy keeps one idle (20 s, caddy/Caddyfile): it must never be us who close one it is about to use.
  server.keepAliveTimeout = 75_000;
  server.maxConnections = patience.connectionsMax;
  await opened(server, config);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${config.HOST.includes(':') ? `[${config.HOST}]` : config.HOST}:${port}`,
    port,
    renew() {
      handle = app.callback();
    },
    async drain() {
      draining = true;
      const closed = new Promise<void>((done) => server.close(() => done()));
      // again and again: what an answer that began before leaves open is idle only once that has ended
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_LOOK_MS);
      server.closeIdleConnections();
      // requests under way are answered by the engine's last writes
      await Promise.race([closed, new Promise((done) => setTimeout(done, patience.drainMs).unref())]);
      clearInterval(idle);
      server.closeAllConnections();
    },
    cut() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** In the same shape as anything else. */
function refuseWhatIsNoHttp(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    const body = JSON.stringify(
      errorBody(new AppError('invalid_request', 'This is not a request we can read.'), randomUUID()),
    );
    socket.end(
      `HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}

function opened(server: Server, { PORT, HOST }: Pick<Config, 'PORT' | 'HOST'>): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      failed(
        error.code === 'EADDRINUSE'
          ? new Error(`Port ${PORT} on ${HOST} is in use. Stop what uses it, or set PORT to another.`)
          : error,
      );
    });
    server.listen(PORT, HOST, done);
  });
}
