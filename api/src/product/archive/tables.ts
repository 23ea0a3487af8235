// What the archive keeps in the database: the list of its files, what is yet to be done to them, and what was brought back.
import type { Tables } from '../../ground/tables.ts';

export const archiveTables: Tables = {
  archives: {
    holds:
      'a day of a site’s events as a file in the bucket (ARCHIVE_S3_URL): its name, size and checksum, and by hashes which visitors are in it. The file has no address, no address hash and no personal prop; visitor ids it has',
    columns: { file: 'bounded', sha256: 'digest', visitors: 'digest' },
    kept: {
      for: { months: 'ARCHIVE_RETENTION_MONTHS' },
      since: 'day',
      why: 'older than files of events are kept; the file is removed from the bucket',
      by: 'archive files',
      told: 'archiveMonths',
    },
  },
  archive_removals: {
    holds: 'the name of a file that is to be removed from the bucket',
    columns: { file: 'bounded' },
    kept: { job: 'archive_erasures', why: 'until it is removed: each night' },
  },
  archive_erasures: {
    holds: 'the id of an erased browser or form event, until the file that holds it is written anew',
    columns: {},
    kept: { job: 'archive_erasures', why: 'each night; an alarm rings when one waits for a week' },
  },
  archive_restores: {
    holds: 'which days were asked back from the archive, by whom, and what came of it',
    columns: { state: 'bounded', why: 'bounded', requested_by: 'operator' },
    kept: { for: { months: 13 }, since: 'requested_at', why: 'the audit log says it for longer' },
  },
  restored_events: {
    holds: 'an event that was read back from the archive, to be looked at',
    whose: 'visitor',
    columns: {
      event_type: 'goes',
      path: 'goes',
      referrer: 'goes',
      source: 'goes',
      utm_source: 'goes',
      utm_medium: 'goes',
      utm_campaign: 'goes',
      utm_term: 'goes',
      utm_content: 'goes',
      bot_reason: 'goes',
      props: 'goes',
      device_type: 'goes',
      browser: 'goes',
      os: 'goes',
      country: 'goes',
    },
    kept: { for: { days: 7 }, since: 'restored_at', why: 'for a look; the file stays' },
  },
  archive_runs: {
    holds: 'what the last night with the bucket found',
    columns: { message: 'bounded' },
    kept: { ever: 'one row' },
  },
};
