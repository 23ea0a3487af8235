// Whether the process serves, and whether its database answered a moment ago.
import type { Pool } from '../../ground/db/pool.ts';

const CHECK_EVERY_MS = 5000;
const CHECK_OLD_MS = 10_000;

export type Phase = 'starting' | 'serving' | 'draining';

export interface Health {
  phase: Phase;
  /** Asks the database now and remembers; also runs every 5 s. */
  check(): Promise<void>;
  databaseAnswers(): boolean;
  close(): void;
}

export function watchHealth(db: Pool): Health {
  let answeredAt = Number.NEGATIVE_INFINITY;
  const health: Health = {
    phase: 'starting',
    async check() {
      try {
        await db.query('select 1');
        answeredAt = performance.now();
      } catch {
        answeredAt = Number.NEGATIVE_INFINITY;
      }
    },
    databaseAnswers: () => performance.now() - answeredAt <= CHECK_OLD_MS,
    close: () => clearInterval(timer),
  };
  const timer = setInterval(() => void health.check(), CHECK_EVERY_MS).unref();
  return health;
}
