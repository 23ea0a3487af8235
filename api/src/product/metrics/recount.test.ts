// Counting days again takes its share of the machine and no more.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { dayOf } from '../../ground/lib/days.ts';
import { rollUp as rollUpAll } from './rollup.ts';

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rollUp = async (): Promise<number> =>
  (await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin)).body.run.result.days;
const recounted = (ms: number, minutesAgo: number) =>
  server.database.owner.query(
    'update rollup_state set recount_ms = $2, recounted_at = now() - make_interval(mins => $3) where site_id = $1',
    [siteId, ms, minutesAgo],
  );
const markToday = () =>
  server.database.owner.query("insert into dirty_days (site_id, day, cause) values ($1, $2, 'test')", [
    siteId,
    dayOf(Date.now()),
  ]);

test('a day whose recount took long waits until that was a twentieth of the time gone by', async () => {
  await record(server.database.app, siteId, [{ id: 'a', visitor: 'ada', at: new Date().toISOString() }]);
  await rollUp();
  for (const [ms, minutesAgo, days] of [
    [9000, 2, 0],
    [9000, 4, 1],
    [60_000, 19, 0],
    [60_000, 21, 1],
    [3000, 0, 1], // no more than its share of every minute
  ] as const) {
    await markToday();
    await recounted(ms, minutesAgo);
    assert.equal(await rollUp(), days, `${ms} ms, ${minutesAgo} minutes ago`);
  }
});

test('a site whose day cannot be counted holds up no other', async () => {
  const { owner, app } = server.database;
  const made = await call(`${server.url}/v1/sites`, 'POST', { key: 'other', name: 'Another' }, admin);
  const other: string = made.body.site.siteId;
  await owner.query(
    "alter table daily_breakdowns add constraint poisoned check (name <> '/poison') not valid",
  );
  for (const each of [siteId, other])
    await record(app, each, [
      {
        id: `of ${each}`,
        visitor: 'bob',
        at: new Date().toISOString(),
        path: each === siteId ? '/poison' : '/bread',
      },
    ]);
  const failed = rollUpAll(app, { siteIds: [siteId, other] });
  await assert.rejects(failed, new RegExp(`^Error: 1 sites failed, the others were done: ${siteId}$`));
  const counted = () =>
    owner
      .query("select site_id from daily_breakdowns where name in ('/poison', '/bread') and kind = 'page'")
      .then(({ rows }) => rows.map((row) => row.site_id).sort());
  assert.deepEqual(await counted(), [other]);
  await owner.query('alter table daily_breakdowns drop constraint poisoned');
  await rollUp();
  assert.deepEqual(await counted(), [siteId, other].sort(), 'what failed is due again');
});
