// What the archive tells about itself: whether days wait for the bucket, and whether erased people are still in its files.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { critical, reading, warning } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';

interface House {
  db: Pool;
  sites: { ids(): string[] };
  config: { ARCHIVE_S3_URL?: string | undefined };
}

const count = z.int().min(0);
const shape = z
  .object({
    files: count,
    bytes: count,
    newest: z.iso.date().nullable(),
    lastRunAt: utc.nullable(),
    message: z.string().nullable().describe('what was wrong at the last run; null: nothing'),
    failingSince: utc.nullable(),
    daysWaiting: count.describe('days whose partitions stay until the bucket has them'),
    erasuresWaiting: count.describe('files out of which erased people are yet to be taken'),
    erasuresSince: utc.nullable().describe('since when the oldest of these waits'),
  })
  .nullable()
  .describe('null: ARCHIVE_S3_URL is not set');
type Status = z.output<typeof shape>;

const daysSince = (at: string | null): number => (at ? (Date.now() - Date.parse(at)) / 86_400_000 : 0);

export const archiveReading = reading<House, Status>({
  name: 'archive',
  shape,
  async read({ db, sites, config }) {
    if (!config.ARCHIVE_S3_URL) return null;
    const { rows } = await inSites(db, sites.ids(), (tx) =>
      tx.query<NonNullable<Status>>(
        `select a.*, e.*, instant_text(r.at) as "lastRunAt", r.message, instant_text(r.failing_since) as "failingSince",
           coalesce(r.days_waiting, 0) as "daysWaiting"
         from (select count(*)::int as files, coalesce(sum(bytes), 0)::float8 as bytes, max(day)::text as newest from archives) a
         cross join (select count(distinct (site_id, day))::int as "erasuresWaiting", instant_text(min(since)) as "erasuresSince" from archive_erasures) e
         left join archive_runs r on true`,
      ),
    );
    return rows[0]!;
  },
  line: (archive) =>
    archive &&
    [
      `${archive.files} days (${Math.round(archive.bytes / 1e6)} MB)${archive.newest ? ` through ${archive.newest}` : ''}`,
      ...(archive.daysWaiting > 0 ? [`${archive.daysWaiting} DAYS WAIT`] : []),
      ...(archive.erasuresWaiting > 0 ? [`erasures wait in ${archive.erasuresWaiting} files`] : []),
    ].join(', '),
  rules: [
    {
      id: 'archive',
      minutes: 1,
      when: 'something failed at the bucket of the archive (warning), or for three days (critical): days stay in the database until it has them',
      check: (archive) => {
        if (!archive?.message) return null;
        return daysSince(archive.failingSince) > 3 ? critical(archive.message) : warning(archive.message);
      },
    },
    {
      id: 'archive_erasures',
      minutes: 1,
      when: 'erased people are still in files of the archive after a week; they have to be out after 30 days',
      check: (archive) =>
        archive && daysSince(archive.erasuresSince) > 7
          ? critical(
              `Erased people are still in ${archive.erasuresWaiting} files of the archive since ${archive.erasuresSince}; see the job "archive_erasures"`,
            )
          : null,
    },
  ],
});
