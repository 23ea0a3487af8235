// Begins and ends notifications by their schedules. What is shown obeys the schedule at once (open.ts); this is their status.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Job } from '../../ground/jobs/runner.ts';
import { noteOfJob } from '../../ground/noted.ts';
import { tellFeed } from './feed-changed.ts';
import { changeNotification, dueNotifications, findNotification } from './queries.ts';
import { contentOf } from './routes.ts';
import type { Notification, Status } from './schema.ts';
import { tellNotification } from './tell.ts';

const JOB = 'notifications';

export interface OnSchedule {
  db: Pool;
  sites: { ids(): string[] };
}

function dueStatus({ status, schedule: { from, to } }: Notification, atMs: number): Status | null {
  if (status === 'draft' || status === 'ended') return null;
  if (to !== null && Date.parse(to) <= atMs) return 'ended';
  return status === 'scheduled' && from !== null && Date.parse(from) <= atMs ? 'running' : null;
}

export async function followSchedules(
  { db, sites }: OnSchedule,
  atMs = Date.now(),
): Promise<{ changed: number }> {
  const ids = sites.ids();
  const due = ids.length > 0 ? await inSites(db, ids, (tx) => dueNotifications(tx, ids)) : [];
  let changed = 0;
  for (const { siteId, notificationId } of due)
    await inSites(db, siteId, async (tx) => {
      const one = await findNotification(tx, siteId, notificationId, true);
      const status = one && dueStatus(one, atMs);
      if (!status) return;
      const now = await changeNotification(tx, siteId, one, status, contentOf(one), 'machine');
      await tellFeed(tx, siteId);
      await tellNotification(tx, siteId, now);
      await noteOfJob(tx, siteId, JOB, notificationId, { status });
      changed += 1;
    });
  return { changed };
}

export const scheduleJob = (needs: OnSchedule): Job => ({
  name: JOB,
  cron: '*/5 * * * *',
  why: 'notifications begin and end when their schedules say',
  run: async () => ({ ...(await followSchedules(needs)) }),
});
