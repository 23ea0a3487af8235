import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Registry } from 'prom-client';
import type { Alarm } from '../../ground/feature.ts';
import { makeLog } from '../../ground/lib/log.ts';
import type { Status } from '../status/status.ts';
import { alarmsOf, type Readings } from './rules.ts';
import { sendNotice } from './send.ts';
import { decide, emptyMemory, type Memory, type Notice } from './tell.ts';
import { startAlarm, watchAlerts } from './watch.ts';

const WELL: Readings = {
  databaseAnswers: true,
  requests: { total: 1000, failed: 1, unavailable: 0, p95Ms: 20 },
  diskUsedPct: 40,
  memoryUsedPct: 50,
  backupAgeHours: 5,
  installedHours: 1000,
  backupsExpected: true,
  lastBackupFailed: null,
  restoreSkipped: null,
  restoreCheck: { ok: true, ageHours: 5, problem: null },
  offsiteFailed: null,
  offsiteAgeHours: null,
  failedJobs: [],
  certificateDays: 60,
};
const idsOf = (change: Partial<Readings>) =>
  alarmsOf({ ...WELL, ...change }).map(({ id, severity }) => `${id} ${severity}`);

test('a healthy machine raises no alarm, and neither does one about which nothing is known', () => {
  assert.deepEqual(idsOf({}), []);
  const unknown = Object.fromEntries(Object.keys(WELL).map((key) => [key, null])) as unknown as Readings;
  assert.deepEqual(alarmsOf({ ...unknown, failedJobs: [], installedHours: 0, backupsExpected: false }), []);
});

test('each threshold raises its alarm, just below it nothing happens', () => {
  const cases: [Partial<Readings>, string[]][] = [
    [{ requests: { total: 100, failed: 5, unavailable: 5, p95Ms: 10 } }, ['error_rate critical']],
    [{ requests: { total: 100, failed: 4, unavailable: 0, p95Ms: 10 } }, []],
    [{ requests: { total: 10, failed: 10, unavailable: 0, p95Ms: 10 } }, []],
    [{ requests: { total: 100, failed: 0, unavailable: 0, p95Ms: 2500 } }, ['latency warning']],
    // what a full disk refuses on purpose is told once, as such; what else fails meanwhile is told too
    [
      { requests: { total: 100, failed: 99, unavailable: 99, p95Ms: 10 }, diskUsedPct: 90 },
      ['disk critical'],
    ],
    [
      { requests: { total: 100, failed: 99, unavailable: 94, p95Ms: 10 }, diskUsedPct: 90 },
      ['error_rate critical', 'disk critical'],
    ],
    [{ diskUsedPct: 74.9 }, []],
    [{ diskUsedPct: 75 }, ['disk warning']],
    [{ diskUsedPct: 85 }, ['disk critical']],
    [{ diskUsedPct: 90 }, ['disk critical']],
    [{ memoryUsedPct: 92 }, ['memory warning']],
    [{ lastBackupFailed: 'disk full' }, ['backup_failed critical']],
    [{ backupAgeHours: 26 }, []],
    [{ backupAgeHours: 27 }, ['backup_age critical']],
    [{ backupAgeHours: null }, ['backup_age critical']],
    [{ backupAgeHours: null, restoreCheck: null, installedHours: 3 }, []],
    [{ backupAgeHours: null, restoreCheck: null, backupsExpected: false }, []],
    [
      { restoreCheck: { ok: false, ageHours: 1, problem: 'table leads is missing' } },
      ['restore_check critical'],
    ],
    [{ restoreCheck: { ok: true, ageHours: 51, problem: null } }, ['restore_check critical']],
    [{ restoreSkipped: 'The nightly restore was skipped' }, ['restore_check warning']],
    [{ databaseAnswers: false }, ['database critical']],
    [{ offsiteFailed: 's3 host: 403' }, ['offsite_copy warning']],
    [{ offsiteFailed: 's3 host: 403', offsiteAgeHours: 50 }, ['offsite_copy warning']],
    [{ offsiteFailed: 's3 host: 403', offsiteAgeHours: 51 }, ['offsite_copy critical']],
    [{ offsiteAgeHours: 51 }, []],
    [{ failedJobs: ['purge'] }, ['jobs warning']],
    [{ certificateDays: 13 }, ['certificate critical']],
  ];
  for (const [change, expected] of cases) assert.deepEqual(idsOf(change), expected, JSON.stringify(change));
});

const START = Date.parse('2026-03-01T00:00:00Z');
const disk = (severity: Alarm['severity'] = 'warning'): Alarm => ({ id: 'disk', severity, message: 'full' });

/** Looks once a minute; alarms(minute) says what is wrong then. */
function watch(minutes: number, alarms: (minute: number) => Alarm[]): string[] {
  let memory: Memory = emptyMemory();
  const told: string[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    const round = decide(alarms(minute), memory, new Date(START + minute * 60_000));
    // as it is kept on the disk between two looks
    memory = JSON.parse(JSON.stringify(round.memory)) as Memory;
    told.push(...round.notices.map(({ kind, id }) => `${minute} ${kind} ${id}`));
  }
  return told;
}

test('an alarm is told once, reminded of every six hours, and its end is told', () => {
  assert.deepEqual(
    watch(800, (minute) => (minute >= 10 && minute < 760 ? [disk()] : [])),
    ['10 alarm disk', '370 reminder disk', '730 reminder disk', '760 recovered disk'],
  );
});

test('what lasts too short to matter is never told, not even its end', () => {
  const latency: Alarm = { id: 'latency', severity: 'warning', message: 'slow' };
  assert.deepEqual(
    watch(30, (minute) => (minute < 4 ? [latency] : [])),
    [],
  );
  assert.deepEqual(
    watch(6, () => [latency]),
    ['4 alarm latency'],
  );
});

test('a warning that becomes critical is told at once, and only once', () => {
  assert.deepEqual(
    watch(20, (minute) => [disk(minute < 10 ? 'warning' : 'critical')]),
    ['0 alarm disk', '10 worse disk'],
  );
});

test('at most ten notices leave in an hour, critical ones first, and none is lost', () => {
  const many = Array.from(
    { length: 14 },
    (_, n): Alarm => ({ id: `x${n}`, severity: n < 12 ? 'warning' : 'critical', message: '' }),
  );
  const told = watch(70, () => many);
  assert.equal(told.filter((line) => line.startsWith('0 ')).length, 10);
  assert.deepEqual(told.slice(0, 2), ['0 alarm x12', '0 alarm x13']);
  assert.equal(new Set(told.map((line) => line.split(' ')[2])).size, 14);
});

test('a flapping alarm cannot flood anyone', () => {
  assert.equal(watch(60, (minute) => (minute % 2 ? [disk()] : [])).length, 10);
});

const notice: Notice = {
  kind: 'alarm',
  id: 'disk',
  severity: 'critical',
  message: 'The disk is 91 % full',
  since: '2026-03-01T00:00:00.000Z',
};

test('a webhook gets readable JSON, is tried twice, and its failure is a result', async () => {
  const got: Record<string, unknown>[] = [];
  let failures = 1;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (failures-- > 0) {
      response.writeHead(500).end();
      return;
    }
    got.push(JSON.parse(body));
    response.end('ok');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  after(() => server.close());
  const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  assert.deepEqual(await sendNotice(notice, { webhookUrl, mail: null, where: 'box' }), [
    { to: 'webhook', ok: true },
  ]);
  assert.equal(got[0]!.text, '[box] ALARM (critical) disk: The disk is 91 % full');
  assert.equal(got[0]!.id, 'disk');
  failures = 2;
  const [failed] = await sendNotice(notice, { webhookUrl, mail: null, where: 'box' });
  assert.equal(failed!.ok, false);
});

test('mail goes out beside the webhook, and without either nothing is tried', async () => {
  const mails: string[] = [];
  const mail = async (subject: string) => {
    mails.push(subject);
  };
  assert.deepEqual(await sendNotice(notice, { webhookUrl: null, mail, where: 'box' }), [
    { to: 'mail', ok: true },
  ]);
  assert.match(mails[0]!, /disk/);
  assert.deepEqual(await sendNotice(notice, { webhookUrl: null, mail: null, where: 'box' }), []);
});

test('a disk that fills up is told to the webhook within one look, and its end too, over a restart', async () => {
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    texts.push(JSON.parse(body).text);
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const folder = await mkdtemp(join(tmpdir(), 'alerts-test-'));
  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  let usedPct = 40;
  const status = async () =>
    ({
      database: { ok: true, installedAt: new Date().toISOString() },
      backups: { newest: null, lastVerified: null, lastCheck: null, last: null, count: 0, offsite: [] },
      disk: { path: '/', usedPct, freeBytes: 1, totalBytes: 2 },
      memory: { rssBytes: 1, containerUsedPct: null },
      jobs: [],
    }) as unknown as Status;
  const webhookUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const settings = {
    recipients: { webhookUrl, mail: null, where: 'box' },
    folder,
    statusMail: 'off' as const,
    certificate: null,
  };
  const parts = () => ({
    status,
    readings: [],
    backups: { ownerUrl: 'postgres://nobody@127.0.0.1:9/x', pgBin: null },
    registry: new Registry(),
    isMine: async () => true,
    log: makeLog('silent'),
  });
  // beside a process that does not tell, each notice still comes once
  const beside = watchAlerts(settings, { ...parts(), isMine: async () => false });
  const first = watchAlerts(settings, parts());
  await first.look();
  assert.deepEqual(texts, []);
  usedPct = 91;
  await beside.look();
  await first.look();
  await first.look();
  assert.equal(texts.length, 1);
  assert.match(texts[0]!, /^\[box\] ALARM \(critical\) disk: The disk is 91 % full: events are refused/);
  assert.equal(first.now().alarms[0]!.id, 'disk');
  assert.equal(beside.now().alarms[0]!.id, 'disk');
  beside.close();
  first.close();
  usedPct = 50;
  const second = watchAlerts(settings, parts());
  await second.look();
  second.close();
  assert.match(texts[1]!, /^\[box\] RECOVERED \(critical\) disk/);
  await startAlarm(settings, 'The database could not be brought up to this release', makeLog('silent'));
  await startAlarm(settings, 'The database could not be brought up to this release', makeLog('silent'));
  assert.equal(texts.length, 3);
  assert.match(texts[2]!, /ALARM \(critical\) start/);
});
