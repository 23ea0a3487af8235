// Reviews that are taken back, in whichever way and wherever they wait: of no feed, with no receipt.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { feedWhen, newSite } from '../../../test/claims.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { address, ago, minutes } from '../../../test/make.ts';
import {
  cardOf,
  decide,
  FORM,
  gone,
  later,
  list,
  MAY,
  named,
  publish,
  release,
  rows,
  type Sent,
  SPAM,
  send,
  server,
  shop,
  takeBack,
  useReviews,
  write,
} from '../../../test/reviews.ts';
import { admin, call } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { linkToken } from '../consent/link.ts';
import { forgetAgain } from '../erasure/forget-again.ts';

useReviews();

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
