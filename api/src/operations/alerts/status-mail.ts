// A mail that tells that all is well, or what is not, every week or day: an alarm that cannot leave is silent too. It carries each
// day's root of all chains of consent away from the machine, so that rewriting what people agreed to needs the mailbox as well.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceDurably } from '../../ground/lib/durable.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { Status } from '../status/status.ts';

export type StatusMail = 'week' | 'day' | 'off';

/** After the night's backup, its trial restore and the check of the chains. */
const HOUR_UTC = 7;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** Whether one is to leave now. A Monday that was missed is made up for on the next day. sentOn  UTC day of the last; null: none yet */
export function isDue(every: StatusMail, now: number, sentOn: string | null): boolean {
  if (every === 'off' || new Date(now).getUTCHours() < HOUR_UTC) return false;
  if (every === 'day') return sentOn !== dayOf(now);
  const sinceMonday = (new Date(now).getUTCDay() + 6) % 7;
  const monday = dayOf(now - sinceMonday * DAY_MS);
  // a new installation waits for its first Monday, when there are nights to tell of
  return sentOn === null ? sinceMonday === 0 : sentOn < monday;
}

const ago = (hours: number): string =>
  hours < 48 ? `${Math.round(hours)} h ago` : `${Math.round(hours / 24)} days ago`;
const megabytes = (bytes: number): string => `${Math.round(bytes / 1_000_000)} MB`;

/** Where it stands, for a person who has only a mail program at hand. */
export function statusText(status: Status, where: string): { subject: string; text: string } {
  const { alarms } = status.alarms;
  const { newest, lastVerified, offsite } = status.backups;
  const head =
    alarms.length === 0 ? 'all is well' : `${alarms.length} alarm${alarms.length === 1 ? '' : 's'}`;
  const lines = [
    ...alarms.map(({ id, severity, message }) => `${severity.toUpperCase()} ${id}: ${message}`),
    `Newest backup: ${newest ? `${newest.name}, ${ago(newest.ageHours)}${newest.encrypted ? ', encrypted' : ''}` : 'none'}`,
    `Restored on trial: ${lastVerified ? ago(lastVerified.ageHours) : 'never'}`,
    ...offsite.map(({ target, copies, message }) => `Copies at ${target}: ${message ?? copies ?? 'unknown'}`),
    status.disk
      ? `Disk: ${Math.round(status.disk.usedPct)} % used, ${megabytes(status.disk.freeBytes)} free`
      : 'Disk: unknown',
    `Database: ${status.database.bytes === undefined ? 'does not answer' : megabytes(status.database.bytes)}`,
    `Version ${status.version}, running for ${ago(status.upSeconds / 3600).replace(' ago', '')}`,
    '',
    ...status.lines.map(({ name, text }) => `${name}: ${text}`),
    '',
    ...status.carriedAway,
    'Keep this mail: each day’s root of all chains of consent records in it shows, against the database, whether somebody rewrote them.',
    'STATUS_MAIL=day sends it every day, STATUS_MAIL=off not at all.',
  ];
  return { subject: `[${where}] Status: ${head}`, text: `${lines.join('\n')}\n` };
}

export interface StatusMailer {
  /** Sends the mail when it is due; a failure is tried again an hour later. */
  look(status: Status): Promise<void>;
}

export function statusMailer(parts: {
  every: StatusMail;
  /** null: no mail is set up. */
  mail: ((subject: string, text: string) => Promise<void>) | null;
  where: string;
  /** Outlives the process. */
  folder: string;
  log: Log;
  now?: () => number;
}): StatusMailer {
  const { every, mail, where, folder, log, now = Date.now } = parts;
  const file = join(folder, 'status-mail.json');
  let sentOn: string | null | undefined;
  let waitUntil = 0;
  return {
    async look(status) {
      if (!mail || every === 'off' || now() < waitUntil) return;
      sentOn ??= await readFile(file, 'utf8').then(
        (text) => JSON.parse(text).sentOn as string,
        () => null,
      );
      if (!isDue(every, now(), sentOn)) return;
      const { subject, text } = statusText(status, where);
      try {
        await mail(subject, text);
        sentOn = dayOf(now());
        await replaceDurably(file, JSON.stringify({ sentOn }));
      } catch (err) {
        waitUntil = now() + HOUR_MS;
        log.warn({ err }, 'the status mail could not be sent; it is tried again in an hour');
      }
    },
  };
}
