// Looks every minute, decides, tells: the one place where readings become notices.
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Registry } from 'prom-client';
import type { Config } from '../../config.ts';
import type { Alarm, Reading } from '../../ground/feature.ts';
import { replaceDurably } from '../../ground/lib/durable.ts';
import type { Log } from '../../ground/lib/log.ts';
import { type Tools, toolsFit } from '../backups/tools.ts';
import type { Status } from '../status/status.ts';
import { alarmMailer } from './mail.ts';
import { requestWindow } from './requests.ts';
import { alarmsIn, alarmsOf, type Readings, RULES } from './rules.ts';
import { type Recipients, sendNotice } from './send.ts';
import { type StatusMail, statusMailer } from './status-mail.ts';
import { decide, emptyMemory, type Memory } from './tell.ts';

export interface AlertSettings {
  recipients: Recipients;
  /** Folder that outlives the process. */
  folder: string;
  /** How often a mail says where it stands. */
  statusMail: StatusMail;
  /** host:port of our own Caddy, and the name whose certificate is watched; null: not watched. */
  certificate: { host: string; port: number; name: string } | null;
}

/** From the configuration to what alarms need. */
export function alertSettings(config: Config): AlertSettings {
  const name = config.PUBLIC_URL ? new URL(config.PUBLIC_URL).hostname : null;
  const [host, port] = config.CADDY_ADDRESS?.split(':') ?? [];
  // Caddy's own certificate for localhost lives half a day and is renewed in time; only public names are watched.
  const watched = host && name && name !== 'localhost' && config.PUBLIC_URL!.startsWith('https:');
  return {
    recipients: {
      webhookUrl: config.ALERT_WEBHOOK_URL ?? null,
      mail: mailTo(config),
      where: name ?? hostname(),
    },
    folder: config.DATA_DIR,
    statusMail: config.STATUS_MAIL,
    certificate: watched ? { host, port: Number(port ?? 443), name } : null,
  };
}

function mailTo({ SMTP_URL, ALERT_EMAIL, MAIL_FROM }: Config): Recipients['mail'] {
  return SMTP_URL && ALERT_EMAIL
    ? alarmMailer({ smtpUrl: SMTP_URL, from: MAIL_FROM ?? ALERT_EMAIL, to: ALERT_EMAIL })
    : null;
}

/**
 * Told when the start itself fails, before there is anything to watch: once, not at each of the restarts that follow,
 * and the next healthy start tells that it is over.
 */
export async function startAlarm(settings: AlertSettings, message: string, log: Log): Promise<void> {
  const alarm: Alarm = { id: 'start', severity: 'critical', message };
  await tellAll(settings, [alarm], await recall(settings.folder), log);
}

export interface Alerts {
  /** What is wrong now, and what each rule would say when. */
  now(): { alarms: (Alarm & { since: string })[]; rules: { id: string; when: string }[] };
  look(): Promise<void>;
  close(): void;
}

const LOOK_EVERY_MS = 60_000;
const HOUR_MS = 3_600_000;

export function watchAlerts(
  settings: AlertSettings,
  parts: {
    status: () => Promise<Status>;
    /** Of all features. */
    readings: readonly Reading[];
    backups: Tools & { off?: boolean };
    registry: Registry;
    /** Whether this process tells, of all that serve. */
    isMine: () => Promise<boolean>;
    log: Log;
  },
): Alerts {
  const requests = requestWindow(parts.registry, 'marketing_http_request_seconds');
  const rules = [...RULES, ...parts.readings.flatMap((one) => one.rules ?? [])];
  const { recipients, folder, statusMail } = settings;
  const mailer = statusMailer({ ...recipients, every: statusMail, folder, log: parts.log });
  let memory: Memory | null = null;
  let backupsExpected: boolean | null = null;

  async function look(): Promise<void> {
    memory ??= await recall(settings.folder);
    // Where the tools are missing (scripts/start without Docker) the job says so; an alarm every day would teach nobody.
    backupsExpected ??= !parts.backups.off && (await toolsFit(parts.backups));
    const status = await parts.status();
    const readings: Readings = {
      ...readingsOf(status, backupsExpected ?? false),
      requests: await requests(),
    };
    const alarms = [...alarmsOf(readings), ...alarmsIn(status, parts.readings)];
    if (await parts.isMine()) {
      memory = await tellAll(settings, alarms, memory, parts.log, rules);
      await mailer.look(status);
    } else memory = decide(alarms, memory, new Date(), rules).memory; // as if told: another does
  }

  let looking: Promise<void> = Promise.resolve();
  const lookOnce = () => {
    looking = looking.then(look).catch((err) => parts.log.error({ err }, 'looking for alarms failed'));
    return looking;
  };
  const timer = setInterval(lookOnce, LOOK_EVERY_MS).unref();
  return {
    now: () => ({
      alarms: Object.entries(memory?.alarms ?? {}).map(([id, { since, severity, message }]) => ({
        id,
        since,
        severity,
        message,
      })),
      rules: rules.map(({ id, when }) => ({ id, when })),
    }),
    look: lookOnce,
    close: () => clearInterval(timer),
  };
}

const pathOf = (folder: string) => join(folder, 'alerts.json');

/** What was wrong at the last look. */
export async function recall(folder: string): Promise<Memory> {
  try {
    return JSON.parse(await readFile(pathOf(folder), 'utf8')) as Memory;
  } catch {
    return emptyMemory();
  }
}

async function tellAll(
  settings: AlertSettings,
  alarms: Alarm[],
  known: Memory,
  log: Log,
  rules: readonly { id: string; minutes: number }[] = RULES,
): Promise<Memory> {
  const { notices, memory } = decide(alarms, known, new Date(), rules);
  // written before anything is sent: after a crash in between, one notice less is better than the same one for ever
  // and sent even when it could not be: a full disk is when alarms are needed most
  await replaceDurably(pathOf(settings.folder), JSON.stringify(memory)).catch((err) =>
    log.warn({ err }, 'the alarms could not be kept'),
  );
  for (const notice of notices) {
    const sent = await sendNotice(notice, settings.recipients);
    const level = notice.kind === 'recovered' ? 'info' : 'warn';
    log[level]({ alarm: notice.id, kind: notice.kind, severity: notice.severity, sent }, notice.message);
  }
  return memory;
}

/** Jobs whose faults have alarms of their own, which say more. */
const OWN_ALARMS = new Set(['backup', 'verify_backup', 'offsite']);

const offsiteFaults = (places: Status['backups']['offsite']): string | null =>
  places.flatMap(({ target, message }) => (message ? `${target}: ${message}` : [])).join('; ') || null;

/** What a status says, in the words of the rules. */
export function readingsOf(status: Status, backupsExpected: boolean): Omit<Readings, 'requests'> {
  const { backups } = status;
  const installedAt = status.database.installedAt;
  return {
    databaseAnswers: status.database.ok,
    diskUsedPct: status.disk?.usedPct ?? null,
    memoryUsedPct: status.memory.containerUsedPct,
    backupAgeHours: backups.newest?.ageHours ?? null,
    installedHours: installedAt ? (Date.now() - Date.parse(installedAt)) / HOUR_MS : 0,
    backupsExpected,
    lastBackupFailed: backups.last && !backups.last.ok ? backups.last.message : null,
    restoreCheck: backups.lastCheck
      ? {
          ok: backups.lastCheck.ok,
          ageHours: backups.lastVerified?.ageHours ?? Number.POSITIVE_INFINITY,
          problem: backups.lastCheck.problems[0] ?? null,
        }
      : null,
    restoreSkipped: backups.skippedCheck?.message ?? null,
    offsiteFailed: offsiteFaults(backups.offsite),
    offsiteAgeHours: Math.max(...backups.offsite.map(({ newestAgeHours }) => newestAgeHours ?? 0), 0) || null,
    failedJobs: status.jobs
      .filter(({ job, last, stuck }) => !OWN_ALARMS.has(job) && (stuck || last?.state === 'failed'))
      .map(({ job }) => job),
    certificateDays: status.certificate?.days ?? null,
  };
}
