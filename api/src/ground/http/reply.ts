// What a route answers when it is not plain JSON with status 200: another status, headers, a page, a file, a stream.
import type { Readable } from 'node:stream';

/** A list: the header is sent once for each (Set-Cookie). */
export type ReplyHeaders = Record<string, string | string[]>;

export class Reply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  /** JSON when it is an object: sent with `ok: true` before it. null: nothing */
  readonly body: object | string | Buffer | Readable | null;

  constructor(status: number, body: Reply['body'] = null, headers: ReplyHeaders = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export const created = (body: object): Reply => new Reply(201, body);
