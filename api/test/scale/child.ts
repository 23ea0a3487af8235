// The API as a process of its own, to be killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { freePort } from '../../src/ground/db/embedded.ts';
import { PEPPER } from '../cluster.ts';
import { pause } from '../kill.ts';
import { ACCOUNT_KEYS, ADMIN_KEY } from '../server.ts';

const PATIENCE_MS = 60_000;

export interface Child {
  url: string;
  process: ChildProcess;
  /** Resolves once it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Resolves when it is ready. settings: environment variables beside the tests' own */
export async function startChild(databaseUrl: string, settings: Record<string, string>): Promise<Child> {
  const port = await freePort();
  const child = spawn(process.execPath, ['src/main.ts'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: new URL('../..', import.meta.url),
    env: {
      ...process.env,
      PORT: String(port),
      HOST: '127.0.0.1',
      DATABASE_URL: databaseUrl,
      ADMIN_API_KEY: ADMIN_KEY,
      ACCOUNT_KEYS,
      IP_HASH_PEPPER: PEPPER,
      RATE_LIMITS: 'off',
      JOBS: 'off',
      LOG_LEVEL: 'silent',
      ...settings,
    },
  });
  let said = '';
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  const url = `http://127.0.0.1:${port}`;
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    if (child.exitCode !== null || Date.now() > end) throw new Error(`the API did not become ready: ${said}`);
    if ((await fetch(`${url}/readyz`).catch(() => null))?.ok) break;
    await pause(50);
  }
  return {
    url,
    process: child,
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      await ended;
    },
  };
}
