// The contract of POST /v1/events, over a real port into a real PostgreSQL 18.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ago, makeEvent, minutes } from '../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const post = (body: unknown, headers?: Record<string, string>) =>
  call(`${server.url}/v1/events`, 'POST', body, headers);
const anon = () => `visitor-${randomUUID()}`;
const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;

test('an event is answered with its ids after it was stored', async () => {
  const event = makeEvent({ anonId: anon() });
  const { status, body } = await post(event);
  assert.equal(status, 202);
  assert.equal(body.ok, true);
  assert.equal(body.eventId, event.eventId);
  const stored = await rows('select * from events where event_id = $1', [event.eventId]);
  assert.equal(stored.length, 1);
  assert.equal(stored[0].visitor_id, body.visitorId);
  assert.equal(stored[0].session_id, body.sessionId);
});
