// The numbers of some visits, counted from the rows that are kept of each: session_days, and visit_facts of the days that still
// change. A statement looks at each row once; sets are hashed in bounded memory, and the statement timeout ends what takes too long.
import type { Db } from '../../../ground/db/pool.ts';
import { AppError } from '../../../ground/lib/app-error.ts';
import { addDays, dayOf } from '../../../ground/lib/days.ts';
import type { Site } from '../../../ground/site.ts';
import type { Selection } from '../../segments/filters.ts';
import { conditionsSql, Values } from './filters.ts';
import { happened, type Window } from './window.ts';

/** Above all rows of the kept days, so that an open day's names are none of them. */
const OF_OPEN_DAY = '-9223372036854775808';
const openKey = (text: string) => `hashtextextended(${text}, 0) | (${OF_OPEN_DAY})`;
const ORIGIN = `row(f.source, f.referrer, f.campaign, f.utm_source, f.utm_medium, f.utm_term, f.utm_content, coalesce(f.device_type, 'unknown'),
  coalesce(f.browser, 'unknown'), coalesce(f.os, 'unknown'), coalesce(f.country, 'unknown'))::text`;

/** SQL of a with: `open` are facts of open days, `matching` all visits that are meant, of $1 the site, $2 to $3 its days. */
function visitsSql(selection: Selection, values: Values): string {
  const { closed, open } = conditionsSql(selection, values);
  // read again for each use, which is less than keeping every visit beside
  return `open as materialized (
      select f.*, ${openKey(ORIGIN)} as origin, count(*) over (partition by day, visitor_id) > 1 as again from visit_facts f
      where f.site_id = $1 and f.day between $2::date and $3::date and f.begun is not null and ${open}
    ), matching as not materialized (
      select d.day, d.visitor_id, d.again, d.origin_id::bigint as origin, d.landing_id::bigint as landing, d.leaving_id::bigint as leaving, d.pages,
        cardinality(d.pages) as page_views, d.begun, d.converted, d.bounced, d.engaged_ms, d.forms_started, d.forms_submitted
      from session_days d where d.site_id = $1 and d.day between $2::date and $3::date and ${closed}
      union all
      select f.day, f.visitor_id, f.again, f.origin, coalesce(${openKey('f.landing')}, 0), coalesce(${openKey('f.leaving')}, 0), null, f.page_views, f.begun = 1,
        f.converted = 1, f.bounced = 1, least(f.engaged_ms, 2147483647)::int, cardinality(array_positions(f.kinds, 'form'))::smallint,
        (select coalesce(sum(n.conversions), 0) from unnest(f.kinds, f.name_conversions) n (kind, conversions) where n.kind = 'form')::smallint
      from open f
    )`;
}

/** SQL of who is to be compared: who came once on a day is one visitor for each name of the visit, and few come again. */
const OFTEN = 'case when again then visitor_id end as often_id, case when again then day end as often_on';

function startOf(site: Site, window: Window, selection: Selection) {
  const past = happened(site, window);
  const values = new Values();
  for (const value of [site.siteId, past.from, past.to]) values.put(value);
  return { values, visits: visitsSql(selection, values) };
}

/** Sets that do not fit are spooled; of one statement no more than some of these are there at once. */
async function prepare(db: Db): Promise<void> {
  await db.query("select set_config('work_mem', '12MB', true), set_config('jit', 'off', true)");
}

/**
 * The first day whose visits can be asked for: of earlier ones only sums are left.
 * throws  unavailable, while days of the window are being counted again for the first time
 */
async function firstDayOf(db: Db, { siteId }: Site, window: Window, retentionDays: number): Promise<string> {
  const bound = addDays(dayOf(Date.now()), -retentionDays);
  const { rows } = await db.query<{ sealed: string | null; waits: boolean }>({
    name: 'metric_days_kept',
    text: `select max(day) filter (where sealed_at is not null)::text as sealed, coalesce(bool_or(sealed_at is null), false) as waits
     from rollup_state where site_id = $1 and day between greatest($2::date, $4::date) and $3::date and not visits_kept and not is_open`,
    values: [siteId, window.from, window.to, bound],
  });
  const { sealed, waits } = rows[0]!;
  if (waits)
    throw new AppError(
      'unavailable',
      'Visits of these days are still being brought together, once after an upgrade. Ask again in some minutes, or without filters.',
      { retryAfterSeconds: 60 },
    );
  return sealed === null ? bound : addDays(sealed, 1);
}

/** throws  invalid_request with path from, naming the first day that can be asked for; unavailable */
export async function checkDays(db: Db, site: Site, window: Window, retentionDays: number): Promise<void> {
  const first = await firstDayOf(db, site, window, retentionDays);
  if (window.from >= first) return;
  throw new AppError(
    'invalid_request',
    `Filters need the visits themselves, which are kept for ${retentionDays} days: ask from ${first} on, or without filters.`,
    { issues: [{ path: 'from', message: `with filters not before ${first}` }] },
  );
}

/** What it is compared with; null where not all of its visits are kept any more. */
export async function keptBefore(
  db: Db,
  site: Site,
  before: Window | null,
  retentionDays: number,
): Promise<Window | null> {
  return before && before.from >= (await firstDayOf(db, site, before, retentionDays)) ? before : null;
}

export interface SelectedDay {
  day: string;
  uniqueVisitors: number;
  sessions: number;
  pageViews: number;
  entrances: number;
  landingConversions: number;
  bounces: number;
  engagedMs: number;
  formsStarted: number;
  formsSubmitted: number;
}

export const NO_VISITS: Omit<SelectedDay, 'day'> = {
  uniqueVisitors: 0,
  sessions: 0,
  pageViews: 0,
  entrances: 0,
  landingConversions: 0,
  bounces: 0,
  engagedMs: 0,
  formsStarted: 0,
  formsSubmitted: 0,
};

/** Days that have such visits. */
export async function countDays(
  db: Db,
  site: Site,
  window: Window,
  selection: Selection,
): Promise<SelectedDay[]> {
  await prepare(db);
  const { values, visits } = startOf(site, window, selection);
  const { rows } = await db.query<SelectedDay>(
    `with ${visits}, of_visitors as (
       select day, case when again then visitor_id end as often_id, case when bool_or(again) then 1 else count(*) end as visitors,
         (count(*) filter (where begun))::int as sessions, sum(page_views)::int as page_views,
         (count(*) filter (where begun and landing <> 0))::int as entrances, (count(*) filter (where begun and converted))::int as converted,
         (count(*) filter (where begun and landing <> 0 and bounced))::int as bounces, sum(engaged_ms) filter (where begun and landing <> 0) as engaged_ms,
         sum(forms_started)::int as forms_started, sum(forms_submitted)::int as forms_submitted
       from matching group by 1, 2
     )
     select day::text as day, sum(visitors)::bigint as "uniqueVisitors", sum(sessions)::bigint as sessions, sum(page_views)::bigint as "pageViews",
       sum(entrances)::bigint as entrances, sum(converted)::bigint as "landingConversions", sum(bounces)::bigint as bounces,
       coalesce(sum(engaged_ms), 0)::bigint as "engagedMs", sum(forms_started)::bigint as "formsStarted", sum(forms_submitted)::bigint as "formsSubmitted"
     from of_visitors group by day order by day`,
    values.all,
  );
  return rows;
}

export interface Distinct {
  visitors: number;
  /** Without an id of their own. */
  day: number;
  /** Of the others, seen before the first day of the span. */
  returning: number;
}

/** spans  parts of the window, by their first days. returns  by first day */
export async function countVisitors(
  db: Db,
  site: Site,
  window: Window,
  selection: Selection,
  spans: readonly Window[],
): Promise<Map<string, Distinct>> {
  await prepare(db);
  const { values, visits } = startOf(site, window, selection);
  const firsts = values.put(spans.map(({ from }) => from));
  const { rows } = await db.query<Distinct & { first: string }>(
    `with ${visits}, seen as materialized (
       select width_bucket(day, ${firsts}::date[]) as span, visitor_id from matching group by 1, 2
     ), known as materialized (
       select width_bucket(day, ${firsts}::date[]) as span, visitor_id, bool_or(is_day_visitor) as is_day
       from visitor_days
       where site_id = $1 and day between $2::date and $3::date
         and (is_day_visitor or previous_day < (${firsts}::date[])[width_bucket(day, ${firsts}::date[])]) group by 1, 2
     )
     select (${firsts}::date[])[span]::text as first, count(*) as visitors, count(*) filter (where k.is_day) as day, count(*) filter (where not k.is_day) as returning
     from seen left join known k using (span, visitor_id) group by span`,
    values.all,
  );
  return new Map(rows.map(({ first, ...counts }) => [first, counts]));
}

export interface SelectedPart {
  kind: string;
  name: string;
  detail: string;
  visitors: number;
  sessions: number;
  entrances: number;
  pageViews: number;
  conversions: number;
  nth: number;
  rows: number;
  allSessions: number;
  allEntrances: number;
  allPageViews: number;
  allConversions: number;
}

/** Kinds of daily_breakdowns that can be counted of some visits. */
export const SELECTED_KINDS = [
  'source',
  'campaign',
  'utm_source',
  'utm_medium',
  'utm_term',
  'utm_content',
  'referrer',
  'device',
  'browser',
  'os',
  'country',
  'entrance',
  'exit',
  'page',
] as const;

/** The largest of each kind, in their order, with the sums of all of the kind beside them. */
export async function countKinds(
  db: Db,
  site: Site,
  window: Window,
  selection: Selection,
  kinds: readonly string[],
  limit: number,
): Promise<SelectedPart[]> {
  await prepare(db);
  const { values, visits } = startOf(site, window, selection);
  const wanted = values.put(kinds);
  const most = values.put(limit);
  const has = (kind: string) => kinds.includes(kind);
  const byPath = [has('entrance') ? ENTRANCES : '', has('exit') ? EXITS : '', has('page') ? PAGES : '']
    .filter(Boolean)
    .join(' union all ');
  const { rows } = await db.query<SelectedPart>(
    `with ${visits}, origins as materialized (
       select origin_id::bigint as origin, source, referrer, campaign, utm_source, utm_medium, utm_term, utm_content, device_type, browser, os, country
       from visit_origins where site_id = $1
       union all
       select distinct on (origin) origin, source, referrer, campaign, utm_source, utm_medium, utm_term, utm_content, coalesce(device_type, 'unknown'),
         coalesce(browser, 'unknown'), coalesce(os, 'unknown'), coalesce(country, 'unknown') from open
     ), paths as materialized (
       select path_id::bigint as path_key, path from visit_paths where site_id = $1
       union all
       select ${openKey('path')}, path from (
         select landing from open union select leaving from open
         union select n.name from open f cross join lateral unnest(f.kinds, f.names) n (kind, name) where n.kind = 'page') o (path) where path is not null
     ), alike as (
       -- as integers: sums of bigint are kept in numeric
       select ${OFTEN}, origin, (count(*))::int as times, (count(*) filter (where begun))::int as sessions,
         (count(*) filter (where begun and landing <> 0))::int as entrances, sum(page_views)::int as page_views, (count(*) filter (where begun and converted))::int as conversions
       from matching where ${kinds.some((kind) => !OF_PATHS.includes(kind))} group by 1, 2, 3
     ), by_path (often_id, often_on, kind, path_key, times, sessions, entrances, page_views, conversions) as (
       ${byPath || "select null::uuid, null::date, '', 0::bigint, 0, 0, 0, 0, 0 where false"}
     ), named as (
       select a.often_id, a.often_on, by.kind, by.name, by.detail, a.times, a.sessions, a.entrances, a.page_views, a.conversions
       from alike a join origins o using (origin) cross join lateral (values
         ('source', o.source, ''), ('campaign', o.campaign, campaign_detail(o.utm_source, o.utm_medium)), ('utm_source', o.utm_source, ''),
         ('utm_medium', o.utm_medium, ''), ('utm_term', o.utm_term, ''), ('utm_content', o.utm_content, ''), ('referrer', o.referrer, ''),
         ('device', o.device_type, ''), ('browser', o.browser, ''), ('os', o.os, ''), ('country', o.country, '')) as by (kind, name, detail)
       where by.name is not null and by.kind = any (${wanted}::text[])
       union all
       select b.often_id, b.often_on, b.kind, p.path, '', b.times, b.sessions, b.entrances, b.page_views, b.conversions from by_path b join paths p using (path_key)
     ), of_visitors as (
       select kind, name, detail, case when often_id is null then sum(times) else 1 end as visitors, sum(sessions) as sessions, sum(entrances) as entrances,
         sum(page_views) as page_views, sum(conversions) as conversions
       from named group by often_id, often_on, kind, name, detail
     ), told_apart as materialized (
       select kind, name, detail, sum(visitors) as visitors, sum(sessions) as sessions, sum(entrances) as entrances, sum(page_views) as page_views,
         sum(conversions) as conversions
       from of_visitors group by 1, 2, 3
     ), merged as materialized (
       -- one name in several spellings is one, under its most frequent
       select kind, (array_agg(name order by sessions desc, name, detail))[1] as name, (array_agg(detail order by sessions desc, name, detail))[1] as detail,
         sum(visitors)::bigint as visitors, sum(sessions)::bigint as sessions, sum(entrances)::bigint as entrances, sum(page_views)::bigint as page_views,
         sum(conversions)::bigint as conversions
       from told_apart group by kind, case when kind in ('campaign', 'utm_source', 'utm_medium') then lower(name) else name end,
         case when kind = 'campaign' then lower(detail) else detail end
     ), ranked as (
       select m.*, row_number() over largest as nth, count(*) over whole as rows, sum(sessions) over whole as all_sessions, sum(entrances) over whole as all_entrances,
         sum(page_views) over whole as all_page_views, sum(conversions) over whole as all_conversions
       from merged m window whole as (partition by kind),
         largest as (partition by kind order by case when kind = 'page' then page_views else sessions end desc, name, detail)
     )
     select kind, name, detail, visitors, sessions, entrances, page_views as "pageViews", conversions, nth, rows, all_sessions::bigint as "allSessions",
       all_entrances::bigint as "allEntrances", all_page_views::bigint as "allPageViews", all_conversions::bigint as "allConversions"
     from ranked where nth <= ${most}::int order by kind, nth`,
    values.all,
  );
  return rows;
}

const OF_PATHS: readonly string[] = ['entrance', 'exit', 'page'];
const ENTRANCES = `select ${OFTEN}, 'entrance', landing, (count(*))::int, (count(*) filter (where begun))::int, (count(*) filter (where begun))::int,
         sum(page_views)::int, (count(*) filter (where begun and converted))::int from matching where landing <> 0 group by 1, 2, 4`;
const EXITS = `select ${OFTEN}, 'exit', leaving, (count(*))::int, (count(*))::int, 0, 0, 0 from matching where begun and leaving <> 0 group by 1, 2, 4`;
// Of a visit the same page stands beside itself: where it is another one than before, it is one more visitor's.
const PAGES = `select ${OFTEN}, 'page', u.page::bigint, (count(*) filter (where m.pages[u.place - 1] is distinct from u.page))::int, 0, 0, (count(*))::int, 0
       from matching m cross join lateral unnest(m.pages) with ordinality as u (page, place) where m.pages is not null group by 1, 2, 4
       union all
       select ${OFTEN}, 'page', ${openKey('n.name')}, 1, 0, 0, n.views, 0
       from open f cross join lateral unnest(f.kinds, f.names, f.name_views) n (kind, name, views) where n.kind = 'page' and n.views > 0`;
