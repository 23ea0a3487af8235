// Reviews as they count, whether they please or not: averages, numbers, tables from elsewhere, and whose time is over.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { feedOf, newSite, running } from '../../../test/claims.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { address } from '../../../test/make.ts';
import { decide, list, named, publish, rows, server, useReviews, write } from '../../../test/reviews.ts';
import { admin, call } from '../../../test/server.ts';
import { emailHash } from '../captures/capture.ts';

useReviews();

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
