// Reviews: sifted like any form, shown by permission for exactly these words, counted whether they please or not.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { feedOf, feedWhen, newSite, orders, running } from '../../../test/claims.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { address, ago, hours, minutes } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { emailHash } from '../captures/capture.ts';
import { linkToken } from '../consent/link.ts';
import { forgetAgain } from '../erasure/forget-again.ts';
import type { Review } from './schema.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
const MAY = 'May the bakery publish this review with my first name? I can take it back at any time.';
const SHOW = {
  kind: 'review',
  name: 'what they say',
  claim: { of: 'reviews', days: 30, minimum: 3 },
  channels: ['toast', 'page'],
  texts: { en: { other: '{name}' } },
};
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const send = (key: string, body: object, headers: Record<string, string> = {}) =>
  call(
    `${server.url}/v1/reviews`,
    'POST',
    { email: address(), propertyId: key, anonId: randomUUID(), ...body },
    headers,
  );
const list = async (key: string, query = '') =>
  (await call(`${server.url}/v1/sites/${key}/reviews?${query}`, 'GET', undefined, admin)).body as {
    reviews: Review[];
    average: { rating: number | null; ratings: number; reviews: number; declined: number; excluded: object };
  };
const named = async (key: string, text: string): Promise<Review> => {
  const found = (await list(key)).reviews.find((one) => one.text === text);
  assert.ok(found, text);
  return found;
};
const decide = ({ reviewId, version }: Review, key: string, patch: object) =>
  call(`${server.url}/v1/sites/${key}/reviews/${reviewId}`, 'PATCH', patch, {
    ...admin,
    'if-match': `"${version}"`,
  });
/** Written an hour ago by now: a card waits up to half of one. */
const later = (siteId: string) =>
  rows("update reviews set written_at = written_at - interval '1 hour' where site_id = $1", [siteId]);

interface Sent {
  email: string;
  text: string;
}
let n = 0;
/** Somebody's, with permission. */
async function write(key: string, more: object = {}, headers = {}): Promise<Sent> {
  n += 1;
  const one = { email: address(), text: `Review number ${n}.`, rating: 4, ...more };
  const sent = await send(key, { display: { text: MAY, name: 'Ada Lovelace' }, ...one }, headers);
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  assert.equal(sent.body.warnings, undefined, JSON.stringify(sent.body));
  return one;
}
async function publish(key: string, text: string): Promise<void> {
  const { status, body } = await decide(await named(key, text), key, { status: 'published' });
  assert.equal(status, 200, JSON.stringify(body));
}
/** A site that shows reviews: three, or what is given, all published. */
async function shop(all: object[] = [{}, {}, {}], claim: object = {}, settings: object = {}) {
  const { key, siteId } = await newSite(server, settings);
  const written: Sent[] = [];
  for (const more of all) written.push(await write(key, more));
  for (const { text } of written) await publish(key, text);
  await later(siteId);
  const notificationId = await running(server, key, { ...SHOW, claim: { ...SHOW.claim, ...claim } });
  return { key, siteId, written, notificationId };
}
const cardOf = async (key: string, text: string) =>
  (await feedOf(server, key)).items.find(({ variants }) => variants[0]!.text.includes(text));
const gone = (key: string, text: string) =>
  feedWhen(server, key, (texts) => !texts.some((one) => one.includes(text)));

test('a script sends a review and gets what a capture gets; its person is a lead nobody may mail, and who listens is told', async () => {
  const { key, siteId } = await newSite(server);
  await rows("insert into outbox_heads (site_id, listened_until) values ($1, 'infinity')", [siteId]);
  const email = address();
  const { status, body } = await send(key, {
    email,
    rating: 5,
    text: ' Crisp.\r\nAnd warm. ',
    product: 'rye',
  });
  assert.deepEqual([status, Object.keys(body)], [200, ['ok', 'submissionId', 'visitorId', 'sessionId']]);
  const [review] = (await list(key)).reviews;
  assert.deepEqual(
    [review!.status, review!.text, review!.rating, review!.product, review!.source, review!.permission],
    ['waiting', 'Crisp.\nAnd warm.', 5, 'rye', 'form', 'none'],
  );
  const [lead] = await rows('select lead_id, consent_status, first_form_name from leads where email = $1', [
    email,
  ]);
  assert.deepEqual(
    [lead.lead_id, lead.consent_status, lead.first_form_name],
    [review!.leadId, 'pending', 'review'],
  );
  const told = await rows('select type, data, lead_id from outbox where site_id = $1 order by seq', [siteId]);
  assert.deepEqual(
    told.map(({ type }) => type),
    ['lead.captured', 'review.submitted'],
  );
  const { reviewId, leadId, rating, writtenAt } = review!;
  assert.deepEqual(told[1].data, { reviewId, leadId, rating, writtenAt });
});

test('a plain form works without JavaScript: a page of thanks, and one to mend an address that sends all of it again', async () => {
  const { key } = await newSite(server);
  const form = {
    propertyId: key,
    rating: '3',
    text: 'Good & <b>dark</b>',
    'display[text]': MAY,
    'display[name]': 'Ben',
    honeypot: '',
  };
  const post = (fields: Record<string, string>) =>
    call(`${server.url}/v1/reviews`, 'POST', new URLSearchParams(fields).toString(), FORM);
  const sent = await post({ ...form, email: address() });
  assert.equal(sent.status, 303);
  const thanks = await call(new URL(sent.headers.get('location')!, server.url).href, 'GET', undefined, {
    accept: 'text/html',
  });
  assert.equal(thanks.status, 200);
  assert.match(thanks.body, /Thank you/);
  const review = await named(key, form.text);
  assert.deepEqual([review.rating, review.permission, review.name], [3, 'granted', 'Ben']);

  const mend = await post({ ...form, text: 'Again', email: 'ada@@example' });
  assert.equal(mend.status, 400);
  assert.match(mend.body, /action="\/v1\/reviews"/);
  const again = Object.fromEntries(
    [...mend.body.matchAll(/type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  assert.equal((await post({ ...again, email: address() })).status, 303);
  assert.equal((await named(key, 'Again')).permission, 'granted');
  const empty = await post({ propertyId: key, email: address(), text: ' ' });
  assert.equal(empty.status, 400);
  assert.match(empty.headers.get('content-type')!, /html/);
});

test('what says nothing is refused by name; one wrong field costs nobody the rest', async () => {
  const { key } = await newSite(server);
  const nothing = await send(key, { product: 'rye' });
  assert.deepEqual([nothing.status, nothing.body.issues[0].path], [400, 'text']);
  const odd = await send(key, { rating: 9, text: 'Odd one', incentive: 'x'.repeat(300) });
  assert.equal(odd.status, 200);
  assert.deepEqual(odd.body.warnings.map(({ path }: { path: string }) => path).sort(), [
    'incentive',
    'rating',
  ]);
  assert.equal((await named(key, 'Odd one')).rating, null);
  // as a form sends it
  for (const rating of ['6', '99999999999999999999999999']) {
    const text = `Rated ${rating}`;
    const large = await send(key, { rating, text });
    assert.deepEqual([large.status, large.body.warnings[0].path], [200, 'rating']);
    assert.equal((await named(key, text)).rating, null);
  }
  const long = await send(key, { text: 'word '.repeat(1000), display: { text: MAY } });
  assert.equal(long.status, 200, JSON.stringify(long.body));
  const cut = (await list(key)).reviews.find(({ text }) => text?.startsWith('word'));
  assert.equal(cut!.permission, 'none', 'what was cut is not what they agreed to');
  for (const rating of ['5', 1, '1.0']) assert.equal((await send(key, { rating })).status, 200, `${rating}`);
});

test('it passes the gate of captures: the honeypot stores nothing, spam waits for a decision, strangers are refused', async () => {
  const { key, siteId } = await newSite(server);
  await call(`${server.url}/v1/sites/${key}`, 'PATCH', { origins: ['https://bakery.example'] }, admin);
  await server.services.sites.reload();
  const caught = await send(key, { text: 'I am a robot', honeypot: 'x' });
  assert.deepEqual(
    [caught.status, Object.keys(caught.body)],
    [200, ['ok', 'submissionId', 'visitorId', 'sessionId']],
  );
  const stranger = await send(key, { text: 'Copied' }, { origin: 'https://copy.example' });
  assert.deepEqual([stranger.status, stranger.body.error], [403, 'origin_not_allowed']);
  assert.equal((await send('no-such-site', { text: 'Lost' })).status, 400);
  const text = 'Buy <a href="https://pills.example">pills</a>';
  assert.equal((await send(key, { text, display: { text: MAY } })).status, 200);
  assert.deepEqual((await list(key)).reviews, []);
  const waiting = await call(`${server.url}/v1/admin/quarantine?propertyId=${key}`, 'GET', undefined, admin);
  const [held] = waiting.body.quarantined;
  assert.equal(held.payload.review.words, text);
  assert.equal(
    (await call(`${server.url}/v1/admin/quarantine/${held.quarantineId}/release`, 'POST', undefined, admin))
      .status,
    200,
  );
  assert.equal((await named(key, text)).permission, 'granted');
  assert.equal((await rows('select from leads where site_id = $1', [siteId])).length, 1);
});

test('a client sends as many reviews as it may send forms', async () => {
  const limited = await startServer({ RATE_LIMITS: 'on' }, server.database);
  try {
    const statuses: number[] = [];
    for (let i = 0; i < 25; i += 1)
      statuses.push(
        (await call(`${limited.url}/v1/reviews`, 'POST', { email: address(), rating: 5 })).status,
      );
    assert.deepEqual([statuses.slice(0, 24).every((one) => one === 200), statuses[24]], [true, 429]);
  } finally {
    await limited.stop();
  }
});

test('sent twice in one breath it is one review', async () => {
  const { key } = await newSite(server);
  const twice = { email: address(), anonId: randomUUID(), text: 'Only once', rating: 5 };
  for (let i = 0; i < 2; i += 1) assert.equal((await send(key, twice)).status, 200);
  assert.equal((await send(key, { ...twice, text: 'Another' })).status, 200);
  assert.deepEqual((await list(key)).reviews.map(({ text }) => text).sort(), ['Another', 'Only once']);
});

test('it is published only with written permission, for exactly these words', async () => {
  const { key, siteId, written } = await shop();
  const silent = await write(key, { display: undefined });
  const refused = await decide(await named(key, silent.text), key, { status: 'published' });
  assert.deepEqual([refused.status, refused.body.error], [409, 'conflict']);
  const unticked = await write(key, { display: { name: 'Eve' } });
  assert.equal((await named(key, unticked.text)).permission, 'none');
  const { items } = await feedOf(server, key);
  assert.deepEqual(
    items.map(({ variants }) => variants[0]!.text).sort(),
    written.map(({ text }) => `“${text}” — Ada`).sort(),
  );
  for (const { named: isNamed, kind } of items) assert.deepEqual([isNamed, kind], [true, 'review']);
  // none of our doors changes words; whoever reaches the database does not get them shown
  const { text } = written[0]!;
  await rows("update reviews set words = words || ' And cheap!' where site_id = $1 and words = $2", [
    siteId,
    text,
  ]);
  assert.equal((await gone(key, text)).length, 2);
  assert.equal((await named(key, `${text} And cheap!`)).permission, 'none');
});

test('the permission is a record of the ledger, with the words that were agreed to, and the chain is whole', async () => {
  const { key } = await newSite(server);
  const email = address();
  await write(key, { email });
  await write(key, { email });
  await call(`${server.url}/v1/leads/display`, 'POST', { email, show: false, propertyId: key });
  const records = await rows(
    `select c.action, c.review_id, c.fields, w.words, c.hash, c.previous_hash, display_hash(c) = c.hash as whole,
       d.record_id is null or display_details_digest(d) = c.details_digest as whole_details
     from display_consents c join leads l using (site_id, lead_id) left join display_details d using (site_id, record_id)
       left join display_words w on w.site_id = c.site_id and w.words_hash = c.words_hash where l.email = $1 order by seq`,
    [email],
  );
  assert.deepEqual(
    records.map(({ action, words }) => [action, words]),
    [
      ['granted', MAY],
      ['granted', MAY],
      ['withdrawn', null],
    ],
  );
  assert.deepEqual(
    records.map(({ previous_hash: hash }) => hash?.toString('hex') ?? null),
    [null, ...records.slice(0, 2).map(({ hash }) => hash.toString('hex'))],
  );
  assert.ok(records.every(({ whole, whole_details: details }) => whole && details));
  assert.ok(records[0].review_id && records[0].review_id !== records[1].review_id);
});

test('to publish a review and to be named elsewhere are two permissions', async () => {
  const { key, siteId } = await newSite(server);
  const { email } = await write(key);
  const [{ lead_id: leadId }] = await rows('select lead_id from leads where email = $1', [email]);
  const naming = async () =>
    (await rows('select (display_standing($1, $2)).action as action', [siteId, leadId]))[0].action;
  assert.equal(await naming(), null);
  const sent = await call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    propertyId: key,
    anonId: randomUUID(),
    display: { text: 'May we name you?', name: 'Ada' },
  });
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  assert.equal(await naming(), 'granted');
  assert.equal((await list(key)).reviews[0]!.permission, 'granted');
});

test('what they told in writing is entered with its proof, and taken back it is shown no more', async () => {
  const { key, written } = await shop();
  const { text } = await write(key, { display: undefined });
  const permission = { text: 'Yes, print it.', receivedAt: ago(minutes(1)), how: 'letter, folder 3' };
  const future = { ...permission, receivedAt: ago(-hours(1)) };
  assert.equal((await decide(await named(key, text), key, { permission: future })).status, 400);
  const { how: _, ...unproven } = permission;
  assert.equal((await decide(await named(key, text), key, { permission: unproven })).status, 400);
  const done = await decide(await named(key, text), key, { status: 'published', permission });
  assert.equal(done.status, 200, JSON.stringify(done.body));
  assert.equal(done.body.review.permission, 'granted');
  const [details] = await rows('select evidence from display_details where evidence is not null');
  assert.equal(details.evidence, permission.how);
  const back = await decide(await named(key, written[0]!.text), key, { permission: null });
  assert.equal(back.body.review.permission, 'withdrawn');
  await gone(key, written[0]!.text);
  assert.equal(await cardOf(key, written[0]!.text), undefined);
  const old = { ...permission, receivedAt: ago(hours(2)) };
  const older = await decide(await named(key, written[0]!.text), key, { permission: old });
  assert.equal(older.status, 409, 'an older word lifts no withdrawal');
});

test('incentive and relationship are shown wherever the review is, and can be added but never taken away', async () => {
  const { key, notificationId, written } = await shop([
    { incentive: 'a free loaf', relationship: 'cousin of the baker', rating: 5 },
    {},
    {},
  ]);
  const { text } = written[0]!;
  const card = await cardOf(key, text);
  assert.deepEqual(card!.review, {
    rating: 5,
    incentive: 'a free loaf',
    relationship: 'cousin of the baker',
    verified: false,
    selected: false,
  });
  const page = await call(`${server.url}/v1/feed.html?site=${key}`);
  assert.match(page.body, /5\/5 · a free loaf · cousin of the baker/);
  const review = await named(key, text);
  for (const wrong of [{ incentive: null }, { relationship: '' }])
    assert.equal((await decide(review, key, wrong)).status, 400);
  const silent = written[1]!.text;
  assert.equal((await decide(await named(key, silent), key, { incentive: 'a voucher' })).status, 200);
  await until('it is said', async () => (await cardOf(key, silent))?.review?.incentive === 'a voucher');
  const badge = await call(`${server.url}/v1/badge.svg?site=${key}&n=${notificationId}`);
  // it stays as long as its page is open, and a review may be taken back
  assert.match(badge.body, /<title><\/title>/);
});

test('verified means a purchase of that person, of that product, before they wrote; a refund ends it', async () => {
  const { key } = await newSite(server);
  const buys = (email: string, more: object = {}) =>
    orders(server, key, 1, { anonId: undefined, email, occurredAt: ago(hours(1)), ...more });
  const [mine, others, late, unsaid] = [address(), address(), address(), address()];
  const [order] = await buys(mine, { products: ['rye'] });
  await buys(others, { products: ['oats'] });
  await buys(unsaid);
  const of = async (email: string) =>
    (await named(key, (await write(key, { email, product: 'rye' })).text)).verified;
  assert.equal(await of(mine), true);
  assert.equal(await of(others), false, 'another product');
  assert.equal(await of(unsaid), true, 'what the shop does not tell apart');
  assert.equal(await of(address()), false, 'another person');
  const { text } = await write(key, { email: late, product: 'rye' });
  await buys(late, { products: ['rye'], occurredAt: new Date().toISOString() });
  assert.equal((await named(key, text)).verified, false, 'bought afterwards');
  const voided = {
    propertyId: key,
    id: order,
    kind: 'purchase',
    email: mine,
    voidedAt: new Date().toISOString(),
  };
  assert.equal((await call(`${server.url}/v1/conversions`, 'POST', voided, admin)).status, 200);
  const mineNow = (await list(key)).reviews.filter(({ verified }) => verified);
  assert.equal(mineNow.length, 1);
});

test('a verified purchase is said beside the review, in the words of each language, and beside no other', async () => {
  const { key, siteId } = await newSite(server);
  const written = [await write(key), await write(key), await write(key)];
  await orders(server, key, 1, {
    anonId: undefined,
    email: written[1]!.email,
    occurredAt: ago(hours(5)),
  });
  for (const { text } of written) await publish(key, text);
  await later(siteId);
  await running(server, key, { ...SHOW, texts: { en: { other: '{name}' }, fr: { other: '{name}' } } });
  for (const [lang, words] of [
    ['en', 'verified purchase'],
    ['fr', 'achat vérifié'],
  ] as const) {
    const { body } = await call(`${server.url}/v1/feed.html?site=${key}&lang=${lang}`);
    const cards = (body as string).split('<li>').slice(1);
    assert.equal(cards.length, 3);
    const verified = cards.filter((one) => one.includes(words));
    assert.equal(verified.length, 1);
    assert.ok(verified[0]!.includes(written[1]!.text) && verified[0]!.includes(`4/5 · ${words}<`));
  }
});

test('a decline needs a reason, a low rating is none, and the average counts every one that is not declined', async () => {
  const { key } = await newSite(server);
  const ratings = [5, 1, 1, 4];
  const written: string[] = [];
  for (const rating of ratings) written.push((await write(key, { rating })).text);
  await publish(key, written[0]!);
  assert.deepEqual((await list(key)).average, {
    rating: 2.75,
    ratings: 4,
    reviews: 4,
    declined: 0,
    excluded: { bots: 0, staff: 0 },
  });
  const low = await named(key, written[1]!);
  for (const wrong of [
    { status: 'declined' },
    { status: 'declined', reason: 'low_rating' },
    { status: 'declined', reason: 'other' },
    { reason: 'spam' },
  ]) {
    const { status, body } = await decide(low, key, wrong);
    assert.deepEqual([status, body.issues[0].path], [400, 'reason'], JSON.stringify(wrong));
  }
  const done = await decide(low, key, { status: 'declined', reason: 'fake', note: 'never a customer' });
  assert.deepEqual(
    [done.status, done.body.review.status, done.body.review.reason, done.body.review.decidedBy],
    [200, 'declined', 'fake', 'admin_key'],
  );
  const { average } = await list(key, 'status=published');
  assert.deepEqual([average.rating, average.ratings, average.declined], [3.33, 3, 1], 'whatever is listed');
  assert.equal((await decide(low, key, { status: 'waiting' })).status, 412, 'another version by now');
  const taken = await decide(done.body.review, key, { status: 'waiting' });
  assert.equal(taken.body.review.reason, null);
  const [line] = await rows(
    "select details from audit_log where action = 'PATCH /v1/sites/:siteId/reviews/:reviewId' and target = $1 and outcome = 200 order by audit_id limit 1",
    [low.reviewId],
  );
  assert.equal(line.details.reason, 'fake');
});

test('a number of reviews counts those that were not declined, within its days, by nobody of the shop', async () => {
  const { key, siteId } = await newSite(server);
  for (const rating of [1, 2, 5, 5]) await write(key, { rating, product: 'rye' });
  await write(key, { product: 'oats' });
  const anonId = randomUUID();
  const staff = await write(key, { anonId, product: 'rye' });
  const [{ visitor_id: visitorId }] = await rows(
    'select first_visitor_id as visitor_id from leads where email = $1',
    [staff.email],
  );
  const judged = { propertyId: key, visitorId, bot: true, kind: 'staff' };
  assert.equal((await call(`${server.url}/v1/admin/bots`, 'POST', judged, admin)).status, 200);
  await rows(
    "insert into reviews (site_id, rating, product, source, written_at) values ($1, 5, 'rye', 'old', now() - interval '31 days')",
    [siteId],
  );
  const count = {
    kind: 'count',
    name: 'reviews',
    claim: { of: 'reviews', where: { product: 'rye' }, days: 30, minimum: 3 },
    texts: { en: { other: '{count} reviews in {days} days' } },
    channels: ['page'],
  };
  const id = await running(server, key, count);
  const [item] = (await feedOf(server, key)).items;
  assert.equal(item!.variants[0]!.text, '4 reviews in 30 days');
  assert.equal(item!.review, null);
  const receipt = (await call(`${server.url}/v1/proof/${item!.variants[0]!.receipt}`)).body;
  assert.deepEqual([receipt.receipt.value, receipt.receipt.excluded.staff], [4, 1]);
  assert.match(receipt.receipt.rule, /not declined/);
  const evidence = await call(
    `${server.url}/v1/sites/${key}/receipts/${item!.variants[0]!.receipt}/evidence`,
    'GET',
    undefined,
    admin,
  );
  assert.deepEqual([evidence.body.recounted, evidence.body.rows.length], [4, 4]);
  const [low] = (await list(key)).reviews.filter(({ rating }) => rating === 1);
  await decide(low!, key, { status: 'declined', reason: 'spam' });
  const preview = await call(
    `${server.url}/v1/sites/${key}/notifications/${id}/preview`,
    'POST',
    undefined,
    admin,
  );
  assert.equal(preview.body.value, 3);
});

test('a choice by rating says so: by the claim, or by leaving worse ones undecided', async () => {
  const chosen = await shop([{ rating: 5 }, { rating: 5 }, { rating: 4 }], { where: { ratingAtLeast: 4 } });
  for (const { review } of (await feedOf(server, chosen.key)).items) assert.equal(review!.selected, true);
  const page = await call(`${server.url}/v1/feed.html?site=${chosen.key}`);
  assert.match(page.body, /selected reviews/);
  const count = {
    kind: 'count',
    name: 'good ones',
    claim: { of: 'reviews', where: { ratingAtLeast: 4 }, days: 30, minimum: 3 },
    texts: { en: { other: '{count} good reviews in {days} days' } },
  };
  await running(server, chosen.key, count);
  const number = (await feedOf(server, chosen.key)).items.find(({ kind }) => kind === 'count');
  assert.equal(number!.review!.selected, true);

  const { key, siteId } = await shop([{ rating: 5 }, { rating: 5 }, { rating: 4 }]);
  const selected = async () => (await feedOf(server, key)).items.map(({ review }) => review!.selected);
  const { text } = await write(key, { rating: 1 });
  assert.deepEqual(await selected(), [false, false, false], 'it has just come');
  await rows("update reviews set received_at = now() - interval '8 days' where site_id = $1 and words = $2", [
    siteId,
    text,
  ]);
  await until('it is said', async () => (await selected()).every(Boolean));
});

test('taken back by address, by the page for leaving, or by an erasure, a review is in no feed and its receipt is gone', async () => {
  const { key, written } = await shop([{}, {}, {}, {}, {}, {}]);
  const receipts = await Promise.all(
    written.slice(0, 3).map(async ({ text }) => (await cardOf(key, text))!.variants[0]!.receipt),
  );
  const proof = (receipt: string) => call(`${server.url}/v1/proof/${receipt}`);
  for (const receipt of receipts) {
    const { status, body } = await proof(receipt);
    assert.equal(status, 200);
    assert.doesNotMatch(JSON.stringify(body), /Ada|Review number/);
  }
  const [byAddress, byPage, erased] = written.slice(0, 3) as [Sent, Sent, Sent];
  const hidden = { email: byAddress.email, show: false, propertyId: key };
  assert.equal((await call(`${server.url}/v1/leads/display`, 'POST', hidden)).status, 200);
  const [link] = await rows(
    'select site_id, unsubscribe_key, consent_status from leads where email_normalized = $1',
    [byPage.email],
  );
  const page = await call(
    `${server.url}/v1/unsubscribe/${linkToken(link.site_id, link.unsubscribe_key)}?lang=en`,
    'GET',
    undefined,
    { accept: 'text/html' },
  );
  const [, token] = /name="token" value="([^"]+)"/.exec(page.body)!;
  await call(`${server.url}/v1/leads/display`, 'POST', `token=${token}&show=false`, FORM);
  await call(`${server.url}/v1/leads/delete`, 'POST', { email: erased.email, propertyId: key }, admin);
  assert.equal((await feedWhen(server, key, (texts) => texts.length === 3)).length, 3);
  for (const receipt of receipts) assert.equal((await proof(receipt)).status, 410);
  const left = (await list(key)).reviews;
  assert.equal(left.length, 5, 'the erased person’s review is gone');
  assert.deepEqual(left.map(({ permission }) => permission).filter((one) => one === 'withdrawn').length, 2);
  const [after] = await rows('select consent_status from leads where email_normalized = $1', [byPage.email]);
  assert.equal(after.consent_status, link.consent_status, 'mail is another matter');
});

test('who took it back and writes again with permission has a card whose receipt stands, and the one of before does not', async () => {
  const { key, siteId, written } = await shop([{}, {}, {}]);
  const [{ email, text }] = written as [Sent];
  const before = (await cardOf(key, text))!.variants[0]!.receipt;
  assert.deepEqual((await takeBack(key, email)).body, { ok: true });
  await gone(key, text);
  const again = await write(key, { email });
  await publish(key, again.text);
  await later(siteId);
  await rows("select pg_notify('feed', $1)", [siteId]);
  const texts = await feedWhen(server, key, (all) => all.some((one) => one.includes(again.text)));
  assert.ok(texts.some((one) => one.includes(again.text)));
  const { receipt } = (await cardOf(key, again.text))!.variants[0]!;
  assert.equal((await call(`${server.url}/v1/proof/${receipt}`)).status, 200);
  assert.equal((await call(`${server.url}/v1/proof/${before}`)).status, 410);
});

test('a restored older backup learns again who took a review back', async () => {
  const { key, siteId, written } = await shop();
  const since = new Date().toISOString();
  const hidden = { email: written[0]!.email, show: false, propertyId: key };
  await call(`${server.url}/v1/leads/display`, 'POST', hidden);
  await rows("delete from display_consents where site_id = $1 and action = 'withdrawn'", [siteId]); // as it was
  assert.equal((await named(key, written[0]!.text)).permission, 'granted');
  const journal = join(server.folder, 'journal', 'forgotten.ndjson');
  await forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) });
  assert.equal((await named(key, written[0]!.text)).permission, 'withdrawn');
});

test('under GPC, and on a sensitive site, the words may be shown and nobody is named', async () => {
  const { key, siteId } = await newSite(server);
  const quiet = await write(key, {}, { 'sec-gpc': '1' });
  for (let i = 0; i < 2; i += 1) await write(key);
  for (const { text } of (await list(key)).reviews) await publish(key, text!);
  await later(siteId);
  await running(server, key, SHOW);
  assert.match((await cardOf(key, quiet.text))!.variants[0]!.text, /— Someone$/);
  const clinic = await shop([{}, {}, {}], {}, { sensitive: true });
  const { items } = await feedOf(server, clinic.key);
  assert.equal(items.length, 3);
  for (const { variants } of items) assert.match(variants[0]!.text, /— Someone$/);
  assert.equal(
    (await rows('select from display_details where site_id = $1 and given_name is not null', [clinic.siteId]))
      .length,
    0,
  );
});

test('a table brings reviews with their source and date; the same again changes nothing', async () => {
  const { key } = await newSite(server);
  const email = address();
  const take = async (csv: string, more: object = {}) =>
    (
      await call(
        `${server.url}/v1/sites/${key}/reviews/import`,
        'POST',
        { source: 'google', csv, ...more },
        admin,
      )
    ).body;
  const header = 'date;stars;review;email;name;permission;permissionAt;evidence;shop';
  const csv = `${header}
2026-03-04;5/5;"Fine; very fine";;;;;;x
2026-03-05;2;Too dark;${email};Cem Yilmaz;You may print it.;2026-03-06;mail of that day;x
;4;No day;;;;;;x
2026-03-07;6;Too many stars;;;;;;x
2026-03-08;;;;;;;;x
2026-03-09;3;Whose?;;;You may.;2026-03-09;mail;x
2026-03-09;3;No proof;${email};;You may.;2026-03-09;;x
2999-01-01;3;Later;;;;;;x
`;
  const dry = await take(csv, { dryRun: true });
  assert.deepEqual(dry.counts, { created: 2, unchanged: 0, refused: 6 }, JSON.stringify(dry));
  assert.deepEqual((await list(key)).reviews, []);
  const done = await take(csv);
  assert.deepEqual(done.counts, dry.counts);
  assert.deepEqual(done.ignoredColumns, ['shop']);
  assert.deepEqual((await take(csv)).counts, { created: 0, unchanged: 2, refused: 6 });
  const fine = await named(key, 'Fine; very fine');
  assert.deepEqual(
    [fine.source, fine.writtenAt, fine.rating, fine.leadId],
    ['google', '2026-03-04T00:00:00.000Z', 5, null],
  );
  const refused = await decide(fine, key, { status: 'published' });
  assert.equal(refused.status, 409, 'nobody can allow it');
  const dark = await named(key, 'Too dark');
  assert.deepEqual([dark.permission, dark.name], ['granted', 'Cem']);
  assert.equal((await decide(dark, key, { status: 'published' })).status, 200);
  assert.deepEqual((await list(key)).average.rating, 3.5);
  const changed = address();
  assert.equal(
    (await call(`${server.url}/v1/leads/${dark.leadId}`, 'PATCH', { email: changed }, admin)).status,
    200,
  );
  const old = await take(csv);
  assert.match(old.rows[1].message, /was corrected to another one/);
  assert.equal((await rows('select from leads where email = $1', [email])).length, 0);
  await call(`${server.url}/v1/leads/delete`, 'POST', { email: changed, propertyId: key }, admin);
  const again = await take(csv);
  assert.deepEqual(again.counts, { created: 0, unchanged: 1, refused: 7 });
  assert.match(again.rows[1].message, /erased/);
  for (const wrong of [{ csv: 'a,b\n1,2' }, { csv, source: 'form' }])
    assert.equal(
      (
        await call(
          `${server.url}/v1/sites/${key}/reviews/import`,
          'POST',
          { source: 'google', ...wrong },
          admin,
        )
      ).status,
      400,
    );
});

test('when a person’s time is over the rating goes on counting, without a word of theirs', async () => {
  const { key, siteId } = await newSite(server);
  const { email } = await write(key, { rating: 2, incentive: 'a loaf' });
  await write(key, { email, rating: undefined });
  const before = (await list(key)).average;
  const hash = emailHash(PEPPER, siteId, email);
  await server.services.forget({ siteId, emailNormalized: email, emailHash: hash, isOver: true });
  const after = await list(key);
  assert.deepEqual([before.rating, after.average.rating, after.average.ratings], [2, 2, 1]);
  const [left, ...more] = after.reviews;
  assert.deepEqual(
    [left!.text, left!.incentive, left!.leadId, left!.name, left!.permission, more.length],
    [null, null, null, null, 'none', 0],
  );
});

test('a site sees its own reviews only', async () => {
  const { key } = await newSite(server);
  const other = await newSite(server);
  const { text } = await write(key);
  const review = await named(key, text);
  const at = `${server.url}/v1/sites/${other.key}/reviews/${review.reviewId}`;
  assert.equal((await call(at, 'GET', undefined, admin)).status, 404);
  assert.equal((await decide(review, other.key, { status: 'declined', reason: 'spam' })).status, 404);
  assert.deepEqual((await list(other.key)).reviews, []);
  const seen = await inSites(server.database.app, other.siteId, (db) => db.query('select from reviews'));
  assert.equal(seen.rowCount, 0);
});

test('lists come in pages, the newest first, by status, product and source', async () => {
  const { key } = await newSite(server);
  for (const product of ['rye', 'rye', 'oats']) await write(key, { product });
  const first = (await call(`${server.url}/v1/sites/${key}/reviews?limit=2`, 'GET', undefined, admin)).body;
  const second = await call(
    `${server.url}/v1/sites/${key}/reviews?limit=2&cursor=${first.nextCursor}`,
    'GET',
    undefined,
    admin,
  );
  assert.deepEqual([first.reviews.length, second.body.reviews.length, second.body.nextCursor], [2, 1, null]);
  assert.equal((await list(key, 'product=rye')).average.reviews, 2);
  assert.equal((await list(key, 'source=google')).reviews.length, 0);
  assert.equal((await list(key, 'status=waiting')).reviews.length, 3);
});

const takeBack = (key: string, email: string) =>
  call(`${server.url}/v1/leads/display`, 'POST', { email, show: false, propertyId: key });
const SPAM = 'Buy <a href="https://pills.example">pills</a>';
async function release(key: string, email: string): Promise<void> {
  const waiting = await call(`${server.url}/v1/admin/quarantine?propertyId=${key}`, 'GET', undefined, admin);
  const held = waiting.body.quarantined.find((one: { email: string }) => one.email === email);
  assert.ok(held, email);
  const path = `${server.url}/v1/admin/quarantine/${held.quarantineId}/release`;
  assert.equal((await call(path, 'POST', undefined, admin)).status, 200);
}

test('who takes it back while a review waits in quarantine is bound to that when it is released; a later word lifts it', async () => {
  const { key } = await newSite(server);
  const display = { text: MAY, name: 'Ada' };
  const [stranger, known, silent] = [address(), address(), address()];
  await send(key, { email: known, text: 'Fine.', rating: 4 });
  const all = [stranger, known, silent].map((email, i) => ({ email, text: `${SPAM} ${i}`, display }));
  for (const one of all) assert.equal((await send(key, one)).status, 200);
  for (const email of [stranger, known]) assert.deepEqual((await takeBack(key, email)).body, { ok: true });
  for (const { email } of all) await release(key, email);
  const permissions = await Promise.all(all.map(async ({ text }) => (await named(key, text)).permission));
  assert.deepEqual(permissions, ['none', 'none', 'granted']);
  const refused = await decide(await named(key, all[0]!.text), key, { status: 'published' });
  assert.deepEqual([refused.status, refused.body.error], [409, 'conflict']);
  // an older letter is no newer word; what is said from now on is
  const letter = { text: 'Yes, print it.', receivedAt: ago(minutes(10)), how: 'letter' };
  const older = await decide(await named(key, all[0]!.text), key, { permission: letter });
  assert.deepEqual([older.status, older.body.error], [409, 'conflict']);
  for (const email of [stranger, known]) {
    await send(key, { email, text: `Again, ${email}`, display });
    assert.equal((await named(key, `Again, ${email}`)).permission, 'granted');
  }
});

test('who takes it back by the link, or by a word to the shop, binds what waits too', async () => {
  const { key, siteId } = await newSite(server);
  const emails = [address(), address()];
  for (const [i, email] of emails.entries()) {
    await send(key, { email, text: `Known ${i}` });
    await send(key, { email, text: `${SPAM} ${i}`, display: { text: MAY, name: 'Ada' } });
  }
  const [{ key: linkKey }] = await rows('select unsubscribe_key as key from leads where email = $1', [
    emails[0],
  ]);
  const token = linkToken(siteId, linkKey);
  const page = await call(`${server.url}/v1/unsubscribe/${token}?lang=en`, 'GET', undefined, {
    accept: 'text/html',
  });
  assert.match(page.body, /name="token" value="[^"]+"/, 'the button is there while something waits');
  assert.equal((await call(`${server.url}/v1/leads/display`, 'POST', { token, show: false })).status, 200);
  const told = await decide(await named(key, 'Known 1'), key, { permission: null });
  assert.equal(told.status, 200, JSON.stringify(told.body));
  for (const [i, email] of emails.entries()) {
    await release(key, email);
    assert.equal((await named(key, `${SPAM} ${i}`)).permission, 'none');
  }
});

test('what waited in a journal, or is carried in with an older permission, is bound by what was taken back since', async () => {
  const { key, siteId } = await newSite(server);
  const { leads } = server.services;
  const [away, imported] = [address(), address()];
  const late = (body: object) => ({ propertyId: key, anonId: randomUUID(), ...body });
  // captures find the database away; what was journalled is not played before it is back
  const { query } = leads.pool;
  leads.pool.query = (() =>
    Promise.reject(Object.assign(new Error('away'), { code: 'ECONNREFUSED' }))) as never;
  const sent = await call(
    `${server.url}/v1/reviews`,
    'POST',
    late({ email: away, text: 'From the journal.', display: { text: MAY, name: 'Ada' } }),
  );
  assert.equal(sent.status, 200, JSON.stringify(sent.body));
  assert.equal(leads.journal.isEmpty, false);
  for (const email of [away, imported]) await takeBack(key, email);
  leads.pool.query = query;
  await until('the journal is played', async () => {
    await leads.replay();
    return leads.journal.isEmpty;
  });
  assert.equal((await named(key, 'From the journal.')).permission, 'none');
  const csv = `writtenAt,text,email,permission,permissionAt,evidence\n2026-01-31,From elsewhere.,${imported},Print it,2026-01-31,letter\n`;
  const report = await call(
    `${server.url}/v1/sites/${key}/reviews/import`,
    'POST',
    { source: 'elsewhere', csv },
    admin,
  );
  assert.deepEqual(report.body.counts?.created, 1, JSON.stringify(report.body));
  assert.equal((await named(key, 'From elsewhere.')).permission, 'none');
  assert.deepEqual(await rows('select from display_consents where site_id = $1', [siteId]), []);
});
