// Every route and every job, in a process of the container's size, with tables that it could not hold: nothing dies.
// The routes every time (a minute and a half); the jobs and a whole export, which take six minutes, where OVERFILL is given:
// OVERFILL=1, or 10 for tables ten times as large. OVERFILL_TELL=1 says what each call took.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { methodOf, pathOf, type Route } from '../src/ground/http/route.ts';
import { PEPPER } from './cluster.ts';
import { containerFlags } from './container.ts';
import { makeDatabase, type TestDatabase } from './database.ts';
import { type Example, examplesOf } from './examples.ts';
import { overfill, overfillJournal, SCALE } from './overfill.ts';
import { request } from './send.ts';
import { ADMIN_KEY, admin, startServer } from './server.ts';
import { makePlace, type Place, WORLD_SETTINGS } from './world.ts';

const API = new URL('..', import.meta.url);
// A minute and a half on a core of its own; tests share theirs.
const PATIENCE = { timeout: 1_200_000 };
const BY_HAND = { ...PATIENCE, skip: !process.env.OVERFILL && 'takes minutes: OVERFILL=1' };

let database: TestDatabase;
let place: Place;
let routes: Route[];
let api: ChildProcess;
let url: string;
let said = '';
let end = async () => {};

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });
}

before(async () => {
  database = await makeDatabase();
  const server = await startServer(WORLD_SETTINGS, { ...database, drop: async () => {} });
  const { folder } = server;
  place = await makePlace(server, 'bakery');
  routes = server.routes;
  await server.stop();
  await overfill(database.owner, place);
  overfillJournal(`${folder}/journal/forgotten.ndjson`, place.siteId);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  api = spawn(process.execPath, [...containerFlags, 'src/main.ts'], {
    cwd: API,
    env: {
      ...WORLD_SETTINGS,
      PATH: process.env.PATH,
      PORT: String(port),
      DATA_DIR: folder,
      DATABASE_URL: database.ownerUrl,
      ADMIN_API_KEY: ADMIN_KEY,
      IP_HASH_PEPPER: PEPPER,
      RATE_LIMITS: 'off',
      JOBS: 'off',
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const gather = (chunk: Buffer) => {
    said = (said + chunk).slice(-3000);
  };
  api.stdout!.on('data', gather);
  api.stderr!.on('data', gather);
  end = () =>
    new Promise((done) => {
      if (api.exitCode !== null || api.signalCode !== null) done();
      api.on('exit', () => done());
      api.kill('SIGTERM');
    });
  for (const until = Date.now() + 180_000; Date.now() < until; ) {
    const ready = await fetch(`${url}/readyz`).catch(() => null);
    if (ready?.ok) return;
    assert.ok(isAlive(), said);
    await new Promise((done) => setTimeout(done, 200));
  }
  assert.fail(`it did not start: ${said}`);
}, PATIENCE);
after(async () => {
  await end();
  await database.drop();
});

const isAlive = () => api.exitCode === null && api.signalCode === null;

/** The most it held since the peak was begun anew, in MB. */
const peakMb = () =>
  Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${api.pid}/status`, 'utf8'))![1]) / 1024);

/** Reads an answer to its end and holds nothing of it. */
async function ask(
  route: Pick<Route, 'at'>,
  example: Example,
): Promise<{ status: number; bytes: number; last: string }> {
  const response = await fetch(...request({ url }, route, example, admin));
  let bytes = 0;
  let last = '';
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    last = Buffer.from(chunk).toString().slice(-200);
  }
  return { status: response.status, bytes, last };
}

const took: { name: string; ms: number; mb: number }[] = [];
const most = (by: 'ms' | 'mb') =>
  took
    .sort((a, b) => b[by] - a[by])
    .slice(0, 5)
    .map(({ name, ...one }) => `${Math.round(one[by])} ${by} ${name.slice(0, 100)}`)
    .join('; ');

async function walk(name: string, route: Pick<Route, 'at'>, example: Example) {
  const began = performance.now();
  writeFileSync(`/proc/${api.pid}/clear_refs`, '5'); // the peak begins anew
  const answer = await ask(route, example).catch((error) => error as Error);
  took.push({ name, ms: performance.now() - began, mb: isAlive() ? peakMb() : 0 });
  if (process.env.OVERFILL_TELL) console.error(JSON.stringify(took.at(-1)));
  assert.ok(isAlive(), `${name} ended the process: ${said}`);
  assert.ok(!(answer instanceof Error), `${name}: ${answer}`);
  assert.ok(answer.status < 500 || answer.status === 503, `${name}: ${answer.status} ${answer.last} ${said}`);
  return answer;
}

// they end what the others look at
const LAST = ['eraseSubject', 'exportSubject'];

/** The largest that may be asked for. */
function largest(id: string): Example[] {
  const { key: propertyId, today, siteId, leadId } = place;
  const from = new Date(Date.parse(today) - 300 * 86_400_000).toISOString().slice(0, 10);
  const window = { from, to: today, propertyId };
  const wide: Record<string, Example[]> = {
    getMetricsBreakdown: ['pages', 'campaigns', 'spend'].flatMap((by) =>
      ['json', 'csv'].map((format) => ({ query: { ...window, by, limit: 1000, format } })),
    ),
    getMetricsAttribution: ['lead', 'signup'].map((of) => ({ query: { ...window, of } })),
    getMetricsCohorts: [{ query: { ...window, weeks: 52 } }],
    getMetricsLeads: [{ query: { ...window, limit: 1000 } }],
    getMetricsSummary: [{ query: { ...window, compareTo: 'yes' } }],
    getMetricsTimeseries: [{ query: { ...window, interval: 'day' } }],
    getMetricsQuality: [{ query: window }],
    listLeads: [{ query: { propertyId, limit: 200 } }],
    exportLeads: [{ query: { propertyId, columns: 'email,firstPath,firstReferrer,payload,unsubscribeUrl' } }],
    listConsentTexts: [{ path: { siteId }, query: { limit: 200 } }],
    listAdSpend: [{ query: { ...window, limit: 1000 } }],
    listQuarantined: [{ query: { limit: 200 } }],
    listJobRuns: [{ path: { job: 'ledger' }, query: { limit: 200 } }],
    getLead: [{ path: { leadId } }],
    getConsentEvidence: [{ path: { leadId } }],
  };
  return wide[id] ?? [];
}

test('no route needs what it could not hold', PATIENCE, async () => {
  const all = examplesOf(place);
  const walked = routes.filter(
    ({ id, at }) => id !== 'runJob' && !LAST.includes(id) && !at.startsWith('DELETE'),
  );
  for (const route of walked)
    for (const example of [...all[route.id]!, ...largest(route.id)])
      await walk(
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
    ].map((id) => walk(`${id} beside others`, named(id), largest(id)[0]!)),
  );
});

test('no job needs what it could not hold', BY_HAND, async (t) => {
  const listed = await fetch(`${url}/v1/admin/jobs`, { headers: admin });
  const { jobs } = (await listed.json()) as { jobs: { job: string }[] };
  assert.ok(jobs.length > 5);
  // a dump is PostgreSQL's own program, which the container has and a test does not
  const named = jobs.map(({ job }) => job).filter((name) => !/backup|verify|restore|offsite/.test(name));
  for (const job of named)
    await walk(`job ${job}`, { at: 'POST /v1/admin/jobs/:job' }, { path: { job }, body: {} });
  t.diagnostic(`${named.join(', ')}`);
});

test('a person’s export is whole, whatever they left, and so is their erasure', BY_HAND, async (t) => {
  const all = examplesOf(place);
  const [told] = await Promise.all([
    walk('the export', { at: 'POST /v1/leads/export-subject' }, all.exportSubject![0]!),
    walk('another beside it', { at: 'POST /v1/leads/export-subject' }, all.exportSubject![0]!),
  ]);
  assert.equal(told.status, 200);
  assert.ok(told.bytes > 300_000_000 * SCALE, `${told.bytes} bytes`);
  assert.match(told.last, /\}$/);
  await walk('the erasure', { at: 'POST /v1/leads/delete' }, all.eraseSubject![0]!);
  t.diagnostic(`the most it held: ${most('mb')}`);
  t.diagnostic(`the slowest: ${most('ms')}`);
});
