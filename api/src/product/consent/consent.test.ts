// Who agreed to what: the transitions, the ledger that shows tampering, and withdrawing, races included.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { listConsentRecords } from '../../../test/leads.ts';
import { address, RACES } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { chainFaults } from './chain.ts';
import { linkToken } from './link.ts';
import { expireConsents } from './queries.ts';
import { recordConsent } from './record.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer();
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const WORDS = 'Yes, write to me about bread.';
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];
const capture = (email: string, fields: Record<string, unknown> = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: `visitor-${randomUUID()}`, ...fields });
const express = { consentStatus: 'express', consent: { text: WORDS, language: 'en', policyVersion: '3' } };
const unsubscribe = (email: string) => call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email });
const actions = async (email: string) =>
  (
    await rows(
      'select action from consent_records r join leads l using (site_id, lead_id) where email_normalized = $1 order by seq',
      [email],
    )
  ).map((row) => row.action);
const chainOf = async (email: string) => {
  const lead = await leadOf(email);
  const records = await inSites(server.database.app, site, (db) =>
    listConsentRecords(db, site, lead.lead_id),
  );
  return {
    records,
    faults: chainFaults(records, { seq: lead.consent_seq, hash: lead.consent_head?.toString('hex') ?? null }),
  };
};

test('consent moves as the contract says', async () => {
  const steps: [string, Record<string, unknown>][] = [
    ['pending', {}],
    ['pending', { consentStatus: 'pending' }],
    ['implied', { consentStatus: 'implied' }],
    ['implied', { consentStatus: 'pending' }],
    ['implied', { consentStatus: 'implied' }],
    ['implied', {}],
    ['express', express],
    ['express', { consentStatus: 'pending' }],
    ['express', { consentStatus: 'implied' }],
    ['express', express],
  ];
  const email = address();
  for (const [expected, fields] of steps) {
    await capture(email, fields);
    assert.equal((await leadOf(email)).consent_status, expected, JSON.stringify(fields));
  }
  assert.deepEqual(await actions(email), ['not_given', 'granted', 'granted']);
  assert.deepEqual((await unsubscribe(email)).body, { ok: true });
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
  for (const fields of [
    {},
    { consentStatus: 'pending' },
    { consentStatus: 'implied' },
    { consentStatus: 'express' },
  ]) {
    await capture(email, fields);
    assert.equal((await leadOf(email)).consent_status, 'withdrawn', JSON.stringify(fields));
  }
  await unsubscribe(email);
  await capture(email, express);
  assert.equal((await leadOf(email)).consent_status, 'express');
  assert.deepEqual(await actions(email), ['not_given', 'granted', 'granted', 'withdrawn', 'regranted']);
  assert.deepEqual((await chainOf(email)).faults, []);
});

test('a form that agreed to nothing says so, beside which words; in other words or under another policy anew, and never once anything stands', async () => {
  const email = address();
  const shown = async () =>
    (
      await rows(
        `select r.action, t.words, d.policy_version as policy from consent_records r
       join leads l using (site_id, lead_id) join consent_details d using (site_id, record_id)
       left join consent_texts t on t.site_id = d.site_id and t.text_id = d.text_id
       where l.email_normalized = $1 order by r.seq`,
        [email],
      )
    ).map(({ action, words, policy }) => [action, words, policy]);
  // a box that was left empty sends its words, and no status
  for (const consent of [
    { text: 'Write to me.' },
    { text: 'Write to me.' },
    { text: 'Write to me weekly.' },
    undefined,
    { text: 'Write to me weekly.', policyVersion: '2' },
    { text: 'Write to me weekly.', policyVersion: '2' },
  ])
    await capture(email, consent ? { consent } : {});
  const before = [
    ['not_given', 'Write to me.', null],
    ['not_given', 'Write to me weekly.', null],
    ['not_given', 'Write to me weekly.', '2'],
  ];
  assert.deepEqual(await shown(), before);
  assert.equal((await leadOf(email)).consent_status, 'pending');
  await capture(email, { consentStatus: 'express', consent: { text: 'Write to me.' } });
  await capture(email, { consent: { text: 'Write to me monthly.' } });
  assert.deepEqual(await shown(), [...before, ['granted', 'Write to me.', null]]);
  assert.equal((await leadOf(email)).consent_status, 'express');
  await unsubscribe(email);
  await capture(email, { consent: { text: 'Write to me yearly.' } });
  assert.equal((await shown()).at(-1)![0], 'withdrawn');
  assert.deepEqual((await chainOf(email)).faults, []);
});

test('express consent needs the words that were shown, and a box the person ticked', async () => {
  const cases: { consentStatus: string; consent?: Record<string, unknown> }[] = [
    { consentStatus: 'express' },
    { consentStatus: 'express', consent: { language: 'en' } },
    { consentStatus: 'express', consent: { textId: randomUUID() } },
    { consentStatus: 'express', consent: { text: WORDS, given: false } },
  ];
  for (const fields of cases) {
    const email = address();
    const { status, body } = await capture(email, fields);
    assert.equal(status, 200);
    assert.equal((await leadOf(email)).consent_status, 'pending', JSON.stringify(fields));
    const { given, textId } = fields.consent ?? {};
    const path = given === false ? undefined : textId ? 'consent.textId' : 'consent';
    assert.equal(body.warnings?.[0].path, path, JSON.stringify(fields));
  }
  assert.equal((await capture(address(), express)).body.warnings, undefined);
  // a box that was not ticked is not sent by a browser, though the hidden words are
  const unticked = address();
  const form = new URLSearchParams({ email: unticked, 'consent[text]': WORDS });
  await call(`${server.url}/v1/leads/capture`, 'POST', form.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
  assert.equal((await leadOf(unticked)).consent_status, 'pending');
});

test('a consent record keeps the exact words, by version or as sent', async () => {
  const texts = `${server.url}/v1/sites/${site}/consent-texts`;
  const first = await call(texts, 'POST', { name: 'newsletter', words: WORDS }, admin);
  assert.equal(first.status, 201);
  const second = await call(texts, 'POST', { name: 'newsletter', words: `${WORDS} And cake.` }, admin);
  assert.equal(second.body.text.version, 2);
  const email = address();
  await capture(email, {
    consentStatus: 'express',
    consent: { textId: first.body.text.textId, policyVersion: '7' },
  });
  const { records, faults } = await chainOf(email);
  assert.deepEqual(faults, []);
  assert.equal(records[0]!.words, WORDS);
  assert.equal(records[0]!.textSha256, first.body.text.wordsSha256);
  assert.equal(records[0]!.details?.policyVersion, '7');
  const other = address();
  await capture(other, {
    consentStatus: 'express',
    consent: { text: 'Spoken at the counter: “yes”.', language: 'en-CA' },
  });
  assert.equal((await chainOf(other)).records[0]!.words, 'Spoken at the counter: “yes”.');
  assert.equal((await call(texts, 'GET', undefined, admin)).body.texts.length, 2);
});

test('people who agree to the same new words in one moment are all recorded with them (20 rounds)', async () => {
  for (let round = 0; round < 20; round += 1) {
    const text = `Words of round ${randomUUID()}`;
    const people = Array.from({ length: 6 }, address);
    const answers = await Promise.all(
      people.map((email) => capture(email, { consentStatus: 'express', consent: { text } })),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200], `round ${round}`);
    const texts = await rows('select count(*)::int as n from consent_texts where words = $1', [text]);
    assert.equal(texts[0].n, 1);
    for (const email of people) assert.equal((await leadOf(email)).consent_status, 'express');
  }
});

test('changing, removing or inserting an old consent record shows in the chain', async () => {
  const email = address();
  for (const fields of [{}, { consentStatus: 'implied' }, express]) await capture(email, fields);
  await unsubscribe(email);
  const { lead_id: lead } = await leadOf(email);
  const tampering = [
    "update consent_records set status = 'implied', action = 'granted' where lead_id = $1 and seq = 1",
    "update consent_records set occurred_at = occurred_at - interval '1 ms' where lead_id = $1 and seq = 2",
    'update consent_records set expires_at = null where lead_id = $1 and seq = 2',
    "update consent_records set text_hash = sha256('other') where lead_id = $1 and seq = 3",
    "update consent_records set hash = sha256('x') where lead_id = $1 and seq = 3",
    'delete from consent_records where lead_id = $1 and seq = 4',
    'delete from consent_records where lead_id = $1 and seq = 2',
    "update consent_details set page = '/elsewhere' where lead_id = $1 and record_id = (select record_id from consent_records where lead_id = $1 and seq = 3)",
    "update consent_details set salt = '\\x00' where lead_id = $1",
  ];
  assert.deepEqual((await chainOf(email)).faults, []);
  for (const statement of tampering) {
    const client = await server.database.owner.connect();
    await client.query('begin');
    assert.ok((await client.query(statement, [lead])).rowCount, statement);
    const records = await listConsentRecords(client, site, lead);
    const [head] = (
      await client.query('select consent_seq, consent_head from leads where lead_id = $1', [lead])
    ).rows;
    assert.notDeepEqual(
      chainFaults(records, { seq: head.consent_seq, hash: head.consent_head.toString('hex') }),
      [],
      statement,
    );
    await client.query('rollback');
    client.release();
  }
  const client = await server.database.owner.connect();
  await client.query('begin');
  await client.query("update consent_texts set words = words || ' for ever' where words = $1", [WORDS]);
  assert.notDeepEqual(chainFaults(await listConsentRecords(client, site, lead), undefined), []);
  await client.query('rollback');
  client.release();
});

test('the app can neither change nor delete a consent record', async () => {
  for (const statement of [
    "update consent_records set status = 'express'",
    'delete from consent_records',
    'truncate consent_records',
    'update consent_details set page = null',
  ])
    await assert.rejects(
      inSites(server.database.app, site, (db) => db.query(statement)),
      { code: '42501' },
      statement,
    );
});

test('implied consent ends after its term, and a later inquiry starts it anew', async () => {
  const email = address();
  await capture(email, { consentStatus: 'implied' });
  const { lead_id: lead, consent_expires_at: until } = await leadOf(email);
  assert.equal(await expireConsents(server.database.app, [site], new Date(until.getTime() - 1000)), 0);
  await inSites(server.database.app, site, (db) =>
    recordConsent(db, site, lead, {
      status: 'implied',
      basis: 'form',
      occurred_at: new Date(until.getTime() - 86_400_000).toISOString(),
    }),
  );
  assert.deepEqual(await actions(email), ['granted', 'renewed']);
  const later = (await leadOf(email)).consent_expires_at as Date;
  assert.ok(later > until);
  assert.ok((await expireConsents(server.database.app, [site], later)) >= 1);
  assert.equal((await leadOf(email)).consent_status, 'expired');
  assert.equal(await expireConsents(server.database.app, [site], later), 0);
  await inSites(server.database.app, site, (db) =>
    recordConsent(db, site, lead, { status: 'implied', kind: 'implied_purchase', basis: 'purchase' }),
  );
  const { consent_expires_at: term } = await leadOf(email);
  const years = (term.getTime() - Date.now()) / 86_400_000 / 365.25;
  assert.ok(years > 1.99 && years < 2.01);
  assert.deepEqual((await chainOf(email)).faults, []);
});

test('a purchase told by the server is implied consent for two years, told twice it counts once, and it lifts no withdrawal', async () => {
  const email = address();
  await capture(email, { consentStatus: 'pending' });
  const id = randomUUID();
  const buy = (conversion: string) =>
    call(`${server.url}/v1/conversions`, 'POST', { id: conversion, kind: 'purchase', email }, admin);
  for (let i = 0; i < 2; i += 1) assert.equal((await buy(id)).status, 200);
  const { consent_status: status, consent_expires_at: term } = await leadOf(email);
  assert.equal(status, 'implied');
  const years = (term.getTime() - Date.now()) / 86_400_000 / 365.25;
  assert.ok(years > 1.99 && years < 2.01);
  assert.equal((await chainOf(email)).records.length, 2);
  await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email });
  await buy(randomUUID());
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
});

test('the link in a mail shows a page that writes nothing; its button withdraws, again and again', async () => {
  const email = address();
  await capture(email, express);
  const lead = await leadOf(email);
  const link = `${server.url}/v1/unsubscribe/${linkToken(site, lead.unsubscribe_key)}`;
  for (let i = 0; i < 3; i += 1) {
    const page = await call(link);
    assert.equal(page.status, 200);
    assert.match(page.body, /<button/);
    assert.doesNotMatch(page.body, /example\.com/);
  }
  await fetch(link, { method: 'HEAD' });
  assert.equal((await leadOf(email)).consent_status, 'express');
  for (let i = 0; i < 2; i += 1) {
    const done = await call(link, 'POST', 'List-Unsubscribe=One-Click', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    assert.equal(done.status, 200);
  }
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
  const { records } = await chainOf(email);
  assert.equal(records.length, 2);
  assert.equal(records[1]!.basis, 'one_click');
  const wrong = linkToken(site, lead.unsubscribe_key).slice(0, -1);
  for (const token of [`${wrong}_`, `${wrong}-`, 'short', linkToken(randomUUID(), lead.unsubscribe_key)]) {
    if (token === linkToken(site, lead.unsubscribe_key)) continue;
    assert.equal((await call(`${server.url}/v1/unsubscribe/${token}`, 'POST', '', {})).status, 404, token);
  }
});

test('unsubscribing by address answers the same, known or not', async () => {
  const email = address();
  await capture(email, express);
  const [known, unknown] = [await unsubscribe(email.toUpperCase()), await unsubscribe(address())];
  assert.equal(known.status, unknown.status);
  assert.deepEqual(known.body, unknown.body);
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
  const form = await call(
    `${server.url}/v1/leads/unsubscribe`,
    'POST',
    `email=${encodeURIComponent(email)}`,
    {
      'content-type': 'application/x-www-form-urlencoded',
    },
  );
  assert.equal(form.status, 200);
  assert.match(form.headers.get('content-type')!, /html/);
  assert.equal(
    (await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email: 'x' })).body.issues[0].path,
    'email',
  );
});

test('a known address costs the same questions and the same lines on disk as an unknown one', async () => {
  const { pool, forgetJournal } = server.services.leads;
  const { query, connect } = pool;
  const asked: string[] = [];
  pool.query = ((...args: [{ text?: string } | string]) => {
    asked.push(typeof args[0] === 'string' ? args[0] : args[0].text!);
    return (query as (...all: unknown[]) => unknown).apply(pool, args);
  }) as typeof query;
  pool.connect = ((...args: Parameters<typeof connect>) => {
    asked.push('connect');
    return connect.apply(pool, args);
  }) as typeof connect;
  const lengthOf = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').length : 0);
  // nobody's line goes beside the journal: the same write, and the journal stays as it is
  const journal = () => lengthOf(forgetJournal) + lengthOf(`${forgetJournal}.nobody`);
  const cost = async (work: () => Promise<{ status: number; body: unknown }>) => {
    asked.length = 0;
    const before = journal();
    const { status, body } = await work();
    return { status, keys: Object.keys(body as object), asked: [...asked], lines: journal() - before };
  };
  try {
    const known = address();
    await capture(known, express);
    assert.deepEqual(
      await cost(() => capture(known, express)),
      await cost(() => capture(address(), express)),
    );
    const leaving = await cost(() => unsubscribe(known));
    const kept = lengthOf(forgetJournal);
    assert.deepEqual(leaving, await cost(() => unsubscribe(address())));
    assert.deepEqual(leaving, await cost(() => unsubscribe(known)));
    assert.equal(lengthOf(forgetJournal), kept, 'neither strangers nor repetitions lengthen the journal');
    assert.equal(leaving.lines, 1);
    assert.equal(leaving.asked.filter((what) => what !== 'connect').length, 1, 'one round trip');
  } finally {
    pool.query = query;
    pool.connect = connect;
  }
});

test('the link of an old mail works after every secret was changed', async () => {
  const email = address();
  await capture(email, express);
  const { lead_id: leadId, unsubscribe_key: key } = await leadOf(email);
  // said in so many words, or the start is refused
  await rows('update installation set pepper_mark = null');
  const rotated = await startServer(
    {
      IP_HASH_PEPPER: 'another pepper, made today',
      ADMIN_API_KEY: 'another admin key, made today',
      DATABASE_APP_URL: server.database.appUrl,
    },
    { ...server.database, drop: async () => {} },
  );
  try {
    const { status } = await call(`${rotated.url}/v1/unsubscribe/${linkToken(site, key)}`, 'POST', '', {});
    assert.equal(status, 200);
    assert.equal((await leadOf(email)).consent_status, 'withdrawn', leadId);
  } finally {
    await rotated.end();
  }
});

test(`an unsubscribe that began after a capture was answered stands, whatever else is under way (${RACES} rounds)`, async () => {
  for (let round = 0; round < RACES; round += 1) {
    const email = address();
    const before = [capture(email, express), capture(email, { consentStatus: 'implied' })];
    await Promise.race(before);
    const crowd = [capture(email, { consentStatus: 'implied' }), capture(email)];
    // both started before: what they say is older than the withdrawal
    const withdrawal = Promise.all(before).then(() => unsubscribe(email));
    await Promise.all([...crowd, withdrawal]);
    assert.equal((await leadOf(email)).consent_status, 'withdrawn', `round ${round}`);
  }
});

test('a capture under way when the address unsubscribes does not lift it; an opt-in that begins later does', async () => {
  for (let round = 0; round < RACES; round += 1) {
    const email = address();
    const [answer] = await Promise.all([capture(email, express), unsubscribe(email)]);
    assert.equal(answer.status, 200);
    const chain = await chainOf(email);
    assert.deepEqual(chain.faults, []);
    const lead = await leadOf(email);
    const granted = chain.records.find(({ status }) => status === 'express');
    const [asked] = await rows(
      'select requested_at from withdrawal_requests order by requested_at desc limit 1',
    );
    // whichever arrived later is what counts
    assert.equal(
      lead.consent_status,
      !granted || asked.requested_at.toISOString() >= granted.occurredAt ? 'withdrawn' : 'express',
    );
  }
});

test('the privacy facts are there for machines to read', async () => {
  const { status, body } = await call(`${server.url}/v1/privacy`);
  assert.equal(status, 200);
  assert.equal(body.retention.eventDays, 90);
  assert.equal(body.contact, null);
});

test('the link of a mail works with what was copied along with it', async () => {
  const email = address();
  await capture(email, { consentStatus: 'implied' });
  const { unsubscribe_key: key } = await leadOf(email);
  const token = linkToken(site, key);
  for (const after of ['.', ',', ')', '>', '%3E', '%20', '”', '.)', '%2E', '&amp;', '%0A', '…'])
    assert.equal((await call(`${server.url}/v1/unsubscribe/${token}${after}`)).status, 200, after);
  for (const wrong of [`.${token}`, token.slice(0, -1), `${token.slice(0, -1)}.`])
    assert.equal((await call(`${server.url}/v1/unsubscribe/${wrong}`)).status, 404, wrong);
  assert.equal((await call(`${server.url}/v1/unsubscribe/${token}.`, 'POST', '', {})).status, 200);
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
});

test('who unsubscribes without naming a site is unsubscribed from every site here, from a page of that site alone', async () => {
  const email = address();
  const keys = ['one', 'two'];
  for (const key of keys) {
    await call(
      `${server.url}/v1/sites`,
      'POST',
      { key, origins: [`https://${key}.example`], domain: `${key}.example` },
      admin,
    );
    await capture(email, { propertyId: key, consentStatus: 'implied' });
  }
  const statuses = async () =>
    (
      await server.database.owner.query(
        'select key, consent_status as status from leads join sites using (site_id) where email_normalized = $1 order by key',
        [email],
      )
    ).rows.map(({ status }) => status);
  const leave = (body: unknown, headers: Record<string, string> = {}) =>
    call(`${server.url}/v1/leads/unsubscribe`, 'POST', body, headers);
  assert.deepEqual((await leave({ email }, { origin: 'https://two.example' })).body, { ok: true });
  assert.deepEqual(await statuses(), ['implied', 'withdrawn']);
  assert.equal((await leave({ email, propertyId: 'nobody' })).status, 400);
  assert.deepEqual((await leave({ email, propertyId: '', reason: 'x'.repeat(900) })).body, { ok: true });
  assert.deepEqual(await statuses(), ['withdrawn', 'withdrawn']);
  const { rows: records } = await server.database.owner.query(
    "select count(distinct site_id)::int as sites from consent_records join leads using (site_id, lead_id) where email_normalized = $1 and status = 'withdrawn'",
    [email],
  );
  assert.deepEqual(records, [{ sites: 2 }], 'each site has the record of it');
  const stranger = await leave({ email: address() });
  assert.deepEqual(stranger.body, { ok: true });
});
