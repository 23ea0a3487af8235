// The live stream: what happens on a site, told to dashboards and programs as it happens.
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import { endRows } from '../accounts/end-rows.ts';
import { type StreamNeeds, streamRoutes } from './routes.ts';
import { ticketWay } from './tickets.ts';

export const stream: Feature<StreamNeeds, { db: Pool }> = {
  name: 'stream',
  tables: {
    stream_tickets: {
      holds: 'a ticket for one stream, as a hash, with what its maker may see',
      columns: { ticket_hash: 'digest', actor: 'operator', capabilities: 'bounded' },
      kept: {
        for: { days: 1 },
        since: 'expires_at',
        why: 'it is good for a minute',
        by: 'ended stream tickets',
      },
    },
  },
  routes: streamRoutes,
  ways: ({ db }) => [ticketWay(db)],
  endings: ({ db }) => ({
    'ended stream tickets': endRows(db, 'stream_tickets', 'expires_at < $1', 'streamTickets'),
  }),
};
