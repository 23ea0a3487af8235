// Runs the tests: one PostgreSQL 18 for all of them, a database for each file. Arguments are test files or node's options.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from './cluster.ts';
import { makeTemplate } from './database.ts';

const args = process.argv.slice(2);
const named = args.filter((arg) => !arg.startsWith('-'));
const options = args.filter((arg) => arg.startsWith('-'));
const files = named.length > 0 ? named : globSync('{src,test,demo}/**/*.test.ts').sort();

const cluster = await startCluster();
let code = 1;
try {
  await makeTemplate(cluster.url());
  const child = spawn(
    process.execPath,
    ['--test', '--test-concurrency=2', '--test-timeout=300000', ...options, ...files],
    {
      stdio: 'inherit',
      env: {
        // each file is a process that loads the whole product: its types are stripped once for all of them
        NODE_COMPILE_CACHE: join(tmpdir(), 'marketing-test-cache'),
        ...process.env,
        TEST_SERVER_URL: cluster.url(),
      },
    },
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  code = await new Promise<number>((done) => child.on('exit', (status) => done(status ?? 1)));
} finally {
  await cluster.remove();
}
process.exit(code);
