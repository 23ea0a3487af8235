// The SQL door of A/B tests. Inside a transaction of inSites.
import type { Db } from '../../ground/db/pool.ts';
import type { Split } from './arm.ts';
import type { AbTest, Goal, NewTest, Results } from './schema.ts';
import type { Judged } from './verdict.ts';

const AS_TEST = `t.test_id as "testId", t.notification_id as "notificationId", t.status,
  (select coalesce(json_agg(json_build_object('key', v.key, 'share', v.share, 'texts', v.texts, 'templateId', v.template_id, 'trigger', v.trigger) order by v.place), '[]')
    from ab_variants v where v.test_id = t.test_id) as variants,
  t.control_share as "controlShare", t.goal, t.min_days as "minDays", t.max_days as "maxDays", t.winner, t.stop_unproven as "stopUnproven",
  t.verdict, t.chosen, instant_text(t.created_at) as "createdAt", instant_text(t.started_at) as "startedAt",
  instant_text(t.decided_at) as "decidedAt", instant_text(t.ended_at) as "endedAt"`;

export const TESTS_MAX = 500;

/** returns  null when the site has too many */
export async function insertTest(
  db: Db,
  siteId: string,
  test: Omit<NewTest, 'variants'> & { variants: (NewTest['variants'][number] & { share: number })[] },
): Promise<string | null> {
  const { rows } = await db.query<{ test_id: string }>(
    `insert into ab_tests (site_id, notification_id, control_share, goal, min_days, max_days, winner, stop_unproven)
     select $1, $2, $3, $4, $5, $6, $7, $8 where (select count(*) from ab_tests where site_id = $1) < $9 returning test_id`,
    [
      siteId,
      test.notificationId,
      test.controlShare,
      JSON.stringify(test.goal),
      test.minDays,
      test.maxDays,
      test.winner,
      test.stopUnproven,
      TESTS_MAX,
    ],
  );
  const testId = rows[0]?.test_id;
  if (!testId) return null;
  for (const [place, { key, share, texts, templateId, trigger }] of test.variants.entries())
    await db.query(
      'insert into ab_variants (test_id, key, site_id, place, share, texts, template_id, trigger) values ($1, $2, $3, $4, $5, $6, $7, $8)',
      [
        testId,
        key,
        siteId,
        place,
        share,
        texts ? JSON.stringify(texts) : null,
        templateId ?? null,
        trigger ? JSON.stringify(trigger) : null,
      ],
    );
  return testId;
}

/** The newest first. */
export async function listTests(
  db: Db,
  siteId: string,
  after: string | null,
  limit: number,
): Promise<AbTest[]> {
  const { rows } = await db.query<AbTest>(
    `select ${AS_TEST} from ab_tests t where t.site_id = $1 and ($2::uuid is null or t.test_id < $2) order by t.test_id desc limit $3`,
    [siteId, after, limit],
  );
  return rows;
}

export async function findTest(db: Db, siteId: string, testId: string, lock = false): Promise<AbTest | null> {
  const { rows } = await db.query<AbTest>(
    `select ${AS_TEST} from ab_tests t where t.site_id = $1 and t.test_id::text = $2${lock ? ' for update of t' : ''}`,
    [siteId, testId],
  );
  return rows[0] ?? null;
}

/** Of each of these notifications the test that began last among those that ran in some moment of these days of the site. */
export async function lastTests(
  db: Db,
  siteId: string,
  notificationIds: string[],
  { start, end }: { start: string; end: string },
): Promise<AbTest[]> {
  const { rows } = await db.query<AbTest>(
    `select distinct on (t.notification_id) ${AS_TEST} from ab_tests t
     where t.site_id = $1 and t.notification_id = any ($2) and t.started_at < site_day_starts($1, $4::date + 1)
       and coalesce(t.ended_at, 'infinity') >= site_day_starts($1, $3::date)
     order by t.notification_id, t.started_at desc`,
    [siteId, notificationIds, start, end],
  );
  return rows;
}

/** Those that ran in these days of the site, the newest first, fifty at most. */
export async function testsDuring(
  db: Db,
  siteId: string,
  { start, end }: { start: string; end: string },
): Promise<AbTest[]> {
  const { rows } = await db.query<AbTest>(
    `select ${AS_TEST} from ab_tests t
     where t.site_id = $1 and t.started_at < site_day_starts($1, $3::date + 1)
       and coalesce(t.ended_at, 'infinity') >= site_day_starts($1, $2::date)
     order by t.test_id desc limit 50`,
    [siteId, start, end],
  );
  return rows;
}

/** Of all these sites. */
export async function findRunning(db: Db, siteIds: string[]): Promise<{ siteId: string; testId: string }[]> {
  const { rows } = await db.query<{ siteId: string; testId: string }>(
    `select site_id as "siteId", test_id as "testId" from ab_tests where site_id = any ($1) and status = 'running' order by test_id`,
    [siteIds],
  );
  return rows;
}

/** throws  a unique violation, when another one of the notification runs */
export async function startTest(db: Db, siteId: string, testId: string, split: Split): Promise<void> {
  await db.query(
    "update ab_tests set status = 'running', started_at = now(), split = $3 where site_id = $1 and test_id = $2",
    [siteId, testId, JSON.stringify(split)],
  );
}

/** How many of the site run; until the transaction ends nobody else counts them. */
export async function countRunning(db: Db, siteId: string): Promise<number> {
  // one after the other, or two at once would both be the last
  await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' ab-tests', 8))", [siteId]);
  const { rows } = await db.query<{ count: number }>(
    "select count(*)::int as count from ab_tests where site_id = $1 and status = 'running'",
    [siteId],
  );
  return rows[0]!.count;
}

export async function endTest(db: Db, siteId: string, testId: string): Promise<void> {
  await db.query(
    "update ab_tests set status = 'ended', ended_at = now() where site_id = $1 and test_id = $2 and status <> 'ended'",
    [siteId, testId],
  );
}

/** From here on everybody but the holdout gets this variant, and nobody enters any more. */
export async function chooseVariant(
  db: Db,
  siteId: string,
  testId: string,
  key: string,
  split: Split,
): Promise<void> {
  await db.query(
    `update ab_tests set chosen = $3, split = $4, decided_at = coalesce(decided_at, now()) where site_id = $1 and test_id = $2`,
    [siteId, testId, key, JSON.stringify(split)],
  );
}

export async function countGoals(db: Db, siteId: string, testId: string, goal: Goal): Promise<void> {
  await db.query('select count_goals($1, $2, $3, $4, $5)', [
    siteId,
    testId,
    goal.of,
    goal.where.path ?? null,
    goal.withinDays,
  ]);
}

/** Of people alone: a verdict about a visitor holds for their part in a test too. */
export async function countArms(
  db: Db,
  siteId: string,
  testId: string,
): Promise<Map<string, { exposed: number; converted: number }>> {
  const { rows } = await db.query<{ arm: string; exposed: number; converted: number }>(
    `select x.arm, count(*)::int as exposed, count(x.converted_at)::int as converted
     from ab_exposures x left join visitors v on v.site_id = x.site_id and v.visitor_id = x.visitor_id
     where x.site_id = $1 and x.test_id = $2 and coalesce(v.bot_verdict, 'human') = 'human' group by x.arm`,
    [siteId, testId],
  );
  return new Map(rows.map(({ arm, ...counts }) => [arm, counts]));
}

export async function recordVerdict(db: Db, siteId: string, testId: string, judged: Judged): Promise<void> {
  const { verdict, arms, comparisons, srm } = judged;
  await db.query('update ab_tests set verdict = $3 where site_id = $1 and test_id = $2', [
    siteId,
    testId,
    verdict,
  ]);
  await db.query(
    `insert into ab_verdicts (site_id, test_id, judged_at, verdict, arms, comparisons, srm)
     select $1, $2, clock_timestamp(), $3::text, $4, $5, $6
     where not exists (select from ab_verdicts where site_id = $1 and test_id = $2 and judged_at > now() - interval '20 hours' and verdict = $3)
     on conflict do nothing`,
    [siteId, testId, verdict, JSON.stringify(arms), JSON.stringify(comparisons), JSON.stringify(srm)],
  );
}

/** Whether a verdict decided it before, or somebody chose: what is found later is no news. The test is locked. */
export async function wasDecided(db: Db, siteId: string, testId: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `select from ab_tests t where site_id = $1 and test_id = $2 and (decided_at is not null or exists (
       select from ab_verdicts v where v.site_id = $1 and v.test_id = $2 and v.verdict in ('better', 'harmful', 'inconclusive')))`,
    [siteId, testId],
  );
  return rowCount === 1;
}

/** The last hundred, the oldest first. */
export async function listVerdicts(db: Db, siteId: string, testId: string): Promise<Results['history']> {
  const { rows } = await db.query<Results['history'][number]>(
    `select * from (select instant_text(judged_at) as at, verdict, arms, comparisons, srm from ab_verdicts
       where site_id = $1 and test_id = $2 order by judged_at desc limit 100) last order by at`,
    [siteId, testId],
  );
  return rows;
}

interface GuardRow {
  arm: string;
  cls: number | null;
  inp: number | null;
  form: number | null;
}
/** What else the arms did to the page, of those who came last. */
export async function readGuards(db: Db, siteId: string, testId: string): Promise<Results['guards']> {
  const { rows } = await db.query<GuardRow>(
    `with last as materialized (
       select visitor_id, arm, first_exposed_at from ab_exposures where site_id = $1 and test_id = $2
       order by first_exposed_at desc limit 5000
     )
     select l.arm, percentile_cont(0.75) within group (order by e.cls_score) as cls, percentile_cont(0.75) within group (order by e.inp_ms) as inp,
       least(1, count(distinct e.visitor_id) filter (where e.event_type = 'form_submit')::float8
         / nullif(count(distinct e.visitor_id) filter (where e.event_type = 'form_start'), 0)) as form
     from last l join events e on e.site_id = $1 and e.visitor_id = l.visitor_id and e.occurred_at >= l.first_exposed_at and e.bot_reason is null
     group by l.arm`,
    [siteId, testId],
  );
  const by = (value: (row: GuardRow) => number | null) =>
    Object.fromEntries(rows.map((row) => [row.arm, value(row)]));
  return { cls: by(({ cls }) => cls), inp: by(({ inp }) => inp), formCompletion: by(({ form }) => form) };
}

/** How many a day reached this goal in the last four weeks, of those who could take part: in mode `full`, which keeps an id. */
export async function goalsADay(db: Db, siteId: string, goal: Goal): Promise<number | null> {
  const isTold = /^(signups|activations|purchases)$/.test(goal.of);
  const takesPart = "not v.is_day_visitor and coalesce(v.bot_verdict, 'human') = 'human'";
  const { rows } = await db.query<{ n: number }>(
    isTold
      ? `select count(distinct coalesce(c.lead_id, c.visitor_id))::int as n from conversions c
         where c.site_id = $1 and c.kind || 's' = $2 and c.voided_at is null and c.occurred_at > now() - interval '28 days' and $3::text is null
           and (exists (select from visitors v where v.site_id = $1 and v.visitor_id = c.visitor_id and ${takesPart})
             or exists (select from lead_identities i join visitors v on v.site_id = $1 and v.visitor_id = i.visitor_id and ${takesPart}
               where i.site_id = $1 and i.lead_id = c.lead_id and i.unlinked_at is null and i.link_source <> 'same_ip_ua_window'
                 and (i.ended_at is null or i.ended_at >= c.occurred_at)))`
      : `select count(*)::int as n from (
           select distinct visitor_id from events where site_id = $1 and occurred_at > now() - interval '28 days'
             and bot_reason is null and ($3::text is null or split_part(path, '?', 1) = $3)
             and case $2 when 'leads' then event_type = 'form_submit' and coalesce(props ->> 'role', '') not in ('search', 'signin')
               when 'page_views' then event_type = 'page_view' else 'event:' || event_type = $2 end
         ) reached join visitors v on v.site_id = $1 and v.visitor_id = reached.visitor_id and ${takesPart}`,
    [siteId, goal.of, goal.where.path ?? null],
  );
  return rows[0]!.n === 0 ? null : rows[0]!.n / 28;
}
