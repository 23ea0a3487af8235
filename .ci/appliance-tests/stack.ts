// Drives a whole stack in real containers: up, calls through Caddy, kills from the host, figures, down.
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const repository = resolve(import.meta.dirname, '../..');
export const shared = process.env.APPLIANCE_SHARED ?? resolve(repository, '../shared/appliance');
/** Made by the entry script from a clean clone. */
export const IMAGE = process.env.APPLIANCE_IMAGE ?? 'marketing-api:dev';

/** What takes long as well: .ci/appliance --long, by hand. */
export const LONG = process.env.APPLIANCE_LONG === '1';

/** Chance that can be had again: the number is printed, and APPLIANCE_SEED=number brings the same moments. */
export const SEED = Number(process.env.APPLIANCE_SEED ?? Math.floor(Math.random() * 2 ** 31));
let state = SEED;
/** 0 ≤ number < 1 (mulberry32) */
export function chance(): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

export interface Answer {
  status: number;
  headers: Headers;
  // answers of every shape are looked into
  // biome-ignore lint/suspicious/noExplicitAny: see above
  body: any;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

export class Stack {
  readonly project: string;
  readonly folder: string;
  readonly files: string[];
  https = 0;
  http = 0;
  environment: NodeJS.ProcessEnv = {};

  /** files: compose files beside compose.yaml, absolute */
  constructor(name: string, files: string[] = []) {
    this.project = `mkt-${name}-${process.pid}`;
    this.folder = mkdtempSync(join(tmpdir(), `${this.project}-`));
    this.files = files;
  }

  /** A clean clone, as an operator has it: nothing but what is committed. */
  async prepare(dotenv = ''): Promise<void> {
    await run('git', ['clone', '--quiet', repository, join(this.folder, 'marketing')]);
    this.https = await freePort();
    this.http = await freePort();
    this.environment = {
      ...process.env,
      COMPOSE_PROJECT_NAME: this.project,
      HTTP_PORT: String(this.http),
      HTTPS_PORT: String(this.https),
      // without an .env the release comes from here; an upgrade writes it into .env, where the environment must not contradict it
      ...(dotenv ? {} : { IMAGE }),
      COMPOSE_FILE: [join(this.root, 'compose.yaml'), ...this.files].join(':'),
      MARKETING_STATE: join(this.folder, 'state'),
    };
    if (dotenv) delete this.environment.IMAGE;
    if (dotenv) writeFileSync(join(this.root, '.env'), `IMAGE=${IMAGE}\n${dotenv}`);
  }

  get root(): string {
    return join(this.folder, 'marketing');
  }

  /** returns standard output; throws with standard error when the exit status is not 0 */
  async command(
    file: string,
    args: string[],
    options: { timeoutMs?: number; input?: string } = {},
  ): Promise<string> {
    const work = run(file, args, {
      cwd: this.root,
      env: this.environment,
      timeout: options.timeoutMs ?? 240_000,
      maxBuffer: 1 << 26,
    });
    if (options.input !== undefined) work.child.stdin?.end(options.input);
    try {
      return (await work).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { stdout?: string; stderr?: string };
      throw new Error(
        `${file} ${args.join(' ')}: ${(error as Error).message.split('\n')[0]}\n${stdout ?? ''}\n${stderr ?? ''}`,
      );
    }
  }

  compose(...args: string[]): Promise<string> {
    return this.command('docker', ['compose', '--progress', 'quiet', ...args]);
  }

  script(name: string, ...args: string[]): Promise<string> {
    return this.command(join(this.root, 'scripts', name), args, { timeoutMs: 400_000 });
  }

  /** The exit status and all that was said, of a script that may fail. */
  async attempt(name: string, ...args: string[]): Promise<{ code: number; said: string }> {
    return new Promise((done) => {
      const child = spawn(join(this.root, 'scripts', name), args, { cwd: this.root, env: this.environment });
      let said = '';
      const hear = (chunk: Buffer) => {
        said += chunk;
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('close', (code) => done({ code: code ?? -1, said }));
    });
  }

  async up(...args: string[]): Promise<void> {
    try {
      await this.compose('up', '-d', '--wait', '--wait-timeout', '200', ...args);
    } catch (error) {
      const logs = await this.compose('logs', '--tail', '30').catch(() => '');
      throw new Error(`${(error as Error).message}\n${logs}`);
    }
  }

  async down(): Promise<void> {
    await this.compose('down', '--volumes', '--timeout', '20', '--remove-orphans').catch((error) =>
      console.error(String(error)),
    );
    rmSync(this.folder, { recursive: true, force: true });
  }

  container(service: string): string {
    return `${this.project}-${service}-1`;
  }

  // biome-ignore lint/suspicious/noExplicitAny: docker's own shape
  async inspect(service: string): Promise<any> {
    return JSON.parse((await run('docker', ['inspect', this.container(service)])).stdout)[0];
  }

  /** The main process dies as if the kernel had killed it; "docker kill" would count as a person's wish. */
  async killMain(service: string): Promise<void> {
    const { State } = await this.inspect(service);
    // 0 is what a stopped one has, and would be this very process and all around it
    if (State.Pid === 0) throw new Error(`${service} does not run`);
    process.kill(State.Pid, 'SIGKILL');
  }

  async healthy(service: string): Promise<boolean> {
    const { State } = await this.inspect(service);
    return State.Status === 'running' && State.Health?.Status === 'healthy';
  }

  sql(text: string): Promise<string> {
    return this.compose(
      'exec',
      '-T',
      'postgres',
      'sh',
      '-c',
      'PGPASSWORD=$(cat /run/secrets/marketing/POSTGRES_PASSWORD) psql -h 127.0.0.1 -U marketing_owner -d marketing -v ON_ERROR_STOP=1 -AtX -c "$1"',
      'sql',
      text,
    ).then((out) => out.trim());
  }

  async adminKey(): Promise<string> {
    return (await this.script('admin-key')).trim();
  }

  /** Through Caddy, over TLS (its own certificate: the entry script switches the check off for these tests). */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(`https://localhost:${this.https}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      signal: AbortSignal.timeout(15_000),
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json');
    return {
      status: response.status,
      headers: response.headers,
      body: json && text ? JSON.parse(text) : text,
    };
  }

  send(fields: Record<string, unknown> = {}): Promise<Answer> {
    return this.call('POST', '/v1/events', makeEvent(fields));
  }

  /**
   * A release made from this one by other files.
   * files  path in the image → content; what begins with #! can be run
   */
  async release(name: string, files: Record<string, string>): Promise<string> {
    const tag = `${IMAGE}-${name}`;
    const folder = join(this.folder, 'releases', name);
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
      chmodSync(join(folder, path), content.startsWith('#!') ? 0o755 : 0o644);
    }
    const copies = Object.keys(files).map((path) => `COPY ${path.slice(1)} ${path}\n`);
    writeFileSync(join(folder, 'Dockerfile'), `FROM ${IMAGE}\n${copies.join('')}`);
    await run('docker', ['build', '--quiet', '--tag', tag, folder]);
    return tag;
  }

  /** Sends events until stopped, as patient clients do: what isn't acknowledged is sent again with its id. */
  load(clients = 4): Load {
    return new Load(this, clients);
  }

  async memory(): Promise<Record<string, number>> {
    const { stdout } = await run('docker', [
      'stats',
      '--no-stream',
      '--format',
      '{{.Name}} {{.MemUsage}}',
      ...['postgres', 'api', 'caddy'].map((service) => this.container(service)),
    ]);
    const sizes: Record<string, number> = {};
    for (const line of stdout.trim().split('\n')) {
      const [, service, size, unit] = /-(\w+)-1 ([\d.]+)(\w+)/.exec(line)!;
      sizes[service!] = Math.round(Number(size) * (unit === 'GiB' ? 1024 : unit === 'KiB' ? 1 / 1024 : 1));
    }
    sizes.sum = Object.values(sizes).reduce((sum, size) => sum + size, 0);
    return sizes;
  }
}

export class Load {
  readonly acknowledged: string[] = [];
  sent = 0;
  readonly #stack: Stack;
  readonly #clients: Promise<void>[];
  #going = true;

  constructor(stack: Stack, clients: number) {
    this.#stack = stack;
    this.#clients = Array.from({ length: clients }, (_, n) => this.#client(n));
  }

  async #client(n: number): Promise<void> {
    let patience = 0;
    while (this.#going || patience > 0) {
      const events = Array.from({ length: 5 }, () => makeEvent({ anonId: `load-client-${n}` }));
      patience = 200;
      // the same batch again until someone says that it is stored
      for (; patience > 0; patience--) {
        this.sent++;
        const answer = await this.#stack.call('POST', '/v1/events', { events }).catch(() => null);
        if (answer?.status === 202) {
          for (const event of events) this.acknowledged.push(event.eventId as string);
          break;
        }
        await new Promise((done) => setTimeout(done, 200));
      }
      if (!this.#going) return;
    }
  }

  async stop(): Promise<string[]> {
    this.#going = false;
    await Promise.all(this.#clients);
    return this.acknowledged;
  }
}

export function makeEvent(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { eventId: randomUUID(), anonId: 'ada-browser-1', eventType: 'page_view', path: '/', ...fields };
}

/** Asks until it is so. throws after the limit, with what was last seen */
export async function eventually<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | false | null>,
): Promise<T> {
  const until = Date.now() + seconds * 1000;
  let last: unknown;
  while (Date.now() < until) {
    try {
      const answer = await ask();
      if (answer !== false && answer !== null) return answer;
      last = answer;
    } catch (error) {
      last = (error as Error).message;
    }
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new Error(`${what}: not within ${seconds} s (last: ${String(last).slice(0, 500)})`);
}

export const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A figure for the README; the entry script gathers these lines. */
export const figure = (name: string, value: unknown) =>
  console.log(`figure: ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
