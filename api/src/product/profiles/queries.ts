// The SQL door of profiles. Inside inSites of the site.
import type { Db } from '../../ground/db/pool.ts';
import { SCORE } from './score.ts';

// Whoever agreed before read words that said nothing of scores.
const SCORES_SINCE = '(select scores_since from sites where site_id = $1)';
/** SQL: somebody whose browser this is, or was, objected to being profiled. of  what has the visitor's id */
const objects = (
  of: 'v' | 'p',
): string => `exists (select from lead_identities i join leads l using (site_id, lead_id)
  where i.site_id = $1 and i.visitor_id = ${of}.visitor_id and i.link_source <> 'same_ip_ua_window' and (l.no_profiling or l.restricted))`;

/** SQL: a choice that lets its visitor be scored. c  has the row of browser_choices */
const LETS = (c: string): string =>
  `${c}.mode = 'full' and ${c}.ends_at > now() and ${c}.chosen_at >= ${SCORES_SINCE} and not ${c}.privacy_signal`;
/** SQL: a person with an id of their own, who sends no signal. */
const IS_PERSON =
  'not v.privacy_signal and not v.is_day_visitor and v.bot_verdict is null and v.ip_hash is not null';

// An erased one's visits are nobody's: without the hashes, which every visitor of this kind has.
// $1 site, $2 intents as {"event type": weight}. Whose newest choice is `full`, holds and was made since the site says that it scores,
// who sends no signal, is a person and was seen in 30 days; one of them with $3. What they did under a signal counts for nothing. Whoever objected to being profiled has no score of the browsers that were theirs, though
// an objection undoes the links to those.
const COUNTED = `
  with newest as (
    select distinct on (visitor_id) visitor_id, mode, chosen_at, ends_at, privacy_signal from browser_choices
     where site_id = $1 and visitor_id is not null and ($3::uuid is null or visitor_id = $3)
     order by visitor_id, chosen_at desc, choice_id desc),
  agreed as (
    select v.visitor_id, v.first_seen_at, v.last_seen_at from newest n join visitors v on v.site_id = $1 and v.visitor_id = n.visitor_id
     where ${LETS('n')} and ${IS_PERSON} and not ${objects('v')}
       and v.last_seen_at >= now() - interval '30 days'),
  behaved as (
    select a.visitor_id, a.first_seen_at, a.last_seen_at,
      greatest(extract(epoch from now() - a.last_seen_at) / 86400, 0)::float8 as days,
      (select count(*) from sessions s where s.site_id = $1 and s.visitor_id = a.visitor_id and not s.is_bot and not s.privacy_signal
         and s.last_activity_at >= now() - interval '30 days')::int as sessions,
      coalesce(e.ms, 0)::float8 / 60000 as minutes, coalesce(1 - exp(e.doubt), 0)::float8 as intent
      from agreed a left join lateral (
        select sum(engaged_ms) as ms, sum(ln(1 - w.weight)) as doubt from events e
          left join lateral (select ($2::jsonb ->> e.event_type)::float8 as weight) w on true
         where e.site_id = $1 and e.visitor_id = a.visitor_id and e.bot_reason is null and not e.privacy_signal
           and e.occurred_at >= now() - interval '30 days' and e.occurred_at < now() + interval '1 day') e on true),
  scored as (select *, ${SCORE('days', 'sessions', 'minutes', 'intent')} as score from behaved)`;

export type Weights = Record<string, number>;

/** Makes the site's profiles anew. returns how many there are */
export async function countProfiles(db: Db, siteId: string, weights: Weights): Promise<number> {
  const { rows } = await db.query<{ visitor_id: string }>(
    `${COUNTED} insert into visitor_profiles (site_id, visitor_id, seen_at, sessions, engaged_minutes, intent, score)
     select $1, visitor_id, last_seen_at, sessions, minutes, intent, score from scored
     on conflict (site_id, visitor_id) do update set seen_at = excluded.seen_at, sessions = excluded.sessions,
       engaged_minutes = excluded.engaged_minutes, intent = excluded.intent, score = excluded.score, counted_at = now()
     returning visitor_id`,
    [siteId, JSON.stringify(weights), null],
  );
  await db.query('delete from visitor_profiles where site_id = $1 and not (visitor_id = any ($2::uuid[]))', [
    siteId,
    rows.map((row) => row.visitor_id),
  ]);
  return rows.length;
}

export async function dropProfiles(db: Db, siteId: string): Promise<void> {
  await db.query('delete from visitor_profiles where site_id = $1', [siteId]);
}

export interface ProfileRow {
  visitorId: string;
  firstSeenAt: string;
  lastSeenAt: string;
  sessions: number;
  engagedMinutes: number;
  intent: number;
  behaviorScore: number;
  leadId: string | null;
}

const LEAD = `(select i.lead_id from lead_identities i where i.site_id = $1 and i.visitor_id = p.visitor_id and i.link_source <> 'same_ip_ua_window'
  and i.unlinked_at is null and i.ended_at is null order by i.confidence desc, i.linked_at desc limit 1)`;
/** As they are now, whatever was counted last. */
const AGREES = `${IS_PERSON} and not ${objects('p')} and exists (
  select from (select mode, chosen_at, ends_at, privacy_signal from browser_choices c where c.site_id = $1 and c.visitor_id = p.visitor_id
    order by chosen_at desc, choice_id desc limit 1) c where ${LETS('c')})`;

/** Highest score first; who took their agreement back since the last count is left out at once. */
export async function listProfiles(
  db: Db,
  siteId: string,
  after: [number, string] | null,
  limit: number,
): Promise<ProfileRow[]> {
  const { rows } = await db.query<ProfileRow>(
    `select p.visitor_id as "visitorId", instant_text(v.first_seen_at) as "firstSeenAt", instant_text(p.seen_at) as "lastSeenAt", p.sessions,
       p.engaged_minutes as "engagedMinutes", p.intent, p.score as "behaviorScore", ${LEAD} as "leadId"
     from visitor_profiles p join visitors v using (site_id, visitor_id)
     where p.site_id = $1 and ($2::float8 is null or (-p.score, p.visitor_id) > (-$2::float8, $3::uuid)) and ${AGREES}
     order by p.score desc, p.visitor_id limit $4`,
    [siteId, after?.[0] ?? null, after?.[1] ?? null, limit],
  );
  return rows;
}

/** As they are now. returns null when there is none, or none who agreed */
export async function findProfile(
  db: Db,
  siteId: string,
  visitorId: string,
  weights: Weights,
): Promise<ProfileRow | null> {
  const { rows } = await db.query<ProfileRow>(
    `${COUNTED} select p.visitor_id as "visitorId", instant_text(first_seen_at) as "firstSeenAt", instant_text(last_seen_at) as "lastSeenAt", sessions,
       minutes as "engagedMinutes", intent, score as "behaviorScore", ${LEAD} as "leadId" from scored p`,
    [siteId, JSON.stringify(weights), visitorId],
  );
  return rows[0] ?? null;
}

/** What the visitor's events said last of each of these props, in 30 days. */
export async function listSaid(
  db: Db,
  siteId: string,
  visitorId: string,
  names: readonly string[],
): Promise<Record<string, unknown>> {
  const { rows } = await db.query<{ name: string; value: unknown }>(
    `select distinct on (n.name) n.name, e.props -> n.name as value from unnest($3::text[]) as n (name)
     join events e on e.site_id = $1 and e.visitor_id = $2 and e.props ? n.name and e.bot_reason is null and not e.privacy_signal
       and e.occurred_at >= now() - interval '30 days' and e.occurred_at < now() + interval '1 day'
     order by n.name, e.occurred_at desc, e.event_id desc`,
    [siteId, visitorId, names],
  );
  return Object.fromEntries(rows.map(({ name, value }) => [name, value]));
}

export interface Visit {
  sessionId: string;
  startedAt: string;
  landingPath: string;
  source: string;
  deviceType: string;
  country: string | null;
}

export async function listVisits(db: Db, siteId: string, visitorId: string): Promise<Visit[]> {
  const { rows } = await db.query<Visit>(
    `select session_id as "sessionId", instant_text(started_at) as "startedAt", landing_path as "landingPath", source, device_type as "deviceType", country
     from sessions where site_id = $1 and visitor_id = $2 and not is_bot and not privacy_signal order by started_at desc limit 50`,
    [siteId, visitorId],
  );
  return rows;
}

export interface Decile {
  decile: number;
  visitors: number;
  leads: number;
  scoreFrom: number;
  scoreTo: number;
}

/** Of the profiles as last counted, the highest tenth first; fewer than ten are fewer parts. */
export async function listDeciles(db: Db, siteId: string): Promise<Decile[]> {
  const { rows } = await db.query<Decile>(
    `select decile, count(*)::int as visitors, count(*) filter (where is_lead)::int as leads, min(score) as "scoreFrom", max(score) as "scoreTo"
     from (select p.score, ntile(10) over (order by p.score desc, p.visitor_id) as decile, ${LEAD} is not null as is_lead
       from visitor_profiles p where p.site_id = $1) scored group by decile order by decile`,
    [siteId],
  );
  return rows;
}
