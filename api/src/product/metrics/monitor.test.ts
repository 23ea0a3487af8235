// The nightly comparison: whatever is derived and wrong is found, told by its name, and right again after the next rollup.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { partitions, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { visitorIdOf } from '../events/enrich.ts';

const DAY = addDays(dayOf(Date.now()), -3);
let server: TestServer;
let siteId: string;

const sql = async (text: string, values: unknown[] = [siteId, DAY]) =>
  (await server.database.owner.query(text, values)).rows;
const job = async (name: string) =>
  (await call(`${server.url}/v1/admin/jobs/${name}`, 'POST', {}, admin)).body.run.result;

before(async () => {
  server = await startServer();
  siteId = server.services.sites.fallback().siteId;
  await partitions(server.database.owner, addDays(DAY, -2), DAY);
  const at = (time: string, day = DAY) => `${day}T${time}Z`;
  await record(server.database.app, siteId, [
    { id: 'before', visitor: 'reader-1', at: at('23:50:00', addDays(DAY, -1)), path: '/late' },
    { id: 'over', visitor: 'reader-1', at: at('00:10:00'), path: '/later', engaged_ms: 4000 },
    {
      id: 'ad',
      visitor: 'reader-2',
      at: at('09:00:00'),
      path: '/offer?utm_campaign=x',
      source: 'email',
      utm: { source: 'news', medium: 'email', campaign: 'spring' },
      referrer: 'https://www.example.org/a',
      ttfb_ms: 80,
      cls_score: 0.1,
    },
    {
      id: 'start',
      visitor: 'reader-2',
      at: at('09:01:00'),
      type: 'form_start',
      props: { formName: 'order' },
    },
    {
      id: 'submit',
      visitor: 'reader-2',
      at: at('09:02:00'),
      type: 'form_submit',
      props: { formName: 'order' },
    },
    { id: 'signup', visitor: 'reader-2', at: at('09:03:00'), type: 'signup', is_conversion: true },
    { id: 'verify', visitor: 'reader-2', at: at('09:04:00'), type: 'email_verify' },
    { id: 'find', visitor: 'reader-3', at: at('11:01:00'), type: 'form_submit', props: { role: 'search' } },
    { id: 'own', visitor: 'reader-3', at: at('11:02:00'), type: 'ordered', props: { plan: 'loaf' } },
    { id: 'bot', visitor: 'robot-1', at: at('10:00:00'), bot_reason: 'user_agent' },
    { id: 'slow', visitor: 'reader-3', at: at('11:00:00'), received_at: at('12:00:00') },
  ]);
  await call(`${server.url}/v1/leads/capture`, 'POST', { email: 'ada@example.com', anonId: 'ada-browser-1' });
  await sql(
    `insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence) select site_id, lead_id, $2, 'manual_merge', 1
     from leads where site_id = $1`,
    [siteId, visitorIdOf(siteId, 'reader-3')],
  );
  await job('rollup');
});
after(() => server.end());

/** What may have gone wrong, and by what name it is told. */
async function falsehoods(): Promise<[string, string][]> {
  const columns = await sql(
    `select table_name as "table", column_name as "column", data_type as type from information_schema.columns
     where table_name in ('daily_metric_rollups', 'daily_ingest_rollups') and data_type in ('bigint', 'jsonb')`,
    [],
  );
  assert.ok(columns.length > 20);
  return [
    ...columns.map(({ table, column, type }): [string, string] => [
      `update ${table} set ${column} = ${type === 'bigint' ? `${column} + 1` : `${column} || '{"falsified": ${column === 'vitals' ? '{"7": 1}' : '1'}}'`} where site_id = $1 and day = $2`,
      column,
    ]),
    ...[
      'page',
      'event',
      'entrance',
      'exit',
      'source',
      'campaign',
      'utm_source',
      'utm_medium',
      'prop:plan',
      'referrer',
      'device',
      'browser',
      'form',
    ].map((kind): [string, string] => [
      `update daily_breakdowns set events = events + 1 where site_id = $1 and day = $2 and kind = '${kind}'`,
      `${kind} rows`,
    ]),
    ...['visitors', 'entrances'].map((column): [string, string] => [
      `update daily_breakdowns set ${column} = ${column} + 1 where site_id = $1 and day = $2 and kind = 'source'`,
      'source rows',
    ]),
    ["delete from daily_breakdowns where site_id = $1 and day = $2 and name = '/later'", 'page rows'],
    ["insert into daily_breakdowns (site_id, day, kind, name) values ($1, $2, 'os', 'Plan 9')", 'os rows'],
    ['delete from daily_metric_rollups where site_id = $1 and day = $2', 'daily row'],
    [
      'with gone as (delete from rollup_state where site_id = $1 and day = $2) delete from daily_metric_rollups where site_id = $1 and day = $2',
      'daily row',
    ],
    ['delete from visitor_days where site_id = $1 and day = $2', 'visitor days'],
    [
      "insert into visitor_days (site_id, day, visitor_id) values ($1, $2, '6e0a4a52-0000-4000-8000-000000000000')",
      'visitor days',
    ],
    ['update visitor_days set previous_day = null where site_id = $1 and day = $2', 'previous days'],
    ['update visitor_returns set visitors = visitors + 1 where site_id = $1 and day = $2', 'returns'],
    [
      "delete from conversions where site_id = $1 and occurred_at::date = $2 and kind = 'signup'",
      'browsers’ conversions',
    ],
  ];
}

test('whatever is derived and wrong is found and told; the next rollup has cured it', async () => {
  assert.deepEqual((await job('discrepancy')).differences, []);
  for (const [falsify, name] of await falsehoods()) {
    await sql(falsify);
    const found = await job('discrepancy');
    assert.ok(
      found.differences.some(
        (each: { number: string; day: string; siteId: string }) =>
          each.number.split('.')[0]!.replace("'", '’') === name && each.day === DAY && each.siteId === siteId,
      ),
      `${falsify}: ${JSON.stringify(found.differences)}`,
    );
    await job('rollup');
    const cured = await job('discrepancy');
    assert.deepEqual([cured.discrepancies, cured.differences], [0, []], falsify);
  }
});

test('kept facts, touches and credits of a lead that are wrong, missing or of nobody’s making are found and made anew', async () => {
  for (const falsify of [
    "update lead_facts set source = 'email' where site_id = $1",
    'update lead_facts set day = day - 1 where site_id = $1',
    'delete from lead_facts where site_id = $1',
    "update lead_touches set source = 'social' where site_id = $1",
    'delete from lead_touches where site_id = $1',
    'update lead_credits set linear = linear - 1 where site_id = $1',
    'delete from lead_credits where site_id = $1',
  ]) {
    await sql(falsify, [siteId]);
    assert.equal((await job('discrepancy')).leadsDiffering, 1, falsify);
    await job('rollup');
    assert.equal((await job('discrepancy')).discrepancies, 0, falsify);
  }
});
