// People with a word of their own in everything they send; one in twenty is erased; nothing holds a word of theirs.
// CANARIES=2000 has five times as many as the suite.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startCluster } from '../../../test/cluster.ts';
import { makeTemplate } from '../../../test/database.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { makeLog } from '../../ground/lib/log.ts';

const PEOPLE = Number(process.env.CANARIES ?? 400);
const ERASED = PEOPLE / 20;
// what counts, notes or proves by itself; everything else belongs to someone
const BOOKS = new Set([
  'dirty_days',
  'dirty_visits',
  'erasures',
  'audit_log',
  'job_runs',
  'ingest_ledger',
  'ingest_latencies',
  'rollup_state',
  'service_days',
  'recent_bodies',
  'rejections',
  'schema_migrations',
  'daily_metric_rollups',
  'daily_ingest_rollups',
  'daily_breakdowns',
  'visitor_returns',
  'visit_facts', // made anew from the rows, which are looked at
  'session_days', // numbers alone, and in the other two each name for all who had it
  'visit_origins',
  'visit_paths',
  'open_names',
  'open_kinds',
  'sites',
  'withdrawal_requests',
  'processes',
  'leases',
]);

/** How the product has PostgreSQL log (postgres/postgresql.conf). */
function logSettings(): Record<string, string> {
  const text = readFileSync(new URL('../../../../postgres/postgresql.conf', import.meta.url), 'utf8');
  const found = [...text.matchAll(/^(log_\w+) = ('[^']*'|\S+)/gm)].map(([, name, value]) => [
    name!,
    value!.replace(/^'|'$/g, ''),
  ]);
  assert.ok(found.length > 10);
  return Object.fromEntries(found);
}

let cluster: Awaited<ReturnType<typeof startCluster>>;
let server: TestServer;
let logged = '';
const log = makeLog('trace', {
  write: (line: string) => {
    logged += line;
  },
});
before(async () => {
  // a server of its own, so that its log is of this test alone; every statement is logged as if it were slow
  cluster = await startCluster({ ...logSettings(), log_min_duration_statement: '0' });
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  server = await startServer({}, undefined, log);
});
after(async () => {
  await server.end();
  await cluster.remove();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;

async function dump(): Promise<{ table: string; line: string }[]> {
  const tables =
    await rows(`select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`);
  const lines: { table: string; line: string }[] = [];
  for (const { name } of tables)
    for (const row of await rows(`select t::text as line from ${name} t`))
      lines.push({ table: name, line: row.line });
  return lines;
}

async function inParallel<T>(
  items: T[],
  lanes: number,
  work: (item: T, i: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      while (next < items.length) {
        const i = next;
        next += 1;
        await work(items[i]!, i);
      }
    }),
  );
}

/** Rows that PostgreSQL refuses and that hold an address, and words where a door expects an id, a day or a number. */
async function provokeErrors(emails: string[]): Promise<void> {
  const { siteId } = server.services.sites.fallback();
  const lead = `insert into leads (site_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, unsubscribe_key, consent_status)
    values ($1, $2, $2, $3, now(), now(), $2, $4)`;
  // as the app, and as the owner, whom PostgreSQL tells more: it migrates and restores
  const refused = async (sql: string, values: unknown[], code: string) => {
    for (const pool of [server.database.app, server.database.owner])
      await assert.rejects(
        inSites(pool, siteId, (db) => db.query(sql, values)),
        (error: { code?: string }) => {
          log.error({ err: error }, 'provoked');
          return error.code === code;
        },
      );
  };
  for (const email of emails.slice(0, 5)) {
    await inSites(server.database.app, siteId, (db) => db.query(lead, [siteId, email, 'x', 'pending']));
    await refused(lead, [siteId, email, 'x', 'pending'], '23505');
    await refused(lead, [siteId, email, 'x', email], '23514');
    await refused(lead, [siteId, email, null, 'pending'], '23502');
    await inSites(server.database.app, siteId, (db) =>
      db.query('delete from leads where site_id = $1 and email_normalized = $2', [siteId, email]),
    );
  }
  const [email] = emails;
  const asked: [string, string, unknown?][] = [
    [
      'POST',
      '/v1/events',
      { anonId: email, eventType: email, path: `/${email}`, eventId: email, timestamp: email },
    ],
    [
      'POST',
      '/v1/events',
      {
        anonId: email,
        eventType: 'page_view',
        path: '/',
        traffic: { countryCode: email, engagedTimeMs: email },
      },
    ],
    ['POST', '/v1/leads/capture', { email, anonId: email, eventId: email, consent: { textId: email } }],
    ['POST', '/v1/leads/unsubscribe', { email: `${email} ${email}` }],
    ['POST', `/v1/unsubscribe/${email}`],
    ['POST', `/v1/confirm/${email}`],
    ['POST', '/v1/leads/search', { q: email, from: email, cursor: email }],
    [
      'POST',
      '/v1/leads/search',
      {
        cursor: Buffer.from(`Mon, 1 Jan 2024 (${email}) 00000000-0000-4000-8000-000000000000`).toString(
          'base64url',
        ),
      },
    ],
    [
      'POST',
      '/v1/leads/search',
      {
        cursor: Buffer.from(`1/1/2024(${email}) 00000000-0000-4000-8000-000000000000`).toString('base64url'),
      },
    ],
    ['GET', `/v1/leads/${email}`],
    ['GET', `/v1/admin/quarantine?before=${email}`],
    ['GET', `/v1/metrics/summary?from=${email}&to=${email}`],
    ['POST', '/v1/identities/merge', { leadId: email, visitorId: email }],
    ['POST', '/v1/conversions', { id: email, kind: 'signup', email, occurredAt: email }],
    [
      'POST',
      '/v1/leads/import',
      {
        csv: `email,capturedAt,consentAt,expiresAt\n${email},${email},${email},${email}\n${email},1 Jan 2024 (${email}),1 Jan 2024 (${email}),`,
      },
    ],
    ['POST', '/v1/admin/breaches', { title: email, description: 'x', discoveredAt: email }],
    ['PATCH', `/v1/sites/${email}`, { name: email }],
  ];
  for (const [method, path, body] of asked) {
    const { status } = await call(server.url + path, method, body, admin);
    assert.ok(status < 500, `${method} ${path.replace(email!, '…')} answered ${status}`);
  }
}

test(`what an erased person sent is nowhere, and everyone else is as before (${ERASED} of ${PEOPLE})`, async () => {
  const people = Array.from({ length: PEOPLE }, () => {
    const word = `c${randomBytes(8).toString('hex')}`;
    return { word, email: `${word}@${word}.example`, anonId: `browser-${word}` };
  });
  await inParallel(people, 16, async ({ word, email, anonId }, i) => {
    const headers = {
      'user-agent': `Browser${word}/1.0 (${word})`,
      'accept-language': word,
      'x-forwarded-for': word,
      referer: `https://${word}.example/`,
    };
    const utm = { source: word, medium: word, campaign: word, term: word, content: word };
    const seen = await call(
      `${server.url}/v1/events`,
      'POST',
      {
        anonId,
        eventType: i % 3 ? 'page_view' : `type-${word}`,
        path: `/${word}?utm_source=${word}`,
        referrer: `https://${word}.example/${word}`,
        utm,
        props: { [word]: word, formName: word, nested: { deep: [word] } },
      },
      headers,
    );
    assert.equal(seen.status, 202);
    const answer = await call(
      `${server.url}/v1/leads/capture`,
      'POST',
      {
        email,
        anonId,
        formName: word,
        path: `/form-${word}`,
        referrer: `https://www.${word}.example/`,
        sourceChannel: word,
        utm,
        payload: {
          [word]: { [word]: [word, { a: word }] },
          ...(i % 10 === 0 ? { message: '<a href="x">' } : {}),
        },
        consentStatus: 'express',
        consent: { text: `I, ${word}, agree.`, language: `x-${word}`, policyVersion: word, purposes: [word] },
      },
      headers,
    );
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    if (i % 4 === 0)
      await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email, reason: word }, headers);
    // also of those who wait in quarantine, and are no lead yet
    if (i % 5 === 0) {
      const { status } = await call(
        `${server.url}/v1/conversions`,
        'POST',
        { id: `order-${word}`, kind: 'signup', email },
        admin,
      );
      assert.ok(status < 500, `${status}`);
    }
    // someone else's words about them
    if (i > 0 && i % 7 === 0)
      await call(`${server.url}/v1/events`, 'POST', {
        anonId: `friend-${i}-of-someone`,
        eventType: 'invite',
        path: '/invite',
        props: { friend: people[i - 1]!.email },
      });
  });
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  const earlier = await dump();
  const everywhere = earlier.map(({ line }) => line).join('\n');
  for (const { word } of people) assert.ok(everywhere.includes(word), 'the words did arrive');

  const gone = people
    .filter((_, i) => i % (PEOPLE / ERASED) === 7 || i % (PEOPLE / ERASED) === 10)
    .slice(0, ERASED);
  const theirs = new Set(gone.map(({ word }) => word));
  const ids = new Set<string>();
  for (const row of await rows(
    `select l.lead_id, i.visitor_id from leads l left join lead_identities i using (site_id, lead_id) where split_part(email_normalized, '@', 1) = any ($1)
     union select null, k.visitor_id from quarantine q join event_keys k using (site_id, event_id) where split_part(q.email_normalized, '@', 1) = any ($1)`,
    [[...theirs]],
  ))
    for (const id of [row.lead_id, row.visitor_id]) if (id) ids.add(id);
  await inParallel(gone, 4, async ({ email }) => {
    const { status, body } = await call(`${server.url}/v1/leads/delete`, 'POST', { email }, admin);
    assert.equal(status, 200, JSON.stringify(body));
  });
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);

  const now = await dump();
  const leaks = now.filter(({ line }) =>
    (line.match(/c[0-9a-f]{16}/g) ?? []).some((word) => theirs.has(word)),
  );
  assert.deepEqual(leaks.slice(0, 5), [], `${leaks.length} rows still hold a word of an erased person`);
  const hexWords = new Set([...theirs].map((word) => Buffer.from(word).toString('hex')));
  assert.equal(
    now.filter(({ line }) => [...hexWords].some((word) => line.includes(word))).length,
    0,
    'nor as bytes',
  );
  for (const name of readdirSync(join(server.folder, 'journal'))) {
    const text = readFileSync(join(server.folder, 'journal', name), 'utf8');
    for (const { word } of people) assert.ok(!text.includes(word), `${name} holds a word`);
  }
  await provokeErrors(gone.map(({ email }) => email));
  for (const { word } of people) assert.ok(!logged.includes(word), 'the log holds a word');
  const postgresLog = readFileSync(cluster.logFile, 'utf8');
  for (const { word, email } of people)
    assert.ok(!postgresLog.includes(word), `PostgreSQL's log holds ${email}`);
  for (const sign of [
    'duplicate key value',
    'violates check constraint',
    'violates not-null',
    'select capture_lead($1)',
  ])
    assert.ok(postgresLog.includes(sign), `PostgreSQL did log: ${sign}`);
  assert.doesNotMatch(postgresLog, /@[a-z0-9.-]+\.example/, 'nor any address');
  assert.ok(logged.includes('/v1/leads/capture'), 'something was logged');

  const kept = new Set(now.map(({ table, line }) => `${table} ${line}`));
  const changed = earlier.filter(({ table, line }) => !BOOKS.has(table) && !kept.has(`${table} ${line}`));
  const foreign = changed.filter(
    ({ line }) =>
      !(line.match(/c[0-9a-f]{16}/g) ?? []).some((word) => theirs.has(word)) &&
      !(line.match(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g) ?? []).some((id) => ids.has(id)),
  );
  assert.deepEqual(foreign.slice(0, 5), [], `${foreign.length} rows of others changed`);
  assert.ok(changed.length > ERASED * 5);
});
