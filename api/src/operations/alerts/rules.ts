// When something is wrong enough to wake a person: every threshold of the machine on one page, as pure functions; those
// of a feature stand with its readings.
import { type Alarm, critical, type Reading, type Rule, warning } from '../../ground/feature.ts';
import { DISK_NO_DUMPS_PCT, DISK_NO_EVENTS_PCT, DISK_WARN_PCT } from '../health/disk.ts';
import type { Requests } from './requests.ts';

/** What was measured; null: unknown or not applicable now, which is never a reason for an alarm by itself. */
export interface Readings {
  databaseAnswers: boolean | null;
  /** Requests of the last five minutes, and how many of them ended with a 5xx of our own making. */
  requests: Requests | null;
  diskUsedPct: number | null;
  /** Of the container's limit, without what the kernel can give back. */
  memoryUsedPct: number | null;
  /** Hours since the newest backup that was made; null: none yet. */
  backupAgeHours: number | null;
  /** Hours since the first backup could have been there: the age of the installation. */
  installedHours: number;
  /** Whether backups can be made here at all (the container: yes; scripts/start without pg_dump: no). */
  backupsExpected: boolean;
  lastBackupFailed: string | null;
  /** Why the last nightly restore did not take place; null: it did. */
  restoreSkipped: string | null;
  restoreCheck: { ok: boolean; ageHours: number; problem: string | null } | null;
  /** What went wrong at a place for copies. */
  offsiteFailed: string | null;
  /** Hours since the newest copy that lies elsewhere was made, where there is one at all; the oldest of several places'. */
  offsiteAgeHours: number | null;
  failedJobs: string[];
  certificateDays: number | null;
}

export const RULES: Rule<Readings>[] = [
  {
    id: 'start',
    minutes: 1,
    when: 'a migration failed at the start',
    // told by the start itself (watch.ts); whoever gets as far as looking here has started
    check: () => null,
  },
  {
    id: 'database',
    minutes: 2,
    when: 'the database does not answer for two minutes',
    check: ({ databaseAnswers }) =>
      databaseAnswers === false
        ? critical(
            'The database does not answer: events are refused, leads wait in the journal; see: docker compose logs postgres',
          )
        : null,
  },
  {
    id: 'error_rate',
    minutes: 2,
    when: '5 % or more of at least 20 requests in five minutes ended with a 5xx',
    check: ({ requests, diskUsedPct }) => {
      if (!requests || requests.total < 20) return null;
      // events that a full disk refuses on purpose are the alarm "disk"
      const onPurpose = diskUsedPct !== null && diskUsedPct >= DISK_NO_EVENTS_PCT;
      const failed = requests.failed - (onPurpose ? requests.unavailable : 0);
      if (failed / requests.total < 0.05) return null;
      return critical(
        `${failed} of ${requests.total} requests of the last five minutes failed on our side; see: docker compose logs api`,
      );
    },
  },
  {
    id: 'latency',
    minutes: 5,
    when: 'p95 of the write routes above 2 s with at least 20 requests in five minutes',
    check: ({ requests }) =>
      requests?.p95Ms != null && requests.total >= 20 && requests.p95Ms > 2000
        ? warning(
            `95 % of the requests take up to ${Math.round(requests.p95Ms)} ms; the machine or its disk is overloaded`,
          )
        : null,
  },
  {
    id: 'disk',
    minutes: 1,
    when: `a disk ${DISK_WARN_PCT} % full (warning), ${DISK_NO_DUMPS_PCT} % (no more local backups), ${DISK_NO_EVENTS_PCT} % (events get 503)`,
    check: ({ diskUsedPct }) => {
      if (diskUsedPct === null || diskUsedPct < DISK_WARN_PCT) return null;
      if (diskUsedPct >= DISK_NO_EVENTS_PCT)
        return critical(
          `The disk is ${diskUsedPct} % full: events are refused until there is room; leads, unsubscribes and erasures still work`,
        );
      if (diskUsedPct >= DISK_NO_DUMPS_PCT)
        return critical(`The disk is ${diskUsedPct} % full: no local backups are made until there is room`);
      return warning(
        `The disk is ${diskUsedPct} % full; lower EVENT_RETENTION_DAYS or make the volume larger`,
      );
    },
  },
  {
    id: 'memory',
    minutes: 5,
    when: '92 % of the container’s memory in use for five minutes',
    check: ({ memoryUsedPct }) =>
      memoryUsedPct !== null && memoryUsedPct >= 92
        ? warning(`The API uses ${memoryUsedPct} % of the memory it may have`)
        : null,
  },
  {
    id: 'backup_failed',
    minutes: 1,
    when: 'the last backup failed',
    check: ({ lastBackupFailed }) =>
      lastBackupFailed ? critical(`The last backup failed: ${lastBackupFailed}`) : null,
  },
  {
    id: 'backup_age',
    minutes: 1,
    when: 'the newest backup is older than 26 hours',
    check: ({ backupsExpected, backupAgeHours, installedHours }) =>
      backupsExpected && (backupAgeHours ?? installedHours) > 26
        ? critical(
            backupAgeHours === null
              ? 'There is no backup at all'
              : `The newest backup is ${Math.round(backupAgeHours)} hours old; see the job "backup" in scripts/status`,
          )
        : null,
  },
  {
    id: 'restore_check',
    minutes: 1,
    when: 'the nightly trial restore failed, was skipped because the disk is short (warning), or the last good one is older than 50 hours',
    check: ({ backupsExpected, restoreCheck, restoreSkipped, installedHours }) => {
      if (!backupsExpected) return null;
      if (restoreCheck && !restoreCheck.ok)
        return critical(`The newest backup could not be restored: ${restoreCheck.problem ?? 'it differs'}`);
      if ((restoreCheck?.ageHours ?? installedHours) > 50)
        return critical('No backup was restored on trial in the last 50 hours');
      return restoreSkipped ? warning(restoreSkipped) : null;
    },
  },
  {
    id: 'offsite_copy',
    minutes: 1,
    when: 'something failed at the place for copies (warning), or the newest copy there is older than 50 hours',
    check: ({ offsiteFailed, offsiteAgeHours }) => {
      if (!offsiteFailed) return null;
      const says = `Copies of backups elsewhere: ${offsiteFailed}`;
      return offsiteAgeHours !== null && offsiteAgeHours > 50
        ? critical(`${says}; the newest copy there is ${Math.round(offsiteAgeHours)} hours old`)
        : warning(`${says}; tried again every hour; see: scripts/backup --check-offsite`);
    },
  },
  {
    id: 'jobs',
    minutes: 1,
    when: 'a job failed at its last run',
    check: ({ failedJobs }) =>
      failedJobs.length > 0 ? warning(`These jobs failed at their last run: ${failedJobs.join(', ')}`) : null,
  },
  {
    id: 'certificate',
    minutes: 60,
    when: 'the certificate ends in less than 14 days (it is renewed 30 days before)',
    check: ({ certificateDays }) =>
      certificateDays !== null && certificateDays < 14
        ? critical(
            `The certificate ends in ${Math.floor(certificateDays)} days and was not renewed; see: docker compose logs caddy`,
          )
        : null,
  },
];

/** Everything that is wrong with the machine now. */
export function alarmsOf(readings: Readings): Alarm[] {
  return RULES.flatMap(({ id, check }) => {
    const found = check(readings, {});
    return found ? [{ id, ...found }] : [];
  });
}

/** Everything that is wrong by what features tell about themselves; what could not be read is never wrong by itself. */
export function alarmsIn(told: Record<string, unknown>, readings: readonly Reading[]): Alarm[] {
  return readings.flatMap(({ name, rules = [] }) => {
    const value = told[name] ?? null;
    if (value === null) return [];
    return rules.flatMap(({ id, check }) => {
      const found = check(value, told);
      return found ? [{ id, ...found }] : [];
    });
  });
}
