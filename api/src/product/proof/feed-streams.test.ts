// Pages that listen are told when what they show became something else, and only then; the site says whether they may.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { newSite, orders, running } from '../../../test/claims.ts';
import { eventsOf } from '../../../test/event-stream.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makeLog } from '../../ground/lib/log.ts';
import type { Site } from '../../ground/site.ts';
import { openFeedStreams } from './feed-streams.ts';

let server: TestServer;
let other: TestServer;
before(async () => {
  server = await startServer();
  other = await startServer({ RATE_LIMITS: 'on' }, server.database);
});
after(async () => {
  await other.stop();
  await server.end();
});

const PATIENCE_MS = 30_000;
const LISTENS = { feedStream: true };
const urlOf = (at: TestServer, key: string) => `${at.url}/v1/feed/stream?site=${key}`;
const listen = (at: TestServer, key: string, headers = {}, signal?: AbortSignal) =>
  fetch(urlOf(at, key), {
    headers: { accept: 'text/event-stream', ...headers },
    ...(signal ? { signal } : {}),
  });
const change = (key: string, settings: object) =>
  call(`${server.url}/v1/sites/${key}`, 'PATCH', { settings }, admin);
/** Another process hears of a site a moment later. */
const isKnown = (at: TestServer, key: string) =>
  until(`${key} is known`, async () => (await call(urlOf(at, key))).status === 200, PATIENCE_MS);
const etagOf = async (at: TestServer, key: string) =>
  (await call(`${at.url}/v1/feed?site=${key}`)).headers.get('etag')!.slice(1, 23);
const isQuiet = (at: TestServer) =>
  until('nobody listens any more', async () => at.services.feedStreams.size === 0, PATIENCE_MS);

test('a site has no stream unless it says so, and nor has one that is not there', async () => {
  const { key } = await newSite(server);
  for (const name of [key, 'nobody']) {
    const answer = await listen(server, name);
    assert.deepEqual([answer.status, ((await answer.json()) as { error: string }).error], [404, 'not_found']);
  }
});

test('a page is told of a change in another process, once, and of nothing that leaves its feed as it was', async () => {
  const { key, siteId } = await newSite(server, LISTENS);
  const ids = await orders(server, key, 5);
  await running(server, key);
  await isKnown(other, key);
  const ending = new AbortController();
  const answer = await listen(other, key, {}, ending.signal);
  assert.deepEqual(
    ['content-type', 'access-control-allow-origin', 'cache-control'].map((name) => answer.headers.get(name)),
    ['text/event-stream', '*', 'no-store'],
  );
  const events = eventsOf(answer);
  // built again, and says the same
  const isBuilt = new Promise<void>((done) => {
    const stop = other.services.feeds.onBuilt((built) => {
      if (built !== siteId) return;
      stop();
      done();
    });
  });
  await change(key, { till: 1 });
  await isBuilt;
  const voided = { propertyId: key, id: ids[0], kind: 'purchase', anonId: 'x-browser-1' };
  await call(
    `${server.url}/v1/conversions`,
    'POST',
    { ...voided, voidedAt: new Date().toISOString() },
    admin,
  );
  const { id, event, data } = (await events.next()).value!;
  assert.equal(event, 'feed.updated');
  assert.deepEqual(data, { etag: await etagOf(other, key) });

  // the line broke: whoever comes again with what it knew last is told only what it does not know
  const known = await listen(other, key, { 'last-event-id': id! }, ending.signal);
  await orders(server, key, 1);
  await change(key, { till: 2 });
  const next = (await eventsOf(known).next()).value!;
  assert.notEqual(next.id, id, 'what it knew is not told again');
  const missed = (await eventsOf(await listen(other, key, { 'last-event-id': id! }, ending.signal)).next())
    .value!;
  assert.equal(missed.id, next.id);
  // who only looks is told, and let go
  const look = await call(urlOf(other, key));
  assert.match(look.body, new RegExp(`^retry: 5000\nid: ${next.id}\nevent: feed.updated\ndata: `));
  ending.abort();
});

test('a site that takes it back ends the streams of all its pages, in every process, and opens no more', async () => {
  const { key } = await newSite(server, LISTENS);
  await isKnown(other, key);
  const open = await Promise.all([server, other].map((at) => listen(at, key)));
  await change(key, { feedStream: null });
  for (const answer of open)
    assert.deepEqual(await eventsOf(answer).next(), { value: undefined, done: true });
  for (const at of [server, other]) assert.equal((await listen(at, key)).status, 404);
});

test('ten pages of one address listen at most, three hundred in all, and who leaves makes room', async () => {
  const { key, siteId } = await newSite(server, LISTENS);
  await isKnown(other, key);
  await isQuiet(other);
  const endings = Array.from({ length: 10 }, () => new AbortController());
  for (const { signal } of endings) assert.equal((await listen(other, key, {}, signal)).status, 200);
  const refused = await listen(other, key);
  assert.deepEqual(
    [refused.status, refused.headers.get('retry-after'), ((await refused.json()) as { error: string }).error],
    [429, '60', 'rate_limited'],
  );
  endings[0]!.abort();
  await until('there is room', async () => (await call(urlOf(other, key))).status === 200, PATIENCE_MS);
  for (const ending of endings) ending.abort();
  await isQuiet(other);
  const { feedStreams, sites } = other.services;
  const asked = { site: sites.find(siteId)!, lang: undefined, country: null, last: null, follows: true };
  const all = [];
  for (let i = 0; i < 300; i += 1) all.push(await feedStreams.open({ ...asked, from: `address ${i}` }));
  await assert.rejects(feedStreams.open({ ...asked, from: 'one more' }), {
    code: 'unavailable',
    retryAfterSeconds: 60,
  });
  for (const one of all) one.destroy();
  await isQuiet(other);
});

test('a page that does not read is cut off, and what is closed is forgotten', async () => {
  let built: (siteId: string, now: never) => void = () => {};
  let n = 0;
  const site = { siteId: 'a', settings: LISTENS } as unknown as Site;
  const streams = openFeedStreams({
    feeds: {
      built: () => ({ cards: [] }) as never,
      packed: () => ({ content: `content ${n}`, etag: `etag ${n}` }) as never,
      onBuilt(heard) {
        built = heard;
        return () => {};
      },
    },
    sites: { find: () => site, reload: async () => {} },
    isLimited: true,
    log: makeLog('silent'),
  });
  const out = await streams.open({
    site,
    lang: undefined,
    country: null,
    from: 'here',
    last: null,
    follows: true,
  });
  const closed = once(out, 'close');
  for (; n < 200; n += 1) {
    built('a', {} as never);
    await null;
    await null;
  }
  await closed;
  assert.equal(streams.size, 0);
});

test('a site that holds all streams of a process makes room for another one, until both have as many', async () => {
  const streams = openFeedStreams({
    feeds: {
      built: () => ({ cards: [] }) as never,
      packed: () => ({ content: 'content', etag: 'etag' }) as never,
      onBuilt: () => () => {},
    },
    sites: { find: () => undefined, reload: async () => {} },
    isLimited: true,
    log: makeLog('silent'),
  });
  const listen = (siteId: string, n: number) =>
    streams.open({
      site: { siteId, settings: LISTENS } as unknown as Site,
      lang: undefined,
      country: null,
      from: `${siteId} ${n}`,
      last: null,
      follows: true,
    });
  const ended: number[] = [];
  for (let n = 0; n < 300; n += 1) (await listen('large', n)).on('end', () => ended.push(n)).resume();
  await assert.rejects(listen('large', 300), { code: 'unavailable' });
  for (let n = 0; n < 150; n += 1) (await listen('small', n)).resume();
  await assert.rejects(listen('small', 150), { code: 'unavailable' });
  await assert.rejects(listen('large', 300), { code: 'unavailable' });
  assert.equal(streams.size, 300);
  await listen('third', 0);
  assert.equal(streams.size, 300);
  await until('the oldest are ended', () => ended.length >= 150, PATIENCE_MS);
  assert.deepEqual(
    ended.slice(0, 150),
    Array.from({ length: 150 }, (_, n) => n),
  );
  streams.close();
});
