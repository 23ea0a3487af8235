// The mail that tells that all is well: when it leaves, what it says, and that a mailbox holds what the database alone cannot prove.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startMailServer } from '../../../test/mail-server.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { alarmMailer } from './mail.ts';
import { isDue, statusMailer, statusText } from './status-mail.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

const at = (text: string) => Date.parse(text);

test('a week’s mail leaves on Monday morning, a missed one on the next day, a new installation’s on its first Monday', () => {
  assert.equal(isDue('week', at('2026-11-23T06:59:00Z'), '2026-11-16'), false);
  assert.equal(isDue('week', at('2026-11-23T07:00:00Z'), '2026-11-16'), true);
  assert.equal(isDue('week', at('2026-11-23T08:00:00Z'), '2026-11-23'), false);
  assert.equal(isDue('week', at('2026-11-25T07:30:00Z'), '2026-11-16'), true);
  assert.equal(isDue('week', at('2026-11-25T07:30:00Z'), null), false);
  assert.equal(isDue('week', at('2026-11-29T23:00:00Z'), '2026-11-24'), false);
});

test('a day’s mail leaves once a day, and none when it is off', () => {
  assert.equal(isDue('day', at('2026-11-25T07:00:00Z'), '2026-11-24'), true);
  assert.equal(isDue('day', at('2026-11-25T23:00:00Z'), '2026-11-25'), false);
  assert.equal(isDue('off', at('2026-11-23T12:00:00Z'), null), false);
});

test('it says what the status says: alarms first, backups, room, and the root of all chains of consent', async () => {
  const capture = { email: 'ada@example.com', consent: { text: 'Yes, write to me.' } };
  assert.equal((await call(`${server.url}/v1/leads/capture`, 'POST', capture)).status, 200);
  const run = await call(`${server.url}/v1/admin/jobs/consent_chains`, 'POST', {}, admin);
  assert.ok(run.status < 300, JSON.stringify(run.body));
  const { body } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  const { subject, text } = statusText(body, 'box.example.com');
  assert.match(subject, /^\[box\.example\.com\] Status: (?:all is well|\d+ alarms?)$/);
  assert.match(text, /^Restored on trial: never$/m);
  const { rows } = await server.database.owner.query(
    "select result ->> 'root' as root from job_runs where job = 'consent_chains'",
  );
  assert.match(rows[0].root, /^[0-9a-f]{64}$/);
  assert.ok(text.includes(rows[0].root));
  assert.ok(!text.includes('ada@'), 'no address leaves in it');
});

test('a week’s mail carries the root of each day since the last one, not its own day’s only', async () => {
  const { rows } = await server.database.owner.query(`
    insert into job_runs (job, trigger, state, options, started_at, finished_at, result)
    select 'consent_chains', 'schedule', 'succeeded', '{}', at, at + interval '1 second',
      jsonb_build_object('leads', 1, 'records', 1, 'broken', 0, 'root', encode(sha256(convert_to(at::text, 'UTF8')), 'hex'))
    from (select now() - make_interval(days => n) - interval '1 minute' as at from generate_series(1, 9) as d (n)) days
    returning started_at, result ->> 'root' as root`);
  const { body } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  const { text } = statusText(body, 'box');
  const carried = [...text.matchAll(/^Root of all chains of consent at (\S+): ([0-9a-f]{64})$/gm)];
  assert.equal(carried.length, 8, 'today’s and those of seven days');
  const of = new Set(carried.map(([, , root]) => root));
  for (const { root } of rows.slice(0, 7)) assert.ok(of.has(root));
});

test('it is sent once, also over a restart, and tried again an hour after a mail server refused it', async () => {
  const { body: status } = await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin);
  const folder = await mkdtemp(join(tmpdir(), 'status-mail-'));
  const { url, mails } = await startMailServer();
  const people = { from: 'box@example.com', to: 'operator@example.com' };
  let clock = at('2026-11-25T08:00:00Z');
  const mailer = (smtpUrl: string) =>
    statusMailer({
      every: 'day',
      mail: alarmMailer({ smtpUrl, ...people }),
      where: 'box',
      folder,
      log: makeLog('silent'),
      now: () => clock,
    });
  const refused = mailer('smtp://127.0.0.1:9');
  await refused.look(status);
  assert.equal(mails.length, 0);
  const sending = mailer(url);
  await sending.look(status);
  await sending.look(status);
  await mailer(url).look(status);
  assert.equal(mails.length, 1);
  assert.match(mails[0]!, /^Subject: \[box\] Status: /m);
  clock += 24 * 3_600_000;
  await sending.look(status);
  assert.equal(mails.length, 2);
});
