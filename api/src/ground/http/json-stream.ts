// JSON that is sent while it is read: an answer may be longer than what we may hold of it.
import { Readable } from 'node:stream';
import { Reply } from './reply.ts';

/** A list in pieces of JSON texts, one a member. */
export class Members {
  readonly pieces: AsyncIterable<string[]>;
  constructor(pieces: AsyncIterable<string[]>) {
    this.pieces = pieces;
  }
}

/**
 * An answer of status 200; what breaks while it is sent breaks the connection, so that nobody takes a part for all.
 * body  objects, in it lists that come in pieces, and functions: called when their turn comes
 */
export function streamedJson(body: object): Reply {
  return new Reply(200, Readable.from(textsOf({ ok: true, ...body }), { objectMode: false }), {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
  });
}

async function* textsOf(value: unknown): AsyncGenerator<string> {
  if (value instanceof Members) {
    let before = '[';
    for await (const lines of value.pieces) {
      yield before + lines.join(',');
      before = ',';
    }
    yield before === '[' ? '[]' : ']';
  } else if (Array.isArray(value)) {
    for (const [n, member] of value.entries()) {
      yield n === 0 ? '[' : ',';
      yield* textsOf(member);
    }
    yield value.length === 0 ? '[]' : ']';
  } else if (isObject(value)) {
    let before = '{';
    for (const [name, part] of Object.entries(value)) {
      if (part === undefined) continue;
      yield `${before}${JSON.stringify(name)}:`;
      yield* textsOf(typeof part === 'function' ? part() : part);
      before = ',';
    }
    yield before === '{' ? '{}' : '}';
  } else yield JSON.stringify(value);
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
