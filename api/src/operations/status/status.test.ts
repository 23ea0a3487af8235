import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { certificateText } from '../cli/certificate-text.ts';
import type { Status } from './status.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const status = async () =>
  (await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin)).body as Status & {
    ok: boolean;
    ledger: { day: string; received: number; accepted: number; rejected: number; unbalanced: number } | null;
  };

test('the status is for admins only', async () => {
  assert.equal((await call(`${server.url}/v1/admin/status`)).status, 401);
});

test('it tells the schema, the ledger of today, the jobs, backups, disk and alarms', async () => {
  assert.equal((await call(`${server.url}/v1/events`, 'POST', makeEvent())).status, 202);
  assert.equal((await call(`${server.url}/v1/events`, 'POST', '{"broken"')).status, 400);
  await server.services.ledger.flush();
  const now = await status();
  assert.equal(now.ok, true);
  assert.equal(now.database.ok, true);
  assert.match(now.database.migrations!.newest!, /^\d{4}_/);
  // midnight may have come in between: today is the day that the answer names
  const { rows } = await server.database.owner.query(
    `select outcome, sum(count)::int as ever, coalesce(sum(count) filter (where day = $1), 0)::int as today
     from ingest_ledger group by outcome order by outcome = 'received' desc, outcome`,
    [now.ledger!.day],
  );
  assert.deepEqual(
    rows.map((row) => [row.outcome, row.ever]),
    [
      ['received', 2],
      ['accepted', 1],
      ['rejected', 1],
    ],
  );
  assert.deepEqual(
    [now.ledger!.received, now.ledger!.accepted, now.ledger!.rejected, now.ledger!.unbalanced],
    [...rows.map((row) => row.today), 0],
  );
  assert.ok(now.jobs.some(({ job }) => job === 'verify_backup'));
  assert.equal(now.backups.newest, null);
  assert.equal(now.eventsRefused, false);
  assert.ok((now.alarms as { rules: unknown[] }).rules.length >= 14);
});

test('no address, name or key stands in it', async () => {
  const text = JSON.stringify(await status());
  for (const word of [admin['x-admin-key'], server.database.ownerUrl, 'ada-browser-1'])
    assert.equal(text.includes(word), false);
});

test('a backup without the server’s own pg_dump says what to do instead of failing obscurely', async () => {
  const { body } = await call(`${server.url}/v1/admin/jobs/backup`, 'POST', {}, admin);
  const { last } = (await status()).backups;
  // where a pg_dump of the right version is in PATH, the backup is simply made
  if (last?.ok) assert.equal(body.run.state, 'succeeded');
  else assert.match(last!.message!, /BACKUP_PG_BIN/);
});

test('a name without a certificate is told with where it points to', async () => {
  const named = await startServer({ PUBLIC_URL: 'https://nobody.invalid', CADDY_ADDRESS: '127.0.0.1:1' });
  after(() => named.end());
  const { certificate } = (await call(`${named.url}/v1/admin/status`, 'GET', undefined, admin)).body;
  assert.deepEqual(certificate, { name: 'nobody.invalid', days: null, pointsTo: null });
  assert.match(certificateText(certificate), /no certificate yet: nobody\.invalid points nowhere/);
  assert.match(certificateText({ ...certificate, pointsTo: ['203.0.113.7'] }), /points to 203\.0\.113\.7/);
});
