// A visit that goes on may wait for the next minute where many change, so that it is counted once for what it does in two; never
// for longer than two minutes, never where somebody asks, and nothing of it is lost.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { record } from '../../../test/record.ts';
import { startServer, type TestServer } from '../../../test/server.ts';
import { smallSites } from '../../../test/small-site.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { rollUp as rollUpSites } from './rollup.ts';

let server: TestServer;
let siteId: string;
let { rows, rollUp } = {} as ReturnType<typeof smallSites>;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  ({ rows, rollUp } = smallSites(server));
  await rollUp(); // today is open
});
after(() => server.end());

let events = 0;
/** Page views of these visitors, marked so many seconds ago. */
async function marked(visitors: string[], secondsAgo: number): Promise<void> {
  const at = new Date(Date.now() - 1000).toISOString();
  const [{ last }] = await rows('select coalesce(max(mark_id), 0) as last from dirty_visits');
  await record(
    server.database.app,
    siteId,
    visitors.map((visitor) => {
      events += 1;
      return { id: `${events}`, visitor, at };
    }),
  );
  await rows("update dirty_visits set marked_at = now() - $1 * interval '1 second' where mark_id > $2", [
    secondsAgo,
    last,
  ]);
}
const minute = () => rollUpSites(server.database.app, { siteIds: [siteId], patient: true });
const waiting = async () =>
  (
    await rows(
      'select distinct v::text as id from dirty_visits cross join lateral unnest(visitor_ids) v where site_id = $1 order by 1',
      [siteId],
    )
  ).map(({ id }) => id);
const idsOf = (...visitors: string[]) => visitors.map((visitor) => visitorIdOf(siteId, visitor)).sort();
const views = async () =>
  (
    await rows(
      'select coalesce(sum(page_views), 0)::int as views from daily_metric_rollups where site_id = $1',
      [siteId],
    )
  )[0].views;

test('where few changed, nobody waits', async () => {
  await marked(['alone'], 2);
  await minute();
  assert.deepEqual(await waiting(), []);
  assert.equal(await views(), 1);
});

test('where many changed, whose first mark is younger than a minute waits, and nobody for a second time', async () => {
  const crowd = Array.from({ length: 220 }, (_, n) => `crowd ${n}`);
  await marked(crowd, 58);
  await marked(['moving'], 5);
  await marked(['long there'], 56);
  await marked(['long there'], 5);
  await minute();
  assert.deepEqual(await waiting(), idsOf('moving'));
  assert.equal(await views(), 1 + 220 + 2);
  // the next minute: more of it, and all is counted
  await rows("update dirty_visits set marked_at = marked_at - interval '1 minute' where site_id = $1", [
    siteId,
  ]);
  await marked(crowd, 5);
  await marked(['moving'], 5);
  await minute();
  assert.deepEqual(await waiting(), idsOf(...crowd));
  assert.equal(await views(), 1 + 220 + 2 + 2);
});

test('who asks by hand waits for nobody', async () => {
  assert.ok((await waiting()).length >= 200);
  await rollUp();
  assert.deepEqual(await waiting(), []);
  assert.equal(await views(), 1 + 220 + 2 + 2 + 220);
});
