// npm run bench: what an event costs, beside what the machine can do at all, within one run.
// Server and PostgreSQL share core 0, the load comes from core 1. Read ratios and CPU per event; machines differ.
import { execFileSync } from 'node:child_process';
import pg from 'pg';
import { freePort } from '../src/db/embedded.ts';
import { enrich } from '../src/events/enrich.ts';
import { eventInput } from '../src/events/schema.ts';
import { PEPPER, startCluster } from '../test/cluster.ts';
import { type Load, load, visits } from './load.ts';
import { confine, cpuMs, family, pin, residentMb, startNode } from './processes.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 8);
const rows: Record<string, string | number>[] = [];
const round = (value: number, digits = 3) => Number(value.toFixed(digits));

execFileSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)], { stdio: 'ignore' });
const cluster = await startCluster({ max_connections: '30' });
const port = await freePort();
const api = await startNode(
  'src/main.ts',
  {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: cluster.url(),
    IP_HASH_PEPPER: PEPPER,
    RATE_LIMITS: 'off',
    LOG_LEVEL: 'info',
  },
  `http://127.0.0.1:${port}/readyz`,
);
const owner = new pg.Client(cluster.url());
await owner.connect();
const postmaster = cluster.pid();
pin(api.pid, 0);
pin(postmaster, 0);

async function measured(
  what: string,
  work: () => Promise<Load>,
  node = api.pid as number | null,
): Promise<Load> {
  const before = [node ? cpuMs(node) : 0, cpuMs(postmaster)] as const;
  const result = await work();
  const nodeMs = node ? cpuMs(node) - before[0] : 0;
  const postgresMs = cpuMs(postmaster) - before[1];
  rows.push({
    what,
    'events/s': Math.round(result.events / result.seconds),
    'p50 ms': result.p50,
    'p99 ms': result.p99,
    'CPU ms/event': round((nodeMs + postgresMs) / result.events, 4),
    node: round(nodeMs / result.events, 4),
    postgres: round(postgresMs / result.events, 4),
    'node MB': node ? residentMb(node) : '',
    errors: result.errors,
  });
  return result;
}

// The same rows, bare: enriched ahead, inserted 200 a statement into the same table.
const siteId = (await owner.query('select site_id from sites')).rows[0].site_id;
async function bareInsert(): Promise<Load> {
  const client = {
    ipHash: Buffer.alloc(32),
    uaHash: Buffer.alloc(32),
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0',
  };
  const source = visits();
  const batches = Array.from({ length: 50 }, () =>
    Array.from({ length: 200 }, () => {
      const event = source.next().value as Record<string, unknown>;
      return enrich(
        eventInput.parse(event),
        { siteId, ownHosts: [], client, country: null, privacySignal: false, prefetch: false },
        event,
      );
    }),
  );
  const began = performance.now();
  let events = 0;
  while (performance.now() - began < (SECONDS / 2) * 1000) {
    const batch = batches[(events / 200) % batches.length]!;
    await owner.query({
      name: 'bare',
      text: `insert into events (site_id, event_id, visitor_id, session_id, occurred_at, received_at, event_type, path, referrer, source, utm, clamped, privacy_signal, is_conversion, engaged_ms, scroll_percent, props)
        select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::text[], $9::text[], $10::text[], $11::jsonb[], $12::bool[], $13::bool[], $14::bool[], $15::int[], $16::real[], $17::jsonb[])`,
      values: [
        batch.map((row) => row.site_id),
        batch.map((row) => row.event_id),
        batch.map((row) => row.visitor_id),
        batch.map((row) => row.visitor_id),
        batch.map((row) => row.client_at),
        batch.map((row) => row.client_at),
        batch.map((row) => row.event_type),
        batch.map((row) => row.path),
        batch.map((row) => row.referrer ?? null),
        batch.map((row) => row.source),
        batch.map((row) => (row.utm ? JSON.stringify(row.utm) : null)),
        batch.map(() => false),
        batch.map(() => false),
        batch.map(() => false),
        batch.map((row) => row.engaged_ms ?? null),
        batch.map((row) => row.scroll_percent ?? null),
        batch.map((row) => JSON.stringify(row.props)),
      ],
    });
    events += 200;
  }
  return { events, seconds: (performance.now() - began) / 1000, p50: 0, p99: 0, errors: 0 };
}

await measured('bare unnest insert, 200 rows a statement', bareInsert, null);
await owner.query('truncate events, sessions, visitors, event_keys, recent_bodies, dirty_days');
const echoPort = await freePort();
const echo = await startNode('bench/echo.ts', { PORT: String(echoPort) }, `http://127.0.0.1:${echoPort}/`);
pin(echo.pid, 0);
await load({ port: echoPort, path: '/', connections: 64, seconds: 1 });
await measured(
  'Koa + koa-body echo, 64 connections',
  () => load({ port: echoPort, path: '/', connections: 64, seconds: SECONDS / 2 }),
  echo.pid,
);
echo.kill();

const path = '/v1/events';
await load({ port, path, connections: 64, seconds: 3 }); // warm: plans, JIT, caches
await owner.query('truncate events, sessions, visitors, event_keys, recent_bodies, dirty_days');
await owner.query('vacuum analyze');
const size = async () =>
  Number(
    (
      await owner.query(
        "select sum(pg_total_relation_size(c.oid)) as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind = 'r'",
      )
    ).rows[0].bytes,
  );
const [bytesBefore, storedBefore] = [await size(), 0];
await measured('POST /v1/events saturated, 64 connections', () =>
  load({ port, path, connections: 64, seconds: SECONDS }),
);
const stored = (await owner.query('select count(*)::int as n from events')).rows[0].n;
const bytesPerEvent = Math.round(((await size()) - bytesBefore) / (stored - storedBefore));
await measured('saturated, 10 events a request', () =>
  load({ port, path, connections: 16, seconds: SECONDS, eventsPerRequest: 10 }),
);
await measured('1 000 events/s, single requests', () =>
  load({ port, path, connections: 200, seconds: SECONDS, rate: 1000 }),
);
await measured('lone events, 20 a second', () =>
  load({ port, path, connections: 1, seconds: Math.min(SECONDS, 5), rate: 20 }),
);

let people = 0;
const capture = () => {
  people += 1;
  return JSON.stringify({
    email: `person${people}@company${people % 97}.example`,
    anonId: `bench-visitor-${people}`,
    formName: 'newsletter',
    path: '/newsletter',
    consentStatus: 'express',
    consent: { text: 'Send me the weekly letter. I can stop it at any time.' },
  });
};
const captures = { port, path: '/v1/leads/capture', body: capture };
await measured('POST /v1/leads/capture, 16 connections', () =>
  load({ ...captures, connections: 16, seconds: SECONDS }),
);
const calm = await measured('lone captures, 5 a second', () =>
  load({ ...captures, connections: 1, seconds: SECONDS, rate: 5 }),
);
const [, flooded] = await Promise.all([
  load({ port, path, connections: 64, seconds: SECONDS }),
  load({ ...captures, connections: 1, seconds: SECONDS, rate: 5 }),
]);
console.log(
  `captures while 64 connections flood events in: p50 ${flooded.p50} ms, p99 ${flooded.p99} ms, ${round(flooded.p99 / calm.p50, 1)} × the calm p50 of ${calm.p50} ms; errors ${flooded.errors}`,
);

const group = confine([...family(api.pid), ...family(postmaster)], 0.125, 1024 ** 3);
if (group) {
  await load({ port, path, connections: 20, seconds: 2, rate: 100 });
  await measured('12.5 % of the core and 1 GB: 500 events/s', () =>
    load({ port, path, connections: 300, seconds: SECONDS * 2, rate: 500 }),
  );
  await measured('12.5 % of the core and 1 GB: batches of 10, 1 000 events/s', () =>
    load({ port, path, connections: 100, seconds: SECONDS, rate: 1000, eventsPerRequest: 10 }),
  );
  console.log(`confined: ${group.throttled()}`);
  group.remove();
}
console.table(rows);
console.log(`bytes on disk per event, with its visitor, session, key and indexes: ${bytesPerEvent}`);
const of = (what: string) => rows.find((row) => String(row.what).startsWith(what))!;
const ours = Number(of('POST')['CPU ms/event']);
console.log(
  `CPU per event: ${round(ours / Number(of('bare')['CPU ms/event']), 1)} × the bare insert, ${round(ours / Number(of('Koa')['CPU ms/event']), 1)} × the echo, ${round(ours / (Number(of('bare')['CPU ms/event']) + Number(of('Koa')['CPU ms/event'])), 2)} × their sum`,
);
await owner.end();
api.kill('SIGTERM');
await new Promise((done) => api.on('exit', done));
await cluster.remove();
process.exit(0);
