// A stand-in for the API in browser tests: serves the real snippet, records what pages send, and can misbehave.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa from 'koa';
import { ensureSnippet, snippetRoutes } from '../src/product/snippet/routes.ts';
import { mountRoutes } from './routes.ts';

export interface Sent {
  eventId: string;
  anonId?: string;
  eventType: string;
  path: string;
  timestamp: number;
  propertyId?: string;
  referrer?: string;
  utm?: Record<string, string>;
  props?: Record<string, unknown>;
  traffic?: {
    deviceType?: string;
    isConversion?: boolean;
    engagedTimeMs?: number;
    scrollDepthPercent?: number;
    webVitals?: Record<string, number>;
  };
}

export interface Recorded {
  method: string;
  url: string;
  contentType: string;
  referer: string;
  status: number;
  events: Sent[];
  /** Of a batch: the browser's clock when it was sent. */
  sentAt?: number;
  body: string;
}

/** Campaigns travel in the path, and are the server's to read: here in their plainest spelling. */
function readCampaign(event: Sent): Sent {
  const [path, query] = event.path.split('?') as [string, string?];
  const utm: Record<string, string> = {};
  const rest = (query ?? '').split('&').filter((pair) => {
    const [, name, value] = /^utm_(\w+)=(.*)$/.exec(pair) ?? [];
    if (name && value) utm[name] = decodeURIComponent(value).slice(0, 255);
    return pair && !name;
  });
  return {
    ...event,
    path: rest.length ? `${path}?${rest.join('&')}` : path,
    ...(Object.keys(utm).length && { utm }),
  };
}

/**
 * Starts it on a free port.
 * answer  what the next requests to /v1/events get; 202 unless set, 0 hangs up
 */
export async function startStub() {
  await ensureSnippet();
  const requests: Recorded[] = [];
  const stub = {
    url: '',
    requests,
    answer: 202,
    /** What GET /v1/feed answers, whatever it is; null: there is none. */
    feed: null as unknown,
    /** How often it was asked. */
    asked: 0,
    /** Events from before it are left out: a page that the last test closed may still be sending. */
    since: 0,
    /** Events of every request that was answered with a 2xx. */
    stored: () => stub.seen(requests.filter((one) => one.status < 300)),
    /** Events of every request, refused or not. */
    seen: (among = requests) =>
      among.flatMap((one) => one.events).filter((event) => event.timestamp >= stub.since),
    close: async () => {},
  };

  const app = new Koa();
  app.silent = true;
  app.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/v1/')) return next();
    let body = '';
    for await (const part of ctx.req) body += part;
    if (ctx.method === 'OPTIONS') {
      ctx.set({ 'Access-Control-Allow-Origin': '*', 'Access-Control-Allow-Headers': 'content-type' });
      ctx.status = 204;
      return;
    }
    if (ctx.path === '/v1/feed') {
      stub.asked += 1;
      ctx.set('Access-Control-Allow-Origin', '*');
      if (stub.feed === null) ctx.status = 404;
      else ctx.body = stub.feed;
      return;
    }
    const isEvents = ctx.path === '/v1/events';
    // A browser that goes there is sent back to the site; a script is told.
    const isForm = ctx.path === '/v1/leads/capture' && ctx.get('sec-fetch-mode') !== 'cors';
    const status = isEvents ? stub.answer : isForm ? 303 : 200;
    requests.push({
      method: ctx.method,
      url: ctx.url,
      contentType: ctx.get('content-type'),
      referer: ctx.get('referer'),
      status,
      body,
      ...(isEvents && body
        ? { sentAt: JSON.parse(body).sentAt, events: JSON.parse(body).events.map(readCampaign) }
        : { events: [] }),
    });
    if (status === 0) {
      ctx.req.socket.destroy();
      ctx.respond = false;
      return;
    }
    ctx.set('Access-Control-Allow-Origin', ctx.get('origin') || '*');
    ctx.status = status;
    if (status === 303) ctx.redirect(new URL('/thanks', ctx.get('referer')).href);
    else if (ctx.path === '/v1/pixel.gif') {
      ctx.type = 'image/gif';
      ctx.body = Buffer.from('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==', 'base64');
    } else ctx.body = { ok: status < 300 };
  });
  mountRoutes(app, snippetRoutes());

  const server = createServer(app.callback());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stub.close = () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return stub;
}
