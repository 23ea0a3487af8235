// Consent is for something: a record for each purpose, in its words, under its policy, and a status for each.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { listConsentRecords } from '../../../test/leads.ts';
import { address, anon } from '../../../test/make.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { chainFaults } from './chain.ts';
import { endUnsubscribed } from './jobs.ts';
import { readPurposes } from './purposes.ts';
import { expireConsents } from './queries.ts';

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer();
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const leadOf = async (email: string) =>
  (await rows('select * from leads where email_normalized = $1', [email]))[0];
const capture = (email: string, fields: Record<string, unknown>) =>
  call(`${server.url}/v1/leads/capture`, 'POST', { email, anonId: anon(), ...fields });
const agree = (email: string, text: string, purposes: unknown, policyVersion?: string) =>
  capture(email, { consentStatus: 'express', consent: { text, purposes, policyVersion } });
const leave = (email: string, purposes?: string[]) =>
  call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, purposes });
const recordsOf = async (email: string) => {
  const { lead_id: leadId, consent_seq: seq, consent_head: head } = await leadOf(email);
  const records = await inSites(server.database.app, site, (db) => listConsentRecords(db, site, leadId));
  assert.deepEqual(chainFaults(records, { seq, hash: head.toString('hex') }), []);
  return records;
};
const standings = async (email: string) =>
  Object.fromEntries(
    (
      await rows('select purpose, status from consent_standings($1, $2)', [
        site,
        (await leadOf(email)).lead_id,
      ])
    ).map(({ purpose, status }) => [purpose, status]),
  );

test('agreeing to something else, in other words or under another policy, is a record of its own; the same again is none', async () => {
  const email = address();
  await agree(email, 'Send me the letter.', undefined, '2025-01');
  await agree(email, 'Send me the letter.', ['email'], '2025-01');
  await agree(
    email,
    'Share my address with partner shops and build a profile.',
    ['partners', 'profiling'],
    '2026-11',
  );
  await agree(email, 'Send me the letter.', 'email', '2026-11');
  await agree(email, 'Send me the letter.', 'email', '2026-11');
  await agree(email, 'Send me the new letter.', 'E-Mail', '2026-11');
  const records = await recordsOf(email);
  assert.deepEqual(
    records.map(({ details, action, words }) => [details?.purpose, action, details?.policyVersion, words]),
    [
      ['email', 'granted', '2025-01', 'Send me the letter.'],
      ['partners', 'granted', '2026-11', 'Share my address with partner shops and build a profile.'],
      ['profiling', 'granted', '2026-11', 'Share my address with partner shops and build a profile.'],
      ['email', 'reaffirmed', '2026-11', 'Send me the letter.'],
      ['email', 'reaffirmed', '2026-11', 'Send me the new letter.'],
    ],
  );
  await capture(email, {
    consentStatus: 'express',
    consent: { text: 'x', given: false, purposes: ['partners'] },
  });
  assert.equal((await recordsOf(email)).length, 5, 'a box that was left alone withdraws nothing');
  assert.deepEqual(await standings(email), { email: 'express', partners: 'express', profiling: 'express' });
});

test("a lead's status is that of email: another purpose allows no mail, and says so", async () => {
  const email = address();
  const { body } = await agree(email, 'Share my address.', ['partners']);
  assert.deepEqual(
    body.warnings.map(({ path }: { path: string }) => path),
    ['consent.purposes'],
  );
  assert.equal((await leadOf(email)).consent_status, 'pending');
  assert.deepEqual(await standings(email), { email: 'pending', partners: 'express' });
  assert.equal((await agree(email, 'Write to me.', ['email', 'partners'])).body.warnings, undefined);
  assert.equal((await leadOf(email)).consent_status, 'express');
});

test('one purpose is withdrawn, or all, also those that nobody named yet', async () => {
  const email = address();
  await agree(email, 'Both.', ['email', 'partners']);
  await leave(email, ['partners']);
  assert.deepEqual(await standings(email), { email: 'express', partners: 'withdrawn' });
  await agree(email, 'Both.', ['partners']);
  assert.deepEqual(await standings(email), { email: 'express', partners: 'express' });
  await leave(email);
  await leave(email);
  assert.deepEqual(await standings(email), { email: 'withdrawn', partners: 'withdrawn' });
  await capture(email, { consentStatus: 'implied', consent: { purposes: ['surveys', 'partners', 'email'] } });
  assert.deepEqual(await standings(email), { email: 'withdrawn', partners: 'withdrawn' });
  await agree(email, 'Surveys.', ['surveys']);
  assert.deepEqual(await standings(email), { email: 'withdrawn', partners: 'withdrawn', surveys: 'express' });
  assert.deepEqual(
    (await recordsOf(email)).map(
      ({ purpose, details, action }) => `${details?.purpose ?? purpose} ${action}`,
    ),
    [
      'email granted',
      'partners granted',
      'partners withdrawn',
      'partners regranted',
      'all withdrawn',
      'surveys regranted',
    ],
  );
});

test('purposes are read however they are written, and what can’t be read is never email', () => {
  for (const [written, read] of [
    [undefined, undefined],
    ['', undefined],
    [[], undefined],
    ['Newsletter', ['newsletter']],
    ['e-mail, Partner Shops', ['email', 'partner_shops']],
    [['Courriel', 'mail'], ['email']],
    ['Données & profil', ['donnees_profil']],
    [[7], ['other']],
    [{ email: true }, ['other']],
    ['日本', ['other']],
    ['all', ['other']],
    ['ada@example.com', ['ada_example_com']],
    [`x${'y'.repeat(300)}`, [`x${'y'.repeat(63)}`]],
  ] as const)
    assert.deepEqual(readPurposes(written), read, JSON.stringify(written));
});

test('a form names its purposes with boxes of one name', async () => {
  const email = address();
  const form = new URLSearchParams([
    ['email', email],
    ['consentStatus', 'express'],
    ['consent[text]', 'Both.'],
    ['consent[purposes]', 'email'],
    ['consent[purposes]', 'partners'],
  ]);
  await call(`${server.url}/v1/leads/capture`, 'POST', form.toString(), {
    'content-type': 'application/x-www-form-urlencoded',
  });
  assert.deepEqual(await standings(email), { email: 'express', partners: 'express' });
});

test('records from before there were purposes stand as they did, and follow on', async () => {
  const email = address();
  await agree(email, 'Write to me.', undefined);
  const { lead_id: lead } = await leadOf(email);
  // as such a record was hashed: without its purpose and sender
  await rows(
    `with details as (
       update consent_details set purpose = null, sender_name = null, sender_address = null, sender_contact = null where lead_id = $1 returning *
     ), digested as (
       update consent_records r set purpose = null, details_digest = consent_details_digest(d::consent_details, false) from details d
       where r.record_id = d.record_id returning r.*
     ) select from digested`,
    [lead],
  );
  await rows('update consent_records r set hash = consent_hash(r) where lead_id = $1', [lead]);
  await rows(
    'update leads l set consent_head = r.hash from consent_records r where r.lead_id = l.lead_id and l.lead_id = $1',
    [lead],
  );
  assert.deepEqual(await standings(email), { email: 'express' });
  await leave(email);
  assert.deepEqual(
    (await recordsOf(email)).map(({ purpose }) => purpose),
    [null, 'all'],
  );
  for (const tampering of [
    "update consent_records set purpose = 'email' where lead_id = $1 and seq = 1",
    'update consent_records set purpose = null where lead_id = $1 and seq = 2',
    "update consent_records set purpose = 'other' where lead_id = $1 and seq = 2",
    "update consent_details set sender_name = 'Someone else' where lead_id = $1 and record_id = (select record_id from consent_records where lead_id = $1 and seq = 2)",
    "update consent_details set purpose = 'partners' where lead_id = $1 and record_id = (select record_id from consent_records where lead_id = $1 and seq = 2)",
  ]) {
    const client = await server.database.owner.connect();
    await client.query('begin');
    await client.query(tampering, [lead]);
    assert.notDeepEqual(chainFaults(await listConsentRecords(client, site, lead), undefined), [], tampering);
    await client.query('rollback');
    client.release();
  }
});

test('implied consent of every purpose ends by the clock, and the job writes down each once, whatever their number', async () => {
  const people = Array.from({ length: 3 }, address);
  for (const email of people)
    await capture(email, { consentStatus: 'implied', consent: { purposes: ['email', 'partners'] } });
  const over = new Date(Date.now() + 365 * 86_400_000);
  assert.equal(await expireConsents(server.database.app, [site], over), 6);
  assert.equal(await expireConsents(server.database.app, [site], over), 0);
  for (const email of people) {
    assert.deepEqual(await standings(email), { email: 'expired', partners: 'expired' });
    const [first] = await recordsOf(email);
    const last = (await recordsOf(email)).at(-1)!;
    assert.deepEqual(
      [last.action, last.occurredAt],
      ['expired', first!.expiresAt],
      'from the end of its term on',
    );
  }
});

test('addresses that unsubscribed are remembered once each, for three years, and the oldest go when they are too many', async () => {
  await rows('delete from withdrawal_requests');
  const people = Array.from({ length: 6 }, address);
  for (const email of people) for (let i = 0; i < 3; i += 1) await leave(email);
  const count = async () => (await rows('select count(*)::int as n from withdrawal_requests'))[0].n;
  assert.equal(await count(), 6);
  const end = (max: number | undefined, dryRun: boolean, bound = new Date(0)) =>
    endUnsubscribed(
      server.database.app,
      max,
    )({
      siteIds: [site],
      bound,
      dryRun,
      signal: undefined,
      progress: () => {},
      stays: () => 'true',
      left: 'true',
    });
  assert.deepEqual(await end(undefined, false), { rows: { withdrawalRequests: 0 } });
  await rows(
    "update withdrawal_requests set requested_at = requested_at - interval '4 years' where ctid = (select ctid from withdrawal_requests limit 1)",
  );
  const bound = new Date(Date.now() - 3 * 365.25 * 86_400_000);
  for (const dryRun of [true, false])
    assert.deepEqual(await end(undefined, dryRun, bound), { rows: { withdrawalRequests: 1 } });
  const kept = await rows('select email_hash from withdrawal_requests order by requested_at desc limit 2');
  for (const dryRun of [true, false])
    assert.deepEqual(await end(2, dryRun), { rows: { withdrawalRequests: 3 } });
  assert.deepEqual(await rows('select email_hash from withdrawal_requests order by requested_at desc'), kept);
});
