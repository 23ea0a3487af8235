// A certificate of erasure is found again by its id, with what was erased and no trace of whom.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const look = (path: string) => call(`${server.url}/v1/admin/${path}`, 'GET', undefined, admin);
async function erased(): Promise<{ email: string; erasureId: string; erased: Record<string, number> }> {
  const email = address();
  await call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon() });
  const { body } = await call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);
  return { email, ...body };
}

test('what the erasure answered is what its certificate says later, by its id and in the list, without a word of whose', async () => {
  const done = await erased();
  const { status, body } = await look(`erasures/${done.erasureId}`);
  const text = JSON.stringify(body);
  assert.equal(status, 200, text);
  const { erasure } = body;
  assert.deepEqual(erasure.erased, done.erased);
  assert.equal(
    erasure.rows,
    Object.values(done.erased).reduce((sum, n) => sum + n, 0),
  );
  assert.equal(erasure.cause, 'request');
  assert.match(erasure.emailHash, /^[0-9a-f]{64}$/);
  assert.ok(erasure.backupsUntil > erasure.erasedAt);
  assert.ok(!text.includes(done.email.split('@')[0]!));
  const { body: listed } = await look('erasures?limit=1');
  assert.deepEqual(listed.erasures, [erasure]);
});

test('the list goes on page by page, each once, the newest first', async () => {
  const made = [];
  for (let n = 0; n < 3; n += 1) made.push((await erased()).erasureId);
  const found = [];
  let cursor = '';
  do {
    const { body } = await look(`erasures?limit=2${cursor && `&cursor=${cursor}`}`);
    found.push(...body.erasures.map(({ erasureId }: { erasureId: string }) => erasureId));
    cursor = body.nextCursor ?? '';
  } while (cursor);
  assert.deepEqual(found.slice(0, 3), made.toReversed());
  assert.equal(new Set(found).size, found.length);
});

test('an id that nobody was given is said to be none', async () => {
  for (const id of [randomUUID(), 'nonsense']) assert.equal((await look(`erasures/${id}`)).status, 404);
});
