// What webhooks tell about themselves: how many wait, since when, and which endpoints were switched off.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { reading, warning } from '../../ground/feature.ts';
import { numbersOfAll } from '../sites/across.ts';

const count = z.int().min(0);
const shape = z.object({
  endpoints: count,
  off: count.describe('switched off by themselves: gone, or five days of failures'),
  waiting: count,
  lagSeconds: count.describe('how long the oldest waits that was never tried'),
});

export const webhookReadings = [
  reading<{ db: Pool; sites: { ids(): string[] } }, z.output<typeof shape>>({
    name: 'webhooks',
    shape,
    read: (house) =>
      numbersOfAll(
        house,
        `select count(*) as endpoints, count(*) filter (where disabled_why in ('gone', 'failures')) as off,
           coalesce(sum(d.waiting), 0)::bigint as waiting, coalesce(max(d.lag), 0)::bigint as "lagSeconds"
         from webhooks w left join lateral (
           select count(*) as waiting, extract(epoch from now() - min(created_at) filter (where tries = 0))::bigint as lag from deliveries d
           where w.disabled_at is null and d.site_id = w.site_id and d.webhook_id = w.webhook_id and d.state = 'pending') d on true
         where w.site_id = any (current_sites())`,
      ),
    line: ({ endpoints, off, waiting }) =>
      endpoints === 0
        ? null
        : `${endpoints} endpoints${off > 0 ? `, ${off} switched off` : ''}, ${waiting} waiting`,
    rules: [
      {
        id: 'webhooks_off',
        minutes: 1,
        when: 'an endpoint was switched off, because it is gone or failed for five days',
        check: ({ off }) =>
          off > 0
            ? warning(
                `${off} endpoints of other systems were switched off after failures: nothing is told there. Look at GET /v1/sites/{siteId}/webhooks; put the address right and switch it on, or delete it`,
              )
            : null,
      },
    ],
  }),
];
