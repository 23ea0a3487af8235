// Receipts: public, signed, of what was shown; changed they fail, taken back they are gone.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { COUNT, feedOf, newSite, orders, running } from '../../../test/claims.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { canonical, isSignedBy } from './signing.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const receiptOf = async (key: string) => (await feedOf(server, key)).items[0]!.variants[0]!.receipt;
const look = (receipt: string) => call(`${server.url}/v1/proof/${receipt}`);

test('anybody can check a receipt with the public key alone, and nothing of it can be changed', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 6, { products: ['rye'] });
  await running(server, key, { ...COUNT, claim: { ...COUNT.claim, where: { product: 'rye' } } });
  const { status, body } = await look(await receiptOf(key));
  assert.equal(status, 200);
  const { signature, keyId, ...signed } = body.receipt;
  assert.deepEqual(
    [signed.text, signed.value, signed.minimum, signed.basis, body.status, body.now.value],
    ['6 people bought in 30 days', 6, 5, 'counted', 'current', 6],
  );
  const keys = (await call(`${server.url}/.well-known/proof-keys.json`)).body.keys;
  const publicKey = Buffer.from(keys.find(({ kid }: { kid: string }) => kid === keyId).x, 'base64url');
  const bytes = Buffer.from(signature, 'base64url');
  assert.ok(isSignedBy(publicKey, canonical(signed), bytes));
  for (const change of [
    { value: 7 },
    { text: '7 people' },
    { asOf: '2020-01-01T00:00:00.000Z' },
    { minimum: 3 },
  ])
    assert.ok(!isSignedBy(publicKey, canonical({ ...signed, ...change }), bytes));
});

test('a receipt is made once for a value; when it falls a new one takes its place, and when the notification ends it is withdrawn', async () => {
  const { key } = await newSite(server);
  const ids = await orders(server, key, 6);
  const id = await running(server, key);
  const change = (version: number, body: object) =>
    call(`${server.url}/v1/sites/${key}/notifications/${id}`, 'PATCH', body, {
      ...admin,
      'if-match': `"${version}"`,
    });
  const first = await receiptOf(key);
  assert.equal(await receiptOf(key), first);
  const voided = {
    propertyId: key,
    id: ids[0],
    kind: 'purchase',
    anonId: 'a-browser-1',
    voidedAt: new Date().toISOString(),
  };
  await call(`${server.url}/v1/conversions`, 'POST', voided, admin);
  await change(2, { priority: 1 });
  const second = await receiptOf(key);
  assert.notEqual(second, first);
  const [old, now] = [await look(first), await look(second)];
  assert.deepEqual([old.body.status, old.body.receipt.value, old.body.now.value], ['superseded', 6, 5]);
  assert.deepEqual(
    [now.body.status, now.body.receipt.value, now.body.receipt.excluded.voided],
    ['current', 5, 1],
  );
  await change(3, { status: 'ended' });
  assert.equal((await look(second)).body.status, 'withdrawn');
});

test('its owner sees the rows behind it and the number counted again; nobody else does', async () => {
  const { key, siteId } = await newSite(server);
  const ids = await orders(server, key, 5);
  await running(server, key);
  const receipt = await receiptOf(key);
  const evidence = (site: string, headers = admin as Record<string, string>) =>
    call(`${server.url}/v1/sites/${site}/receipts/${receipt}/evidence`, 'GET', undefined, headers);
  const { body } = await evidence(siteId);
  assert.deepEqual([body.recounted, body.rows, body.hasMore], [5, ids.sort(), false]);
  assert.equal((await evidence((await newSite(server)).siteId)).status, 404);
  assert.equal((await evidence(siteId, {})).status, 401);
});

test('the page of a receipt says it in words, and what is no receipt is 404', async () => {
  const { key } = await newSite(server);
  const source = { url: 'https://bakery.example/about', statedOn: '2026-01-31' };
  await running(server, key, {
    kind: 'message',
    name: 'm',
    source,
    texts: { en: { other: 'Since <1987>' } },
  });
  const receipt = await receiptOf(key);
  const page = await call(`${server.url}/proof/${receipt}`, 'GET', undefined, {
    accept: 'text/html',
    'accept-language': 'fr',
  });
  assert.match(page.body, /<blockquote lang="en">Since &lt;1987&gt;/);
  assert.match(page.body, /affirmation du propriétaire/);
  assert.match(page.body, /href="https:\/\/bakery\.example\/about"/);
  for (const wrong of [randomUUID(), 'x', 'A'.repeat(22), '%00'])
    assert.equal((await look(wrong)).status, 404, wrong);
});

test('what was changed in the database is no receipt any more', async () => {
  const { key, siteId } = await newSite(server);
  await orders(server, key, 5);
  await running(server, key);
  const receipt = await receiptOf(key);
  await assert.rejects(
    inSites(server.database.app, siteId, (db) => db.query('update receipts set value = 500')),
    { code: '42501' },
  );
  await server.database.owner.query('update receipts set value = 500 where site_id = $1', [siteId]);
  assert.equal((await look(receipt)).status, 500);
});

test('random orders, refunds and erasures: what is shown is what a recount finds', async () => {
  const { key, siteId } = await newSite(server);
  let seed = Number(process.env.SEED ?? 4711);
  const next = (below: number) => {
    seed = (seed * 48271) % 2147483647;
    return seed % below;
  };
  const id = await running(server, key, { ...COUNT, claim: { of: 'purchases', days: 30, minimum: 3 } });
  const alive: string[] = [];
  let version = 2;
  for (let step = 0; step < Number(process.env.STEPS ?? 15); step += 1) {
    if (next(3) > 0 || alive.length === 0) alive.push(...(await orders(server, key, 1 + next(3))));
    else {
      const [gone] = alive.splice(next(alive.length), 1);
      const voided = {
        propertyId: key,
        id: gone,
        kind: 'purchase',
        anonId: 'a-browser-1',
        voidedAt: new Date().toISOString(),
      };
      await call(`${server.url}/v1/conversions`, 'POST', voided, admin);
    }
    await call(
      `${server.url}/v1/sites/${key}/notifications/${id}`,
      'PATCH',
      { priority: step % 100 },
      { ...admin, 'if-match': `"${version}"` },
    );
    version += 1;
    const { items } = await feedOf(server, key);
    assert.equal(items.length > 0, alive.length >= 3, `step ${step}`);
    if (items[0]) {
      const { receipt, text } = items[0].variants[0]!;
      const { body } = await call(
        `${server.url}/v1/sites/${siteId}/receipts/${receipt}/evidence`,
        'GET',
        undefined,
        admin,
      );
      assert.equal(body.recounted, alive.length, `step ${step}`);
      assert.ok(text.startsWith(`${alive.length} `), `step ${step}: ${text}`);
    }
  }
});
