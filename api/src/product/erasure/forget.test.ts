// Forgetting a person: deep, complete, without a race, and everybody else untouched.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { inLine, waiting } from '../../../test/in-line.ts';
import { leadIdOf } from '../../../test/leads.ts';
import { address, anon, RACES } from '../../../test/make.ts';
import { admin, BROWSER, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { linkToken } from '../consent/link.ts';

const TABLES = tablesOf(FEATURES);

let server: TestServer;
let site: string;
before(async () => {
  server = await startServer();
  site = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const capture = (body: Record<string, unknown>, headers?: Record<string, string>) =>
  call(`${server.url}/v1/leads/capture`, 'POST', body, headers);
const event = (body: Record<string, unknown>, headers?: Record<string, string>) =>
  call(`${server.url}/v1/events`, 'POST', body, headers);
const erase = (email: string) => call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);

const tables = async (): Promise<string[]> =>
  (
    await rows(`select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`)
  ).map((row) => row.name);

/** The whole database as text, a line a row. */
async function dump(): Promise<string[]> {
  const lines: string[] = [];
  for (const table of await tables())
    for (const row of await rows(`select t::text as line from ${table} t`))
      lines.push(`${table} ${row.line}`);
  return lines;
}

test('every column that can hold words, JSON or bytes is classified for erasure', async () => {
  const columns = await rows(
    `select c.relname as "table", a.attname as "column", t.typname as type from pg_attribute a
     join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_type t on t.oid = a.atttypid
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped
       and t.typname in ('text', 'json', 'jsonb', 'bytea', 'varchar', '_text', 'name', 'bpchar')`,
  );
  const missing = columns
    .filter(({ table, column }) => TABLES[table]?.columns[column] === undefined)
    .map(({ table, column, type }) => `${table}.${column} (${type})`);
  assert.deepEqual(missing, [], 'add these to the tables.ts of their feature');
  const people = await rows(
    `select distinct c.relname as "table" from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and a.attname in ('visitor_id', 'lead_id') and not a.attisdropped`,
  );
  // proof rows carry the lead's random id and nothing else of it
  const proof = ['consent_records', 'display_consents', 'erasures'];
  assert.deepEqual(
    people.map((row) => row.table).filter((table) => !proof.includes(table) && !TABLES[table]?.whose),
    [],
    'a table that points to people says by whom it is theirs',
  );
});

test('an erased person is gone, and the answer counts the rows', async () => {
  const email = address();
  const anonId = anon();
  const viewed = await event({
    anonId,
    eventType: 'page_view',
    path: '/private/ada',
    props: { note: 'hers' },
  });
  await capture({
    email,
    anonId,
    payload: { phone: 'phone-of-ada' },
    consentStatus: 'express',
    consent: { text: `I, ${email}, agree.` },
  });
  const lead = { leadId: await leadIdOf(server, email) };
  const [{ unsubscribe_key: key }] = await rows('select unsubscribe_key from leads where lead_id = $1', [
    lead.leadId,
  ]);
  const { status, body } = await erase(email.toUpperCase());
  assert.equal(status, 200, JSON.stringify(body));
  assert.equal(body.deleted, true);
  for (const table of [
    'leads',
    'submissions',
    'lead_identities',
    'consent_details',
    'consent_texts',
    'events',
    'sessions',
    'visitors',
  ])
    assert.ok(body.erased[table] > 0, table);
  const traces = (await dump()).filter(
    (line) =>
      line.includes(email) ||
      line.includes('/private/ada') ||
      line.includes(viewed.body.visitorId) ||
      line.includes('phone-of-ada'),
  );
  assert.deepEqual(traces, []);
  // numbers stay: the visit is counted, for nobody
  const [stored] = await rows('select * from events where event_id = $1', [viewed.body.eventId]);
  assert.equal(stored.event_type, 'page_view');
  assert.equal(
    (await rows('select * from visitors where visitor_id = $1 and ip_hash is null', [stored.visitor_id]))
      .length,
    1,
  );
  assert.equal((await rows("select * from dirty_days where cause = 'erasure'")).length > 0, true);
  // the proof stays, hashes and times
  const records = await rows('select * from consent_records where lead_id = $1', [lead.leadId]);
  assert.equal(records.length, 1);
  // the link in an old mail still answers
  assert.equal(
    (await call(`${server.url}/v1/unsubscribe/${linkToken(site, key)}`, 'POST', '', {})).status,
    200,
  );
  assert.equal((await erase(email)).status, 404);
  // the returning browser starts anew
  const again = await event({ anonId, eventType: 'page_view', path: '/' });
  assert.equal((await rows('select * from events where visitor_id = $1', [again.body.visitorId])).length, 1);
  const journal = readFileSync(server.services.leads.forgetJournal, 'utf8');
  assert.match(journal, new RegExp(lead.leadId!));
  assert.ok(!journal.includes(email));
});

test('an address that others wrote somewhere is taken out there, and nothing else of theirs', async () => {
  const email = address();
  const other = address();
  await capture({ email, anonId: anon() });
  await capture({
    email: other,
    anonId: anon(),
    payload: { friend: `ask ${email.toUpperCase()} too`, loaves: 2 },
  });
  const loose = await event({
    anonId: anon(),
    eventType: 'signup',
    path: `/welcome/${encodeURIComponent(email)}/now`,
    props: { who: email, plan: 'pro' },
  });
  await erase(email);
  const [submission] = await rows('select payload from submissions where lead_id = $1', [
    await leadIdOf(server, other),
  ]);
  assert.deepEqual(submission.payload, { friend: 'ask (erased) too', loaves: 2 });
  const [kept] = await rows('select path, props, visitor_id from events where event_id = $1', [
    loose.body.eventId,
  ]);
  assert.deepEqual(kept, {
    path: '/welcome/[email]/now',
    props: { who: '(erased)', plan: 'pro' },
    visitor_id: loose.body.visitorId,
  });
  assert.deepEqual(
    (await dump()).filter((line) => line.toLowerCase().includes(email)),
    [],
  );
});

test("a browser that two people share keeps what is the other's", async () => {
  const [ada, bob] = [address(), address()];
  const anonId = anon();
  const view = await event({ anonId, eventType: 'page_view', path: '/shared' });
  const eventId = randomUUID();
  await capture({ email: ada, anonId, eventId, formName: 'adas-form' });
  await capture({ email: bob, anonId });
  await erase(ada);
  const [kept] = await rows('select path from events where event_id = $1', [view.body.eventId]);
  assert.equal(kept.path, '/shared');
  assert.equal(
    (
      await rows('select * from visitors where visitor_id = $1 and ip_hash is not null', [
        view.body.visitorId,
      ])
    ).length,
    1,
  );
  assert.deepEqual(
    (await dump()).filter((line) => line.includes('adas-form')),
    [],
  );
  assert.equal(
    (await rows('select * from lead_identities where visitor_id = $1', [view.body.visitorId])).length,
    1,
  );
});

test(`a capture under way when its address is erased leaves nothing behind (${RACES} rounds)`, async () => {
  for (let round = 0; round < RACES; round += 1) {
    const email = address();
    const visitor = anon();
    if (round % 2) await capture({ email, anonId: visitor });
    const captures = [
      () => capture({ email, anonId: visitor }),
      () => capture({ email, anonId: anon() }),
    ] as const;
    const erasure = () => erase(email);
    const addressLock = [
      'select pg_advisory_xact_lock(hashtextextended($1, 7))',
      [`${site} ${email}`],
    ] as const;
    let answer: Awaited<ReturnType<typeof erase>>;
    if (round % 3 === 0) {
      // all were in before the erasure was done, and it is stored before them
      [answer] = await inLine(server.database.owner, addressLock, [erasure, ...captures]);
    } else if (round % 3 === 1) {
      [, , answer] = await inLine(server.database.owner, addressLock, [...captures, erasure]);
    } else {
      // and as it comes
      const under = captures.map((begin) => begin());
      await new Promise((resolve) => setTimeout(resolve, round % 5));
      [answer] = await Promise.all([erasure(), ...under]);
    }
    assert.ok([200, 404].includes(answer.status), JSON.stringify(answer.body));
    const early = await rows(
      'select l.lead_id from leads l join erasures e using (site_id) where l.email_normalized = $1 and e.erased_at >= l.first_captured_at and e.email_hash = $2::bytea',
      [email, server.services.leads.hashAddress(site, email)],
    );
    assert.deepEqual(early, [], `round ${round}: a capture that began before the erasure was stored`);
    await erase(email); // what arrived after it is a new start, and forgotten as well
    const traces = (await dump()).filter((line) => line.includes(email));
    assert.deepEqual(traces, [], `round ${round}`);
  }
  const [{ count }] = await rows(
    "select coalesce(sum(count), 0)::int as count from ingest_ledger where reason = 'erased'",
  );
  assert.ok(count > 0, 'some captures did meet an erasure');
});

test('an erasure waits for a withdrawal that is half way through, and takes its traces too', async () => {
  const email = address();
  await capture({ email, anonId: anon() });
  const leadId = await leadIdOf(server, email);
  const [{ key }] = await rows('select unsubscribe_key as key from leads where lead_id = $1', [leadId]);
  const withdrawing = await server.database.app.connect();
  await withdrawing.query('begin');
  await withdrawing.query('select withdraw_consent($1)', [
    JSON.stringify({
      site_id: site,
      request_id: randomUUID(),
      at: new Date().toISOString(),
      basis: 'unsubscribe_link',
      key,
      reason: email,
    }),
  ]);
  const erasing = erase(email);
  await until('the erasure waits', async () => (await waiting(server.database.owner)) > 0);
  await withdrawing.query('commit');
  withdrawing.release();
  assert.equal((await erasing).status, 200);
  assert.deepEqual(
    (await dump()).filter((line) => line.includes(email)),
    [],
  );
});

test(`a link of a mail that is used while its person is erased leaves nothing behind (${RACES} rounds)`, async () => {
  await rows('update sites set settings = \'{"doubleOptIn": true}\'');
  await server.services.sites.reload();
  const seen = new Set<number>();
  for (let round = 0; round < RACES; round += 1) {
    const email = address();
    const anonId = anon();
    const { body } = await capture({
      email,
      anonId,
      consentStatus: 'express',
      consent: { text: 'Write to me.', language: `x-${round}` },
    });
    const leadId = await leadIdOf(server, email);
    const [keys] = await rows(
      'select unsubscribe_key, token from leads join opt_ins using (site_id, lead_id) where lead_id = $1',
      [leadId],
    );
    const link =
      round % 2
        ? `unsubscribe/${linkToken(site, keys.unsubscribe_key)}`
        : `confirm/${linkToken(site, keys.token)}`;
    const erasure = () => erase(email);
    const use = () => call(`${server.url}/v1/${link}`, 'POST', '', {});
    const leadLock = ['select from leads where lead_id = $1 for update', [leadId]] as const;
    const order = Math.floor(round / 2) % 3;
    let answer: Awaited<ReturnType<typeof erase>>;
    let page: Awaited<ReturnType<typeof use>>;
    if (order === 0) [answer, page] = await inLine(server.database.owner, leadLock, [erasure, use]);
    else if (order === 1) [page, answer] = await inLine(server.database.owner, leadLock, [use, erasure]);
    else {
      // and as it comes
      const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 12));
      [answer, page] = await Promise.all([pause().then(erasure), pause().then(use)]);
    }
    assert.equal(answer.status, 200);
    assert.ok([200, 404].includes(page.status), `${page.status}`);
    seen.add(page.status);
    const traces = (await dump()).filter(
      (line) => line.includes(email) || (body.visitorId && line.includes(body.visitorId)),
    );
    assert.deepEqual(traces, [], `round ${round}: ${link.split('/')[0]}`);
    const [{ count }] = await rows('select count(*)::int from consent_details where lead_id = $1', [leadId]);
    assert.equal(count, 0, `round ${round}`);
  }
  assert.equal(seen.size, 2, 'both orders were met');
  await rows("update sites set settings = '{}'");
  await server.services.sites.reload();
});

test('a capture that began before an erasure is dropped, whenever it is stored', async () => {
  const email = address();
  const { leads } = server.services;
  await capture({ email, anonId: anon() });
  const received_at = new Date(Date.now() - 1000).toISOString();
  const began = { ...(await captureOf(email)), received_at };
  assert.equal((await erase(email)).status, 200);
  const failed = await leads.journal.setAside();
  await leads.journal.append({ kind: 'capture', body: began });
  await leads.replay(); // or the process' own turn, should it come first
  assert.equal(leads.journal.isEmpty, true, 'it was played');
  assert.deepEqual(await leads.journal.setAside(), failed, 'and not put aside');
  assert.deepEqual(
    (await dump()).filter((line) => line.includes(email)),
    [],
  );
});

async function captureOf(email: string) {
  const { makeCapture } = await import('../captures/capture.ts');
  const { formInput } = await import('../captures/schema.ts');
  return makeCapture(
    formInput.parse({ email }),
    server.services.sites.fallback(),
    {
      siteId: site,
      ownHosts: [],
      client: { ipHash: '\\x00', uaHash: '\\x00', userAgent: BROWSER },
      country: null,
      privacySignal: false,
      prefetch: false,
    },
    { receivedAt: new Date(), page: undefined, score: 0, suspicions: [] },
    server.services.leads.settings,
  );
}

test('nothing of an erased person stays in journals', async () => {
  const folder = join(server.folder, 'journal');
  for (const name of readdirSync(folder))
    assert.doesNotMatch(readFileSync(join(folder, name), 'utf8'), /@/, name);
});
