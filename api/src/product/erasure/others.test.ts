// An erasure reaches what others wrote about the person, and is not undone or outlived by a wrong clock or a race.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type pg from 'pg';
import { beside } from '../../../test/beside.ts';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

const VICTIM = 'victoria.canary@example.org';
let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
async function post(path: string, body: unknown, status = 200) {
  const answer = await call(`${server.url}/v1/${path}`, 'POST', body, admin);
  assert.equal(answer.status, status, `${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
const capture = (email: string, more: object = {}) =>
  post('leads/capture', { email, anonId: `browser-of-${email}`, path: '/', ...more });

/** Every row of every table, as text. */
async function everything(): Promise<string[]> {
  const tables = await rows(
    "select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition",
  );
  const lines = [];
  for (const { name } of tables)
    for (const { line } of await rows(`select t::text as line from ${name} t`)) lines.push(`${name} ${line}`);
  return lines;
}
const mentions = async () => (await everything()).filter((line) => /victoria\.canary(@|%40)/i.test(line));

test('nothing that others wrote holds the address of who was erased, in any column of any table', async () => {
  await capture(VICTIM);
  // a waiting form, released later
  await capture('neighbour@example.com', {
    payload: {
      message: `<a href="https://a.example">and tell ${VICTIM}</a> https://b.example https://c.example`,
    },
    formName: `for ${VICTIM}`,
  });
  assert.equal((await rows('select from quarantine')).length, 1, 'the form waits');
  await capture('friend@example.com', {
    consentStatus: 'express',
    consent: { text: 'Write to me.', policyVersion: `as ${VICTIM} said` },
    formName: `the form of ${VICTIM.toUpperCase()}`,
    path: '/order',
    payload: { message: `I am a friend of ${VICTIM}` },
  });
  await post('leads/unsubscribe', { email: 'friend@example.com', reason: `ask ${VICTIM} why` });
  for (const id of [`order of ${VICTIM}`, `order of ${VICTIM.toUpperCase()}`])
    await post('conversions', { id, kind: 'signup', email: 'friend@example.com' });
  await post('events', makeEvent({ anonId: 'browser-of-nobody', props: { note: VICTIM } }), 202);

  const { erased } = await post('leads/delete', { email: VICTIM });
  for (const table of ['quarantine', 'consent_details', 'conversions', 'submissions', 'events'])
    assert.ok(erased[table] > 0, `${table}: ${JSON.stringify(erased)}`);
  assert.deepEqual(await mentions(), []);
  assert.equal((await rows("select from conversions where origin = 'server'")).length, 2, 'the orders stay');

  const [{ quarantine_id: id }] = await rows('select quarantine_id from quarantine');
  await post(`admin/quarantine/${id}/release`, {});
  assert.deepEqual(await mentions(), []);
});

test('an erasure or an unsubscribe dated by a clock that was ahead keeps nobody from signing up later', async () => {
  const email = 'early@example.com';
  await capture(email);
  await post('leads/delete', { email });
  await post('leads/unsubscribe', { email });
  await rows("update erasures set erased_at = now() + interval '1 hour'");
  await rows("update withdrawal_requests set requested_at = now() + interval '1 hour'");
  await capture(email, { consentStatus: 'express', consent: { text: 'Write to me.' } });
  assert.deepEqual(await rows('select consent_status from leads where email = $1', [email]), [
    { consent_status: 'express' },
  ]);
});

test('a link to a lead that is erased at the same moment is 404', async () => {
  const email = 'gone@example.com';
  await capture(email);
  const { visitorId } = await post('events', makeEvent({ anonId: 'another-browser' }), 202);
  const answer = await beside(
    server.database.ownerUrl,
    (client: pg.Client) => client.query('delete from leads where email = $1', [email]),
    () => call(`${server.url}/v1/identities/merge`, 'POST', { email, visitorId }, admin),
  );
  assert.deepEqual([answer.status, answer.body.error], [404, 'not_found']);
});
