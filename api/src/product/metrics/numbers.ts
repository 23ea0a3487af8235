// Where numbers are read: from the primary, or with METRICS_DATABASE_URL from a hot standby. A notice that something changed
// overtakes its replay there, so a reading counts only when the standby has come to where the primary was after the notice:
// otherwise an answer from before it would be kept as one from after it.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { openStandby, positionOf, type Standby, type StandbyState } from '../../ground/db/standby.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Log } from '../../ground/lib/log.ts';
import type { MetricsCache } from './cache.ts';

export interface Numbers {
  /** In a transaction that sees this site. work may run twice, so it only reads. */
  read<T>(siteId: string, work: (tx: Db) => Promise<T>): Promise<T>;
  told(): { state: 'off' | StandbyState; readings: { standby: number; primary: number } };
  close(): Promise<void>;
}

export interface NumbersParts {
  db: Pool;
  servingUrl: string;
  cache: Pick<MetricsCache, 'generation'>;
  config: { METRICS_DATABASE_URL?: string | undefined };
  log: Log;
}

/** throws  StandbyFault, when the setting cannot be meant */
export async function openNumbers({ db, servingUrl, cache, config, log }: NumbersParts): Promise<Numbers> {
  const readings = { standby: 0, primary: 0 };
  function readPrimary<T>(siteId: string, work: (tx: Db) => Promise<T>): Promise<T> {
    readings.primary += 1;
    return inSites(db, siteId, work);
  }
  const url = config.METRICS_DATABASE_URL;
  if (!url) return { read: readPrimary, told: () => ({ state: 'off', readings }), close: async () => {} };

  const standby: Standby = await openStandby({ url, servingUrl, primary: db, log });
  const positions = new Map<string, { generation: string; position: string }>();
  /** Where the primary was at some moment after this generation was told; asked once for each. */
  async function positionFor(siteId: string): Promise<string> {
    const generation = cache.generation(siteId);
    const known = positions.get(siteId);
    if (known && known.generation === generation) return known.position;
    const position = await positionOf(db);
    if (generation !== null) positions.set(siteId, { generation, position });
    return position;
  }
  return {
    async read(siteId, work) {
      if (standby.state() !== 'serving') return readPrimary(siteId, work);
      try {
        const read = await standby.read(siteId, await positionFor(siteId), work);
        readings.standby += 1;
        return read;
      } catch (error) {
        if (error instanceof AppError) throw error;
        // whatever it was, the primary has the last word
        return readPrimary(siteId, work);
      }
    },
    told: () => ({ state: standby.state(), readings }),
    close: () => standby.close(),
  };
}
