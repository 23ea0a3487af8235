// The real API on a real port, on a database of its own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '../src/config.ts';
import { type Log, makeLog } from '../src/ground/lib/log.ts';
import { type Running, type StartOptions, start } from '../src/main.ts';
import { PEPPER } from './cluster.ts';
import { makeDatabase, type TestDatabase } from './database.ts';

export const ACCOUNT_KEYS = ['wrap', 'index', 'pepper']
  .map((name) => `${name}:${name}-of-the-tests-`.padEnd(60, 'x'))
  .join(',');
export const ADMIN_KEY = 'an admin key for the tests only';

/** Whoever changes a notification waits for the feed that says what it shows now: tests that change many would wait a second for each. */
export const QUICK_FEEDS: StartOptions = { feedsApartMs: 25 };

export interface TestServer extends Running {
  database: TestDatabase;
  /** DATA_DIR: journals and what else lies outside the database. */
  folder: string;
  /** Stops the API and drops the database. */
  end(): Promise<void>;
}

/** settings  environment variables that differ from the tests' own (limits are off unless RATE_LIMITS is given) */
export async function startServer(
  settings: Record<string, string> = {},
  database?: TestDatabase,
  log: Log = makeLog(process.env.TEST_LOG ?? 'silent'),
  options: StartOptions = {},
): Promise<TestServer> {
  const own = database ?? (await makeDatabase());
  const folder = settings.DATA_DIR ?? mkdtempSync(join(tmpdir(), 'marketing-data-'));
  const config = readConfig({
    DATA_DIR: folder,
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: own.ownerUrl,
    ADMIN_API_KEY: ADMIN_KEY,
    IP_HASH_PEPPER: PEPPER,
    ACCOUNT_KEYS,
    RATE_LIMITS: 'off',
    JOBS: 'off',
    ...settings,
  });
  const running = await start(config, log, { checkAnswers: true, ...options });
  return {
    ...running,
    database: own,
    folder,
    async end() {
      await running.stop();
      await own.drop();
      if (!settings.DATA_DIR) rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
}

/** A request with JSON in and JSON out. */
export async function call(
  url: string,
  method = 'GET',
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    redirect: 'manual',
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      'user-agent': BROWSER,
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text ? JSON.parse(text) : text,
  };
}

export const admin = { 'x-admin-key': ADMIN_KEY };
export const BROWSER =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36';
