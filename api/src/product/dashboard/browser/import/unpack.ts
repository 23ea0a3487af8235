// Files of an export as text streams: a zip's entries one by one, gzip by its first bytes, all by what browsers bring. Pure.

export interface Entry {
  name: string;
  open(): ReadableStream<Uint8Array>;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
/** The end record, and the longest comment behind it. */
const END_BYTES_MAX = 22 + 65_535;

const viewOf = async (blob: Blob): Promise<DataView> => new DataView(await blob.arrayBuffer());
const streamOf = (blob: Blob): ReadableStream<Uint8Array> => blob.stream() as ReadableStream<Uint8Array>;
const unpacked = (blob: Blob, how: 'gzip' | 'deflate-raw') =>
  streamOf(blob).pipeThrough(new DecompressionStream(how) as never) as ReadableStream<Uint8Array>;

export class NotReadable extends Error {}

async function entriesOfZip(file: Blob): Promise<Entry[]> {
  const tailAt = Math.max(0, file.size - END_BYTES_MAX);
  const tail = await viewOf(file.slice(tailAt));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
  if (end < 0) throw new NotReadable('zip');
  const count = tail.getUint16(end + 10, true);
  const [size, at] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
  if (count === 0xffff || at === 0xffffffff) throw new NotReadable('zip64');
  const list = await viewOf(file.slice(at, at + size));
  const entries: Entry[] = [];
  for (let pos = 0, n = 0; n < count; n += 1) {
    if (list.getUint32(pos, true) !== ENTRY) throw new NotReadable('zip');
    const method = list.getUint16(pos + 10, true);
    const packedBytes = list.getUint32(pos + 20, true);
    const [named, extra, comment] = [28, 30, 32].map((offset) => list.getUint16(pos + offset, true)) as [
      number,
      number,
      number,
    ];
    const local = list.getUint32(pos + 42, true);
    const name = new TextDecoder().decode(new Uint8Array(list.buffer, pos + 46, named));
    pos += 46 + named + extra + comment;
    if (name.endsWith('/')) continue;
    if (method !== 0 && method !== 8) throw new NotReadable('zip');
    const head = await viewOf(file.slice(local, local + 30));
    const from = local + 30 + head.getUint16(26, true) + head.getUint16(28, true);
    const body = file.slice(from, from + packedBytes);
    entries.push({ name, open: () => (method === 8 ? unpacked(body, 'deflate-raw') : streamOf(body)) });
  }
  return entries;
}

/** A zip's entries, or the file itself. throws  NotReadable */
export async function entriesOf({ name, blob }: { name: string; blob: Blob }): Promise<Entry[]> {
  const first = new Uint8Array(await blob.slice(0, 4).arrayBuffer());
  if (first[0] === 0x50 && first[1] === 0x4b) return entriesOfZip(blob);
  if (first[0] === 0x1f && first[1] === 0x8b)
    return [{ name: name.replace(/\.gz$/, ''), open: () => unpacked(blob, 'gzip') }];
  return [{ name, open: () => streamOf(blob) }];
}
