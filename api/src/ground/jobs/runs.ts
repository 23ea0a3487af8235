// The SQL door of jobs: the table of runs.
import type { Db } from '../db/pool.ts';
import type { Run, Trigger } from './shape.ts';

interface Row {
  run_id: string;
  job: string;
  scheduled_for: Date | null;
  trigger: Trigger;
  state: Run['state'];
  started_at: Date;
  finished_at: Date | null;
  options: Run['options'];
  result: Run['result'];
  error: string | null;
}

const asRun = (row: Row): Run => ({
  runId: row.run_id,
  job: row.job,
  scheduledFor: row.scheduled_for?.toISOString() ?? null,
  trigger: row.trigger,
  state: row.state,
  startedAt: row.started_at.toISOString(),
  finishedAt: row.finished_at?.toISOString() ?? null,
  options: row.options,
  result: row.result,
  error: row.error,
});

/**
 * Claims a slot; a slot whose process ended in the middle may be claimed again.
 * scheduledFor  null: by hand, always claimed
 * returns       null when the slot was run already
 */
export async function claimRun(
  db: Db,
  job: string,
  scheduledFor: Date | null,
  trigger: Trigger,
  options: Record<string, unknown>,
): Promise<Run | null> {
  const { rows } = await db.query<Row>(
    `insert into job_runs as r (job, scheduled_for, trigger, options) values ($1, $2, $3, $4)
     on conflict (job, scheduled_for) do update
     set trigger = excluded.trigger, state = 'running', started_at = clock_timestamp(), finished_at = null,
       attempts = r.attempts + 1
     where r.state = 'abandoned' and r.attempts < 3
     returning *`,
    [job, scheduledFor, trigger, JSON.stringify(options)],
  );
  return rows[0] ? asRun(rows[0]) : null;
}

export async function finishRun(
  db: Db,
  runId: string,
  end: {
    state: 'succeeded' | 'incomplete' | 'failed';
    result: Record<string, unknown> | null;
    error: string | null;
  },
): Promise<Run> {
  const { rows } = await db.query<Row>(
    `update job_runs set state = $2, finished_at = clock_timestamp(), result = $3, error = $4 where run_id = $1 returning *`,
    [runId, end.state, end.result === null ? null : JSON.stringify(end.result), end.error],
  );
  return asRun(rows[0]!);
}

/** Marks runs as abandoned that say "running"; the caller holds the job's lease, so nobody does. */
export async function abandonRuns(db: Db, job: string): Promise<number> {
  const { rowCount } = await db.query(
    "update job_runs set state = 'abandoned', finished_at = clock_timestamp() where job = $1 and state = 'running'",
    [job],
  );
  return rowCount ?? 0;
}

/** The last slot of each job, and how it ended. */
export async function lastSlots(db: Db): Promise<Map<string, { scheduledFor: Date; state: Run['state'] }>> {
  const { rows } = await db.query<{ job: string; scheduled_for: Date; state: Run['state'] }>(
    `select distinct on (job) job, scheduled_for, state from job_runs
     where scheduled_for is not null order by job, scheduled_for desc`,
  );
  return new Map(rows.map((row) => [row.job, { scheduledFor: row.scheduled_for, state: row.state }]));
}

/** Newest first. before: where the page before ended, its last run's start and id */
export async function listRuns(
  db: Db,
  job: string,
  before: [string, string] | null,
  limit: number,
): Promise<Run[]> {
  const { rows } = await db.query<Row>(
    `select * from job_runs where job = $1 and ($2::timestamptz is null or (started_at, run_id) < ($2, $3::uuid))
     order by started_at desc, run_id desc limit $4`,
    [job, before?.[0] ?? null, before?.[1] ?? null, limit],
  );
  return rows.map(asRun);
}

export async function latestRuns(db: Db): Promise<Map<string, { last: Run; lastSuccessAt: string | null }>> {
  const { rows } = await db.query<Row & { last_success_at: Date | null }>(
    `select r.*, (select max(finished_at) from job_runs s where s.job = r.job and s.state in ('succeeded', 'incomplete')) as last_success_at
     from (select distinct on (job) * from job_runs order by job, started_at desc) r`,
  );
  return new Map(
    rows.map((row) => [
      row.job,
      { last: asRun(row), lastSuccessAt: row.last_success_at?.toISOString() ?? null },
    ]),
  );
}

/** Rows of jobs that run every minute are kept 2 days, of others 400. */
export async function purgeRuns(db: Db, minutelyJobs: string[]): Promise<number> {
  const { rowCount } = await db.query(
    `delete from job_runs where state <> 'running'
       and started_at < now() - case when job = any ($1) then interval '2 days' else interval '400 days' end`,
    [minutelyJobs],
  );
  return rowCount ?? 0;
}

/** Notes that the service was there in this UTC minute. */
export async function markMinute(db: Db): Promise<void> {
  await db.query(
    `insert into service_days as s (day, minutes)
     select (now() at time zone 'UTC')::date, set_bit(repeat('0', 1440)::bit(1440), minute, 1)
     from (select (extract(epoch from now())::bigint / 60 % 1440)::int as minute) clock
     on conflict (day) do update
     set minutes = set_bit(s.minutes, (extract(epoch from now())::bigint / 60 % 1440)::int, 1)`,
  );
}
