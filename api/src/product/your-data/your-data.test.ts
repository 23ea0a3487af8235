// A person's own data: asked for without telling who is known, mailed, shown, corrected, taken along, withdrawn, deleted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startMailServer } from '../../../test/mail-server.ts';
import { address, anon, makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { LINK_MINUTES } from './links.ts';
import { sendLinks } from './send.ts';

const PUBLIC_URL = 'https://api.bakery.example';
let server: TestServer;
let bakery: string;
const smtp = await startMailServer();
before(async () => {
  server = await startServer({
    SMTP_URL: smtp.url,
    MAIL_FROM: 'bread@bakery.example',
    MAIL_SENDER: '1 Oven Lane, Toronto',
    PUBLIC_URL,
    PRIVACY_CONTACT_EMAIL: 'privacy@bakery.example',
  });
  const made = await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'The Bakery', settings: { linking: 'form' } },
    admin,
  );
  bakery = made.body.site.siteId;
  await call(`${server.url}/v1/sites`, 'POST', { key: 'florist' }, admin);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' };
const post = (path: string, fields: Record<string, string> | [string, string][] = {}) =>
  call(`${server.url}${path}`, 'POST', new URLSearchParams(fields).toString(), FORM);
const ask = (email: string, fields: Record<string, string> = {}) =>
  post('/v1/your-data', { email, propertyId: 'bakery', ...fields });
const send = () => {
  const { db, sites, tables, leads } = server.services;
  return sendLinks({ db, sites, tables, leads });
};
const capture = (email: string, fields: Record<string, unknown> = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { email, propertyId: 'bakery', ...fields });
const agree = (email: string, purposes: string[], text = 'Write to me, and share my address.') =>
  capture(email, { consentStatus: 'express', consent: { text, purposes } });
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1 and site_id = $2', [email, bakery]))[0];
/** The newest mail that went there, its line breaks of quoted-printable undone. */
const mailTo = (email: string) =>
  smtp.mails
    .filter((mail) => mail.includes(`To: ${email}`))
    .map((mail) => mail.replace(/=\n/g, '').replace(/=3D/g, '='))
    .at(-1);
const linkIn = (mail: string | undefined) =>
  /https:\/\/api\.bakery\.example(\/v1\/your-data\/[A-Za-z0-9_-]{54})\?lang=(en|fr)/.exec(mail ?? '')?.[1];
const show = (path: string, query = '') =>
  call(`${server.url}${path}${query}`, 'GET', undefined, { accept: 'text/html' });
/** Path of a link that opens what is held about that address. */
async function linkTo(email: string): Promise<string> {
  await ask(email);
  await send();
  const path = linkIn(mailTo(email));
  assert.ok(path, 'a link was mailed');
  return path;
}
/** The mail that comes when they ask once more. */
async function mailAgain(email: string): Promise<string> {
  await linkTo(email);
  return mailTo(email)!;
}
const registered = (email: string) => {
  const { hashAddress } = server.services.leads;
  return rows('select kind, outcome, how from people_requests where email_hash = $1 order by request_id', [
    hashAddress(bakery, email),
  ]);
};
const audited = async (action: string, target: string) =>
  rows('select actor, outcome, details from audit_log where action = $1 and target = $2 order by audit_id', [
    action,
    target,
  ]);

test('known or not, whoever asks gets the same bytes, and a mail goes only to whom something is held about', async () => {
  const [known, unknown] = [address(), address()];
  await capture(known);
  const answers = [await ask(known), await ask(unknown), await ask(known), await ask(unknown)];
  for (const { status, body, headers } of answers) {
    assert.equal(status, 200);
    assert.equal(body, answers[0]!.body);
    assert.equal(headers.get('content-length'), answers[0]!.headers.get('content-length'));
  }
  assert.ok(!answers[0]!.body.includes('example.com'), 'the page repeats no address');
  const stored = await rows(
    `select kind, email_normalized is not null as has_address, mail_to, language, token_hash, attempts from your_data_links
     where email_normalized = any ($1)`,
    [[known, unknown]],
  );
  assert.equal(stored.length, 4);
  assert.equal(new Set(stored.map((row) => JSON.stringify(row))).size, 1, 'until it is mailed both are one');
  assert.deepEqual(await send(), { sent: 2, nobody: 2, postponed: 0, givenUp: 0 });
  assert.ok(linkIn(mailTo(known)));
  assert.equal(mailTo(unknown), undefined);
  const left = await rows('select r::text as line from your_data_links r');
  assert.ok(!left.some(({ line }) => line.includes(unknown)), 'the address of nobody is forgotten at once');
});

test('a script that asks gets JSON, the same for all; what is no address is told', async () => {
  const url = `${server.url}/v1/your-data`;
  const known = address();
  await capture(known);
  for (const email of [known, address()]) {
    const { status, body } = await call(url, 'POST', { email, propertyId: 'bakery' });
    assert.deepEqual([status, body], [200, { ok: true }]);
  }
  const wrong = await call(url, 'POST', { email: 'ada', propertyId: 'bakery' });
  assert.deepEqual(
    [wrong.status, wrong.body.error, wrong.body.issues[0].path],
    [400, 'invalid_request', 'email'],
  );
  const page = await ask('ada <b>');
  assert.equal(page.status, 400);
  assert.match(page.body, /value="ada &lt;b&gt;" aria-invalid="true"/);
  assert.equal((await ask('', { propertyId: 'nowhere' })).status, 400);
});

test('three links in an hour and six in a day go to one address, twenty a day to one client, and the answer stays the same', async () => {
  const email = address();
  await capture(email);
  const asks = () => rows('select from your_data_links where email_normalized = $1', [email]);
  for (let i = 0; i < 5; i += 1) assert.equal((await ask(email)).status, 200);
  assert.equal((await asks()).length, 3);
  const hourLater = () =>
    rows(
      "update your_data_links set asked_at = asked_at - interval '61 minutes' where email_normalized = $1",
      [email],
    );
  await hourLater();
  for (let i = 0; i < 4; i += 1) await ask(email);
  await hourLater();
  for (let i = 0; i < 4; i += 1) assert.equal((await ask(email)).status, 200);
  assert.equal((await asks()).length, 6);
  for (let i = 0; i < 25; i += 1) await ask(address());
  const [{ count }] = await rows('select count(*)::int as count from your_data_links where site_id = $1', [
    bakery,
  ]);
  assert.equal(count, 20);
  await rows('delete from your_data_links');
});

test('the link stands nowhere but in the mail, opens one person of one site, and ends after an hour', async () => {
  const [ada, bob] = [address(), address()];
  await capture(ada, { payload: { name: 'Ada', message: 'rye?' } });
  await capture(bob, { payload: { name: 'Bob', message: 'spelt?' } });
  const path = await linkTo(ada);
  const key = path.slice(-32);
  const dump = await rows(
    'select l::text as line from your_data_links l union all select a::text from audit_log a',
  );
  assert.ok(!dump.some(({ line }) => line.includes(key)));
  const page = await show(path);
  assert.equal(page.status, 200);
  assert.match(page.headers.get('content-security-policy')!, /default-src 'none'; style-src 'sha256-/);
  assert.doesNotMatch(page.body, /<script|style=|onclick/);
  assert.equal(page.headers.get('cache-control'), 'no-store');
  assert.equal(page.headers.get('referrer-policy'), 'no-referrer');
  assert.ok(page.body.includes(ada) && page.body.includes('rye?'));
  assert.ok(!page.body.includes(bob) && !page.body.includes('spelt?'));
  const { siteId: florist } = server.services.sites.list().find(({ key: name }) => name === 'florist')!;
  const elsewhere = Buffer.from(florist.replaceAll('-', ''), 'hex').toString('base64url') + key;
  for (const wrong of [
    `/v1/your-data/${elsewhere}`,
    `${path.slice(0, -1)}!`,
    '/v1/your-data/x',
    '/v1/your-data/%00',
  ])
    assert.equal((await show(wrong)).status, 404, wrong);
  await rows(
    "update your_data_links set expires_at = now() - interval '1 second' where email_normalized = $1",
    [ada],
  );
  assert.equal((await show(path)).status, 404);
  assert.equal((await post(`${path}/delete`, { sure: 'yes' })).status, 404);
  assert.ok(await leadOf(ada));
  await send();
  assert.deepEqual(await rows('select from your_data_links where email_normalized = $1', [ada]), []);
  assert.equal(LINK_MINUTES, 60);
});

test('a link is good for a look only with a live token: opening it notes who was shown, once the token tells whose', async () => {
  const email = address();
  await capture(email);
  const path = await linkTo(email);
  const { lead_id: leadId } = await leadOf(email);
  const before = (await rows('select from audit_log')).length;
  await show('/v1/your-data/nobody');
  assert.equal((await rows('select from audit_log')).length, before);
  await show(path);
  assert.deepEqual(await audited('GET /v1/your-data/:token', leadId), [
    { actor: 'subject', outcome: 200, details: null },
  ]);
});

test('a link is used up after two hundred looks and acts, so that nobody lengthens the logs by it', async () => {
  const email = address();
  await capture(email);
  const path = await linkTo(email);
  assert.equal((await show(path)).status, 200);
  await rows('update your_data_links set uses = 199 where email_normalized = $1', [email]);
  assert.equal((await show(path)).status, 200);
  const lines = async () => (await rows('select from audit_log')).length;
  const before = await lines();
  for (const answer of [await show(path), await post(`${path}/object`)]) assert.equal(answer.status, 404);
  assert.equal(await lines(), before);
  assert.match(await mailAgain(email), /\/v1\/your-data\//, 'another one can be asked for');
});

test('the page says in plain words what is held: contact, consents with words, forms, visits, conversions, requests', async () => {
  const email = address();
  const anonId = anon();
  const form = { propertyId: 'bakery', anonId };
  for (const path of ['/rye', '/spelt'])
    await call(`${server.url}/v1/events`, 'POST', makeEvent({ ...form, path }));
  await capture(email, {
    anonId,
    formName: 'order',
    payload: { name: 'Ada <b>', wish: 'two loaves' },
    consentStatus: 'express',
    consent: { text: 'The Bakery may write to me.', purposes: ['email', 'partners'] },
  });
  await call(
    `${server.url}/v1/conversions`,
    'POST',
    { propertyId: 'bakery', id: email, kind: 'purchase', email, amount: '19.90', currency: 'CAD' },
    admin,
  );
  await call(
    `${server.url}/v1/admin/requests`,
    'POST',
    { propertyId: 'bakery', kind: 'restriction', email },
    admin,
  );
  const { body } = await show(await linkTo(email));
  for (const part of [
    email,
    'Ada &lt;b&gt;',
    'two loaves',
    'order',
    '<strong>mails to you</strong>: agreed',
    '<strong>partners</strong>: agreed',
    'The Bakery may write to me.',
    '<dt>Pages seen</dt><dd>2</dd>',
    '<dt>Visits</dt><dd>1</dd>',
    'purchase, CAD\u00a019.90',
    'to use it for nothing (open',
  ])
    assert.ok(body.includes(part), part);
});

test('of what is ticked alone consent is withdrawn, with how and by whom in the ledger, and the open request is done', async () => {
  const email = address();
  await agree(email, ['email', 'partners', 'profile']);
  await call(
    `${server.url}/v1/admin/requests`,
    'POST',
    { propertyId: 'bakery', kind: 'withdrawal', email },
    admin,
  );
  const path = await linkTo(email);
  const { lead_id: leadId } = await leadOf(email);
  const standing = async () =>
    Object.fromEntries(
      (await rows('select purpose, status from consent_standings($1, $2)', [bakery, leadId])).map((one) => [
        one.purpose,
        one.status,
      ]),
    );
  const none = await post(`${path}/withdraw`);
  assert.deepEqual([none.status, /tick at least one/.test(none.body)], [400, true]);
  const done = await post(`${path}/withdraw`, [
    ['purposes', 'partners'],
    ['purposes', 'profile'],
  ]);
  assert.deepEqual([done.status, /Done: withdrawn/.test(done.body)], [200, true]);
  assert.deepEqual(await standing(), { email: 'express', partners: 'withdrawn', profile: 'withdrawn' });
  const records = await rows(
    `select basis, action, evidence, ip_hash is not null as by_whom from consent_records r join consent_details d using (site_id, record_id)
     where r.lead_id = $1 and r.status = 'withdrawn'`,
    [leadId],
  );
  assert.equal(records.length, 2);
  for (const record of records)
    assert.deepEqual(record, {
      basis: 'self_service',
      action: 'withdrawn',
      evidence: 'by the person, on the page of their own data',
      by_whom: true,
    });
  await post(`${path}/withdraw`, { everything: 'yes' });
  assert.deepEqual(await standing(), { email: 'withdrawn', partners: 'withdrawn', profile: 'withdrawn' });
  assert.deepEqual(
    (await registered(email)).map(({ kind, outcome }) => [kind, outcome]),
    [
      ['withdrawal', 'done'],
      ['withdrawal', 'done'],
    ],
  );
  const pack = await call(`${server.url}/v1/leads/${leadId}/consent`, 'GET', undefined, admin);
  assert.equal(pack.status, 200);
  assert.deepEqual(pack.body.faults ?? [], []);
  assert.deepEqual(
    (await audited('POST /v1/your-data/:token/withdraw', leadId)).map(({ actor, outcome }) => [
      actor,
      outcome,
    ]),
    [
      ['subject', 400],
      ['subject', 200],
      ['subject', 200],
    ],
  );
});

test('who objects is tied to no browser any more, for good', async () => {
  const email = address();
  const anonId = anon();
  await call(`${server.url}/v1/events`, 'POST', makeEvent({ propertyId: 'bakery', anonId, path: '/secret' }));
  await capture(email, { anonId });
  const path = await linkTo(email);
  const links = async () =>
    rows('select from lead_identities where lead_id = $1 and unlinked_at is null', [
      (await leadOf(email)).lead_id,
    ]);
  assert.equal((await links()).length, 1);
  const { status, body } = await post(`${path}/object`);
  assert.equal(status, 200);
  assert.match(body, /Done: no visit is tied/);
  assert.doesNotMatch(body, /Tie no visits to me/);
  assert.equal((await leadOf(email)).no_profiling, true);
  await capture(email, { anonId });
  assert.deepEqual(await links(), []);
  assert.deepEqual(await registered(email), [
    { kind: 'objection', outcome: 'done', how: 'by the person, on the page of their own data' },
  ]);
});

test('the name is corrected beside what was typed, and an administrator sees the new one', async () => {
  const email = address();
  await capture(email, { payload: { name: 'Aad' } });
  const path = await linkTo(email);
  const { body } = await post(`${path}/name`, { name: '  Ada\u0000 Lovelace  ' });
  assert.match(body, /Done: the name is corrected/);
  assert.match(body, /<dd>Ada Lovelace<\/dd>/);
  const { lead_id: leadId } = await leadOf(email);
  const seen = await call(`${server.url}/v1/leads/${leadId}`, 'GET', undefined, admin);
  assert.deepEqual(seen.body.lead.attributes, { name: 'Ada Lovelace' });
  assert.deepEqual(
    (await registered(email)).map(({ kind, outcome }) => [kind, outcome]),
    [['correction', 'done']],
  );
});

test('a new address counts once its own mailbox has confirmed it; the old links end, history and consent stay', async () => {
  const [old, fresh] = [address(), address()];
  await agree(old, ['email']);
  const { lead_id: leadId } = await leadOf(old);
  await call(
    `${server.url}/v1/admin/requests`,
    'POST',
    { propertyId: 'bakery', kind: 'correction', email: old },
    admin,
  );
  const path = await linkTo(old);
  assert.equal((await post(`${path}/address`, { email: 'nobody' })).status, 400);
  assert.equal((await post(`${path}/address`, { email: old.toUpperCase() })).status, 400);
  assert.match((await post(`${path}/address`, { email: fresh })).body, /A mail went to the new address/);
  assert.deepEqual(await send(), { sent: 1, nobody: 0, postponed: 0, givenUp: 0 });
  const confirm = linkIn(mailTo(fresh))!;
  assert.match((await show(confirm)).body, /Yes, use this address/);
  assert.equal((await leadOf(old)).lead_id, leadId, 'a scanner that opens the link changes nothing');
  assert.equal((await post(`${confirm}/download`)).status, 404, 'it opens nothing of the person');
  assert.equal((await post(`${path}/confirm`)).status, 404);
  assert.match((await post(`${confirm}/confirm`)).body, /Your address is changed/);
  assert.equal((await leadOf(fresh)).lead_id, leadId);
  assert.equal(await leadOf(old), undefined);
  assert.equal((await leadOf(fresh)).consent_status, 'express');
  for (const ended of [path, confirm]) assert.equal((await show(ended)).status, 404);
  assert.deepEqual(
    (await registered(fresh)).map(({ kind, outcome }) => [kind, outcome]),
    [['correction', 'done']],
    'what was asked by the old address is done',
  );
  assert.deepEqual(await registered(old), []);
});

test('an address that is another person’s is not taken from them', async () => {
  const [ada, bob] = [address(), address()];
  await capture(ada);
  await capture(bob);
  const path = await linkTo(ada);
  const taken = await post(`${path}/address`, { email: bob });
  const free = await post(`${path}/address`, { email: address() });
  assert.equal(taken.body.replaceAll(bob, ''), free.body.replaceAll(bob, ''), 'nobody learns who is known');
  await send();
  const answer = await post(`${linkIn(mailTo(bob))}/confirm`);
  assert.deepEqual([answer.status, /another person’s/.test(answer.body)], [400, true]);
  assert.ok((await leadOf(ada)) && (await leadOf(bob)));
});

test('the file answers who asked to take everything along, and who asked to see it', async () => {
  const email = address();
  await capture(email);
  for (const kind of ['portability', 'access', 'erasure'])
    await call(`${server.url}/v1/admin/requests`, 'POST', { propertyId: 'bakery', kind, email }, admin);
  const path = await linkTo(email);
  assert.equal((await call(`${server.url}${path}/download`, 'POST', '', FORM)).status, 200);
  assert.deepEqual(
    (await registered(email)).map(({ kind, outcome }) => [kind, outcome]),
    [
      ['portability', 'done'],
      ['access', 'done'],
      ['erasure', null],
    ],
  );
});

test('the file holds what the operator’s export holds, and nothing of somebody who shares the browser', async () => {
  const [ada, bob] = [address(), address()];
  const anonId = anon();
  await capture(ada, { anonId, payload: { name: 'Ada', message: 'only mine' } });
  await call(
    `${server.url}/v1/events`,
    'POST',
    makeEvent({ propertyId: 'bakery', anonId, path: '/bobs-secret' }),
  );
  await capture(bob, { anonId, payload: { name: 'Bob', message: 'canary-of-bob' } });
  const path = await linkTo(ada);
  const file = await call(`${server.url}${path}/download`, 'POST', '', FORM);
  assert.equal(file.status, 200);
  assert.match(
    file.headers.get('content-disposition')!,
    /^attachment; filename="my-data-[0-9a-f]{8}\.json"$/,
  );
  const mine = typeof file.body === 'string' ? JSON.parse(file.body) : file.body;
  const theirs = (
    await call(`${server.url}/v1/leads/export-subject`, 'POST', { email: ada, propertyId: 'bakery' }, admin)
  ).body;
  const { requests, disclosures, ...same } = mine.subject;
  for (const name of Object.keys(same)) assert.deepEqual(same[name], theirs.subject[name], name);
  assert.deepEqual(Object.keys(mine.subject).sort(), Object.keys(theirs.subject).sort());
  assert.ok(requests.length === 1 && disclosures.length === 0);
  const text = JSON.stringify(mine);
  assert.ok(text.includes('only mine'));
  for (const canary of ['canary-of-bob', 'bobs-secret', bob]) assert.ok(!text.includes(canary), canary);
  assert.deepEqual(
    (await registered(ada)).map(({ kind, outcome }) => [kind, outcome]),
    [
      ['access', 'done'],
      ['access', 'done'],
    ],
  );
});

test('deletion asks once more, says what stays and why, and leaves what an administrator’s erasure leaves', async () => {
  const email = address();
  await agree(email, ['email']);
  const path = await linkTo(email);
  const sure = await post(`${path}/delete`);
  assert.equal(sure.status, 200);
  assert.match(sure.body, /What stays, and why/);
  assert.match(sure.body, /for 3 years/);
  assert.ok(await leadOf(email), 'asked only');
  const done = await post(`${path}/delete`, { sure: 'yes' });
  assert.equal(done.status, 200);
  const [, erasureId] = /Number of the certificate: ([0-9a-f-]{36})/.exec(done.body)!;
  assert.ok(!(await leadOf(email)));
  const proof = await call(
    `${server.url}/v1/leads/erasure-proof`,
    'POST',
    { email, propertyId: 'bakery' },
    admin,
  );
  assert.equal(proof.body.proofs.length, 1);
  const [noted] = await audited('POST /v1/your-data/:token/delete', erasureId!);
  assert.deepEqual([noted.actor, noted.outcome, noted.details.erased.leads], ['subject', 200, 1]);
  assert.deepEqual(
    (await registered(email)).map(({ kind, outcome }) => [kind, outcome]),
    [['erasure', 'done']],
  );
  const { readForgotten } = await import('../consent/forget-journal.ts');
  let inJournal = 0;
  for await (const entry of readForgotten(server.services.leads.forgetJournal))
    if (entry.kind === 'erasure' && entry.emailHash === server.services.leads.hashAddress(bakery, email))
      inJournal += 1;
  assert.equal(inJournal, 1, 'a backup that is restored learns it again');
  for (const again of [await show(path), await post(`${path}/delete`, { sure: 'yes' })])
    assert.equal(again.status, 404);
  await ask(email);
  assert.equal((await send()).nobody, 1);
});

test('who waits in quarantine alone sees that, and can have it deleted', async () => {
  const email = address();
  await capture(email, { payload: { message: '<a href="http://x">cheap</a>' } });
  assert.equal(await leadOf(email), undefined);
  const path = await linkTo(email);
  assert.match((await show(path)).body, /held back as suspicious, and deleted after a month: 1/);
  for (const verb of ['name', 'address', 'withdraw', 'object'])
    assert.ok(
      (await post(`${path}/${verb}`, { name: 'A', email: address(), everything: 'yes' })).status < 500,
      verb,
    );
  assert.match((await post(`${path}/delete`, { sure: 'yes' })).body, /Everything is deleted/);
  assert.deepEqual(await rows('select from quarantine where email_normalized = $1', [email]), []);
});

test('the page and the mail speak the language of the consent, else the site’s; the page switches', async () => {
  const email = address();
  await capture(email, {
    consentStatus: 'express',
    consent: { text: 'Écrivez-moi.', language: 'fr' },
  });
  const path = await linkTo(email);
  const mail = mailTo(email)!;
  assert.match(mail, /Content-Language: fr/i);
  const french = await show(path, '?lang=fr');
  assert.match(french.body, /<html lang="fr">/);
  assert.match(french.body, /Ce à quoi vous avez consenti/);
  assert.match(french.body, /href="[^"]*lang=en" hreflang="en"/);
  assert.match((await show(path, '?lang=en')).body, /What you agreed to/);
  assert.match((await post(`${path}/delete?lang=fr`)).body, /Ce qui reste, et pourquoi/);
  const form = await show('/v1/your-data', '?propertyId=bakery&lang=fr');
  assert.match(form.body, /Envoyez-moi le lien/);
  assert.match((await ask(address(), { lang: 'fr' })).body, /Regardez dans votre boîte/);
});

test('a mail that is not taken now is tried again with a new link, and given up in the end', async () => {
  const refusing = await startMailServer('451 later');
  const { makeTransport } = await import('../mails/transport.ts');
  const { db, sites, tables, leads } = server.services;
  const transport = await makeTransport(refusing.url);
  const refused = { ...leads, mailing: { ...leads.mailing!, transport } };
  await send(); // those of other tests
  const email = address();
  await capture(email);
  await ask(email);
  const again = () => sendLinks({ db, sites, tables, leads: refused });
  for (let i = 0; i < 3; i += 1) {
    assert.deepEqual(await again(), { sent: 0, nobody: 0, postponed: 1, givenUp: 0 });
    assert.deepEqual(await again(), { sent: 0, nobody: 0, postponed: 0, givenUp: 0 }, 'it rests');
    await rows('update your_data_links set next_attempt_at = now() where next_attempt_at is not null');
  }
  assert.deepEqual(await again(), { sent: 0, nobody: 0, postponed: 0, givenUp: 1 });
  transport.close();
});

test('an ask is nothing that is held: it makes nobody known, and the purge ends it', async () => {
  const email = address();
  await ask(email);
  await send();
  const found = await call(
    `${server.url}/v1/leads/export-subject`,
    'POST',
    { email, propertyId: 'bakery' },
    admin,
  );
  assert.equal(found.status, 404);
  await rows("update your_data_links set asked_at = now() - interval '3 days'");
  const { body } = await call(`${server.url}/v1/admin/jobs/purge`, 'POST', {}, admin);
  assert.equal(body.run.state ?? 'succeeded', 'succeeded');
  assert.deepEqual(await rows('select from your_data_links'), []);
});

test('without a mail server the page says how to reach the operator, and nothing is taken', async () => {
  const other = await startServer({ PRIVACY_CONTACT_EMAIL: 'privacy@bakery.example' });
  try {
    const page = await call(`${other.url}/v1/your-data?lang=en`, 'GET', undefined, { accept: 'text/html' });
    assert.equal(page.status, 200);
    assert.match(page.body, /Write to privacy@bakery\.example/);
    assert.doesNotMatch(page.body, /<form/);
    const posted = await call(`${other.url}/v1/your-data`, 'POST', 'email=ada%40example.com&lang=fr', FORM);
    assert.equal(posted.status, 503);
    assert.match(posted.body, /Écrivez à privacy@bakery\.example/);
    const asked = await call(`${other.url}/v1/your-data`, 'POST', { email: 'ada@example.com' });
    assert.deepEqual([asked.status, asked.body.error], [503, 'unavailable']);
    const { rowCount } = await other.database.owner.query('select from your_data_links');
    assert.equal(rowCount, 0);
  } finally {
    await other.end();
  }
});

const review = (email: string, fields: Record<string, unknown>) =>
  call(`${server.url}/v1/reviews`, 'POST', { email, propertyId: 'bakery', anonId: anon(), ...fields });

test('reviews are shown with whether they may be published, and taken back, in both languages, also those that wait', async () => {
  const email = address();
  const display = { text: 'The Bakery may publish this with my first name.', name: 'Ada' };
  await review(email, { rating: 4, text: 'Crisp & <b>dark</b>.', product: 'rye', display });
  await review(email, { rating: 2, text: 'Too small.' });
  await review(email, { text: 'Buy <a href="https://pills.example">pills</a>', display });
  const path = await linkTo(email);
  const { body } = await show(path, '?lang=en');
  for (const part of [
    'What of you may be shown to others',
    'Crisp &amp; &lt;b&gt;dark&lt;/b&gt;.',
    '<dd>4 of 5</dd>',
    '<dd>rye</dd>',
    'Yes: you allowed it. It is not published so far.',
    'Too small.',
    'No: you did not allow it.',
    'with leave to show something of you: 1',
    'Show nothing of me any more',
  ])
    assert.ok(body.includes(part), part);
  const { lead_id: leadId } = await leadOf(email);
  const listed = await call(`${server.url}/v1/sites/bakery/reviews`, 'GET', undefined, admin);
  const crisp = listed.body.reviews.find((one: { text: string }) => one.text.startsWith('Crisp'));
  await call(
    `${server.url}/v1/sites/bakery/reviews/${crisp.reviewId}`,
    'PATCH',
    { status: 'published' },
    { ...admin, 'if-match': '"1"' },
  );
  assert.match((await show(path, '?lang=fr')).body, /Oui : vous l’avez permis, et il est publié\./);
  const done = await post(`${path}/display?lang=fr`);
  assert.equal(done.status, 200);
  assert.match(done.body, /C’est fait : plus rien de vous n’est montré\./);
  assert.match(done.body, /Non : vous l’avez retiré\./);
  assert.doesNotMatch(done.body, /Oui : /);
  assert.doesNotMatch(done.body, /Ne montrez plus rien de moi/, 'there is nothing left to take back');
  const records = await rows('select action, basis from display_consents where lead_id = $1 order by seq', [
    leadId,
  ]);
  assert.deepEqual(records, [
    { action: 'granted', basis: 'form' },
    { action: 'withdrawn', basis: 'link' },
  ]);
  assert.equal((await leadOf(email)).consent_status, 'pending', 'mails are another matter');
  assert.deepEqual(
    (await registered(email)).map(({ kind, outcome }) => [kind, outcome]),
    [['withdrawal', 'done']],
  );
  assert.equal((await audited('POST /v1/your-data/:token/display', leadId)).length, 1);
  assert.equal((await post('/v1/your-data/nothing/display')).status, 404);
});

test('who waits in quarantine alone takes back there what they allowed', async () => {
  const email = address();
  await review(email, {
    text: 'Buy <a href="https://pills.example">pills</a>',
    display: { text: 'You may print this.' },
  });
  assert.equal(await leadOf(email), undefined);
  const path = await linkTo(email);
  assert.match((await show(path)).body, /Show nothing of me any more/);
  assert.match((await post(`${path}/display`)).body, /Done: nothing of you is shown any more/);
  const [{ id }] = await rows(
    'select quarantine_id as id from quarantine where email_normalized = $1 and decision is null',
    [email],
  );
  await call(`${server.url}/v1/admin/quarantine/${id}/release`, 'POST', undefined, admin);
  const { lead_id: leadId } = await leadOf(email);
  assert.deepEqual(await rows('select from display_consents where lead_id = $1', [leadId]), []);
});
