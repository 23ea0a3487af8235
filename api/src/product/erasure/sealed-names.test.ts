// An erasure reaches days that were sealed: no name of a number holds the address any more, and no sum has changed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { partitions, type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

const SEED = process.env.SEED ?? 'sealed names';
const random = randomFrom(SEED);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const EMAIL = 'jo.poe@pii.example';
const FIRST = addDays(dayOf(Date.now()), -5);
const SPELLINGS = [EMAIL, 'Jo.Poe@PII.example', 'jo.poe%40pii.example', encodeURIComponent(EMAIL)];

let server: TestServer;
let siteId: string;
before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const ask = (path: string) => call(`${server.url}${path}`, 'POST', { email: EMAIL }, admin);

/** Visits with the address wherever a visitor's words become the name of a number; and the same without. */
function visits(): Recorded[] {
  const words = () => (random() < 0.5 ? pick(SPELLINGS) : pick(['bread', 'cake', '[erased]']));
  return Array.from({ length: 120 }, (_, n) => ({
    id: `visit ${n}`,
    visitor: `reader-${n % 40}`,
    at: new Date(Date.parse(`${FIRST}T00:00:00Z`) + Math.floor(random() * 2 * 86_400_000)).toISOString(),
    ...pick<() => Partial<Recorded>>([
      () => ({ path: `/hello/${words()}/` }),
      () => ({ path: `/${'x'.repeat(500)}/${words()}` }), // cut inside the address
      () => ({ source: 'campaign', utm: { source: words(), medium: 'mail', campaign: words() } }),
      () => ({ type: words() }),
      () => ({ type: 'form_submit', props: { formName: words() } }),
      () => ({ source: 'referral', referrer: `https://${pick(['a', 'b'])}.example/${words()}` }),
    ])(),
  }));
}

const sums = () =>
  rows(
    `select day, kind, sum(sessions) as sessions, sum(page_views) as page_views, sum(conversions) as conversions, sum(events) as events,
       sum(engaged_ms) as engaged_ms from daily_breakdowns group by 1, 2 order by 1, 2`,
  );

async function dump(): Promise<string> {
  const tables = await rows(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  const lines: string[] = [];
  for (const { name } of tables)
    for (const { line } of await rows(`select t::text as line from ${name} t`)) lines.push(`${name} ${line}`);
  return lines.join('\n');
}

test(`no name of a sealed day holds an erased address, and every sum stays (seed ${SEED})`, async () => {
  await partitions(server.database.owner, addDays(FIRST, -1), addDays(FIRST, 3));
  await record(server.database.app, siteId, visits());
  await call(`${server.url}/v1/admin/jobs/rollup`, 'POST', {}, admin);
  // as retention leaves it: sealed, without raw rows
  await rows('update rollup_state set sealed_at = now() where day < $1', [addDays(FIRST, 3)]);
  for (const table of ['events', 'event_keys', 'sessions', 'visitors']) await rows(`delete from ${table}`);
  const held = await rows(
    `select count(distinct kind)::int as kinds from daily_breakdowns where name ~* 'jo.poe' or detail ~* 'jo.poe'`,
  );
  assert.ok(held[0].kinds >= 5, 'the address stands in pages, entrances, campaigns, events, forms');
  const before = await sums();

  const told = await ask('/v1/leads/export-subject');
  assert.equal(told.status, 200);
  assert.ok(told.body.subject.mentions.daily_breakdowns > 0);
  const erased = await ask('/v1/leads/delete');
  assert.equal(erased.status, 200);
  assert.ok(erased.body.erased.daily_breakdowns >= told.body.subject.mentions.daily_breakdowns);

  assert.deepEqual(await sums(), before);
  const left = (await dump()).split('\n').filter((line) => /jo\.po|pii\.example/i.test(line));
  assert.deepEqual(left, []);
  assert.match(await dump(), /\[erased\]/);
  assert.equal((await ask('/v1/leads/export-subject')).status, 404);
});
