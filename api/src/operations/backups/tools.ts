// Runs pg_dump and pg_restore, and says plainly when they are missing or not the server's own version.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import pg from 'pg';
import { withoutPooler } from '../../ground/db/pooler.ts';

/** Something about a backup went wrong in a way a person can act on; the message says how. */
export class BackupError extends Error {
  readonly reason: BackupFailure;
  constructor(reason: BackupFailure, message: string) {
    super(message);
    this.name = 'BackupError';
    this.reason = reason;
  }
}
export type BackupFailure =
  | 'no_tools'
  | 'tool_failed'
  | 'disk_short'
  | 'corrupt'
  | 'foreign'
  | 'newer_schema'
  | 'wrong_key'
  | 'differs'
  | 'no_backup'
  | 'busy';

export interface Tools {
  /** The owner's URL of the database server; its database is the one that is dumped. */
  ownerUrl: string;
  /** Folder of pg_dump and pg_restore; null: wherever PATH finds them. */
  pgBin: string | null;
}

/** The same server and user, another database. */
export function databaseUrl(ownerUrl: string, database: string): string {
  const url = new URL(ownerUrl);
  url.pathname = `/${database}`;
  return url.href;
}

export function databaseName(ownerUrl: string): string {
  return decodeURIComponent(new URL(ownerUrl).pathname.slice(1)) || 'postgres';
}

/** Quotes an identifier that we made ourselves or read from the catalogue. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A connection for long work: no time limits, and text that means the same on every server. patienceMs: for connecting; 0: no limit */
export async function connect(url: string, patienceMs = 0): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'marketing backup',
    connectionTimeoutMillis: patienceMs,
  });
  // A server that ends the connection is reported by the query that needed it, not as an uncaught event.
  client.on('error', () => {});
  await client.connect();
  await client.query(
    `select set_config('statement_timeout', '0', false), set_config('idle_in_transaction_session_timeout', '0', false),
            set_config('transaction_timeout', '0', false), set_config('lock_timeout', '60s', false),
            set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false),
            set_config('IntervalStyle', 'iso_8601', false), set_config('bytea_output', 'hex', false),
            set_config('extra_float_digits', '1', false), set_config('row_security', 'off', false)`,
  );
  return client;
}

/**
 * Where the tool's connection settings go: into its environment, because a command line is public.
 * The URL without its password is what the tool gets to see as an argument.
 */
function connection(url: string): { dbname: string; env: NodeJS.ProcessEnv } {
  const open = new URL(withoutPooler(url));
  const password = decodeURIComponent(open.password);
  open.password = '';
  return {
    dbname: open.href,
    env: {
      PATH: process.env.PATH,
      LC_ALL: 'C',
      TZ: 'UTC',
      PGPASSWORD: password,
      PGAPPNAME: 'marketing backup',
      // statement limits of the role don't apply to a dump; maintenance memory bounds a restore's index builds
      PGOPTIONS:
        '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c maintenance_work_mem=32MB -c synchronous_commit=off',
    },
  };
}

/**
 * Starts one of PostgreSQL's tools.
 * returns  the process, and a promise that ends with it: rejected with the last lines the tool said
 * throws   no_tools, when it isn't installed
 */
export function startTool(
  tools: Tools,
  name: 'pg_dump' | 'pg_restore',
  args: string[],
  options: { url?: string; input?: boolean; output?: boolean } = {},
): { child: ChildProcess; done: Promise<void> } {
  const { dbname, env } = options.url
    ? connection(options.url)
    : { dbname: '', env: { PATH: process.env.PATH, LC_ALL: 'C' } };
  const child = spawn(
    tools.pgBin ? join(tools.pgBin, name) : name,
    options.url ? [...args, `--dbname=${dbname}`] : args,
    {
      env,
      stdio: [options.input ? 'pipe' : 'ignore', options.output ? 'pipe' : 'ignore', 'pipe'],
    },
  );
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const done = new Promise<void>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' || error.code === 'EACCES';
      reject(
        missing
          ? noTools(name)
          : new BackupError('tool_failed', `${name} could not be started: ${error.message}`),
      );
    });
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new BackupError('tool_failed', `${name} ended with ${signal ?? code}: ${lastLines(said)}`));
    });
  });
  // whoever awaits it first still sees the rejection
  done.catch(() => {});
  return { child, done };
}

function noTools(name: string): BackupError {
  return new BackupError(
    'no_tools',
    `${name} is not installed here, so no backup can be made. The container image has it; without Docker, install PostgreSQL 18's client ` +
      'programs and name their folder in BACKUP_PG_BIN (for example /usr/lib/postgresql/18/bin).',
  );
}

// DETAIL lines can hold a row, and a row can hold an address.
const lastLines = (text: string): string =>
  text
    .split('\n')
    .filter((line) => line && !/^(DETAIL|CONTEXT|COPY )/.test(line))
    .slice(-3)
    .join(' | ')
    .slice(0, 500);

/** Major versions of the tools and of the server; a dump is only made when they are the same. */
export async function checkVersions(tools: Tools, client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  );
  const server = rows[0]!.version;
  const { child, done } = startTool(tools, 'pg_dump', ['--version'], { output: true });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await done;
  const major = /(\d+)(?:\.\d+|devel|beta\d*|rc\d*)/.exec(text)?.[1];
  if (major !== server.split(/[.\sa-z]/)[0])
    throw new BackupError(
      'no_tools',
      `pg_dump is version ${major ?? 'unknown'}, the server is ${server}: a dump by another major version is not to be trusted. ` +
        "Name the folder of the server's own client programs in BACKUP_PG_BIN.",
    );
  return server;
}

/** Whether backups can be made here: the server answers, and its own pg_dump is there. */
export async function toolsFit(tools: Tools): Promise<boolean> {
  let client: pg.Client | null = null;
  try {
    client = await connect(tools.ownerUrl);
    await checkVersions(tools, client);
    return true;
  } catch {
    return false;
  } finally {
    await client?.end().catch(() => {});
  }
}
