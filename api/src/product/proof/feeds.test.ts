// Feeds in memory: when they are built anew, and that what is sent stays small.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, mock, test } from 'node:test';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { newSite, orders, running } from '../../../test/claims.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { address } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
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
/** Another, whose cards are of people's acts too. */
let named: Site;
let now: number;
before(async () => {
  server = await startServer();
  const { key } = await newSite(server);
  await orders(server, key, 5);
  await running(server, key);
  const other = await newSite(server);
  const occurredAt = new Date(Date.now() - 40 * 60_000).toISOString();
  for (let n = 0; n < 5; n += 1) {
    const email = address();
    const sent = { email, propertyId: other.key, anonId: randomUUID() };
    assert.equal((await call(`${server.url}/v1/leads/capture`, 'POST', sent)).status, 200);
    await orders(server, other.key, 1, { anonId: undefined, email, occurredAt });
  }
  await running(server, other.key);
  await running(server, other.key, ACT);
  const find = (wanted: string) => server.services.sites.list().find((one) => one.key === wanted)!;
  [site, named] = [find(key), find(other.key)];
  now = Date.now();
  // its own timers would be lost among those that tests move
  await server.stop();
});
after(() => server.database.drop());

const ACT = {
  kind: 'recent_activity',
  name: 'somebody bought',
  claim: { of: 'purchases', days: 30, minimum: 3 },
  texts: { en: { other: '{name} bought bread {when}' } },
};

/** building  what each building of one waits for */
const open = (db: Pool, building: () => Promise<void> = async () => {}): Feeds =>
  openFeeds({
    db,
    sites: { find: (siteId) => [site, named].find((one) => one.siteId === siteId), async reload() {} },
    log: LOG,
    clock: () => now,
    signer: openSigner({ ACCOUNT_KEYS: '', IP_HASH_PEPPER: PEPPER }),
    async tests() {
      await building();
      return [];
    },
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
  const { plain, gzip, brotli } = feeds.packed(many, wish);
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
    /** How many were built, and how many begun. */
    builds(): number;
    begun(): number;
    /** Those that begin from here on wait until they are let go on, or fail. */
    hold(): { goOn(): void; fail(): void };
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
  let held = Promise.resolve();
  let begun = 0;
  const feeds = open(db, async () => {
    begun += 1;
    await held;
  });
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
      begun: () => begun,
      hold() {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        promise.catch(() => {});
        held = promise;
        const then = (end: () => void) => () => {
          held = Promise.resolve();
          end();
        };
        return { goOn: then(resolve), fail: then(() => reject(new Error('it failed, as it was asked to'))) };
      },
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

test('settings that are read only after a feed was built for their change build it once more', () =>
  moving(async ({ feeds, begun, move, built }) => {
    const before = named;
    await feeds.built(named);
    move(1000);
    const early = built();
    feeds.channel.heard(named.siteId); // told with the commit, and heard before anybody read it
    await early;
    move(1000);
    try {
      named = { ...named, settings: { ...named.settings, sensitive: true } };
      const late = built();
      feeds.siteChannel.heard(undefined);
      await late;
      assert.equal(begun(), 3);
      move(1000);
      feeds.siteChannel.heard(undefined); // another site's
      await feeds.built(named);
      assert.equal(begun(), 3);
    } finally {
      named = before;
    }
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

/** Once the database answered what it was asked; a minute has to do. */
const until = async (isSo: () => boolean) => {
  for (const last = performance.now() + 60_000; !isSo(); await new Promise((done) => setImmediate(done)))
    assert.ok(performance.now() < last, 'it never came to be so');
};

test('what was known before is answered to nobody while the next is built, however long that takes and however many ask', () =>
  moving(async ({ feeds, builds, begun, hold, move }) => {
    const old = await feeds.built(site);
    move(5000);
    const { goOn } = hold();
    feeds.channel.heard(site.siteId);
    await until(() => begun() === 2);
    const askers = Array.from({ length: 100 }, () => feeds.built(site));
    move(5000);
    askers.push(feeds.built(site));
    assert.ok(!askers.includes(old), 'all of them wait');
    goOn();
    const answers = new Set(await Promise.all(askers));
    assert.deepEqual([answers.size, answers.has(old), builds()], [1, false, 2]);
  }));

test('what began before something changed is answered to nobody who asks after it', () =>
  moving(async ({ feeds, builds, begun, hold, move }) => {
    await feeds.built(site);
    move(5000);
    const { goOn } = hold();
    feeds.channel.heard(site.siteId);
    await until(() => begun() === 2);
    feeds.channel.heard(site.siteId);
    const asked = feeds.built(site);
    move(5000);
    goOn();
    const known = await asked;
    assert.deepEqual([builds(), known.asOf.getTime(), feeds.built(site)], [3, now, known]);
  }));

test('who asked before something changed, of a feed that took long to build, is told of nobody', () =>
  moving(async ({ feeds, begun, hold, move }) => {
    const kinds = ({ cards }: Built) => new Set(cards.map(({ notification }) => notification.kind));
    assert.deepEqual(kinds(await feeds.built(named)), new Set(['count', 'recent_activity']));
    for (const [wait, told] of [
      [999, ['count', 'recent_activity']],
      [1000, ['count']],
    ] as const) {
      move(5000);
      feeds.channel.heard(named.siteId);
      await feeds.built(named);
      move(5000);
      const { goOn } = hold();
      const before = begun();
      feeds.channel.heard(named.siteId);
      await until(() => begun() > before);
      const asked = feeds.built(named);
      move(3000);
      feeds.channel.heard(named.siteId);
      move(wait);
      goOn();
      assert.deepEqual(kinds(await asked), new Set(told), `${wait} ms after`);
      move(5000);
      assert.deepEqual(kinds(await feeds.built(named)), new Set(['count', 'recent_activity']));
    }
  }));

test('a feed that could not be built leaves none that passes for new, whoever asked for it', () =>
  moving(async ({ feeds, builds, begun, hold, move }) => {
    const old = await feeds.built(site);
    const failing = async (ask: () => unknown) => {
      move(5000);
      const { fail } = hold();
      const before = begun();
      const asked = ask() as Promise<unknown> | undefined;
      await until(() => begun() > before);
      const waits = feeds.built(site);
      move(5000);
      fail();
      for (const one of [asked, waits])
        if (one instanceof Promise) await assert.rejects(one, /as it was asked to/);
      let next = feeds.built(site);
      await until(() => {
        next = feeds.built(site);
        return next instanceof Promise;
      });
      assert.notEqual(await next, old);
    };
    await failing(() => feeds.showing(site, true));
    await failing(() => feeds.channel.heard(site.siteId));
    await failing(() => move(60_000));
    assert.equal(builds(), 4);
  }));

test('however many ask while it changes, it is built once a second, and nobody is told what was before', () =>
  moving(async ({ feeds, builds, begun, move }) => {
    await feeds.built(site);
    for (let second = 1; second <= 3; second += 1) {
      const began = now;
      const asked: Promise<unknown>[] = [];
      for (let tenth = 0; tenth < 10; tenth += 1) {
        feeds.channel.heard(site.siteId);
        const one = feeds.built(site);
        assert.ok(one instanceof Promise);
        asked.push(one.then(({ asOf }) => assert.equal(asOf.getTime(), began + 1000)));
        assert.equal(begun(), second, 'not within the second');
        move(100);
        await new Promise((done) => setImmediate(done));
      }
      await Promise.all(asked);
      assert.equal(builds(), second + 1);
    }
  }));
