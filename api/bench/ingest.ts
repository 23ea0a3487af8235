// npm run bench: what an event costs, beside what the machine can do at all, within one run.
// Server and PostgreSQL share core 0, the load comes from core 1. Read ratios and CPU per event; machines differ. At the end
// each figure that we hold ourselves to, beside its target.
import { loadavg } from 'node:os';
import { freePort } from '../src/ground/db/embedded.ts';
import { enrich } from '../src/product/events/enrich.ts';
import { eventInput } from '../src/product/events/schema.ts';
import { type Load, load, ofBrowser, PAGE_ORIGIN, returns, visits } from './load.ts';
import { confine, family, pin, startNode } from './processes.ts';
import { round, SECONDS, setStage } from './stage.ts';

const { port, owner, api, postmaster, rows, measured, cost, leave } = await setStage('event', {
  TRUSTED_PROXIES: '127.0.0.1',
});

// The same rows, bare: enriched ahead, inserted 200 a statement into the same table.
const siteId = (await owner.query('select site_id from sites')).rows[0].site_id;
async function bareInsert(): Promise<Load> {
  const client = {
    ipHash: '\\x00',
    uaHash: '\\x00',
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

await measured('bare unnest insert, 200 rows a statement', bareInsert, { node: null });
await owner.query('truncate events, sessions, visitors, event_keys, recent_bodies, dirty_days, dirty_visits');
const echoPort = await freePort();
const echo = await startNode('bench/echo.ts', { PORT: String(echoPort) }, `http://127.0.0.1:${echoPort}/`);
pin(echo.pid, 0);
await load({ port: echoPort, path: '/', connections: 64, seconds: 1 });
await measured(
  'Koa + koa-body echo, 64 connections',
  () => load({ port: echoPort, path: '/', connections: 64, seconds: SECONDS / 2 }),
  { node: echo },
);
// waking for one request costs a process more than the request: what 300/s can cost at the least
await measured(
  'the same echo, 300 a second',
  () => load({ port: echoPort, path: '/', connections: 64, seconds: SECONDS / 2, rate: 300 }),
  { node: echo },
);
echo.kill();

// As browsers send: the page's origin, which the site lists, and each visitor at an address of their own.
await owner.query('update sites set origins = $1', [[PAGE_ORIGIN]]);
await new Promise((done) => setTimeout(done, 11_000)); // the API reads its sites anew every 10 s
const events = { port, path: '/v1/events', headers: ofBrowser };
const saturated = { ...events, connections: 64, seconds: SECONDS / 2 };
const empty = async () => {
  // beside the API's own jobs: while one of them is at work, each may wait for what the other holds
  for (let tries = 5; ; tries -= 1)
    try {
      return await owner.query(
        'truncate events, sessions, visitors, event_keys, recent_bodies, dirty_days, dirty_visits, visit_facts',
      );
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01' || tries === 1) throw error;
    }
};
await load({ ...saturated, seconds: 3 }); // warm: plans, JIT, caches
await empty();
await owner.query('vacuum analyze');
const size = async () =>
  Number(
    (
      await owner.query(
        "select sum(pg_total_relation_size(c.oid)) as bytes from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind = 'r'",
      )
    ).rows[0].bytes,
  );
const bytesBefore = await size();
await measured('new visitors, saturated, 64 connections', () => load(saturated), { rounds: 5 });
const stored = (await owner.query('select count(*)::int as n from events')).rows[0].n;
const bytesPerEvent = Math.round(((await size()) - bytesBefore) / stored);
const source = returns(2000);
await load({ ...saturated, source, seconds: 1 }); // they were here before
await measured('returning visitors, saturated, 64 connections', () => load({ ...saturated, source }), {
  rounds: 5,
});
await measured('saturated, 10 events a request', () =>
  load({ ...events, connections: 16, seconds: SECONDS, eventsPerRequest: 10 }),
);
// what was let in as fast as it went is not these scenes' work to sum up
await empty();
await measured('1 000 events/s, single requests', () =>
  load({ ...events, connections: 200, seconds: SECONDS, rate: 1000 }),
);
await empty();
await measured('300 events/s, single requests', () =>
  load({ ...events, connections: 64, seconds: SECONDS, rate: 300 }),
);
await measured('lone events, 20 a second', () =>
  load({ ...events, connections: 1, seconds: Math.min(SECONDS, 5), rate: 20 }),
);

// The small machine starts with an empty day: rolling up what a whole core let in just now is not its work.
await empty();
const group = confine([...family(api.pid), ...family(postmaster)], 0.125, 1024 ** 3);
let small: Load | undefined;
if (group) {
  await load({ ...events, connections: 20, seconds: 2, rate: 100 });
  small = await measured('12.5 % of the core and 1 GB: 500 events/s', () =>
    load({ ...events, connections: 300, seconds: SECONDS * 2, rate: 500 }),
  );
  await measured('12.5 % of the core and 1 GB: batches of 10, 1 000 events/s', () =>
    load({ ...events, connections: 100, seconds: SECONDS, rate: 1000, eventsPerRequest: 10 }),
  );
  console.log(`confined: ${group.throttled()}`);
  group.remove();
}
console.table(rows);
const ours = cost('new');
console.log(
  `CPU per event: ${round(ours / cost('bare'), 1)} × the bare insert, ${round(ours / cost('Koa'), 1)} × the echo, ${round(ours / (cost('bare') + cost('Koa')), 2)} × their sum; at 300/s ${round(cost('300') / cost('the same echo'), 1)} × the echo at 300/s; load of the machine ${loadavg()[0]!.toFixed(1)}`,
);
const aims: [what: string, unit: string, target: number, figure: number | undefined][] = [
  ['an event of a new visitor', 'ms of CPU', 0.1, ours],
  ['an event of a returning visitor', 'ms of CPU', 0.1, cost('returning')],
  ['an event at 300/s', 'ms of CPU', 0.3, cost('300')],
  ['500/s on an eighth of the core, p99', 'ms', 600, small?.p99],
  ['an event on disk, with its visitor, session, key and indexes', 'bytes', 450, bytesPerEvent],
];
console.table(
  aims.map(([what, unit, target, figure]) => ({
    what,
    target: `${target} ${unit}`,
    figure: figure ?? 'not measured',
    met: figure === undefined ? '' : figure <= target ? 'yes' : 'no',
  })),
);
await leave();
