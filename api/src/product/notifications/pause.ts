// Pauses a notification because something was found out about it: a test that shows it does harm.
import type { Db } from '../../ground/db/pool.ts';
import { noteOfJob } from '../../ground/noted.ts';
import { tellFeed } from './feed-changed.ts';
import { changeNotification, findNotification } from './queries.ts';
import { contentOf } from './routes.ts';
import { tellNotification } from './tell.ts';

/**
 * One that runs or will; any other stays as it is.
 * job, because  for the audit log: who found it out, and what
 */
export async function pause(
  db: Db,
  siteId: string,
  notificationId: string,
  job: string,
  because: Record<string, string>,
): Promise<void> {
  const one = await findNotification(db, siteId, notificationId, true);
  await tellFeed(db, siteId);
  if (one?.status !== 'running' && one?.status !== 'scheduled') return;
  const paused = await changeNotification(db, siteId, one, 'paused', contentOf(one), 'machine');
  await tellNotification(db, siteId, paused);
  await noteOfJob(db, siteId, job, notificationId, { status: 'paused', ...because });
}
