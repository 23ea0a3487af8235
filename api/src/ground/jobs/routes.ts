// The admin's door to the jobs: GET /v1/admin/jobs, GET and POST /v1/admin/jobs/{job}.
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../db/pool.ts';
import { readBody } from '../http/body.ts';
import { adminDoor, jsonBody, ok, refusals } from '../http/openapi-parts.ts';
import { validate } from '../http/validate.ts';
import { AppError } from '../lib/app-error.ts';
import { listRuns } from './queries.ts';
import type { Job, Runner } from './runner.ts';

const NO_OPTIONS = z.object({});

export function jobRoutes({ db, runner, admin }: { db: Pool; runner: Runner; admin: Middleware }): Router {
  const router = new Router();
  const body = readBody({ bytesMax: 16 * 1024 });
  const named = (ctx: Context): Job => {
    const job = runner.jobs.find(({ name }) => name === ctx.params.job);
    if (!job) throw new AppError('not_found', 'There is no such job; GET /v1/admin/jobs lists them.');
    return job;
  };

  router.get('/v1/admin/jobs', admin, async (ctx) => {
    ctx.body = { ok: true, jobs: await runner.status() };
  });
  router.get('/v1/admin/jobs/:job', admin, async (ctx) => {
    ctx.body = { ok: true, runs: await listRuns(db, named(ctx).name, 50) };
  });
  router.post(
    '/v1/admin/jobs/:job',
    admin,
    async (ctx, next) => {
      // no body at all means no options
      if (Number(ctx.get('content-length') || 0) === 0 && !ctx.get('transfer-encoding')) {
        ctx.state.body = {};
        return next();
      }
      return body(ctx, next);
    },
    async (ctx) => {
      const job = named(ctx);
      const options = validate(job.options ?? NO_OPTIONS, ctx.state.body) as Record<string, unknown>;
      ctx.body = { ok: true, run: await runner.runNow(job.name, options) };
    },
  );
  return router;
}

const runShape = z
  .object({
    runId: z.uuid(),
    job: z.string(),
    scheduledFor: z.iso.datetime().nullable(),
    trigger: z.enum(['schedule', 'made_up', 'by_hand']),
    state: z.enum(['running', 'succeeded', 'failed', 'abandoned']),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    options: z.record(z.string(), z.unknown()),
    result: z.record(z.string(), z.unknown()).nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'JobRun' });
const statusShape = z
  .object({
    job: z.string(),
    cron: z.string().nullable().describe('five fields, UTC; null: by hand only'),
    why: z.string(),
    last: runShape.nullable(),
    lastSuccessAt: z.iso.datetime().nullable(),
    stuck: z.boolean(),
  })
  .meta({ id: 'JobStatus' });
const jobName = { requestParams: { path: z.object({ job: z.string() }) } };

export const jobPaths: ZodOpenApiPathsObject = {
  '/v1/admin/jobs': {
    get: {
      ...adminDoor,
      summary: 'Every job, when it runs, and how its last run ended',
      responses: { 200: ok(z.object({ ok: z.literal(true), jobs: z.array(statusShape) })), ...refusals },
    },
  },
  '/v1/admin/jobs/{job}': {
    get: {
      ...adminDoor,
      ...jobName,
      summary: 'The last 50 runs of a job',
      responses: { 200: ok(z.object({ ok: z.literal(true), runs: z.array(runShape) })), ...refusals },
    },
    post: {
      ...adminDoor,
      ...jobName,
      summary: 'Runs a job now and waits for it; 409 while one runs',
      requestBody: jsonBody(z.record(z.string(), z.unknown()).describe("the job's own options")),
      responses: { 200: ok(z.object({ ok: z.literal(true), run: runShape })), ...refusals },
    },
  },
};
