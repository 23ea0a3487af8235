// What a person gets who asks for everything: the rows an erasure would take, every column of them, and of nobody else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { LISTS, listName, listsOf, personTables } from './held.ts';

let server: TestServer;
let shop: string;
before(async () => {
  server = await startServer();
  shop = (await call(`${server.url}/v1/sites`, 'POST', { key: 'shop', name: 'The shop' }, admin)).body.site
    .siteId;
});
after(() => server.end());

const page = (anonId: string, path: string, headers = {}) =>
  call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId, path, propertyId: 'default' }), headers);
const capture = (body: object, headers = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { propertyId: 'default', ...body }, headers);
const ask = (route: string, body: object) => call(`${server.url}/v1/leads/${route}`, 'POST', body, admin);
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

test('the document names every list that an export may have', () => {
  assert.deepEqual(listsOf(tablesOf(FEATURES)), [...LISTS]);
});

test('every table that is by person is a list of the export, and every column of it stands in its rows', async () => {
  const email = address();
  const anonId = anon();
  await page(anonId, '/bread');
  const choice = {
    choiceId: `choice of ${anonId}`,
    mode: 'full',
    anonId,
    words: 'Know you again? No. Yes.',
    language: 'en',
  };
  await call(`${server.url}/v1/choices`, 'POST', choice);
  await call(
    `${server.url}/v1/sites/${server.services.sites.fallback().siteId}`,
    'PATCH',
    { settings: { senderAddress: '1 Lane', senderName: 'Bakery' } },
    admin,
  );
  await capture({
    email,
    anonId,
    consentStatus: 'express',
    consent: { text: 'Send me the letter.' },
    display: { text: 'May we show your first name?', name: 'Ada' },
    payload: { wish: 'rye' },
  });
  await call(`${server.url}/v1/reviews`, 'POST', { email, anonId, text: 'Good rye.', rating: 5 });
  const leadId = await leadIdOf(server, email);
  const siteId = server.services.sites.fallback().siteId;
  const visitorId = visitorIdOf(siteId, anonId);
  // what only some people have
  await server.database.owner.query(
    `insert into opt_ins (site_id, lead_id, token, requested_at, request) values ($1, $2, 'a token of theirs', now(), '{}')`,
    [siteId, leadId],
  );
  await server.database.owner.query(
    `insert into outgoing_mails (site_id, lead_id, kind, opt_in_id) select site_id, lead_id, 'confirm', opt_in_id from opt_ins where lead_id = $1`,
    [leadId],
  );
  await call(`${server.url}/v1/leads/${leadId}`, 'PATCH', { email, how: 'it was right' }, admin);
  await call(`${server.url}/v1/admin/bots`, 'POST', { visitorId, bot: true }, admin);
  await call(`${server.url}/v1/admin/bots`, 'POST', { visitorId, bot: false }, admin);
  await call(`${server.url}/v1/conversions`, 'POST', { id: `order-${leadId}`, kind: 'signup', email }, admin);
  await capture({
    email,
    anonId,
    payload: {
      message: 'diagnosis: private <a href="http://x.example">x</a> http://y.example http://z.example',
    },
    formName: 'held',
  });
  await server.database.owner.query(
    `insert into quarantine (site_id, quarantine_id, received_at, email_normalized, capture, score, reasons)
     values ($1, gen_random_uuid(), now(), $2, '{"payload": {"message": "diagnosis: private"}}', 1, '{links}')`,
    [siteId, email],
  );
  await server.database.owner.query(
    `insert into your_data_links (site_id, kind, email_normalized, email_hash, asked_by, language) values ($1, 'look', $2, '\\x00', '\\x00', 'en')`,
    [siteId, email],
  );
  await server.database.owner.query(
    `insert into mail_recipients (site_id, email_hash, language, link_key) values ($1, $2, 'en', 'a key of theirs')`,
    [siteId, server.services.leads.hashAddress(siteId, email)],
  );
  const [{ notification_id: notificationId }] = await rows(
    "insert into notifications (site_id, kind) values ($1, 'count') returning notification_id",
    [siteId],
  );
  const seen = { eventType: 'proof_shown', props: { notificationId }, propertyId: 'default' };
  await call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId, ...seen }));
  await rows(
    `with test as (
       insert into ab_tests (site_id, notification_id, control_share, goal, min_days, max_days, winner, stop_unproven)
       values ($1, $2, 0.5, '{}', 14, 56, 'manual', false) returning site_id, test_id)
     insert into ab_exposures (site_id, test_id, visitor_id, arm, first_exposed_at) select site_id, test_id, $3, 'control', now() from test`,
    [siteId, notificationId, visitorId],
  );
  await server.database.owner.query(
    `with made as (insert into notifications (site_id, kind) values ($1, 'recent_activity') returning notification_id),
       version as (insert into notification_versions (site_id, notification_id, version, status, name, texts, settings, made_by)
         select $1, notification_id, 1, 'draft', 'n', '{}', '{}', 'test' from made),
       key as (insert into proof_keys (key_id, public_key) values ('k', '\\x00')),
       words as (insert into receipt_words (site_id, notification_id, version, words_id, words)
         select $1, notification_id, 1, substring(sha256('w') for 16), '{}' from made),
       receipt as (insert into receipts (site_id, receipt_id, notification_id, version, as_of, key_id, signature, words_id, said)
         select $1, substring(sha256('x') for 16), notification_id, 1, now(), 'k', '\\x00', substring(sha256('w') for 16), 'one act' from made)
     insert into receipt_acts (site_id, receipt_id, lead_id, conversion_id) values ($1, substring(sha256('x') for 16), $2, 'order-1')`,
    [siteId, leadId],
  );
  await rows(
    `with told as (insert into outbox (site_id, seq, type, data, lead_id) values ($1, 1, 'lead.captured', '{}', $2)),
       asked as (insert into webhooks (site_id, kind, url, types, made_by) values ($1, 'endpoint', 'https://hooks.example/', '{lead.captured}', 'test') returning site_id, webhook_id)
     insert into deliveries (site_id, webhook_id, type, data, lead_id, happened_at) select site_id, webhook_id, 'lead.captured', '{}', $2, now() from asked`,
    [siteId, leadId],
  );
  await rows(
    'insert into visitor_profiles (site_id, visitor_id, seen_at, sessions, engaged_minutes, intent, score) values ($1, $2, now(), 1, 0, 0, 1)',
    [siteId, visitorId],
  );
  await rows(
    `insert into restored_events (site_id, event_id, visitor_id, session_id, day, site_day, occurred_at, received_at, event_type, path, clamped,
       privacy_signal, is_conversion)
     values ($1, gen_random_uuid(), $2, gen_random_uuid(), '2026-01-05', '2026-01-05', '2026-01-05T10:00Z', '2026-01-05T10:00Z',
       'page_view', '/', false, false, false)`,
    [siteId, visitorId],
  );
  await rows(
    `insert into session_days (site_id, visitor_id, day, origin_id, landing_id, leaving_id, engaged_ms, nth, forms_started, forms_submitted,
       again, begun, converted, bounced, pages)
     values ($1, $2, '2026-01-05', 0, 0, 0, 0, 1, 0, 0, false, true, false, false, '{}')`,
    [siteId, visitorId],
  );
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);

  const { status, body } = await ask('export-subject', { email });
  assert.equal(status, 200, JSON.stringify(body).slice(0, 400));
  for (const table of personTables(tablesOf(FEATURES))) {
    const list = body.subject[listName(table)];
    assert.ok(Array.isArray(list) && list.length > 0, `${table}: ${JSON.stringify(list)}`);
    const columns = await rows(
      `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> 'site_id'`,
      [table],
    );
    assert.deepEqual(
      columns.map(({ name }) => camelCase(name)).filter((name) => !(name in list[0])),
      [],
      `columns of ${table} that nobody is told`,
    );
  }
  assert.match(JSON.stringify(body.subject.quarantined), /diagnosis: private/);
  assert.match(body.subject.unsubscribeUrl, /\/v1\/unsubscribe\//);
  assert.equal(body.subject.consents[0].words, 'Send me the letter.');
});

test('of a browser that others left an address in, each gets what hangs on their own forms', async () => {
  const anonId = anon();
  const [alice, bob] = [address(), address()];
  await page(anonId, '/alice-reads');
  await capture({ email: alice, anonId, path: '/form', formName: 'alice_form' });
  await page(anonId, '/divorce-lawyer');
  await capture({ email: bob, anonId, path: '/divorce-form', formName: 'divorce_consultation' });
  await call(
    `${server.url}/v1/conversions`,
    'POST',
    { id: `${anonId}-70`, kind: 'purchase', anonId, amount: '70.00', currency: 'CAD' },
    admin,
  );
  const { body } = await ask('export-subject', { email: alice });
  const text = JSON.stringify(body);
  for (const others of [bob, 'divorce', 'lawyer', 'CAD']) assert.ok(!text.includes(others), others);
  assert.deepEqual(
    body.subject.events.map(({ props }: { props: { formName: string } }) => props.formName),
    ['alice_form'],
  );
  const timeline = await call(`${server.url}/v1/leads/${body.subject.lead.leadId}`, 'GET', undefined, admin);
  assert.doesNotMatch(JSON.stringify(timeline.body), /divorce|lawyer|70\.00/);
});

test('of a browser that others left an address in, neither its id nor how a lead came tells of their forms', async () => {
  const anonId = anon();
  const [alice, bob] = [address(), address()];
  await capture({
    email: alice,
    anonId,
    path: '/divorce-form',
    formName: 'divorce_consultation',
    referrer: 'https://divorce.example/',
    utm: { source: 'divorce_letter' },
  });
  await page(anonId, '/bread');
  await capture({ email: bob, anonId, path: '/form', formName: 'bob_form' });
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const { body } = await ask('export-subject', { email: bob });
  assert.equal(body.subject.leadFacts.length, 1);
  assert.doesNotMatch(JSON.stringify(body), /divorce/);
  assert.deepEqual([body.subject.lead.firstPath, body.subject.leads[0].firstPath], [null, null]);
  const own = await ask('export-subject', { email: alice });
  assert.doesNotMatch(JSON.stringify(own.body), /bob_form/);
  const browser = await ask('export-subject', { anonId });
  const seen = browser.body.subject.events.map(({ path }: { path: string }) => path);
  assert.deepEqual(seen, ['/bread']);
  assert.doesNotMatch(JSON.stringify(browser.body), /divorce_consultation|bob_form/);
  // once the other is erased the browser is his alone, and still says nothing of her form
  await ask('delete', { email: alice });
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const alone = await ask('export-subject', { email: bob });
  assert.doesNotMatch(JSON.stringify(alone.body), /divorce-form|divorce\.example/);
});

test('who asked for the most privacy is told what is held all the same, as the erasure finds it', async () => {
  const anonId = anon();
  const email = address();
  const gpc = { 'sec-gpc': '1' };
  await page(anonId, '/quiet', gpc);
  await capture({ email, anonId, path: '/form' }, gpc);
  const { body } = await ask('export-subject', { email });
  assert.deepEqual(body.subject.events.map(({ path }: { path: string }) => path).sort(), ['/form', '/quiet']);
  assert.equal(body.subject.visitors.length, 1);
  assert.equal(body.subject.identities.length, 0);
  const erased = await ask('delete', { email });
  for (const table of ['visitors', 'sessions', 'events'])
    assert.equal(erased.body.erased[table], body.subject[table].length, table);
});

test('who left no address asks with the id of their browser', async () => {
  const anonId = anon();
  await page(anonId, '/by-id');
  await page(anonId, '/by-id/2');
  const { body } = await ask('export-subject', { anonId });
  assert.equal(body.subject.events.length, 2);
  assert.equal(body.subject.lead, null);
  assert.equal((await ask('export-subject', { anonId: anon() })).status, 404);
  for (const wrong of [{}, { email: address(), anonId }, { anonId: 'short' }])
    assert.equal((await ask('export-subject', wrong)).status, 400);
});

test('without a site every site answers, and who is on none is told of how many were asked', async () => {
  const email = address();
  await capture({ email });
  await capture({ email, propertyId: 'shop' });
  const all = await ask('export-subject', { email });
  assert.equal(all.body.others.length, 1);
  assert.deepEqual([all.body.site.key, all.body.others[0].site.key].sort(), ['default', 'shop']);
  assert.equal(all.body.others[0].subject.lead.email, email);
  const one = await ask('export-subject', { email, propertyId: 'shop' });
  assert.deepEqual([one.body.site.siteId, one.body.others], [shop, []]);
  const named = await ask('delete', { email: address(), propertyId: 'shop' });
  assert.match(named.body.message, /site shop/);
  const { body } = await ask('delete', { email });
  assert.deepEqual(body.sites.map(({ site }: { site: { key: string } }) => site.key).sort(), [
    'default',
    'shop',
  ]);
  assert.equal(body.erased.leads, 2);
  const gone = await ask('delete', { email });
  assert.equal(gone.status, 404);
  assert.match(gone.body.message, /any of your 2 sites/);
});

test('an erasure answers with a certificate, and its proof is found by the address for ever', async () => {
  const email = address();
  await capture({ email, consentStatus: 'express', consent: { text: 'Send me the letter.' } });
  const { body } = await ask('delete', { email, propertyId: 'default' });
  assert.match(body.erasureId, /^[0-9a-f-]{36}$/);
  assert.equal(Date.parse(body.backupsUntil) - Date.parse(body.erasedAt), 35 * 86_400_000);
  const { body: kept } = await ask('erasure-proof', { email });
  assert.deepEqual([kept.proofs.length, kept.proofs[0].erasureId], [1, body.erasureId]);
  const [record] = kept.proofs[0].consents;
  assert.deepEqual([record.seq, record.status], [1, 'express']);
  assert.match(record.hash, /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(kept).includes(email.split('@')[0]!));
  assert.deepEqual((await ask('erasure-proof', { email: address() })).body.proofs, []);
});

test('what was asked and answered stands in the register, an open request as done', async () => {
  const email = address();
  await capture({ email });
  const open = await call(
    `${server.url}/v1/admin/requests`,
    'POST',
    { kind: 'erasure', email, receivedAt: '2026-11-01T00:00:00Z' },
    admin,
  );
  await ask('export-subject', { email });
  await ask('delete', { email });
  const found = await call(`${server.url}/v1/admin/requests/search`, 'POST', { email }, admin);
  assert.deepEqual(
    found.body.requests.map(({ kind, outcome }: { kind: string; outcome: string }) => [kind, outcome]).sort(),
    [
      ['access', 'done'],
      ['erasure', 'done'],
    ],
  );
  const erasure = found.body.requests.find(({ kind }: { kind: string }) => kind === 'erasure');
  assert.equal(erasure.requestId, open.body.request.requestId);
});
