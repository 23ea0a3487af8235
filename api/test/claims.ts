// Makes what notifications speak of: sites of their own, orders, running notifications; and asks for the feed.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { feedShape } from '../src/product/proof/feed-shape.ts';
import { admin, call, type TestServer } from './server.ts';

let sites = 0;
/** A site of its own, so that nothing else is counted. */
export async function newSite(
  server: TestServer,
  settings: object = {},
): Promise<{ key: string; siteId: string }> {
  sites += 1;
  const key = `shop-${sites}`;
  const { body } = await call(`${server.url}/v1/sites`, 'POST', { key, settings }, admin);
  return { key, siteId: body.site.siteId };
}

/** Orders as the shop's server tells them, each by somebody else. */
export async function orders(
  server: TestServer,
  key: string,
  count: number,
  more: object = {},
): Promise<string[]> {
  const conversions = Array.from({ length: count }, () => ({
    id: randomUUID(),
    kind: 'purchase',
    anonId: randomUUID(),
    amount: '5.00',
    currency: 'CAD',
    ...more,
  }));
  const { status, body } = await call(
    `${server.url}/v1/conversions`,
    'POST',
    { propertyId: key, conversions },
    admin,
  );
  assert.equal(status, 200, JSON.stringify(body));
  return conversions.map(({ id }) => id);
}

export const COUNT = {
  kind: 'count',
  name: 'buyers',
  claim: { of: 'purchases', days: 30, minimum: 5 },
  texts: {
    en: { one: '{count} person bought in {days} days', other: '{count} people bought in {days} days' },
  },
};

/** Made and set running. */
export async function running(server: TestServer, key: string, content: object = COUNT): Promise<string> {
  const url = `${server.url}/v1/sites/${key}/notifications`;
  const made = await call(url, 'POST', content, admin);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { notificationId } = made.body.notification;
  const started = await call(
    `${url}/${notificationId}`,
    'PATCH',
    { status: 'running' },
    { ...admin, 'if-match': '"1"' },
  );
  assert.equal(started.status, 200, JSON.stringify(started.body));
  return notificationId;
}

export async function feedOf(server: TestServer, key: string, more = '') {
  const { status, body } = await call(`${server.url}/v1/feed?site=${key}${more}`);
  assert.equal(status, 200, JSON.stringify(body));
  const { ok, ...feed } = body;
  assert.deepEqual(feedShape.parse(feed), feed);
  return feedShape.parse(feed);
}

/** The feed once it is as it should be; what is told by NOTIFY arrives a little later. */
export async function feedWhen(
  server: TestServer,
  key: string,
  isRight: (texts: string[]) => boolean,
): Promise<string[]> {
  for (const until = Date.now() + 20_000; ; ) {
    const texts = (await feedOf(server, key)).items.map(({ variants }) => variants[0]!.text);
    if (isRight(texts) || Date.now() > until) return texts;
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Waits until this process heard all that was told before: the next feed it answers has to know of it. */
export async function heardAll(server: TestServer): Promise<void> {
  const { feeds } = server.services;
  // What is told arrives in order: once the feed of another site is built again, all before it was heard.
  const { key, siteId } = await newSite(server);
  await feedOf(server, key);
  await new Promise<void>((done, fail) => {
    const end = feeds.onBuilt((built) => {
      if (built !== siteId) return;
      end();
      done();
    });
    server.database.owner.query('select pg_notify($1, $2)', [feeds.channel.name, siteId]).catch(fail);
  });
}
