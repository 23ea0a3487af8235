// Days of events are partitions, and months of what was seen of notifications: made ahead by a job, and by the write that needs one.
import type { Db } from '../../ground/db/pool.ts';

/** Partitions for the UTC days from `fromDays` to `toDays` around today, both inclusive. returns how many were made */
export async function makePartitions(db: Db, fromDays: number, toDays: number): Promise<number> {
  const { rows } = await db.query<{ made: number }>(
    `select make_event_partitions(today + $1::int, today + $2::int) + make_notification_partitions(today - 1, today + $2::int + 31) as made
     from (select (now() at time zone 'UTC')::date as today) now`,
    [fromDays, toDays],
  );
  return rows[0]!.made;
}

/** For withRetries: the days an event that arrives now may lie in, when the job that makes them ahead did not run. */
export const todaysPartitions = (db: Db) => () => makePartitions(db, -2, 1);
