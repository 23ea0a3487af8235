// The register of breaches: what went wrong is registered, completed, and listed with the latest first.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const ask = (method: string, path = '', body?: unknown) =>
  call(`${server.url}/v1/admin/breaches${path}`, method, body, admin);
const breach = (title: string, discoveredAt: string) => ({
  title,
  description: 'A laptop was left in a train.',
  discoveredAt,
});

test('a breach is registered with what is known, and completed later', async () => {
  const made = await ask('POST', '', {
    ...breach('laptop', '2026-05-01T12:00:00+02:00'),
    dataKinds: ['email'],
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { breachId } = made.body.breach;
  assert.deepEqual(
    [made.body.breach.discoveredAt, made.body.breach.dataKinds, made.body.breach.affectedCount],
    ['2026-05-01T10:00:00.000Z', ['email'], null],
  );
  const patched = await ask('PATCH', `/${breachId}`, {
    affectedCount: 12,
    authorityToldAt: '2026-05-02T08:00:00Z',
  });
  assert.deepEqual(
    [patched.status, patched.body.breach.affectedCount, patched.body.breach.title],
    [200, 12, 'laptop'],
  );
  assert.equal((await ask('PATCH', `/${breachId}`, { affectedCount: null })).body.breach.affectedCount, null);
  assert.equal((await ask('PATCH', `/${randomUUID()}`, { harm: 'none' })).status, 404);
  assert.equal((await ask('POST', '', { title: 'no time' })).status, 400);
});

test('pages of the register hold every breach once, the latest discovered first', async () => {
  for (const day of ['03', '05', '04', '05'])
    assert.equal((await ask('POST', '', breach(day, `2026-06-${day}T00:00:00Z`))).status, 201);
  const { body: all } = await ask('GET');
  const days = all.breaches.map(({ discoveredAt }: { discoveredAt: string }) => discoveredAt);
  assert.deepEqual(days, [...days].sort().reverse());
  const seen = [];
  let cursor = '';
  do {
    const { body } = await ask('GET', `?limit=2${cursor}`);
    seen.push(...body.breaches);
    cursor = body.nextCursor && `&cursor=${body.nextCursor}`;
  } while (cursor);
  assert.deepEqual(seen, all.breaches);
});

test('whoever looks at the register leaves a line in the audit log', async () => {
  await ask('GET');
  const { rows } = await server.database.owner.query(
    "select from audit_log where action = 'GET /v1/admin/breaches' and outcome = 200",
  );
  assert.ok(rows.length > 0);
});
