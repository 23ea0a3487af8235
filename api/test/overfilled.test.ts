// Every route and every job, in a process of the container's size, with tables that it could not hold: nothing dies.
// The routes every time (a minute and a half); the jobs and a whole export, which take six minutes, where OVERFILL is given:
// OVERFILL=1, or 10 for tables ten times as large. OVERFILL_TELL=1 says what each call took.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { methodOf, pathOf, type Route } from '../src/ground/http/route.ts';
import { type Confined, largestOf, startConfined } from './confined.ts';
import { makeDatabase, type TestDatabase } from './database.ts';
import { examplesOf } from './examples.ts';
import { overfill, overfillJournal, SCALE } from './overfill.ts';
import { admin, startServer } from './server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from './world.ts';

// A minute and a half on a core of its own; tests share theirs.
const PATIENCE = { timeout: 1_200_000 };
const BY_HAND = { ...PATIENCE, skip: !process.env.OVERFILL && 'takes minutes: OVERFILL=1' };

let database: TestDatabase;
let place: Place;
let routes: Route[];
let api: Confined;

before(async () => {
  database = await makeDatabase();
  const server = await startServer(WORLD_SETTINGS, { ...database, drop: async () => {} });
  const { folder } = server;
  place = await makePlace(server, 'bakery');
  routes = server.routes;
  await server.stop();
  await overfill(database.owner, place);
  overfillJournal(`${folder}/journal/forgotten.ndjson`, place.siteId);
  api = await startConfined(database.ownerUrl, folder);
}, PATIENCE);
after(async () => {
  await api?.end();
  await database.drop();
});

// they end what the others look at
const LAST = ['eraseSubject', 'exportSubject'];

test('no route needs what it could not hold', PATIENCE, async () => {
  const all = examplesOf(place);
  const largest = largestOf(place);
  const walked = routes.filter(
    ({ id, at }) => id !== 'runJob' && !LAST.includes(id) && !at.startsWith('DELETE'),
  );
  for (const route of walked)
    for (const example of [...all[route.id]!, ...(largest[route.id] ?? [])])
      await api.walk(
        `${methodOf(route)} ${pathOf(route)} ${JSON.stringify(example).slice(0, 200)}`,
        route,
        example,
      );
});

test('several of the largest at once do not either', PATIENCE, async () => {
  const named = (id: string) => routes.find((route) => route.id === id)!;
  await Promise.all(
    [
      'getLead',
      'getLead',
      'getConsentEvidence',
      'getMetricsBreakdown',
      'getMetricsAttribution',
      'exportLeads',
    ].map((id) => api.walk(`${id} beside others`, named(id), largestOf(place)[id]![0]!)),
  );
});

test('no job needs what it could not hold', BY_HAND, async (t) => {
  const listed = await fetch(`${api.url}/v1/admin/jobs`, { headers: admin });
  const { jobs } = (await listed.json()) as { jobs: { job: string }[] };
  assert.ok(jobs.length > 5);
  // a dump is PostgreSQL's own program, which the container has and a test does not
  const named = jobs.map(({ job }) => job).filter((name) => !/backup|verify|restore|offsite/.test(name));
  for (const job of named)
    await api.walk(`job ${job}`, { at: 'POST /v1/admin/jobs/:job' }, { path: { job }, body: {} });
  t.diagnostic(`${named.join(', ')}`);
});

test('a person’s export is whole, whatever they left, and so is their erasure', BY_HAND, async (t) => {
  const all = examplesOf(place);
  const [told] = await Promise.all([
    api.walk('the export', { at: 'POST /v1/leads/export-subject' }, all.exportSubject![0]!),
    api.walk('another beside it', { at: 'POST /v1/leads/export-subject' }, all.exportSubject![0]!),
  ]);
  assert.equal(told.status, 200);
  assert.ok(told.bytes > 300_000_000 * SCALE, `${told.bytes} bytes`);
  assert.match(told.last, /\}$/);
  await api.walk('the erasure', { at: 'POST /v1/leads/delete' }, all.eraseSubject![0]!);
  t.diagnostic(`the most it held: ${api.most('mb')}`);
  t.diagnostic(`the slowest: ${api.most('ms')}`);
});
