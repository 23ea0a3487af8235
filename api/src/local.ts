// `scripts/start`: the product on this machine without Docker. Keeps an embedded PostgreSQL and generated secrets in
// DATA_DIR, serves the API and the demo site (another port: another origin), and stops all of it cleanly.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startDemo } from '../demo/server.ts';
import { ConfigError, readConfig } from './config.ts';
import { type EmbeddedPostgres, embeddedPostgres } from './ground/db/embedded.ts';
import { appendWhole, createDurably, makeFolder } from './ground/lib/durable.ts';
import { makeLog } from './ground/lib/log.ts';
import { type Running, start } from './main.ts';
import { strangers, strangerWords } from './operations/settings/names.ts';
import { firstOwnerLink } from './product/accounts/first-owner.ts';
import { newKeyring } from './product/accounts/keyring.ts';
import { updateSite } from './product/sites/queries.ts';

const env = process.env;
const folder = resolve(env.DATA_DIR || '.data');
const say = (line: string) => process.stderr.write(`${line}\n`);

/** A secret that is made once and kept, readable by us alone. */
async function kept(
  name: string,
  made: () => string = () => randomBytes(24).toString('base64url'),
): Promise<string> {
  const file = join(folder, 'secrets', name);
  if (!existsSync(file)) {
    await makeFolder(join(folder, 'secrets'));
    const handle = await createDurably(file);
    await appendWhole(handle, made()).finally(() => handle.close());
  }
  return readFileSync(file, 'utf8').trim();
}

/** On a database of yours the sites are yours to change, so the demo's pages, on localhost, are let in by a setting. */
function letDemoIn(port: number): void {
  if (env.CORS_ALLOWED_ORIGINS_FILE) return;
  const origins = [env.CORS_ALLOWED_ORIGINS, `http://127.0.0.1:${port}`];
  env.CORS_ALLOWED_ORIGINS = origins.filter(Boolean).join(',');
}

/** The demo site is another origin; without an entry of its own its visits would not be counted. */
async function allowDemo({ services: { db, sites } }: Running, origin: string): Promise<void> {
  const site = sites.fallback();
  if (site.origins.includes(origin)) return;
  await updateSite(db, site.siteId, { origins: [...site.origins, origin] });
  await sites.reload();
}

mkdirSync(folder, { recursive: true });
let postgres: EmbeddedPostgres | null = null;
let stop = async () => {};
let stopping = false;
async function end(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  say('Stopping …');
  await stop().catch((error) => say(String(error)));
  await postgres?.stop().catch((error) => say(String(error)));
  say('Stopped.');
  process.exit(code);
}
process.on('SIGINT', () => void end(0));
process.on('SIGTERM', () => void end(0));
process.on('SIGHUP', () => void end(0));
// a fault in code under work would leave the embedded server behind, and the next start (scripts/dev) could not have its own
process.on('uncaughtException', (error) => {
  say(error.stack ?? String(error));
  void end(1);
});

try {
  const ownKey = !env.ADMIN_API_KEY && !env.ADMIN_API_KEY_FILE;
  if (ownKey) env.ADMIN_API_KEY = await kept('admin_api_key');
  if (!env.IP_HASH_PEPPER && !env.IP_HASH_PEPPER_FILE) env.IP_HASH_PEPPER = await kept('ip_hash_pepper');
  if (!env.ACCOUNT_KEYS && !env.ACCOUNT_KEYS_FILE) env.ACCOUNT_KEYS = await kept('account_keys', newKeyring);
  env.DATA_DIR = folder;
  if (!env.DATABASE_URL && !env.DATABASE_URL_FILE) {
    say(
      existsSync(join(folder, 'db'))
        ? 'Starting PostgreSQL 18 …'
        : `Making a PostgreSQL 18 cluster in ${folder} …`,
    );
    postgres = await embeddedPostgres({
      dataDir: join(folder, 'db'),
      password: await kept('database_owner'),
    });
    await postgres.start();
    env.DATABASE_URL = postgres.url();
  }
  const demoPort = Number(env.DEMO_PORT || 3001);
  if (!postgres && demoPort) letDemoIn(demoPort);
  const config = readConfig(env);
  const log = makeLog(config.LOG_LEVEL);
  for (const one of strangers(env)) say(strangerWords(one));
  const running = await start(config, log);
  const demo = await startDemo({ port: demoPort, apiOrigin: running.url, notifications: true });
  stop = async () => {
    await demo.close();
    await running.stop();
  };
  if (postgres) await allowDemo(running, demo.url); // on a server of yours, its sites are yours to change
  say('');
  say(`  Demo site  ${demo.url}   (another origin, as your site will be)`);
  say(`  Dashboard  ${running.url}/app`);
  say(`  API        ${running.url}   (try ${running.url}/v1/healthz)`);
  say(
    ownKey
      ? `  Admin key  ${config.ADMIN_API_KEY}   (kept in ${join(folder, 'secrets', 'admin_api_key')})`
      : '  Admin key  the ADMIN_API_KEY you set',
  );
  const setup = await firstOwnerLink(running.services.accounts, running.url);
  if (setup)
    say(
      `  First owner  ${setup}   (opens the dashboard; works once, for a day; scripts/setup-link makes another)`,
    );
  say(`  Data       ${env.DATABASE_URL && postgres ? folder : 'the server DATABASE_URL names'}`);
  say('');
  say('Ready. Ctrl-C stops it.');
} catch (error) {
  say(
    error instanceof ConfigError || !(error instanceof Error)
      ? String((error as Error).message ?? error)
      : `${error.message}`,
  );
  await end(1);
}
