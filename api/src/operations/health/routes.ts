// Alive? Ready? /livez never asks the database; /v1/healthz tells its last answer; /readyz is red while we start, drain or overflow.
import Router from '@koa/router';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Pool } from '../../ground/db/pool.ts';
import { isAdmin } from '../../ground/http/admin.ts';
import { type IdentifyClient, isInternal } from '../../ground/http/client.ts';
import type { Meters } from '../../ground/http/meters.ts';
import { ok, refusals } from '../../ground/http/openapi-parts.ts';
import { AppError } from '../../ground/lib/app-error.ts';

const CHECK_EVERY_MS = 5000;
const CHECK_OLD_MS = 10_000;

export type Phase = 'starting' | 'serving' | 'draining';

export interface Health {
  phase: Phase;
  /** Asks the database now and remembers; also runs every 5 s. */
  check(): Promise<void>;
  databaseAnswers(): boolean;
  close(): void;
}

export function watchHealth(db: Pool): Health {
  let answeredAt = Number.NEGATIVE_INFINITY;
  const health: Health = {
    phase: 'starting',
    async check() {
      try {
        await db.query('select 1');
        answeredAt = performance.now();
      } catch {
        answeredAt = Number.NEGATIVE_INFINITY;
      }
    },
    databaseAnswers: () => performance.now() - answeredAt <= CHECK_OLD_MS,
    close: () => clearInterval(timer),
  };
  const timer = setInterval(() => void health.check(), CHECK_EVERY_MS).unref();
  return health;
}

/** The routes that answer from the first moment on, before there is a database. */
export function lifeRoutes({
  health,
  isFull,
  version,
}: {
  health: () => Health | null;
  isFull: () => boolean;
  version: string;
}): Router {
  const router = new Router();
  router.get('/livez', (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { ok: true };
  });
  router.get('/readyz', (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const now = health();
    const reason =
      now?.phase !== 'serving'
        ? (now?.phase ?? 'starting')
        : isFull()
          ? 'overfull'
          : now.databaseAnswers()
            ? null
            : 'without database';
    if (reason) throw new AppError('unavailable', `Not ready: ${reason}.`, { retryAfterSeconds: 5 });
    ctx.body = { ok: true };
  });
  router.get('/v1/healthz', (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const now = health();
    if (now?.phase !== 'serving' || !now.databaseAnswers()) {
      throw new AppError(
        'unavailable',
        now?.phase === 'serving' ? 'The database does not answer.' : 'The service is not up.',
        { retryAfterSeconds: 5 },
      );
    }
    ctx.body = { ok: true, service: 'marketing-api', version, timestamp: new Date().toISOString() };
  });
  return router;
}

export function metersRoutes({
  meters,
  adminKey,
  identify,
}: {
  meters: Meters;
  adminKey: string | undefined;
  identify: IdentifyClient;
}): Router {
  const router = new Router();
  router.get('/metrics', async (ctx) => {
    // Through Caddy the client's own address counts, so the internet is not the internal network.
    if (!isInternal(identify(ctx).address) && !isAdmin(ctx, adminKey))
      throw new AppError('unauthorized', 'Send the admin key in the x-admin-key header.');
    ctx.type = meters.registry.contentType;
    ctx.body = await meters.registry.metrics();
  });
  return router;
}

const fine = ok(z.object({ ok: z.literal(true) }));
export const healthPaths: ZodOpenApiPathsObject = {
  '/livez': { get: { summary: 'The process runs', responses: { 200: fine } } },
  '/readyz': { get: { summary: 'It takes traffic', responses: { 200: fine, ...refusals } } },
  '/v1/healthz': {
    get: {
      summary: 'It serves, and its database answered within 10 s',
      responses: {
        200: ok(
          z.object({
            ok: z.literal(true),
            service: z.literal('marketing-api'),
            version: z.string(),
            timestamp: z.iso.datetime(),
          }),
        ),
        ...refusals,
      },
    },
  },
  '/metrics': {
    get: {
      summary: 'Prometheus text, for admins and the internal network',
      responses: { 200: { description: 'Metrics', content: { 'text/plain': {} } }, ...refusals },
    },
  },
  '/v1/openapi.json': {
    get: {
      summary: 'This document',
      responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
    },
  },
};
