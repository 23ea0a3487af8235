// What is kept of webhooks.
import type { Tables } from '../../ground/tables.ts';

export const webhookTables: Tables = {
  webhooks: {
    holds: 'an endpoint of another system: where it is, what it is told',
    columns: {
      kind: 'bounded',
      url: 'operator',
      types: 'bounded',
      made_by: 'operator',
      disabled_why: 'bounded',
    },
    kept: { ever: 'until it is deleted; twenty a site' },
  },
  deliveries: {
    holds: 'what an endpoint is to be told, by ids, and how each try ended; never what it answered',
    whose: 'lead or visitor',
    bound: '10 000 an endpoint',
    columns: { type: 'bounded', data: 'goes, found', state: 'bounded', attempts: 'bounded' },
    kept: [
      { with: 'leads', why: 'it is about the lead' },
      { for: { days: 'DELIVERY_RETENTION_DAYS' }, since: 'created_at', why: 'for sending it again' },
    ],
  },
  webhook_secrets: {
    holds: 'what deliveries are signed with, encrypted',
    columns: { sealed: 'sealed' },
    kept: {
      for: { days: 1 },
      since: 'ends_at',
      why: 'it signs nothing any more',
      by: 'ended webhook secrets',
    },
  },
};
