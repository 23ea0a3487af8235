// Whoever left, by whichever way, is followed no further: their links end, and no form of theirs makes a new one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { linkToken } from '../consent/link.ts';
import { withdrawConsent } from '../consent/record.ts';
import { withdrawDisplay } from '../display/display.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const ask = (path: string, body: object) => call(server.url + path, 'POST', body, admin);
const page = (anonId: string, path: string) =>
  call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId, path }));
const capture = (body: object) => call(`${server.url}/v1/leads/capture`, 'POST', body);
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];
const openLinksOf = async (email: string): Promise<number> =>
  (
    await rows(
      `select from lead_identities i join leads l using (site_id, lead_id)
       where email_normalized = $1 and unlinked_at is null and ended_at is null`,
      [email],
    )
  ).length;
const timelineOf = async (email: string) =>
  (await call(`${server.url}/v1/leads/${await leadIdOf(server, email)}`, 'GET', undefined, admin)).body;
const pathsOf = async (email: string): Promise<string[]> =>
  (await timelineOf(email)).events.map(({ path }: { path: string }) => path);
const express = (...purposes: string[]) => ({
  consentStatus: 'express',
  consent: { text: `Yes to ${purposes}.`, purposes },
});
const unsubscribe = (email: string, purposes?: string[]) =>
  call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, ...(purposes && { purposes }) });

const WAYS: Record<string, (email: string) => Promise<unknown>> = {
  'by address': (email) => unsubscribe(email),
  'by address, of mails alone': (email) => unsubscribe(email, ['email']),
  'by address, of their profile alone': (email) => unsubscribe(email, ['profile']),
  'by the link of a mail': async (email) =>
    call(
      `${server.url}/v1/unsubscribe/${linkToken(siteId, (await leadOf(email)).unsubscribe_key)}`,
      'POST',
      'List-Unsubscribe=One-Click',
      { 'content-type': 'application/x-www-form-urlencoded' },
    ),
  'on their own page': async (email) =>
    withdrawConsent(server.database.app, {
      site_id: siteId,
      request_id: crypto.randomUUID(),
      at: new Date().toISOString(),
      basis: 'self_service',
      key: (await leadOf(email)).unsubscribe_key,
      purposes: ['profile'],
    }),
  'by telephone': async (email) =>
    ask(`/v1/leads/${await leadIdOf(server, email)}/withdraw`, {
      receivedAt: new Date().toISOString(),
      how: 'by telephone',
    }),
  'by an imported list': (email) =>
    ask('/v1/leads/import', { csv: `email,consentStatus\n${email},withdrawn` }),
  'by an imported list, of mails alone': (email) =>
    ask('/v1/leads/import', { csv: `email,consentStatus,purposes\n${email},withdrawn,email` }),
};
for (const [way, withdraw] of Object.entries(WAYS))
  test(`who withdrew ${way} is followed no further, in any browser, whatever form they send`, async () => {
    const email = address();
    const [first, second] = [anon(), anon()];
    await page(first, '/before');
    await capture({ email, anonId: first, ...express('email', 'profile') });
    assert.equal(await openLinksOf(email), 1);
    await withdraw(email);
    assert.equal(await openLinksOf(email), 0);
    await page(first, '/after');
    await page(second, '/elsewhere');
    await capture({ email, anonId: first, formName: 'a question' });
    await capture({ email, anonId: second, formName: 'another question' });
    await page(second, '/elsewhere-later');
    assert.equal(await openLinksOf(email), 0);
    const paths = await pathsOf(email);
    assert.ok(paths.includes('/before'));
    assert.deepEqual(
      paths.filter((path) => /after|elsewhere/.test(path)),
      [],
    );
  });

test('a list that says since when somebody is gone ends their links as of then', async () => {
  const email = address();
  const anonId = anon();
  await capture({ email, anonId, path: '/form' });
  await rows("update leads set first_captured_at = now() - interval '2 days' where email_normalized = $1", [
    email,
  ]);
  const since = new Date(Date.now() - 86_400_000).toISOString();
  await ask('/v1/leads/import', { csv: `email,consentStatus,consentAt\n${email},withdrawn,${since}` });
  const [link] = await rows(
    'select ended_at from lead_identities i join leads l using (site_id, lead_id) where email_normalized = $1',
    [email],
  );
  assert.equal(link.ended_at.toISOString(), since);
  assert.deepEqual(await pathsOf(email), []);
});

test('an address that unsubscribed while it was nobody’s is tied to nothing when it sends a form', async () => {
  const email = address();
  const anonId = anon();
  await unsubscribe(email);
  await call(
    `${server.url}/v1/events`,
    'POST',
    makeEvent({ anonId, path: '/secret-topic', timestamp: Date.now() - 7_200_000 }),
  );
  await page(anonId, '/offer');
  await capture({ email, anonId, path: '/form' });
  await page(anonId, '/after');
  const { first_path, first_visitor_id } = await leadOf(email);
  assert.deepEqual([first_path, first_visitor_id], ['/offer', null]);
  assert.equal(await openLinksOf(email), 0);
  assert.deepEqual(await pathsOf(email), []);
});

test('who comes back is tied again by what they agree to: mails, and the profile where that was withdrawn too', async () => {
  const [mails, all] = [address(), address()];
  for (const email of [mails, all]) await capture({ email, anonId: anon(), ...express('email') });
  await unsubscribe(mails, ['email']);
  await unsubscribe(all);
  for (const email of [mails, all]) await capture({ email, anonId: anon(), ...express('email') });
  assert.deepEqual([await openLinksOf(mails), await openLinksOf(all)], [1, 0]);
  await capture({ email: all, anonId: anon(), ...express('email', 'profile') });
  assert.equal(await openLinksOf(all), 1);
});

test('a withdrawal that waited while its person agreed anew ends what was before it, and not what came after', async () => {
  const email = address();
  const [before, since] = [anon(), anon()];
  await capture({ email, anonId: before, ...express('email') });
  const at = new Date().toISOString();
  await pause(5); // within one millisecond the withdrawal is what binds
  await capture({ email, anonId: since, consentStatus: 'express', consent: { text: 'Again, please.' } });
  await withdrawConsent(server.database.app, {
    site_id: siteId,
    request_id: crypto.randomUUID(),
    at,
    basis: 'unsubscribe_request',
    email_normalized: email,
    email_hash: server.services.leads.hashAddress(siteId, email),
  });
  assert.equal((await leadOf(email)).consent_status, 'express');
  assert.equal(await openLinksOf(email), 1);
});

test('who takes back that they may be named is not untied by that', async () => {
  const email = address();
  await capture({
    email,
    anonId: anon(),
    ...express('email'),
    payload: { name: 'Ada' },
    display: { text: 'You may name me.' },
  });
  const { lead_id } = await leadOf(email);
  await withdrawDisplay(server.database.app, {
    site_id: siteId,
    at: new Date().toISOString(),
    basis: 'request',
    lead_id,
  });
  assert.equal(await openLinksOf(email), 1);
});

test('an admin’s own link to a browser of somebody who left brings in what was before, and nothing after', async () => {
  const email = address();
  const anonId = anon();
  await page(anonId, '/before');
  await capture({ email, ...express('email') });
  const leadId = await leadIdOf(server, email);
  await unsubscribe(email);
  await page(anonId, '/after');
  assert.equal((await ask('/v1/identities/merge', { leadId, anonId })).status, 200);
  assert.deepEqual(
    (await pathsOf(email)).filter((path) => /before|after/.test(path)),
    ['/before'],
  );
});

test('what a browser is told to have bought after its person left is not of their timeline', async () => {
  const email = address();
  const anonId = anon();
  await capture({ email, anonId, ...express('email') });
  await ask('/v1/conversions', { id: `first-${anonId}`, kind: 'signup', anonId });
  await unsubscribe(email);
  await ask('/v1/conversions', { id: `later-${anonId}`, kind: 'activation', anonId });
  const { conversions } = await timelineOf(email);
  assert.deepEqual(
    conversions.map(({ kind }: { kind: string }) => kind),
    ['signup'],
  );
});
