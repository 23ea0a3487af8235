// What a person may ask beside access and erasure: not to be profiled, to be left alone, to be corrected.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { LETTER, tiesOf } from '../../../test/ties.ts';
import { withdrawDisplay } from '../display/display.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
  for (const linking of ['form', 'on'])
    await call(
      `${server.url}/v1/sites`,
      'POST',
      { key: `site-${linking}`, name: linking, settings: { linking } },
      admin,
    );
});
after(() => server.end());

const { rows, page, capture, linksOf, leadOf, timelineOf } = tiesOf(() => server);

test('who objects to being profiled is untied for good, and may take that back', async () => {
  const email = address();
  const anonId = anon();
  await page('site-on', anonId, '/read');
  await capture('site-on', { email, anonId });
  const leadId = await leadIdOf(server, email);
  const restrict = (body: object) => call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', body, admin);
  const made = await restrict({ profiling: true, how: 'a letter of 3 November' });
  assert.equal(made.body.noProfiling, true);
  assert.ok(made.body.linksUndone >= 1);
  assert.deepEqual(await timelineOf(email), []);
  await capture('site-on', { email, anonId, formName: 'again' });
  await capture('site-on', { email, anonId: anon(), formName: 'elsewhere' });
  assert.deepEqual(await linksOf(email), []);
  await restrict({ profiling: false });
  await capture('site-on', { email, anonId, formName: 'and again' });
  assert.deepEqual(await linksOf(email), [], 'what was undone is not made again');
  await capture('site-on', { email, anonId: anon(), formName: 'another browser' });
  assert.deepEqual((await linksOf(email)).slice(0, 1), ['form_submit']);
  assert.equal((await restrict({})).status, 400);
  const { body } = await call(`${server.url}/v1/admin/requests/search`, 'POST', { email }, admin);
  assert.deepEqual(
    body.requests.map(({ kind, outcome }: { kind: string; outcome: string }) => [kind, outcome]),
    [['objection', 'done']],
  );
});

test('a restricted lead is kept and nothing else: in no export, in no list for mailing', async () => {
  const email = address();
  await capture('site-form', { email, ...LETTER });
  const leadId = await leadIdOf(server, email);
  const seen = async () => {
    const csv = await fetch(`${server.url}/v1/leads/export.csv?propertyId=site-form`, { headers: admin });
    const list = await call(
      `${server.url}/v1/leads?propertyId=site-form&mailable=true`,
      'GET',
      undefined,
      admin,
    );
    const all = await call(`${server.url}/v1/leads?propertyId=site-form`, 'GET', undefined, admin);
    return [await csv.text(), JSON.stringify(list.body), JSON.stringify(all.body)].map((text) =>
      text.includes(email),
    );
  };
  assert.deepEqual(await seen(), [true, true, true]);
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: true }, admin);
  assert.deepEqual(await seen(), [false, false, true]);
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: false }, admin);
  assert.deepEqual(await seen(), [true, true, true]);
});

test('a restricted lead is tied to no browser, and nothing that its browsers do joins it', async () => {
  const email = address();
  const [first, second] = [anon(), anon()];
  await page('site-form', first, '/before');
  await capture('site-form', { email, anonId: first, ...LETTER });
  const leadId = await leadIdOf(server, email);
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: true }, admin);
  await page('site-form', first, '/after');
  await page('site-form', second, '/after-elsewhere');
  await capture('site-form', { email, anonId: second, formName: 'a question' });
  const merge = () =>
    call(
      `${server.url}/v1/identities/merge`,
      'POST',
      { leadId, anonId: second, propertyId: 'site-form' },
      admin,
    );
  assert.deepEqual([(await merge()).status, (await merge()).body.error], [409, 'conflict']);
  assert.deepEqual(await linksOf(email), ['form_submit']);
  const paths = await timelineOf(email);
  assert.ok(paths.includes('/before'));
  assert.ok(!paths.some((path) => path.startsWith('/after')), String(paths));
  await call(`${server.url}/v1/leads/${leadId}/restrict`, 'POST', { all: false }, admin);
  await capture('site-form', { email, anonId: anon(), formName: 'later' });
  assert.deepEqual(await linksOf(email), ['form_submit', 'form_submit']);
});

test('an address is corrected: history and consent stay, the one before is kept as a hash, another lead’s is refused', async () => {
  const [wrong, right, other] = [address(), address(), address()];
  await capture('site-form', { email: wrong, ...LETTER });
  await capture('site-form', { email: other });
  const leadId = await leadIdOf(server, wrong);
  const correct = (email: string) =>
    call(`${server.url}/v1/leads/${leadId}`, 'PATCH', { email, how: 'by telephone' }, admin);
  assert.equal((await correct(other)).status, 409);
  assert.equal((await correct('no address')).status, 400);
  const { status, body } = await correct(` ${right.toUpperCase()} `);
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.leadId, leadId);
  assert.equal(await leadIdOf(server, right), leadId);
  assert.equal(await leadIdOf(server, wrong), undefined);
  const evidence = await call(`${server.url}/v1/leads/${leadId}/consent`, 'GET', undefined, admin);
  assert.deepEqual([evidence.body.chain.valid, evidence.body.chain.length], [true, 1]);
  const all = await call(
    `${server.url}/v1/leads/export-subject`,
    'POST',
    { email: right, propertyId: 'site-form' },
    admin,
  );
  assert.equal(all.body.subject.leadRectifications.length, 1);
  assert.equal(all.body.subject.leadRectifications[0].evidence, 'by telephone');
  const erased = await call(`${server.url}/v1/leads/delete`, 'POST', { email: right }, admin);
  assert.equal(erased.body.erased.lead_rectifications, 1);
});

test('a corrected address is bound by what it unsubscribed from while it was nobody’s, unless its person agreed since', async () => {
  const correct = async (from: string, to: string) =>
    call(
      `${server.url}/v1/leads/${await leadIdOf(server, from)}`,
      'PATCH',
      { email: to, how: 'a letter' },
      admin,
    );
  const unsubscribe = (email: string, purposes?: string[]) =>
    call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, propertyId: 'site-form', purposes });
  const [typo, right] = [address(), address()];
  await capture('site-form', {
    email: typo,
    anonId: anon(),
    ...LETTER,
    payload: { name: 'Ada' },
    display: { text: 'You may name me.' },
  });
  await unsubscribe(right, ['email']);
  await withdrawDisplay(server.database.app, {
    site_id: (await leadOf(typo)).site_id,
    at: new Date().toISOString(),
    basis: 'request',
    email_normalized: right,
    email_hash: server.services.leads.hashAddress((await leadOf(typo)).site_id, right),
  });
  assert.equal((await correct(typo, right)).status, 200);
  const lead = await leadOf(right);
  assert.equal(lead.consent_status, 'withdrawn');
  assert.ok(lead.display_withdrawn_at);
  const [named] = await rows(
    'select display_stands(site_id, lead_id) as stands from leads where lead_id = $1',
    [lead.lead_id],
  );
  assert.equal(named.stands, false);
  const list = await call(
    `${server.url}/v1/leads?propertyId=site-form&mailable=true`,
    'GET',
    undefined,
    admin,
  );
  assert.ok(!JSON.stringify(list.body).includes(right));

  const [mistyped, back] = [address(), address()];
  await unsubscribe(back);
  await capture('site-form', { email: mistyped, ...LETTER });
  assert.equal((await correct(mistyped, back)).status, 200);
  assert.equal((await leadOf(back)).consent_status, 'express');
});

test('a form that waits in quarantine is its person’s after their address was corrected: seen, released and erased with them', async () => {
  const [before, after] = [address(), address()];
  const send = (email: string, message: string) =>
    capture('site-form', { email, formName: 'contact', payload: { message } });
  const waiting = async (email: string): Promise<string[]> =>
    (
      await call(`${server.url}/v1/admin/quarantine?propertyId=site-form`, 'GET', undefined, admin)
    ).body.quarantined
      .filter((one: { email: string }) => one.email === email)
      .map(({ quarantineId }: { quarantineId: string }) => quarantineId);
  await send(before, 'Do you bake on Sundays?');
  const leadId = await leadIdOf(server, before);
  await send(before, '<a href="https://a.example">one</a> cheap');
  await send(before, '<a href="https://a.example">two</a> cheap');
  assert.equal((await waiting(before)).length, 2);
  await call(`${server.url}/v1/leads/${leadId}`, 'PATCH', { email: after, how: 'a letter' }, admin);
  assert.deepEqual(await waiting(before), []);
  const [first] = await waiting(after);
  const held = await call(
    `${server.url}/v1/leads/export-subject`,
    'POST',
    { email: after, propertyId: 'site-form' },
    admin,
  );
  assert.equal(held.body.subject.quarantined.length, 2);
  const released = await call(`${server.url}/v1/admin/quarantine/${first}/release`, 'POST', undefined, admin);
  assert.equal(released.body.leadId, leadId, JSON.stringify(released.body));
  assert.equal(await leadIdOf(server, before), undefined);
  await call(`${server.url}/v1/leads/delete`, 'POST', { email: after, propertyId: 'site-form' }, admin);
  assert.deepEqual(await waiting(after), []);
});
