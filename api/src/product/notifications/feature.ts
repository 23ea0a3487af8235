// What visitors may be shown: notifications, and templates for their looks.
import type { Feature } from '../../ground/feature.ts';
import { type OnSchedule, scheduleJob } from './on-schedule.ts';
import { type NotificationNeeds, notificationRoutes } from './routes.ts';
import { notificationTables } from './tables.ts';
import { templateRoutes } from './template-routes.ts';
import { versionRoutes } from './version-routes.ts';

export const notifications: Feature<NotificationNeeds, OnSchedule> = {
  name: 'notifications',
  tables: notificationTables,
  routes: ({ db, feeds }) => [
    ...notificationRoutes({ db, feeds }),
    ...versionRoutes({ db }),
    ...templateRoutes({ db }),
  ],
  jobs: (workshop) => [scheduleJob(workshop)],
};
