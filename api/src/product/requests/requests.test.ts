// The register of people's requests: what came in, until when it must be answered, what became of it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { address, ago, hours } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES } from '../../features.ts';
import { alarmsIn } from '../../operations/alerts/rules.ts';
import { dueAt } from './due.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
  await call(`${server.url}/v1/sites`, 'POST', { key: 'florist' }, admin);
});
after(() => server.end());

const ask = (method: string, path = '', body?: unknown) =>
  call(`${server.url}/v1/admin/requests${path}`, method, body, admin);
const days = (count: number) => count * 86_400_000;
const alarms = async () =>
  alarmsIn(
    await server.services.status(),
    FEATURES.flatMap((feature) => feature.readings ?? []),
  )
    .map(({ id }) => id)
    .filter((id) => id.startsWith('requests'));

test('GDPR gives a month: to the same day of the next, or to its last', () => {
  const due = (received: string) => dueAt(new Date(received), 'gdpr').toISOString();
  for (const [received, expected] of [
    ['2026-11-20T14:00:00.000Z', '2026-12-20T14:00:00.000Z'],
    ['2026-07-15T00:00:00.000Z', '2026-08-15T00:00:00.000Z'],
    ['2027-01-31T09:00:00.000Z', '2027-02-28T09:00:00.000Z'],
    ['2028-01-30T09:00:00.000Z', '2028-02-29T09:00:00.000Z'],
    ['2026-12-31T23:59:59.999Z', '2027-01-31T23:59:59.999Z'],
  ])
    assert.equal(due(received!), expected);
});

test('a request is due after the days its law gives, from the day it was received', async () => {
  for (const [law, given] of [
    ['pipeda', 30],
    ['law25', 30],
    ['gdpr', 30],
    ['ccpa', 45],
    [undefined, 30],
  ] as const) {
    const { status, body } = await ask('POST', '', {
      kind: 'access',
      receivedAt: '2026-11-20T09:00:00-05:00',
      ...(law ? { law } : {}),
    });
    assert.equal(status, 201, JSON.stringify(body));
    const { receivedAt, dueAt, doneAt, outcome } = body.request;
    assert.equal(receivedAt, '2026-11-20T14:00:00.000Z');
    assert.equal(Date.parse(dueAt) - Date.parse(receivedAt), days(given), law);
    assert.deepEqual([doneAt, outcome], [null, null]);
    await ask('PATCH', `/${body.request.requestId}`, { outcome: 'dropped' });
  }
  const later = await ask('POST', '', { kind: 'access', receivedAt: ago(-days(3)) });
  assert.deepEqual([later.status, later.body.issues[0].path], [400, 'receivedAt']);
});

test('it is answered, refused with a reason, extended or opened again, and every change is noted', async () => {
  const { body } = await ask('POST', '', { kind: 'erasure', how: 'by mail' });
  const { requestId } = body.request;
  const done = await ask('PATCH', `/${requestId}`, { outcome: 'done' });
  assert.equal(done.body.request.outcome, 'done');
  assert.ok(Math.abs(Date.parse(done.body.request.doneAt) - Date.now()) < 60_000);
  const open = await ask('PATCH', `/${requestId}`, { outcome: null });
  assert.deepEqual([open.body.request.outcome, open.body.request.doneAt], [null, null]);
  const longer = await ask('PATCH', `/${requestId}`, {
    dueAt: '2027-03-01T00:00:00Z',
    note: 'two more months: Art. 12(3)',
  });
  assert.equal(longer.body.request.dueAt, '2027-03-01T00:00:00.000Z');
  const refused = await ask('PATCH', `/${requestId}`, { outcome: 'refused', note: 'the same as last week' });
  assert.deepEqual(
    [refused.body.request.outcome, refused.body.request.note],
    ['refused', 'the same as last week'],
  );
  assert.equal((await ask('PATCH', `/${randomUUID()}`, { outcome: 'done' })).status, 404);
  const { rows } = await server.database.owner.query(
    "select details from audit_log where action = 'PATCH /v1/admin/requests/:requestId' and target = $1 order by audit_id",
    [requestId],
  );
  assert.deepEqual(
    rows.map(({ details }) => details.changes),
    [['outcome'], ['outcome'], ['dueAt', 'note'], ['outcome', 'note']],
  );
});

test('what one address asked for is found on every site, and the register holds no address', async () => {
  const email = address();
  for (const propertyId of ['default', 'florist'])
    assert.equal((await ask('POST', '', { kind: 'access', email, propertyId })).status, 201);
  const found = await ask('POST', '/search', { email: ` ${email.toUpperCase()} ` });
  assert.equal(found.body.requests.length, 2);
  assert.deepEqual((await ask('POST', '/search', { email: address() })).body.requests, []);
  const { rows } = await server.database.owner.query('select r::text as line from people_requests r');
  assert.ok(!rows.some(({ line }) => line.includes('@')));
  for (const { requestId } of found.body.requests) await ask('PATCH', `/${requestId}`, { outcome: 'done' });
});

test('pages of the register hold every request once, the one due first first', async () => {
  for (const day of [9, 7, 8, 7, 6])
    await ask('POST', '', { kind: 'objection', receivedAt: `2026-11-0${day}T00:00:00Z` });
  const seen = [];
  let cursor = '';
  do {
    const { body } = await ask('GET', `?limit=2${cursor}`);
    seen.push(...body.requests);
    cursor = body.nextCursor && `&cursor=${body.nextCursor}`;
  } while (cursor);
  const due = seen.map(({ dueAt }) => dueAt);
  assert.deepEqual(due, [...due].sort());
  assert.deepEqual(seen, (await ask('GET')).body.requests);
  assert.ok(
    (await ask('GET', '?state=answered')).body.requests.every((one: { doneAt: string }) => one.doneAt),
  );
  for (const { requestId } of seen) await ask('PATCH', `/${requestId}`, { outcome: 'done' });
});

test('an open request warns a week before its day, and is critical after it', async () => {
  assert.deepEqual(await alarms(), []);
  const made = await ask('POST', '', { kind: 'access', receivedAt: ago(days(25)) });
  const { requestId } = made.body.request;
  assert.deepEqual(await alarms(), ['requests_due']);
  await ask('PATCH', `/${requestId}`, { dueAt: ago(hours(-200)) });
  assert.deepEqual(await alarms(), []);
  await server.database.owner.query(
    "update people_requests set received_at = now() - interval '40 days', due_at = now() - interval '10 days' where request_id = $1",
    [requestId],
  );
  assert.deepEqual(await alarms(), ['requests_overdue']);
  await ask('PATCH', `/${requestId}`, { outcome: 'done' });
  assert.deepEqual(await alarms(), []);
});

test('the file of everything answers who asked to see it and who asked to take it along', async () => {
  const openOf = async (email: string) =>
    (await ask('POST', '/search', { email, state: 'open' })).body.requests.map(
      ({ kind }: { kind: string }) => kind,
    );
  const both = async (email: string) => {
    await call(`${server.url}/v1/leads/capture`, 'POST', { email });
    for (const kind of ['access', 'portability', 'erasure']) await ask('POST', '', { kind, email });
    assert.equal((await openOf(email)).length, 3);
  };
  const [byOperator, alone] = [address(), address()];
  await both(byOperator);
  await call(`${server.url}/v1/leads/export-subject`, 'POST', { email: byOperator }, admin);
  assert.deepEqual(await openOf(byOperator), ['erasure']);

  // of who asked for the file only, no second entry says that they asked for more
  await call(`${server.url}/v1/leads/capture`, 'POST', { email: alone });
  await ask('POST', '', { kind: 'portability', email: alone });
  await call(`${server.url}/v1/leads/export-subject`, 'POST', { email: alone }, admin);
  const { requests } = (await ask('POST', '/search', { email: alone })).body;
  assert.deepEqual(
    requests.map((one: { kind: string; outcome: string }) => [one.kind, one.outcome]),
    [['portability', 'done']],
  );
});

test('what is done for a person answers what they asked: a withdrawal, both ways of restricting, a correction by either address', async () => {
  const [email, fresh] = [address(), address()];
  await call(`${server.url}/v1/leads/capture`, 'POST', { email });
  const leadId = await leadIdOf(server, email);
  const kinds = ['withdrawal', 'objection', 'restriction', 'correction'];
  for (const kind of kinds) await ask('POST', '', { kind, email });
  const lead = `${server.url}/v1/leads/${leadId}`;
  const openOf = async (who: string) =>
    (await ask('POST', '/search', { email: who, state: 'open' })).body.requests.map(
      ({ kind }: { kind: string }) => kind,
    );
  await call(`${lead}/withdraw`, 'POST', { receivedAt: ago(1000), how: 'by telephone' }, admin);
  assert.deepEqual((await openOf(email)).sort(), ['correction', 'objection', 'restriction']);
  await call(`${lead}/restrict`, 'POST', { profiling: true, all: true }, admin);
  assert.deepEqual(await openOf(email), ['correction']);
  await call(lead, 'PATCH', { email: fresh }, admin);
  assert.deepEqual(await openOf(email), []);
  const { requests } = (await ask('POST', '/search', { email: fresh })).body;
  assert.deepEqual(
    requests.map((one: { kind: string; outcome: string }) => [one.kind, one.outcome]),
    [['correction', 'done']],
    'it is answered once, and found by the address they have now',
  );
});
