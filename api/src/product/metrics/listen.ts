// Hears what other processes did to the numbers (migration 0013) and ends the answers kept here. One connection of its own.
import pg from 'pg';
import type { Log } from '../../ground/lib/log.ts';
import type { MetricsCache } from './cache.ts';

const AGAIN_MS = 1000;

/**
 * Listens from now on; a lost connection is made again every second, and until then nothing is kept.
 * returns  close, and once it is listening for the first time
 */
export async function listenForChanges(
  url: string,
  cache: MetricsCache,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  async function listen(): Promise<void> {
    const mine = new pg.Client({
      connectionString: url,
      application_name: 'marketing-metrics',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    });
    let lost = false;
    const lose = (err?: Error) => {
      if (lost || closed) return;
      lost = true;
      client = null;
      cache.hears(false);
      log.warn({ err }, 'changes of numbers are not heard for the moment; no answers are kept');
      mine.end().catch(() => {});
      timer = setTimeout(() => void listen().catch(lose), AGAIN_MS).unref();
    };
    mine.on('error', lose);
    mine.on('end', () => lose());
    mine.on('notification', ({ payload }) =>
      cache.clear(payload ? payload.split(',').filter(Boolean) : undefined),
    );
    try {
      await mine.connect();
      await mine.query('listen metrics_changed');
    } catch (error) {
      lose(error as Error);
      return;
    }
    client = mine;
    // what changed before this moment was not heard
    cache.hears(true);
  }

  await listen();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await client?.end().catch(() => {});
    },
  };
}
