// Receipts: public, signed, of what was shown; changed they fail, taken back they are gone.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { COUNT, feedOf, heardAll, newSite, orders, running } from '../../../test/claims.ts';
import { address, ago, minutes } from '../../../test/make.ts';
import { admin, call, QUICK_FEEDS, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { countClaim } from './claims.ts';
import { canonical, isSignedBy } from './signing.ts';

let server: TestServer;
before(async () => {
  server = await startServer({}, undefined, undefined, QUICK_FEEDS);
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

test('its owner finds the receipts of what it said before, the newest first, and none of single acts', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 6);
  const id = await running(server, key);
  const at = `${server.url}/v1/sites/${key}/notifications`;
  const first = await receiptOf(key);
  const texts = { en: { other: 'Bought by {count} in {days} days' } };
  await call(`${at}/${id}`, 'PATCH', { texts }, { ...admin, 'if-match': '"2"' });
  const second = await receiptOf(key);
  const list = async (query = '', of = id) =>
    (await call(`${at}/${of}/receipts${query}`, 'GET', undefined, admin)).body;
  const { receipts, nextCursor } = await list();
  assert.deepEqual(
    receipts.map((one: Record<string, unknown>) => [one.receiptId, one.version, one.value, one.text]),
    [
      [second, 3, 6, 'Bought by 6 in 30 days'],
      [first, 2, 6, '6 people bought in 30 days'],
    ],
  );
  assert.equal(nextCursor, null);
  const { receipt } = (await look(first)).body;
  assert.deepEqual([receipts[1].asOf, receipts[1].window], [receipt.asOf, receipt.window]);
  const page = await list('?limit=1');
  const next = await list(`?limit=1&cursor=${page.nextCursor}`);
  assert.deepEqual([...page.receipts, ...next.receipts, next.nextCursor], [...receipts, null]);
  const act = { ...COUNT, kind: 'recent_activity', texts: { en: { other: '{name} bought {when}' } } };
  for (let n = 0; n < 5; n += 1) {
    const email = address();
    await call(`${server.url}/v1/leads/capture`, 'POST', { email, propertyId: key, anonId: randomUUID() });
    await orders(server, key, 1, { anonId: undefined, email, occurredAt: ago(minutes(60)) });
  }
  const acts = await running(server, key, act);
  await heardAll(server);
  assert.ok((await feedOf(server, key)).items.some((one) => one.id === acts));
  assert.deepEqual(await list('', acts), { ok: true, receipts: [], nextCursor: null });
  assert.equal((await call(`${at}/${randomUUID()}/receipts`, 'GET', undefined, admin)).status, 404);
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

test('the rows behind a receipt are all there, a page at a time, each once', async () => {
  const { key } = await newSite(server);
  const ids = await orders(server, key, 7);
  await running(server, key);
  const receipt = await receiptOf(key);
  const url = `${server.url}/v1/sites/${key}/receipts/${receipt}/evidence`;
  const found: string[] = [];
  const sizes: number[] = [];
  for (let cursor = ''; ; ) {
    const { status, body } = await call(`${url}?limit=3${cursor}`, 'GET', undefined, admin);
    assert.deepEqual([status, body.recounted], [200, 7]);
    found.push(...body.rows);
    sizes.push(body.rows.length);
    assert.equal(body.hasMore, body.nextCursor !== null);
    if (!body.hasMore) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  assert.deepEqual([sizes, found.toSorted()], [[3, 3, 1], ids.toSorted()]);
  assert.equal((await call(`${url}?cursor=nonsense`, 'GET', undefined, admin)).status, 400);
});

test('however many look at a receipt, its claim is counted again once for each feed that is built', async () => {
  const { key, siteId } = await newSite(server);
  const ids = await orders(server, key, 7);
  await running(server, key);
  const receipt = await receiptOf(key);
  const nows = await Promise.all(Array.from({ length: 20 }, async () => (await look(receipt)).body.now));
  assert.deepEqual(new Set(nows.map(({ asOf }) => asOf)).size, 1);
  assert.equal(nows[0].value, 7);
  await voided(key, ids[0]!, { anonId: randomUUID() });
  await stale(siteId);
  const { now } = (await look(receipt)).body;
  assert.equal(now.value, 6);
  assert.notEqual(now.asOf, nows[0].asOf);
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
  await server.database.owner.query('update receipts set value = 5 where site_id = $1', [siteId]);
  assert.equal((await look(receipt)).status, 200);
  await assert.rejects(
    inSites(server.database.app, siteId, (db) => db.query("update receipt_words set words = '{}'")),
    { code: '42501' },
  );
  await server.database.owner.query(
    "update receipt_words set words = jsonb_set(words, '{wordings,0,texts,en,one}', '\"only {count}\"') where site_id = $1",
    [siteId],
  );
  assert.equal((await look(receipt)).status, 500);
});

const patch = async (key: string, id: string, version: number, body: object) => {
  const url = `${server.url}/v1/sites/${key}/notifications/${id}`;
  const { status, body: said } = await call(url, 'PATCH', body, { ...admin, 'if-match': `"${version}"` });
  assert.equal(status, 200, JSON.stringify(said));
};
const evidenceOf = async (key: string, receipt: string) =>
  (await call(`${server.url}/v1/sites/${key}/receipts/${receipt}/evidence`, 'GET', undefined, admin)).body;
/** The next feed is built of what is stored now. */
async function stale(siteId: string): Promise<void> {
  const site = server.services.sites.list().find((one) => one.siteId === siteId)!;
  await server.services.feeds.showing(site, true);
}
const voided = (key: string, id: string, who: object) =>
  call(
    `${server.url}/v1/conversions`,
    'POST',
    { propertyId: key, id, kind: 'purchase', ...who, voidedAt: new Date().toISOString() },
    admin,
  );

test('a receipt is current only while it is shown: not below the minimum, not out of its hours, not while it rests', async () => {
  const { key } = await newSite(server);
  const ids = await orders(server, key, 5);
  const id = await running(server, key);
  const first = await receiptOf(key);
  const statusOf = async (receipt: string) => (await look(receipt)).body.status;
  assert.equal(await statusOf(first), 'current');
  await patch(key, id, 2, { status: 'paused' });
  assert.equal(await statusOf(first), 'superseded');
  const page = await call(`${server.url}/proof/${first}`, 'GET', undefined, { accept: 'text/html' });
  assert.match(page.body, /not being shown now/);
  await patch(key, id, 3, { status: 'running' });
  const second = await receiptOf(key);
  assert.deepEqual([await statusOf(first), await statusOf(second)], ['superseded', 'current']);
  const later = [((new Date().getUTCDay() + 1) % 7) + 1];
  await patch(key, id, 4, { schedule: { timeZone: 'UTC', weekdays: later } });
  assert.equal(await statusOf(second), 'superseded');
  await patch(key, id, 5, { schedule: {} });
  const third = await receiptOf(key);
  await voided(key, ids[0]!, { anonId: 'x-browser-1' });
  await heardAll(server);
  assert.equal(await statusOf(third), 'superseded');
});

test('every wording of a running test is in what is signed, and its page speaks the reader’s language', async () => {
  const { key } = await newSite(server);
  await orders(server, key, 5);
  const texts = { ...COUNT.texts, fr: { other: '{count} clients en {days} jours' } };
  const id = await running(server, key, { ...COUNT, texts });
  const before = await receiptOf(key);
  const warm = {
    en: { other: '{count} friends came in {days} days' },
    fr: { other: '{count} amis en {days} jours' },
  };
  const made = await call(
    `${server.url}/v1/sites/${key}/ab-tests`,
    'POST',
    { notificationId: id, variants: [{ key: 'plain' }, { key: 'warm', texts: warm }], goal: { of: 'leads' } },
    admin,
  );
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { testId } = made.body.test;
  await call(`${server.url}/v1/sites/${key}/ab-tests/${testId}/start`, 'POST', undefined, admin);
  await heardAll(server);
  const { variants } = (await feedOf(server, key)).items[0]!;
  const receipt = variants[0]!.receipt;
  assert.deepEqual(
    variants.map(({ text }) => text),
    ['5 people bought in 30 days', '5 friends came in 30 days'],
  );
  assert.notEqual(receipt, before, 'that of before holds not all of them');
  assert.equal(variants[1]!.receipt, receipt);
  const { body } = await look(receipt);
  assert.deepEqual(body.receipt.wordings, [
    { key: 'plain', texts },
    { key: 'warm', texts: warm },
  ]);
  assert.deepEqual((await look(before)).body.receipt.wordings, [{ key: 'a', texts }]);
  assert.equal((await look(before)).body.status, 'superseded');
  const { signature, keyId: _, ...signed } = body.receipt;
  const [{ publicKey }] = (
    await server.database.owner.query('select public_key as "publicKey" from proof_keys')
  ).rows;
  const bytes = Buffer.from(signature, 'base64url');
  assert.ok(isSignedBy(publicKey, canonical(signed), bytes));
  assert.ok(!isSignedBy(publicKey, canonical({ ...signed, wordings: [{ key: 'plain', texts }] }), bytes));
  const page = (language: string) =>
    call(`${server.url}/proof/${receipt}`, 'GET', undefined, {
      accept: 'text/html',
      'accept-language': language,
    });
  const french = (await page('fr-CA')).body;
  assert.match(french, /<blockquote lang="fr">5 clients en 30 jours/);
  for (const text of ['5 amis en 30 jours', '5 friends came in 30 days', '5 people bought in 30 days'])
    assert.ok(french.includes(`>${text}</dd>`), text);
  assert.match((await page('de')).body, /<blockquote lang="en">5 people bought in 30 days/);
});

test('a sum of days ends with the last one that is over: counted again it is the same, wherever the site moves', async () => {
  const { key, siteId } = await newSite(server);
  const [{ today, midnight }] = (
    await server.database.owner.query(
      'select site_day($1, now())::text as today, site_day_starts($1, site_day($1, now())) as midnight',
      [siteId],
    )
  ).rows;
  const there = (day: string, count: number) =>
    server.database.owner.query(
      `insert into visitor_days (site_id, day, visitor_id) select $1, $2::date - $3::integer, gen_random_uuid() from generate_series(1, $4)`,
      [siteId, today, day === 'today' ? 0 : Number(day), count],
    );
  await there('7', 5);
  await there('6', 4);
  await there('1', 3);
  await there('today', 6);
  const claim = { of: 'visitors', days: 7, minimum: 3 };
  await running(server, key, { ...COUNT, claim });
  const receipt = await receiptOf(key);
  const seen = (await look(receipt)).body;
  assert.deepEqual(
    [seen.receipt.value, seen.receipt.excluded, seen.receipt.window],
    [7, null, { from: new Date(midnight - 6 * 86_400_000).toISOString(), to: midnight.toISOString() }],
  );
  const page = await call(`${server.url}/proof/${receipt}`, 'GET', undefined, { accept: 'text/html' });
  assert.match(page.body, /how many they were is not counted/);
  await there('today', 4);
  const days = async () => (await evidenceOf(key, receipt)).recounted;
  assert.equal(await days(), 7);
  await call(`${server.url}/v1/sites/${key}`, 'PATCH', { settings: { timeZone: 'Asia/Tokyo' } }, admin);
  assert.deepEqual((await look(receipt)).body.receipt, seen.receipt);
});

test('whole days are those that lie in the days a claim names and are over: none is older, also when clocks change', async () => {
  for (const timeZone of ['UTC', 'America/Toronto', 'Asia/Kathmandu', 'Pacific/Apia']) {
    const { siteId } = await newSite(server, { timeZone });
    for (const at of [
      '2026-06-15T12:00:00Z',
      '2026-06-15T23:59:59Z',
      '2026-06-15T04:00:00Z',
      // the last hour of a day of 25, the first of the day after it, and a day of 23
      '2026-11-02T04:30:00Z',
      '2026-11-02T05:30:00Z',
      '2026-03-09T03:30:00Z',
    ])
      for (const days of [1, 2, 7, 30, 90]) {
        const claiming = { kind: 'count', claim: { of: 'visitors', where: {}, days, minimum: 3 } } as const;
        const { value, window } = await inSites(server.database.app, siteId, (tx) =>
          countClaim(tx, siteId, claiming, new Date(at)),
        );
        const where = `${days} days at ${at} in ${timeZone}: ${JSON.stringify(window)}`;
        const [from, to, now] = [window.from.getTime(), window.to.getTime(), Date.parse(at)];
        // without a day there is nothing that could be older
        assert.ok((from >= now - days * 86_400_000 || from === to) && from <= to && to <= now, where);
        const [{ whole }] = (
          await server.database.owner.query(
            'select site_day_starts($1, site_day($1, $2)) = $2 and site_day_starts($1, site_day($1, $3)) = $3 as whole',
            [siteId, window.from, window.to],
          )
        ).rows;
        assert.ok(whole, where);
        // all that lie in it: with one more it would be too long
        assert.ok(from - 25 * 3_600_000 < now - days * 86_400_000, where);
        assert.ok(now - to < 25 * 3_600_000, where);
        assert.equal(value, 0);
      }
  }
});

test('an act that was refunded, or whose person is to be left alone, has no receipt any more', async () => {
  const { key } = await newSite(server);
  const emails = ['Ada', 'Ben', 'Cem', 'Dan'].map(() => address());
  const ids: string[] = [];
  for (const email of emails) {
    await call(`${server.url}/v1/leads/capture`, 'POST', { email, propertyId: key, anonId: randomUUID() });
    ids.push(...(await orders(server, key, 1, { anonId: undefined, email, occurredAt: ago(minutes(40)) })));
  }
  const text = { en: { other: '{name} bought' } };
  await running(server, key, {
    ...COUNT,
    kind: 'recent_activity',
    claim: { ...COUNT.claim, minimum: 3 },
    texts: text,
  });
  const { items } = await feedOf(server, key);
  const receipts = new Map<string, string>();
  for (const { variants } of items) {
    const { recounted, rows, receipt } = await evidenceOf(key, variants[0]!.receipt);
    assert.deepEqual([recounted, rows.length, receipt.window], [1, 1, null]);
    receipts.set(rows[0], variants[0]!.receipt);
  }
  assert.deepEqual([...receipts.keys()].sort(), ids.toSorted());
  const [refunded, restricted, kept] = ids.map((id) => receipts.get(id)!);
  await voided(key, ids[0]!, { email: emails[0] });
  const { rows } = await server.database.owner.query('select lead_id as id from leads where email = $1', [
    emails[1],
  ]);
  await call(`${server.url}/v1/leads/${rows[0].id}/restrict`, 'POST', { all: true }, admin);
  for (const gone of [refunded!, restricted!]) {
    assert.equal((await look(gone)).status, 410);
    const { recounted, rows: behind } = await evidenceOf(key, gone);
    assert.deepEqual([recounted, behind.length], [0, 1]);
  }
  assert.equal((await look(kept!)).status, 200);
});

test('a message that stays for years has a receipt that is not about to end, and is never without its source', async () => {
  const { key, siteId } = await newSite(server);
  const source = { url: 'https://bakery.example/about', statedOn: '2026-01-31' };
  const message = { kind: 'message', name: 'm', source, texts: { en: { other: 'Since 1987' } } };
  const id = await running(server, key, { ...message, channels: ['page'] });
  const first = await receiptOf(key);
  await stale(siteId);
  assert.equal(await receiptOf(key), first);
  await server.database.owner.query(
    "update notifications set changed_at = changed_at - interval '1000 days' where notification_id = $1",
    [id],
  );
  await stale(siteId);
  const second = await receiptOf(key);
  assert.notEqual(second, first);
  const { body } = await look(second);
  const age = Date.now() - Date.parse(body.receipt.asOf);
  assert.ok(age >= 0 && age < 366 * 86_400_000, body.receipt.asOf);
  assert.equal(body.status, 'current');
  await stale(siteId);
  assert.equal(await receiptOf(key), second);
  const badge = await call(`${server.url}/v1/badge.svg?site=${key}&n=${id}`);
  assert.match(badge.body, /<title>Since 1987 · Source: bakery\.example\/about, 2026-01-31</);
  const frame = await call(`${server.url}/v1/feed.html?site=${key}`);
  assert.match(frame.body, /href="https:\/\/bakery\.example\/about"[^>]*>Source, 2026-01-31/);
});
