// What the status says of databases that an upgrade or a restore put aside and nobody dropped: they hold people, and disk.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { reading, warning } from '../../ground/feature.ts';
import { utc } from '../../ground/http/fields.ts';
import { putAside } from './put-aside.ts';

const shape = z
  .array(z.object({ name: z.string(), bytes: z.int().min(0).nullable(), at: utc }))
  .describe('databases that an upgrade or a restore put aside, oldest first');

const told = (databases: z.output<typeof shape>): string =>
  databases.map(({ name, bytes }) => `${name} (${Math.round((bytes ?? 0) / 1e6)} MB)`).join(', ');

export const putAsideReading = reading<{ db: Pool }, z.output<typeof shape>>({
  name: 'putAside',
  shape,
  read: ({ db }) => putAside(db),
  line: (databases) => (databases.length > 0 ? told(databases) : null),
  rules: [
    {
      id: 'put_aside',
      // an upgrade that waits for health and its canary, or a restore that replays a long journal, takes less
      minutes: 30,
      when: 'a database that an upgrade or a restore put aside is still there after half an hour',
      check: (databases) =>
        databases.length > 0
          ? warning(
              `Left from an upgrade or a restore: ${told(databases)}. It holds people who may have been erased since, and disk; when nobody needs it: docker compose exec api marketing restore-finish NAME`,
            )
          : null,
    },
  ],
});
