// A lead that somebody made long: a page shows the newest of each list and says so; what a person asks for is whole.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { leadIdOf } from '../../../test/leads.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const EMAIL = 'long@example.com';
const FORMS = 1200;

test('a timeline shows the newest of each list and names those it cut; the export of a person has all', async () => {
  const anonId = `visitor-${randomUUID()}`;
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email: EMAIL,
    anonId,
    path: '/',
    consentStatus: 'express',
    consent: { text: 'Send me the weekly bake.', language: 'en' },
  });
  const leadId = await leadIdOf(server, EMAIL);
  await server.database.owner.query(
    `insert into submissions (site_id, lead_id, form_name, payload, submitted_at)
     select site_id, lead_id, 'form ' || n, jsonb_build_object('message', repeat('m', 3000)), now() + n * interval '1 second'
     from leads cross join generate_series(1, $1::int) n where email_normalized = $2`,
    [FORMS, EMAIL],
  );
  await server.database.owner.query(
    `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
     select i.site_id, lead_id, gen_random_uuid(), 'same_ip_ua_window', 0.1, linked_at + n * interval '1 second'
     from lead_identities i cross join generate_series(1, 600) n where lead_id = $1`,
    [leadId],
  );
  const { body: page } = await call(`${server.url}/v1/leads/${leadId}`, 'GET', undefined, admin);
  assert.deepEqual(page.cut, ['identities', 'submissions']);
  assert.equal(page.identities.length, 500, 'by their number');
  const bytes = JSON.stringify(page.submissions).length;
  assert.ok(bytes < 530_000 && bytes > 400_000, `${bytes}: by their bytes`);
  assert.equal(page.submissions[0].formName, `form ${FORMS}`);
  assert.equal(page.consents.length, 1);

  const { body: all } = await call(`${server.url}/v1/leads/export-subject`, 'POST', { email: EMAIL }, admin);
  assert.equal(all.subject.submissions.length, FORMS + 1);
  assert.deepEqual(
    new Set(all.subject.submissions.map(({ formName }: { formName: string }) => formName)).size,
    FORMS + 1,
  );
  assert.equal(all.subject.identities.length, 601);
  assert.equal(all.subject.events.length, 1);
});
