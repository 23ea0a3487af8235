// Makes everything in a database older: every moment and day of every table, as if the clock had gone on.
import type { Pool } from '../src/ground/db/pool.ts';

/** Their times are the machine's, not the world's: what ran here, and when. */
const MACHINES = ['schema_migrations', 'job_runs', 'service_days', 'machine_notes'];

interface Timed {
  table: string;
  column: string;
  isDay: boolean;
}

/**
 * Without triggers: nobody did anything. Chains of consent no longer match their hashes afterwards.
 *
 * owner  a superuser, who is above row level security
 */
export async function ageBy(owner: Pool, days: number): Promise<void> {
  const { rows } = await owner.query<Timed>(
    `select c.relname as table, a.attname as column, a.atttypid = 'date'::regtype as "isDay" from pg_attribute a
     join pg_class c on c.oid = a.attrelid where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and not c.relispartition and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
       and a.atttypid in ('date'::regtype, 'timestamptz'::regtype) and c.relname <> all ($1) order by 1, 2`,
    [MACHINES],
  );
  const { rows: there } = await owner.query<{ day: string }>(
    "select distinct to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD') as day from events",
  );
  const client = await owner.connect();
  try {
    await client.query('begin');
    for (const { day } of there)
      await client.query('select make_event_partitions($1::date - $2::int, $1::date - $2::int)', [day, days]);
    await client.query(
      `select make_notification_partitions(day, day) from (
         select distinct (created_at - make_interval(days => $1))::date as day from notification_events) as days`,
      [days],
    );
    await client.query('set local session_replication_role = replica');
    for (const [table, columns] of Map.groupBy(rows, (row) => row.table))
      await client.query(
        `update ${table} set ${columns
          .map(({ column, isDay }) =>
            column === 'month' // stays the first of one
              ? `month = (month - make_interval(months => round($1::int / 30.4375)::int))::date`
              : `${column} = ${column} - ${isDay ? '$1::int' : 'make_interval(days => $1)'}`,
          )
          .join(', ')}`,
        [days],
      );
    await client.query('commit');
  } catch (err) {
    await client.query('rollback');
    throw err;
  } finally {
    client.release();
  }
}
