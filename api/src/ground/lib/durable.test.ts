// Writes that must outlast a power cut: whole or not there, whatever the disk does in between.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  appendAmongOthers,
  appendDurably,
  appendWhole,
  createDurably,
  makeFolder,
  replaceDurably,
} from './durable.ts';

const folder = mkdtempSync(join(tmpdir(), 'durable-'));
after(() => rmSync(folder, { recursive: true }));
const textOf = (path: string) => readFileSync(path, 'utf8');

/** A file whose writes take so many bytes at most, and fail once the disk holds so many more. */
async function onDisk(path: string, atOnce: number, room = Number.POSITIVE_INFINITY): Promise<FileHandle> {
  const file = await open(path, 'a');
  const write = file.write.bind(file) as (bytes: Buffer) => Promise<{ bytesWritten: number }>;
  let left = room;
  return Object.assign(file, {
    write: async (bytes: Buffer) => {
      if (left === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      const { bytesWritten } = await write(bytes.subarray(0, Math.min(atOnce, left)));
      left -= bytesWritten;
      return { bytesWritten };
    },
  }) as unknown as FileHandle;
}

test('a write that comes out short is gone on with until all of it is there', async () => {
  const path = join(folder, 'short');
  const file = await onDisk(path, 3);
  await appendWhole(file, '\nfirst €\n');
  await appendWhole(file, 'second\n');
  await file.close();
  assert.equal(textOf(path), '\nfirst €\nsecond\n');
});

test('a disk that is full in the middle of a write leaves nothing of it, and what was there before', async () => {
  const path = join(folder, 'full');
  writeFileSync(path, 'before\n');
  const file = await onDisk(path, 3, 5);
  await assert.rejects(appendWhole(file, 'too long for it\n'), { code: 'ENOSPC' });
  await file.close();
  assert.equal(textOf(path), 'before\n');
});

test('a disk that says nothing and takes nothing is a fault, not a wait for ever', async () => {
  const file = await onDisk(join(folder, 'nothing'), 0);
  await assert.rejects(appendWhole(file, 'a'), { code: 'EIO' });
  await assert.rejects(appendAmongOthers(file, 'a'), { code: 'EIO' });
  await file.close();
});

test('a sync that fails is a write that failed', async () => {
  const path = join(folder, 'unsynced');
  const file = await open(path, 'a');
  const failing = Object.assign(file, {
    datasync: () => Promise.reject(Object.assign(new Error('input/output error'), { code: 'EIO' })),
  });
  await assert.rejects(appendWhole(failing, 'a'), { code: 'EIO' });
  await file.close();
  assert.equal(textOf(path), '');
});

test('among others a torn piece stays alone and is written again whole; what others wrote between stays too', async () => {
  const path = join(folder, 'shared');
  const file = await open(path, 'a');
  const write = file.write.bind(file) as (bytes: Buffer) => Promise<{ bytesWritten: number }>;
  let isFirst = true;
  const torn = Object.assign(file, {
    write: async (bytes: Buffer) => {
      if (!isFirst) return write(bytes);
      isFirst = false;
      const result = await write(bytes.subarray(0, 4));
      writeFileSync(path, '\ntheirs', { flag: 'a' });
      return result;
    },
  }) as unknown as FileHandle;
  await appendAmongOthers(torn, '\nmy line');
  await file.close();
  assert.deepEqual(textOf(path).split('\n'), ['', 'my ', 'theirs', 'my line']);
});

test('a text takes the place of another, readable by us only, and nothing lies beside it', async () => {
  const path = join(folder, 'replaced', 'text');
  await makeFolder(join(folder, 'replaced'));
  await replaceDurably(path, 'one, and longer');
  await replaceDurably(path, 'two');
  assert.equal(textOf(path), 'two');
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(join(folder, 'replaced')), ['text']);
});

test('folders are made all the way down, and making them again changes nothing', async () => {
  const deep = join(folder, 'a', 'b', 'c');
  await makeFolder(deep);
  await makeFolder(deep);
  assert.equal(statSync(deep).mode & 0o777, 0o700);
  await appendDurably(join(deep, 'file'), 'one\n');
  await appendDurably(join(deep, 'file'), 'two\n');
  assert.equal(textOf(join(deep, 'file')), 'one\ntwo\n');
  await assert.rejects(createDurably(join(deep, 'file')), { code: 'EEXIST' });
});
