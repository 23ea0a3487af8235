// The group commit, without a database.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Batcher, BatcherClosed, BatcherFull, type BatcherOptions, halves } from './batcher.ts';

const make = (
  options: Partial<BatcherOptions<number, number>> & Pick<BatcherOptions<number, number>, 'write'>,
) =>
  new Batcher<number, number>({
    apart: (_error, items) => halves(items),
    rowsPerWriteMax: 500,
    rowsWorthAWrite: 500,
    queuedRowsMax: 1000,
    queuedBytesMax: 1e6,
    spacingMs: { alone: 0, max: 0 },
    stillRows: 500,
    stillMs: 60_000,
    writesInFlightMax: 1,
    ...options,
  });

test('what arrives together is written together, and each gets its own answer', async () => {
  const writes: number[][] = [];
  const batcher = make({
    write: async (items) => {
      writes.push(items);
      return items.map((item) => item * 10);
    },
  });
  assert.deepEqual(await Promise.all([1, 2, 3].map((item) => batcher.add(item, 1))), [10, 20, 30]);
  assert.deepEqual(writes, [[1, 2, 3]]);
});

test('no write is larger or more parallel than allowed', async () => {
  let inFlight = 0;
  let most = 0;
  const sizes: number[] = [];
  const batcher = make({
    rowsPerWriteMax: 7,
    write: async (items) => {
      inFlight += 1;
      most = Math.max(most, inFlight);
      sizes.push(items.length);
      await new Promise((done) => setImmediate(done));
      inFlight -= 1;
      return items;
    },
  });
  await Promise.all(Array.from({ length: 50 }, (_, i) => batcher.add(i, 1)));
  assert.equal(most, 1);
  assert.ok(sizes.every((size) => size <= 7));
  assert.equal(
    sizes.reduce((sum, size) => sum + size, 0),
    50,
  );
});

test('enough rows are written however recent the last write, fewer wait for more', async () => {
  const sizes: number[] = [];
  const batcher = make({
    spacingMs: { alone: 60_000, max: 60_000 },
    rowsWorthAWrite: 3,
    write: async (items) => {
      sizes.push(items.length);
      return items;
    },
  });
  await batcher.add(0, 1); // the first is not held up
  const two = [1, 2].map((item) => batcher.add(item, 1)); // would wait a minute
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(sizes, [1]);
  await Promise.all([...two, batcher.add(3, 1)]);
  assert.deepEqual(sizes, [1, 3]);
});

test('when enough wait and nobody else comes they are written, however recent the last write', async () => {
  const sizes: number[] = [];
  const batcher = make({
    spacingMs: { alone: 60_000, max: 60_000 },
    stillRows: 3,
    stillMs: 1,
    write: async (items) => {
      sizes.push(items.length);
      return items;
    },
  });
  await batcher.add(0, 1);
  await Promise.all([1, 2, 3, 4].map((item) => batcher.add(item, 1))); // else they would wait a minute
  assert.deepEqual(sizes, [1, 4]);
});

test('a full queue says so at once, by rows and by bytes, and takes in again when it has room', async () => {
  let release = () => {};
  const gate = new Promise<void>((done) => {
    release = done;
  });
  const batcher = make({ queuedRowsMax: 3, queuedBytesMax: 100, write: (items) => gate.then(() => items) });
  const first = batcher.add(0, 1);
  await new Promise((done) => setImmediate(done)); // under way now
  const waiting = [1, 2, 3].map((item) => batcher.add(item, 1));
  await assert.rejects(batcher.add(4, 1), BatcherFull);
  release();
  await Promise.all([first, ...waiting]);
  const heavy = batcher.add(5, 100);
  await assert.rejects(batcher.add(6, 1), BatcherFull);
  await heavy;
  assert.equal(await batcher.add(7, 1), 7);
});

test('a failing batch is halved until the culprit stands alone', async () => {
  const batcher = make({
    write: async (items) => {
      if (items.includes(13)) throw new Error('thirteen');
      return items;
    },
  });
  const results = await Promise.allSettled(Array.from({ length: 32 }, (_, i) => batcher.add(i, 1)));
  assert.deepEqual(
    results.flatMap((result, i) => (result.status === 'rejected' ? [i] : [])),
    [13],
  );
});

test('a fault of the connection fails the batch without trying halves', async () => {
  let tries = 0;
  const batcher = make({
    apart: () => null,
    write: async () => {
      tries += 1;
      throw new Error('gone');
    },
  });
  const results = await Promise.allSettled([1, 2, 3].map((item) => batcher.add(item, 1)));
  assert.ok(results.every((result) => result.status === 'rejected'));
  assert.equal(tries, 1);
});

test('close answers what was taken in and takes nothing more', async () => {
  const batcher = make({ spacingMs: { alone: 60_000, max: 60_000 }, write: async (items) => items });
  await batcher.add(0, 1);
  const waiting = batcher.add(1, 1); // would wait a minute
  await batcher.close();
  assert.equal(await waiting, 1);
  await assert.rejects(batcher.add(2, 1), BatcherClosed);
});
