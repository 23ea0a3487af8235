// What happened is told with its cause or not at all, in an order without gaps.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { insertNews } from './queries.ts';
import { NEWS_TYPES, OUTGOING_TYPES, TYPES } from './types.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const capture = (email = address()) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), path: '/contact' });
const convert = (body: object) => call(`${server.url}/v1/conversions`, 'POST', body, admin);
const news = (from = 0) => server.services.outbox.read(siteId, from, 1000);

test('nothing is written while nobody listens', async () => {
  await capture();
  assert.deepEqual(await news(), []);
  await server.services.outbox.listenADay(siteId, Date.now() - 2 * 86_400_000);
  await capture();
  assert.deepEqual(await news(), [], 'nor when who listened has been away for a day');
});

test('a lead and a conversion are told once, by ids, and a refund is told as one', async () => {
  await server.services.outbox.listenADay(siteId);
  const email = address();
  const { body } = await capture(email);
  assert.equal((await capture(email)).status, 200);
  const order = { id: 'order-1', kind: 'purchase', email, amount: '49.90', currency: 'CAD' };
  for (let i = 0; i < 2; i += 1) await convert(order);
  await convert({ ...order, voidedAt: '2026-01-31T12:00:00Z' });
  const told = await news();
  assert.deepEqual(
    told.map(({ seq, type, data }) => [seq, type, data.isNew ?? data.voidedAt]),
    [
      // one number is left out after a time in which nobody was told
      [2, 'lead.captured', true],
      [3, 'lead.captured', false],
      [4, 'conversion.recorded', null],
      [5, 'conversion.recorded', '2026-01-31T12:00:00.000Z'],
    ],
  );
  assert.equal(told[2]!.data.amount, '49.9');
  assert.equal(JSON.stringify(told).includes(email), false, 'no address');
  assert.ok(JSON.stringify(told).includes(String(told[0]!.data.leadId)) && body.ok);
});

test('who reads by the last number misses nothing of many who write at once, and what is rolled back leaves no number', async () => {
  const { app } = server.database;
  const [before] = (await news()).slice(-1);
  const start = before?.seq ?? 0;
  let isOver = false;
  const seen: number[] = [];
  const reading = (async () => {
    for (let last = start; !isOver || (await news(last)).length > 0; ) {
      for (const { seq } of await news(last)) {
        seen.push(seq);
        last = seq;
      }
    }
  })();
  const write = async (n: number) => {
    const work = inSites(app, siteId, async (tx) => {
      await insertNews(tx, siteId, 'lead.captured', { n });
      if (n % 5 === 0) throw new Error('rolled back');
    });
    await work.catch((error: Error) => assert.equal(error.message, 'rolled back'));
  };
  for (let round = 0; round < 20; round += 1)
    await Promise.all(Array.from({ length: 10 }, (_, i) => write(round * 10 + i)));
  isOver = true;
  await reading;
  assert.deepEqual(
    seen,
    Array.from({ length: 160 }, (_, i) => start + 1 + i),
  );
});

test('an erasure takes what was told of its person along', async () => {
  const email = address();
  await capture(email);
  const { leadId } = (await news()).at(-1)!.data;
  await convert({ id: `for ${email}`, kind: 'signup', email: address() });
  const erased = await call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);
  assert.equal(erased.status, 200);
  const left = JSON.stringify(await news());
  assert.equal(left.includes(String(leadId)) || left.includes(email), false);
});

test('however much happens, ten thousand a site stay', async () => {
  const { owner } = server.database;
  await owner.query('update outbox_heads set last_seq = 20498 where site_id = $1', [siteId]);
  await inSites(server.database.app, siteId, async (tx) => {
    assert.equal(await insertNews(tx, siteId, 'lead.captured', {}), 20_499);
    await insertNews(tx, siteId, 'lead.captured', {});
  });
  const { wholeSince, lastSeq } = await server.services.outbox.ends(siteId);
  assert.deepEqual([wholeSince, lastSeq], [20_498, 20_500]);
});

test('the pages about webhooks and the stream name every type that is told, and no other', () => {
  const namedIn = (page: string) => {
    const text = readFileSync(new URL(`../../../../docs/${page}`, import.meta.url), 'utf8');
    return [...text.matchAll(/^\| `([a-z_]+(?:\.[a-z]+)?)` \|/gm)].map(([, type]) => type!).sort();
  };
  assert.deepEqual(namedIn('webhooks.md'), OUTGOING_TYPES.toSorted());
  assert.deepEqual(namedIn('stream.md'), [...NEWS_TYPES, 'counts'].sort());
});

test('what is told is ids, numbers and times: no example holds an address', () => {
  for (const [type, { sample }] of Object.entries(TYPES))
    for (const value of Object.values(sample))
      assert.ok(value === null || !String(value).includes('@'), type);
});

test('a conversion that somebody called by an address is told without it', async () => {
  const email = address();
  const from = (await news()).at(-1)?.seq ?? 0;
  for (const id of [`order of ${email}`, email.replace('@', '%40')])
    await convert({ id, kind: 'purchase', email });
  const told = await news(from);
  assert.deepEqual(
    told.map(({ data }) => data.conversionId),
    ['order of [email]', '[email]'],
  );
});
