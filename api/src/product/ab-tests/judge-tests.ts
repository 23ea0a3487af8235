// Looks at the tests that run: who reached the goal, what that shows, and what follows from it. A job's work; safe to run twice.
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { noteOfJob } from '../../ground/noted.ts';
import { tellFeed } from '../notifications/feed-changed.ts';
import { pause } from '../notifications/pause.ts';
import { tellNews } from '../outbox/outbox.ts';
import { CONTROL, PARTS, type Split } from './arm.ts';
import type { Pace } from './pace.ts';
import {
  chooseVariant,
  countArms,
  countGoals,
  endTest,
  findRunning,
  findTest,
  recordVerdict,
  wasDecided,
} from './queries.ts';
import type { AbTest, Verdict } from './schema.ts';
import { daysBetween, judge } from './verdict.ts';

/** The job that looks at them. */
export const JUDGES = 'ab_tests';

const HOLDOUT = PARTS / 10;
/** The winner for everybody but a tenth, who were in the control and stay there. */
export const holdoutSplit = (key: string): Split => [
  [CONTROL, HOLDOUT],
  [key, PARTS],
];

/** Counts and judges one that runs, and does what its verdict asks for; atMs: now. */
export async function judgeTest(db: Db, siteId: string, testId: string, atMs: number): Promise<void> {
  const test = await findTest(db, siteId, testId, true);
  if (test?.status !== 'running') return;
  // from then on the control sees the winner too: what it does is no evidence any more, and the counts stay as they were
  if (test.decidedAt) return;
  await countGoals(db, siteId, testId, test.goal);
  const days = daysBetween(Date.parse(test.startedAt!), atMs);
  const judged = judge(test, await countArms(db, siteId, testId), days);
  const isOver = days >= test.maxDays;
  // an invalid one may become valid again until then
  const isDecision = DECIDES.has(judged.verdict) || (judged.verdict === 'invalid' && isOver);
  const isNews = isDecision && !(await wasDecided(db, siteId, testId));
  await recordVerdict(db, siteId, testId, judged);
  await follow(db, siteId, test, judged, isOver);
  if (isNews) await tellDecided(db, siteId, test, judged.verdict, judged.best);
}

const DECIDES: ReadonlySet<Verdict> = new Set(['better', 'harmful', 'inconclusive']);

/** With the commit of what decides it; once a test, whatever is found or chosen later (wasDecided). */
export const tellDecided = (
  db: Db,
  siteId: string,
  { testId, notificationId }: Pick<AbTest, 'testId' | 'notificationId'>,
  verdict: Verdict,
  variant: string | null,
): Promise<void> => tellNews(db, siteId, 'ab_test.decided', { testId, notificationId, verdict, variant });

async function follow(
  db: Db,
  siteId: string,
  test: AbTest,
  { verdict, best }: ReturnType<typeof judge>,
  isOver: boolean,
): Promise<void> {
  const { testId, notificationId } = test;
  const note = (became: Record<string, string>) => noteOfJob(db, siteId, JUDGES, testId, became);
  const isUnproven = verdict === 'inconclusive' || (verdict === 'invalid' && isOver);
  // nobody chose in all that time: else it would run for ever, and nothing of its notification could be changed
  const isUnchosen = verdict === 'better' && test.winner === 'manual' && isOver;
  if (verdict === 'harmful' || (isUnproven && test.stopUnproven)) {
    await endTest(db, siteId, testId);
    await note({ verdict });
    await pause(db, siteId, notificationId, JUDGES, { testId, verdict });
  } else if (isUnproven || isUnchosen) {
    // the notification goes on in its own words
    await endTest(db, siteId, testId);
    await note({ verdict });
    await tellFeed(db, siteId);
  } else if (best !== null && test.winner === 'automatic') {
    await chooseVariant(db, siteId, testId, best, holdoutSplit(best));
    await note({ verdict, chosen: best });
    await tellFeed(db, siteId);
  }
}

/** pace  how often each may be looked at; without it all are */
export async function judgeTests(
  { db, sites }: { db: Pool; sites: { ids(): string[] } },
  pace?: Pace,
): Promise<{ judged: number }> {
  const ids = sites.ids();
  const running = ids.length > 0 ? await inSites(db, ids, (tx) => findRunning(tx, ids)) : [];
  let judged = 0;
  pace?.only(running.map(({ testId }) => testId));
  for (const { siteId, testId } of running) {
    if (pace?.isDue(testId) === false) continue;
    const began = performance.now();
    await inSites(db, siteId, (tx) => judgeTest(tx, siteId, testId, Date.now()));
    pace?.took(testId, performance.now() - began);
    judged += 1;
  }
  return { judged };
}
