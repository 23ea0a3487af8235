// Who works with numbers sees leads and not who they are; who takes addresses out proves first who they are.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { newOwner, type SignedIn, signedIn, signUpWith } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from '../../../test/world.ts';
import { maskedAddress } from './mask.ts';

const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
let bakery: Place;
let analyst: SignedIn;
before(async () => {
  server = await startServer(WORLD_SETTINGS);
  bakery = await makePlace(server, 'bakery');
  const { body } = await call(
    `${server.url}/v1/invitations`,
    'POST',
    { role: 'analyst', sites: ['bakery'] },
    admin,
  );
  const token = body.link.split('/').at(-1);
  analyst = signedIn(await signUpWith(server, token, 'analyst@people.example', PASSWORD));
});
after(() => server.end());

const get = (path: string, headers: Record<string, string> = analyst.headers) =>
  call(`${server.url}${path}`, 'GET', undefined, headers);

test('a masked address tells rows apart and names nobody, whatever it is', () => {
  assert.deepEqual(['ada@example.co.uk', 'é@é.example', '"a@b"@example.com', 'x'].map(maskedAddress), [
    'a***@e***.uk',
    'é***@é***.example',
    '"***@e***.com',
    'x***@x***.x',
  ]);
});

test('an analyst sees leads without address, words of theirs, evidence, or a link that acts for them', async () => {
  const listed = await get('/v1/leads?propertyId=bakery');
  assert.equal(listed.status, 200, JSON.stringify(listed.body));
  assert.ok(listed.body.leads.length > 0);
  const ada = listed.body.leads.find(({ leadId }: { leadId: string }) => leadId === bakery.leadId);
  assert.deepEqual(
    [ada.email, ada.emailDomain, ada.attributes, ada.unsubscribeUrl],
    ['a***@b***.example', '***', null, null],
  );
  const one = await get(`/v1/leads/${bakery.leadId}`);
  assert.equal(one.status, 200);
  assert.ok(one.body.sessions.length > 0 && one.body.submissions.length > 0);
  for (const text of [JSON.stringify(listed.body), JSON.stringify(one.body)])
    for (const trace of [
      bakery.email,
      '@bakery.example',
      'rye bread',
      bakery.unsubscribeToken,
      'may write to me',
    ])
      assert.ok(!text.includes(trace), trace);
  const whole = await get(`/v1/leads/${bakery.leadId}`, admin);
  assert.equal(whole.body.lead.email, bakery.email);
  assert.ok(whole.body.consents.length > 0);
});

test('an analyst finds nobody by parts of an address, and exports, searches and reads no evidence', async () => {
  for (const path of [
    '/v1/leads?propertyId=bakery&q=ada',
    '/v1/leads/export.csv?propertyId=bakery',
    `/v1/leads/${bakery.leadId}/consent`,
  ]) {
    const { status, body } = await get(path);
    assert.deepEqual([status, body.error], [403, 'forbidden'], path);
  }
  const search = await call(
    `${server.url}/v1/leads/search`,
    'POST',
    { propertyId: 'bakery', q: 'ada' },
    analyst.headers,
  );
  assert.equal(search.status, 403);
});

test('an export of leads or of a person, and an erasure, ask for a fresh proof; keys of programs are not asked', async () => {
  const owner = await newOwner(server, 'the-owner@people.example', PASSWORD);
  await server.database.owner.query(
    "update user_sessions set proved_at = now() - interval '11 minutes' where user_id = $1",
    [owner.userId],
  );
  const subject = { email: bakery.leaving, propertyId: 'bakery' };
  for (const [method, path, body] of [
    ['GET', '/v1/leads/export.csv?propertyId=bakery', undefined],
    ['POST', '/v1/leads/export-subject', subject],
    ['POST', '/v1/leads/delete', subject],
  ] as const) {
    const asked = await call(`${server.url}${path}`, method, body, owner.headers);
    assert.deepEqual([asked.status, asked.body.error], [403, 'proof_required'], path);
    const byKey = await call(`${server.url}${path}`, method, body, admin);
    assert.ok(byKey.status < 400, `${path}: ${JSON.stringify(byKey.body)}`);
  }
});
