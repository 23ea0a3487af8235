// Every job: when it runs (UTC), what it is for, on one page.

import type { Pool } from './db/pool.ts';
import { makePartitions, purgeRecentBodies } from './events/queries.ts';
import type { Sites } from './sites/recognise.ts';

export interface Job {
  name: string;
  /** Five fields, UTC. */
  cron: string;
  why: string;
  run: () => Promise<Record<string, unknown>>;
}

export function schedule({ db, sites }: { db: Pool; sites: Sites }): Job[] {
  return [
    {
      name: 'partitions',
      cron: '10 */6 * * *',
      why: 'events need a partition for their day; a week ahead survives a week without this job',
      run: async () => ({ made: await makePartitions(db, -2, 7) }),
    },
    {
      name: 'recent_bodies',
      cron: '* * * * *',
      why: 'digests of bodies only matter for 30 s',
      run: async () => ({
        forgotten: await purgeRecentBodies(
          db,
          sites.list().map((site) => site.siteId),
        ),
      }),
    },
  ];
}
