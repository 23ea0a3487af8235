// Sends what was read: batch by batch, each under its number, so that a second try sends nothing twice.
import { BATCH_ROWS_MAX } from '../../../imports/kinds.ts';
import type { Import } from '../../../imports/schema.ts';
import { ask } from '../lib/ask.ts';
import type { Read } from './read.ts';

const hex = (bytes: ArrayBuffer) =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** path  of the site's imports. throws  Refusal */
export async function beginImport(
  path: string,
  { source }: Read,
  files: readonly File[],
  timezone: string,
): Promise<string> {
  const named = [];
  for (const file of files)
    named.push({
      name: file.name.slice(0, 255),
      sha256: hex(await crypto.subtle.digest('SHA-256', await file.arrayBuffer())),
    });
  const body = { source, files: named, timezone };
  return (await ask<{ import: Import }>(path, { body })).import.importId;
}

/** done  told after each batch, in rows. throws  Refusal */
export async function sendImport(
  path: string,
  { rows, sums }: Read,
  done: (count: number) => void,
): Promise<Import> {
  let seq = 0;
  let sent = 0;
  for (const [kind, all] of rows)
    for (let from = 0; from < all.length; from += BATCH_ROWS_MAX) {
      const batch = all.slice(from, from + BATCH_ROWS_MAX);
      await ask(`${path}/rows`, { body: { seq, kind, rows: batch } });
      seq += 1;
      sent += batch.length;
      done(sent);
    }
  const { visitors, visits, pageviews, bounces, seconds, events } = sums;
  const body = { rows: sent, sums: { visitors, visits, pageviews, bounces, seconds, events } };
  return (await ask<{ import: Import }>(`${path}/finish`, { body })).import;
}
