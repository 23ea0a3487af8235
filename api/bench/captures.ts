// npm run bench:captures: what a capture costs, and how long one takes while events flood in.
// Server and PostgreSQL share core 0, the load comes from core 1. Read ratios and CPU per capture; machines differ.
import { execFileSync } from 'node:child_process';
import pg from 'pg';
import { freePort } from '../src/db/embedded.ts';
import { PEPPER, startCluster } from '../test/cluster.ts';
import { type Load, load } from './load.ts';
import { cpuMs, pin, startNode } from './processes.ts';

const SECONDS = Number(process.env.BENCH_SECONDS ?? 8);
const round = (value: number, digits = 2) => Number(value.toFixed(digits));
const rows: Record<string, string | number>[] = [];

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
    TRUSTED_PROXIES: '127.0.0.1',
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

let people = 0;
const person = (n: number) =>
  JSON.stringify({
    email: `person${n}@company${n % 97}.example`,
    anonId: `bench-visitor-${n}`,
    formName: 'newsletter',
    path: '/newsletter',
    consentStatus: 'express',
    consent: { text: 'Send me the weekly letter. I can stop it at any time.' },
  });
const stranger = () => {
  people += 1;
  return person(people);
};
/** Through our own proxy, each from an address of their own. */
const elsewhere = () => `X-Real-IP: 10.${(people >> 16) & 255}.${(people >> 8) & 255}.${people & 255}\r\n`;
const captures = { port, path: '/v1/leads/capture', connections: 16, seconds: SECONDS };

async function measured(what: string, work: () => Promise<Load>): Promise<Load> {
  const before = [cpuMs(api.pid), cpuMs(postmaster)] as const;
  const result = await work();
  const nodeMs = cpuMs(api.pid) - before[0];
  const postgresMs = cpuMs(postmaster) - before[1];
  rows.push({
    what,
    'captures/s': Math.round(result.events / result.seconds),
    'p50 ms': result.p50,
    'p99 ms': result.p99,
    'CPU ms/capture': round((nodeMs + postgresMs) / result.events),
    node: round(nodeMs / result.events),
    postgres: round(postgresMs / result.events),
    errors: result.errors,
  });
  return result;
}

await load({ ...captures, body: stranger, headers: elsewhere, seconds: 3 }); // warm: plans, JIT, caches
await owner.query('vacuum analyze');
await measured('new people, each at an address of their own', () =>
  load({ ...captures, body: stranger, headers: elsewhere }),
);
let again = 0;
await measured('the same people once more', () =>
  load({
    ...captures,
    body: () => {
      again = (again % people) + 1;
      return person(again);
    },
    headers: elsewhere,
  }),
);
await measured('new people, all behind one address', () => load({ ...captures, body: stranger }));
const calm = await measured('lone captures, 5 a second', () =>
  load({ ...captures, body: stranger, headers: elsewhere, connections: 1, rate: 5 }),
);
const [, flooded] = await Promise.all([
  load({ port, path: '/v1/events', connections: 64, seconds: SECONDS }),
  load({ ...captures, body: stranger, headers: elsewhere, connections: 1, rate: 5 }),
]);
console.table(rows);
console.log(
  `while 64 connections flood events in: p50 ${flooded.p50} ms, p99 ${flooded.p99} ms, ${round(flooded.p99 / calm.p50, 1)} × the calm p50 of ${calm.p50} ms; errors ${flooded.errors}`,
);
const { n } = (await owner.query('select count(*)::int as n from leads')).rows[0];
console.log(`${n} leads at the end`);
await owner.end();
api.kill('SIGTERM');
await new Promise((done) => api.on('exit', done));
await cluster.remove();
process.exit(0);
