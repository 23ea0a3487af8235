// npm run demo:data — 90 days of believable traffic for the demo site, so that there is something true to look at.
//
//   --days 90   --visitors 120 (new ones on an average day)   --seed crumb   --site default   --api http://127.0.0.1:3000
//
// Uses DATABASE_URL, or the embedded server that scripts/start keeps in DATA_DIR (running or not). Running it again
// with the same seed adds only the days since. While the API runs at --api, it also sets up there what the bakery's pages show
// their visitors (shown.ts).
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FUNCTIONS } from '../src/features.ts';
import { type EmbeddedPostgres, embeddedPostgres } from '../src/ground/db/embedded.ts';
import { appUrl, migrate } from '../src/ground/db/migrate.ts';
import { makePool } from '../src/ground/db/pool.ts';
import { addDays, dayOf } from '../src/ground/lib/days.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import { rollUp } from '../src/product/metrics/rollup.ts';
import { listSites } from '../src/product/sites/queries.ts';
import { showOnPages } from './shown.ts';
import { storeTraffic } from './store.ts';

const { values } = parseArgs({
  options: {
    days: { type: 'string', default: '90' },
    visitors: { type: 'string', default: '120' },
    seed: { type: 'string', default: 'crumb' },
    site: { type: 'string', default: 'default' },
    api: { type: 'string', default: `http://127.0.0.1:${process.env.PORT || 3000}` },
  },
});
const days = Number(values.days);
const visitorsPerDay = Number(values.visitors);
if (!(days >= 1 && days <= 400 && visitorsPerDay >= 1)) {
  console.error('Say --days 1..400 and --visitors 1 or more.');
  process.exit(2);
}
const log = makeLog('warn');
const say = (line: string) => process.stderr.write(`${line}\n`);
const folder = process.env.DATA_DIR
  ? resolve(process.env.DATA_DIR)
  : fileURLToPath(new URL('../../.data', import.meta.url));
const secret = (name: string) => readFileSync(join(folder, 'secrets', name), 'utf8').trim();
let pepper = process.env.IP_HASH_PEPPER ?? '';
let ownerUrl = process.env.DATABASE_URL;
let started: EmbeddedPostgres | null = null;
if (!ownerUrl) {
  if (!existsSync(join(folder, 'secrets', 'database_owner'))) {
    console.error(`There is no database in ${folder}. Run scripts/start once, or set DATABASE_URL.`);
    process.exit(2);
  }
  pepper ||= secret('ip_hash_pepper');
  const pidFile = join(folder, 'db', 'pgdata', 'postmaster.pid');
  const running = existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8').split('\n')[3]) : null;
  const server = await embeddedPostgres({
    dataDir: join(folder, 'db'),
    password: secret('database_owner'),
    ...(running ? { port: running } : {}),
  });
  if (!running) {
    await server.start();
    started = server;
  }
  ownerUrl = server.url();
}
try {
  await migrate(ownerUrl, FUNCTIONS, log);
  const db = makePool(await appUrl(ownerUrl, pepper), {
    name: 'demo',
    connectionsMax: 2,
    statementTimeoutMs: 600_000,
    log,
  });
  const site = (await listSites(db)).find(({ site }) => site.key === values.site)?.site;
  if (!site) throw new Error(`There is no site ${values.site}.`);
  const last = dayOf(Date.now());
  const began = performance.now();
  const total = await storeTraffic(db, {
    siteId: site.siteId,
    seed: values.seed,
    first: addDays(last, -(days - 1)),
    last,
    until: Date.now(),
    visitorsPerDay,
    progress: say,
  });
  await rollUp(db, { siteIds: [site.siteId], progress: say });
  await db.end();
  say(
    `${total.events} events and ${total.leads} leads in ${Math.round((performance.now() - began) / 1000)} s; look at GET /v1/metrics/summary?from=${addDays(last, -29)}&to=${last}&compareTo=1`,
  );
  const isThere = await fetch(new URL('/v1/healthz', values.api)).then(
    ({ ok }) => ok,
    () => false,
  );
  if (!isThere)
    say(
      `Nothing answers at ${values.api}: for the cards on the demo's pages run this again beside scripts/start.`,
    );
  else {
    const adminKey = process.env.ADMIN_API_KEY || secret('admin_api_key');
    const made = await showOnPages({ api: values.api, adminKey, site: values.site });
    say(`${made} notifications made; the bakery's pages show what is counted for them.`);
  }
} finally {
  await started?.stop();
}
