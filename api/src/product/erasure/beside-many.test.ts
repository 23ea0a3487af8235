// An erasure beside very many texts with an @: it looks at few of them, and no statement of it looks at more than a piece.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { beside } from '../../../test/beside.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { emailHash } from '../captures/capture.ts';
import { forgetting } from './forget.ts';
import { PIECE_ROWS } from './mention-walk.ts';
import { patternOf } from './mentions.ts';

const MANY = Number(process.env.MANY ?? 30_000);
const EMAIL = 'victoria@canary.example';
const WALKED = /^(events|sessions|visit_facts|open_names|daily_breakdowns)/;
let database: TestDatabase;
let siteId: string;
let pool: pg.Pool;
let plans: string[] = [];
before(async () => {
  database = await makeDatabase();
  siteId = (await database.owner.query('select site_id from sites')).rows[0].site_id;
  pool = new pg.Pool({ connectionString: database.ownerUrl, max: 2 });
  pool.on('connect', (client) => {
    client.on('notice', ({ message }) => message && plans.push(message));
    client.query(
      "load 'auto_explain'; set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on; set auto_explain.log_analyze = on; set auto_explain.log_timing = off; set client_min_messages = log; set role marketing_app",
    );
  });
});
after(async () => {
  await pool.end();
  await database.drop();
});

const rows = async (sql: string, values: unknown[] = []) => (await database.owner.query(sql, values)).rows;

/** Many visits of one page each, with this path and these properties, a second apart through the last day. */
async function visits(path: string, props: object | null): Promise<void> {
  await rows(
    `with made as (
       select gen_random_uuid() as visitor_id, uuidv7() as session_id, now() - n % 80000 * interval '1 second' as at
       from generate_series(1, ${MANY}) n
     ), sessions_made as (
       insert into sessions (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, source, device_type)
       select $1, session_id, visitor_id, at, at, $2, 'direct', 'desktop' from made
     ), names_made as (
       insert into open_names (site_id, day, kind, name, detail, visitors, sessions, entrances, page_views, conversions, events, engaged_ms)
       select $1, current_date, 'page', $2 || '/' || visitor_id, '', 1, 1, 1, 1, 0, 1, 0 from made
     )
     insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, source, clamped, privacy_signal, is_conversion, props)
     select $1, gen_random_uuid(), visitor_id, session_id, at, at, 'page_view', $2, 'direct', false, false, false, $3 from made`,
    [siteId, path, props && JSON.stringify(props)],
  );
  await rows('vacuum analyze events, sessions, open_names');
}

/** Erases; by statement, how many rows of the walked tables it read, kept or thrown away. */
async function erase(): Promise<{ read: number[]; erased: Record<string, number> }> {
  plans = [];
  const forget = forgetting(pool, tablesOf(FEATURES), null);
  const { erased } = await forget({
    siteId,
    emailNormalized: EMAIL,
    emailHash: emailHash('pepper', siteId, EMAIL),
  });
  assert.ok(
    plans.some((plan) => plan.includes('erasures')),
    'the plans were told',
  );
  return { read: plans.map(rowsRead), erased };
}

function rowsRead(plan: string): number {
  let read = 0;
  let loops = 0;
  for (const line of plan.split('\n')) {
    const node = /(->|^ *)\s*(\w[\w ]*)(?: using \w+)? on (\w+).*actual rows=([\d.]+) loops=(\d+)/.exec(line);
    if (node) {
      loops = /Scan/.test(node[2]!) && WALKED.test(node[3]!) ? Number(node[5]) : 0;
      read += loops * Number(node[4]);
    } else if (line.includes('->')) loops = 0;
    read += loops * Number(/Rows Removed by (?:Index Recheck|Filter): (\d+)/.exec(line)?.[1] ?? 0);
  }
  return read;
}
const sum = (counts: number[]) => counts.reduce((all, one) => all + one, 0);

test('pages of authors (/@name) are not looked at, however many there are', async () => {
  await visits('/@author/a-page.html', { by: '@author', price: '3 @ 2.50' });
  const started = performance.now();
  const { read } = await erase();
  if (process.env.MANY) console.error(`${MANY} rows: ${Math.round(performance.now() - started)} ms`);
  assert.ok(sum(read) < MANY / 100, `${sum(read)} rows were read`);
});

test('texts with addresses of others are looked at in pieces, and the one that is looked for is found among them', async () => {
  await visits('/invited', { friend: 'somebody@else.example' });
  const spellings = [
    EMAIL,
    'Victoria@Canary.example',
    'victoria%40canary.example',
    `to:${EMAIL},`,
    `"${EMAIL}"`,
  ];
  for (const [n, text] of spellings.entries())
    await rows(
      `update events set props = $2 where ctid = any (select ctid from events where site_id = $1 and path = '/invited' order by received_at, event_id offset $3 limit 1)
       and tableoid = any (select tableoid from events where site_id = $1 and path = '/invited' order by received_at, event_id offset $3 limit 1)`,
      [siteId, JSON.stringify({ friend: text }), n * Math.floor(MANY / 6)],
    );
  const started = performance.now();
  const { read, erased } = await erase();
  if (process.env.MANY) console.error(`${MANY} rows: ${Math.round(performance.now() - started)} ms`);
  assert.ok(sum(read) >= MANY, 'they are looked at');
  assert.ok(Math.max(...read) < 3 * PIECE_ROWS, `${Math.max(...read)} rows were read by one statement`);
  assert.equal(erased.events, spellings.length);
  assert.deepEqual(await rows("select props from events where props::text ~* 'victoria'"), []);
  const marked = await rows("select distinct day from dirty_days where cause = 'erasure'");
  assert.ok(marked.length > 0, 'their days are counted again');
});

test('what is written of them while the others are looked at is taken out as well', async () => {
  await rows(
    `insert into leads (site_id, email, email_normalized, email_domain, first_captured_at, last_submitted_at, unsubscribe_key, consent_status)
     values ($1, $2, $2, 'canary.example', now(), now(), 'key of victoria', 'pending')`,
    [siteId, EMAIL],
  );
  const { erased } = await beside(
    database.ownerUrl,
    // the walk is over when the erasure comes to wait for the lead; this is committed only then
    async (client) => {
      await client.query('select from leads where email = $1 for update', [EMAIL]);
      await client.query(
        `with made as (select gen_random_uuid() as visitor_id, uuidv7() as session_id), visit as (
           insert into sessions (site_id, session_id, visitor_id, started_at, last_activity_at, landing_path, source, device_type)
           select $1, session_id, visitor_id, now(), now(), $2, 'direct', 'desktop' from made)
         insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, source, clamped, privacy_signal, is_conversion)
         select $1, gen_random_uuid(), visitor_id, session_id, now(), now(), 'page_view', $2, 'direct', false, false, false from made`,
        [siteId, `/by/${EMAIL}`],
      );
    },
    erase,
  );
  assert.deepEqual([erased.events, erased.sessions], [1, 1]);
  for (const table of ['events', 'sessions'])
    assert.deepEqual(await rows(`select from ${table} t where t::text ~* 'victoria'`), []);
});

test('whatever way an address is written, a text that an erasure would change is one that may hold an address', async () => {
  const typed = [
    'a@b.co',
    'A.D.A+news@Example.org',
    "o'neil@example.com",
    'a/@slash.example',
    '%@percent.example',
    'zoë@münchen.example',
    'ada@例え.テスト',
    'ada@wide\u3002dot.example',
    'ada@xn--mnchen-3ya.example',
    `${'x'.repeat(64)}@${'y'.repeat(60)}.example`,
  ];
  const around = ['', '/', 'x', '"', '{"a": "', ' ', 'é', '%22', '@', '<', '='];
  for (const address of typed) {
    const read = readAddress(address);
    assert.ok(read, address);
    for (const before of around)
      for (const spelling of [
        read.email,
        read.normalized,
        read.email.toUpperCase(),
        encodeURIComponent(read.email),
        encodeURIComponent(read.normalized),
        read.email.replace('@', '%40'),
      ]) {
        const text = `${before}${spelling}${around[before.length % around.length]}`;
        const [{ may, would }] = await rows('select may_hold_address($1) as may, $1 ~* $2 as would', [
          text,
          patternOf([read.normalized, read.email.toLowerCase()]),
        ]);
        assert.ok(would || spelling === spelling.toUpperCase(), text);
        assert.ok(may || !would, text);
      }
  }
  const [{ author }] = await rows("select may_hold_address('/@author/a-page.html') as author");
  assert.equal(author, false);
});
