// Who left no address asks with the id of their browser: its visits are nobody's then, and a restored backup forgets it again.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PEPPER } from '../../../test/cluster.ts';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { dayOf } from '../../ground/lib/days.ts';
import { readForgotten, rememberForgotten } from '../consent/forget-journal.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { forgetAgain } from './forget-again.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  await call(`${server.url}/v1/sites`, 'POST', { key: 'guessing', settings: { linking: 'on' } }, admin);
});
after(() => server.end());

const page = (anonId: string, path: string, more = {}, headers = {}) =>
  call(
    `${server.url}/v1/events`,
    'POST',
    makeEvent({ anonId, path, propertyId: 'default', ...more }),
    headers,
  );
const ask = (route: string, body: object) => call(`${server.url}/v1/leads/${route}`, 'POST', body, admin);
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const rollUp = () => call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
const numbers = async () => {
  await rollUp();
  const today = dayOf(Date.now());
  const { body } = await call(
    `${server.url}/v1/metrics/summary?from=${today}&to=${today}`,
    'GET',
    undefined,
    admin,
  );
  return body.metrics;
};
/** Every row of every table in which the browser's own id stands. */
async function rowsWith(text: string): Promise<string[]> {
  const found: string[] = [];
  for (const table of Object.keys(tablesOf(FEATURES)))
    if ((await rows(`select from ${table} t where t::text like '%' || $1 || '%' limit 1`, [text])).length > 0)
      found.push(table);
  return found;
}

test('a browser that nobody left an address in is forgotten by its id, with a certificate; no sum changes', async () => {
  const anonId = anon();
  const visitorId = visitorIdOf(siteId, anonId);
  await page(anonId, '/my-illness', { props: { word: 'canary-of-a-browser' } });
  await page(anonId, '/my-illness/2');
  await call(
    `${server.url}/v1/conversions`,
    'POST',
    { id: `signup-${anonId}`, kind: 'signup', anonId, propertyId: 'default' },
    admin,
  );
  await call(`${server.url}/v1/admin/bots`, 'POST', { visitorId, bot: true }, admin);
  await call(`${server.url}/v1/admin/bots`, 'POST', { visitorId, bot: false }, admin);
  const before = await numbers();
  assert.ok((await rowsWith(visitorId)).length > 5);
  const { status, body } = await ask('delete', { anonId });
  assert.equal(status, 200, JSON.stringify(body));
  for (const table of ['visitors', 'sessions', 'events', 'event_keys', 'conversions'])
    assert.ok(body.erased[table] > 0, table);
  for (const field of ['erasureId', 'erasedAt', 'backupsUntil']) assert.ok(body[field], field);
  assert.deepEqual(await numbers(), before);
  // that an admin judged it stays, by the id it had then
  assert.deepEqual(await rowsWith(visitorId), ['audit_log']);
  assert.deepEqual(await rowsWith('my-illness'), []);
  assert.deepEqual(await rowsWith('canary-of-a-browser'), []);
  const { body: proof } = await ask('erasure-proof', { anonId });
  assert.deepEqual(
    proof.proofs.map(({ erasureId, cause }: { erasureId: string; cause: string }) => [erasureId, cause]),
    [[body.erasureId, 'request']],
  );
  const again = await ask('delete', { anonId });
  assert.equal(again.status, 404);
  assert.match(again.body.message, /this browser/);
  // it comes back with the id that it still has, and is somebody new
  await page(anonId, '/again');
  const { body: held } = await ask('export-subject', { anonId });
  assert.deepEqual(
    held.subject.events.map(({ path }: { path: string }) => path),
    ['/again'],
  );
});

test('a browser in which somebody left an address is theirs: the answer says so, and nothing happens', async () => {
  const capture = (body: object, headers = {}) =>
    call(
      `${server.url}/v1/leads/capture`,
      'POST',
      { propertyId: 'default', path: '/form', ...body },
      headers,
    );
  const tied: [string, (anonId: string) => Promise<unknown>][] = [
    ['a form', (anonId) => capture({ email: address(), anonId })],
    ['a form without a link', (anonId) => capture({ email: address(), anonId }, { 'sec-gpc': '1' })],
    [
      'a form that is held back',
      (anonId) =>
        capture({
          email: address(),
          anonId,
          payload: { message: '<a href="x">x</a> http://y.example http://z.example' },
        }),
    ],
  ];
  for (const [what, act] of tied) {
    const anonId = anon();
    await page(anonId, '/theirs');
    await act(anonId);
    const { status, body } = await ask('delete', { anonId });
    assert.deepEqual([status, body.error, body.issues?.[0].path], [409, 'conflict', 'anonId'], what);
    const { events } = (await ask('export-subject', { anonId })).body.subject;
    assert.deepEqual(
      events.map(({ eventType }: { eventType: string }) => eventType),
      ['page_view'],
      `${what}: the form is told to whoever asks by the address`,
    );
  }
});

test('a guess is no evidence: who was guessed to be a lead is forgotten all the same, and the lead stays', async () => {
  const headers = { 'user-agent': `${BROWSER} a guess` };
  const [stranger, own, email] = [anon(), anon(), address()];
  await page(stranger, '/stranger', { propertyId: 'guessing' }, headers);
  await call(
    `${server.url}/v1/leads/capture`,
    'POST',
    { propertyId: 'guessing', email, anonId: own, path: '/' },
    headers,
  );
  const guesses = () =>
    rows(
      "select i.visitor_id from lead_identities i join leads l using (site_id, lead_id) where l.email = $1 and link_source = 'same_ip_ua_window'",
      [email],
    );
  assert.equal((await guesses()).length, 1);
  const { body } = await ask('delete', { anonId: stranger, propertyId: 'guessing' });
  assert.equal(body.erased.lead_identities, 1);
  assert.deepEqual(await guesses(), []);
  assert.equal((await rows('select from leads where email = $1', [email])).length, 1);
});

test('a request waits for an email or an anonId, not both, and closes in the register', async () => {
  for (const wrong of [{}, { email: address(), anonId: anon() }, { anonId: 'short' }])
    assert.equal((await ask('delete', wrong)).status, 400);
  const anonId = anon();
  await page(anonId, '/asked');
  await ask('delete', { anonId });
  const { body } = await call(`${server.url}/v1/admin/requests?state=answered`, 'GET', undefined, admin);
  assert.equal(
    body.requests.filter(
      ({ kind, outcome }: { kind: string; outcome: string }) => kind === 'erasure' && outcome === 'done',
    ).length > 0,
    true,
  );
});

test('a backup from before forgets the browser again; one that was a lead’s by then is left to the lead’s own erasure', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'forget-browser-'));
  const [gone, leads] = [anon(), anon()];
  const since = new Date().toISOString();
  await page(gone, '/backed-up');
  const whole = await rows('select to_jsonb(t) as row from visitors t where visitor_id = $1', [
    visitorIdOf(siteId, gone),
  ]);
  await ask('delete', { anonId: gone });
  const entries = [];
  for await (const entry of readForgotten(server.services.leads.forgetJournal!)) entries.push(entry);
  const mine = entries.find(
    (entry) => entry.kind === 'browser' && entry.visitorId === visitorIdOf(siteId, gone),
  );
  assert.ok(mine);
  // the restore brings its row back
  await server.database.owner.query(
    'insert into visitors select * from jsonb_populate_record(null::visitors, $1)',
    [whole[0].row],
  );
  await page(leads, '/theirs');
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email: address(),
    anonId: leads,
    propertyId: 'default',
  });
  const journal = join(folder, 'journal.ndjson');
  const at = new Date(Date.now() + 1000).toISOString();
  for (const visitorId of [
    visitorIdOf(siteId, gone),
    visitorIdOf(siteId, leads),
    visitorIdOf(siteId, anon()),
  ])
    await rememberForgotten(journal, {
      kind: 'browser',
      siteId,
      visitorId,
      hash: `\\x${'00'.repeat(32)}`,
      at,
    });
  const again = () =>
    forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) });
  assert.deepEqual(await again(), { erased: 1, withdrawn: 0, unknown: 2 });
  const there = async (anonId: string) =>
    (await rows('select from visitors where visitor_id = $1', [visitorIdOf(siteId, anonId)])).length;
  assert.deepEqual([await there(gone), await there(leads)], [0, 1]);
  assert.deepEqual(await again(), { erased: 0, withdrawn: 0, unknown: 3 });
  await rm(folder, { recursive: true });
});
