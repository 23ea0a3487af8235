// Where the benches play: PostgreSQL and the API on core 0, the load from core 1, and a table of what each scene cost.
import { execFileSync } from 'node:child_process';
import pg from 'pg';
import { freePort } from '../src/ground/db/embedded.ts';
import { PEPPER, startCluster } from '../test/cluster.ts';
import type { Load } from './load.ts';
import { cpuMs, pin, residentMb, startNode } from './processes.ts';

export const SECONDS = Number(process.env.BENCH_SECONDS ?? 8);
export const round = (value: number, digits = 3) => Number(value.toFixed(digits));

interface SceneOptions {
  /** Whose CPU counts beside PostgreSQL's: the API's unless another process or nobody's is named. */
  node?: { pid: number } | null;
  /** How often it is played; the row is the one whose CPU cost is in the middle. */
  rounds?: number;
}

/** unit  what is counted: event, capture */
export async function setStage(unit: string, env: Record<string, string> = {}) {
  execFileSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)], { stdio: 'ignore' });
  const cluster = await startCluster({ max_connections: '30' });
  const port = await freePort();
  const open = () =>
    startNode(
      'src/main.ts',
      {
        PORT: String(port),
        HOST: '127.0.0.1',
        DATABASE_URL: cluster.url(),
        IP_HASH_PEPPER: PEPPER,
        RATE_LIMITS: 'off',
        LOG_LEVEL: 'info',
        ...env,
      },
      `http://127.0.0.1:${port}/readyz`,
    );
  const close = async (api: Awaited<ReturnType<typeof open>>) => {
    api.kill('SIGTERM');
    await new Promise((done) => api.on('exit', done));
  };
  await close(await open()); // fills the compile cache, as the image's build does: 20 MB less from the second start on
  const api = await open();
  const owner = new pg.Client(cluster.url());
  await owner.connect();
  const postmaster = cluster.pid();
  pin(api.pid, 0);
  pin(postmaster, 0);
  const end = async () => {
    await owner.end();
    await close(api);
    await cluster.remove();
  };
  const rows: Record<string, string | number>[] = [];
  const perUnit = `CPU ms/${unit}`;

  async function once(what: string, work: () => Promise<Load>, node: { pid: number } | null) {
    const before = [node ? cpuMs(node.pid) : 0, cpuMs(postmaster)] as const;
    const result = await work();
    const nodeMs = node ? cpuMs(node.pid) - before[0] : 0;
    const postgresMs = cpuMs(postmaster) - before[1];
    const memory = node && residentMb(node.pid);
    const cost = (nodeMs + postgresMs) / result.events;
    const row = {
      what,
      [`${unit}s/s`]: Math.round(result.events / result.seconds),
      'p50 ms': result.p50,
      'p99 ms': result.p99,
      [perUnit]: round(cost),
      node: round(nodeMs / result.events),
      postgres: round(postgresMs / result.events),
      'node MB': memory?.all ?? '',
      own: memory?.own ?? '',
      errors: result.errors,
    };
    return { cost, row, result };
  }

  return {
    port,
    owner,
    api,
    postmaster,
    rows,
    async measured(
      what: string,
      work: () => Promise<Load>,
      { node = api, rounds = 1 }: SceneOptions = {},
    ): Promise<Load> {
      const played = [];
      for (let i = 0; i < rounds; i += 1) played.push(await once(what, work, node));
      played.sort((a, b) => a.cost - b.cost);
      const { row, result } = played[rounds >> 1]!;
      rows.push(rounds > 1 ? { ...row, lowest: round(played[0]!.cost) } : row);
      return result;
    },
    /** CPU milliseconds a unit of the scene whose name begins so. */
    cost: (what: string) => Number(rows.find((row) => String(row.what).startsWith(what))![perUnit]),
    /** Makes room for another one. */
    end,
    async leave(status = 0): Promise<never> {
      await end();
      process.exit(status);
    },
  };
}
