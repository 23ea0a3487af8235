// Rules that warn: what is unlike itself and what is chance, and the mail that comes of it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Transporter } from 'nodemailer';
import { startMailServer } from '../../../test/mail-server.ts';
import { type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { makePartitions } from '../events/partitions.ts';
import { makeTransport } from '../mails/transport.ts';
import { rollUp } from '../metrics/rollup.ts';
import { judge, type Seen } from './judge.ts';
import { watchSites } from './watch.ts';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
const smtp = await startMailServer();
const settings = {
  from: 'bread@bakery.example',
  publicUrl: 'https://api.bakery.example',
  senderDefaults: { sender: '1 Oven Lane, Toronto', contact: undefined },
};
let server: TestServer;
let transport: Transporter;
let siteId: string;
/** The hour that is over. */
const hour = Math.floor(Date.now() / HOUR_MS - 1) * HOUR_MS;

before(async () => {
  server = await startServer({
    SMTP_URL: smtp.url,
    MAIL_FROM: settings.from,
    MAIL_SENDER: settings.senderDefaults.sender,
    PUBLIC_URL: settings.publicUrl,
  });
  transport = await makeTransport(smtp.url);
  const made = await call(`${server.url}/v1/sites`, 'POST', { key: 'bakery', name: 'The Bakery' }, admin);
  ({ siteId } = made.body.site);
  await makePartitions(server.database.app, -30, 1);
  const events: Recorded[] = [];
  const visits = (at: number, count: number, more: Partial<Recorded> = {}) => {
    for (let n = 0; n < count; n += 1)
      events.push({
        id: `${at} ${n} ${more.source ?? ''}`,
        visitor: `v ${at} ${n} ${more.source ?? ''}`,
        at: new Date(at + n * 10_000).toISOString(),
        ...more,
      });
  };
  for (let week = 1; week <= 4; week += 1) visits(hour - week * WEEK_MS, 10 + week);
  visits(hour, 12);
  visits(hour, 60, { source: 'mastodon' });
  visits(hour, 90, { source: 'robots', bot_reason: 'user_agent' });
  await record(server.database.app, siteId, events);
  await rollUp(server.database.app, { siteIds: [siteId] });
});
after(async () => {
  transport?.close();
  await server.end();
});

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const api = (method: string, path: string, body?: unknown) =>
  call(`${server.url}/v1/sites/bakery/alert-rules${path}`, method, body, admin);
const look = (now: number) =>
  watchSites({
    db: server.database.app,
    sites: server.services.sites,
    vault: server.services.accounts.vault(),
    mailing: { transport, settings },
    log: makeLog('silent'),
    now: () => new Date(now),
  });

test('a spike is told once in six hours, without robots, with where it comes from and how to end these mails', async () => {
  for (const kind of ['spike', 'drop', 'silence']) {
    const made = await api('POST', '', { kind, channels: [{ mail: 'ada@bakery.example' }] });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
  const now = hour + HOUR_MS + 7 * 60_000;
  assert.deepEqual(await look(now), { rules: 0, told: 0, notTaken: 0 }, 'nobody said yes yet');
  await rows('update mail_recipients set confirmed_at = now()');
  assert.deepEqual(await look(now), { rules: 3, told: 1, notTaken: 0 });
  const mail = smtp.mails[0]!.replace(/=\n/g, '');
  assert.match(mail, /Subject: The Bakery: more visits than usual/);
  assert.match(mail, /72 visits from \d\d:00 to \d\d:00, where 12\.5 are usual/);
  assert.match(mail, /mastodon/);
  assert.match(mail, /List-Unsubscribe-Post/);
  assert.deepEqual(await look(now), { rules: 2, told: 0, notTaken: 0 });
  await rows("update alert_rules set told_at = told_at - interval '6 hours 1 minute'");
  assert.equal((await look(now)).told, 1);
  const { body } = await api('GET', '');
  assert.equal(body.rules.length, 3);
  for (const { ruleId } of body.rules) assert.equal((await api('DELETE', `/${ruleId}`)).status, 200);
  assert.equal((await api('DELETE', `/${body.rules[0].ruleId}`)).status, 404);
});

test('an hour without a visit is told where visits are usual, and no lead where leads are', async () => {
  await rows('delete from alert_rules');
  for (const rule of [{ kind: 'silence' }, { kind: 'lead_drought' }, { kind: 'drop', sensitivity: 'high' }])
    await api('POST', '', { ...rule, channels: [{ mail: 'ada@bakery.example' }] });
  await rows('update mail_recipients set confirmed_at = now()');
  await rows(
    "update events set occurred_at = occurred_at - interval '2 hours' where site_id = $1 and occurred_at >= $2",
    [siteId, new Date(hour)],
  );
  smtp.mails.length = 0;
  const { told } = await look(hour + HOUR_MS + 1);
  assert.equal(told, 2, 'no visit is also fewer than usual; leads were never usual');
  assert.ok(smtp.mails.some((mail) => mail.includes('The Bakery: no visits')));
});

test('a rule says what is wrong with it', async () => {
  for (const [body, path] of [
    [{ kind: 'goal_zero', channels: [{ mail: 'ada@bakery.example' }] }, 'goal'],
    [{ kind: 'spike', goal: 'order', channels: [{ mail: 'ada@bakery.example' }] }, 'goal'],
    [{ kind: 'spike', channels: [{ mail: 'no address' }] }, 'channels.0.mail'],
    [{ kind: 'spike', channels: [] }, 'channels'],
  ] as const) {
    const answer = await api('POST', '', body);
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    assert.equal(answer.body.issues[0].path, path);
  }
});

const course = (now: number, ...before: number[]) => ({ now, before });
const seen = (of: Partial<Seen>): Seen => ({
  hour: course(0),
  day: course(0),
  dayLeads: course(0),
  weekLeads: course(0),
  goals: {},
  ...of,
});

test('what chance does is no warning, and what scatters by itself needs more', () => {
  const spike = (now: number, before: number[], how: 'low' | 'normal' | 'high' = 'normal') =>
    judge('spike', how, seen({ hour: course(now, ...before) }), null) !== null;
  assert.ok(!spike(19, [1, 1, 1, 1]), 'nineteen visits are no spike');
  assert.ok(spike(20, [1, 1, 1, 1]));
  assert.ok(!spike(130, [100, 100, 100, 100]));
  assert.ok(spike(141, [100, 100, 100, 100]));
  assert.ok(!spike(141, [40, 100, 100, 160]), 'these weeks scatter');
  assert.ok(spike(131, [100, 100, 100, 100], 'high'));
  assert.ok(!spike(141, [100, 100, 100, 100], 'low'));
  assert.ok(!spike(500, [1, 1]), 'two weeks say nothing');
  const drop = (now: number, before: number[]) =>
    judge('drop', 'normal', seen({ hour: course(now, ...before) }), null) !== null;
  assert.ok(drop(59, [100, 100, 100, 100]));
  assert.ok(!drop(61, [100, 100, 100, 100]));
  assert.ok(!drop(0, [10, 12, 14, 16]), 'so few can be missing by chance');
});

test('nothing at all is told where it cannot be chance: over an hour, else over a day, of leads over a week', () => {
  const none = (kind: Parameters<typeof judge>[0], of: Partial<Seen>, goal: string | null = null) =>
    judge(kind, 'normal', seen(of), goal)?.over ?? null;
  assert.equal(none('silence', { hour: course(0, 9, 9, 9, 9) }), 'hour');
  assert.equal(none('silence', { hour: course(0, 8, 8, 8, 8) }), null);
  assert.equal(none('silence', { hour: course(0, 1, 1, 1), day: course(0, 30, 20, 25) }), 'day');
  assert.equal(
    none('lead_drought', { dayLeads: course(0, 2, 2, 2, 2), weekLeads: course(0, 14, 14, 14, 14) }),
    'week',
  );
  assert.equal(none('lead_drought', { weekLeads: course(1, 14, 14, 14, 14) }), null);
  assert.equal(none('goal_zero', { goals: { order: course(0, 9, 10, 12) } }, 'order'), 'day');
  assert.equal(none('goal_zero', { goals: { order: course(0, 9, 10, 12) } }, 'other'), null);
});
