// The SQL door of rules that warn. Inside inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Language } from '../../ground/words/language.ts';
import type { Vault } from '../accounts/vault.ts';
import { tellAddresses } from '../mail-reports/addresses.ts';
import { AS_RECIPIENT } from '../mail-reports/recipients.ts';
import type { Course, Kind, Seen, Sensitivity } from './judge.ts';
import type { AlertRule } from './schema.ts';

export interface RuleRow {
  siteId: string;
  kind: Kind;
  sensitivity: Sensitivity;
  goal: string | null;
  madeBy: string;
}

export async function insertRule(db: Db, rule: RuleRow, recipientIds: string[]): Promise<string> {
  const { rows } = await db.query<{ rule_id: string }>(
    `with made as (
       insert into alert_rules (site_id, kind, sensitivity, goal, made_by) values ($1, $2, $3, $4, $5) returning site_id, rule_id
     ), told as (
       insert into alert_rule_recipients select site_id, rule_id, recipient_id from made cross join unnest($6::uuid[]) as chosen (recipient_id)
     )
     select rule_id from made`,
    [rule.siteId, rule.kind, rule.sensitivity, rule.goal, rule.madeBy, recipientIds],
  );
  return rows[0]!.rule_id;
}

/** Inside inSiteWithAddresses. ruleId  null: all of the site */
export async function findRules(
  db: Db,
  vault: Vault | null,
  siteId: string,
  ruleId: string | null,
): Promise<AlertRule[]> {
  const { rows } = await db.query<AlertRule>(
    `select rule_id as "ruleId", site_id as "siteId", kind, sensitivity, goal, made_by as "madeBy", instant_text(created_at) as "createdAt",
       instant_text(told_at) as "toldAt", coalesce((
         select json_agg(json_build_object('mail', ${AS_RECIPIENT}) order by recipient_id)
         from alert_rule_recipients c join mail_recipients p using (site_id, recipient_id)
         where c.site_id = r.site_id and c.rule_id = r.rule_id), '[]') as channels
     from alert_rules r where site_id = $1 and ($2::uuid is null or rule_id = $2) order by rule_id`,
    [siteId, ruleId],
  );
  const recipients = rows.flatMap((rule) => rule.channels.map(({ mail }) => mail));
  await tellAddresses(db, vault, recipients);
  return rows;
}

export async function deleteRule(db: Db, siteId: string, ruleId: string): Promise<boolean> {
  const { rowCount } = await db.query('delete from alert_rules where site_id = $1 and rule_id = $2', [
    siteId,
    ruleId,
  ]);
  return rowCount === 1;
}

export interface Watched {
  siteId: string;
  ruleId: string;
  kind: Kind;
  sensitivity: Sensitivity;
  goal: string | null;
  recipients: { recipientId: string; language: Language; linkKey: string }[];
}

/** Rules that may warn again and have somebody who said yes, of all sites. What counts by the day warns once a day. */
export async function findWatched(db: Db, now: Date): Promise<Watched[]> {
  const { rows } = await db.query<Watched>(
    `select r.site_id as "siteId", r.rule_id as "ruleId", r.kind, r.sensitivity, r.goal,
       json_agg(json_build_object('recipientId', p.recipient_id, 'language', p.language, 'linkKey', p.link_key) order by p.recipient_id) as recipients
     from alert_rules r join alert_rule_recipients c using (site_id, rule_id) join mail_recipients p using (site_id, recipient_id)
     where p.confirmed_at is not null and p.left_at is null
       and (r.told_at is null or r.told_at <= $1::timestamptz - case when r.kind in ('lead_drought', 'goal_zero') then interval '24 hours' else interval '6 hours' end)
     group by r.site_id, r.rule_id order by r.site_id, r.rule_id`,
    [now],
  );
  return rows;
}

export async function noteTold(db: Db, { siteId, ruleId }: Watched, now: Date): Promise<void> {
  await db.query('update alert_rules set told_at = $3 where site_id = $1 and rule_id = $2', [
    siteId,
    ruleId,
    now,
  ]);
}

interface Week {
  hourCounts: boolean;
  dayCounts: boolean;
  visits: number;
  dayVisits: number;
  dayLeads: number;
  weekLeads: number;
  goals: Record<string, number>;
}

// This hour and the same of the last four weeks, by the site's clock; and its last whole day likewise.
const WEEKS = `weeks as materialized (
  select n, starts, ends, (starts at time zone zone)::date as hour_day, (last_whole - 7 * n)::date as last_day from (select site_zone($1) as zone) there
  cross join generate_series(0, 4) n
  cross join lateral (select (($2::timestamptz at time zone zone) - make_interval(days => 7 * n)) at time zone zone as starts) s
  cross join lateral (select starts + interval '1 hour' as ends, (($2::timestamptz + interval '1 hour') at time zone zone)::date - 1 as last_whole) e
)`;

/** hour  its beginning; it is over. goals  names of events */
export async function findSeen(db: Db, siteId: string, hour: Date, goals: string[]): Promise<Seen> {
  const { rows } = await db.query<Week>({
    name: 'alert_rules_seen',
    text: `with ${WEEKS}
     select exists (select from daily_metric_rollups m where m.site_id = $1 and m.day = hour_day and m.human_events > 0) as "hourCounts",
       coalesce(d.human_events > 0, false) as "dayCounts", coalesce(d.sessions, 0)::int as "dayVisits",
       (select count(distinct e.session_id)::int from events e
         where e.site_id = $1 and e.occurred_at >= starts and e.occurred_at < ends and e.bot_reason is null) as visits,
       (select count(*)::int from lead_facts f where f.site_id = $1 and f.first_captured_at >= ends - interval '1 day' and f.first_captured_at < ends) as "dayLeads",
       (select count(*)::int from lead_facts f where f.site_id = $1 and f.first_captured_at >= ends - interval '7 days' and f.first_captured_at < ends) as "weekLeads",
       coalesce((select json_object_agg(name, n) from (select name, sum(events)::int as n from daily_breakdowns b
         where b.site_id = $1 and b.day = last_day and b.kind = 'event' and b.name = any ($3) group by name) counted), '{}') as goals
     from weeks left join daily_metric_rollups d on d.site_id = $1 and d.day = last_day order by n`,
    values: [siteId, hour, goals],
  });
  const [now, ...before] = rows as [Week, ...Week[]];
  const course = (of: (week: Week) => number, counts: 'hourCounts' | 'dayCounts'): Course => ({
    now: of(now),
    before: before.filter((week) => week[counts]).map(of),
  });
  return {
    hour: course((week) => week.visits, 'hourCounts'),
    day: course((week) => week.dayVisits, 'dayCounts'),
    dayLeads: course((week) => week.dayLeads, 'hourCounts'),
    weekLeads: course((week) => week.weekLeads, 'hourCounts'),
    goals: Object.fromEntries(
      goals.map((name) => [name, course((week) => week.goals[name] ?? 0, 'dayCounts')]),
    ),
  };
}

/** The source whose visits changed most against the mean of the four weeks; null: there is none. */
export async function findSource(db: Db, siteId: string, hour: Date, sign: 1 | -1): Promise<string | null> {
  const { rows } = await db.query<{ source: string }>(
    `with ${WEEKS}, seen as (
       select w.n, s.source, count(distinct e.session_id) as visits from weeks w
       cross join lateral (select session_id from events e where e.site_id = $1 and e.occurred_at >= w.starts and e.occurred_at < w.ends and e.bot_reason is null) e
       join sessions s on s.site_id = $1 and s.session_id = e.session_id group by 1, 2
     )
     select source from seen group by source
     order by $3::int * (coalesce(sum(visits) filter (where n = 0), 0) - coalesce(sum(visits) filter (where n > 0), 0) / 4.0) desc, source limit 1`,
    [siteId, hour, sign],
  );
  return rows[0]?.source ?? null;
}
