// What other rooms ask of notifications: those that may be shown now, how they look, one of them as it was, which there are.
import type { Db } from '../../ground/db/pool.ts';
import type { Site } from '../../ground/site.ts';
import { lookNow } from './looks/now.ts';
import { findNotification, listNotifications, notificationsAtWork, versionOf } from './queries.ts';
import type { Notification } from './schema.ts';
import { listTemplates, type Template } from './template-queries.ts';

export type { Notification, Template };

/** Looks as they may be drawn now. */
export async function siteAtWork(
  db: Db,
  { siteId, origins }: Pick<Site, 'siteId' | 'origins'>,
): Promise<{ notifications: Notification[]; templates: Template[] }> {
  const notifications = await notificationsAtWork(db, siteId);
  const kept = notifications.length > 0 ? await listTemplates(db, siteId) : [];
  const templates: Template[] = [];
  for (const template of kept) {
    const { tokens, css } = await lookNow(template, origins);
    templates.push({ ...template, tokens, css });
  }
  return { notifications, templates };
}

export const oneNotification = (
  db: Db,
  siteId: string,
  notificationId: string,
): Promise<Notification | null> => findNotification(db, siteId, notificationId);

/** As it was in that version; its status is that of now. */
export const notificationThen = (
  db: Db,
  siteId: string,
  notificationId: string,
  version: number,
): Promise<Notification | null> => versionOf(db, siteId, notificationId, version);

/** The newest first. */
export async function notificationIds(
  db: Db,
  siteId: string,
  after: string | null,
  limit: number,
): Promise<string[]> {
  return (await listNotifications(db, siteId, after, limit)).map(({ notificationId }) => notificationId);
}
