// What must outlast a power cut: written whole, and on the disk with its folder's entry before anyone is told.
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A name is only safe once its folder is on the disk too. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder, and those above it, readable by us only. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === first || made === dirname(made)) return;
  }
}

/** Writes a file anew; its contents are on the disk, its name is not yet. */
export async function writeSynced(path: string, text: string): Promise<void> {
  const handle = await open(path, 'w', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Puts a text in a file's place: at every moment the file is whole, the old one or the new. What a crash leaves is named .partial. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  await writeSynced(`${path}.partial`, text);
  await renameDurably(`${path}.partial`, path);
}

/** Begins a file that only we write. throws EEXIST */
export async function createDurably(path: string): Promise<FileHandle> {
  const file = await open(path, 'ax', 0o600);
  try {
    await syncFolder(dirname(path));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

type Appending = Pick<FileHandle, 'write' | 'datasync'>;

/**
 * Appends to a file that only we write: all of it, or on any fault nothing. After a fault the file is not to be
 * written any more: whether what a failed sync left unwritten will ever be, nobody can say.
 */
export async function appendWhole(
  file: Appending & Pick<FileHandle, 'stat' | 'truncate'>,
  text: string,
): Promise<void> {
  const bytes = Buffer.from(text);
  const { size } = await file.stat();
  try {
    for (let written = 0; written < bytes.length; ) written += await writeSome(file, bytes.subarray(written));
    await file.datasync();
  } catch (error) {
    await file.truncate(size).catch(() => {}); // should this fail too, the piece is read as torn, or played once too often
    throw error;
  }
}

/**
 * Appends to a file that others append to at the same time. A piece that came out short can't be gone on with (theirs
 * may follow it), nor be cut off (theirs would go with it): it stays, torn, and all of it is written again. So a text
 * has to begin with a line's end.
 */
export async function appendAmongOthers(file: Appending, text: string): Promise<void> {
  const bytes = Buffer.from(text);
  while ((await writeSome(file, bytes)) < bytes.length);
  await file.datasync();
}

async function writeSome(file: Appending, bytes: Buffer): Promise<number> {
  const { bytesWritten } = await file.write(bytes);
  if (bytesWritten === 0 && bytes.length > 0)
    throw Object.assign(new Error('the disk took nothing'), { code: 'EIO' });
  return bytesWritten;
}

/** Appends to a file that only we write, made if absent. */
export async function appendDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'a', 0o600);
  try {
    await appendWhole(file, text);
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
}
