// The product as `scripts/start` runs it, on a folder that is thrown away and a PostgreSQL that can be killed apart from it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/ground/db/embedded.ts';
import { PEPPER, startCluster } from '../cluster.ts';
import { killBackend, killPostgres, pause } from '../kill.ts';
import { ADMIN_KEY } from '../server.ts';

const PATIENCE_MS = 120_000;

export interface Product {
  url: string;
  databaseUrl: string;
  /** DATA_DIR. */
  folder: string;
  killApi(): Promise<void>;
  /** As Ctrl-C does. throws when it does not end well */
  stopApi(): Promise<void>;
  startApi(): Promise<void>;
  /** returns  false when there was none to kill */
  killBackend(pick: (pids: number[]) => number | undefined): boolean;
  killPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
  /** Ends all of it and removes its folder. */
  end(): Promise<void>;
}

export async function startProduct(): Promise<Product> {
  const folder = mkdtempSync(join(tmpdir(), 'marketing-torture-'));
  const cluster = await startCluster();
  const env = {
    ...process.env,
    DATA_DIR: folder,
    PORT: String(await freePort()),
    DEMO_PORT: String(await freePort()),
    HOST: '127.0.0.1',
    DATABASE_URL: cluster.url(),
    ADMIN_API_KEY: ADMIN_KEY,
    IP_HASH_PEPPER: PEPPER,
    RATE_LIMITS: 'off', // all of it comes from one address
    LOG_LEVEL: 'silent',
    NODE_COMPILE_CACHE: join(tmpdir(), 'marketing-torture-cache'),
  };
  const url = `http://127.0.0.1:${env.PORT}`;
  let api: ChildProcess | null = null;
  let words = '';

  async function startApi(): Promise<void> {
    words = '';
    api = spawn(process.execPath, ['src/local.ts'], { stdio: ['ignore', 'ignore', 'pipe'], env });
    api.stderr!.on('data', (chunk) => {
      words = `${words}${chunk}`.slice(-4000);
    });
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end && api.exitCode === null) {
      if ((await fetch(`${url}/readyz`).catch(() => null))?.ok) return;
      await pause(50);
    }
    throw new Error(`the API did not become ready: ${words}`);
  }
  async function endApi(signal: 'SIGKILL' | 'SIGINT'): Promise<number | null> {
    const child = api!;
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the API had ended: ${words}`);
    const ended = once(child, 'exit');
    child.kill(signal);
    const [code] = await ended;
    return code;
  }
  await startApi();
  return {
    url,
    databaseUrl: cluster.url(),
    folder,
    startApi,
    async killApi() {
      await endApi('SIGKILL');
    },
    async stopApi() {
      const code = await endApi('SIGINT');
      if (code !== 0) throw new Error(`a stopped API exited with ${code}: ${words}`);
    },
    killBackend: (pick) => killBackend(cluster, pick),
    killPostgres: () => killPostgres(cluster),
    startPostgres: () => cluster.start(),
    async end() {
      api?.kill('SIGKILL');
      await cluster.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
