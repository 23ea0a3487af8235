// The admin's door to the numbers: GET /v1/metrics/…; each as JSON or CSV, cached, with ETag and Server-Timing.
import Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Config } from '../../config.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { adminDoor, ok, refusals } from '../../ground/http/openapi-parts.ts';
import type { RateLimits } from '../../ground/http/rate-limit.ts';
import { validate } from '../../ground/http/validate.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { toCsv } from '../../ground/lib/csv.ts';
import { dayOf } from '../../ground/lib/days.ts';
import type { Site } from '../../ground/site.ts';
import type { Sites } from '../sites/recognise.ts';
import { attribution } from './attribution.ts';
import { type MetricsCache, metricsCache } from './cache.ts';
import { breakdown, cohorts, leadsBehind, quality, realtime, timeseries } from './reports.ts';
import * as schema from './schema.ts';
import { summaryQuery, summaryShape } from './schema.ts';
import { summarize } from './summary.ts';

type Row = Record<string, unknown>;

interface Report<Query> {
  /** Last part of its path. */
  name: string;
  summary: string;
  query: z.ZodType<Query>;
  answer: z.ZodType;
  read(db: Db, site: Site, query: Query, config: Config): Promise<Row>;
  /** The answer as a table. */
  rows(answer: Row): Row[];
  cached?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: each report has a query of its own shape
const REPORTS: Report<any>[] = [
  {
    name: 'summary',
    summary: 'The headline numbers of a window, against the window before',
    query: summaryQuery,
    answer: summaryShape,
    read: (db, site, { from, to, compareTo }, config) =>
      summarize(db, site, {
        window: { from, to },
        compare: compareTo,
        retentionDays: config.EVENT_RETENTION_DAYS,
      }),
    rows: ({ metrics }) =>
      Object.entries(metrics as Record<string, Row>).flatMap(([metric, told]) =>
        metric === 'trafficSourceMix'
          ? Object.entries(told).map(([source, value]) => ({
              metric: `${metric}.${source}`,
              value,
              delta: null,
            }))
          : [{ metric, value: told.value, delta: told.delta }],
      ),
  },
  {
    name: 'timeseries',
    summary: 'The numbers day by day, by ISO week or by month; visitors distinct within each',
    query: schema.seriesQuery,
    answer: schema.seriesShape,
    read: timeseries,
    rows: ({ series }) => series as Row[],
  },
  {
    name: 'breakdown',
    summary:
      'What the numbers consist of: pages, entrances, exits, sources, campaigns, referrers, devices, …',
    query: schema.breakdownQuery,
    answer: schema.breakdownShape,
    read: breakdown,
    rows: ({ rows }) => rows as Row[],
  },
  {
    name: 'cohorts',
    summary: 'Leads by week of first capture and source, and how far they got after 0..n weeks',
    query: schema.cohortsQuery,
    answer: schema.cohortsShape,
    read: cohorts,
    rows: (answer) =>
      (answer.cohorts as Row[]).map(({ verifiedAfter, signedUpAfter, activatedAfter, ...cohort }) => ({
        ...cohort,
        ...numbered('verifiedAfter', verifiedAfter),
        ...numbered('signedUpAfter', signedUpAfter),
        ...numbered('activatedAfter', activatedAfter),
      })),
  },
  {
    name: 'attribution',
    summary: 'Which touches leads, signups or activations are credited to, by five models',
    query: schema.attributionQuery,
    answer: schema.attributionShape,
    read: attribution,
    rows: ({ rows }) => rows as Row[],
  },
  {
    name: 'quality',
    summary:
      'How far the numbers can be trusted: bots, spam, refusals, ledger, service, domains of addresses',
    query: schema.windowQuery,
    answer: schema.qualityShape,
    read: quality,
    rows: ({ days }) => days as Row[],
  },
  {
    name: 'leads',
    summary: 'The leads behind a number; total is that number',
    query: schema.leadsQuery,
    answer: schema.leadsShape,
    read: leadsBehind,
    rows: ({ leads }) => leads as Row[],
  },
  {
    name: 'realtime',
    summary: 'The last 30 minutes',
    query: schema.realtimeQuery,
    answer: schema.realtimeShape,
    read: (db, site) => realtime(db, site),
    rows: ({ minutes }) => minutes as Row[],
    // a rollup doesn't change it, the clock does
    cached: false,
  },
];

const numbered = (name: string, counts: unknown): Row =>
  Object.fromEntries((counts as number[]).map((count, week) => [`${name}${week}`, count]));

export interface MetricsDoor {
  db: Pool;
  sites: Sites;
  cache: MetricsCache;
  limits: RateLimits;
  admin: Middleware;
  config: Config;
}

export function siteOf(sites: Sites, propertyId: string | undefined): Site {
  if (propertyId === undefined) return sites.fallback();
  const site = sites.list().find(({ key, siteId }) => key === propertyId || siteId === propertyId);
  if (!site)
    throw new AppError('invalid_request', 'No site has this propertyId. Compare it with GET /v1/sites.', {
      issues: [{ path: 'propertyId', message: 'is not known' }],
    });
  return site;
}

export function metricsRoutes({ db, sites, cache, limits, admin, config }: MetricsDoor): Router {
  const router = new Router();
  const uncached = metricsCache(0);
  for (const report of REPORTS) {
    router.get(`/v1/metrics/${report.name}`, admin, async (ctx) => {
      if (report.name === 'summary') await limits.take(ctx, 'summary');
      const began = performance.now();
      const query = validate(report.query, { ...ctx.query }) as Row & { format: 'json' | 'csv' };
      const site = siteOf(sites, query.propertyId as string | undefined);
      const today = dayOf(Date.now());
      const key = JSON.stringify([report.name, site.updatedAt, today, query]);
      const make = async () => {
        const made = await inSites(db, site.siteId, (client) => report.read(client, site, query, config));
        return query.format === 'csv' ? toCsv(report.rows(made)) : JSON.stringify(made);
      };
      const { answer, hit } = await (report.cached === false ? uncached : cache).through(
        site.siteId,
        key,
        make,
      );
      send(ctx, answer, query.format, report.name);
      const ms = (performance.now() - began).toFixed(2);
      ctx.set('Server-Timing', hit ? `cache;desc=hit, total;dur=${ms}` : `db;dur=${ms}, total;dur=${ms}`);
    });
  }
  return router;
}

function send(
  ctx: Context,
  answer: { text: string; etag: string },
  format: 'json' | 'csv',
  name: string,
): void {
  ctx.set('ETag', answer.etag);
  // the browser asks again each time; an unchanged answer is a 304
  ctx.set('Cache-Control', 'private, no-cache');
  ctx.vary('x-admin-key');
  ctx.status = 200;
  // not ctx.fresh: fetch sends Cache-Control: no-cache along with If-None-Match
  if (ctx.get('if-none-match').split(/,\s*/).includes(answer.etag)) {
    ctx.status = 304;
    return;
  }
  ctx.type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8';
  if (format === 'csv') ctx.set('Content-Disposition', `attachment; filename="${name}.csv"`);
  ctx.body = answer.text;
}

export const metricsPaths: ZodOpenApiPathsObject = Object.fromEntries(
  REPORTS.map((report) => [
    `/v1/metrics/${report.name}`,
    {
      get: {
        ...adminDoor,
        summary: `${report.summary}; format=csv for a table`,
        requestParams: { query: report.query as z.ZodObject },
        responses: { 200: ok(report.answer), ...refusals },
      },
    },
  ]),
);
