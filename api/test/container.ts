// The memory that the container gives Node, for tests of what must not need more.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const marketing = readFileSync(new URL('../container/marketing', import.meta.url), 'utf8');
/** The flags of container/marketing, which starts the API and every verb of the command line. */
export const containerFlags: string[] = /^flags=\((.*)\)$/m.exec(marketing)![1]!.split(' ');

/** What it puts into the environment before. */
export const containerEnv: Record<string, string> = Object.fromEntries(
  [...marketing.matchAll(/^export (\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
);

/**
 * Runs a module's text under those flags, from api/.
 * args     process.argv from [1] on
 * returns  what it printed. throws when it died, with what it said
 */
export async function runConfined(script: string, args: string[] = []): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...containerFlags, '--input-type=module', '-e', script, ...args],
    {
      cwd: new URL('..', import.meta.url),
      env: { ...process.env, ...containerEnv },
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  return stdout;
}
