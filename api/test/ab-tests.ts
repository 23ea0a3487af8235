// What tests of A/B tests share: a server and its first site, tests that run, browsers of an arm, and tests as if they had run long.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { inSites } from '../src/ground/db/transaction.ts';
import { armOf, type Split } from '../src/product/ab-tests/arm.ts';
import { feedTests } from '../src/product/ab-tests/feed-tests.ts';
import { judgeTests } from '../src/product/ab-tests/judge-tests.ts';
import { anon, makeEvent } from './make.ts';
import { admin, call, QUICK_FEEDS, startServer, type TestServer } from './server.ts';

export let server: TestServer;
export let siteId: string;
/** Starts it before the file's tests. To be called once, at the top of the file. */
export function useTests(): void {
  before(async () => {
    server = await startServer({}, undefined, undefined, QUICK_FEEDS);
    siteId = server.services.sites.fallback().siteId;
  });
  after(() => server.end());
}

export const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
export const ask = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
  call(`${server.url}/v1/sites/${siteId}/${path}`, method, body, { ...admin, ...headers });
export const post = (events: unknown[]) => call(`${server.url}/v1/events`, 'POST', { events });

export async function makeNotification() {
  const { status, body } = await ask('POST', 'notifications', {
    kind: 'count',
    name: 'Bread',
    claim: { of: 'purchases' },
    texts: { en: { other: '{count} people bought bread in {days} days' } },
  });
  assert.equal(status, 201, JSON.stringify(body));
  const { notificationId } = body.notification;
  const running = await ask(
    'PATCH',
    `notifications/${notificationId}`,
    { status: 'running' },
    { 'if-match': '"1"' },
  );
  assert.equal(running.status, 200, JSON.stringify(running.body));
  return notificationId as string;
}
export const wanted = (notificationId: string, more: Record<string, unknown> = {}) => ({
  notificationId,
  variants: [{ key: 'warm', texts: { en: { other: 'Warm: {count} people in {days} days' } } }],
  goal: { of: 'event:order' },
  ...more,
});
export async function makeTest(more: Record<string, unknown> = {}, start = true) {
  const notificationId = await makeNotification();
  const made = await ask('POST', 'ab-tests', wanted(notificationId, more));
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { testId } = made.body.test;
  if (start) assert.equal((await ask('POST', `ab-tests/${testId}/start`)).status, 200);
  return { testId: testId as string, notificationId };
}
export const HALVES: Split = [
  ['control', 5000],
  ['warm', 10_000],
];
/** Browsers of an arm. */
export function browsersOf(testId: string, arm: string, n: number): string[] {
  const found: string[] = [];
  while (found.length < n) {
    const id = anon();
    if (armOf(testId, id, HALVES) === arm) found.push(id);
  }
  return found;
}
export const exposed = (
  { testId, notificationId }: { testId: string; notificationId: string },
  anonId: string,
  props: Record<string, unknown> = {},
) =>
  makeEvent({
    anonId,
    eventType: 'proof_exposed',
    props: { notificationId, testId, variantId: 'warm', ...props },
  });
export const results = async (testId: string) => (await ask('GET', `ab-tests/${testId}/results`)).body;
export const judgeAll = () => judgeTests({ db: server.database.app, sites: server.services.sites });
export const testOf = async (testId: string) =>
  (await ask('GET', 'ab-tests')).body.tests.find((one: { testId: string }) => one.testId === testId);

/** As if so many had been exposed and converted: straight into the table, since ten thousand browsers take minutes. */
export const fill = (
  testId: string,
  counts: Record<string, [exposed: number, converted: number]>,
  days: number,
) =>
  Promise.all([
    ...Object.entries(counts).map(([arm, [n, converted]]) =>
      rows(
        `insert into ab_exposures (site_id, test_id, visitor_id, arm, first_exposed_at, converted_at)
         select $1, $2, gen_random_uuid(), $3, now() - interval '12 days', case when i <= $5 then now() - interval '11 days' end
         from generate_series(1, $4::int) i`,
        [siteId, testId, arm, n, converted],
      ),
    ),
    rows('update ab_tests set started_at = now() - make_interval(days => $2) where test_id = $1', [
      testId,
      days,
    ]),
  ]);
export const statusOf = async (notificationId: string) =>
  (await ask('GET', `notifications/${notificationId}`)).body.notification.status;
export const splitsNow = () => inSites(server.database.app, siteId, (tx) => feedTests(tx, siteId));

/** What the job wrote down that it did, in order. */
export const notedOf = (...targets: string[]) =>
  rows(
    "select target, details from audit_log where actor = 'machine' and action = 'job ab_tests' and outcome = 200 and target = any ($1) order by audit_id",
    [targets],
  );
