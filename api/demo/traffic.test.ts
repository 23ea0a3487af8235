// The demo's data: the same from the same seed, stored by the real statement, and adding up.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addDays, dayOf } from '../src/ground/lib/days.ts';
import { findDiscrepancies, rollUp } from '../src/product/metrics/rollup.ts';
import { makeDatabase } from '../test/database.ts';
import { storeTraffic } from './store.ts';
import { trafficOf } from './traffic.ts';

const options = {
  siteId: '0198c0de-0000-7000-8000-000000000001',
  seed: 'crumb',
  first: '2026-01-01',
  visitorsPerDay: 40,
};

test('the same seed and day give the same traffic, another seed another', () => {
  assert.deepEqual(trafficOf('2026-02-02', options), trafficOf('2026-02-02', options));
  assert.notDeepEqual(
    trafficOf('2026-02-02', options),
    trafficOf('2026-02-02', { ...options, seed: 'other' }),
  );
  const { events } = trafficOf('2026-02-02', options);
  assert.equal(new Set(events.map((event) => event.event_id)).size, events.length);
});

test('stored twice it is there once, and rollups agree with raw rows', async () => {
  const database = await makeDatabase();
  try {
    const { site_id: siteId } = (await database.owner.query('select site_id from sites')).rows[0];
    const last = addDays(dayOf(Date.now()), -1);
    const first = addDays(last, -5);
    const again = { ...options, siteId, first, last, until: Date.now() };
    const total = await storeTraffic(database.app, again);
    await storeTraffic(database.app, again);
    const count = async (table: string) =>
      (await database.owner.query(`select count(*) as count from ${table}`)).rows[0].count;
    assert.equal(await count('events'), total.events);
    assert.equal(await count('leads'), total.leads);
    assert.ok(total.leads > 0);
    await rollUp(database.app, { siteIds: [siteId] });
    const { daysCompared, differences } = await findDiscrepancies(database.app, {
      from: first,
      to: last,
      siteIds: [siteId],
    });
    assert.ok(daysCompared >= 5);
    assert.deepEqual(differences, []);
  } finally {
    await database.drop();
  }
});
