// Tells other systems that a notification became another one.
import type { Db } from '../../ground/db/pool.ts';
import { tellNews } from '../outbox/outbox.ts';
import type { Notification } from './schema.ts';

export function tellNotification(
  db: Db,
  siteId: string,
  {
    notificationId,
    version,
    status,
  }: Pick<Notification, 'notificationId' | 'version'> & { status: Notification['status'] | 'deleted' },
): Promise<void> {
  return tellNews(db, siteId, 'notification.updated', { notificationId, version, status });
}
