// The last half hour, from raw events by their time: a bounded look-up, no rollup is that young.
import { z } from 'zod';
import type { Db } from '../../../ground/db/pool.ts';
import { utc } from '../../../ground/http/fields.ts';
import { report } from './report.ts';
import { count, siteFields } from './window.ts';

const MINUTES = 30;
const TOP = 10;

const numbers = { visitors: count, pageViews: count };
const top = z.array(z.object({ name: z.string(), ...numbers }));
const answer = z
  .object({
    since: utc,
    activeVisitors: count,
    pageViews: count,
    events: count,
    minutes: z.array(z.object({ minute: utc, ...numbers, events: count })),
    pages: top,
    sources: top,
    countries: top,
    devices: top,
  })
  .meta({ id: 'MetricsRealtime' });

interface Seen {
  kind: string;
  name: string;
  events: number;
  views: number;
  visitors: number;
}

/** Of pages, sources, countries and devices the first ten, in their order. since: a whole minute */
async function findSince(db: Db, siteId: string, since: Date): Promise<Seen[]> {
  const { rows } = await db.query<Seen>({
    name: 'metric_realtime',
    text: `with recent as materialized (
       select e.visitor_id, e.occurred_at, e.event_type, split_part(e.path, '?', 1) as path, s.source, s.country, s.device_type
       from events e left join sessions s on s.site_id = e.site_id and s.session_id = e.session_id
       -- a clock may be minutes ahead: what is still to come is in no minute, so in no total
       where e.site_id = $1 and e.occurred_at >= $2 and e.occurred_at < $2::timestamptz + make_interval(mins => $3) and e.bot_reason is null
     ), seen as (
       select k.kind, k.name, count(*) as events, count(*) filter (where event_type = 'page_view') as views, count(distinct visitor_id) as visitors
       from recent cross join lateral (values ('all', ''), ('minute', to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:00.000"Z"')),
       ('page', path), ('source', source), ('country', country), ('device', device_type)) as k (kind, name)
       where k.name is not null group by 1, 2
     )
     select kind, name, events, views, visitors from (
       select *, row_number() over (partition by kind order by visitors desc, events desc, name) as place from seen
     ) placed where kind in ('all', 'minute') or place <= $4 order by kind, place`,
    values: [siteId, since, MINUTES, TOP],
  });
  return rows;
}

export const realtime = report({
  name: 'realtime',
  says: 'The last 30 minutes',
  query: z.object(siteFields),
  answer,
  cached: false,
  async read(db, site) {
    const since = new Date(Math.floor(Date.now() / 60_000) * 60_000 - (MINUTES - 1) * 60_000);
    const rows = await findSince(db, site.siteId, since);
    const of = (kind: string) => rows.filter((row) => row.kind === kind);
    const most = (kind: string) =>
      of(kind).map(({ name, visitors, views }) => ({ name, visitors, pageViews: views }));
    const byMinute = new Map(of('minute').map((row) => [row.name, row]));
    const all = of('all')[0];
    return {
      since: since.toISOString(),
      activeVisitors: all?.visitors ?? 0,
      pageViews: all?.views ?? 0,
      events: all?.events ?? 0,
      minutes: Array.from({ length: MINUTES }, (_, n) => {
        const minute = new Date(since.getTime() + n * 60_000).toISOString();
        const seen = byMinute.get(minute);
        return {
          minute,
          visitors: seen?.visitors ?? 0,
          pageViews: seen?.views ?? 0,
          events: seen?.events ?? 0,
        };
      }),
      pages: most('page'),
      sources: most('source'),
      countries: most('country'),
      devices: most('device'),
    };
  },
  rows: ({ minutes }) => minutes,
});
