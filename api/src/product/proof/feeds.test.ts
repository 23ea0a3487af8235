// Feeds in memory: when they are built anew, and that what is sent stays small.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, mock, test } from 'node:test';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { newSite, orders, running } from '../../../test/claims.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { startServer, type TestServer } from '../../../test/server.ts';
import { makePool, type Pool } from '../../ground/db/pool.ts';
import { jsonText } from '../../ground/http/frame.ts';
import { makeLog } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import type { Built } from './build.ts';
import type { Feed } from './feed-shape.ts';
import { type Feeds, openFeeds } from './feeds.ts';
import { renderFeed } from './render.ts';
import { openSigner } from './signing.ts';

const LOG = makeLog(process.env.TEST_LOG ?? 'silent');
let server: TestServer;
let site: Site;
let now: number;
before(async () => {
  server = await startServer();
  const { key } = await newSite(server);
  await orders(server, key, 5);
  await running(server, key);
  site = server.services.sites.list().find((one) => one.key === key)!;
  now = Date.now();
  // its own timers would be lost among those that tests move
  await server.stop();
});
after(() => server.database.drop());

const open = (db: Pool): Feeds =>
  openFeeds({
    db,
    sites: { find: () => site },
    log: LOG,
    clock: () => now,
    signer: openSigner({ ACCOUNT_KEYS: '', IP_HASH_PEPPER: PEPPER }),
    tests: async () => [],
  });

test('a feed of more than eight kilobytes is sent with its first cards alone, as many halves as fit', async () => {
  const feeds = open(server.database.app);
  const built = await feeds.built(site);
  const [card] = built.cards;
  // words that cannot be made smaller
  const many: Built = {
    ...built,
    cards: Array.from({ length: 200 }, () => ({
      ...card!,
      shown: null,
      notification: {
        ...card!.notification,
        notificationId: randomUUID(),
        texts: { en: { other: randomBytes(60).toString('base64') } },
      },
    })),
  };
  const wish = { language: 'en', otherwise: undefined, country: null };
  const whole = renderFeed(many, wish);
  assert.equal(whole.items.length, 200);
  const { plain, gzip, brotli } = feeds.packed(site, many, wish);
  await feeds.close();
  assert.ok(gzip.length <= 8192, `${gzip.length} bytes`);
  const sent: Feed = JSON.parse(String(plain));
  const kept = sent.items.length;
  assert.deepEqual(sent.items, whole.items.slice(0, kept), 'the most important first');
  assert.ok(kept > 0 && kept < 200, `${kept} cards`);
  for (const unpacked of [gunzipSync(gzip), brotliDecompressSync(brotli)]) assert.deepEqual(unpacked, plain);
  const twice = gzipSync(jsonText(renderFeed(many, wish, Math.min(200, kept * 2 + 1))));
  assert.ok(twice.length > 8192, 'twice as many do not fit');
});

/** Feeds that listen, with a clock that stands still unless a test moves it, and how often they were built. */
async function moving(
  work: (of: {
    feeds: Feeds;
    builds(): number;
    move(ms: number): void;
    built(): Promise<void>;
  }) => Promise<void>,
) {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
  // of its own: a timer of before can't be cleared by what stands in for timers now
  const db = makePool(server.database.appUrl, {
    name: 'test-feeds',
    connectionsMax: 1,
    statementTimeoutMs: 10_000,
    log: LOG,
  });
  const feeds = open(db);
  let builds = 0;
  const waiting: (() => void)[] = [];
  feeds.onBuilt(() => {
    builds += 1;
    for (const tell of waiting.splice(0)) tell();
  });
  feeds.channel.hears(true);
  try {
    await work({
      feeds,
      builds: () => builds,
      move(ms) {
        now += ms;
        mock.timers.tick(ms);
      },
      // and all that follows it is done
      built: () => new Promise<void>((done) => waiting.push(() => setImmediate(done))),
    });
  } finally {
    await feeds.close();
    await db.end();
    mock.timers.reset();
  }
}

test('it is built anew each minute while somebody asks, and else not before the next who does', () =>
  moving(async ({ feeds, builds, move, built }) => {
    const first = await feeds.built(site);
    for (let i = 0; i < 100; i += 1) assert.equal(feeds.built(site), first);
    move(59_999);
    assert.equal(feeds.built(site), first);
    const again = built();
    move(1);
    await again;
    const second = feeds.built(site) as Built;
    assert.deepEqual([builds(), second.asOf.getTime() - first.asOf.getTime()], [2, 60_000]);
    for (let minute = 0; minute < 2; minute += 1) {
      const next = built();
      move(60_000);
      await next;
    }
    assert.equal(builds(), 4, 'somebody asked two minutes ago');
    for (let minute = 0; minute < 60; minute += 1) move(60_000);
    assert.equal(builds(), 4, 'nobody asks any more');
    const late = feeds.built(site);
    assert.ok(late instanceof Promise, 'who comes then waits for a new one');
    assert.equal((await late).asOf.getTime(), now);
  }));

test('however often it is told of changes, it is built for them at once, then at most once a second', () =>
  moving(async ({ feeds, builds, move, built }) => {
    await feeds.built(site);
    move(5000);
    const tell = () => {
      for (let i = 0; i < 100; i += 1) feeds.channel.heard(site.siteId);
    };
    for (const [wait, count] of [
      [1, 2],
      [1000, 3],
      [1000, 4],
    ] as const) {
      tell();
      if (wait > 1) {
        move(wait - 1);
        assert.equal(builds(), count - 1, 'not within the second');
      }
      const next = built();
      move(1);
      await next;
      assert.equal(builds(), count);
    }
    move(10_000);
    assert.equal(builds(), 4, 'and not again for what it knows');
  }));
