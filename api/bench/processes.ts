// The bench's processes: started on chosen cores, their CPU time and memory read from /proc.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TICK_MS = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

interface Stat {
  parent: number;
  ownMs: number;
  /** Of children that have ended. */
  endedMs: number;
}

function stat(pid: number): Stat | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').map(Number);
    return {
      parent: fields[1]!,
      ownMs: (fields[11]! + fields[12]!) * TICK_MS,
      endedMs: (fields[13]! + fields[14]!) * TICK_MS,
    };
  } catch {
    return null;
  }
}

/** The process and its children. */
export function family(pid: number): number[] {
  const children = readdirSync('/proc')
    .map(Number)
    .filter((other) => Number.isInteger(other) && stat(other)?.parent === pid);
  return [pid, ...children];
}

/** CPU time in milliseconds of a process, its children, and those of them that have ended. */
export function cpuMs(pid: number): number {
  return family(pid).reduce((sum, member) => sum + (stat(member)?.ownMs ?? 0), 0) + (stat(pid)?.endedMs ?? 0);
}

/** Resident memory in MB; of it the process's own, without the pages of node's file that the page cache holds anyway. */
export function residentMb(pid: number): { all: number; own: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const mb = (name: string) =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024);
  return { all: mb('VmRSS'), own: mb('RssAnon') };
}

export function pin(pid: number, core: number): void {
  for (const member of family(pid))
    execFileSync('taskset', ['-a', '-p', '-c', String(core), String(member)], { stdio: 'ignore' });
}

// as container/marketing has them
const FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=160', '--no-concurrent-recompilation'];

/** Starts a Node program with the image's flags and a filled compile cache, and waits until its port answers. */
export async function startNode(
  file: string,
  env: Record<string, string>,
  ready: string,
): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, [...FLAGS, file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      // as container/marketing has them
      MALLOC_ARENA_MAX: '1',
      MALLOC_MMAP_THRESHOLD_: '1048576',
      NODE_COMPILE_CACHE: join(tmpdir(), 'marketing-bench-cache'),
      ...env,
    },
  });
  for (let i = 0; i < 200; i += 1) {
    if ((await fetch(ready).catch(() => null))?.ok) return child as ChildProcess & { pid: number };
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${file} did not answer at ${ready}`);
}

/** Puts processes under one limit of memory and processor share; null where control groups are not ours to make. */
export function confine(
  pids: number[],
  cpuShare: number,
  memoryBytes: number,
): { throttled(): string; remove(): void } | null {
  const root = '/sys/fs/cgroup';
  const name = `marketing-bench-${process.pid}`;
  try {
    if (existsSync(`${root}/cgroup.controllers`)) {
      writeFileSync(`${root}/cgroup.subtree_control`, '+cpu +memory');
      mkdirSync(`${root}/${name}`);
      writeFileSync(`${root}/${name}/cpu.max`, `${Math.round(cpuShare * 100_000)} 100000`);
      writeFileSync(`${root}/${name}/memory.max`, String(memoryBytes));
      for (const pid of pids) writeFileSync(`${root}/${name}/cgroup.procs`, String(pid));
      return {
        throttled: () =>
          readFileSync(`${root}/${name}/cpu.stat`, 'utf8')
            .split('\n')
            .filter((line) => /^nr_/.test(line))
            .join(', '),
        remove() {
          for (const pid of readFileSync(`${root}/${name}/cgroup.procs`, 'utf8').split('\n').filter(Boolean))
            writeFileSync(`${root}/cgroup.procs`, pid);
          rmdirSync(`${root}/${name}`);
        },
      };
    }
    for (const controller of ['cpu', 'memory']) mkdirSync(`${root}/${controller}/${name}`);
    writeFileSync(`${root}/cpu/${name}/cpu.cfs_period_us`, '100000');
    writeFileSync(`${root}/cpu/${name}/cpu.cfs_quota_us`, String(Math.round(cpuShare * 100_000)));
    writeFileSync(`${root}/memory/${name}/memory.limit_in_bytes`, String(memoryBytes));
    for (const controller of ['cpu', 'memory'])
      for (const pid of pids) writeFileSync(`${root}/${controller}/${name}/cgroup.procs`, String(pid));
    return {
      throttled: () =>
        readFileSync(`${root}/cpu/${name}/cpu.stat`, 'utf8').trim().split('\n').slice(0, 2).join(', '),
      remove() {
        for (const controller of ['cpu', 'memory']) {
          for (const pid of readFileSync(`${root}/${controller}/${name}/cgroup.procs`, 'utf8')
            .split('\n')
            .filter(Boolean))
            writeFileSync(`${root}/${controller}/cgroup.procs`, pid);
          rmdirSync(`${root}/${controller}/${name}`);
        }
      },
    };
  } catch (error) {
    console.error(`not confined: ${(error as Error).message}`);
    return null;
  }
}
