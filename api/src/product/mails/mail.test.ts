// Double opt-in, with a real SMTP server on loopback.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { Transporter } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { address } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { sendDueMails } from './mail.ts';
import { makeTransport } from './transport.ts';

let server: TestServer;
let smtp: SMTPServer;
let transport: Transporter;
const settings = {
  from: 'bread@bakery.example',
  publicUrl: 'https://api.bakery.example',
  senderDefaults: { sender: '1 Oven Lane, Toronto', contact: 'bread@bakery.example' },
};
let site: string;
const mails: { to: string; raw: string }[] = [];
let refuse: number | null = null;
before(async () => {
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, done) =>
      refuse ? done(Object.assign(new Error('no'), { responseCode: refuse })) : done(),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      stream.on('end', () => {
        mails.push({
          to: (session.envelope.rcptTo[0] as { address: string }).address,
          raw: Buffer.concat(chunks).toString(),
        });
        done();
      });
    },
  });
  await new Promise<void>((done) => smtp.listen(0, '127.0.0.1', done));
  const { port } = smtp.server.address() as { port: number };
  // its own job does not run (JOBS=off), so that nothing is sent in between
  server = await startServer({
    SMTP_URL: `smtp://127.0.0.1:${port}`,
    MAIL_FROM: settings.from,
    MAIL_SENDER: settings.senderDefaults.sender,
    PUBLIC_URL: settings.publicUrl,
  });
  transport = await makeTransport(`smtp://127.0.0.1:${port}`);
  const made = await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'The Bakery', settings: { doubleOptIn: true } },
    admin,
  );
  site = made.body.site.siteId;
});
after(async () => {
  transport?.close();
  await server.end();
  await new Promise<void>((done) => smtp.close(() => done()));
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];
const express = { consentStatus: 'express', consent: { text: 'Write to me.' }, propertyId: 'bakery' };
const capture = (email: string, fields: Record<string, unknown> = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: `visitor-${randomUUID()}`,
    ...express,
    ...fields,
  });
const send = () =>
  sendDueMails(server.database.app, server.services.sites.list(), transport, settings, makeLog('silent'));
/** The mail's text with its line breaks of quoted-printable undone. */
const textOf = (raw: string) => raw.replace(/=\r\n/g, '').replace(/=3D/g, '=');
const linkIn = (raw: string, kind: string) =>
  textOf(raw).match(new RegExp(`https://api\\.bakery\\.example(/v1/${kind}/[A-Za-z0-9_-]+)`))![1]!;

test('an express opt-in waits for its second step, and the mail says who writes', async () => {
  const email = address();
  await capture(email, { payload: { name: 'Buy at http://evil.example' }, formName: 'EVIL-FORM' });
  assert.equal((await leadOf(email)).consent_status, 'pending');
  assert.deepEqual(await send(), { sent: 1, postponed: 0, givenUp: 0 });
  const mail = mails.at(-1)!;
  assert.equal(mail.to, email);
  for (const part of [
    'The Bakery',
    '1 Oven Lane, Toronto',
    'text/plain',
    'text/html',
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  ])
    assert.ok(textOf(mail.raw).includes(part), part);
  assert.doesNotMatch(mail.raw, /evil/i);
  const link = server.url + linkIn(mail.raw, 'confirm');
  for (let i = 0; i < 2; i += 1) assert.match((await call(link)).body, /<button/);
  assert.equal(
    (await leadOf(email)).consent_status,
    'pending',
    'a scanner that opens the link confirms nothing',
  );
  for (let i = 0; i < 2; i += 1) assert.equal((await call(link, 'POST', '', {})).status, 200);
  const lead = await leadOf(email);
  assert.equal(lead.consent_status, 'express');
  assert.ok(lead.verified_at);
  const records = await rows(
    'select action, basis, text_hash from consent_records where lead_id = $1 order by seq',
    [lead.lead_id],
  );
  assert.deepEqual(
    records.map(({ action }) => action),
    ['requested', 'confirmed'],
  );
  assert.equal(records[1].basis, 'double_opt_in');
  assert.ok(records[1].text_hash);
  const verified = await rows(
    "select * from events where site_id = $1 and event_type = 'email_verify' and visitor_id = $2",
    [site, lead.first_visitor_id],
  );
  assert.equal(verified.length, 1);
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 0 });
});

test('the evidence of a lead shows what was asked, when its mail was queued and when it left, and the answer', async () => {
  const email = address();
  const began = new Date().toISOString();
  await capture(email);
  const evidence = async () => {
    const { lead_id } = await leadOf(email);
    return (await call(`${server.url}/v1/leads/${lead_id}/consent`, 'GET', undefined, admin)).body.optIns;
  };
  const [waiting, ...others] = await evidence();
  assert.deepEqual(others, []);
  assert.deepEqual([waiting.words, waiting.purposes, waiting.confirmedAt], ['Write to me.', ['email'], null]);
  assert.deepEqual(
    waiting.mails.map(({ sentAt }: { sentAt: string | null }) => sentAt),
    [null],
  );
  await send();
  const [sent] = await evidence();
  assert.equal(sent.mails.length, 1);
  const [{ queuedAt, sentAt }] = sent.mails;
  assert.ok(began <= queuedAt && queuedAt <= sentAt, `${began}, ${queuedAt}, ${sentAt}`);
  await call(server.url + linkIn(mails.at(-1)!.raw, 'confirm'), 'POST', '', {});
  const [confirmed] = await evidence();
  assert.ok(sentAt <= confirmed.confirmedAt);
});

test('however often the form is sent, one mail leaves in ten minutes', async () => {
  const email = address();
  for (let i = 0; i < 5; i += 1) await capture(email);
  const before = mails.length;
  await send();
  assert.equal(mails.length - before, 1);
});

test('five mails a day at most, ten minutes apart, however long the form is sent', async () => {
  const email = address();
  const before = mails.length;
  for (let i = 0; i < 8; i += 1) {
    await capture(email);
    await send();
    // eleven minutes go by
    await rows(
      `update opt_ins o set requested_at = requested_at - interval '11 minutes' from leads l
       where l.lead_id = o.lead_id and l.email_normalized = $1`,
      [email],
    );
  }
  assert.equal(mails.length - before, 5);
});

test('two clicks at once confirm once (20 rounds)', async () => {
  for (let round = 0; round < 20; round += 1) {
    const email = address();
    await capture(email);
    await send();
    const link = server.url + linkIn(mails.at(-1)!.raw, 'confirm');
    const clicks = await Promise.all([1, 2, 3].map(() => call(link, 'POST', '', {})));
    assert.deepEqual(
      clicks.map(({ status }) => status),
      [200, 200, 200],
    );
    const lead = await leadOf(email);
    const verified = await rows("select from events where event_type = 'email_verify' and visitor_id = $1", [
      lead.first_visitor_id,
    ]);
    const records = await rows("select from consent_records where lead_id = $1 and action = 'confirmed'", [
      lead.lead_id,
    ]);
    assert.deepEqual([verified.length, records.length], [1, 1], `round ${round}`);
  }
});

test('who unsubscribes before confirming is not confirmed by the old link', async () => {
  const email = address();
  await capture(email);
  await send();
  const { raw } = mails.at(-1)!;
  assert.equal((await call(server.url + linkIn(raw, 'unsubscribe'), 'POST', '', {})).status, 200);
  assert.equal((await call(server.url + linkIn(raw, 'confirm'), 'POST', '', {})).status, 410);
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
});

const leave = (email: string) =>
  call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, propertyId: 'bakery' });
const ledger = (email: string) =>
  rows(
    `select action, basis, status, words from consent_records r
     join leads l using (site_id, lead_id) left join consent_details d using (site_id, record_id)
     left join consent_texts t on t.site_id = d.site_id and t.text_id = d.text_id where l.email_normalized = $1 order by seq`,
    [email],
  );
const later = (email: string, minutes: number) =>
  rows(
    `update opt_ins o set requested_at = requested_at - make_interval(mins => $2) from leads l
     where l.lead_id = o.lead_id and l.email_normalized = $1`,
    [email, minutes],
  );

test('who left comes back by signing up again, at once or later, with the same words or others', async () => {
  for (const [minutes, words] of [
    [0, 'Write to me.'],
    [0, 'Write to me again.'],
    [11, 'Write to me.'],
    [60 * 24 * 3, 'Write to me again.'],
  ] as const) {
    const email = address();
    await capture(email);
    await send();
    await call(server.url + linkIn(mails.at(-1)!.raw, 'confirm'), 'POST', '', {});
    const old = server.url + linkIn(mails.at(-1)!.raw, 'confirm');
    await leave(email);
    assert.equal((await leadOf(email)).consent_status, 'withdrawn');
    await later(email, minutes);
    await capture(email, { consent: { text: words } });
    assert.equal((await leadOf(email)).consent_status, 'withdrawn', 'a form alone lifts nothing');
    assert.deepEqual(await send(), { sent: 1, postponed: 0, givenUp: 0 }, `${minutes} minutes, ${words}`);
    assert.equal(
      (await call(old, 'POST', '', {})).status,
      200,
      'confirmed long ago: says so, changes nothing',
    );
    assert.equal((await leadOf(email)).consent_status, 'withdrawn');
    assert.equal((await call(server.url + linkIn(mails.at(-1)!.raw, 'confirm'), 'POST', '', {})).status, 200);
    assert.equal((await leadOf(email)).consent_status, 'express');
    const records = await ledger(email);
    assert.deepEqual(
      records.map(({ action }) => action),
      ['requested', 'confirmed', 'withdrawn', 'requested', 'regranted'],
    );
    assert.deepEqual([records[3].words, records[4].words], [words, words]);
  }
});

test('a mail that waits when its person leaves is given up, and so is its link', async () => {
  const email = address();
  await capture(email);
  await leave(email);
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 1 });
  await capture(email);
  assert.deepEqual(await send(), { sent: 1, postponed: 0, givenUp: 0 });
  // and again, while they are withdrawn already
  const link = server.url + linkIn(mails.at(-1)!.raw, 'confirm');
  await leave(email);
  assert.equal((await call(link, 'POST', '', {})).status, 410);
  assert.equal((await leadOf(email)).consent_status, 'withdrawn');
});

test('a second request in other words is mailed for, stands in the ledger, and is what its own link confirms', async () => {
  const email = address();
  await capture(email);
  await send();
  const first = server.url + linkIn(mails.at(-1)!.raw, 'confirm');
  await capture(email, { consent: { text: 'Write to me, and share my address.' } });
  assert.deepEqual(await send(), { sent: 1, postponed: 0, givenUp: 0 });
  const second = server.url + linkIn(mails.at(-1)!.raw, 'confirm');
  await call(first, 'POST', '', {});
  await call(second, 'POST', '', {});
  assert.deepEqual(
    (await ledger(email)).map(({ action, words }) => [action, words]),
    [
      ['requested', 'Write to me.'],
      ['requested', 'Write to me, and share my address.'],
      ['confirmed', 'Write to me.'],
      ['reaffirmed', 'Write to me, and share my address.'],
    ],
  );
  await capture(email, { consent: { text: 'Write to me, and share my address.' } });
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 0 }, 'what stands needs no mail');
});

test('who leaves one purpose keeps the request for another', async () => {
  const email = address();
  await capture(email, { consent: { text: 'Write to me and share.', purposes: ['email', 'partners'] } });
  await send();
  const link = server.url + linkIn(mails.at(-1)!.raw, 'confirm');
  await call(`${server.url}/v1/leads/unsubscribe`, 'POST', {
    email,
    propertyId: 'bakery',
    purposes: ['partners'],
  });
  assert.equal((await call(link, 'POST', '', {})).status, 200);
  const { rows: standings } = await server.database.owner.query(
    'select purpose, status from consent_standings($1, $2)',
    [site, (await leadOf(email)).lead_id],
  );
  assert.deepEqual(standings, [
    { purpose: 'email', status: 'express' },
    { purpose: 'partners', status: 'withdrawn' },
  ]);
});

test('a mail that is not taken now is tried again; one that never will be is given up', async () => {
  const email = address();
  refuse = 451;
  await capture(email);
  const asked = Date.now();
  assert.deepEqual(await send(), { sent: 0, postponed: 1, givenUp: 0 });
  const [waiting] = await rows(
    'select m.* from outgoing_mails m join leads l using (site_id, lead_id) where email_normalized = $1',
    [email],
  );
  assert.equal(waiting.last_error, 'smtp 451');
  assert.ok(waiting.next_attempt_at.getTime() > asked + 60_000);
  await rows('update outgoing_mails set next_attempt_at = now() where mail_id = $1', [waiting.mail_id]);
  refuse = 550;
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 1 });
  refuse = null;
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 0 });
});

test('nothing is mailed for what waits in quarantine, nor to whom was erased', async () => {
  const [waiting, gone] = [address(), address()];
  await capture(waiting, { payload: { message: '<a href="http://x">cheap</a>' } });
  await capture(gone);
  await call(`${server.url}/v1/leads/delete`, 'POST', { email: gone, propertyId: 'bakery' }, admin);
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 0 });
  const { body } = await call(`${server.url}/v1/admin/quarantine`, 'GET', undefined, admin);
  const held = body.quarantined.find((row: { email: string }) => row.email === waiting);
  assert.equal(
    (await call(`${server.url}/v1/admin/quarantine/${held.quarantineId}/release`, 'POST', undefined, admin))
      .status,
    200,
  );
  assert.deepEqual(await send(), { sent: 1, postponed: 0, givenUp: 0 });
});

test('of the mails one address asks for a hundred leave in a day; other people’s are not behind them, and an alarm tells', async () => {
  await send();
  const flood = Buffer.from('one who writes other people’s addresses');
  await rows(
    `with made as (
       insert into leads (site_id, lead_id, email, email_normalized, email_domain, domain_class, first_captured_at, last_submitted_at,
         first_source, unsubscribe_key)
       select $1, gen_random_uuid(), address, address, 'example.com', 'business', now(), now(), 'direct', 'key of ' || address
       from (select 'victim' || n || '@example.com' as address from generate_series(1, 130) n) a returning site_id, lead_id
     ), asked as (
       insert into opt_ins (site_id, lead_id, token, requested_at, request)
       select site_id, lead_id, 'token of ' || lead_id, now(), '{}' from made returning site_id, lead_id, opt_in_id
     )
     insert into outgoing_mails (site_id, lead_id, kind, opt_in_id, asked_by, queued_at, next_attempt_at)
     select site_id, lead_id, 'confirm', opt_in_id, $2, now() - interval '1 hour', now() - interval '1 hour' from asked`,
    [site, flood],
  );
  const person = address();
  await capture(person);
  mails.length = 0;
  assert.deepEqual(await send(), { sent: 101, postponed: 0, givenUp: 0 });
  assert.ok(mails.some(({ to }) => to === person));
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 0 });
  const status = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  assert.equal(status.body.mails.untried, 30);
  // a day later the next hundred may leave
  await rows("update outgoing_mails set sent_at = sent_at - interval '25 hours' where asked_by = $1", [
    flood,
  ]);
  assert.deepEqual(await send(), { sent: 30, postponed: 0, givenUp: 0 });
});

test('a site has a bound of its own, whoever asks', async () => {
  await rows(
    `insert into outgoing_mails (site_id, lead_id, kind, queued_at, sent_at)
     select site_id, lead_id, 'confirm', now(), now() from leads cross join generate_series(1, 2000)
     where site_id = $1 and lead_id = (select lead_id from leads where site_id = $1 limit 1)`,
    [site],
  );
  await capture(address());
  assert.deepEqual(await send(), { sent: 0, postponed: 0, givenUp: 0 });
});
