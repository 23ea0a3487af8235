// The rows behind the numbers of traffic: visits one by one, and what happened in one. Nobody is named: no ids of browsers, no
// hashes, no values of events.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { toCsv } from '../../ground/lib/csv.ts';
import { timeZoneOf } from '../../ground/site.ts';
import { count, duringWindow, timeZone, windowed, windowShape } from './reports/window.ts';

const shape = {
  sessionId: z.uuid(),
  siteId: z.uuid(),
  startedAt: utc,
  lastActivityAt: utc,
  landingPath: z.string(),
  exitPath: z.string().nullable().describe('the last page that was looked at; null: none was'),
  referrer: z.string().nullable(),
  source: z.string(),
  campaign: z.string().nullable(),
  deviceType: z.string(),
  browser: z.string().nullable(),
  os: z.string().nullable(),
  country: z.string().nullable(),
  pageViews: count,
  events: count.describe('of any kind'),
  engagedSeconds: count.describe('for which it was looked at and used'),
  converted: z.boolean(),
};
const visitShape = z.object(shape).meta({ id: 'Visit' });
export type Visit = z.output<typeof visitShape>;

const stepShape = z
  .object({
    at: utc,
    eventType: z.string(),
    path: z.string(),
    engagedSeconds: count.nullable(),
    isConversion: z.boolean(),
  })
  .meta({ id: 'VisitStep' });
export type Step = z.output<typeof stepShape>;

const name = z.string().trim().min(1).max(255).optional();
const query = windowed({
  source: name,
  deviceType: name,
  country: name,
  ...paging(50, 500),
});

/** What the index on visitors and times finds of a session: what it did, by people. */
const EVENTS_OF_IT = `from events e where e.site_id = s.site_id and e.visitor_id = s.visitor_id and e.session_id = s.session_id
  and e.occurred_at between s.started_at and s.last_activity_at and e.bot_reason is null`;
const COLUMNS = `s.session_id as "sessionId", s.site_id as "siteId", instant_text(s.started_at) as "startedAt", instant_text(s.last_activity_at) as "lastActivityAt",
  split_part(s.landing_path, '?', 1) as "landingPath", did.exit_path as "exitPath", s.referrer, s.source, s.utm ->> 'campaign' as campaign,
  s.device_type as "deviceType", s.browser, s.os, s.country, did.views as "pageViews", did.events, did.engaged as "engagedSeconds", did.converted`;
const DID = `cross join lateral (
  select count(*)::int as events, (count(*) filter (where e.event_type = 'page_view'))::int as views, coalesce(sum(e.engaged_ms) / 1000, 0)::int as engaged,
    coalesce(bool_or(e.is_conversion), false) as converted,
    (array_agg(split_part(e.path, '?', 1) order by e.occurred_at desc, e.event_id desc) filter (where e.event_type = 'page_view'))[1] as exit_path
  ${EVENTS_OF_IT}) did`;

const STEPS_MAX = 500;

async function findVisits(
  tx: Db,
  siteId: string,
  { from, to, source, deviceType, country, cursor, limit }: z.output<typeof query>,
): Promise<Visit[]> {
  const after = readCursor(cursor, z.tuple([utc, z.uuid()]));
  const { rows } = await tx.query<Visit>({
    name: 'visits',
    text: `select ${COLUMNS} from (
        select * from sessions where site_id = $1 and not is_bot and ${duringWindow('started_at')}
          and ($4::text is null or source = $4) and ($5::text is null or device_type = $5) and ($6::text is null or country = $6)
          and ($7::timestamptz is null or (started_at, session_id) < ($7, $8::uuid))
        order by started_at desc, session_id desc limit $9::int
      ) s ${DID} order by s.started_at desc, s.session_id desc`,
    values: [siteId, from, to, source, deviceType, country, after?.[0], after?.[1], limit + 1],
  });
  return rows;
}

async function findVisit(tx: Db, sessionId: string): Promise<Visit | null> {
  const { rows } = await tx.query<Visit>(
    `select ${COLUMNS} from sessions s ${DID}
     where s.site_id = any (current_sites()) and s.session_id = $1 and not s.is_bot`,
    [sessionId],
  );
  return rows[0] ?? null;
}

async function listSteps(tx: Db, sessionId: string): Promise<Step[]> {
  const { rows } = await tx.query<Step>(
    `select instant_text(e.occurred_at) as at, e.event_type as "eventType", split_part(e.path, '?', 1) as path,
       round(e.engaged_ms / 1000.0)::int as "engagedSeconds", e.is_conversion as "isConversion"
     from sessions s cross join lateral (
       select e.* ${EVENTS_OF_IT} order by e.occurred_at, e.event_id limit ${STEPS_MAX + 1}
     ) e
     where s.site_id = any (current_sites()) and s.session_id = $1 order by e.occurred_at, e.event_id`,
    [sessionId],
  );
  return rows;
}

export function sessionRoutes({ db }: { db: Pool }): Route[] {
  return [
    route({
      at: 'GET /v1/metrics/sessions',
      id: 'getMetricsSessions',
      says: 'The visits of some days, the newest first: the rows behind the numbers of traffic, as long as raw events are kept; format=csv for a table',
      tag: 'metrics',
      who: 'numbers',
      of: 'named',
      takes: { as: 'query', shape: query },
      asTable: true,
      answers: {
        200: z
          .object({ timeZone, window: windowShape, sessions: z.array(visitShape), nextCursor })
          .meta({ id: 'MetricsSessions' }),
      },
      async run(asked, call) {
        const { site } = call;
        const rows = await inSites(db, site.siteId, (tx) => findVisits(tx, site.siteId, asked));
        const { page, nextCursor: next } = pageOf(rows, asked.limit, (last) => [
          last.startedAt,
          last.sessionId,
        ]);
        if (asked.format === 'csv')
          return new Reply(200, toCsv(page), {
            'Content-Type': 'text/csv; charset=utf-8',
            'Content-Disposition': 'attachment; filename="sessions.csv"',
          });
        return {
          timeZone: timeZoneOf(site),
          window: { from: asked.from, to: asked.to },
          sessions: page,
          nextCursor: next,
        };
      },
    }),
    route({
      at: 'GET /v1/metrics/sessions/:sessionId',
      id: 'getMetricsSession',
      says: 'One visit, and what happened in it, in order',
      tag: 'metrics',
      who: 'numbers',
      of: 'all',
      answers: {
        200: z.object({
          session: visitShape,
          steps: z.array(stepShape).describe(`the first ${STEPS_MAX}`),
          cut: z.boolean().describe('there are more'),
        }),
      },
      async run(_input, call) {
        const sessionId = call.params.sessionId!;
        return inSites(db, [...call.siteIds], async (tx) => {
          const session = await findVisit(tx, sessionId);
          if (!session)
            throw new AppError('not_found', 'There is no visit with this id, or its time is over.');
          call.note({ siteId: session.siteId, target: sessionId });
          const steps = await listSteps(tx, sessionId);
          return { session, steps: steps.slice(0, STEPS_MAX), cut: steps.length > STEPS_MAX };
        });
      },
    }),
  ];
}
