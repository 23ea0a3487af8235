// The numbers beside what else changes at the same moment: an erasure, a purge, hundreds of sites at once.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { beside } from '../../../test/beside.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { partitions, record } from '../../../test/record.ts';
import { listenTo } from '../../ground/db/listen.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { metricsChannel } from './listen.ts';
import { rollUpDay } from './queries.ts';

const [FIRST, SECOND] = ['2026-03-14', '2026-03-15'];
let database: TestDatabase;
let siteId: string;
before(async () => {
  database = await makeDatabase();
  siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  await partitions(database.owner, FIRST, SECOND);
  await record(
    database.app,
    siteId,
    [FIRST, SECOND].flatMap((day) =>
      ['ada', 'grace'].map((visitor) => ({ id: `${visitor} ${day}`, visitor, at: `${day}T09:00:00Z` })),
    ),
  );
  for (const day of [FIRST, SECOND]) await count(day);
});
after(() => database.drop());

const count = (day: string) => inSites(database.app, siteId, (client) => rollUpDay(client, siteId, day));
test('a day of which a visitor vanished is counted while an erasure moves that visitor on the next one', async () => {
  await database.owner.query(
    "update events set bot_reason = 'flood' where occurred_at < '2026-03-15' and visitor_id = (select visitor_id from events order by visitor_id limit 1)",
  );
  const outcome = await beside(
    database.ownerUrl,
    (client) =>
      client.query('update visitor_days set visitor_id = gen_random_uuid() where day = $1', [SECOND]),
    () => count(FIRST),
  );
  assert.equal(outcome, 'rolled');
  const { rows } = await database.owner.query('select visitor_id from visitor_days where day = $1', [FIRST]);
  assert.equal(rows.length, 1, 'who was found to be a bot is not there any more');
});

test('a change that sees thousands of sites is heard by who keeps their answers, as a change of all', async () => {
  const heard: (string[] | undefined)[] = [];
  const told = Promise.withResolvers<void>();
  const cache = {
    clear: (ids?: string[]) => {
      heard.push(ids);
      told.resolve();
    },
    hears: () => {},
    through: () => assert.fail('nobody asks'),
  };
  const listening = await listenTo(database.appUrl, [metricsChannel(cache)], { warn() {} } as never);
  try {
    const many = Array.from({ length: 5000 }, () => crypto.randomUUID());
    await inSites(database.app, [siteId, ...many], (client) =>
      client.query('delete from conversions where occurred_at < now()'),
    );
    await told.promise;
    assert.deepEqual(heard, [undefined]);
  } finally {
    await listening.close();
  }
});
