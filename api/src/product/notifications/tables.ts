// What is kept of notifications and templates.
import type { Tables } from '../../ground/tables.ts';
import { NOTIFICATIONS_MAX, VERSIONS_MAX } from './rules.ts';
import { TEMPLATES_MAX } from './template-routes.ts';

export const notificationTables: Tables = {
  templates: {
    holds: `how notifications look; at most ${TEMPLATES_MAX} a site`,
    columns: { name: 'operator', tokens: 'operator', css: 'operator' },
    kept: { ever: 'until its owner deletes it' },
  },
  notifications: {
    holds: `a message a site may show; at most ${NOTIFICATIONS_MAX} a site beside those that ended`,
    columns: { kind: 'bounded', status: 'bounded' },
    kept: {
      for: { months: 24 },
      since: 'ended_at',
      why: 'as long as the receipts of what it said',
      where: "status = 'ended'",
    },
  },
  notification_versions: {
    holds: `every state of a notification, with who made it; at most ${VERSIONS_MAX} of each`,
    columns: {
      status: 'bounded',
      name: 'operator',
      claim: 'operator',
      source: 'operator',
      texts: 'operator',
      settings: 'operator',
      made_by: 'operator',
    },
    kept: { with: 'notifications', on: ['notification_id'], why: 'what it was at each time' },
  },
};
