// A/B tests of a site: made as drafts, started, stopped, a winner chosen, and what came of them.
import { z } from 'zod';
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { nextCursor, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { tellFeed } from '../notifications/feed-changed.ts';
import { checkTestable } from '../notifications/testable.ts';
import { planHasRoom } from '../plans/use.ts';
import { splitOf } from './arm.ts';
import { holdoutSplit, judgeTest, tellDecided } from './judge-tests.ts';
import {
  chooseVariant,
  countRunning,
  endTest,
  findTest,
  insertTest,
  listTests,
  startTest,
  TESTS_MAX,
  wasDecided,
} from './queries.ts';
import { readResults } from './results.ts';
import type { RunningTests } from './running.ts';
import { type AbTest, type NewTest, newTest, resultsShape, testShape } from './schema.ts';
import { wholeWeeks } from './verdict.ts';

export interface AbTestNeeds {
  db: Pool;
  abTests: RunningTests;
}

const one = z.object({ test: testShape });
const unknown = () => new AppError('not_found', 'This site has no test with this id.');

const notRunning = () =>
  new AppError(
    'conflict',
    'Only of a test that runs a winner can be chosen. Change the notification itself.',
  );

/** Shares that were left out get equal parts of what is left. throws  invalid_request, when all do not make one */
function withShares({ variants, controlShare }: Pick<NewTest, 'variants' | 'controlShare'>) {
  const wrong = (message: string) =>
    new AppError('invalid_request', 'The shares do not make a whole.', {
      issues: [{ path: 'variants', message }],
    });
  if (new Set(variants.map(({ key }) => key)).size < variants.length)
    throw wrong('each has a key of its own');
  const given = variants.filter((each) => each.share !== undefined);
  if (given.length > 0 && given.length < variants.length) throw wrong('all have a share, or none has');
  if (given.length === 0)
    return variants.map((each) => ({ ...each, share: (1 - controlShare) / variants.length }));
  const sum = given.reduce((total, each) => total + each.share!, controlShare);
  if (Math.abs(sum - 1) > 1e-6) throw wrong(`with controlShare they sum to ${sum}; they must sum to 1`);
  return variants.map((each) => ({ ...each, share: each.share! }));
}

export function abTestRoutes({ db, abTests }: AbTestNeeds): Route[] {
  const reading = { tag: 'ab-tests', who: 'settings', of: 'path', shows: 'no people' } as const;
  const changing = { tag: 'ab-tests', who: 'settings', of: 'path' } as const;

  /** Changes one under its lock, tells the feed, and answers what became of it. */
  async function change(call: Call, work: (tx: Db, siteId: string, test: AbTest) => Promise<void>) {
    const { siteId } = call.site;
    const testId = call.params.testId!;
    call.note({ target: testId });
    const test = await inSites(db, siteId, async (tx) => {
      const before = await findTest(tx, siteId, testId, true);
      if (!before) throw unknown();
      await work(tx, siteId, before);
      await tellFeed(tx, siteId);
      return (await findTest(tx, siteId, testId))!;
    });
    abTests.forget(siteId);
    return { test };
  }

  return [
    route({
      ...reading,
      at: 'GET /v1/sites/:siteId/ab-tests',
      id: 'listAbTests',
      says: 'A/B tests of a site, the newest first',
      takes: { as: 'query', shape: z.object(paging(50, 100)) },
      answers: { 200: z.object({ tests: z.array(testShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        const { siteId } = call.site;
        const rows = await inSites(db, siteId, (tx) => listTests(tx, siteId, after, limit + 1));
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.testId]);
        return { tests: page, nextCursor: next };
      },
    }),
    route({
      ...changing,
      at: 'POST /v1/sites/:siteId/ab-tests',
      id: 'createAbTest',
      says: 'Makes a test as a draft: wordings of a notification against showing nothing',
      takes: { as: ['json'], bytesMax: 64 * 1024, shape: newTest },
      answers: { 201: one },
      async run(wanted, call) {
        const { siteId } = call.site;
        const variants = withShares(wanted);
        if (wholeWeeks(wanted.minDays) > wanted.maxDays)
          throw new AppError('invalid_request', 'A test ends after it may decide.', {
            issues: [
              {
                path: 'maxDays',
                message: `is at least minDays in whole weeks: ${wholeWeeks(wanted.minDays)}, or it can never say "better"`,
              },
            ],
          });
        const test = await inSites(db, siteId, async (tx) => {
          await checkTestable(tx, siteId, wanted.notificationId, variants);
          const testId = await insertTest(tx, siteId, { ...wanted, variants });
          if (!testId) throw new AppError('conflict', `A site has at most ${TESTS_MAX} tests.`);
          return (await findTest(tx, siteId, testId))!;
        });
        call.note({ target: test.testId, details: { notificationId: test.notificationId } });
        return created({ test });
      },
    }),
    route({
      ...changing,
      at: 'POST /v1/sites/:siteId/ab-tests/:testId/start',
      id: 'startAbTest',
      says: 'Starts a draft; from here on nothing of it changes, nor of its notification',
      answers: { 200: one },
      run: (_input, call) =>
        change(call, async (tx, siteId, test) => {
          if (test.status !== 'draft')
            throw new AppError('conflict', 'It was started already. Make a new one to test again.');
          await checkTestable(tx, siteId, test.notificationId, test.variants);
          try {
            await startTest(tx, siteId, test.testId, splitOf(test.controlShare, test.variants));
          } catch (error) {
            if (!isUniqueViolation(error)) throw error;
            throw new AppError('conflict', 'Another test of this notification runs. Stop that one first.');
          }
          await planHasRoom(tx, siteId, 'tests', await countRunning(tx, siteId));
        }),
    }),
    route({
      ...changing,
      at: 'POST /v1/sites/:siteId/ab-tests/:testId/stop',
      id: 'stopAbTest',
      says: 'Ends a test as it stands; its counts stay, and the notification goes on in its own words',
      answers: { 200: one },
      run: (_input, call) =>
        change(call, async (tx, siteId, test) => {
          if (test.status === 'running') await judgeTest(tx, siteId, test.testId, call.receivedMs);
          await endTest(tx, siteId, test.testId);
        }),
    }),
    route({
      ...changing,
      at: 'POST /v1/sites/:siteId/ab-tests/:testId/winner',
      id: 'chooseAbWinner',
      says: 'Shows one variant to 90 % from now on; 10 % stay without, and the counts stay as they were',
      takes: { as: ['json'], bytesMax: 4096, shape: z.strictObject({ variant: z.string().max(32) }) },
      answers: { 200: one },
      run: ({ variant }, call) =>
        change(call, async (tx, siteId, test) => {
          if (test.status !== 'running') throw notRunning();
          if (!test.variants.some(({ key }) => key === variant))
            throw new AppError('invalid_request', 'This test has no such variant.', {
              issues: [{ path: 'variant', message: 'is not known' }],
            });
          call.note({ target: test.testId, details: { variant } });
          await judgeTest(tx, siteId, test.testId, call.receivedMs);
          // that look may have been its last
          if ((await findTest(tx, siteId, test.testId))!.status !== 'running') throw notRunning();
          const isNews = !(await wasDecided(tx, siteId, test.testId));
          await chooseVariant(tx, siteId, test.testId, variant, holdoutSplit(variant));
          if (!isNews) return;
          const { verdict } = (await findTest(tx, siteId, test.testId))!;
          await tellDecided(tx, siteId, test, verdict, variant);
        }),
    }),
    route({
      ...reading,
      at: 'GET /v1/sites/:siteId/ab-tests/:testId/results',
      id: 'getAbResults',
      says: 'What came of a test so far, how sure that is, and what it still needs',
      answers: { 200: resultsShape },
      async run(_input, call) {
        const { siteId } = call.site;
        return inSites(db, siteId, async (tx) => {
          const test = await findTest(tx, siteId, call.params.testId!);
          if (!test) throw unknown();
          return readResults(tx, siteId, test, call.receivedMs);
        });
      },
    }),
  ];
}
