// What a card says of reviews: by permission for exactly these words, with all that must stand beside it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { feedOf, newSite, orders, running } from '../../../test/claims.ts';
import { address, ago, hours, minutes } from '../../../test/make.ts';
import {
  cardOf,
  decide,
  gone,
  later,
  list,
  MAY,
  named,
  publish,
  rows,
  SHOW,
  server,
  shop,
  useReviews,
  write,
} from '../../../test/reviews.ts';
import { admin, call } from '../../../test/server.ts';

useReviews();

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
