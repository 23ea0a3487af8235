// Kills without warning, for tests of what survives it.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { EmbeddedPostgres } from '../src/ground/db/embedded.ts';

export const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Waits until a process is no more, or nothing but an entry that nobody collects. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
    } catch {
      return;
    }
    await pause(5);
  }
}

function killNow(pids: number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // gone already
    }
  }
}

const childrenOf = (pid: number) =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .map((line) => /^\s*(\d+) (.*)$/.exec(line))
    .flatMap((found) => (found ? [{ pid: Number(found[1]), args: found[2]! }] : []));

/** Every process of the cluster, postmaster first, at once: as if the machine had lost power (but for the disk's cache). */
export async function killPostgres(cluster: Pick<EmbeddedPostgres, 'pid'>): Promise<void> {
  const postmaster = cluster.pid();
  const all = [postmaster, ...childrenOf(postmaster).map(({ pid }) => pid)];
  killNow(all);
  // start() takes its lock file for a dead one's only when it is
  await Promise.all(all.map(gone));
}

/**
 * One of the processes that serve a connection: PostgreSQL then ends all others, and recovers by itself.
 * pick     chooses one
 * returns  false when there was none
 */
export function killBackend(
  cluster: Pick<EmbeddedPostgres, 'pid'>,
  pick: (pids: number[]) => number | undefined,
): boolean {
  const serving = childrenOf(cluster.pid()).filter(({ args }) => args.includes('marketing_app'));
  const pid = pick(serving.map((one) => one.pid));
  if (!pid) return false;
  killNow([pid]);
  return true;
}
