// Runs the jobs of schedule.ts: once a slot even with two processes, never beside itself, made up when missed, recorded.
import { schedule as cronTask, type ScheduledTask } from 'node-cron';
import type { z } from 'zod';
import { holdLease, type Lease } from '../db/lease.ts';
import type { Pool } from '../db/pool.ts';
import { AppError } from '../lib/app-error.ts';
import type { Log } from '../lib/log.ts';
import { cutText } from '../lib/text.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { abandonRuns, claimRun, finishRun, lastSlots, latestRuns } from './runs.ts';
import type { JobStatus, Run, Trigger } from './shape.ts';
import { latestSlot } from './slots.ts';

export interface JobRun {
  /** Validated by the job's own schema; {} by schedule. */
  // biome-ignore lint/suspicious/noExplicitAny: each job knows its own options
  options: any;
  /** The clock, or somebody who waits for it. */
  trigger: Trigger;
  log: Log;
  /** Aborted when the process stops: finish the present bite and return. */
  signal: AbortSignal;
  /** Says how far it is; the command line prints it, the log has it. */
  progress(line: string): void;
}

export interface Job {
  /** As in POST /v1/admin/jobs/{job}. */
  name: string;
  /** Five fields, UTC; null: by hand only. */
  cron: string | null;
  why: string;
  /** What POST /v1/admin/jobs/{job} may say; by schedule the job gets {}. */
  options?: z.ZodType;
  /** A run longer than this is shown as stuck. Default 10. */
  minutesMax?: number;
  /**
   * The work: safe to run twice. The answer is small and goes into the table of runs: counts, never personal. With
   * `warnings`, sentences for the operator, the run is incomplete: its work is done, but for what they say.
   */
  run(run: JobRun): Promise<Record<string, unknown> & { warnings?: string[] }>;
}

export interface Runner {
  jobs: Job[];
  /** Makes up what was missed, then follows the clock. */
  start(): void;
  /**
   * Runs a job now and waits for it.
   * throws  not_found, conflict while one runs (here or in another process), or what the job threw
   */
  runNow(name: string, options?: Record<string, unknown>, progress?: (line: string) => void): Promise<Run>;
  /** Runs the slot unless it was run; null when it was, or while another run is under way. */
  runSlot(name: string, slot: Date, trigger: Trigger): Promise<Run | null>;
  /** The slot of each job that passed while nobody ran it. */
  makeUp(now?: Date): Promise<string[]>;
  status(now?: Date): Promise<JobStatus[]>;
  /** No new run; asks the running ones to end, and waits for them. */
  close(): Promise<void>;
}

export interface RunnerNeeds {
  /** For the table of runs and the leases: connections that no job uses. */
  db: Pool;
  jobs: Job[];
  log: Log;
  /** Of a process that serves; absent: the command line. */
  processId?: string;
  tracing?: Tracing | null;
  /** For tests. */
  makeUpEveryMs?: number;
}

/** The clock of a machine that was asleep, or starved for some seconds, skips what was due meanwhile. */
const MAKE_UP_EVERY_MS = 10 * 60_000;

export function makeRunner({
  db,
  jobs,
  log,
  processId,
  tracing = null,
  makeUpEveryMs = MAKE_UP_EVERY_MS,
}: RunnerNeeds): Runner {
  const byName = new Map(jobs.map((job) => [job.name, job]));
  const running = new Map<string, Promise<unknown>>();
  const stopping = new AbortController();
  let tasks: ScheduledTask[] = [];
  let makingUp: NodeJS.Timeout | undefined;

  /** Runs work under the job's lease; undefined when someone else has it. */
  async function alone<T>(job: Job, work: (lease: Lease) => Promise<T>): Promise<T | undefined> {
    if (running.has(job.name) || stopping.signal.aborted) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    running.set(job.name, promise);
    try {
      const lease = await holdLease(db, `job ${job.name}`, processId);
      if (!lease) return undefined;
      try {
        return await work(lease);
      } finally {
        await lease
          .release()
          .catch((err) => log.warn({ err, job: job.name }, 'a lease stays until it runs out'));
      }
    } finally {
      running.delete(job.name);
      resolve();
    }
  }

  async function perform(
    { lost }: Lease,
    job: Job,
    run: Run,
    progress: (line: string) => void,
  ): Promise<{ run: Run; fault: unknown }> {
    const began = performance.now();
    let result: Awaited<ReturnType<Job['run']>> | null = null;
    let fault: unknown;
    try {
      result = await job.run({
        options: run.options,
        trigger: run.trigger,
        log,
        signal: AbortSignal.any([stopping.signal, lost]),
        progress,
      });
    } catch (error) {
      fault = error ?? new Error('failed');
    }
    const ms = Math.round(performance.now() - began);
    const line = { job: job.name, trigger: run.trigger, ms, result };
    const isFrequent = job.cron === '* * * * *';
    if (fault !== undefined) log.error({ ...line, err: fault }, 'job failed');
    else log[isFrequent ? 'debug' : 'info'](line, 'job');
    tracing?.job(job.name, run.trigger, ms, isFrequent, fault);
    // somebody else has the slot by now, and writes how it ended
    if (lost.aborted) return { run, fault: fault ?? new Error('its lease ran out') };
    const warnings = result?.warnings ?? [];
    const finished = await finishRun(db, run.runId, {
      state: fault !== undefined ? 'failed' : warnings.length > 0 ? 'incomplete' : 'succeeded',
      result,
      error: fault !== undefined ? nameOf(fault) : cutText(warnings.join('; '), 1000) || null,
    });
    return { run: finished, fault };
  }

  const runner: Runner = {
    jobs,
    start() {
      const makeUp = () =>
        runner.makeUp().catch((err) => log.error({ err }, 'missed jobs could not be made up'));
      void makeUp();
      makingUp = setInterval(makeUp, makeUpEveryMs).unref();
      tasks = jobs
        .filter((job) => job.cron !== null)
        .map((job) =>
          cronTask(
            job.cron!,
            ({ date }) =>
              runner
                .runSlot(job.name, minuteOf(date), 'schedule')
                .then(() => {})
                .catch((err) => log.error({ err, job: job.name }, 'a job could not be run')),
            { timezone: 'UTC', name: job.name, suppressMissedWarning: true, unref: true },
          ),
        );
    },
    async runNow(name, options = {}, progress = (line) => log.info({ job: name }, line)) {
      const job = byName.get(name);
      if (!job)
        throw new AppError(
          'not_found',
          `There is no job ${name}. The jobs are: ${[...byName.keys()].join(', ')}.`,
        );
      const outcome = await alone(job, async (lease) => {
        await abandonRuns(db, name);
        const run = await claimRun(db, name, null, 'by_hand', options);
        return perform(lease, job, run!, progress);
      });
      if (!outcome) throw new AppError('conflict', `The job ${name} is running. Wait until it ends.`);
      if (outcome.fault !== undefined) throw outcome.fault;
      return outcome.run;
    },
    async runSlot(name, slot, trigger) {
      const job = byName.get(name)!;
      const outcome = await alone(job, async (lease) => {
        await abandonRuns(db, name);
        const run = await claimRun(db, name, slot, trigger, {});
        return run ? perform(lease, job, run, (line) => log.debug({ job: name }, line)) : undefined;
      });
      return outcome?.run ?? null;
    },
    async makeUp(now = new Date()) {
      const seen = await lastSlots(db);
      const made: string[] = [];
      for (const job of jobs) {
        const last = seen.get(job.name);
        // What never ran was not missed: a new installation starts with its first slot.
        if (job.cron === null || !last) continue;
        const slot = latestSlot(job.cron, now);
        if (slot === null || slot < last.scheduledFor) continue;
        if (
          slot.getTime() === last.scheduledFor.getTime() &&
          last.state !== 'running' &&
          last.state !== 'abandoned'
        )
          continue;
        const run = await runner.runSlot(job.name, slot, 'made_up');
        if (run) made.push(job.name);
      }
      if (made.length > 0) log.info({ jobs: made }, 'made up missed jobs');
      return made;
    },
    async status(now = new Date()) {
      const latest = await latestRuns(db);
      return jobs.map((job) => {
        const { last = null, lastSuccessAt = null } = latest.get(job.name) ?? {};
        const minutes = last ? (now.getTime() - Date.parse(last.startedAt)) / 60_000 : 0;
        return {
          job: job.name,
          cron: job.cron,
          why: job.why,
          last,
          lastSuccessAt,
          stuck: last?.state === 'running' && minutes > (job.minutesMax ?? 10),
        };
      });
    },
    async close() {
      stopping.abort();
      clearInterval(makingUp);
      for (const task of tasks) await task.destroy();
      await Promise.all(running.values());
    },
  };
  return runner;
}

function minuteOf(date: Date): Date {
  const minute = new Date(date);
  minute.setUTCSeconds(0, 0);
  return minute;
}

/** What may stand in the table: an error's text can quote a row. */
function nameOf(fault: unknown): string {
  if (fault instanceof AppError) return `${fault.code}: ${fault.message}`;
  const { name, code } = fault as { name?: string; code?: string };
  return [name ?? 'Error', code].filter(Boolean).join(' ');
}
