// People are never turned away because the database is: what came meanwhile is on disk, and stored exactly once.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { startCluster } from '../../../test/cluster.ts';
import { makeTemplate } from '../../../test/database.ts';
import { call, startServer, type TestServer } from '../../../test/server.ts';
import type { AppError } from '../../ground/lib/app-error.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { alarmsIn } from '../../operations/alerts/rules.ts';
import { linkToken } from '../consent/link.ts';
import { type Entry, openJournal } from './journal.ts';
import { retrySetAside } from './journal-files.ts';
import { makeKeep } from './keep.ts';
import { journalReading } from './readings.ts';

const log = makeLog('silent');
const scratch = mkdtempSync(join(tmpdir(), 'marketing-journal-'));
after(() => rmSync(scratch, { recursive: true }));
const journalFolder = () => join(scratch, randomUUID());

/** A process that has the journal open and did this with it; it ends only when killed. */
async function anotherProcess(folder: string, work = ''): Promise<{ kill(): Promise<void> }> {
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    const { openJournal } = await import(${url('journal.ts')});
    const { makeLog } = await import(${url('../../ground/lib/log.ts')});
    const journal = await openJournal(${JSON.stringify(folder)}, makeLog('silent'));
    ${work}
    process.send('ready');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => assert.fail('the process ended before it was ready')),
  ]);
  return {
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

const OUTAGE_MS = Number(process.env.OUTAGE_MS ?? 0); // a minute by hand: OUTAGE_MS=60000
const PATIENCE_MS = 60_000;

let cluster: Awaited<ReturnType<typeof startCluster>>;
let server: TestServer;
before(async () => {
  cluster = await startCluster();
  await makeTemplate(cluster.url());
  process.env.TEST_SERVER_URL = cluster.url();
  server = await startServer();
});
after(async () => {
  await server.end();
  await cluster.remove();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const express = { consentStatus: 'express', consent: { text: 'Write to me.' } };

test('PostgreSQL is stopped under posts: every lead and every unsubscribe is there afterwards, once', async () => {
  const site = server.services.sites.fallback().siteId;
  const post = (email: string, fields: Record<string, unknown> = {}) =>
    call(`${server.url}/v1/leads/capture`, 'POST', {
      email,
      anonId: `visitor-${email}`,
      eventId: randomUUID(),
      ...express,
      ...fields,
    });
  const known = Array.from({ length: 4 }, (_, i) => `known-${i}-${randomUUID()}@example.com`);
  for (const email of known) assert.equal((await post(email)).status, 200);
  const keys = await rows('select email_normalized as email, unsubscribe_key as key from leads');
  // two who were asked to confirm; the second one's link is too old by now
  const asked = ['confirms@example.com', 'late@example.com'];
  await rows('update sites set settings = \'{"doubleOptIn": true}\'');
  await server.services.sites.reload();
  for (const email of asked) assert.equal((await post(email)).status, 200);
  await rows("update sites set settings = '{}'");
  await server.services.sites.reload();
  await rows(
    "update opt_ins o set requested_at = now() - interval '15 days' from leads l where l.lead_id = o.lead_id and l.email_normalized = $1",
    [asked[1]],
  );
  const tokens = await rows(
    'select email_normalized as email, token from opt_ins join leads using (site_id, lead_id)',
  );
  const confirmUrl = (email: string) =>
    `${server.url}/v1/confirm/${linkToken(site, tokens.find((row) => row.email === email)!.token)}`;
  const linkOf = (email: string) => linkToken(site, keys.find((row) => row.email === email)!.key);

  const answered: string[] = [];
  let isPosting = true;
  const posting = Promise.all(
    Array.from({ length: 4 }, async (_, lane) => {
      for (let i = 0; isPosting; i += 1) {
        const email = `away-${lane}-${i}-${randomUUID()}@example.com`;
        const { status, body } = await post(email);
        assert.equal(status, 200, JSON.stringify(body));
        answered.push(email);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }),
  );
  const moreAnswers = (what: string, count: number) => {
    const wanted = answered.length + count;
    return until(`${count} captures are answered ${what}`, () => answered.length > wanted, PATIENCE_MS);
  };
  await moreAnswers('while it is there', 8);
  await cluster.stop();
  const stoppedAt = Date.now();
  // every kind of door while it is away
  assert.equal(
    (
      await call(`${server.url}/v1/unsubscribe/${linkOf(known[0]!)}`, 'POST', 'List-Unsubscribe=One-Click', {
        'content-type': 'application/x-www-form-urlencoded',
      })
    ).status,
    200,
  );
  assert.equal((await call(`${server.url}/v1/leads/unsubscribe`, 'POST', { email: known[1] })).status, 200);
  const form = await call(
    `${server.url}/v1/leads/capture`,
    'POST',
    new URLSearchParams({ email: 'form@example.com', message: 'hello' }).toString(),
    { 'content-type': 'application/x-www-form-urlencoded' },
  );
  assert.equal(form.status, 303);
  // pages and their buttons
  for (const url of [`${server.url}/v1/unsubscribe/${linkOf(known[3]!)}`, confirmUrl(asked[0]!)]) {
    const page = await call(url);
    assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
    assert.match(page.body, /<form method="post">(?:<fieldset>.*<\/fieldset>)?<button/);
  }
  for (const email of [...asked, asked[0]!]) {
    const page = await call(confirmUrl(email), 'POST', '', {});
    assert.deepEqual([page.status, page.headers.get('content-type')], [202, 'text/html; charset=utf-8']);
    assert.match(page.body, /Your confirmation has arrived/);
  }
  // the same submission again, as a browser that got no answer sends it
  const twice = { eventId: randomUUID(), anonId: 'visitor-twice' };
  for (let i = 0; i < 2; i += 1) assert.equal((await post('twice@example.com', twice)).status, 200);
  // opts in again, after unsubscribing
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal((await post(known[1]!)).status, 200);
  await moreAnswers('while it is away', 20);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, OUTAGE_MS - (Date.now() - stoppedAt))));
  // playing it back comes to nothing as long as the database is away
  assert.equal(await server.services.leads.replay(), 0);
  assert.equal(server.services.leads.journal.isEmpty, false);
  const backAt = Date.now();
  await cluster.start();
  await moreAnswers('after it is back', 8);
  isPosting = false;
  await posting;
  await until(
    'the journal is played back',
    async () => {
      await server.services.leads.replay().catch(() => {});
      return server.services.leads.journal.isEmpty;
    },
    PATIENCE_MS,
  );
  const stored = await rows(
    'select email_normalized as email, consent_status as status, (select count(*) from submissions s where s.lead_id = l.lead_id)::int as submissions from leads l',
  );
  const of = new Map(stored.map((row) => [row.email, row]));
  const missing = answered.filter((email) => !of.has(email));
  assert.deepEqual(missing, [], `${missing.length} of ${answered.length} answered captures are missing`);
  for (const email of [...answered, 'form@example.com', 'twice@example.com'])
    assert.equal(of.get(email)?.submissions, 1, email);
  assert.equal(of.get(known[0]!)!.status, 'withdrawn');
  assert.equal(of.get(known[1]!)!.status, 'express');
  assert.equal(of.get(known[2]!)!.status, 'express');
  assert.deepEqual([of.get(asked[0]!)!.status, of.get(asked[1]!)!.status], ['express', 'pending']);
  const confirmed = await rows(
    `select l.email_normalized as email, r.action, r.occurred_at = l.verified_at as is_then, r.occurred_at < $1 as is_before
     from consent_records r join leads l using (site_id, lead_id) where r.basis = 'double_opt_in'`,
    [new Date(backAt)],
  );
  assert.deepEqual(confirmed, [{ email: asked[0], action: 'confirmed', is_then: true, is_before: true }]);
  const [{ verifies }] = await rows(
    "select count(*)::int as verifies from events where event_type = 'email_verify'",
  );
  assert.equal(verifies, 1);
  assert.deepEqual(
    readdirSync(join(server.folder, 'journal')).sort(),
    ['forgotten.ndjson', 'process'],
    'nothing waits in it: what was forgotten, and whose it is',
  );
  const [{ events }] = await rows(
    "select count(*)::int as events from events where event_type = 'form_submit'",
  );
  assert.equal(events, answered.length + known.length + asked.length + 3); // the plain form too, as a day visitor
});

test('a journal keeps its order, plays each entry once, and survives a crash in the middle of a line', async () => {
  const folder = journalFolder();
  // killed without closing: its file is still open
  const first = await anotherProcess(
    folder,
    "await Promise.all(Array.from({ length: 50 }, (_, i) => journal.append({ kind: 'capture', body: i })));",
  );
  await first.kill();
  const [open] = readdirSync(folder);
  assert.match(open!, /\.open$/);
  appendFileSync(join(folder, open!), '\n{"kind":"capture","bo');
  const second = await openJournal(folder, log);
  assert.equal(second.isEmpty, false);
  const played: unknown[] = [];
  assert.equal(await second.replay(async ({ body }) => void played.push(body)), 50);
  assert.deepEqual(
    played,
    Array.from({ length: 50 }, (_, i) => i),
  );
  assert.equal(second.isEmpty, true);
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(await second.replay(async () => assert.fail('nothing is left')), 0);
  await second.close();
});

test('while the database stays away nothing is lost, and what cannot be stored is put aside', async () => {
  const folder = journalFolder();
  const journal = await openJournal(folder, log);
  for (const body of ['good', 'bad', 'good']) await journal.append({ kind: 'capture', body });
  const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
  assert.equal(await journal.replay(() => Promise.reject(away)), 0);
  assert.equal(journal.isEmpty, false);
  await journal.append({ kind: 'capture', body: 'later' });
  const played: unknown[] = [];
  await journal.replay(async ({ body }) => {
    if (body === 'bad') throw Object.assign(new Error('cannot be stored'), { code: '22P02' });
    played.push(body);
  });
  assert.deepEqual(played, ['good', 'good', 'later']);
  assert.match(readFileSync(join(folder, 'failed.ndjson'), 'utf8'), /"bad"/);
  assert.equal(journal.isEmpty, true);
  assert.equal(await journal.forgetFailed(({ body }) => body === 'bad'), 1);
  assert.equal(readFileSync(join(folder, 'failed.ndjson'), 'utf8'), '');
  writeFileSync(join(folder, 'note.txt'), '');
  await journal.close();
});

test('an entry that fails for a reason we do not know stays, rests and is tried again; those behind it are stored', async () => {
  const folder = journalFolder();
  let now = Date.parse('2026-11-20T12:00:00Z');
  const journal = await openJournal(folder, log, () => now);
  assert.equal(journal.waitingSince, null);
  await journal.append({ kind: 'capture', body: 'odd' });
  now += 1000;
  await journal.append({ kind: 'capture', body: 'good' });
  const tried: unknown[] = [];
  let isMended = false;
  const play = async ({ body }: { body: unknown }) => {
    tried.push(body);
    // 42883: a function is missing, which is nobody's entry's fault
    if (body === 'odd' && !isMended) throw Object.assign(new Error('undefined'), { code: '42883' });
  };
  assert.equal(await journal.replay(play), 1);
  assert.deepEqual(tried.splice(0), ['odd', 'good']);
  assert.deepEqual([journal.isEmpty, journal.waitingSince], [false, new Date('2026-11-20T12:00:00Z')]);
  assert.equal(await journal.replay(play), 0);
  assert.deepEqual(tried.splice(0), [], 'it rests');
  await journal.append({ kind: 'capture', body: 'later' });
  assert.equal(await journal.replay(play), 1);
  assert.deepEqual(tried.splice(0), ['later'], 'nobody waits for it');
  // each rest is longer, none is endless
  for (let rest = 0; rest < 20; rest += 1) {
    now += 300_000;
    assert.equal(await journal.replay(play), 0);
    assert.deepEqual(tried.splice(0), ['odd']);
  }
  isMended = true;
  now += 300_000;
  assert.equal(await journal.replay(play), 1);
  assert.deepEqual([journal.isEmpty, journal.waitingSince, readdirSync(folder)], [true, null, []]);
  await journal.close();
});

test('what was waiting when a process ended tells its age to the next one', async () => {
  const folder = journalFolder();
  const bornAt = Date.parse('2026-11-20T12:00:00Z');
  const first = await openJournal(folder, log, () => bornAt);
  await first.append({ kind: 'capture', body: 1 });
  await first.close();
  const second = await openJournal(folder, log);
  assert.deepEqual(second.waitingSince, new Date(bornAt));
  await second.append({ kind: 'capture', body: 2 });
  assert.deepEqual(second.waitingSince, new Date(bornAt));
  await second.close();
});

test('a journal has one process at a time; a killed one leaves it to the next', async () => {
  const folder = journalFolder();
  const other = await anotherProcess(folder);
  const refused = { message: new RegExp(`Another process .* is using ${folder}. Stop that one first`) };
  await assert.rejects(openJournal(folder, log), refused);
  await other.kill();
  const mine = await openJournal(folder, log);
  await assert.rejects(openJournal(folder, log), refused, 'in this process too');
  await mine.close();
  await (await openJournal(folder, log)).close();
});

test('what cannot be written is not answered, and what comes after it is', async () => {
  const folder = journalFolder();
  const journal = await openJournal(folder, log);
  await journal.append({ kind: 'capture', body: 'before' });
  await journal.replay(async () => {});
  rmSync(folder, { recursive: true });
  await assert.rejects(journal.append({ kind: 'capture', body: 'lost' }), { code: 'ENOENT' });
  assert.equal(journal.isEmpty, true);
  mkdirSync(folder);
  await journal.append({ kind: 'capture', body: 'after' });
  const played: unknown[] = [];
  await journal.replay(async ({ body }) => void played.push(body));
  assert.deepEqual(played, ['after']);
  await journal.close();
});

const away = () => Promise.reject(Object.assign(new Error('away'), { code: 'ENOTFOUND' }));

test('what neither the database nor the disk can take is answered with a time to come back', async () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  const keep = makeKeep({ append: () => Promise.reject(full) }, log);
  await assert.rejects(keep('capture', {}, away), (error: AppError) => {
    assert.deepEqual([error.code, error.retryAfterSeconds, error.cause], ['unavailable', 60, full]);
    return true;
  });
});

test('what can never be stored is refused at once instead of being kept', async () => {
  const fault = Object.assign(new Error('invalid'), { code: '22P02' });
  const keep = makeKeep({ append: async () => assert.fail('nothing is kept') }, log);
  await assert.rejects(
    keep('capture', {}, () => Promise.reject(fault)),
    fault,
  );
});

test('whatever else the database says, what people sent is kept as it was, and stored is answered as stored', async () => {
  const kept: unknown[] = [];
  const keep = makeKeep({ append: async (entry) => void kept.push(entry) }, log);
  const failing = [
    away,
    () => Promise.reject(new Error('nobody knows')),
    () => Promise.reject(Object.assign(new Error('undefined'), { code: '42883' })),
  ];
  for (const [i, store] of failing.entries()) assert.equal(await keep('capture', { i }, store), 'journalled');
  assert.deepEqual(
    kept,
    failing.map((_, i) => ({ kind: 'capture', body: { i } })),
  );
  assert.equal(await keep('capture', 20, async (body) => body + 1), 21);
  assert.equal(kept.length, failing.length);
});

test('what was set aside is told, rings, and is played again when somebody asks for it', async () => {
  const folder = journalFolder();
  const journal = await openJournal(folder, log);
  const bad = Object.assign(new Error('bad'), { code: '22P02' });
  let mended = false;
  const played: unknown[] = [];
  const play = async ({ body }: Entry) => {
    if (!mended && body === 'half a letter') throw bad;
    played.push(body);
  };
  const told = async () => journalReading.shape.parse(await journalReading.read({ leads: { journal } }));
  try {
    assert.equal(journalReading.line!(await told()), null);
    for (const body of ['half a letter', 'a whole one']) await journal.append({ kind: 'capture', body });
    await journal.replay(play);
    const { failed, waitingSince } = await told();
    assert.deepEqual([failed, waitingSince, played], [1, null, ['a whole one']]);
    assert.match(alarmsIn({ journal: await told() }, [journalReading])[0]!.message, /journal retry/);
    mended = true;
    assert.equal(await journal.look(), false);
    // as another process does it
    assert.equal(await retrySetAside(folder), 1);
    assert.equal(await journal.look(), true);
    await journal.replay(play);
    assert.deepEqual(played, ['a whole one', 'half a letter']);
    assert.deepEqual([(await told()).failed, await retrySetAside(folder)], [0, 0]);
  } finally {
    await journal.close();
  }
});
