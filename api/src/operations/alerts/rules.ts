// When something is wrong enough to wake a person: every threshold of the product on one page, as pure functions.
import { DISK_NO_DUMPS_PCT, DISK_NO_EVENTS_PCT, DISK_WARN_PCT } from '../health/disk.ts';

/** What was measured; null: unknown or not applicable now, which is never a reason for an alarm by itself. */
export interface Readings {
  databaseAnswers: boolean | null;
  /** Requests of the last five minutes, and how many of them ended with a 5xx of our own making. */
  requests: { total: number; failed: number; p95Ms: number | null } | null;
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
  offsiteFailed: string | null;
  rollupLagDays: number | null;
  discrepancies: number | null;
  ledgerImbalances: number | null;
  failedJobs: string[];
  certificateDays: number | null;
  /** Visitors of the last hour, and how many addresses and browsers they had. */
  visitors: { count: number; addresses: number; browsers: number } | null;
}

export interface Alarm {
  /** Stable name, e.g. "disk". */
  id: string;
  severity: 'warning' | 'critical';
  /** What is wrong, and what to do; never an address or a key. */
  message: string;
}

interface Rule {
  id: string;
  /** Minutes in a row that it must hold before anyone is told. */
  minutes: number;
  /** Threshold in words, for the README and /v1/admin/status. */
  when: string;
  check(readings: Readings): Omit<Alarm, 'id'> | null;
}

const warning = (message: string) => ({ severity: 'warning' as const, message });
const critical = (message: string) => ({ severity: 'critical' as const, message });

export const RULES: Rule[] = [
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
    check: ({ requests }) =>
      requests && requests.total >= 20 && requests.failed / requests.total >= 0.05
        ? critical(
            `${requests.failed} of ${requests.total} requests of the last five minutes failed on our side; see: docker compose logs api`,
          )
        : null,
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
    when: 'a copy of the last backup did not reach its target',
    check: ({ offsiteFailed }) =>
      offsiteFailed ? warning(`A backup did not leave this machine: ${offsiteFailed}`) : null,
  },
  {
    id: 'rollup_lag',
    minutes: 10,
    when: 'the numbers end more than a day ago',
    check: ({ rollupLagDays }) =>
      rollupLagDays !== null && rollupLagDays > 1
        ? warning(`The numbers end ${rollupLagDays} days ago; see the job "rollup"`)
        : null,
  },
  {
    id: 'discrepancy',
    minutes: 1,
    when: 'raw events and rollups differ on any day that has both',
    check: ({ discrepancies }) =>
      discrepancies
        ? critical(
            `${discrepancies} numbers differ from the raw events. Their days are counted again within minutes; ` +
              'marketing rollups discrepancy (POST /v1/admin/jobs/discrepancy) compares anew and ends this alarm',
          )
        : null,
  },
  {
    id: 'ledger',
    minutes: 5,
    when: 'received is not accepted + duplicate + rejected on any day',
    check: ({ ledgerImbalances }) =>
      ledgerImbalances ? critical(`The ledger does not balance for ${ledgerImbalances} site days`) : null,
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
  {
    id: 'one_address',
    minutes: 10,
    when: 'at least 50 visitors with 5 browsers in an hour, all from one address',
    check: ({ visitors }) =>
      visitors && visitors.count >= 50 && visitors.browsers >= 5 && visitors.addresses === 1
        ? critical(
            'All visitors of the last hour came from one address: a proxy in front hides the real ones, so limits and links are wrong',
          )
        : null,
  },
];

/** Everything that is wrong now. */
export function alarmsOf(readings: Readings): Alarm[] {
  return RULES.flatMap(({ id, check }) => {
    const found = check(readings);
    return found ? [{ id, ...found }] : [];
  });
}
