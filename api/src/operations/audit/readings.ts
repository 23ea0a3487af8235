// What the audit log tells about itself: how often somebody came with a key that is none.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { reading } from '../../ground/feature.ts';
import { NO_SITE } from '../../ground/site.ts';

const shape = z
  .object({ day: z.int().min(0).describe('in the last 24 hours') })
  .describe('calls with a key or a token that is none; GET /v1/audit?actor=nobody shows from where');

export const auditReadings = [
  reading<{ db: Pool }, z.output<typeof shape>>({
    name: 'wrongKeys',
    shape,
    async read({ db }) {
      const { rows } = await inSites(db, NO_SITE, (client) =>
        client.query<{ day: number }>(
          `select coalesce(sum(1 + coalesce((details ->> 'more')::int, 0)), 0)::int as day from audit_log
           where site_id = $1 and audit_id > uuidv7(interval '-1 day') and actor = 'nobody'`,
          [NO_SITE],
        ),
      );
      return rows[0]!;
    },
    line: ({ day }) =>
      day === 0
        ? null
        : `${day} calls with a wrong key in 24 hours: GET /v1/audit?actor=nobody shows from where`,
  }),
];
