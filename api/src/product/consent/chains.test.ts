// The chains are checked every night, all of them; and a root that left with a backup shows what the database alone cannot.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PEPPER } from '../../../test/cluster.ts';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon } from '../../../test/make.ts';
import { standInTools } from '../../../test/pg-tools.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { runBackup } from '../../operations/backups/dump.ts';
import { readManifest } from '../../operations/backups/manifest.ts';

const folder = mkdtempSync(join(tmpdir(), 'chains-test-'));
let server: TestServer;
before(async () => {
  server = await startServer();
  await standInTools(join(folder, 'bin'), server.database.owner);
});
after(async () => {
  await server.end();
  rmSync(folder, { recursive: true, force: true });
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const capture = (email: string, fields: Record<string, unknown> = {}) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), ...fields });
const express = {
  consentStatus: 'express',
  consent: { text: 'Write to me.', purposes: ['email', 'partners'] },
};
const check = async (options: Record<string, unknown> = {}) => {
  const { status, body } = await call(`${server.url}/v1/admin/jobs/consent_chains`, 'POST', options, admin);
  assert.equal(status, 200, JSON.stringify(body));
  return body.run.result;
};
const backup = async () => {
  const { file } = await runBackup({
    ownerUrl: server.database.ownerUrl,
    pgBin: join(folder, 'bin'),
    folder: join(folder, 'backups'),
    recipient: null,
    keptDays: 35,
    offsite: [],
    journal: join(folder, 'none'),
    pepper: PEPPER,
    version: '0',
  });
  return readManifest(join(folder, 'backups', file));
};

test('every chain is looked at, of erased people too, and the root is carried away by the next backup', async () => {
  assert.equal((await backup()).consentRoot, undefined, 'nobody has checked yet');
  const people = Array.from({ length: 12 }, address);
  for (const [i, email] of people.entries()) {
    await capture(email, i % 2 ? express : {});
    await capture(email, express);
    if (i % 3 === 0) await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email });
  }
  await call(`${server.url}/v1/leads/delete`, 'POST', { email: people[1] }, admin);
  const [{ records }] = await rows('select count(*)::int as records from consent_records');
  const found = await check();
  assert.deepEqual([found.leads, found.records, found.broken], [12, records, 0]);
  assert.match(found.root, /^[0-9a-f]{64}$/);
  await new Promise((done) => setTimeout(done, 1100)); // backups are named by the second
  assert.deepEqual((await backup()).consentRoot, { root: found.root, at: found.rootAt, records });
  // what comes later changes the root of now, not that of then
  await capture(address(), express);
  const latest = await check();
  assert.notEqual(latest.root, found.root);
  assert.equal((await check({ at: found.rootAt })).root, found.root);
  // who compares with a night of before has not made it the root of this one
  const { body } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  assert.deepEqual([body.consentChains.broken, body.consentChains.root], [0, latest.root]);
  await new Promise((done) => setTimeout(done, 1100));
  assert.equal((await backup()).consentRoot?.root, latest.root);
});

test('the chains of who may be named are checked that night too, and stand in the root', async () => {
  const email = address();
  const { status } = await capture(email, {
    display: {
      text: 'Show my given name and my town with this purchase.',
      name: 'Ada',
      city: 'Toronto',
      country: 'CA',
    },
  });
  assert.equal(status, 200);
  await call(`${server.url}/v1/leads/display`, 'POST', { email, show: false });
  const lead = await leadIdOf(server, email);
  const saved = await rows('select * from display_consents where lead_id = $1 order by seq', [lead]);
  assert.deepEqual(
    saved.map(({ action }) => action),
    ['granted', 'withdrawn'],
  );
  const whole = await check();
  assert.equal(whole.broken, 0);
  for (const [tampering, undo] of [
    [
      "update display_consents set fields = '{name}' where lead_id = $1 and seq = 1",
      "update display_consents set fields = '{name,place}' where lead_id = $1 and seq = 1",
    ],
    [
      'update display_consents set seq = 3 where lead_id = $1 and seq = 2',
      'update display_consents set seq = 2 where lead_id = $1 and seq = 3',
    ],
    [
      "update display_details set city = 'Arva' where lead_id = $1",
      "update display_details set city = 'Toronto' where lead_id = $1",
    ],
    [
      "update display_words set words = words || '!' where $1::uuid is not null",
      "update display_words set words = rtrim(words, '!') where $1::uuid is not null",
    ],
  ] as const) {
    await rows(tampering, [lead]);
    const found = await check();
    assert.deepEqual([found.broken, found.brokenLeads[0]?.leadId], [1, lead], tampering);
    assert.match(found.brokenLeads[0].fault, /^display record /);
    await rows(undo, [lead]);
    assert.equal((await check()).broken, 0, `${tampering}, put right`);
  }
  // cut off at its end it is whole by itself: the root shows it
  await rows('delete from display_consents where lead_id = $1 and seq = 2', [lead]);
  const cut = await check({ at: whole.rootAt });
  assert.deepEqual([cut.broken, cut.root === whole.root], [0, false]);
});

test('a record that another hand changed, removed or added is found that night, and wakes somebody', async () => {
  const email = address();
  await capture(email, express);
  await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email });
  const lead = await leadIdOf(server, email);
  const saved = await rows('select * from consent_records where lead_id = $1 order by seq', [lead]);
  for (const tampering of [
    "update consent_records set status = 'express', action = 'granted' where lead_id = $1 and seq = 3",
    'delete from consent_records where lead_id = $1 and seq = 3',
    'delete from consent_records where lead_id = $1',
    "update consent_details set policy_version = '9' where lead_id = $1",
    `insert into consent_records select (jsonb_populate_record(r, jsonb_build_object('record_id', uuidv7(), 'seq', 4, 'previous_hash', r.hash))).*
     from consent_records r where lead_id = $1 and seq = 3`,
  ]) {
    const details = await rows('select * from consent_details where lead_id = $1', [lead]);
    await rows(tampering, [lead]);
    const found = await check();
    assert.equal(found.broken, 1, tampering);
    assert.equal(found.brokenLeads[0].leadId, lead, tampering);
    const { body } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
    assert.equal(body.consentChains.broken, 1);
    await rows('delete from consent_records where lead_id = $1', [lead]);
    for (const row of saved)
      await rows(
        `insert into consent_records (${Object.keys(row).join(', ')}) values (${Object.keys(row)
          .map((_, i) => `$${i + 1}`)
          .join(', ')})`,
        Object.values(row),
      );
    for (const { record_id: id, policy_version: version } of details)
      await rows('update consent_details set policy_version = $2 where record_id = $1', [id, version]);
    assert.equal((await check()).broken, 0, `${tampering}, put right`);
  }
});

test('who rewrites a record and every hash after it, as the owner of the database can, still differs from the root of before', async () => {
  const email = address();
  await capture(email, { consentStatus: 'implied' });
  const lead = await leadIdOf(server, email);
  const before = await check();
  await rows(
    "update consent_records set status = 'express', kind = 'express', expires_at = null where lead_id = $1",
    [lead],
  );
  await rows('update consent_records r set hash = consent_hash(r) where lead_id = $1', [lead]);
  await rows(
    'update leads l set consent_head = r.hash from consent_records r where r.lead_id = l.lead_id and l.lead_id = $1',
    [lead],
  );
  const after = await check({ at: before.rootAt });
  assert.equal(after.broken, 0, 'nothing in the database tells');
  assert.notEqual(after.root, before.root);
});
