// Whose page: only visits of the site's own pages count, and its owner sees which others sent.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
const sites: Record<string, string> = {};
before(async () => {
  server = await startServer({ CORS_ALLOWED_ORIGINS: 'https://extra.example' });
  for (const [key, origins] of [
    ['listed', ['https://bakery.example']],
    ['open', []],
  ] as const) {
    const made = await call(
      `${server.url}/v1/sites`,
      'POST',
      { key, domain: 'bakery.example', origins },
      admin,
    );
    sites[key] = made.body.site.siteId;
  }
});
after(() => server.end());

const send = (propertyId: string, origin?: string, fields = {}) =>
  call(
    `${server.url}/v1/events`,
    'POST',
    JSON.stringify(makeEvent({ anonId: `visitor-${randomUUID()}`, propertyId, ...fields })),
    { 'content-type': 'text/plain', ...(origin === undefined ? {} : { origin }) },
  );
const seen = async (key: string) =>
  (await call(`${server.url}/v1/sites/${sites[key]}/refused-origins`, 'GET', undefined, admin)).body;
const storedOf = async (key: string) =>
  (
    await server.database.owner.query('select count(*)::int as n from events where site_id = $1', [
      sites[key],
    ])
  ).rows[0].n;

const STRANGERS = [
  'https://copy.example',
  'http://bakery.example',
  'https://www.bakery.example',
  'https://bakery.example:8443',
  'https://bakery.example.evil.example',
  'https://bakery-example.translate.goog',
  'https://deploy-preview-7.netlify.app',
  'http://localhost:3310',
  'capacitor://localhost',
  'chrome-extension://abcdefghijklmnop',
  'null',
];

// first, since of one client only the first refusals of a minute keep their details
test('a refusal counts under its reason, with the website', async () => {
  await server.services.ledger.flush();
  const count = async () =>
    (
      await server.database.owner.query(
        "select coalesce(sum(count), 0)::int as n from ingest_ledger where site_id = $1 and reason = 'origin_not_allowed'",
        [sites.listed],
      )
    ).rows[0].n;
  const before = await count();
  await send('listed', 'https://counted.example');
  await server.services.ledger.flush();
  assert.equal((await count()) - before, 1);
  const { rows } = await server.database.owner.query(
    "select details from rejections where reason = 'origin_not_allowed' and details::text like '%https://counted.example%'",
  );
  assert.equal(rows.length, 1);
});

test('a site that lists origins counts only visits of those, and no Origin is asked nothing', async () => {
  const before = await storedOf('listed');
  for (const origin of ['https://bakery.example', 'https://extra.example', undefined])
    assert.equal((await send('listed', origin)).status, 202, origin);
  assert.equal((await storedOf('listed')) - before, 3);
  for (const origin of STRANGERS) {
    const { status, body, headers } = await send('listed', origin);
    assert.deepEqual([status, body.error], [403, 'origin_not_allowed'], origin);
    assert.equal(body.issues[0].path, 'origin');
    assert.equal(headers.get('access-control-allow-origin'), origin, 'the page can read that this is final');
    assert.match(headers.get('vary') ?? '', /Origin/);
  }
  assert.equal((await storedOf('listed')) - before, 3, 'nothing of a stranger is stored');
});

test('a site that lists none takes any page of the web, but nobody who works on it', async () => {
  for (const origin of ['https://bakery.example', 'http://192.0.2.7', 'https://localhost.example']) {
    const { status, headers } = await send('open', origin);
    assert.equal(status, 202, origin);
    assert.equal(
      headers.get('access-control-allow-origin'),
      origin,
      'or the page would send it again for ever',
    );
  }
  for (const origin of [
    'http://localhost',
    'http://localhost:3000',
    'https://app.localhost',
    'http://127.0.0.1:8080',
    'http://127.8.0.1',
    'http://[::1]:5173',
    'http://0.0.0.0:8000',
    'null',
    'capacitor://localhost',
  ])
    assert.deepEqual(
      [(await send('open', origin)).status, (await send('open', origin)).body.error],
      [403, 'origin_not_allowed'],
      origin,
    );
});

test('in a batch each event is of its own site; refused whole it is 403', async () => {
  const batch = (events: unknown[]) =>
    call(`${server.url}/v1/events`, 'POST', JSON.stringify({ events }), {
      'content-type': 'text/plain',
      origin: 'https://copy.example',
    });
  const event = (propertyId: string) => makeEvent({ anonId: `visitor-${randomUUID()}`, propertyId });
  const mixed = await batch([event('listed'), event('open')]);
  assert.equal(mixed.status, 202);
  assert.equal(mixed.body.results[0].error, 'origin_not_allowed');
  assert.ok(mixed.body.results[1].eventId);
  const whole = await batch([event('listed'), event('listed')]);
  assert.deepEqual([whole.status, whole.body.error], [403, 'origin_not_allowed']);
});

test('the owner sees who was refused, and adds it with the change that is shown', async () => {
  for (let i = 0; i < 3; i += 1) await send('listed', 'https://www.bakery.example');
  const { origins, refusedOrigins, proposedOrigins } = await seen('listed');
  assert.deepEqual([origins, proposedOrigins], [['https://bakery.example'], []]);
  const www = refusedOrigins.find(
    ({ origin }: { origin: string }) => origin === 'https://www.bakery.example',
  );
  assert.equal(www.count, 4);
  assert.deepEqual(www.patch, { origins: ['https://bakery.example', 'https://www.bakery.example'] });
  assert.equal(refusedOrigins.find(({ origin }: { origin: string }) => origin === 'null').patch, null);
  const patched = await call(`${server.url}/v1/sites/${sites.listed}`, 'PATCH', www.patch, admin);
  assert.equal(patched.status, 200);
  assert.equal((await send('listed', 'https://www.bakery.example')).status, 202);
  const now = await seen('listed');
  assert.ok(
    !now.refusedOrigins.some(({ origin }: { origin: string }) => origin === 'https://www.bakery.example'),
  );
});

test('a site that lists none proposes the pages it saw, and refuses those it does not take', async () => {
  const { origins, proposedOrigins, refusedOrigins } = await seen('open');
  assert.deepEqual(origins, []);
  const proposed = proposedOrigins.map(({ origin }: { origin: string }) => origin);
  assert.ok(proposed.includes('https://bakery.example') && !proposed.includes('http://localhost'));
  assert.ok(refusedOrigins.some(({ origin }: { origin: string }) => origin === 'http://localhost:3000'));
  assert.deepEqual(proposedOrigins[0].patch, { origins: [proposedOrigins[0].origin] });
});

test('made-up origins fill no table', async () => {
  for (let i = 0; i < 260; i += 1) {
    server.services.ledger.page(sites.open!, `https://made-up-${i}.example`, 'taken');
    if (i % 40 === 39) await server.services.ledger.flush();
  }
  await server.services.ledger.flush();
  const { rows } = await server.database.owner.query(
    'select count(*)::int as n from page_origins where site_id = $1',
    [sites.open],
  );
  assert.ok(rows[0].n < 260 && rows[0].n >= 200, String(rows[0].n));
});

test("the path of a file on somebody's machine is never stored", async () => {
  const { status } = await send('listed', 'null', { path: '/home/ada/saved%20page.html' });
  assert.equal(status, 403);
  await send('listed', undefined, { path: 'file:///home/ada/saved%20page.html' });
  const { rows } = await server.database.owner.query(
    "select path from events where path like '%ada%' or path = '/(file)'",
  );
  assert.deepEqual(rows, [{ path: '/(file)' }]);
});
