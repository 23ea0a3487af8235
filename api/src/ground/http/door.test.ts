// The shared door: limits, client addresses, CORS, admin keys, CORS, health, and the document of all routes.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { ADMIN_KEY, type Answer, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { networkOf } from './client.ts';
import { asAppError } from './errors.ts';
import { pathOf } from './route.ts';

let server: TestServer;
let limited: TestServer;
before(async () => {
  server = await startServer({ CORS_ALLOWED_ORIGINS: 'https://extra.example' });
  limited = await startServer({ RATE_LIMITS: 'on', TRUSTED_PROXIES: '127.0.0.2' });
});
after(async () => {
  await server.end();
  await limited.end();
});

/** A POST of an event from a local address of our choice, with the headers of our choice. */
function postFrom(
  localAddress: string,
  headers: Record<string, string>,
  body: Record<string, unknown> = makeEvent({ anonId: randomUUID() }),
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${limited.url}/v1/events`,
      { method: 'POST', localAddress, headers: { 'content-type': 'application/json', ...headers } },
      (incoming) => {
        let text = '';
        incoming.on('data', (chunk) => {
          text += chunk;
        });
        incoming.on('end', () =>
          resolve({
            status: incoming.statusCode!,
            headers: new Headers(incoming.headers as Record<string, string>),
            body: JSON.parse(text),
          }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}

/** The limit counts events: in tens it is reached long before its minute is over, on any machine. */
const tenEvents = () => ({
  events: Array.from({ length: 10 }, () => makeEvent({ anonId: randomUUID() })),
});

test('a client may send 180 events a minute, then is told when to come back', async () => {
  const batch = { events: Array.from({ length: 50 }, () => makeEvent({ anonId: randomUUID() })) };
  const statuses: number[] = [];
  let last: Answer | undefined;
  for (let i = 0; i < 4; i += 1) {
    last = await call(`${limited.url}/v1/events`, 'POST', batch);
    statuses.push(last.status);
  }
  assert.deepEqual(statuses, [202, 202, 202, 429]);
  assert.equal(last!.body.error, 'rate_limited');
  assert.ok(Number(last!.headers.get('retry-after')) >= 1);
  // health is exempt
  assert.equal((await call(`${limited.url}/v1/healthz`)).status, 200);
});

test('an invented X-Forwarded-For or X-Real-IP opens no fresh bucket and changes no stored hash', async () => {
  const statuses = new Set<number>();
  for (let i = 0; i < 19; i += 1) {
    const spoof = `198.51.100.${i}`;
    const headers = { 'x-forwarded-for': spoof, 'x-real-ip': spoof, forwarded: `for=${spoof}` };
    statuses.add((await postFrom('127.0.0.3', headers, tenEvents())).status);
  }
  assert.deepEqual(statuses, new Set([202, 429]));
  const hashes = await limited.database.owner.query('select distinct ip_hash from visitors');
  assert.ok(hashes.rows.length <= 2, 'one hash for each real address');
});

test('our own proxy says who the client is, and the addresses of one IPv6 /64 share a bucket', async () => {
  const through = (address: string, body?: Record<string, unknown>) =>
    postFrom('127.0.0.2', { 'x-real-ip': address }, body).then(({ status }) => status);
  for (let i = 0; i < 18; i += 1)
    assert.equal(await through(`2001:db8:1:2::${i.toString(16)}`, tenEvents()), 202);
  assert.equal(await through('2001:db8:1:2:ffff::1'), 429);
  assert.equal(await through('2001:db8:1:3::1'), 202);
  assert.equal(await through('203.0.113.7'), 202);
  assert.equal(await through('not an address'), 202);
});

test('the /64 of an IPv6 address is found however it is written', () => {
  for (const [address, network] of [
    ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002:aaaa:bbbb:cccc:dddd', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['192.0.2.1', '192.0.2.1'],
  ]) {
    assert.equal(networkOf(address!), network);
  }
});

test('refusals by a limit are in the ledger', async () => {
  await limited.services.ledger.flush();
  const { rows } = await limited.database.owner.query(
    'select outcome, sum(count)::int as n from ingest_ledger group by 1',
  );
  const counts = Object.fromEntries(rows.map((row) => [row.outcome, row.n]));
  assert.ok(counts.rejected > 0);
  assert.equal(counts.received, counts.accepted + (counts.duplicate ?? 0) + counts.rejected);
});

test('CORS echoes exactly the origins of sites and settings, also on errors, never with credentials', async () => {
  const made = await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'bakery', origins: ['https://bakery.example'] },
    admin,
  );
  assert.equal(made.status, 201);
  for (const origin of ['https://bakery.example', 'https://extra.example']) {
    const answer = await call(`${server.url}/v1/events`, 'POST', {}, { origin });
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.get('access-control-allow-origin'), origin);
    assert.equal(answer.headers.get('access-control-allow-credentials'), null);
    assert.match(answer.headers.get('vary') ?? '', /Origin/);
  }
  for (const origin of [
    'https://evil.example',
    'https://bakery.example.evil.example',
    'http://bakery.example',
    'null',
    'https://bakery.example:8443',
  ]) {
    const answer = await call(`${server.url}/v1/events`, 'POST', {}, { origin });
    assert.equal(answer.headers.get('access-control-allow-origin'), null, origin);
  }
  const origin = 'https://evil.example';
  const large = await call(`${server.url}/v1/events`, 'POST', { x: 'a'.repeat(200_000) }, { origin });
  assert.equal(large.status, 413);
  assert.equal(
    large.headers.get('access-control-allow-origin'),
    origin,
    'the page can read that this is final',
  );
  const preflight = await call(`${server.url}/v1/events`, 'OPTIONS', undefined, {
    origin: 'https://bakery.example',
    'access-control-request-method': 'POST',
  });
  assert.equal(preflight.status, 204);
  assert.match(preflight.headers.get('access-control-allow-headers') ?? '', /content-type/);
});

test('an event without propertyId belongs to the site whose origin the page has', async () => {
  const sites = (await call(`${server.url}/v1/sites`, 'GET', undefined, admin)).body.sites;
  const bakery = sites.find((site: { key: string }) => site.key === 'bakery');
  const event = makeEvent();
  await call(`${server.url}/v1/events`, 'POST', event, { origin: 'https://bakery.example' });
  const { rows } = await server.database.owner.query('select site_id from events where event_id = $1', [
    event.eventId,
  ]);
  assert.equal(rows[0].site_id, bakery.siteId);
});

test('admin routes want the key, in the header, before they look at anything else', async () => {
  for (const headers of [{}, { 'x-admin-key': 'wrong' }, { 'x-admin-key': '' }] as Record<string, string>[]) {
    const { status, body } = await call(`${server.url}/v1/sites`, 'POST', 'not even json', headers);
    assert.deepEqual([status, body.error], [401, 'unauthorized']);
  }
  assert.equal(
    (await call(`${server.url}/v1/sites?x-admin-key=${encodeURIComponent(ADMIN_KEY)}`)).status,
    401,
  );
  const keyless = await startServer({ ADMIN_API_KEY: '' });
  const answer = await call(`${keyless.url}/v1/sites`, 'GET', undefined, admin);
  assert.deepEqual([answer.status, answer.body.error], [503, 'admin_auth_not_configured']);
  await keyless.end();
});

test('ten failed admin keys in a minute close the door for that client', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 11; i += 1)
    statuses.push(
      (await call(`${limited.url}/v1/sites`, 'GET', undefined, { 'x-admin-key': `guess ${i}` })).status,
    );
  assert.deepEqual(statuses, [...Array(10).fill(401), 429]);
  assert.equal((await call(`${limited.url}/v1/sites`, 'GET', undefined, admin)).status, 429);
});

test('a site can be made, found, changed, and a taken key is a conflict', async () => {
  const { body, status } = await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'shop', name: 'Shop', settings: { a: 1, b: 2 } },
    admin,
  );
  assert.equal(status, 201);
  const url = `${server.url}/v1/sites/${body.site.siteId}`;
  const changed = await call(
    url,
    'PATCH',
    { name: 'The shop', domain: 'Shop.Example', settings: { a: null, c: 3 } },
    admin,
  );
  assert.deepEqual(
    [changed.body.site.name, changed.body.site.domain, changed.body.site.settings],
    ['The shop', 'shop.example', { b: 2, c: 3 }],
  );
  assert.deepEqual((await call(url, 'GET', undefined, admin)).body.site, changed.body.site);
  assert.equal((await call(`${server.url}/v1/sites`, 'POST', { key: 'shop' }, admin)).body.error, 'conflict');
  assert.equal(
    (await call(`${server.url}/v1/sites`, 'POST', { key: 'x', origins: ['https://a.example/path'] }, admin))
      .body.issues[0].path,
    'origins.0',
  );
  assert.equal((await call(`${server.url}/v1/sites/${randomUUID()}`, 'PATCH', {}, admin)).status, 404);
  assert.equal((await call(`${server.url}/v1/sites/nonsense`, 'PATCH', {}, admin)).status, 404);
});

test('health says what is so: live, ready, healthy, and metrics only inside', async () => {
  assert.deepEqual((await call(`${server.url}/livez`)).body, { ok: true });
  assert.deepEqual((await call(`${server.url}/readyz`)).body, { ok: true });
  const { body } = await call(`${server.url}/v1/healthz`);
  assert.equal(body.service, 'marketing-api');
  assert.ok(!Number.isNaN(Date.parse(body.timestamp)));
  assert.match((await call(`${server.url}/metrics`)).body, /marketing_http_request_seconds/);
});

test('every route of the routers is in the OpenAPI document, and nothing else is', async () => {
  const { body } = await call(`${server.url}/v1/openapi.json`);
  assert.equal(body.openapi, '3.1.0');
  const documented = Object.entries(body.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method} ${path}`),
  );
  const routed = server.routers.flatMap((router) =>
    router.stack.flatMap((layer) =>
      layer.methods
        .filter((method) => method !== 'HEAD')
        .map((method) => `${method.toLowerCase()} ${String(layer.path).replace(/:(\w+)/g, '{$1}')}`),
    ),
  );
  assert.deepEqual(documented.sort(), [...new Set(routed)].sort());
  assert.equal(new Set(server.routes.map(pathOf)).size, Object.keys(body.paths).length);
});

test('answers carry no stack, SQL, path or library name, even when the database says no', async () => {
  const owner = server.database.owner;
  await owner.query(
    "create function fail() returns trigger language plpgsql as $$ begin raise exception 'secret detail in %', current_query(); end $$",
  );
  await owner.query('create trigger fail before insert on events for each row execute function fail()');
  try {
    const { status, body } = await call(`${server.url}/v1/events`, 'POST', makeEvent());
    assert.equal(status, 500);
    assert.deepEqual(Object.keys(body), ['ok', 'error', 'message', 'requestId']);
    assert.doesNotMatch(JSON.stringify(body), /secret|insert|pg|node_modules|\.ts/);
  } finally {
    await owner.query('drop trigger fail on events');
  }
});

test('what is no HTTP at all is refused in the same shape', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.end('HELLO\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += chunk;
  assert.match(text, /^HTTP\/1.1 400 /);
  assert.equal(JSON.parse(text.split('\r\n\r\n')[1]!).error, 'invalid_request');
});

test('a statement that ran into its time limit is an answer to try again, not a fault of ours to look into', () => {
  for (const code of ['57014', '55P03']) {
    const { code: told, retryAfterSeconds } = asAppError(Object.assign(new Error('canceled'), { code }));
    assert.deepEqual([told, retryAfterSeconds], ['unavailable', 10]);
  }
});
