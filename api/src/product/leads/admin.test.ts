// What administrators do with leads: list, search, export, look at evidence, decide, link, import; and that it is noted.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer();
  const made = await call(`${server.url}/v1/sites`, 'POST', { key: 'bakery', name: 'The Bakery' }, admin);
  site = made.body.site.siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const capture = (email: string, fields: Record<string, unknown> = {}, headers?: Record<string, string>) =>
  call(
    `${server.url}/v1/leads/capture`,
    'POST',
    { email, anonId: anon(), propertyId: 'bakery', ...fields },
    headers,
  );
const get = (path: string) => call(`${server.url}${path}`, 'GET', undefined, admin);
const post = (path: string, body?: unknown) => call(`${server.url}${path}`, 'POST', body, admin);

test('every admin door asks for the key before it looks at anything', async () => {
  for (const [method, path] of [
    ['POST', '/v1/leads/delete'],
    ['POST', '/v1/leads/export-subject'],
    ['GET', '/v1/leads'],
    ['POST', '/v1/leads/search'],
    ['GET', '/v1/leads/export.csv'],
    ['POST', '/v1/leads/import'],
    ['GET', `/v1/leads/${randomUUID()}`],
    ['GET', `/v1/leads/${randomUUID()}/consent`],
    ['GET', '/v1/admin/quarantine'],
    ['POST', `/v1/admin/quarantine/${randomUUID()}/release`],
    ['POST', `/v1/admin/quarantine/${randomUUID()}/drop`],
    ['POST', '/v1/identities/merge'],
    ['POST', '/v1/identities/unmerge'],
    ['GET', '/v1/admin/breaches'],
    ['POST', '/v1/admin/breaches'],
    ['GET', '/v1/audit'],
    ['GET', `/v1/sites/${site}/consent-texts`],
  ] as const)
    assert.equal(
      (await call(`${server.url}${path}`, method, method === 'POST' ? '{' : undefined)).status,
      401,
      path,
    );
});

test('leads are listed newest first, page by page, and filtered', async () => {
  const emails = Array.from({ length: 7 }, address);
  for (const [i, email] of emails.entries())
    await capture(email, i % 2 ? { consentStatus: 'implied' } : { utm: { source: 'google', medium: 'cpc' } });
  const seen: string[] = [];
  let cursor = '';
  do {
    const { body } = await get(`/v1/leads?propertyId=bakery&limit=3${cursor && `&cursor=${cursor}`}`);
    seen.push(...body.leads.map((lead: { email: string }) => lead.email));
    cursor = body.nextCursor ?? '';
  } while (cursor);
  assert.deepEqual(seen.slice(0, 7), [...emails].reverse());
  assert.equal(new Set(seen).size, seen.length);
  const implied = await get('/v1/leads?propertyId=bakery&consent=implied');
  assert.equal(implied.body.leads.length, 3);
  const paid = await get('/v1/leads?propertyId=bakery&source=paid_search');
  assert.equal(paid.body.leads.length, 4);
  // their own days: midnight may have come in between
  const [{ from, to }] = await rows(
    `select min(first_captured_at at time zone 'UTC')::date::text as from, max(first_captured_at at time zone 'UTC')::date::text as to
     from leads where email = any ($1)`,
    [emails],
  );
  assert.ok(
    (await get(`/v1/leads?propertyId=bakery&from=${from}&to=${to}&domainClass=business`)).body.leads.length >=
      7,
  );
  assert.equal((await get('/v1/leads?propertyId=bakery&to=2020-01-01')).body.leads.length, 0);
  const found = await post('/v1/leads/search', { q: emails[3]!.toUpperCase(), propertyId: 'bakery' });
  assert.deepEqual(
    found.body.leads.map((lead: { email: string }) => lead.email),
    [emails[3]],
  );
  assert.equal((await get('/v1/leads?q=%25&propertyId=bakery')).body.leads.length, 0);
  assert.equal(
    (await get(`/v1/leads?q=${encodeURIComponent(emails[0]!)}`)).status,
    400,
    'an address does not belong in a URL',
  );
  assert.equal((await get('/v1/leads?cursor=nonsense')).body.issues[0].path, 'cursor');
  assert.equal((await get('/v1/leads')).body.leads.length, 0, 'another site sees none of them');
});

test('the export is every lead, as CSV that runs nothing', async () => {
  const email = address();
  await capture(email, {
    sourceChannel: '=HYPERLINK("http://evil.example")',
    formName: '@SUM(1)',
    utm: { source: '+1' },
  });
  const { status, headers, body } = await get('/v1/leads/export.csv?propertyId=bakery');
  assert.equal(status, 200);
  assert.match(headers.get('content-type')!, /text\/csv/);
  const table = parse(body, { columns: true, bom: true }) as Record<string, string>[];
  assert.equal(table.length, (await rows('select from leads where site_id = $1', [site])).length);
  const row = table.find((one) => one.email === email)!;
  assert.equal(row.sourceChannel, '\'=HYPERLINK("http://evil.example")');
  assert.equal(row.utmSource, "'+1");
  for (const cells of table) for (const cell of Object.values(cells)) assert.doesNotMatch(cell, /^[=+@\t\r]/);
});

test("a lead's timeline and a subject's export hold all that is known", async () => {
  const email = address();
  const anonId = anon();
  await call(`${server.url}/v1/events`, 'POST', {
    anonId,
    eventType: 'page_view',
    path: '/menu',
    propertyId: 'bakery',
  });
  await capture(email, {
    anonId,
    payload: { size: 'L' },
    consentStatus: 'express',
    consent: { text: 'Write to me.' },
  });
  const made = { leadId: await leadIdOf(server, email) };
  const { body } = await get(`/v1/leads/${made.leadId}`);
  assert.equal(body.lead.email, email);
  assert.deepEqual(body.events.map((event: { eventType: string }) => event.eventType).sort(), [
    'form_submit',
    'page_view',
  ]);
  assert.equal(body.sessions.length, 1);
  assert.deepEqual(body.submissions[0].payload, { size: 'L' });
  assert.equal(body.consents[0].words, 'Write to me.');
  const subject = await post('/v1/leads/export-subject', { email, propertyId: 'bakery' });
  assert.equal(subject.body.subject.events.length, 2);
  assert.equal(subject.body.subject.lead.leadId, made.leadId);
  assert.equal(
    (await post('/v1/leads/export-subject', { email: address(), propertyId: 'bakery' })).status,
    404,
  );
  assert.equal((await get(`/v1/leads/${randomUUID()}`)).status, 404);
  assert.equal((await get('/v1/leads/not-an-id')).status, 404);
  const pack = await get(`/v1/leads/${made.leadId}/consent`);
  assert.equal(pack.body.chain?.valid, true, JSON.stringify(pack.body));
  assert.equal(pack.body.records[0].words, 'Write to me.');
  assert.match(pack.body.unsubscribeUrl, /\/v1\/unsubscribe\/[A-Za-z0-9_-]{54}$/);
  await rows("update consent_records set status = 'pending' where lead_id = $1", [made.leadId]);
  const forged = await get(`/v1/leads/${made.leadId}/consent`);
  assert.equal(forged.body.chain.valid, false);
  assert.deepEqual(forged.body.chain.faults, ['record 1: was changed']);
});

test('a suspicious submission waits; released it is a lead from its own moment, dropped it is forgotten', async () => {
  const spam = { payload: { message: 'see [url=x]this[/url]' } };
  const [good, bad] = [address(), address()];
  const eventId = randomUUID();
  for (const [email, id] of [
    [good, eventId],
    [bad, randomUUID()],
  ] as const) {
    const answer = await capture(email, { ...spam, eventId: id, consentStatus: 'implied' });
    assert.equal(answer.status, 200);
    assert.deepEqual(Object.keys(answer.body), ['ok', 'submissionId', 'visitorId', 'sessionId']);
  }
  assert.equal((await rows('select from leads where email_normalized in ($1, $2)', [good, bad])).length, 0);
  assert.equal(
    (await rows('select bot_reason from events where event_id = $1', [eventId]))[0].bot_reason,
    'spam',
  );
  const { body } = await get('/v1/admin/quarantine?propertyId=bakery');
  const of = (email: string) => body.quarantined.find((row: { email: string }) => row.email === email);
  assert.deepEqual(of(good).reasons, ['markup_links']);
  const released = await post(`/v1/admin/quarantine/${of(good).quarantineId}/release`);
  assert.equal(released.status, 200);
  const [lead] = await rows('select * from leads where lead_id = $1', [released.body.leadId]);
  assert.equal(lead.email, good);
  assert.equal(lead.first_captured_at.toISOString(), of(good).receivedAt);
  assert.equal(lead.consent_status, 'implied');
  assert.equal(
    (await rows('select bot_reason from events where event_id = $1', [eventId]))[0].bot_reason,
    null,
  );
  assert.equal(
    (
      await rows("select from lead_identities where lead_id = $1 and link_source = 'form_submit'", [
        lead.lead_id,
      ])
    ).length,
    1,
  );
  assert.equal((await post(`/v1/admin/quarantine/${of(bad).quarantineId}/drop`)).status, 200);
  assert.equal((await rows('select from quarantine where capture is not null')).length, 0);
  for (const verb of ['release', 'drop'])
    assert.equal((await post(`/v1/admin/quarantine/${of(bad).quarantineId}/${verb}`)).status, 404);
});

test('merging and unmerging visitors, in any order, restores exactly what was there', async () => {
  const active = () =>
    rows(
      'select lead_id, visitor_id, link_source, confidence, linked_at from lead_identities where site_id = $1 and unlinked_at is null order by 1, 2, 3',
      [site],
    );
  const agent = { 'user-agent': `${BROWSER} merge` };
  const strangers = await Promise.all(
    Array.from(
      { length: 4 },
      async () =>
        (
          await call(
            `${server.url}/v1/events`,
            'POST',
            { anonId: anon(), eventType: 'page_view', path: '/', propertyId: 'bakery' },
            agent,
          )
        ).body.visitorId as string,
    ),
  );
  const leads: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const email = address();
    await capture(email, {}, agent);
    leads.push((await leadIdOf(server, email))!);
  }
  const before = await active();
  let seed = 42;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  for (let round = 0; round < 10; round += 1) {
    const pairs = Array.from({ length: 6 }, () => ({
      leadId: leads[random(3)],
      visitorId: strangers[random(4)],
      propertyId: 'bakery',
    }));
    for (const pair of pairs) assert.equal((await post('/v1/identities/merge', pair)).status, 200);
    assert.notDeepEqual(await active(), before);
    const distinct = [...new Map(pairs.map((pair) => [JSON.stringify(pair), pair])).values()].sort(
      () => random(3) - 1,
    );
    for (const pair of distinct) assert.equal((await post('/v1/identities/unmerge', pair)).status, 200);
    assert.deepEqual(await active(), before, `round ${round}`);
  }
  assert.equal(
    (
      await post('/v1/identities/unmerge', {
        leadId: leads[0],
        visitorId: strangers[0],
        propertyId: 'bakery',
      })
    ).status,
    404,
  );
  assert.equal(
    (await post('/v1/identities/merge', { leadId: leads[0], visitorId: randomUUID(), propertyId: 'bakery' }))
      .status,
    404,
  );
  assert.equal((await post('/v1/identities/merge', { leadId: leads[0] })).status, 400);
});

test('leads come in by CSV with the evidence of their consent, after a dry run', async () => {
  const [one, two, erased] = [address(), address(), address()];
  await capture(erased);
  await post('/v1/leads/delete', { email: erased, propertyId: 'bakery' });
  const csv = [
    'email,consentStatus,consentAt,words,evidence,capturedAt',
    `${one},express,2026-01-05T10:00:00Z,"Yes, write to me.","paper form, folder 7",2026-01-05`,
    `${two},,,,,`,
    'nonsense,,,,,',
    `${address()},express,2026-01-05,,folder 7,`,
    `${address()},implied,,,,`,
    `${erased},pending,,,,2026-01-01`,
  ].join('\n');
  const before = (await rows('select from leads')).length;
  const dry = await post('/v1/leads/import', { propertyId: 'bakery', csv, dryRun: true });
  assert.equal(dry.status, 200, JSON.stringify(dry.body));
  assert.deepEqual(dry.body.counts, { created: 2, updated: 0, unchanged: 0, refused: 4 });
  assert.equal((await rows('select from leads')).length, before);
  const real = await post('/v1/leads/import', { propertyId: 'bakery', csv });
  assert.deepEqual(real.body.rows, dry.body.rows);
  assert.deepEqual(
    real.body.rows.map((row: { row: number; outcome: string }) => [row.row, row.outcome]),
    [
      [2, 'created'],
      [3, 'created'],
      [4, 'refused'],
      [5, 'refused'],
      [6, 'refused'],
      [7, 'refused'],
    ],
  );
  const [lead] = await rows('select * from leads where email_normalized = $1', [one]);
  assert.equal(lead.consent_status, 'express');
  const pack = await get(`/v1/leads/${lead.lead_id}/consent`);
  assert.equal(pack.body.records[0].words, 'Yes, write to me.');
  assert.equal(pack.body.records[0].details.evidence, 'paper form, folder 7');
  assert.equal(pack.body.records[0].occurredAt, '2026-01-05T10:00:00.000Z');
  const again = await post('/v1/leads/import', { propertyId: 'bakery', csv });
  assert.equal(again.body.counts.unchanged, 2);
  await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email: one, propertyId: 'bakery' });
  await post('/v1/leads/import', { propertyId: 'bakery', csv });
  assert.equal(
    (await rows('select consent_status from leads where email_normalized = $1', [one]))[0].consent_status,
    'withdrawn',
  );
  assert.equal(
    (await post('/v1/leads/import', { propertyId: 'bakery', csv: 'name\nAda' })).body.issues[0].path,
    'csv',
  );
});

test('what belongs to leads is forgotten on time, and a dry run tells what would be', async () => {
  const email = address();
  await capture(email, { payload: { a: 1 }, consentStatus: 'implied' });
  const leadId = await leadIdOf(server, email);
  await rows("update submissions set submitted_at = now() - interval '13 months' where lead_id = $1", [
    leadId,
  ]);
  await rows(
    "update leads set consent_status = 'expired', consent_at = now() - interval '31 days', last_submitted_at = now() - interval '7 months' where lead_id = $1",
    [leadId],
  );
  await rows(
    "update consent_records set occurred_at = now() - interval '7 months', expires_at = now() - interval '31 days' where lead_id = $1",
    [leadId],
  );
  const purge = async (options = {}) => (await post('/v1/admin/jobs/purge', options)).body.run.result.rows;
  const dry = await purge({ dryRun: true });
  assert.equal(dry.payloads, 1);
  assert.equal(dry.lapsedLeads, 1);
  assert.equal((await rows('select from leads where lead_id = $1', [leadId])).length, 1);
  const done = await purge();
  assert.equal(done.lapsedLeads, 1);
  assert.equal(done.payloads, 1);
  assert.equal((await rows('select from leads where lead_id = $1', [leadId])).length, 0);
  assert.equal((await purge()).lapsedLeads, 0);
});

test('breaches are registered, and every admin action is in the audit log, without addresses', async () => {
  const made = await post('/v1/admin/breaches', {
    propertyId: 'bakery',
    title: 'Laptop lost',
    description: 'Encrypted.',
    discoveredAt: '2026-02-01T09:00:00Z',
    affectedCount: 12,
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const patched = await call(
    `${server.url}/v1/admin/breaches/${made.body.breach.breachId}`,
    'PATCH',
    { authorityToldAt: '2026-02-02T09:00:00Z' },
    admin,
  );
  assert.equal(patched.body.breach.authorityToldAt, '2026-02-02T09:00:00.000Z');
  assert.equal((await get('/v1/admin/breaches')).body.breaches.length, 1);
  const { body } = await get('/v1/audit?limit=500');
  const actions = new Set(body.entries.map((entry: { action: string }) => entry.action));
  for (const action of [
    'POST /v1/sites',
    'POST /v1/leads/delete',
    'GET /v1/leads',
    'GET /v1/leads/export.csv',
    'POST /v1/identities/merge',
    'POST /v1/leads/import',
    'POST /v1/admin/breaches',
    'GET /v1/leads/:leadId',
  ])
    assert.ok(actions.has(action), action);
  assert.ok(
    body.entries.some(
      (entry: { action: string; outcome: number }) =>
        entry.action === 'POST /v1/leads/export-subject' && entry.outcome === 404,
    ),
  );
  assert.doesNotMatch(JSON.stringify(body), /@example/);
  await assert.rejects(server.database.app.query('delete from audit_log'), { code: '42501' });
});
