// What a route answers when it is not plain JSON with status 200: another status, headers, a page, a file, a stream.
import type { Readable } from 'node:stream';
import type { Context } from 'koa';

export class Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  /** JSON when it is an object: sent with `ok: true` before it. null: nothing */
  readonly body: object | string | Buffer | Readable | null;

  constructor(status: number, body: Reply['body'] = null, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export const created = (body: object): Reply => new Reply(201, body);

/** The answer as it is sent: `ok` first. */
export function jsonText(body: object): string {
  const text = JSON.stringify(body);
  return text === '{}' ? '{"ok":true}' : `{"ok":true,${text.slice(1)}`;
}

export function isJson(body: Reply['body']): body is object {
  return typeof body === 'object' && body !== null && !Buffer.isBuffer(body) && !('pipe' in body);
}

/** Sends JSON as a text: Koa looks an object over for streams, blobs and responses before it takes it for JSON. */
export function sendJson(ctx: Context, status: number, body: object): void {
  ctx.status = status;
  ctx.res.setHeader('Content-Type', 'application/json; charset=utf-8');
  ctx.body = jsonText(body);
}

export function send(ctx: Context, answer: object | Reply, status = 200): void {
  if (answer instanceof Reply) sendReply(ctx, answer);
  else sendJson(ctx, status, answer);
}

function sendReply(ctx: Context, { status, body, headers }: Reply): void {
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'Vary') ctx.vary(value);
    else ctx.set(name, value);
  }
  if (isJson(body)) {
    sendJson(ctx, status, body);
    return;
  }
  ctx.status = status;
  if (body !== null) ctx.body = body;
}
