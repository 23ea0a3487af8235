// Reviews: sent like any form and sifted like one; listed for the site's own people.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { newSite } from '../../../test/claims.ts';
import { address } from '../../../test/make.ts';
import {
  decide,
  FORM,
  list,
  MAY,
  named,
  rows,
  send,
  server,
  useReviews,
  write,
} from '../../../test/reviews.ts';
import { admin, call, startServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';

useReviews();

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
