// Webhooks: other systems are told what happened, signed, until they took it.
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Feature } from '../../ground/feature.ts';
import { endRows } from '../accounts/end-rows.ts';
import { trimDeliveries } from './deliver-queries.ts';
import { webhookLogRoutes } from './log-routes.ts';
import { webhookReadings } from './readings.ts';
import { type WebhookNeeds, webhookEndRoute, webhookRoutes } from './routes.ts';
import { webhookTables } from './tables.ts';

type House = WebhookNeeds & { sites: { ids(): string[] } };

export const webhooks: Feature<House, { db: Pool; sites: { ids(): string[] } }> = {
  name: 'webhooks',
  tables: webhookTables,
  readings: webhookReadings,
  routes: (needs) => [...webhookRoutes(needs), ...webhookLogRoutes(needs), webhookEndRoute(needs)],
  jobs: ({ db, sites }) => [
    {
      name: 'deliveries',
      cron: '* * * * *',
      why: 'the log of an endpoint holds ten thousand deliveries',
      run: async () => ({ ...(await inSites(db, sites.ids(), trimDeliveries)) }),
    },
  ],
  endings: ({ db }) => ({
    'ended webhook secrets': endRows(db, 'webhook_secrets', 'ends_at < $1', 'webhookSecrets'),
  }),
};
