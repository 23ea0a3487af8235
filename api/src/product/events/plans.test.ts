// What storing a batch reads, when its plans were made while the day was empty: as at every first start, and each midnight.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { idOf } from '../../../test/record.ts';
import { type ArrivedEvent, visitorIdOf } from './enrich.ts';
import { asBinaryArray } from './wire.ts';

const MANY = 4000;
let database: TestDatabase;
let siteId: string;
let typeOid: number;
let client: pg.Client;
before(async () => {
  database = await makeDatabase();
  siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  typeOid = (await database.owner.query("select 'arrived_event'::regtype::oid as oid")).rows[0].oid;
  // one connection, as the API's: its plans stay
  client = new pg.Client(database.appUrl);
  await client.connect();
});
after(async () => {
  await client.end();
  await database.drop();
});

const BEGAN = Date.now();
/** n  seconds before now */
const event = (visitor: string, n: number): ArrivedEvent => ({
  site_id: siteId,
  event_id: idOf(`${visitor} ${n}`),
  visitor_id: visitorIdOf(siteId, visitor),
  client_at: new Date(BEGAN - n * 1000).toISOString(),
  event_type: 'page_view',
  path: '/menu',
  source: 'direct',
  privacy_signal: false,
  is_conversion: false,
  device_type: 'desktop',
});

/** Stores them; returns how many pages of 8 KB were looked at an event. */
async function pagesAnEvent(events: ArrivedEvent[]): Promise<number> {
  const { rows } = await client.query(
    'explain (analyze, buffers, format json) select * from store_events($1, true, $2, $3, $4)',
    [asBinaryArray(events, typeOid), '[]', '30 minutes', siteId],
  );
  const { Plan } = rows[0]['QUERY PLAN'][0];
  return (Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks']) / events.length;
}
const visitors = (name: string, seconds: number) =>
  Array.from({ length: 20 }, (_, n) => event(`${name} ${n}`, seconds));

test('whatever was there when its plans were made, storing an event reads what is its own', async () => {
  // every way through the function is planned in an empty day: new, grown, late, sent twice
  for (const seconds of [30, 20, 40, 30]) await pagesAnEvent(visitors('first', seconds));
  for (let n = 0; n < MANY; n += 200)
    await pagesAnEvent(Array.from({ length: 200 }, (_, i) => event(`passer-by ${n + i}`, 10)));
  const pages = {
    new: await pagesAnEvent(visitors('later', 30)),
    grown: await pagesAnEvent(visitors('later', 20)),
    late: await pagesAnEvent(visitors('later', 40)),
    twice: await pagesAnEvent(visitors('later', 30)),
  };
  for (const [kind, count] of Object.entries(pages))
    assert.ok(count < 250, `an event that is ${kind}: ${Math.round(count)} pages`);
});
