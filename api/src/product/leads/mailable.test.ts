// Whom one may write to now, whom no longer, and what shows it a year later.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { expireConsents } from '../consent/queries.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer({
    PUBLIC_URL: 'https://stats.example',
    MAIL_SENDER: 'The Mill, 2 Mill Lane, York',
  });
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];
const get = (path: string) => call(`${server.url}${path}`, 'GET', undefined, admin);
const post = (path: string, body: unknown, headers: Record<string, string> = admin) =>
  call(`${server.url}${path}`, 'POST', body, headers);
const capture = (email: string, fields: Record<string, unknown> = {}) =>
  post('/v1/leads/capture', { email, anonId: anon(), ...fields }, {});
const express = { consentStatus: 'express', consent: { text: 'Write to me.' } };
const listed = async (query: string): Promise<{ email: string; unsubscribeUrl: string }[]> =>
  (await get(`/v1/leads?limit=200&${query}`)).body.leads;
const emails = async (query: string) => (await listed(query)).map(({ email }) => email);
/** The term of a lead's implied consent ended so many minutes ago, and no job has run since. */
const runOut = async (email: string, minutes: number) => {
  const { lead_id: lead } = await leadOf(email);
  const until = new Date(Date.now() - minutes * 60_000);
  await rows("update consent_records set expires_at = $2 where lead_id = $1 and status = 'implied'", [
    lead,
    until,
  ]);
  await rows('update leads set consent_expires_at = $2 where lead_id = $1', [lead, until]);
};

test('implied consent that has run out is expired at once: in lists, exports, evidence, one lead, and for the job later', async () => {
  const email = address();
  await capture(email, { consentStatus: 'implied' });
  assert.ok((await emails('consent=implied')).includes(email));
  await runOut(email, 1);
  const { lead_id: lead } = await leadOf(email);
  const look = async () => {
    assert.equal((await emails('consent=implied')).includes(email), false);
    assert.equal((await emails('mailable=true')).includes(email), false);
    assert.ok((await emails('consent=expired')).includes(email));
    assert.ok((await emails('mailable=no')).includes(email));
    const csv = parse((await get('/v1/leads/export.csv?consent=expired')).body, {
      columns: true,
      bom: true,
    }) as Record<string, string>[];
    assert.equal(csv.find((row) => row.email === email)?.consentStatus, 'expired');
    const one = (await get(`/v1/leads/${lead}`)).body;
    assert.equal(one.lead.consentStatus, 'expired');
    assert.equal(one.purposes[0].status, 'expired');
    const evidence = (await get(`/v1/leads/${lead}/consent`)).body;
    assert.deepEqual([evidence.status, evidence.purposes[0].status], ['expired', 'expired']);
    return one.lead.consentAt;
  };
  const ended = await look();
  assert.equal(await expireConsents(server.database.app, [site]), 1);
  assert.equal(await look(), ended, 'expired since its term ended, not since someone looked');
  assert.equal(await expireConsents(server.database.app, [site]), 0);
});

test('the list of whom one may write to holds express and running implied consent, each with its unsubscribe link', async () => {
  const people = Object.fromEntries(
    ['pending', 'implied', 'express', 'withdrawn', 'over', 'partners'].map((name) => [name, address()]),
  ) as Record<string, string>;
  await capture(people.pending!);
  await capture(people.implied!, { consentStatus: 'implied' });
  await capture(people.express!, express);
  await capture(people.withdrawn!, express);
  await post('/v1/leads/unsubscribe', { email: people.withdrawn }, {});
  await capture(people.over!, { consentStatus: 'implied' });
  await runOut(people.over!, 1);
  await capture(people.partners!, {
    consentStatus: 'express',
    consent: { text: 'Share.', purposes: ['partners'] },
  });
  const names = async (query: string) => {
    const there = new Set(await emails(query));
    return Object.keys(people).filter((name) => there.has(people[name]!));
  };
  assert.deepEqual(await names('mailable=true'), ['implied', 'express']);
  assert.deepEqual(await names('mailable=false'), ['pending', 'withdrawn', 'over', 'partners']);
  for (const { unsubscribeUrl } of await listed('mailable=true'))
    assert.match(unsubscribeUrl, /^https:\/\/stats\.example\/v1\/unsubscribe\/[A-Za-z0-9_-]{54}$/);
  const csv = parse((await get('/v1/leads/export.csv?mailable=true')).body, {
    columns: true,
    bom: true,
  }) as Record<string, string>[];
  assert.ok(csv.every((row) => ['implied', 'express'].includes(row.consentStatus!) && row.unsubscribeUrl));
  const found = await post('/v1/leads/search', { q: people.express, mailable: true });
  assert.equal(found.body.leads.length, 1);
  assert.equal((await post('/v1/leads/search', { q: people.over, mailable: true })).body.leads.length, 0);
  assert.equal((await get('/v1/leads?mailable=perhaps')).status, 400);
});

test('a mail tool asks since when, and hears of everyone who left or ran out, also of a withdrawal that was said earlier', async () => {
  const [left, over, before, byPhone, stays] = [address(), address(), address(), address(), address()];
  for (const email of [left, before, byPhone, stays]) await capture(email, express);
  await capture(over, { consentStatus: 'implied' });
  await post('/v1/leads/unsubscribe', { email: before }, {});
  await rows("update consent_records set recorded_at = recorded_at - interval '2 hours' where lead_id = $1", [
    (await leadOf(before)).lead_id,
  ]);
  await post('/v1/leads/unsubscribe', { email: left }, {});
  await runOut(over, 5);
  await rows("update consent_records set occurred_at = occurred_at - interval '9 days' where lead_id = $1", [
    (await leadOf(byPhone)).lead_id,
  ]);
  const told = await post(`/v1/leads/${(await leadOf(byPhone)).lead_id}/withdraw`, {
    receivedAt: new Date(Date.now() - 8 * 86_400_000).toISOString(),
    how: 'by telephone, to Mia',
  });
  assert.equal(told.status, 200, JSON.stringify(told.body));
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const there = new Set(await emails(`withdrawnSince=${since}`));
  assert.deepEqual(
    [left, over, before, byPhone, stays].map((email) => there.has(email)),
    [true, true, false, true, false],
  );
});

test('the operator withdraws for who asked by telephone: with evidence and date, in the ledger and the audit log', async () => {
  const email = address();
  await capture(email, { ...express, consent: { text: 'Both.', purposes: ['email', 'partners'] } });
  const { lead_id: lead } = await leadOf(email);
  const receivedAt = new Date().toISOString();
  const some = await post(`/v1/leads/${lead}/withdraw`, {
    receivedAt,
    how: 'letter of 3 May, folder 7',
    purposes: 'partners',
  });
  assert.deepEqual(
    some.body.purposes.map(({ purpose, status }: { purpose: string; status: string }) => [purpose, status]),
    [
      ['email', 'express'],
      ['partners', 'withdrawn'],
    ],
  );
  const { body } = await get(`/v1/leads/${lead}/consent`);
  const record = body.records.at(-1);
  assert.deepEqual(
    [record.basis, record.occurredAt, record.details.evidence, record.details.ipHash, record.details.uaHash],
    ['admin', receivedAt, 'letter of 3 May, folder 7', null, null],
  );
  assert.equal(body.chain.valid, true);
  const [line] = await rows(
    "select * from audit_log where target = $1 and action = 'POST /v1/leads/:leadId/withdraw'",
    [lead],
  );
  assert.deepEqual(line.details, { purposes: ['partners'], receivedAt });
  for (const wrong of [{ how: 'x' }, { receivedAt }, { receivedAt: '2999-01-01T00:00:00Z', how: 'x' }])
    assert.equal((await post(`/v1/leads/${lead}/withdraw`, wrong)).status, 400, JSON.stringify(wrong));
  assert.equal((await post(`/v1/leads/${lead}/withdraw`, { receivedAt, how: 'x' }, {})).status, 401);
});

test('the operator records consent given at the counter; it lifts a withdrawal of before, never one of after', async () => {
  const email = address();
  await capture(email);
  await post('/v1/leads/unsubscribe', { email }, {});
  const { lead_id: lead } = await leadOf(email);
  const grant = (more: Record<string, unknown>) =>
    post(`/v1/leads/${lead}/consent`, {
      status: 'express',
      words: 'The Mill, 2 Mill Lane, York, may write to me; I can stop it at any time.',
      how: 'card at the counter, folder 7',
      ...more,
    });
  const earlier = await grant({ receivedAt: new Date(Date.now() - 86_400_000).toISOString() });
  assert.equal(earlier.body.purposes[0].status, 'withdrawn');
  const now = new Date().toISOString();
  for (const wrong of [
    { receivedAt: now, words: undefined },
    { receivedAt: now, how: '' },
    { receivedAt: now, words: undefined, textId: crypto.randomUUID() },
    { receivedAt: now, status: 'withdrawn' },
  ])
    assert.equal((await grant(wrong)).status, 400, JSON.stringify(wrong));
  assert.equal((await grant({ receivedAt: now })).body.purposes[0].status, 'express');
  const { body } = await get(`/v1/leads/${lead}/consent`);
  assert.deepEqual(
    body.records.map(({ action, basis }: { action: string; basis: string }) => `${action} ${basis}`),
    ['not_given form', 'withdrawn unsubscribe_request', 'regranted admin'],
  );
});

test('consent given at the counter shows who asked, and of today the policy in force, as a form’s record does', async () => {
  const { body: made } = await post('/v1/sites', {
    key: 'counter',
    name: 'The Mill shop',
    settings: { policyVersion: '2026-11', senderName: 'Mill & Daughters', senderContact: 'mia@mill.example' },
  });
  const evidenceOf = async (email: string): Promise<{ sender: unknown; policyVersion: string | null }> => {
    const { body } = await get(`/v1/leads/${(await leadOf(email)).lead_id}/consent`);
    const { sender, policyVersion } = body.records.at(-1).details;
    return { sender, policyVersion };
  };
  const [byForm, today, before, named] = [address(), address(), address(), address()];
  await capture(byForm, { ...express, propertyId: 'counter' });
  const form = await evidenceOf(byForm);
  assert.deepEqual(form.sender, {
    name: 'Mill & Daughters',
    address: 'The Mill, 2 Mill Lane, York',
    contact: 'mia@mill.example',
  });
  for (const [email, more, policyVersion] of [
    [today, {}, '2026-11'],
    [before, { receivedAt: new Date(Date.now() - 40 * 86_400_000).toISOString() }, null],
    [named, { policyVersion: '2026-10' }, '2026-10'],
  ] as const) {
    await capture(email, { propertyId: 'counter' });
    const { status } = await post(`/v1/leads/${(await leadOf(email)).lead_id}/consent`, {
      status: 'express',
      words: 'Write to me.',
      how: 'at the counter',
      receivedAt: new Date().toISOString(),
      ...more,
    });
    assert.equal(status, 200);
    const asked: unknown = email === before ? null : form.sender;
    assert.deepEqual(await evidenceOf(email), { sender: asked, policyVersion });
  }
  assert.ok(made.site.siteId);
});

test('a record shows the policy that was in force, who asked as they called themselves then, and no language nobody told', async () => {
  await call(
    `${server.url}/v1/sites/${site}`,
    'PATCH',
    {
      name: 'The Mill',
      domain: 'mill.example',
      settings: {
        policyVersion: '2026-11',
        policyUrl: 'https://mill.example/privacy',
        senderName: 'Mill & Daughters',
        senderContact: 'mia@mill.example',
      },
    },
    admin,
  );
  const email = address();
  await capture(email, { consentStatus: 'express', consent: { text: 'Écrivez-moi.' } });
  await call(
    `${server.url}/v1/sites/${site}`,
    'PATCH',
    { settings: { senderName: 'Great Flour Corp' } },
    admin,
  );
  const { lead_id: lead } = await leadOf(email);
  const { body } = await get(`/v1/leads/${lead}/consent`);
  assert.deepEqual(body.site, {
    siteId: site,
    key: 'default',
    name: 'The Mill',
    domain: 'mill.example',
    policyUrl: 'https://mill.example/privacy',
  });
  const { details } = body.records[0];
  assert.deepEqual(details.sender, {
    name: 'Mill & Daughters',
    address: 'The Mill, 2 Mill Lane, York',
    contact: 'mia@mill.example',
  });
  assert.deepEqual([details.policyVersion, details.language], ['2026-11', null]);
  assert.equal(body.records[0].words, 'Écrivez-moi.');
  const text = (
    await post(`/v1/sites/${site}/consent-texts`, {
      name: 'lettre',
      language: 'fr',
      words: 'Écrivez-moi chaque semaine.',
    })
  ).body.text;
  await capture(email, {
    consentStatus: 'express',
    consent: { textId: text.textId, policyVersion: '2027-01' },
  });
  const [, second] = (await get(`/v1/leads/${lead}/consent`)).body.records;
  assert.deepEqual(
    [second.details.language, second.details.policyVersion, second.details.sender.name],
    ['fr', '2027-01', 'Great Flour Corp'],
  );
});

test('a form that names a text the site has not published is told so, a robot that fills the trap too', async () => {
  const unknown = { consentStatus: 'express', consent: { textId: crypto.randomUUID() } };
  const warned = async (fields: Record<string, unknown>) =>
    (await capture(address(), fields)).body.warnings?.map(({ path }: { path: string }) => path);
  assert.deepEqual(await warned(unknown), ['consent.textId']);
  assert.deepEqual(await warned({ ...unknown, honeypot: 'x' }), ['consent.textId']);
  assert.equal(await warned({ ...unknown, consent: { ...unknown.consent, given: false } }), undefined);
  const email = address();
  await capture(email, { consentStatus: 'express', consent: { ...unknown.consent, text: 'Write to me.' } });
  assert.equal((await leadOf(email)).consent_status, 'express', 'the words that came along were shown');
});
