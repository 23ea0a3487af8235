// Alive? Ready? /livez never asks the database; /v1/healthz tells its last answer; /readyz is red while we start, drain or overflow.
import { z } from 'zod';
import type { Meters } from '../../ground/http/meters.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Health } from './health.ts';

const UNCACHED = { 'Cache-Control': 'no-store' };
const unavailable = (message: string) => new AppError('unavailable', message, { retryAfterSeconds: 5 });

/** The routes that answer from the first moment on, before there is a database. */
export function lifeRoutes({
  health,
  isFull,
  version,
}: {
  health: () => Health | null;
  isFull: () => boolean;
  version: string;
}): Route[] {
  const common = { tag: 'health', who: 'anyone', bucket: 'none', quiet: true } as const;
  const fine = { 200: z.object({}) };
  return [
    route({
      ...common,
      at: 'GET /livez',
      id: 'isAlive',
      says: 'The process runs',
      answers: fine,
      run: () => new Reply(200, {}, UNCACHED),
    }),
    route({
      ...common,
      at: 'GET /readyz',
      id: 'isReady',
      says: 'It takes traffic',
      answers: fine,
      run() {
        const now = health();
        if (now?.phase !== 'serving') throw unavailable(`Not ready: ${now?.phase ?? 'starting'}.`);
        if (isFull()) throw unavailable('Not ready: overfull.');
        if (!now.databaseAnswers()) throw unavailable('Not ready: without database.');
        return new Reply(200, {}, UNCACHED);
      },
    }),
    route({
      ...common,
      at: 'GET /v1/healthz',
      id: 'getHealth',
      says: 'It serves, and its database answered within 10 s',
      answers: {
        200: z.object({
          service: z.literal('marketing-api'),
          version: z.string(),
          timestamp: z.iso.datetime(),
        }),
      },
      run() {
        const now = health();
        if (now?.phase !== 'serving') throw unavailable('The service is not up.');
        if (!now.databaseAnswers()) throw unavailable('The database does not answer.');
        const timestamp = new Date().toISOString();
        return new Reply(200, { service: 'marketing-api', version, timestamp }, UNCACHED);
      },
    }),
  ];
}

export function metersRoute({ meters }: { meters: Meters }): Route {
  return route({
    at: 'GET /metrics',
    id: 'getMeters',
    says: 'Prometheus text, for admins and the internal network',
    tag: 'health',
    who: 'inside',
    bucket: 'none',
    quiet: true,
    answers: { 200: { says: 'Metrics', type: 'text/plain' } },
    run: async () =>
      new Reply(200, await meters.registry.metrics(), { 'Content-Type': meters.registry.contentType }),
  });
}
