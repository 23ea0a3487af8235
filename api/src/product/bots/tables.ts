// What is kept of verdicts about bots.
import type { Tables } from '../../ground/tables.ts';

export const botTables: Tables = {
  bot_verdicts: {
    holds: 'that a visitor is a bot, or is not, and who said so',
    whose: 'visitor',
    moved: true,
    columns: { bot_reason: 'bounded', judged_by: 'bounded' },
    kept: {
      for: { days: 'EVENT_RETENTION_DAYS' },
      since: 'judged_at',
      why: 'the judged visitor is gone',
      where:
        'not exists (select from visitors v where v.site_id = target.site_id and v.visitor_id = target.visitor_id)',
    },
  },
};
