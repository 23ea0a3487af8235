// This process among those that serve from the same database: says that it is there, counts them, and proves with each such
// beat that it hears what they tell. Only then may it keep what another could make untrue.
import { randomUUID } from 'node:crypto';
import type { Log } from '../lib/log.ts';
import { type Channel, listenTo } from './listen.ts';
import type { Pool } from './pool.ts';

const BEAT_EVERY_MS = 15_000;

export interface Presence {
  id: string;
  /** How many serve, this one included. */
  count(): number;
  /** Whether what others tell is heard. */
  hears(): boolean;
  /** Says that it is there, now. */
  beat(): Promise<void>;
  close(): Promise<void>;
}

// Read as it was before: hence the one more, and only the others.
const BEAT = `with mine as (
    insert into processes (process_id) values ($1::uuid) on conflict (process_id) do update set seen_at = now()
  ), gone as (
    delete from processes where process_id <> $1::uuid and seen_at < now() - interval '60 seconds'
  )
  select 1 + count(*) as count, pg_notify('process_beats', $1::uuid::text) from processes
  where process_id <> $1::uuid and seen_at >= now() - interval '45 seconds'`;

/**
 * channels  what others tell; each knows whether that is heard, by proof and not by the connection alone: a pooler takes LISTEN,
 *           and passes nothing on
 */
export async function bePresent(
  db: Pool,
  url: string,
  channels: readonly Channel[],
  log: Log,
  beatEveryMs = BEAT_EVERY_MS,
): Promise<Presence> {
  const id = randomUUID();
  let count = 1;
  let hears = false;
  let isConnected = false;
  let isAwaited = false;
  const turn = (is: boolean) => {
    hears = is;
    for (const channel of channels) channel.hears(is);
  };
  const beat = async () => {
    // the last one was never heard
    if (isAwaited && hears) {
      turn(false);
      log.warn(
        'what other processes change is not heard (a pooler in transaction mode passes no notices on): no answers are kept',
      );
    }
    isAwaited = true;
    const { rows } = await db.query<{ count: number }>(BEAT, [id]);
    count = rows[0]!.count;
  };
  const beatAnyway = () => void beat().catch((err) => log.debug({ err }, 'no beat'));
  turn(false);
  const ears = await listenTo(
    url,
    [
      ...channels.map(({ name, heard }) => ({ name, heard, hears: () => {} })),
      {
        name: 'process_beats',
        heard(from) {
          if (from !== id || !isConnected) return;
          isAwaited = false;
          if (!hears) turn(true);
        },
        hears(isListening) {
          isConnected = isListening;
          isAwaited = false;
          if (isListening) beatAnyway();
          else if (hears) turn(false);
        },
      },
    ],
    log,
  );
  const timer = setInterval(beatAnyway, beatEveryMs).unref();
  return {
    id,
    count: () => count,
    hears: () => hears,
    beat,
    async close() {
      clearInterval(timer);
      await ears.close();
      await db.query('delete from processes where process_id = $1', [id]).catch(() => {});
    },
  };
}
