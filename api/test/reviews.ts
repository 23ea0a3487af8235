// What tests of reviews share: a server, reviews that people send, and a site that shows some.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before } from 'node:test';
import type { Review } from '../src/product/reviews/schema.ts';
import { feedOf, feedWhen, newSite, running } from './claims.ts';
import { address } from './make.ts';
import { admin, call, QUICK_FEEDS, startServer, type TestServer } from './server.ts';

export let server: TestServer;
/** Starts it before the file's tests. To be called once, at the top of the file. */
export function useReviews(): void {
  before(async () => {
    server = await startServer({}, undefined, undefined, QUICK_FEEDS);
  });
  after(() => server.end());
}

export const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
export const MAY = 'May the bakery publish this review with my first name? I can take it back at any time.';
export const SHOW = {
  kind: 'review',
  name: 'what they say',
  claim: { of: 'reviews', days: 30, minimum: 3 },
  channels: ['toast', 'page'],
  texts: { en: { other: '{name}' } },
};
export const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
export const send = (key: string, body: object, headers: Record<string, string> = {}) =>
  call(
    `${server.url}/v1/reviews`,
    'POST',
    { email: address(), propertyId: key, anonId: randomUUID(), ...body },
    headers,
  );
export const list = async (key: string, query = '') =>
  (await call(`${server.url}/v1/sites/${key}/reviews?${query}`, 'GET', undefined, admin)).body as {
    reviews: Review[];
    average: { rating: number | null; ratings: number; reviews: number; declined: number; excluded: object };
  };
export const named = async (key: string, text: string): Promise<Review> => {
  const found = (await list(key)).reviews.find((one) => one.text === text);
  assert.ok(found, text);
  return found;
};
export const decide = ({ reviewId, version }: Review, key: string, patch: object) =>
  call(`${server.url}/v1/sites/${key}/reviews/${reviewId}`, 'PATCH', patch, {
    ...admin,
    'if-match': `"${version}"`,
  });
/** Written an hour ago by now: a card waits up to half of one. */
export const later = (siteId: string) =>
  rows("update reviews set written_at = written_at - interval '1 hour' where site_id = $1", [siteId]);

export interface Sent {
  email: string;
  text: string;
}
let n = 0;
/** Somebody's, with permission. */
export async function write(key: string, more: object = {}, headers = {}): Promise<Sent> {
  n += 1;
  const one = { email: address(), text: `Review number ${n}.`, rating: 4, ...more };
  const sent = await send(key, { display: { text: MAY, name: 'Ada Lovelace' }, ...one }, headers);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  assert.equal(sent.body.warnings, undefined, JSON.stringify(sent.body));
  return one;
}
export async function publish(key: string, text: string): Promise<void> {
  const { status, body } = await decide(await named(key, text), key, { status: 'published' });
  assert.equal(status, 200, JSON.stringify(body));
}
/** A site that shows reviews: three, or what is given, all published. */
export async function shop(all: object[] = [{}, {}, {}], claim: object = {}, settings: object = {}) {
  const { key, siteId } = await newSite(server, settings);
  const written: Sent[] = [];
  for (const more of all) written.push(await write(key, more));
  for (const { text } of written) await publish(key, text);
  await later(siteId);
  const notificationId = await running(server, key, { ...SHOW, claim: { ...SHOW.claim, ...claim } });
  return { key, siteId, written, notificationId };
}
export const cardOf = async (key: string, text: string) =>
  (await feedOf(server, key)).items.find(({ variants }) => variants[0]!.text.includes(text));
export const gone = (key: string, text: string) =>
  feedWhen(server, key, (texts) => !texts.some((one) => one.includes(text)));

export const takeBack = (key: string, email: string) =>
  call(`${server.url}/v1/leads/display`, 'POST', { email, show: false, propertyId: key });
export const SPAM = 'Buy <a href="https://pills.example">pills</a>';
export async function release(key: string, email: string): Promise<void> {
  const waiting = await call(`${server.url}/v1/admin/quarantine?propertyId=${key}`, 'GET', undefined, admin);
  const held = waiting.body.quarantined.find((one: { email: string }) => one.email === email);
  assert.ok(held, email);
  const path = `${server.url}/v1/admin/quarantine/${held.quarantineId}/release`;
  assert.equal((await call(path, 'POST', undefined, admin)).status, 200);
}
