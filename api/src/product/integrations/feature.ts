// Integrations: shops and payment services tell what happened there, signed.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Tables } from '../../ground/tables.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { endRows } from '../accounts/end-rows.ts';
import { countSeats } from '../accounts/seats.ts';
import { settleBilled } from '../plans/billed.ts';
import type { Sites } from '../sites/recognise.ts';
import { integrationRoutes } from './routes.ts';
import type { Integrations } from './start.ts';

const tables: Tables = {
  integrations: {
    holds: 'a shop or payment service that tells what happened there: what its topics mean',
    columns: { kind: 'bounded', mapping: 'operator', made_by: 'operator' },
    kept: { ever: 'until it is deleted; twenty a site' },
  },
  integration_secrets: {
    holds: 'what deliveries of an integration are signed with, encrypted',
    columns: { sealed: 'sealed' },
    kept: {
      for: { days: 1 },
      since: 'ends_at',
      why: 'nothing is signed with it any more',
      by: 'ended integration secrets',
    },
  },
  stripe_payments: {
    holds: 'which invoice a payment at Stripe paid, by ids of theirs, so that a refund finds its purchase',
    columns: { payment: 'operator', invoice: 'operator' },
    kept: {
      for: { months: 'ROLLUP_RETENTION_MONTHS' },
      since: 'heard_at',
      why: 'what is so old is refunded no more',
    },
  },
  inbound_deliveries: {
    holds: 'that something came from an integration, as a hash of its id',
    columns: { delivery_key: 'digest', outcome: 'bounded' },
    kept: { for: { days: 30 }, since: 'received_at', why: 'what is sent again comes within days' },
  },
};

interface House {
  db: Pool;
  accounts: Pick<Accounts, 'vault' | 'publicUrl'>;
  integrations: Pick<Integrations, 'receive' | 'learn'>;
}

export const integrations: Feature<House, { db: Pool; sites: Sites }> = {
  name: 'integrations',
  tables,
  routes: ({ db, accounts: { vault, publicUrl }, integrations: { receive, learn } }) =>
    integrationRoutes({ db, vault, publicUrl, receive, learn }),
  jobs: ({ db, sites }) => [
    {
      name: 'billed_plans',
      cron: '*/5 * * * *',
      why: 'plans that are paid for at Stripe and were not given yet: events were late, or more was in use than they allow',
      async run() {
        const done = await settleBilled(db, (siteId) => countSeats(db, siteId), sites.ids());
        if (done.given > 0) await sites.reload();
        return { ...done };
      },
    },
  ],
  endings: ({ db }) => ({
    'ended integration secrets': endRows(db, 'integration_secrets', 'ends_at < $1', 'integrationSecrets'),
  }),
};
