// The outbox: what happened, in the transaction of its cause, for webhooks and streams.
import type { Feature } from '../../ground/feature.ts';
import { outboxTables } from './tables.ts';

export const outbox: Feature = {
  name: 'outbox',
  functions: [new URL('tell_others.sql', import.meta.url)],
  tables: outboxTables,
};
