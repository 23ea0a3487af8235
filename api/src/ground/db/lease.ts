// What only one may do at a time, in whatever process: a row that says who is at it, and is renewed as long as they are.
import { randomUUID } from 'node:crypto';
import type { Db } from './pool.ts';

/** So long after its holder went silent somebody else may have it. */
const SECONDS = 60;
const RENEW_EVERY_MS = 15_000;

export interface Lease {
  /** Aborted when it could not be renewed in time: somebody else may be at it now. */
  lost: AbortSignal;
  release(): Promise<void>;
}

const TAKE = `insert into leases as l (name, holder, process_id, until)
  values ($1, $2, $3, clock_timestamp() + make_interval(secs => $4))
  on conflict (name) do update set holder = excluded.holder, process_id = excluded.process_id, until = excluded.until
  where l.until < clock_timestamp() or l.holder = excluded.holder`;

/**
 * Takes it, or keeps it for longer when the holder has it already.
 * returns  whether the holder has it now
 */
export async function takeLease(
  db: Db,
  name: string,
  holder: string,
  processId: string | null,
  seconds = SECONDS,
): Promise<boolean> {
  const { rowCount } = await db.query(TAKE, [name, holder, processId, seconds]);
  return rowCount === 1;
}

/**
 * Holds it until it is released, or this process ends.
 * returns  null while somebody else has it
 */
export async function holdLease(
  db: Db,
  name: string,
  processId: string | null = null,
  { seconds = SECONDS, renewEveryMs = RENEW_EVERY_MS }: { seconds?: number; renewEveryMs?: number } = {},
): Promise<Lease | null> {
  const holder = randomUUID();
  let believedUntil = performance.now() + seconds * 1000;
  if (!(await takeLease(db, name, holder, processId, seconds))) return null;
  const lost = new AbortController();
  const timer = setInterval(async () => {
    const asked = performance.now();
    const has = await takeLease(db, name, holder, processId, seconds).catch(() => null);
    if (has) believedUntil = asked + seconds * 1000;
    // the database may be away for a moment; the row stands
    else if (has === false || performance.now() > believedUntil) lost.abort();
  }, renewEveryMs).unref();
  return {
    lost: lost.signal,
    async release() {
      clearInterval(timer);
      await db.query('delete from leases where name = $1 and holder = $2', [name, holder]);
    },
  };
}

/** Of a process that is known to have ended: nobody waits until its leases run out. */
export async function endLeasesOf(db: Db, processId: string): Promise<void> {
  await db.query('delete from leases where process_id = $1', [processId]);
}
