// The jobs over HTTP: GET /v1/admin/jobs, GET and POST /v1/admin/jobs/{job}.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { nextCursor, openRecord, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { validate } from '../../ground/http/validate.ts';
import { siteNamed } from '../../ground/http/which-site.ts';
import type { Job, Runner } from '../../ground/jobs/runner.ts';
import { listRuns } from '../../ground/jobs/runs.ts';
import { jobStatusShape, runShape } from '../../ground/jobs/shape.ts';
import { jobsFor, runFor } from '../../ground/jobs/shown.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import { BackupError } from '../backups/tools.ts';

const NO_OPTIONS = z.object({});

export interface JobNeeds {
  db: Pool;
  runner: Runner;
  sites: SiteDirectory;
}

export function jobRoutes({ db, runner, sites }: JobNeeds): Route[] {
  const named = (name: string): Job => {
    const job = runner.jobs.find((one) => one.name === name);
    if (!job) throw new AppError('not_found', 'There is no such job; GET /v1/admin/jobs lists them.');
    return job;
  };
  const common = { tag: 'jobs', who: 'machine' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/admin/jobs',
      id: 'listJobs',
      says: 'Every job, when it runs, and how its last run ended; lists of a result are told by their length',
      shows: 'no people',
      answers: { 200: z.object({ jobs: z.array(jobStatusShape) }) },
      run: async (_input, call) => ({ jobs: jobsFor(call.caller, sites)(await runner.status()) }),
    }),
    route({
      ...common,
      at: 'GET /v1/admin/jobs/:job',
      id: 'listJobRuns',
      says: 'The runs of a job with what each found, newest first',
      takes: { as: 'query', shape: z.object(paging(50, 200)) },
      answers: { 200: z.object({ runs: z.array(runShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const before = readCursor(cursor, z.tuple([z.iso.datetime(), z.uuid()]));
        const runs = await listRuns(db, named(call.params.job!).name, before, limit + 1);
        const { page, nextCursor: next } = pageOf(runs, limit, (last) => [last.startedAt, last.runId]);
        return { runs: page.map(runFor(call.caller, sites)), nextCursor: next };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/admin/jobs/:job',
      id: 'runJob',
      says: 'Runs a job now and waits for it; 409 while one runs',
      proof: 'fresh',
      takes: {
        as: ['json'],
        bytesMax: 16 * 1024,
        optional: true,
        documents: openRecord.describe("the job's own options"),
      },
      answers: { 200: z.object({ run: runShape }) },
      async run(_input, call) {
        const job = named(call.params.job!);
        call.note({ target: job.name });
        const options = validate(job.options ?? NO_OPTIONS, call.body) as Record<string, unknown>;
        // a site that is not theirs is one that is not there
        if (typeof options.propertyId === 'string')
          await siteNamed(sites, call.caller, options.propertyId, 'machine');
        return {
          run: runFor(call.caller, sites)(await runner.runNow(job.name, options).catch(tellBackupFault)),
        };
      },
    }),
  ];
}

// The rest quotes what tools say, paths and all: GET /v1/admin/status tells that to whoever looks after the machine.
const SAID_AS_IT_IS = new Set<unknown>(['no_tools', 'disk_short', 'no_backup']);

/** throws  what the machine lacks as something its owner can mend, and no fault of the product */
function tellBackupFault(error: unknown): never {
  if (!(error instanceof BackupError)) throw error;
  if (error.reason === 'busy') throw new AppError('conflict', error.message, { cause: error });
  const message = SAID_AS_IT_IS.has(error.reason)
    ? error.message
    : 'The backup could not be made or read. GET /v1/admin/status has the reason.';
  throw new AppError('unavailable', message, { cause: error });
}
