// Traces as a collector gets them from a real server: by route, a share of them, and nothing about anybody.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PEPPER } from '../../../test/cluster.ts';
import { type Collector, makeCollector } from '../../../test/collector.ts';
import { makeDatabase } from '../../../test/database.ts';
import { makeEvent } from '../../../test/make.ts';
import { admin, call, startServer } from '../../../test/server.ts';
import { ConfigError, readConfig } from '../../config.ts';
import { freePort } from '../db/embedded.ts';
import { makeLog } from '../lib/log.ts';
import { openTracing } from './tracing.ts';

const folder = mkdtempSync(join(tmpdir(), 'marketing-tracing-'));
const collectors: Collector[] = [];
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  for (const one of collectors) await one.close();
});

async function collecting(): Promise<Collector> {
  const collector = await makeCollector();
  collectors.push(collector);
  return collector;
}

/** A log whose lines are looked at. */
function listening() {
  const lines: Record<string, unknown>[] = [];
  const log = makeLog('debug', { write: (line) => void lines.push(JSON.parse(line)) });
  return { log, said: (msg: string) => lines.filter((line) => line.msg === msg), lines };
}

/** Tells on a descriptor of its own which files the process loaded. */
const SPY = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  import { writeSync } from 'node:fs';
  registerHooks({ load(url, context, next) { writeSync(3, url + '\\n'); return next(url, context); } });
`)}`;

/** Starts the API as a program, asks it something, ends it. returns  the packages of OpenTelemetry it loaded */
async function loadedBy(databaseUrl: string, settings: Record<string, string>): Promise<string[]> {
  const port = await freePort();
  const api = spawn(process.execPath, ['--import', SPY, join(import.meta.dirname, '../../main.ts')], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      DATA_DIR: folder,
      DATABASE_URL: databaseUrl,
      IP_HASH_PEPPER: PEPPER,
      JOBS: 'off',
      ...settings,
    },
  });
  let urls = '';
  let said = '';
  api.stderr!.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  (api.stdio[3] as NodeJS.ReadableStream).setEncoding('utf8').on('data', (text) => {
    urls += text;
  });
  const ended = once(api, 'close');
  const answer = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => null);
  while (api.exitCode === null && !(await answer('/readyz'))?.ok)
    await new Promise((done) => setTimeout(done, 50));
  assert.equal((await answer('/v1/healthz'))?.status, 200);
  api.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null], said.slice(-500));
  assert.match(urls, /\/src\/ground\/tracing\/tracing\.ts/);
  const packages = [...urls.matchAll(/node_modules\/(@opentelemetry\/[\w-]+)\//g)].map(([, name]) => name!);
  // the interface alone, of a few functions that do nothing: prom-client asks for it
  return [...new Set(packages)].filter((name) => name !== '@opentelemetry/api').sort();
}

test("nothing of OpenTelemetry's SDK is loaded unless a collector is named", async () => {
  const database = await makeDatabase();
  const collector = await collecting();
  assert.deepEqual(await loadedBy(database.ownerUrl, {}), []);
  const asked = await loadedBy(database.ownerUrl, {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER_ARG: '1',
  });
  assert.ok(asked.includes('@opentelemetry/sdk-trace-base'), asked.join());
  // as a program too what waits is sent when it is asked to end
  assert.ok(collector.spans.some(({ name }) => name === 'GET /v1/healthz'));
  await database.drop();
});

test('a collector is told requests by their route, batches and jobs, and nothing about anybody', async () => {
  const collector = await collecting();
  const { log, lines } = listening();
  const server = await startServer(
    {
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/otlp/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20a-token,x-tenant=bakery',
      OTEL_TRACES_SAMPLER_ARG: '1',
      OTEL_SERVICE_NAME: 'the bakery',
    },
    undefined,
    log,
  );
  const strange = {
    traceparent: '00-ca4a21ca4a21ca4a21ca4a21ca4a21ca-ca4a21ca4a21ca4a-01',
    tracestate: 'canary=canary',
    baggage: 'who=canary',
    'x-request-id': 'canary',
    'user-agent': 'canary/1.0',
    referer: 'https://canary.example/canary',
    cookie: 'canary=canary',
    'x-real-ip': '203.0.113.77',
    authorization: 'Bearer canary',
  };
  const to = (path: string) => `${server.url}${path}`;
  const event = makeEvent({
    anonId: 'canary-anon',
    path: '/canary/canary@example.com?canary=canary',
    referrer: 'https://canary.example/',
    props: { canary: 'canary' },
  });
  assert.equal((await call(to('/v1/events?canary=canary'), 'POST', event, strange)).status, 202);
  const lead = { email: 'canary@example.com', formId: 'canary', message: 'canary', consent: 'canary' };
  await call(to('/v1/leads?canary=canary'), 'POST', lead, strange);
  await call(to('/v1/leads/canary?email=canary@example.com'), 'GET', undefined, { ...strange, ...admin });
  await call(to('/v1/leads/canary'), 'GET', undefined, strange);
  await call(to('/canary/canary@example.com?canary'), 'GET', undefined, strange);
  await call(to('/v1/events'), 'POST', '{"canary', strange);
  await server.services.runner.runNow('heartbeat');
  const [{ siteId } = { siteId: '' }] = server.services.sites.list();
  await server.end();

  const text = collector.sendings.map((each) => each.text).join();
  for (const word of ['canary', 'ca4a21', '203.0.113', '127.0.0.1', siteId])
    assert.ok(word && !text.toLowerCase().includes(word), word);
  const [{ path, headers } = { path: '', headers: {} as Record<string, unknown> }] = collector.sendings;
  assert.equal(path, '/otlp/v1/traces');
  assert.equal(headers.authorization, 'Bearer a-token');
  assert.equal(headers['x-tenant'], 'bakery');
  assert.equal(collector.resource['service.name'], 'the bakery');

  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  const taken = named('POST /v1/events').find(
    (span) => span.attributes['http.response.status_code'] === 202,
  )!;
  assert.deepEqual(taken.attributes, {
    'http.request.method': 'POST',
    'http.response.status_code': 202,
    'http.route': '/v1/events',
  });
  assert.equal(taken.parentSpanId ?? '', '');
  assert.ok(BigInt(taken.endTimeUnixNano) >= BigInt(taken.startTimeUnixNano));
  assert.equal(named('POST /v1/events').length, 2);
  assert.deepEqual(
    named('GET /v1/leads/:leadId').map(({ attributes }) => attributes['http.response.status_code']),
    [404, 401],
  );
  assert.deepEqual(named('GET')[0]?.attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 404,
    'error.type': 'not_found',
  });
  assert.equal(named('ingest_events')[0]?.attributes['db.operation.batch.size'], 1);
  assert.deepEqual(named('job heartbeat')[0]?.attributes, {
    'marketing.job': 'heartbeat',
    'marketing.trigger': 'by_hand',
  });
  // the log's line finds the trace, and only there stands the request's id
  const line = lines.find((each) => each.route === '/v1/leads/:leadId')!;
  assert.ok(named('GET /v1/leads/:leadId').some(({ traceId }) => traceId === line.traceId));
  assert.ok(!text.includes(String(line.requestId)));
});

test('how much is traced the setting says, not a stranger; a job that runs now and then always is', async () => {
  const collector = await collecting();
  const server = await startServer({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER_ARG: '0',
  });
  const traceparent = '00-00000000000000000000000000000001-0000000000000001-01';
  for (let i = 0; i < 20; i++)
    assert.equal((await call(`${server.url}/v1/healthz`, 'GET', undefined, { traceparent })).status, 200);
  await server.services.runner.runNow('heartbeat');
  await server.services.runner.runNow('old_runs');
  await server.end();
  assert.deepEqual(
    collector.spans.map(({ name }) => name),
    ['job old_runs'],
  );
});

const asked = { ratio: 1, serviceName: 'tests', version: '1' };

test('what fails is marked by the kind of its fault, never by its words', async () => {
  const collector = await collecting();
  const { log } = listening();
  const tracing = (await openTracing({ ...asked, endpoint: collector.url, log }))!;
  tracing.batch(3, 5, Object.assign(new Error('canary'), { code: '57014' }));
  tracing.job('purge', 'schedule', 5, false, new TypeError('canary'));
  tracing.request('GET', '/v1/healthz', 503, 5, undefined);
  await tracing.close();
  assert.deepEqual(
    collector.spans.map(({ status, attributes }) => [status.code, attributes['error.type']]),
    [
      [2, '57014'],
      [2, 'TypeError'],
      [2, '503'],
    ],
  );
  assert.ok(!collector.sendings.some(({ text }) => text.includes('canary')));
});

test('a collector that refuses is told of once, and once when it takes again', async () => {
  const collector = await collecting();
  collector.answer = 401;
  const { log, said } = listening();
  const tracing = (await openTracing({ ...asked, endpoint: collector.url, log, sendEveryMs: 1 }))!;
  const arrives = () => {
    const came = collector.next();
    tracing.request('GET', '/v1/healthz', 200, 1, undefined);
    return came;
  };
  const until = async (msg: string) => {
    while (said(msg).length === 0) await new Promise((done) => setTimeout(done, 5));
  };
  for (let i = 0; i < 3; i++) await arrives();
  await until('traces do not reach the collector; they are dropped');
  collector.answer = 200;
  await arrives();
  await until('traces reach the collector again');
  await tracing.close();
  assert.equal(said('traces do not reach the collector; they are dropped').length, 1);
  assert.equal(said('traces reach the collector again').length, 1);
  assert.match(String(said('traces do not reach the collector; they are dropped')[0]?.reason), /^401 /);
});

test('a server whose collector is away answers and stops as always', async () => {
  const { log, said } = listening();
  const settings = {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    OTEL_TRACES_SAMPLER_ARG: '1',
  };
  const server = await startServer(settings, undefined, log);
  assert.equal((await call(`${server.url}/v1/events`, 'POST', makeEvent())).status, 202);
  await server.end();
  assert.equal(said('stopped').length, 1);
});

test('a collector that never answers holds neither a stop nor more than a bounded number of spans', async () => {
  const collector = await collecting();
  collector.answer = 'hang';
  const { log } = listening();
  const limits = { sendEveryMs: 60_000, timeoutMs: 60_000, closeMsMax: 100 };
  const tracing = (await openTracing({ ...asked, ...limits, endpoint: collector.url, log }))!;
  for (let i = 0; i < 10_000; i++) tracing.request('GET', '/v1/healthz', 200, 1, undefined);
  const came = collector.next();
  await tracing.close();
  await came;
  assert.ok(collector.spans.length <= 512 + 2048, `${collector.spans.length} of 10000`);
});

test('one request in a hundred is traced by default, and settings that no collector understands are refused', () => {
  const needed = { DATABASE_URL: 'postgres://a@b/c', IP_HASH_PEPPER: PEPPER };
  const { OTEL_TRACES_SAMPLER_ARG, OTEL_EXPORTER_OTLP_ENDPOINT } = readConfig(needed);
  assert.deepEqual([OTEL_TRACES_SAMPLER_ARG, OTEL_EXPORTER_OTLP_ENDPOINT], [0.01, undefined]);
  const wrong = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318',
    OTEL_TRACES_SAMPLER_ARG: '1.5',
    OTEL_EXPORTER_OTLP_HEADERS: 'Authorization: Bearer x',
  };
  assert.throws(
    () => readConfig({ ...needed, ...wrong }),
    (error: Error) =>
      error instanceof ConfigError && Object.keys(wrong).every((name) => error.message.includes(name)),
  );
});
