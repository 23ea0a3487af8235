// Asks Umzug which migrations are missing and in which order they run, in a process of its own: it brings a command line
// with it, 8 MB that a server would keep from an upgrade to the next start. What runs stays here, under our lock.
import { fork } from 'node:child_process';
import type { Asked, Told } from './umzug.ts';

const CACHE = 'NODE_COMPILE_CACHE';

/**
 * names    all there are; applied  those that were run before
 * run      one of the others
 * throws   what run throws, as its cause: those after it are not run
 */
export async function inOrder(
  names: readonly string[],
  applied: readonly string[],
  run: (name: string) => Promise<void>,
): Promise<void> {
  let fault: Error | undefined;
  // it needs none of our settings, and no secret
  const env = process.env[CACHE] === undefined ? {} : { [CACHE]: process.env[CACHE] };
  const umzug = fork(new URL('umzug.ts', import.meta.url), { env });
  umzug.on('message', async ({ next }: Told) => {
    try {
      await run(next);
      umzug.send({ ran: next });
    } catch (cause) {
      fault = new Error(`The migration ${next} failed: ${(cause as Error).message}`, { cause });
      umzug.kill();
    }
  });
  const ended = new Promise<number | null>((done, failed) => {
    umzug.on('exit', done);
    umzug.on('error', failed);
  });
  umzug.send({ names, applied } satisfies Asked);
  const code = await ended;
  if (fault) throw fault;
  if (code !== 0) throw new Error(`Umzug ended with ${code} instead of running the migrations.`);
}
