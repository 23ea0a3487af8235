import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PEPPER } from '../../../test/cluster.ts';
import { leadIdOf } from '../../../test/leads.ts';
import { newOwner, trySignIn } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { emailHash } from '../captures/capture.ts';
import { purposeDigest, readForgotten, rememberForgotten } from '../consent/forget-journal.ts';
import { forgetAgain } from './forget-again.ts';

let server: TestServer;
let siteId: string;
const folder = await mkdtemp(join(tmpdir(), 'forget-again-'));
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(async () => {
  await server.end();
  await rm(folder, { recursive: true });
});

async function makeLead(name: string): Promise<{ email: string; leadId: string }> {
  const email = `${name}-${randomUUID()}@example.com`;
  await call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: `visitor-${randomUUID()}`,
    path: '/',
    consentStatus: 'express',
    consent: { text: 'Send me the weekly bake.', language: 'en' },
  });
  return { email, leadId: (await leadIdOf(server, email))! };
}
const leadsOf = async (leadId: string) =>
  (await server.database.owner.query('select from leads where lead_id = $1', [leadId])).rowCount;
const statusOf = async (leadId: string) =>
  (
    await server.database.owner.query(
      'select status from consent_records where lead_id = $1 order by recorded_at desc limit 1',
      [leadId],
    )
  ).rows[0].status;

test('what was asked for after the backup happens again, once; what is older stands as it is', async () => {
  const [ada, bob, eve, grace] = [
    await makeLead('ada'),
    await makeLead('bob'),
    await makeLead('eve'),
    await makeLead('grace'),
  ];
  const journal = join(folder, 'forgotten.ndjson');
  const since = new Date().toISOString();
  const before = new Date(Date.now() - 3_600_000).toISOString();
  const later = new Date(Date.now() + 1000).toISOString();
  const hash = (email: string) => emailHash(PEPPER, siteId, email);
  await rememberForgotten(journal, {
    kind: 'erasure',
    siteId,
    leadId: ada.leadId,
    emailHash: hash(ada.email),
    at: later,
  });
  await rememberForgotten(journal, { kind: 'withdrawal', siteId, leadId: bob.leadId, at: later });
  await rememberForgotten(journal, { kind: 'withdrawal', siteId, leadId: eve.leadId, at: before });
  // known by her address's hash only: the restored database has her under another lead
  await rememberForgotten(journal, {
    kind: 'erasure',
    siteId,
    leadId: randomUUID(),
    emailHash: hash(grace.email),
    at: later,
  });
  await rememberForgotten(journal, { kind: 'withdrawal', siteId, leadId: randomUUID(), at: later });

  const again = () =>
    forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) });
  assert.deepEqual(await again(), { erased: 2, withdrawn: 1, unknown: 1 });
  assert.equal(await leadsOf(ada.leadId), 0);
  assert.equal(await leadsOf(grace.leadId), 0);
  assert.equal(await statusOf(bob.leadId), 'withdrawn');
  assert.equal(await statusOf(eve.leadId), 'express');
  const { rows } = await server.database.owner.query('select count(*) as n from consent_records');
  assert.deepEqual(await again(), { erased: 0, withdrawn: 1, unknown: 3 });
  assert.deepEqual(
    (await server.database.owner.query('select count(*) as n from consent_records')).rows,
    rows,
  );
});

test('whose address was corrected before they were erased is known by none of both after a restore, corrected before the backup or since', async () => {
  const journal = join(folder, 'corrected.ndjson');
  const hash = (email: string) => emailHash(PEPPER, siteId, email);
  const at = new Date(Date.now() + 1000).toISOString();
  const erasedOf = async (email: string) =>
    (
      await server.database.owner.query('select from erasures where email_hash = $1 and erased_at = $2', [
        hash(email),
        at,
      ])
    ).rowCount;
  // the backup has her before the correction
  const ann = await makeLead('ann-before');
  // nor was he there at all: only the journal tells
  const [bea, beaBefore] = ['bea@example.com', 'bea-before@example.com'];
  await rememberForgotten(journal, {
    kind: 'erasure',
    siteId,
    leadId: ann.leadId,
    emailHash: hash('ann@example.com'),
    at,
  });
  await rememberForgotten(journal, {
    kind: 'erasure',
    siteId,
    leadId: randomUUID(),
    emailHash: hash(bea),
    earlier: [hash(beaBefore)],
    at,
  });
  const done = await forgetAgain(server.database.app, {
    journal,
    since: at,
    pepper: PEPPER,
    tables: tablesOf(FEATURES),
  });
  assert.equal(done.erased, 1);
  for (const email of ['ann@example.com', ann.email, bea, beaBefore])
    assert.equal(await erasedOf(email), 1, email);
});

test('an erasure tells the journal of every address its person had', async () => {
  const eli = await makeLead('eli-before');
  const corrected = await call(
    `${server.url}/v1/leads/${eli.leadId}`,
    'PATCH',
    { email: 'eli@example.com' },
    admin,
  );
  assert.equal(corrected.status, 200);
  await call(`${server.url}/v1/leads/delete`, 'POST', { email: 'eli@example.com' }, admin);
  const told = [];
  for await (const entry of readForgotten(server.services.leads.forgetJournal!))
    if (entry.kind === 'erasure' && entry.leadId === eli.leadId) told.push(entry.earlier);
  assert.deepEqual(told, [[emailHash(PEPPER, siteId, eli.email)]]);
});

test('what thousands asked for is looked up in lists, never one by one', async () => {
  const journal = join(folder, 'many.ndjson');
  const kim = await makeLead('kim');
  const at = new Date(Date.now() + 1000).toISOString();
  const lines = [kim.leadId, ...Array.from({ length: 2_000 }, () => randomUUID())].map((leadId) =>
    JSON.stringify({ kind: 'withdrawal', siteId, leadId, at }),
  );
  await writeFile(journal, lines.map((line) => `\n${line}`).join(''));
  const pool = server.database.app;
  const { connect } = pool;
  let transactions = 0;
  pool.connect = ((...args: Parameters<typeof connect>) => {
    transactions += 1;
    return connect.apply(pool, args);
  }) as typeof connect;
  try {
    assert.deepEqual(
      await forgetAgain(pool, { journal, since: at, pepper: PEPPER, tables: tablesOf(FEATURES) }),
      { erased: 0, withdrawn: 1, unknown: 2_000 },
    );
  } finally {
    pool.connect = connect;
  }
  assert.equal(await statusOf(kim.leadId), 'withdrawn');
  assert.ok(transactions <= 10, `${transactions} transactions for 2001 entries`);
});

test('of a withdrawal the purposes happen again that it was of, from when it was said; one told by telephone too', async () => {
  const journal = join(folder, 'purposes.ndjson');
  const agreed = async (name: string) => {
    const { email, leadId } = await makeLead(name);
    await call(`${server.url}/v1/leads/capture`, 'POST', {
      email,
      anonId: `visitor-${randomUUID()}`,
      consentStatus: 'express',
      consent: { text: 'Share it.', purposes: ['partners'] },
    });
    return leadId;
  };
  const [some, all] = [await agreed('some'), await agreed('all')];
  const saidAt = new Date().toISOString();
  const since = new Date(Date.now() + 1000).toISOString(); // the backup was made between the call and the entry
  const at = new Date(Date.now() + 2000).toISOString();
  await rememberForgotten(journal, {
    kind: 'withdrawal',
    siteId,
    leadId: some,
    at,
    saidAt,
    purposes: [purposeDigest('partners'), purposeDigest('never named here')],
  });
  await rememberForgotten(journal, { kind: 'withdrawal', siteId, leadId: all, at, saidAt });
  await forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) });
  const standings = async (leadId: string) =>
    (
      await server.database.owner.query('select purpose, status, since from consent_standings($1, $2)', [
        siteId,
        leadId,
      ])
    ).rows.map(({ purpose, status }) => `${purpose} ${status}`);
  assert.deepEqual(await standings(some), ['email express', 'partners withdrawn']);
  assert.deepEqual(await standings(all), ['email withdrawn', 'partners withdrawn']);
});

test('an account that was deleted and a key that was revoked since the backup are so again', async () => {
  const { owner } = server.database;
  const password = 'rye, oats and a spoon';
  await newOwner(server, 'stays@people.example', password);
  const gone = await newOwner(server, 'gone@people.example', password);
  const made = await call(`${server.url}/v1/keys`, 'POST', { name: 'x', scopes: ['read'] }, admin);
  const { keyId } = made.body.key;
  const since = new Date().toISOString();
  // what the backup holds of both
  const row = async (table: string, column: string, id: string) =>
    (await owner.query(`select to_jsonb(t) as row from ${table} t where ${column} = $1`, [id])).rows[0].row;
  const [user, key] = [await row('users', 'user_id', gone.userId), await row('api_keys', 'key_id', keyId)];
  const { headers } = gone;
  assert.equal((await call(`${server.url}/v1/users/me`, 'DELETE', undefined, headers)).status, 200);
  assert.equal((await call(`${server.url}/v1/keys/${keyId}`, 'DELETE', undefined, admin)).status, 200);
  // the restore
  await owner.query('insert into users select * from jsonb_populate_record(null::users, $1)', [user]);
  await owner.query('update api_keys set revoked_at = $2 where key_id = $1', [keyId, key.revoked_at]);
  assert.equal((await trySignIn(server, 'gone@people.example', password)).status, 200);
  const bearer = { authorization: `Bearer ${made.body.token}` };
  const spend = () =>
    call(`${server.url}/v1/ad-spend`, 'GET', undefined, bearer).then(({ status }) => status);
  assert.notEqual(await spend(), 401);
  const journal = server.services.accounts.forgetJournal;
  const again = () =>
    forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) });
  assert.deepEqual(await again(), { erased: 1, withdrawn: 0, unknown: 0 });
  assert.equal((await trySignIn(server, 'gone@people.example', password)).status, 401);
  assert.equal(await spend(), 401);
  assert.equal((await trySignIn(server, 'stays@people.example', password)).status, 200);
  assert.deepEqual(await again(), { erased: 0, withdrawn: 0, unknown: 1 });
});
