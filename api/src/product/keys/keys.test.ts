// Keys of programs: what they open, what they don't, and when they end.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { LIMITS } from '../../ground/http/rate-limit.ts';
import { SCOPES } from '../../ground/http/roles.ts';

let server: TestServer;
let bakery: string;
before(async () => {
  server = await startServer();
  for (const key of ['bakery', 'mill']) {
    const { body } = await call(`${server.url}/v1/sites`, 'POST', { key }, admin);
    if (key === 'bakery') bakery = body.site.siteId;
  }
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
async function make(fields: Record<string, unknown> = {}): Promise<{ token: string; keyId: string }> {
  const { status, body } = await call(
    `${server.url}/v1/keys`,
    'POST',
    { name: 'the till', scopes: ['read'], ...fields },
    admin,
  );
  assert.equal(status, 201, JSON.stringify(body));
  return { token: body.token, keyId: body.key.keyId };
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const summary = (headers: Record<string, string>, site = 'bakery') =>
  call(
    `${server.url}/v1/metrics/summary?from=2026-01-01&to=2026-01-02&propertyId=${site}`,
    'GET',
    undefined,
    headers,
  );

test('a key is shown once, kept as a hash, and its last day of use is told', async () => {
  const { token, keyId } = await make({ sites: ['bakery'] });
  assert.match(token, /^mk_[0-9a-f]{32}_[A-Za-z0-9_-]{43}$/);
  const [row] = await rows('select t::text as line from api_keys t where key_id = $1', [keyId]);
  assert.ok(!row.line.includes(token.slice(-43)));
  const keyed = async () =>
    (await call(`${server.url}/v1/keys`, 'GET', undefined, admin)).body.keys.find(
      (one: { keyId: string }) => one.keyId === keyId,
    );
  const before = await keyed();
  assert.deepEqual(
    [before.lastUsedOn, before.siteIds, before.scopes, before.madeBy],
    [null, [bakery], ['read'], 'admin_key'],
  );
  assert.ok(!JSON.stringify(before).includes(token.slice(-43)));
  assert.equal((await summary(bearer(token))).status, 200);
  assert.equal((await keyed()).lastUsedOn, new Date().toISOString().slice(0, 10));
});

test('a key sees its own sites only, and another’s answers as one that is nowhere', async () => {
  const { token } = await make({ sites: ['bakery'] });
  assert.equal((await summary(bearer(token), 'mill')).status, 400);
  assert.deepEqual(
    (await summary(bearer(token), 'mill')).body.issues,
    (await summary(bearer(token), 'nowhere')).body.issues,
  );
  const everywhere = await make();
  assert.equal((await summary(bearer(everywhere.token), 'mill')).status, 200);
});

test('no key makes a key, so one that is revoked leaves nothing behind', async () => {
  const { token } = await make({ scopes: Object.keys(SCOPES) });
  const tried = await call(
    `${server.url}/v1/keys`,
    'POST',
    { name: 'another', scopes: ['read'] },
    bearer(token),
  );
  assert.deepEqual([tried.status, tried.body.error], [403, 'forbidden']);
});

test('a revoked key, an expired one, one with another secret and half a key are all unknown', async () => {
  const { token, keyId } = await make();
  assert.equal((await summary(bearer(token))).status, 200);
  const other = (await make()).token;
  const wrong = [`${token.slice(0, 36)}${other.slice(36)}`, token.slice(0, -1), 'mk_', 'mk_x_y', `${token}a`];
  for (const text of wrong) assert.equal((await summary(bearer(text))).status, 401, text);
  const { status, body } = await call(`${server.url}/v1/keys/${keyId}`, 'DELETE', undefined, admin);
  assert.equal(status, 200);
  assert.ok(body.key.revokedAt);
  const refused = await summary(bearer(token));
  assert.deepEqual([refused.status, refused.body.error], [401, 'unauthorized']);
  assert.equal(
    (await call(`${server.url}/v1/keys/${keyId}`, 'DELETE', undefined, admin)).body.key.revokedAt,
    body.key.revokedAt,
    'a second revocation changes nothing',
  );
  const ending = await make();
  await rows("update api_keys set expires_at = now() - interval '1 second' where key_id = $1", [
    ending.keyId,
  ]);
  assert.equal((await summary(bearer(ending.token))).status, 401);
});

test('x-admin-key takes a key of scope admin, and no lesser one', async () => {
  const full = await make({ scopes: ['admin'] });
  assert.equal((await summary({ 'x-admin-key': full.token })).status, 200);
  const lesser = await make({ scopes: ['read'] });
  assert.equal((await summary({ 'x-admin-key': lesser.token })).status, 401);
});

test('what a key did stands in the audit log under its id', async () => {
  const { token, keyId } = await make({ scopes: ['admin'], sites: ['bakery'] });
  await call(`${server.url}/v1/sites/bakery`, 'PATCH', { name: 'The Bakery' }, bearer(token));
  assert.deepEqual(await rows('select action, outcome from audit_log where actor = $1', [`key:${keyId}`]), [
    { action: 'PATCH /v1/sites/:siteId', outcome: 200 },
  ]);
  const [made] = await rows(
    "select target, details from audit_log where action = 'POST /v1/keys' and target = $1",
    [keyId],
  );
  assert.deepEqual(made.details, { scopes: ['admin'] });
});

test('a key that ends too late or already, without a scope or for an unknown site is refused with the field', async () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    [{ expiresAt: '2099-01-01T00:00:00Z' }, 'expiresAt'],
    [{ scopes: [] }, 'scopes'],
    [{ scopes: ['everything'] }, 'scopes.0'],
    [{ sites: ['nowhere'] }, 'sites.0'],
    [{ name: ' ' }, 'name'],
  ];
  for (const [fields, path] of cases) {
    const { status, body } = await call(
      `${server.url}/v1/keys`,
      'POST',
      { name: 'x', scopes: ['read'], ...fields },
      admin,
    );
    assert.deepEqual([status, body.issues?.[0].path], [400, path], JSON.stringify(fields));
  }
});

test('the tables of keys and people show nothing to a query that is not about them', async () => {
  await make();
  const tables = await rows(
    `select c.relname as name, c.relforcerowsecurity as forced from pg_class c join pg_policy p on p.polrelid = c.oid
     where p.polname = 'accounts'`,
  );
  assert.ok(tables.some(({ name }) => name === 'api_keys'));
  for (const { name, forced } of tables) {
    assert.equal(forced, true, name);
    assert.deepEqual((await server.database.app.query(`select from ${name}`)).rows, [], name);
  }
});

test('an ended key goes a year later', async () => {
  const { keyId } = await make();
  await rows("update api_keys set revoked_at = now() - interval '13 months' where key_id = $1", [keyId]);
  const purge = async (dryRun: boolean) =>
    (await server.services.runner.runNow('purge', { dryRun })).result as { rows: { keys: number } };
  assert.equal((await purge(true)).rows.keys, 1);
  assert.equal((await purge(false)).rows.keys, 1);
  assert.deepEqual(await rows('select from api_keys where key_id = $1', [keyId]), []);
});

test('a key counts for itself and not for its address, which what only looks like a key does', async () => {
  const own = await startServer({ RATE_LIMITS: 'on' });
  try {
    const { body } = await call(`${own.url}/v1/keys`, 'POST', { name: 'x', scopes: ['ingest'] }, admin);
    const ask = (headers: Record<string, string>) =>
      call(`${own.url}/v1/conversions`, 'POST', {}, headers).then(({ status }) => status);
    const statuses = new Set<number>();
    for (let i = 0; i <= LIMITS.other; i += 1) statuses.add(await ask(bearer(body.token)));
    assert.deepEqual(statuses, new Set([400]));
    const wrong: number[] = [];
    for (let i = 0; i < 12; i += 1) wrong.push(await ask(bearer(`${body.token.slice(0, -3)}AAA`)));
    assert.ok(wrong.includes(429), `${wrong}`);
    assert.equal(
      await ask(bearer(body.token)),
      400,
      'who holds a good key is not locked out by another’s bad one',
    );
    assert.equal((await call(`${own.url}/v1/events`, 'POST', makeEvent())).status, 202);
  } finally {
    await own.end();
  }
});
