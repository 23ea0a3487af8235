// A hot standby that is asked only for what it has replayed. Row level security holds there as on the primary: the roles, the
// policies and their tables are replayed too, and what a transaction may see is said in it. Whatever is wrong with the standby
// is the caller's reason to ask the primary, never an answer.
import { AppError } from '../lib/app-error.ts';
import type { Log } from '../lib/log.ts';
import { isDatabaseAway, isPassing } from './faults.ts';
import type { Db, Pool } from './pool.ts';
import { connectTo, StandbyFault, type StandbyPools } from './standby-connect.ts';
import { inSites } from './transaction.ts';

export const STANDBY_STATES = ['serving', 'away', 'behind', 'promoted', 'refused'] as const;
export type StandbyState = (typeof STANDBY_STATES)[number];

const WHY: Record<Exclude<StandbyState, 'serving'>, string> = {
  away: 'the standby does not answer',
  behind: 'the standby is too far behind',
  promoted: 'the server that METRICS_DATABASE_URL names is no standby any more',
  refused: 'the standby cannot be used as METRICS_DATABASE_URL says',
};

export interface Standby {
  state(): StandbyState;
  /**
   * Runs work in a transaction on the standby that sees this site, and all that the primary had written at that position.
   * throws  when the standby has not come so far in time, or is none; and what it or work throws otherwise
   */
  read<T>(siteId: string, position: string, work: (tx: Db) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

class NoStandby extends Error {}
class NotThere extends Error {}

export interface StandbyPatience {
  lookEveryMs: number;
  /** Further behind than this it is not asked at all. */
  lagMsMax: number;
  /** How long a reading waits for what it has to see. */
  waitMs: number;
  /** The password and the rights of a role may still be on their way when this process has just made them. */
  startMs: number;
}
const STANDARD: StandbyPatience = { lookEveryMs: 5000, lagMsMax: 10_000, waitMs: 300, startMs: 5000 };
const POLL_MS = 15;

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** How far the primary has written: whoever has replayed this has everything that was acknowledged until now. */
export async function positionOf(primary: Db): Promise<string> {
  const { rows } = await primary.query<{ position: string }>(
    'select pg_current_wal_flush_lsn()::text as position',
  );
  return rows[0]!.position;
}

/** throws  NoStandby; a promoted server would still say how far it had come when it was one, so both are one question */
async function reaches(db: Db, position: string, waitMs: number): Promise<boolean> {
  const until = performance.now() + waitMs;
  for (;;) {
    const { rows } = await db.query<{ is_standby: boolean; is_there: boolean }>({
      name: 'standby_reaches',
      text: `select pg_is_in_recovery() as is_standby,
        coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as is_there`,
      values: [position],
    });
    if (!rows[0]!.is_standby) throw new NoStandby('this server is no standby');
    if (rows[0]!.is_there) return true;
    if (performance.now() >= until) return false;
    await pause(POLL_MS);
  }
}

export interface StandbyParts {
  /** Where it is; who signs in and to which database is as in servingUrl where it does not say so. */
  url: string;
  servingUrl: string;
  primary: Pool;
  log: Log;
  patience?: Partial<StandbyPatience>;
}

/** throws  StandbyFault, a sentence for each fault; a standby that is away or too far behind is none: it is looked after */
export async function openStandby({
  url,
  servingUrl,
  primary,
  log,
  patience = {},
}: StandbyParts): Promise<Standby> {
  const { lookEveryMs, lagMsMax, waitMs, startMs } = { ...STANDARD, ...patience };
  let pools: StandbyPools | null = null;
  let state: StandbyState | null = null;
  /** Where the primary was, and when: a standby that has replayed it is no further behind than that is long ago. */
  let awaited: { position: string; at: number } | null = null;
  let waits = true;
  let isLooking = false;

  function turn(next: StandbyState, err?: unknown): void {
    if (next === state) return;
    state = next;
    if (next === 'serving') log.info('numbers are read from the standby');
    else log.warn({ err }, `numbers are read from the primary: ${WHY[next]}`);
  }

  function lose(error: unknown): void {
    awaited = null;
    if (error instanceof NoStandby) turn('promoted');
    else turn(error instanceof StandbyFault ? 'refused' : 'away', error);
  }

  async function ask(): Promise<void> {
    const at = performance.now();
    const position = await positionOf(primary).catch((error) => {
      if (isPassing(error)) return null;
      throw error;
    });
    // while the primary is away nothing is answered, and nothing is said of the standby
    if (position === null) return;
    pools ??= await connectTo(url, servingUrl, primary, log);
    awaited ??= { position, at };
    const isThere = await reaches(pools.watching, awaited.position, state === 'serving' ? 0 : waitMs);
    const isLate = performance.now() - awaited.at > lagMsMax;
    if (isThere) {
      waits = true;
      awaited = { position, at };
    }
    if (isThere && !isLate) turn('serving');
    else if (!isThere && (isLate || state === null)) turn('behind');
  }

  async function look(): Promise<void> {
    if (isLooking) return;
    isLooking = true;
    await ask().catch(lose);
    isLooking = false;
  }

  const until = performance.now() + startMs;
  for (;;) {
    const fault = await ask().then(
      () => null,
      (error) => error,
    );
    if (fault === null) break;
    if (!(fault instanceof StandbyFault)) {
      lose(fault);
      break;
    }
    if (performance.now() >= until) throw fault;
    await pause(Math.min(500, startMs));
  }
  const timer = setInterval(() => void look(), lookEveryMs).unref();

  return {
    state: () => state ?? 'away',
    async read(siteId, position, work) {
      try {
        return await inSites(pools!.reading, siteId, async (tx) => {
          if (!(await reaches(tx, position, waits ? waitMs : 0))) {
            // until it has caught up nobody else waits in vain
            waits = false;
            throw new NotThere('the standby has not replayed what this reading has to see');
          }
          return work(tx);
        });
      } catch (error) {
        if (error instanceof NoStandby || isDatabaseAway(error)) lose(error);
        else if (!(error instanceof NotThere || error instanceof AppError))
          log.debug({ err: error }, 'a reading from the standby failed');
        throw error;
      }
    },
    async close() {
      clearInterval(timer);
      await Promise.all([pools?.reading.end(), pools?.watching.end()]);
    },
  };
}
