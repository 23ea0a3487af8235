// Days of events in a bucket before they go: none is dropped without a good copy, what lies there is what the numbers count, and
// who is erased is taken out of it. The bucket checks signatures and misbehaves as it is told; the reader is DuckDB.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DuckDBInstance } from '@duckdb/node-api';
import { type Bucket, type Night, startBucket } from '../../../test/bucket.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { address } from '../../../test/make.ts';
import { partitions, type Recorded, record } from '../../../test/record.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { holdLease } from '../../ground/db/lease.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';
import { readForgotten } from '../consent/forget-journal.ts';
import { forgetAgain } from '../erasure/forget-again.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { keepDays, provenBefore } from './keep.ts';
import { refuseWaiting } from './restore.ts';
import type { ArchiveSettings } from './settings.ts';

// older than raw events are kept, but for the first by a whole week more
const DAY = addDays(dayOf(Date.now()), -110);
const NEXT = addDays(DAY, 1);
const KEPT_FROM = addDays(DAY, 2);
const ADA = 'ada-her-browser';
const BOB = 'bob-his-browser';

let server: TestServer;
let bucket: Bucket;
let siteId: string;
let westId: string;
let duck: Awaited<ReturnType<typeof DuckDBInstance.create>>;
const folder = await mkdtemp(join(tmpdir(), 'archive-test-'));
// as in the image: each process of the archive begins with what the first has compiled
process.env.NODE_COMPILE_CACHE ??= join(folder, 'compiled');

before(async () => {
  bucket = await startBucket('archive');
  server = await startServer({
    ARCHIVE_S3_URL: bucket.target.url,
    ARCHIVE_S3_REGION: bucket.target.region,
    ARCHIVE_S3_ACCESS_KEY_ID: bucket.target.accessKeyId,
    ARCHIVE_S3_SECRET_ACCESS_KEY: bucket.target.secretAccessKey,
  });
  siteId = server.services.sites.fallback().siteId;
  const west = await call(
    `${server.url}/v1/sites`,
    'POST',
    { key: 'west', settings: { timeZone: 'America/Vancouver' } },
    admin,
  );
  westId = west.body.site.siteId;
  await call(
    `${server.url}/v1/sites/${siteId}/custom-fields`,
    'POST',
    { name: 'size', fieldType: 'text', on: 'event', personal: false },
    admin,
  );
  await call(
    `${server.url}/v1/sites/${siteId}/custom-fields`,
    'POST',
    { name: 'nick', fieldType: 'text', on: 'event', personal: true },
    admin,
  );
  const { owner, app } = server.database;
  await partitions(owner, addDays(DAY, -1), addDays(DAY, 2));
  await record(app, siteId, [
    { id: '1', visitor: ADA, at: `${DAY}T10:00:00.000Z`, path: '/ada-was-here' },
    {
      id: '2',
      visitor: ADA,
      at: `${DAY}T10:01:00.000Z`,
      path: '/thanks?to=ada%40example.com&size=2',
      referrer: "https://mail.example/?from=o'brien@example.com",
      utm: { source: 'news', campaign: 'Ada@Example.com' },
      props: { size: 'large', nick: 'canary-nick', other: 'canary-other' },
    },
    { id: '3', visitor: BOB, at: `${DAY}T11:00:00.000Z`, path: '/' },
    { id: '4', visitor: BOB, at: `${DAY}T11:00:30.000Z`, type: 'cta_click', path: '/' },
    { id: '5', visitor: 'a-robot-of-them', at: `${DAY}T12:00:00.000Z`, bot_reason: 'user_agent' },
    { id: '6', visitor: ADA, at: `${NEXT}T09:00:00.000Z`, path: '/bread' },
    { id: '7', visitor: BOB, at: `${NEXT}T09:00:00.000Z`, path: '/cake' },
  ]);
  // of one day there, though of two in UTC
  await record(app, westId, [
    { id: '1', visitor: ADA, at: `${DAY}T20:00:00.000Z` },
    { id: '2', visitor: BOB, at: `${DAY}T23:00:00.000Z` },
    { id: '3', visitor: BOB, at: `${NEXT}T01:00:00.000Z`, path: '/late' },
  ] satisfies Recorded[]);
  duck = await DuckDBInstance.create(':memory:');
  await job('rollup', { from: addDays(DAY, -1), to: NEXT });
});
after(async () => {
  bucket.close();
  duck.closeSync();
  await server.end();
  await rm(folder, { recursive: true, force: true });
});

const runOf = async (name: string, options: Record<string, unknown> = {}) => {
  const { status, body } = await call(`${server.url}/v1/admin/jobs/${name}`, 'POST', options, admin);
  assert.equal(status, 200, JSON.stringify(body));
  return body.run;
};
const job = async (name: string, options: Record<string, unknown> = {}) =>
  (await runOf(name, options)).result;
const ask = (path: string, method = 'GET', body?: unknown) =>
  call(`${server.url}/v1/sites/${siteId}/archives${path}`, method, body, admin);
const sql = async (text: string, values: unknown[] = []) =>
  (await server.database.owner.query(text, values)).rows;
const rowCount = async (table: string) => (await sql(`select count(*) as count from ${table}`))[0].count;

const settings = (more: Partial<ArchiveSettings['target']> = {}): ArchiveSettings => ({
  target: { ...bucket.target, ...more },
  region: null,
  folder: join(folder, 'work'),
  journal: join(server.folder, 'journal', 'forgotten.ndjson'),
});
const keep = (
  more: Partial<ArchiveSettings['target']> = {},
  elsewhere = (_: string) => false,
  before = KEPT_FROM,
) =>
  keepDays(
    {
      db: server.database.app,
      settings: settings(more),
      siteIds: [siteId, westId],
      elsewhere,
      signal: undefined,
      progress: () => {},
    },
    before,
  );
const proven = () => inSites(server.database.app, [siteId, westId], (tx) => provenBefore(tx, KEPT_FROM));
const archiveStatus = async () =>
  (await call(`${server.url}/v1/admin/status`, 'GET', undefined, admin)).body.archive;

/** What the files of the list hold, read by DuckDB. */
async function query(text: string): Promise<Record<string, unknown>[]> {
  const files = [];
  for (const { file } of await sql('select file from archives')) {
    const path = join(folder, file);
    await writeFile(path, bucket.objects.get(file)!);
    files.push(`'${path}'`);
  }
  const connection = await duck.connect();
  try {
    const read = await connection.runAndReadAll(
      text.replace('ARCHIVE', `read_parquet([${files.join(', ')}])`),
    );
    return read.getRowObjectsJson();
  } finally {
    connection.closeSync();
  }
}

const NIGHTS: [Night, RegExp, Partial<ArchiveSettings['target']>?][] = [
  ['is away', /it cut the connection/],
  ['resets', /it cut the connection/],
  ['refuses', /403 AccessDenied to the upload/],
  ['is busy', /503 SlowDown to the upload/],
  ['is full', /507 InsufficientStorage to the upload/],
  ['stores half', /the bucket shows \d+ bytes of/],
  ['stores garbage', /is not what was sent/],
  ['is silent', /it was silent/, { silenceMs: 300 }],
];
for (const [night, words, more] of NIGHTS)
  test(`a day stays where it is when the bucket ${night}, and an alarm says so`, async () => {
    bucket.night = night;
    try {
      const { archived, warnings } = await keep(more, undefined, NEXT);
      assert.equal(archived, 0);
      assert.match(warnings[0]!, words);
    } finally {
      bucket.night = 'well';
    }
    assert.equal(await proven(), DAY);
    assert.equal(await rowCount('archives'), 0);
    const { daysWaiting, message, failingSince } = await archiveStatus();
    assert.ok(daysWaiting >= 1);
    assert.match(message, words);
    assert.ok(failingSince);
  });

test('of two processes one is at the archive, and what the other would drop stays', async () => {
  const lease = await holdLease(server.database.app, 'archive');
  try {
    assert.match((await keep()).warnings[0]!, /another process/);
    assert.equal(await proven(), DAY);
  } finally {
    await lease!.release();
  }
});

test('the next night makes it up: each site and day is a file, read back and listed, and nothing else is left in the bucket', async () => {
  assert.deepEqual(await keep(), { archived: 4, warnings: [] });
  assert.equal(await proven(), KEPT_FROM);
  const listed = await sql('select file, rows, bytes::int as bytes from archives order by site_id, day');
  assert.deepEqual([...bucket.objects.keys()].sort(), listed.map(({ file }) => file).sort());
  for (const { file, bytes } of listed) assert.equal(bucket.objects.get(file)!.length, bytes);
  assert.equal(await rowCount('archive_removals'), 0);
  const status = await archiveStatus();
  assert.deepEqual(
    [status.files, status.message, status.failingSince, status.daysWaiting, status.newest],
    [4, null, null, 0, NEXT],
  );
  assert.deepEqual(await keep(), { archived: 0, warnings: [] });
});

test('a file whose bytes turn bad at the bucket is noticed before anything is done with it', async () => {
  const [{ file }] = await sql('select file from archives where site_id = $1 and day = $2', [westId, DAY]);
  const good = bucket.objects.get(file)!;
  bucket.objects.set(file, Buffer.from(good.map((byte) => byte ^ 1)));
  await sql(
    `insert into archive_erasures (site_id, day, taken_visitor, becomes) values ($1, $2, gen_random_uuid(), gen_random_uuid())`,
    [westId, DAY],
  );
  const { state, result } = await runOf('archive_erasures');
  assert.equal(state, 'incomplete');
  assert.match(result.warnings[0], /is not what was written/);
  bucket.objects.set(file, good);
  assert.equal((await job('archive_erasures')).rewritten, 0);
  assert.equal(await rowCount('archive_erasures'), 0);
});

test('a day whose rows are others by now is archived again, and the file of before goes', async () => {
  const [{ file }] = await sql('select file from archives where site_id = $1 and day = $2', [siteId, DAY]);
  await record(server.database.app, siteId, [
    { id: 'late', visitor: BOB, at: `${DAY}T13:00:00.000Z`, path: '/came-late' },
  ]);
  assert.equal(await proven(), DAY);
  assert.deepEqual(await keep(), { archived: 1, warnings: [] });
  assert.equal(await proven(), KEPT_FROM);
  const [now] = await sql('select file, rows from archives where site_id = $1 and day = $2', [siteId, DAY]);
  assert.equal(now.rows, 6);
  assert.notEqual(now.file, file);
  assert.equal(bucket.objects.has(file), false);
  assert.equal(bucket.objects.size, 4);
});

test('a site whose data has to be elsewhere is not archived, and its days stay', async () => {
  await record(server.database.app, westId, [{ id: 'late', visitor: BOB, at: `${DAY}T21:00:00.000Z` }]);
  const { archived, warnings } = await keep({}, (id) => id === westId);
  assert.equal(archived, 0);
  assert.match(warnings[0]!, /another region/);
  assert.equal(await proven(), DAY);
});

test('a purge drops nothing when the bucket takes nothing, and the run says that it is incomplete', async () => {
  bucket.night = 'refuses';
  try {
    const { state, result } = await runOf('purge');
    assert.equal(state, 'incomplete');
    assert.deepEqual(result.partitions, [`events_${addDays(DAY, -1).replaceAll('-', '')}`]);
    assert.match(result.warnings.join(' '), /the events of \S+ stay in the database/);
  } finally {
    bucket.night = 'well';
  }
  assert.equal(await rowCount('events'), 12);
});

test('the purge drops what was archived, and DuckDB reads the same numbers from the files as the rollups have', async () => {
  await job('rollup', { from: addDays(DAY, -1), to: NEXT });
  const done = await job('purge');
  assert.deepEqual([done.warnings, done.archived, done.stayed], [undefined, 1, 0]);
  assert.equal(await rowCount('events'), 0);
  const counted = await sql(
    `select site_id::text as site, day::text as day, human_events::int as events, page_views::int as views, unique_visitors::int as visitors, bot_events::int as bots
     from daily_metric_rollups where human_events + bot_events > 0 order by 1, 2`,
  );
  assert.ok(counted.length >= 3);
  const read = await query(
    `select site_id::text as site, site_day::text as day, (count(*) filter (bot_reason is null))::int as events,
       (count(*) filter (bot_reason is null and event_type = 'page_view'))::int as views,
       (count(distinct visitor_id) filter (bot_reason is null))::int as visitors, (count(*) filter (bot_reason is not null))::int as bots
     from ARCHIVE group by 1, 2 order by 1, 2`,
  );
  assert.deepEqual(read, counted);
});

test('no file has an address, a hash of one or a personal prop; what the site defined is there', async () => {
  const rows = await query('select * from ARCHIVE order by occurred_at, event_id');
  const all = JSON.stringify(rows);
  for (const word of ['@', '%40', 'brien', 'canary', 'example.com', 'ip_hash'])
    assert.equal(all.toLowerCase().includes(word), false, word);
  const [thanks] = rows.filter(({ path }) => String(path).startsWith('/thanks'));
  assert.deepEqual(
    [thanks!.path, thanks!.props, thanks!.utm_source, thanks!.utm_campaign],
    ['/thanks?to=(address)&size=2', '{"size":"large"}', 'news', '(address)'],
  );
  assert.equal(thanks!.visitor_id, visitorIdOf(siteId, ADA));
  assert.match(String(thanks!.occurred_at), new RegExp(`^${DAY} 10:01:00`));
});

test('the list shows a site its own days, page by page', async () => {
  const first = (await ask('?limit=1')).body;
  assert.deepEqual(
    first.archives.map(({ day, rows }: Recorded & { day: string; rows: number }) => [day, rows]),
    [[NEXT, 2]],
  );
  const second = (await ask(`?limit=1&cursor=${first.nextCursor}`)).body;
  assert.deepEqual([second.archives[0].day, second.archives[0].rows, second.nextCursor], [DAY, 6, null]);
  assert.match(second.archives[0].sha256, /^[0-9a-f]{64}$/);
});

test('days that are asked back stand in restored_events, where nothing can be changed, and asking twice doubles nothing', async () => {
  const { status, body } = await ask('/restore', 'POST', { from: DAY, to: NEXT });
  assert.equal(status, 202);
  assert.equal(body.restore.state, 'waiting');
  assert.equal((await ask('/restore', 'POST', { from: DAY, to: DAY })).status, 409);
  assert.equal((await job('archive_restores')).restored, 1);
  const [restored] = (await ask('/restores')).body.restores;
  assert.deepEqual([restored.state, restored.days, restored.rows, restored.why], ['done', 2, 8, null]);
  await ask('/restore', 'POST', { from: DAY, to: DAY });
  await job('archive_restores');
  const rows = await sql(
    `select path, props, site_day::text as day, instant_text(occurred_at) as at from restored_events order by occurred_at, event_id`,
  );
  assert.equal(rows.length, 8);
  assert.deepEqual(rows[1], {
    path: '/thanks?to=(address)&size=2',
    props: { size: 'large' },
    day: DAY,
    at: `${DAY}T10:01:00.000Z`,
  });
  await assert.rejects(
    inSites(server.database.app, siteId, (tx) => tx.query("update restored_events set path = '/'")),
    /permission denied/,
  );
  assert.equal((await ask('/restore', 'POST', { from: '2020-01-01', to: '2020-01-02' })).status, 404);
  assert.equal((await ask('/restore', 'POST', { from: NEXT, to: DAY })).status, 400);
  assert.equal((await ask('/restore', 'POST', { from: '2020-01-01', to: '2020-03-01' })).status, 400);
});

test('who asks what is held is told the days in the archive, and what was brought back of them', async () => {
  const { body } = await call(
    `${server.url}/v1/leads/export-subject`,
    'POST',
    { anonId: BOB, propertyId: 'default' },
    admin,
  );
  assert.deepEqual(body.subject.archivedDays, [DAY, NEXT]);
  assert.equal(body.subject.restoredEvents.length, 4);
});

/** By the bytes of its id, which a Parquet file has in its dictionary, packed or not. */
const inFiles = async (visitorId: string) =>
  (await query(`select count(*)::int as n from ARCHIVE where visitor_id = '${visitorId}'`))[0]!.n;
const numbers = () =>
  query(
    `select site_day::text as day, count(*)::int as events, count(distinct visitor_id)::int as visitors, count(distinct session_id)::int as visits
     from ARCHIVE group by 1 order by 1`,
  );

test('a browser that is forgotten is out of the files after the next night, and no number changes', async () => {
  const visitorId = visitorIdOf(siteId, BOB);
  const before = await numbers();
  const old = new Map(bucket.objects);
  const { body } = await call(
    `${server.url}/v1/leads/delete`,
    'POST',
    { anonId: BOB, propertyId: 'default' },
    admin,
  );
  assert.equal(body.erased.archives, 2);
  assert.equal(await rowCount(`restored_events where visitor_id = '${visitorId}'`), 0);
  assert.equal((await ask('')).body.archives[0].erasuresWaiting, 1);
  assert.deepEqual(await job('archive_erasures'), { rewritten: 2 });
  assert.equal(await inFiles(visitorId), 0);
  assert.deepEqual(await numbers(), before);
  assert.equal(await rowCount('archive_erasures'), 0);
  const [{ erasuresWaiting, rewrittenAt }] = (await ask('')).body.archives;
  assert.deepEqual([erasuresWaiting, rewrittenAt === null], [0, false]);
  assert.equal(bucket.objects.size, 4);
  assert.equal([...bucket.objects.keys()].filter((name) => old.has(name)).length, 2);
  const again = await call(
    `${server.url}/v1/leads/delete`,
    'POST',
    { anonId: BOB, propertyId: 'default' },
    admin,
  );
  assert.equal(again.status, 404);
});

test('a person who asks is out of the files with their browser, also where a restored database forgot that they did', async () => {
  const email = address();
  const visitorId = visitorIdOf(siteId, ADA);
  const captured = await call(`${server.url}/v1/leads/capture`, 'POST', {
    email,
    anonId: ADA,
    path: '/',
    consentStatus: 'express',
    consent: { text: 'Send me the weekly bake.', language: 'en' },
  });
  assert.equal(captured.status, 200, JSON.stringify(captured.body));
  const since = new Date().toISOString();
  bucket.night = 'refuses';
  const { body } = await call(
    `${server.url}/v1/leads/delete`,
    'POST',
    { email, propertyId: 'default' },
    admin,
  );
  assert.equal(body.erased.archives, 2);
  const refused = await runOf('archive_erasures');
  bucket.night = 'well';
  assert.equal(refused.state, 'incomplete');
  assert.ok(Number(await inFiles(visitorId)) > 0);
  // the older database knows nothing of it, the journal does
  await sql('delete from archive_erasures');
  const journal = join(server.folder, 'journal', 'forgotten.ndjson');
  const kinds = [];
  for await (const { kind } of readForgotten(journal)) kinds.push(kind);
  assert.equal(kinds.filter((kind) => kind === 'archive').length, 2);
  await forgetAgain(server.database.app, { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) });
  assert.deepEqual(await job('archive_erasures'), { rewritten: 2 });
  assert.equal(await inFiles(visitorId), 0);
  const [{ paths }] = (await query(
    `select count(*)::int as paths from ARCHIVE where path like '%ada-was-here%'`,
  )) as [{ paths: number }];
  assert.equal(paths, 0);
  assert.equal(await rowCount('archive_erasures'), 0);
});

test('after a restore of an older database a file that was written anew since is found again, and what is superfluous goes', async () => {
  const [{ file }] = await sql('select file from archives where site_id = $1 and day = $2', [siteId, DAY]);
  // as the older database has it: another name, that is not there any more
  await sql('update archives set file = $3 where site_id = $1 and day = $2', [
    siteId,
    DAY,
    file.replace(/\d{8}T\d+Z/, '20200101T000000000Z'),
  ]);
  const superfluous = file.replace(DAY, NEXT).replace(/\d{8}T\d+Z/, '20200101T000000000Z');
  bucket.objects.set(superfluous, Buffer.from('no Parquet'));
  const others = `events_${'0'.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}_${DAY}_20200101T000000000Z.parquet`;
  bucket.objects.set(others, Buffer.from("another installation's"));
  assert.deepEqual(await keep(), { archived: 0, warnings: [] });
  assert.equal(
    (await sql('select file from archives where site_id = $1 and day = $2', [siteId, DAY]))[0].file,
    file,
  );
  assert.equal(bucket.objects.has(superfluous), false);
  assert.ok(bucket.objects.delete(others), 'what is not ours is left alone');
  assert.equal(bucket.objects.size, 4);
});

test('what was brought back goes after seven days, and a file when its time is over', async () => {
  await sql("update restored_events set restored_at = now() - interval '6 days'");
  const there = await rowCount('restored_events');
  assert.ok(there > 0);
  await job('purge');
  assert.equal(await rowCount('restored_events'), there);
  await sql("update restored_events set restored_at = now() - interval '8 days 1 second'");
  await sql('update archives set day = day - 800 where site_id = $1 and day = $2', [westId, DAY]);
  const told = await job('purge', { dryRun: true });
  const done = await job('purge');
  assert.deepEqual(
    [told.rows.archives, told.rows.restored_events, done.rows.archives, done.rows.restored_events],
    [1, there, 1, there],
  );
  bucket.night = 'removes nothing';
  const { state } = await runOf('archive_erasures');
  bucket.night = 'well';
  assert.equal(state, 'incomplete');
  assert.equal(bucket.objects.size, 4);
  await job('archive_erasures');
  assert.equal(bucket.objects.size, 3);
});

test('days that were asked back wait for no bucket that nobody names any more', async () => {
  const { rows } = await server.database.owner.query(
    `insert into archive_restores (site_id, from_day, to_day, requested_by) values ($1, $2, $2, 'admin_key') returning restore_id as id`,
    [siteId, DAY],
  );
  assert.equal(await refuseWaiting(server.database.app, [siteId]), 1);
  const [{ restoreId, state, why }] = (await ask('/restores')).body.restores;
  assert.deepEqual([restoreId, state], [rows[0].id, 'failed']);
  assert.match(why, /ARCHIVE_S3_URL/);
});

test('an archive that would lie where the data may not is refused at the start, as is one that is set up by halves', async () => {
  const { archiveSettings } = await import('./settings.ts');
  const { readConfig } = await import('../../config.ts');
  const config = (more: Record<string, string>) =>
    archiveSettings(
      readConfig({
        DATABASE_URL: 'postgres://localhost/x',
        IP_HASH_PEPPER: PEPPER,
        ARCHIVE_S3_URL: 'https://s3.example.com/bucket/archive',
        ARCHIVE_S3_ACCESS_KEY_ID: 'key',
        ARCHIVE_S3_SECRET_ACCESS_KEY: 'secret',
        ...more,
      }),
    );
  assert.equal(config({})!.region, null);
  assert.throws(() => config({ ARCHIVE_S3_ACCESS_KEY_ID: '' }), /ARCHIVE_S3_ACCESS_KEY_ID/);
  assert.throws(() => config({ DATA_REGION: 'ca-central' }), /ARCHIVE_S3_DATA_REGION/);
  assert.throws(
    () => config({ DATA_REGION: 'ca-central', ARCHIVE_S3_DATA_REGION: 'us-east' }),
    /has to be in ca-central/,
  );
  assert.equal(
    config({ DATA_REGION: 'ca-central', ARCHIVE_S3_DATA_REGION: 'ca-central' })!.region,
    'ca-central',
  );
  assert.throws(
    () => config({ BACKUP_S3_URL: 'https://s3.example.com/bucket/archive/' }),
    /name the same folder/,
  );
  assert.equal(config({ ARCHIVE_S3_URL: '' }), null);
});
