// Limits are held in tables that nobody can fill.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runConfined } from '../../../test/container.ts';
import { clientIdentifier } from './client.ts';
import { LIMITS, rateLimits } from './rate-limit.ts';
import { windows } from './windows.ts';

test('a key has its points a window, whatever others take', () => {
  let now = 1000;
  const table = windows({ points: 3, ms: 60_000, keysMax: 10 }, () => now);
  assert.deepEqual([table.take('a'), table.take('a', 2), table.take('a')], [null, null, 60_000]);
  assert.equal(table.take('b', 3), null);
  assert.deepEqual([table.look('a'), table.look('b'), table.look('c')], [60_000, 60_000, null]);
  now += 59_999;
  assert.equal(table.take('a'), 1);
  now += 1;
  assert.equal(table.take('a'), null);
});

test('what is too large for what is left takes nothing from it', () => {
  const table = windows({ points: 10, ms: 60_000, keysMax: 10 }, () => 0);
  assert.equal(table.take('a', 8), null);
  assert.notEqual(table.take('a', 5), null);
  assert.equal(table.take('a', 2), null);
});

test('a full table forgets what ended, then the oldest; never does it grow', () => {
  let now = 0;
  const table = windows({ points: 1, ms: 60_000, keysMax: 1000 }, () => now);
  for (let n = 0; n < 5000; n += 1) {
    assert.equal(table.take(`key ${n}`), null);
    assert.ok(table.size <= 1000);
  }
  assert.notEqual(table.take('key 4999'), null, 'the youngest are known');
  assert.equal(table.take('key 3000'), null, 'the oldest gave way');
  now = 60_001;
  table.take('later');
  assert.equal(table.size, 1);
});

const identify = clientIdentifier(['127.0.0.1'], 'a pepper for the tests only');
const clientAt = (address: string) =>
  identify({ headers: { 'x-real-ip': address }, socket: { remoteAddress: '127.0.0.1' } } as never);

test('beyond ten thousand clients a minute, those of one IPv6 /48 share a bucket; others have their own', async () => {
  const limits = rateLimits(true);
  const isTaken = (address: string, points = 1) => {
    try {
      limits.take(clientAt(address), 'capture', points);
      return true;
    } catch {
      return false;
    }
  };
  for (let n = 0; n < 10_000; n += 1) assert.ok(isTaken(`2001:db8:1:${n.toString(16)}::1`));
  let taken = 0;
  for (let n = 10_000; n < 11_000; n += 1) taken += isTaken(`2001:db8:1:${n.toString(16)}::1`) ? 1 : 0;
  assert.equal(taken, LIMITS.capture * 16);
  assert.ok(isTaken('2001:db8:2::1'), 'another network');
  assert.ok(isTaken('192.0.2.1', LIMITS.capture), 'an IPv4 address');
  assert.equal(isTaken('192.0.2.1'), false);
});

test('hundreds of thousands of networks that ask once do not end a process of the container’s size', async () => {
  const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const said = await runConfined(`
    const { rateLimits } = await import(${url('rate-limit.ts')});
    const { captureLimits } = await import(${url('../../product/captures/limits.ts')});
    const [limits, captures] = [rateLimits(true), captureLimits(true)];
    for (let n = 0; n < 400_000; n += 1) {
      const client = { limitKey: 'client ' + n, networkKey: n % 2 ? 'network ' + (n >> 8) : null };
      try { limits.take(client, n % 3 ? 'other' : 'events'); } catch {}
      captures.take([n >> 16, (n >> 8) & 255, n & 255, 1].join('.'));
      captures.tooMany('site ' + n, 'address ' + n, 'words ' + n);
      captures.hasRoom('client ' + n, 500);
    }
    console.log('alive');`);
  assert.match(said, /alive/);
});
