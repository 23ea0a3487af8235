// A visit that begins on a page of the site itself has no source of its own: it carries the one before it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { ago, hours, makeEvent, minutes } from '../../../test/make.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
  const { siteId } = server.services.sites.fallback();
  await call(`${server.url}/v1/sites/${siteId}`, 'PATCH', { domain: 'bakery.example' }, admin);
});
after(() => server.end());

const OWN = 'https://www.bakery.example/menu';
const SEARCH = 'https://www.google.com/';
const SOCIAL = 'https://www.facebook.com/';
type View = [minutesAgo: number, referrer: string | undefined];

/** Sources of the visits that these page views make, oldest first. */
async function sources(views: View[], how: 'one by one' | 'in one batch' | 'backwards'): Promise<string[]> {
  const anonId = `visitor-${randomUUID()}`;
  const events = views.map(([before, referrer]) =>
    makeEvent({ anonId, referrer, timestamp: ago(minutes(before)) }),
  );
  const batches = how === 'in one batch' ? [events] : events.map((event) => [event]);
  let visitorId = '';
  for (const batch of how === 'backwards' ? batches.toReversed() : batches) {
    const { status, body } = await call(`${server.url}/v1/events`, 'POST', { events: batch });
    assert.equal(status, 202);
    visitorId = body.results[0].visitorId;
  }
  const { rows } = await server.database.owner.query(
    'select source from sessions where visitor_id = $1 order by started_at',
    [visitorId],
  );
  return rows.map((row) => row.source);
}

const CASES: [string, View[], string[]][] = [
  ['nothing before it is direct', [[10, OWN]], ['direct']],
  [
    'a search before it carries the search',
    [
      [200, SEARCH],
      [100, OWN],
      [10, OWN],
    ],
    ['organic_search', 'organic_search', 'organic_search'],
  ],
  [
    'the last one before it counts',
    [
      [300, SEARCH],
      [200, SOCIAL],
      [100, OWN],
    ],
    ['organic_search', 'social', 'social'],
  ],
  [
    'a direct visit in between is what it carries',
    [
      [300, SEARCH],
      [200, undefined],
      [100, OWN],
    ],
    ['organic_search', 'direct', 'direct'],
  ],
  [
    'a page of the site inside a visit changes nothing',
    [
      [20, SEARCH],
      [15, OWN],
      [10, OWN],
    ],
    ['organic_search'],
  ],
];

for (const how of ['one by one', 'in one batch', 'backwards'] as const)
  for (const [what, views, expected] of CASES)
    test(`a visit that begins on the site itself: ${what}, sent ${how}`, async () => {
      assert.deepEqual(await sources(views, how), expected);
    });

test('no report knows a source of the site itself', async () => {
  await call(
    `${server.url}/v1/admin/jobs/rollup`,
    'POST',
    { from: ago(hours(48)).slice(0, 10), to: ago(0).slice(0, 10) },
    admin,
  );
  const window = `from=${ago(hours(48)).slice(0, 10)}&to=${ago(0).slice(0, 10)}`;
  const named = async (by: string) =>
    (
      await call(`${server.url}/v1/metrics/breakdown?by=${by}&${window}`, 'GET', undefined, admin)
    ).body.rows.map((row: { name: string }) => row.name);
  assert.deepEqual((await named('sources')).toSorted(), ['direct', 'organic_search', 'social']);
  assert.ok(!(await named('referrers')).some((name: string) => name.includes('bakery')));
});
