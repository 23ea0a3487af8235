// Imports: each batch once, only days before our own, shown beside our numbers and never in them, gone in one step.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { rollUp } from '../metrics/rollup.ts';

let server: TestServer;
let siteId: string;
const today = dayOf(Date.now());
before(async () => {
  server = await startServer();
  const made = await call(`${server.url}/v1/sites`, 'POST', { key: 'bakery', name: 'The Bakery' }, admin);
  ({ siteId } = made.body.site);
  await record(server.database.app, siteId, [{ id: 'own', visitor: 'v', at: new Date().toISOString() }]);
  await rollUp(server.database.app, { siteIds: [siteId] });
});
after(() => server.end());

const api = (method: string, path: string, body?: unknown) =>
  call(`${server.url}/v1/sites/bakery/imports${path}`, method, body, admin);
let n = 0;
async function begin(): Promise<string> {
  n += 1;
  const files = [{ name: 'export.zip', sha256: String(n).padStart(64, '0') }];
  const { status, body } = await api('POST', '', { source: 'plausible', files, timezone: 'UTC' });
  assert.equal(status, 201, JSON.stringify(body));
  return body.import.importId;
}
const none = { visitors: 0, visits: 0, pageviews: 0, bounces: 0, seconds: 0, events: 0 };
const days = [addDays(today, -3), addDays(today, -2)];
const total = {
  seq: 0,
  kind: 'total',
  rows: days.map((day) => ({ day, name: '', visitors: 5, visits: 6, pageviews: 20 })),
};
const said = { rows: 2, sums: { ...none, visitors: 10, visits: 12, pageviews: 40 } };
const rowsOf = async (importId: string) =>
  (
    await server.database.owner.query(
      `select (select count(*)::int from imported_days where import_id = $1) as days, (select count(*)::int from import_batches where import_id = $1) as batches`,
      [importId],
    )
  ).rows[0];
const page = async () =>
  (
    await call(
      `${server.url}/v1/metrics/page?propertyId=bakery&from=${addDays(today, -5)}&to=${today}`,
      'GET',
      undefined,
      admin,
    )
  ).body;

test('a batch sent twice counts once; another under its number is refused; what has come must be what was read', async () => {
  const importId = await begin();
  assert.equal((await api('POST', `/${importId}/rows`, total)).body.again, false);
  assert.equal((await api('POST', `/${importId}/rows`, total)).body.again, true);
  const other = { ...total, rows: total.rows.slice(0, 1) };
  assert.equal((await api('POST', `/${importId}/rows`, other)).status, 409);
  const wrong = await api('POST', `/${importId}/finish`, { ...said, sums: { ...said.sums, visits: 13 } });
  assert.equal(wrong.status, 409);
  assert.equal(wrong.body.issues[0].path, 'sums.visits');
  assert.equal((await page()).imported, null, 'nothing is shown before it is finished');

  const before = (await page()).summary;
  const done = await api('POST', `/${importId}/finish`, said);
  assert.equal(done.status, 200, JSON.stringify(done.body));
  assert.deepEqual(
    [done.body.import.days, done.body.import.firstDay, done.body.import.sums.visits],
    [2, days[0], 12],
  );
  assert.equal((await api('POST', `/${importId}/finish`, said)).status, 200, 'asked again it says the same');
  assert.equal((await api('POST', `/${importId}/rows`, { ...total, seq: 1 })).status, 409);

  const shown = await page();
  assert.deepEqual(shown.imported, {
    days: days.map((day) => ({ day, source: 'plausible', visitors: 5, visits: 6, pageviews: 20 })),
    visitorDays: 10,
    visits: 12,
    pageviews: 40,
  });
  assert.deepEqual(shown.summary.metrics, before.metrics, 'in no number of ours');
  assert.deepEqual(
    shown.trust.remarks.find(({ code }: { code: string }) => code === 'imported_days'),
    { code: 'imported_days', n: 2 },
  );

  assert.equal((await api('DELETE', `/${importId}`)).status, 200);
  assert.deepEqual(await rowsOf(importId), { days: 0, batches: 0 });
  assert.equal((await page()).imported, null);
  assert.equal((await api('DELETE', `/${importId}`)).status, 404);
});

test('from the first day with own events on nothing is taken, nor a day that another import has', async () => {
  const importId = await begin();
  assert.equal((await api('GET', '')).body.before, today);
  const own = await api('POST', `/${importId}/rows`, { ...total, rows: [{ day: today, name: '' }] });
  assert.equal(own.status, 400);
  assert.equal(own.body.issues[0].path, 'rows.0.day');
  await api('POST', `/${importId}/rows`, total);
  await api('POST', `/${importId}/finish`, said);
  const second = await begin();
  await api('POST', `/${second}/rows`, total);
  const overlap = await api('POST', `/${second}/finish`, said);
  assert.equal(overlap.status, 409);
  assert.ok(overlap.body.message.includes(days[0]));
  for (const id of [importId, second]) await api('DELETE', `/${id}`);
});

test('the same file is not taken twice, and a site has five imports at most', async () => {
  const files = [{ name: 'a.csv', sha256: 'b'.repeat(64) }];
  const once = await api('POST', '', { source: 'fathom', files, timezone: 'UTC' });
  const path = `/${once.body.import.importId}`;
  await api('POST', `${path}/finish`, { rows: 0, sums: none });
  assert.equal((await api('POST', '', { source: 'fathom', files, timezone: 'UTC' })).status, 409);
  for (let left = 4; left > 0; left -= 1) await begin();
  n += 1;
  const more = { source: 'fathom', files: [{ name: 'b.csv', sha256: 'c'.repeat(64) }], timezone: 'UTC' };
  assert.equal((await api('POST', '', more)).status, 409);
  for (const { importId } of (await api('GET', '')).body.imports) await api('DELETE', `/${importId}`);
});

test('an erased address is taken out of what was imported, and no sum changes', async () => {
  const importId = await begin();
  const rows = ['/for/eve@bakery.example', '/for/Eve@bakery.example/too'].map((name) => ({
    day: days[0],
    name,
    pageviews: 2,
  }));
  await api('POST', `/${importId}/rows`, { seq: 0, kind: 'page', rows });
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email: 'eve@bakery.example',
    anonId: 'the-browser-of-eve',
    propertyId: 'bakery',
  });
  const gone = await call(
    `${server.url}/v1/leads/delete`,
    'POST',
    { email: 'eve@bakery.example', propertyId: 'bakery' },
    admin,
  );
  assert.equal(gone.status, 200, JSON.stringify(gone.body));
  const { rows: left } = await server.database.owner.query(
    'select name, pageviews::int as pageviews from imported_days where import_id = $1',
    [importId],
  );
  assert.deepEqual(left, [{ name: '[erased]', pageviews: 4 }]);
});
