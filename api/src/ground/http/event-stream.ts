// Server-Sent Events: what all streams have in common. Who reads more slowly than things happen is cut off, and comes again.
import type { PassThrough } from 'node:stream';

/** A comment each, which shows that the line stands. */
export const BEAT_MS = 15_000;
/** Less than Caddy lets an answer last (10 m), so that it ends whole; then the browser comes again, with what it may do looked at anew. */
export const LIFE_MS = 9 * 60_000;

export const EVENT_STREAM = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  'X-Accel-Buffering': 'no',
};

/** Bytes that were written and not taken yet. */
export const unsentOf = (out: PassThrough): number =>
  out.destroyed ? 0 : out.readableLength + out.writableLength;

/** Writes, and ends the stream where more than that is unsent. */
export function writeOrCut(out: PassThrough, text: string, unsentBytesMax: number): void {
  if (out.destroyed || out.writableEnded) return;
  out.write(text);
  if (unsentOf(out) > unsentBytesMax) out.destroy();
}
