// A file that is served from memory: compressed once, and sent in the encoding that the client takes.
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Call } from './call.ts';
import { Reply } from './reply.ts';

export interface Packed {
  plain: Buffer;
  gzip: Buffer;
  brotli: Buffer;
}

export const pack = (plain: Buffer): Packed => ({
  plain,
  gzip: gzipSync(plain, { level: 9 }),
  brotli: brotliCompressSync(plain),
});

export function packedReply(
  call: Call,
  { plain, gzip, brotli }: Packed,
  headers: Record<string, string>,
): Reply {
  // Ours to choose among equals: browsers name gzip first, and brotli is a tenth smaller.
  const encoding = call.acceptsEncoding(['br', 'gzip'] as const);
  const body = encoding === 'br' ? brotli : encoding === 'gzip' ? gzip : plain;
  return new Reply(200, body, {
    ...headers,
    Vary: 'Accept-Encoding',
    ...(encoding ? { 'Content-Encoding': encoding } : {}),
  });
}
