// The contract of POST /v1/leads/capture, over a real port into a real PostgreSQL 18.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { guessedLinksOf, leadIdOf } from '../../../test/leads.ts';
import { address, anon } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
const ORIGIN = 'https://bakery.example';
before(async () => {
  server = await startServer();
  await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'bakery', name: 'Bakery', domain: 'bakery.example', origins: [ORIGIN] },
    admin,
  );
  // where nothing is said nobody is guessed to be anybody (linking.test.ts)
  const { siteId } = server.services.sites.fallback();
  await call(`${server.url}/v1/sites/${siteId}`, 'PATCH', { settings: { linking: 'on' } }, admin);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const capture = (body: unknown, headers?: Record<string, string>) =>
  call(`${server.url}/v1/leads/capture`, 'POST', body, headers);
const form = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', new URLSearchParams(fields).toString(), {
    'content-type': 'application/x-www-form-urlencoded',
    origin: ORIGIN,
    referer: `${ORIGIN}/contact.html`,
    ...headers,
  });
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];

test('a capture is answered after visitor, session, lead, event, link, submission and consent were stored', async () => {
  const email = address();
  const eventId = randomUUID();
  const { status, body } = await capture({
    email: ` ${email.toUpperCase()} `,
    anonId: anon(),
    formName: 'tasting',
    path: '/tasting?secret=1&utm_source=google',
    sourceChannel: 'fair',
    payload: { loaves: 3 },
    utm: { source: 'google', medium: 'cpc' },
    eventId,
    consentStatus: 'implied',
  });
  assert.equal(status, 200, JSON.stringify(body));
  assert.deepEqual(Object.keys(body), ['ok', 'submissionId', 'visitorId', 'sessionId']);
  const lead = await leadOf(email);
  assert.equal(lead.first_source, 'paid_search');
  assert.equal(lead.first_visitor_id, body.visitorId);
  assert.equal(lead.consent_status, 'implied');
  const [event] = await rows('select * from events where event_id = $1', [eventId]);
  assert.equal(event.event_type, 'form_submit');
  assert.deepEqual(event.props, { formName: 'tasting', role: 'lead' });
  assert.equal(event.session_id, body.sessionId);
  const [link] = await rows('select * from lead_identities where lead_id = $1', [lead.lead_id]);
  assert.equal(link.visitor_id, body.visitorId);
  assert.equal(link.link_source, 'form_submit');
  assert.equal(link.confidence, 1);
  const [submission] = await rows('select * from submissions where lead_id = $1', [lead.lead_id]);
  assert.equal(submission.submission_id, body.submissionId);
  assert.deepEqual(submission.payload, { loaves: 3 });
  assert.equal(submission.path, '/tasting?utm_source=google');
  assert.equal(submission.event_id, eventId);
  const records = await rows('select * from consent_records where lead_id = $1', [lead.lead_id]);
  assert.equal(records.length, 1);
  assert.equal(records[0].kind, 'implied_inquiry');
  const months = (records[0].expires_at - records[0].occurred_at) / 86_400_000 / 30.4;
  assert.ok(months > 5.8 && months < 6.2);
});

test("a submission seen by the browser's beacon and by the capture counts once", async () => {
  for (const order of ['beacon first', 'capture first']) {
    const email = address();
    const anonId = anon();
    const eventId = randomUUID();
    const beacon = () =>
      call(`${server.url}/v1/events`, 'POST', {
        eventId,
        anonId,
        eventType: 'form_submit',
        path: '/',
        props: { formName: 'lead_capture' },
      });
    if (order === 'beacon first') assert.equal((await beacon()).status, 202);
    assert.equal((await capture({ email, anonId, eventId })).status, 200);
    if (order === 'capture first') assert.equal((await beacon()).body.duplicate, true);
    const [{ count }] = await rows('select count(*) from events where event_id = $1', [eventId]);
    assert.equal(count, 1, order);
    assert.equal((await rows('select * from submissions where event_id = $1', [eventId])).length, 1);
  }
});

test('a form sent twice makes one lead and one submission', async () => {
  const email = address();
  const body = { email, anonId: anon(), formName: 'twice' };
  const [first, second] = await Promise.all([capture(body), capture(body)]);
  assert.notEqual(first.body.submissionId, second.body.submissionId);
  const { lead_id: leadId } = await leadOf(email);
  assert.equal((await rows('select * from submissions where lead_id = $1', [leadId])).length, 1);
  const plain = { email: address(), formName: 'twice' };
  await Promise.all([form(plain), form(plain)]);
  assert.equal(
    (
      await rows(
        'select s.* from submissions s join leads using (site_id, lead_id) where email_normalized = $1',
        [plain.email],
      )
    ).length,
    1,
  );
});

test('ten captures of one address at once make one lead and ten visitors', async () => {
  const email = address();
  const answers = await Promise.all(Array.from({ length: 10 }, () => capture({ email, anonId: anon() })));
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal((await rows('select from leads where email_normalized = $1', [email])).length, 1);
  assert.equal(new Set(answers.map(({ body }) => body.submissionId)).size, 10);
  assert.equal(new Set(answers.map(({ body }) => body.visitorId)).size, 10);
  const links = await rows(
    "select * from lead_identities where lead_id = $1 and link_source = 'form_submit'",
    [await leadIdOf(server, email)],
  );
  assert.equal(links.length, 10);
});

test('the first touch of a lead is never overwritten', async () => {
  const email = address();
  const anonId = anon();
  await call(`${server.url}/v1/events`, 'POST', {
    anonId,
    eventType: 'page_view',
    path: '/landing',
    referrer: 'https://www.google.com/',
  });
  await capture({ email, anonId, path: '/form' });
  await capture({ email, anonId: anon(), path: '/other', utm: { source: 'facebook', medium: 'cpc' } });
  const lead = await leadOf(email);
  assert.equal(lead.first_source, 'organic_search');
  assert.equal(lead.first_path, '/landing');
});

test('a plain form from a static page makes the same lead, and never gets JSON', async () => {
  const email = address();
  const answer = await form(
    {
      email,
      formName: 'newsletter',
      redirect: '/thanks.html',
      utm_source: 'flyer',
      'payload[loaf]': 'rye',
      message: 'Hello & <b>thanks</b>',
      consentStatus: 'express',
      'consent[text]': 'Write to me about bread.',
    },
    { 'user-agent': `${BROWSER} Flyer/1` }, // a day visitor of its own
  );
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get('location'), `${ORIGIN}/thanks.html`);
  const lead = await leadOf(email);
  assert.ok(lead.first_visitor_id);
  assert.equal(lead.consent_status, 'express');
  assert.deepEqual(lead.first_utm, { source: 'flyer' });
  const [submission] = await rows('select * from submissions where lead_id = $1', [lead.lead_id]);
  assert.deepEqual(submission.payload, { loaf: 'rye', message: 'Hello & <b>thanks</b>' });
  assert.ok(submission.event_id);
});

test('a form that names the browser makes visitor, session and event as JSON does', async () => {
  const email = address();
  const eventId = randomUUID();
  await form({ email, anonId: anon(), eventId, path: '/contact.html' });
  assert.equal((await rows('select * from events where event_id = $1', [eventId])).length, 1);
  assert.ok((await leadOf(email)).first_visitor_id);
});

test("a form ends on the site's own pages or on our thank-you page, never elsewhere", async () => {
  for (const redirect of [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    'javascript:alert(1)',
    'https://bakery.example@evil.example/',
  ]) {
    const answer = await form({ email: address(), redirect });
    assert.equal(answer.status, 303);
    assert.match(answer.headers.get('location')!, /^\/v1\/leads\/thank-you\?lang=en&propertyId=/, redirect);
  }
  const page = await call(`${server.url}/v1/leads/thank-you`);
  assert.match(page.body, /Thank you/);
});

test('a person who mistypes the address sees a page that keeps what was typed', async () => {
  const answer = await form({
    email: '"><script>alert(1)</script>',
    message: 'two loaves "please"',
    redirect: '/thanks.html',
    'payload[a]': 'b',
  });
  assert.equal(answer.status, 400);
  assert.match(answer.headers.get('content-type')!, /text\/html/);
  assert.doesNotMatch(answer.body, /<script>/);
  assert.match(answer.body, /name="message" value="two loaves &quot;please&quot;"/);
  assert.match(answer.body, /name="payload\[a\]" value="b"/);
  assert.match(answer.body, /name="redirect" value="https:\/\/bakery.example\/thanks.html"/);
  assert.match(answer.body, /name="propertyId" value="bakery"/);
  assert.match(answer.body, /role=|aria-describedby/);
});

test("a form's hidden fields are forgiven, its person is not turned away", async () => {
  const email = address();
  assert.equal(
    (await form({ email, anonId: 'short', eventId: 'x', utm_source: 'x'.repeat(300) })).status,
    303,
  );
  assert.ok(await leadOf(email));
});

test('a honeypot hit is answered like a success and stored only as a rejection', async () => {
  const email = address();
  const answer = await capture({ email, anonId: anon(), honeypot: 'http://buy' });
  assert.equal(answer.status, 200);
  assert.deepEqual(Object.keys(answer.body), ['ok', 'submissionId', 'visitorId', 'sessionId']);
  assert.equal((await form({ email, honeypot: 'x' })).status, 303);
  assert.equal(await leadOf(email), undefined);
  await server.services.ledger.flush();
  const [{ count }] = await rows("select sum(count) as count from ingest_ledger where reason = 'honeypot'");
  assert.equal(Number(count), 2);
});

test('answers tell which fields are wrong, and whose site is unknown', async () => {
  const wrong = await capture({ email: 'nobody', anonId: 'x' });
  assert.equal(wrong.status, 400);
  assert.equal(wrong.body.error, 'invalid_request');
  assert.deepEqual(wrong.body.issues.map((issue: { path: string }) => issue.path).sort(), [
    'anonId',
    'email',
  ]);
  const unknown = await capture({ email: address(), anonId: anon(), propertyId: 'nobody' });
  assert.equal(unknown.status, 400);
  assert.equal(unknown.body.issues[0].path, 'propertyId');
  assert.equal((await capture('{')).body.error, 'malformed_json');
  assert.equal(
    (await capture({ email: address(), anonId: anon(), payload: { x: 'y'.repeat(20_000) } })).status,
    413,
  );
});

test('neighbours are linked weakly, never under GPC, and only strangers', async () => {
  const agent = { 'user-agent': `${BROWSER} heuristics-1` };
  const view = (anonId: string, headers: Record<string, string> = {}) =>
    call(
      `${server.url}/v1/events`,
      'POST',
      { anonId, eventType: 'page_view', path: '/' },
      { ...agent, ...headers },
    );
  const [near, other, hidden] = [anon(), anon(), anon()];
  const ids = await Promise.all([near, other].map(async (id) => (await view(id)).body.visitorId));
  await view(hidden, { 'sec-gpc': '1' });
  const email = address();
  await capture({ email, anonId: anon() }, agent);
  assert.equal(await guessedLinksOf(server, email), 2);
  const links = await rows(
    "select * from lead_identities where lead_id = $1 and link_source = 'same_ip_ua_window'",
    [await leadIdOf(server, email)],
  );
  assert.deepEqual(links.map((link) => link.visitor_id).sort(), ids.sort());
  assert.ok(links.every((link) => link.confidence > 0.2 && link.confidence < 0.5));
  const quiet = address();
  await capture({ email: quiet, anonId: anon() }, { ...agent, 'sec-gpc': '1' });
  assert.equal(await guessedLinksOf(server, quiet), 0);
  assert.equal(
    (await rows('select * from lead_identities where lead_id = $1', [await leadIdOf(server, quiet)])).length,
    0,
  );
});

test('every capture has its line in the ledger, and the ledger balances', async () => {
  await server.services.ledger.flush();
  const sums = await rows('select outcome, sum(count)::int as count from ingest_ledger group by 1');
  const of = (outcome: string) => sums.find((row) => row.outcome === outcome)?.count ?? 0;
  assert.equal(of('received'), of('accepted') + of('duplicate') + of('rejected'));
  assert.ok(of('rejected') > 0 && of('duplicate') > 0);
});

test('in a crowd behind one address and browser name nobody is linked to a lead', async () => {
  const crowd = { 'user-agent': `${BROWSER} Crowd/1` };
  const meet = (count: number) =>
    call(
      `${server.url}/v1/events`,
      'POST',
      {
        events: Array.from({ length: count }, () => ({ anonId: anon(), eventType: 'page_view', path: '/' })),
      },
      crowd,
    );
  await meet(30);
  const linked = async () => {
    const email = address();
    await capture({ email, anonId: anon() }, crowd);
    return guessedLinksOf(server, email);
  };
  assert.equal(await linked(), 20);
  for (let i = 0; i < 4; i += 1) assert.equal((await meet(50)).status, 202);
  assert.equal(await linked(), 0);
});
