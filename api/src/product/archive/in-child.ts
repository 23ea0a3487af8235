// Runs a task of the archive in a process of its own: a day of a million events is no server's memory, nor a pause of its answers.
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Pool } from '../../ground/db/pool.ts';
import type { Asked, Told } from './child.ts';
import type { ArchiveSettings } from './settings.ts';
import type { Done, Task } from './tasks.ts';

/**
 * Of its heap; a task that needs more ends, and its day stays where it is. What is young is collected often: the standard room for
 * that alone is 48 MB.
 */
const HEAP = ['--max-old-space-size=64', '--max-semi-space-size=2'];
const CACHE = 'NODE_COMPILE_CACHE';

export class ArchiveFault extends Error {}
/** Somebody else is at it, and does what there is to do. */
export class ArchiveBusy extends ArchiveFault {}

/** db: whose connections it makes one more like. throws  ArchiveFault, in words for the operator */
export async function inChild<T extends Task>(
  db: Pool,
  { target, folder }: ArchiveSettings,
  task: T,
  signal?: AbortSignal,
): Promise<{ done: Done[T['do']]; peakMb: number }> {
  // it needs none of our settings; what it needs it is told, where no list of processes shows it
  const env = process.env[CACHE] === undefined ? {} : { [CACHE]: process.env[CACHE] };
  const child = fork(new URL('child.ts', import.meta.url), {
    env,
    execArgv: HEAP,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    ...(signal ? { signal } : {}),
  });
  let answer: Told | undefined;
  child.on('message', (told: Told) => {
    answer = told;
  });
  const ended = new Promise<string>((done) => {
    child.on('exit', (code, killed) => done(killed ?? `code ${code}`));
    child.on('error', (error) => done(error.message));
  });
  const url = db.options.connectionString!;
  child.send({ url, target, folder: join(folder, randomUUID()), task } satisfies Asked);
  const end = await ended;
  if (!answer) throw new ArchiveFault(`the work on it ended before it was done (${end})`);
  if ('fault' in answer) throw new ArchiveFault(answer.fault);
  return { done: answer.done as Done[T['do']], peakMb: answer.peakMb };
}
