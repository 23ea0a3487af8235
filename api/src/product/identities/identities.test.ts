// A link made by hand stands beside the others and is taken back exactly.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
let leadId: string;
before(async () => {
  server = await startServer();
  leadId = randomUUID();
  await server.database.owner.query(
    `insert into leads (site_id, lead_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, first_source, unsubscribe_key)
     values ($1, $2, 'ada@example.com', 'ada@example.com', 'example.com', now(), now(), 'direct', 'k')`,
    [server.services.sites.fallback().siteId, leadId],
  );
  await call(`${server.url}/v1/events`, 'POST', makeEvent({ anonId: 'ada-browser' }));
});
after(() => server.end());

const say = (verb: string, body: unknown) => call(`${server.url}/v1/identities/${verb}`, 'POST', body, admin);

test('a visitor is said to be a lead by address or by id, once, and after all is not', async () => {
  const pair = { email: 'ADA@example.com', anonId: 'ada-browser' };
  const made = await say('merge', pair);
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.deepEqual([made.body.created, made.body.link.leadId], [true, leadId]);
  const again = await say('merge', { leadId, visitorId: made.body.link.visitorId });
  assert.deepEqual([again.body.created, again.body.link], [false, made.body.link]);
  assert.deepEqual((await say('unmerge', pair)).body, {
    ok: true,
    unlinked: true,
    linkSources: ['manual_merge'],
  });
  assert.equal((await say('unmerge', pair)).status, 404);
});

test('a link needs one lead and one visitor, and both must be there', async () => {
  for (const [body, status] of [
    [{ leadId }, 400],
    [{ leadId, email: 'ada@example.com', anonId: 'ada-browser' }, 400],
    [{ leadId: randomUUID(), anonId: 'ada-browser' }, 404],
    [{ email: 'nobody@example.com', anonId: 'ada-browser' }, 404],
    [{ leadId, visitorId: randomUUID() }, 404],
  ] as const)
    assert.equal((await say('merge', body)).status, status, JSON.stringify(body));
});
