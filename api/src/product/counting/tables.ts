// What is kept of what visitors saw of notifications.
import type { Tables } from '../../ground/tables.ts';

export const countingTables: Tables = {
  notification_events: {
    holds: 'that a browser was shown a notification, or what it did with it, and when',
    bound: '20 a visitor, notification and kind a day, within what events may take of the disk',
    whose: 'visitor',
    moved: true,
    columns: { kind: 'bounded', variant: 'bounded', receipt_id: 'digest', bot_reason: 'bounded' },
    kept: {
      for: { days: 'EVENT_RETENTION_DAYS' },
      since: 'created_at',
      why: 'raw events; the numbers of their days stay',
      by: 'notification months',
    },
  },
  daily_notification_rollups: {
    holds: 'how often a notification was seen, clicked and dismissed on a day, and by how many',
    columns: { variant: 'bounded' },
    kept: {
      for: { months: 'ROLLUP_RETENTION_MONTHS' },
      since: 'day',
      why: 'older than rollups are kept',
    },
  },
};
