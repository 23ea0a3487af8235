// A report as a route: as JSON or CSV, cached, with ETag and Server-Timing, and by what this caller may see.
import { createHash } from 'node:crypto';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import type { Caller } from '../../ground/http/caller.ts';
import { jsonText } from '../../ground/http/frame.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route, VIEWS, type View } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { toCsv } from '../../ground/lib/csv.ts';
import type { Selection } from '../segments/filters.ts';
import { filtersOf, filtersOfShare } from '../segments/find.ts';
import { type CachedAnswer, type MetricsCache, metricsCache } from './cache.ts';
import type { Numbers } from './numbers.ts';
import type { Facts, Report } from './reports/report.ts';

type Format = 'json' | 'csv';

interface Asked {
  format: Format;
  f?: string[];
  segment?: string | undefined;
}

/** Which visits are asked for, and of which this caller may know. db: inside inSites of this site. */
async function selectionOf(
  db: Db,
  siteId: string,
  { f, segment }: Asked,
  caller: Caller,
): Promise<Selection> {
  const selection: (readonly string[])[] = [f ?? []];
  if (segment) selection.push(await filtersOf(db, siteId, segment, caller.person?.userId ?? null));
  if (caller.share?.segmentId) selection.push(await filtersOfShare(db, siteId, caller.share.segmentId));
  return selection;
}

/** What a house has for reports. */
export interface ReportNeeds {
  db: Pool;
  numbers: Pick<Numbers, 'read'>;
  metrics: MetricsCache;
  config: { EVENT_RETENTION_DAYS: number; GEO_DATABASE?: string | undefined };
}

const uncached = metricsCache(0);

export function reportRoute(report: Report, { db, numbers, metrics: cache, config }: ReportNeeds): Route {
  const facts: Facts = {
    retentionDays: config.EVENT_RETENTION_DAYS,
    countriesKnown: config.GEO_DATABASE !== undefined,
  };
  return route<Asked>({
    at: report.at ?? `GET /v1/metrics/${report.name}`,
    id: report.id ?? `getMetrics${report.name[0]!.toUpperCase()}${report.name.slice(1)}`,
    says: `${report.says}; format=csv for a table`,
    tag: 'metrics',
    who: 'numbers',
    of: report.at ? 'path' : 'named',
    takes: { as: 'query', shape: report.query, ...(report.selects ? { lists: ['f'] } : {}) },
    bucket: report.bucket ?? 'other',
    asTable: true,
    ...(viewOf(report.name) ? { view: viewOf(report.name)! } : {}),
    ...(report.showsLeads ? {} : { shows: 'no people' as const }),
    answers: {
      200: report.beside?.answer ?? report.answer,
      304: { says: 'What If-None-Match names is still the answer' },
    },
    async run(query, call) {
      const { site } = call;
      // a day begins on a quarter of an hour in every zone
      const quarter = Math.floor(Date.now() / 900_000);
      const { share, person } = call.caller;
      if (share?.segmentId && !report.selects)
        throw new AppError('forbidden', 'This link shows a segment, and this report is of all visits.');
      const hides = share?.hideMoney ?? false;
      const key = JSON.stringify([
        report.name,
        site.updatedAt,
        quarter,
        query,
        hides,
        share?.segmentId,
        query.segment && person?.userId,
      ]);
      const kept = report.cached === false ? uncached : cache;
      const { answer, hit } = await kept.through(site.siteId, key, async () => {
        const whole = await numbers.read(site.siteId, async (tx) => {
          const selection = await selectionOf(tx, site.siteId, query, call.caller);
          const shown = await report.read(tx, site, query, { ...facts, selection });
          return share?.segmentId && report.ofSelectionAlone ? report.ofSelectionAlone(shown) : shown;
        });
        const read = hides && report.withoutMoney ? report.withoutMoney(whole) : whole;
        return query.format === 'csv' ? toCsv(report.rows(read)) : jsonText(read);
      });
      const { beside } = report;
      const whole =
        beside && query.format === 'json'
          ? withBeside(
              answer,
              await inSites(db, site.siteId, (tx) => beside.read(tx, site, query, call.caller)),
            )
          : answer;
      return replyOf(call, whole, hit, query.format, report);
    },
  });
}

const viewOf = (name: string): View | undefined => VIEWS.find((view) => view === name);

/** One answer of two: what is kept, and what is this caller's own. */
function withBeside({ text, etag }: CachedAnswer, own: object): CachedAnswer {
  const more = JSON.stringify(own);
  const both = createHash('sha256').update(etag).update(more).digest('base64url').slice(0, 27);
  return { text: `${text.slice(0, -1)},${more.slice(1)}`, etag: `"${both}"` };
}

function replyOf(
  call: Call,
  { text, etag }: CachedAnswer,
  hit: boolean,
  format: Format,
  { name, showsLeads }: Pick<Report, 'name' | 'showsLeads'>,
): Reply {
  const ms = (performance.now() - call.began).toFixed(2);
  const headers = {
    ETag: etag,
    // of numbers the browser asks again each time, and an unchanged answer is a 304; of people it keeps nothing
    'Cache-Control': showsLeads ? 'no-store' : 'private, no-cache',
    Vary: 'x-admin-key, authorization, cookie, x-share-token',
    'Server-Timing': hit ? `cache;desc=hit, total;dur=${ms}` : `db;dur=${ms}, total;dur=${ms}`,
  };
  if (call.isFresh(etag)) return new Reply(304, null, headers);
  return new Reply(
    200,
    text,
    format === 'csv'
      ? {
          ...headers,
          'Content-Type': 'text/csv; charset=utf-8',
          'Content-Disposition': `attachment; filename="${name}.csv"`,
        }
      : { ...headers, 'Content-Type': 'application/json; charset=utf-8' },
  );
}
