// One browser that sends too much: its late events touch few rows, beyond a bound a day it is a bot, and nobody waits for it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { idOf, partitions, record } from '../../../test/record.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { judge } from '../bots/verdicts.ts';
import { visitorIdOf } from './enrich.ts';

const BOUND = 40;
let database: TestDatabase;
let siteId: string;
before(async () => {
  database = await makeDatabase();
  siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  await partitions(database.owner, '2026-03-14', '2026-03-16');
});
after(() => database.drop());

const send = (visitor: string, events: { id: string; at: string; utm?: object; bot_reason?: string }[]) =>
  record(
    database.app,
    siteId,
    events.map((event) => ({ visitor, received_at: `${event.at.slice(0, 10)}T23:00:00Z`, ...event })),
    10,
  );
const at = (second: number, day = '2026-03-14') =>
  new Date(Date.parse(`${day}T09:00:00Z`) + second * 1000).toISOString();
const reasons = async (visitor: string) =>
  Object.fromEntries(
    (
      await database.owner.query(
        "select coalesce(bot_reason, 'human') as reason, count(*)::int as count from events where visitor_id = $1 group by 1",
        [visitorIdOf(siteId, visitor)],
      )
    ).rows.map(({ reason, count }) => [reason, count]),
  );

test('a late event reads what it touches, however much else its browser has sent', async () => {
  const visitor = 'kiosk';
  const many = 4000; // all of one visit, every 7 s
  await database.owner.query(
    'create or replace function flood_after() returns integer language sql immutable return 1000000',
  );
  await send(
    visitor,
    Array.from({ length: many }, (_, n) => ({ id: `kiosk ${n}`, at: at(n * 7) })),
  );
  const client = new pg.Client(database.ownerUrl);
  await client.connect();
  try {
    await client.query(`set role marketing_app; set marketing.sites = '${siteId}'`);
    const pages: number[] = [];
    for (const moment of [at(-60), at(many * 3 + 1)]) {
      // as ingest_events does it
      const id = idOf(moment);
      await client.query(
        `insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, clamped, privacy_signal, is_conversion)
         values ($1, $2, $3, '00000000-0000-0000-0000-000000000000', $4, now(), 'page_view', '/', false, false, false)`,
        [siteId, id, visitorIdOf(siteId, visitor), moment],
      );
      const { rows } = await client.query(
        "explain (analyze, buffers, format json) select recut_sessions($1, $2, false, array[$3::timestamptz], '30 minutes')",
        [siteId, visitorIdOf(siteId, visitor), moment],
      );
      const { Plan } = rows[0]['QUERY PLAN'][0];
      pages.push(Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks']);
      const placed = await client.query('select session_id from events where event_id = $1', [id]);
      const session = await client.query('select session_id from sessions where visitor_id = $1', [
        visitorIdOf(siteId, visitor),
      ]);
      assert.deepEqual(placed.rows, session.rows, 'it has found its visit');
    }
    // the first one loads plans and catalogue too
    assert.ok(pages[1]! < many / 4, `${pages} pages for an event among ${many}`);
  } finally {
    await client.end();
  }
});

test('beyond so many events a day a browser is a flood, on the next day it is not, and a verdict takes it back', async () => {
  await database.owner.query(
    `create or replace function flood_after() returns integer language sql immutable return ${BOUND}`,
  );
  const visitor = 'script';
  await send(
    visitor,
    Array.from({ length: BOUND + 25 }, (_, n) => ({ id: `script ${n}`, at: at(n * 60) })),
  );
  assert.deepEqual(await reasons(visitor), { human: BOUND, flood: 25 });
  const sessions = async () =>
    (
      await database.owner.query(
        'select is_bot, count(*)::int as count from sessions where visitor_id = $1 group by 1 order by 1',
        [visitorIdOf(siteId, visitor)],
      )
    ).rows;
  // late ones, with campaigns, after long silences: they cut nothing
  await send(
    visitor,
    Array.from({ length: 5 }, (_, n) => ({
      id: `late ${n}`,
      at: at(-7200 * n),
      utm: { campaign: `c${n}` },
    })),
  );
  assert.deepEqual(await reasons(visitor), { human: BOUND, flood: 30 });
  assert.deepEqual(await sessions(), [
    { is_bot: false, count: 1 },
    { is_bot: true, count: 1 },
  ]);
  // what says of itself that it is a bot stays that
  await send(visitor, [{ id: 'declared', at: at(9000), bot_reason: 'user_agent' }]);
  await send(visitor, [{ id: 'next day', at: at(0, '2026-03-15') }]);
  assert.deepEqual(await reasons(visitor), { human: BOUND + 1, flood: 30, user_agent: 1 });

  await inSites(database.app, siteId, (client) =>
    judge(client, siteId, [visitorIdOf(siteId, visitor)], null, 'admin', 30),
  );
  assert.deepEqual(await reasons(visitor), { human: BOUND + 32 });
  assert.ok((await sessions()).every(({ is_bot: isBot }) => !isBot));
  await send(
    visitor,
    Array.from({ length: 20 }, (_, n) => ({ id: `kiosk after all ${n}`, at: at(n, '2026-03-15') })),
  );
  assert.deepEqual(await reasons(visitor), { human: BOUND + 52 });
});

test('a flood of one browser leaves the others what they are', async () => {
  const visitor = 'neighbour';
  await send(visitor, [
    { id: 'one', at: at(0) },
    { id: 'two', at: at(30) },
  ]);
  assert.deepEqual(await reasons(visitor), { human: 2 });
  const { rows } = await database.owner.query('select first_human_at from visitors where visitor_id = $1', [
    visitorIdOf(siteId, visitor),
  ]);
  assert.equal(rows[0].first_human_at.toISOString(), at(0));
});
