// Debian's pgbouncer in transaction mode before the tests' PostgreSQL.
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../src/ground/db/embedded.ts';
import { pause } from '../kill.ts';

const PROGRAM = ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer'].find(existsSync);

/** Why the tests behind it cannot run here; false: they can. */
export const withoutPgbouncer = PROGRAM
  ? false
  : 'pgbouncer is not installed (apt-get install pgbouncer): NOTHING BEHIND A POOLER WAS TESTED';

export interface Pgbouncer {
  /** The same URL, through it. */
  through(url: string): string;
  stop(): Promise<void>;
}

/**
 * urls     of the roles that may come through it, with their passwords
 * ignores  parameters of a session that it takes and forgets, instead of refusing the session
 */
export async function startPgbouncer(urls: string[], ignores: string[] = []): Promise<Pgbouncer> {
  const folder = mkdtempSync(join(tmpdir(), 'marketing-pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const server = new URL(urls[0]!);
  const users = urls.map((url) => {
    const { username, password } = new URL(url);
    return `"${username}" "${decodeURIComponent(password)}"\n`;
  });
  writeFileSync(join(folder, 'users.txt'), users.join(''));
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${folder}/users.txt
pool_mode = transaction
default_pool_size = 6
max_client_conn = 200
${ignores.length > 0 ? `ignore_startup_parameters = ${ignores.join(', ')}\n` : ''}`,
  );
  const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child: ChildProcess = spawn(PROGRAM!, [...asNobody, join(folder, 'pgbouncer.ini')], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((done) => child.once('exit', () => done()));
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`);
    await pause(20);
  }
  return {
    through(url) {
      const its = new URL(url);
      its.port = String(port);
      return its.href;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const answers = (port: number) =>
  new Promise<boolean>((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
