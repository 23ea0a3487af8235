// Hears what other processes say by NOTIFY. One connection of its own, whatever the number of channels.
import pg from 'pg';
import type { Log } from '../lib/log.ts';

const AGAIN_MS = 1000;

export interface Channel {
  name: string;
  heard(payload: string | undefined): void;
  /** false: for the moment nothing is heard; true: from now on, and what was said before was not. */
  hears(isListening: boolean): void;
}

/** Listens from now on; a lost connection is made again every second. returns  close, and once it listened for the first time */
export async function listenTo(
  url: string,
  channels: readonly Channel[],
  log: Log,
): Promise<{ close(): Promise<void> }> {
  let client: pg.Client | null = null;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const hear = (isListening: boolean) => {
    for (const channel of channels) channel.hears(isListening);
  };

  async function listen(): Promise<void> {
    const mine = new pg.Client({
      connectionString: url,
      application_name: 'marketing-listen',
      connectionTimeoutMillis: 5000,
      keepAlive: true,
    });
    let lost = false;
    const lose = (err?: Error) => {
      if (lost || closed) return;
      lost = true;
      client = null;
      hear(false);
      log.warn({ err }, 'what other processes do is not heard for the moment; no answers are kept');
      mine.end().catch(() => {});
      timer = setTimeout(() => void listen().catch(lose), AGAIN_MS).unref();
    };
    mine.on('error', lose);
    mine.on('end', () => lose());
    mine.on('notification', ({ channel, payload }) => {
      for (const one of channels) if (one.name === channel) one.heard(payload);
    });
    try {
      await mine.connect();
      for (const { name } of channels) await mine.query(`listen ${pg.escapeIdentifier(name)}`);
    } catch (error) {
      lose(error as Error);
      return;
    }
    client = mine;
    hear(true);
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
