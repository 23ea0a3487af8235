// Who allowed nothing but that a review of theirs is shown stays as long as there is a review to show.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { address } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const send = async (method: string, path: string, body: unknown, headers = {}) => {
  const answer = await call(server.url + path, method, body, headers);
  assert.ok(answer.status < 300, `${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const write = (email: string, text: string) =>
  send('POST', '/v1/reviews', {
    email,
    anonId: randomUUID(),
    propertyId: 'default',
    rating: 4,
    text,
    display: { text: 'May we show this review with my first name?', name: 'Ada Lovelace' },
  });
const decline = async (text: string) => {
  const [{ review_id, version }] = await rows('select review_id, version from reviews where words = $1', [
    text,
  ]);
  await send(
    'PATCH',
    `/v1/sites/default/reviews/${review_id}`,
    { status: 'declined', reason: 'off_topic' },
    { ...admin, 'if-match': `"${version}"` },
  );
};
const isThere = async (email: string) =>
  (await rows('select from leads where email_normalized = $1', [email])).length > 0;
/** Their times alone, without triggers: nobody did anything. */
const age = (days: number) =>
  rows(
    `begin; set local session_replication_role = replica;
     update leads set last_submitted_at = last_submitted_at - interval '${days} days', consent_at = consent_at - interval '${days} days';
     update consent_records set occurred_at = occurred_at - interval '${days} days';
     update display_consents set occurred_at = occurred_at - interval '${days} days';
     update reviews set received_at = received_at - interval '${days} days';
     commit`,
  );
/** The night's purge, which its dry run foretells. */
async function night(): Promise<void> {
  const purge = async (dryRun: boolean) =>
    (await send('POST', '/v1/admin/jobs/purge', { dryRun }, admin)).run.result.rows;
  const told = await purge(true);
  assert.deepEqual(await purge(false), told);
}

test('who allowed a review alone to be shown ends with it, after five years or declined, as who never agreed; other permissions keep them', async () => {
  const [shown, declined, both, named] = [address(), address(), address(), address()];
  await write(shown, 'I liked the bread.');
  await write(declined, 'I liked something else.');
  await decline('I liked something else.');
  await write(both, 'I liked the cake.');
  await write(both, 'I liked another cake.');
  await decline('I liked another cake.');
  await send('POST', '/v1/leads/capture', {
    email: named,
    anonId: randomUUID(),
    propertyId: 'default',
    display: { text: 'You may show my first name.', name: 'Ada' },
  });
  await write(named, 'I liked nothing.');
  await decline('I liked nothing.');
  const there = async () => ({
    shown: await isThere(shown),
    declined: await isThere(declined),
    both: await isThere(both),
    named: await isThere(named),
  });
  await night();
  assert.deepEqual(await there(), { shown: true, declined: true, both: true, named: true });
  await age(400);
  await night();
  assert.deepEqual(await there(), { shown: true, declined: false, both: true, named: true });
  await age(1400);
  await night();
  assert.deepEqual(await there(), { shown: true, declined: false, both: true, named: true });
  await age(30);
  await night();
  assert.deepEqual(await there(), { shown: false, declined: false, both: false, named: true });
});
