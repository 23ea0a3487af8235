// Whose page a lead comes from: the site's own, or none of which nothing is known; never a copy of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { address } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
let listed: string;
before(async () => {
  server = await startServer();
  for (const [key, origins] of [
    ['listed', ['https://bakery.example']],
    ['open', []],
  ] as const) {
    const made = await call(`${server.url}/v1/sites`, 'POST', { key, name: key, origins }, admin);
    if (key === 'listed') listed = made.body.site.siteId;
  }
});
after(() => server.end());

const script = (propertyId: string, email: string, origin?: string) =>
  call(
    `${server.url}/v1/leads/capture`,
    'POST',
    { email, propertyId },
    origin === undefined ? {} : { origin },
  );
const form = (propertyId: string, email: string, headers: Record<string, string>) =>
  call(`${server.url}/v1/leads/capture`, 'POST', String(new URLSearchParams({ email, propertyId })), {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'text/html',
    ...headers,
  });
const leadsOf = async (email: string) =>
  (
    await server.database.owner.query('select count(*)::int as n from leads where email_normalized = $1', [
      email,
    ])
  ).rows[0].n;

const STRANGERS = [
  'https://copy.example',
  'http://bakery.example',
  'https://www.bakery.example',
  'https://bakery.example.evil.example',
  'https://deploy-preview-7.netlify.app',
  'http://localhost:3310',
  'capacitor://localhost',
];

test('a script on a page that is not of the site makes no lead, and can read that this is final', async () => {
  for (const origin of [...STRANGERS, 'null']) {
    const email = address();
    const { status, body, headers } = await script('listed', email, origin);
    assert.deepEqual([status, body.error], [403, 'origin_not_allowed'], origin);
    assert.equal(headers.get('access-control-allow-origin'), origin);
    assert.equal(await leadsOf(email), 0, origin);
  }
});

test('a form on a page that is not of the site makes no lead, and its person gets a page', async () => {
  for (const origin of STRANGERS) {
    const email = address();
    const { status, headers } = await form('listed', email, { origin, referer: `${origin}/offer` });
    assert.equal(status, 403, origin);
    assert.match(headers.get('content-type') ?? '', /^text\/html/);
    assert.equal(await leadsOf(email), 0, origin);
  }
});

test('a lead is taken from the own page, from a server, and from a form whose browser hides its page', async () => {
  const taken = {
    own: await script('listed', 'own@example.com', 'https://bakery.example'),
    server: await script('listed', 'server@example.com'),
    // what Referrer-Policy: no-referrer makes of a form's Origin
    hidden: await form('listed', 'hidden@example.com', { origin: 'null' }),
    ownForm: await form('listed', 'ownform@example.com', { origin: 'https://bakery.example' }),
    unlisted: await script('open', 'unlisted@example.com', 'https://anything.example'),
  };
  for (const [name, { status }] of Object.entries(taken))
    assert.ok(status === 200 || status === 303, `${name}: ${status}`);
  for (const name of ['own', 'server', 'hidden', 'ownform', 'unlisted'])
    assert.equal(await leadsOf(`${name}@example.com`), 1, name);
});

test('a refused form is counted, and its page is shown to the owner with the change that adds it', async () => {
  const origin = 'https://shop.bakery.example';
  await form('listed', address(), { origin });
  const { body } = await call(`${server.url}/v1/sites/${listed}/refused-origins`, 'GET', undefined, admin);
  const seen = body.refusedOrigins.find((one: { origin: string }) => one.origin === origin);
  assert.deepEqual(seen.patch, { origins: ['https://bakery.example', origin] });
  const { rows } = await server.database.owner.query(
    "select count from ingest_ledger where site_id = $1 and reason = 'origin_not_allowed'",
    [listed],
  );
  assert.ok(rows.length > 0);
  assert.equal((await call(`${server.url}/v1/sites/${listed}`, 'PATCH', seen.patch, admin)).status, 200);
  const email = address();
  assert.equal((await form('listed', email, { origin })).status, 303);
  assert.equal(await leadsOf(email), 1);
});
