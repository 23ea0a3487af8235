// The register of breaches: what went wrong is registered, completed, and listed with the latest first.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ago, hours } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES } from '../../features.ts';
import { alarmsIn } from '../../operations/alerts/rules.ts';

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

test('what an entry said before each change is kept, and the audit log says what was changed', async () => {
  const { body } = await ask('POST', '', breach('changed', '2026-07-01T00:00:00Z'));
  const { breachId } = body.breach;
  await ask('PATCH', `/${breachId}`, { harm: 'spam; low' });
  await ask('PATCH', `/${breachId}`, {
    harm: 'fraud: passports were in it',
    realRisk: true,
    realRiskWhy: 'sensitive, and taken by somebody who wanted it',
    quebecCount: 3,
    notices: [
      { who: 'OPC', toldAt: '2026-07-02T00:00:00Z', reference: 'PIPEDA-1' },
      { who: 'CAI', toldAt: '2026-07-03T00:00:00Z' },
    ],
  });
  const one = await ask('GET', `/${breachId}`);
  assert.deepEqual(
    [one.body.breach.realRisk, one.body.breach.quebecCount, one.body.breach.notices.length],
    [true, 3, 2],
  );
  assert.deepEqual(
    one.body.changes.map(({ before }: { before: object }) => before),
    [
      { harm: 'spam; low', realRisk: null, realRiskWhy: null, quebecCount: null, notices: [] },
      { harm: null },
    ],
  );
  const { rows } = await server.database.owner.query(
    "select details from audit_log where action = 'PATCH /v1/admin/breaches/:breachId' and target = $1 order by audit_id",
    [breachId],
  );
  assert.deepEqual(rows[0].details, { changes: ['harm'] });
  assert.equal((await ask('GET', `/${randomUUID()}`)).status, 404);
});

test('a breach rings until each authority and the people are told, or decided not to need it, or there is no real risk', async () => {
  await server.database.owner.query('update breaches set closed_at = now()');
  const state = async () => {
    const found = alarmsIn(
      await server.services.status(),
      FEATURES.flatMap((feature) => feature.readings ?? []),
    ).find(({ id }) => id === 'breach_untold');
    return found?.severity ?? null;
  };
  const register = async (hoursAgo: number) =>
    (await ask('POST', '', breach('untold', ago(hours(hoursAgo))))).body.breach.breachId;
  assert.equal(await state(), null);
  const young = await register(1);
  assert.equal(await state(), 'warning');
  const old = await register(80);
  assert.equal(await state(), 'critical');
  await ask('PATCH', `/${old}`, { realRisk: false, realRiskWhy: 'the disk was encrypted' });
  assert.equal(await state(), 'warning');
  const tell = (patch: object) => ask('PATCH', `/${young}`, patch).then(state);
  const notice = (who: string) => ({ who, toldAt: ago(0) });
  // an insurer is no authority; one of two is not both; the people are others still
  assert.equal(await tell({ notices: [notice('insurer')] }), 'warning');
  assert.equal(await tell({ authorities: ['OPC', 'CAI'] }), 'warning');
  assert.equal(await tell({ notices: [notice('insurer'), notice('opc')] }), 'warning');
  assert.equal(await tell({ notices: [notice('insurer'), notice('opc'), notice('CAI')] }), 'warning');
  assert.equal(await tell({ tellPeople: true }), 'warning');
  assert.equal(await tell({ peopleToldAt: ago(0) }), null);
  assert.equal(await tell({ peopleToldAt: null, tellPeople: null }), 'warning');
  assert.equal(await tell({ tellPeople: false, tellPeopleWhy: 'each was told by telephone that day' }), null);
  assert.equal(await tell({ authorities: null }), 'warning');
  assert.equal(await tell({ authorities: [] }), null);

  // closing is no way to have told somebody, nor is entering it as closed
  const asClosed = await ask('POST', '', { ...breach('closed', ago(hours(1))), closedAt: ago(0) });
  assert.deepEqual([asClosed.status, asClosed.body.error], [409, 'conflict']);
  const third = await register(1);
  const closed = await ask('PATCH', `/${third}`, { closedAt: ago(0) });
  assert.deepEqual([closed.status, closed.body.error], [409, 'conflict']);
  assert.equal((await ask('GET', `/${third}`)).body.breach.closedAt, null);
  assert.equal(
    (await ask('PATCH', `/${third}`, { realRisk: false, realRiskWhy: 'nobody saw it', closedAt: ago(0) }))
      .status,
    200,
  );
  assert.equal(await state(), null);
  // nor may what was closed be opened up to be told of without saying so
  const opened = await ask('PATCH', `/${third}`, { realRisk: true });
  assert.equal(opened.status, 409);
  assert.equal((await ask('PATCH', `/${third}`, { realRisk: true, closedAt: null })).status, 200);
  assert.equal(await state(), 'warning');
  for (const nothing of [{}, { notifiedTo: 'CAI' }])
    assert.equal((await ask('PATCH', `/${third}`, nothing)).status, 400);
});

test('a breach without a site concerns every one, and is one entry that only who answers for all of them changes', async () => {
  const other = await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'other', name: 'Other', origins: ['https://other.example'] },
    admin,
  );
  assert.equal(other.status, 201, JSON.stringify(other.body));
  await server.database.owner.query('delete from breach_changes');
  await server.database.owner.query('delete from breaches');
  const machine = (await ask('POST', '', breach('the machine', ago(hours(1))))).body.breach;
  const one = (await ask('POST', '', { propertyId: 'other', ...breach('one', ago(hours(2))) })).body.breach;
  assert.deepEqual([machine.siteCount, one.siteCount], [2, 1]);
  assert.deepEqual(
    (await ask('GET')).body.breaches.map(({ title }: { title: string }) => title),
    ['the machine', 'one'],
  );
  const status = await server.services.status();
  assert.match(status.lines.find(({ name }) => name === 'breaches')!.text, /^2 open, 2 NOT TOLD/);

  const made = await call(
    `${server.url}/v1/keys`,
    'POST',
    { name: 'of the other', scopes: ['admin'], sites: ['other'] },
    admin,
  );
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const theirs = { 'x-admin-key': made.body.token };
  const asThem = (method: string, path: string, body?: unknown) =>
    call(`${server.url}/v1/admin/breaches${path}`, method, body, theirs);
  const seen = await asThem('GET', '');
  assert.deepEqual(
    seen.body.breaches.map(({ breachId, siteId }: { breachId: string; siteId: string }) => [
      breachId,
      siteId,
    ]),
    [
      [machine.breachId, other.body.site.siteId],
      [one.breachId, other.body.site.siteId],
    ],
  );
  const refused = await asThem('PATCH', `/${machine.breachId}`, { harm: 'none' });
  assert.deepEqual([refused.status, refused.body.error], [403, 'forbidden']);
  assert.equal((await asThem('PATCH', `/${one.breachId}`, { harm: 'low' })).status, 200);

  assert.equal((await ask('PATCH', `/${machine.breachId}`, { harm: 'high', realRisk: false })).status, 200);
  for (const look of [ask, asThem]) {
    const { body } = await look('GET', `/${machine.breachId}`);
    assert.deepEqual([body.breach.harm, body.breach.realRisk], ['high', false]);
    assert.deepEqual(
      body.changes.map(({ before }: { before: object }) => before),
      [{ harm: null, realRisk: null }],
    );
  }
  const { rows } = await server.database.owner.query(
    "select site_id from audit_log where target = $1 and action like 'PATCH%' and outcome = 200",
    [machine.breachId],
  );
  assert.deepEqual(rows, [{ site_id: '00000000-0000-0000-0000-000000000000' }]);
});
