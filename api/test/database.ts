// A database of its own for a test file, cloned from a migrated template in some hundredths of a second.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { FUNCTIONS } from '../src/features.ts';
import { appUrl, migrate } from '../src/ground/db/migrate.ts';
import { makePool, type Pool } from '../src/ground/db/pool.ts';
import { makeLog } from '../src/ground/lib/log.ts';
import { PEPPER, startCluster } from './cluster.ts';

export interface TestDatabase {
  /** As the owner (a superuser here): migrates, and sees past row level security, for the test's own looking. */
  ownerUrl: string;
  appUrl: string;
  owner: Pool;
  /** As marketing_app, like the API. */
  app: Pool;
  drop(): Promise<void>;
}

const silent = makeLog('silent');

/** Makes the template that every test database is a copy of. */
export async function makeTemplate(serverUrl: string): Promise<void> {
  const admin = new pg.Client(serverUrl);
  await admin.connect();
  await admin.query('create database template_marketing');
  await admin.end();
  const url = withDatabase(serverUrl, 'template_marketing');
  await migrate(url, FUNCTIONS, silent);
  await appUrl(url, PEPPER);
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

export async function makeDatabase(): Promise<TestDatabase> {
  let serverUrl = process.env.TEST_SERVER_URL;
  let remove = async () => {};
  if (!serverUrl) {
    const cluster = await startCluster();
    serverUrl = cluster.url();
    remove = cluster.remove;
    await makeTemplate(serverUrl);
  }
  const name = `test_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client(serverUrl);
  await admin.connect();
  await admin.query(`create database ${name} template template_marketing strategy file_copy`);
  await admin.end();
  const ownerUrl = withDatabase(serverUrl, name);
  const asApp = await appUrl(ownerUrl, PEPPER);
  const options = { connectionsMax: 4, statementTimeoutMs: 60_000, log: silent };
  const owner = makePool(ownerUrl, { name: 'test-owner', ...options });
  const app = makePool(asApp, { name: 'test-app', ...options });
  await owner.query(
    "select make_event_partitions((now() at time zone 'UTC')::date - 3, (now() at time zone 'UTC')::date + 3)",
  );
  return {
    ownerUrl,
    appUrl: asApp,
    owner,
    app,
    async drop() {
      await owner.end();
      await app.end();
      const last = new pg.Client(serverUrl);
      await last.connect();
      await last.query(`drop database ${name} with (force)`);
      await last.end();
      await remove();
    },
  };
}
