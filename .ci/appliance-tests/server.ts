// A server of its own for these tests: an engine in another network, with folders of its own, reached by ssh alone.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { eventually } from './stack.ts';

export interface Heard {
  code: number;
  said: string;
}

let count = 0;
const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });

export class Server {
  readonly folder: string;
  readonly project: string;
  readonly address: string;
  readonly https = 443;
  readonly host: string;
  readonly docker: string;
  readonly #ours: string;
  readonly #number: number;
  readonly #namespace: string;
  readonly #daemons: ChildProcess[] = [];
  #engine: ChildProcess | undefined;
  #sshd: ChildProcess | undefined;
  /** Keeps its namespaces while an engine is killed: the next one finds the containers where the last one left them. */
  #machine: ChildProcess | undefined;

  /**
   * folder  of this server's own; keys and the place where servers have the appliance lie in the one above
   * project  the stack's name there
   */
  constructor(folder: string, project: string) {
    this.#number = ++count;
    this.folder = folder;
    this.project = project;
    this.address = `198.18.${70 + this.#number}.2`;
    this.#ours = `198.18.${70 + this.#number}.1`;
    this.host = `root@${this.address}`;
    this.#namespace = `mkt${process.pid}-${this.#number}`;
    this.docker = `unix://${folder}/docker.sock`;
  }

  /** Where its files lie for us; for itself they are where every server has them. */
  get appliance(): string {
    return join(this.folder, 'marketing');
  }
  static place(folder: string): string {
    return join(folder, 'opt');
  }

  /** The laptop's environment: its keys, and nothing that would lead to another engine. */
  static laptop(folder: string): NodeJS.ProcessEnv {
    const keys = join(folder, 'keys');
    const { PATH, HOME } = process.env;
    return {
      PATH,
      HOME,
      MARKETING_FOLDER: Server.place(folder),
      SSH_OPTIONS: `-i ${keys}/client -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`,
    };
  }

  /** In the server's network, and with its own folder at the place of every server's; the control groups are this machine's. */
  #runs(file: string, ...args: string[]): ChildProcess {
    return this.#daemon(['--target', String(this.#machine!.pid), '--net', '--mount', file, ...args]);
  }
  #daemon(args: string[]): ChildProcess {
    const child = spawn('nsenter', args, {
      stdio: 'ignore',
      env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
    });
    this.#daemons.push(child);
    return child;
  }

  async start(): Promise<void> {
    const above = join(this.folder, '..');
    const keys = join(above, 'keys');
    for (const folder of [keys, this.appliance, Server.place(above)])
      mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync('/usr/sbin/sshd')) {
      execFileSync('apt-get', ['update', '-qq']);
      execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'openssh-server'], {
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
        stdio: 'ignore',
      });
    }
    const cable = `v${process.pid}-${this.#number}`;
    ip('netns', 'add', this.#namespace);
    ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#namespace);
    ip('addr', 'add', `${this.#ours}/24`, 'dev', cable);
    ip('link', 'set', cable, 'up');
    ip('-n', this.#namespace, 'addr', 'add', `${this.address}/24`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) ip('-n', this.#namespace, 'link', 'set', device, 'up');
    const place = Server.place(above);
    this.#machine = this.#daemon([
      ...[`--net=/run/netns/${this.#namespace}`, 'unshare', '--mount', 'sh', '-c'],
      ...['mount --bind "$1" "$2" && exec sleep infinity', 'sh', this.appliance, place],
    ]);
    await eventually('its folder is in its place', 10, async () =>
      readFileSync(`/proc/${this.#machine!.pid}/mountinfo`, 'utf8').includes(` ${place} `),
    );
    this.startEngine();
    for (const name of ['host', 'client'])
      if (!existsSync(join(keys, name)))
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, name)]);
    mkdirSync('/run/sshd', { recursive: true });
    const configuration = join(this.folder, 'sshd_config');
    writeFileSync(
      configuration,
      `Port 22\nListenAddress ${this.address}\nHostKey ${keys}/host\nAuthorizedKeysFile ${keys}/client.pub\nPasswordAuthentication no\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nPidFile none\nMaxStartups 50\nSetEnv DOCKER_HOST=${this.docker} MARKETING_STATE=${this.folder}/state\n`,
    );
    this.#sshd = this.#runs('/usr/sbin/sshd', '-D', '-e', '-f', configuration);
    await this.answers();
    await eventually('its ssh answers', 30, async () => this.ssh('true') !== null);
    writeFileSync(
      join(this.appliance, '.env'),
      `JOBS=off\nRATE_LIMITS=off\nCOMPOSE_PROJECT_NAME=${this.project}\n`,
    );
  }

  startEngine(): void {
    this.#engine = this.#runs(
      'dockerd',
      ...['--host', this.docker, '--live-restore', '--userland-proxy=false'],
      ...['--data-root', join(this.folder, 'data'), '--exec-root', join(this.folder, 'exec')],
      ...['--pidfile', join(this.folder, 'pid')],
    );
  }

  /** The engine and what it manages containers with die as if the kernel had killed them. */
  async killEngine(): Promise<void> {
    const engine = this.#engine!;
    const ended = new Promise((done) => engine.once('exit', done));
    const children = execFileSync('pgrep', ['--parent', String(engine.pid), 'containerd'])
      .toString()
      .match(/\d+/g)!;
    process.kill(engine.pid!, 'SIGKILL');
    for (const pid of children) process.kill(Number(pid), 'SIGKILL');
    await ended;
  }

  /**
   * The power goes away: the engine, what it manages containers with, every process in a container, every script and every line
   * end at once. What is left is what lies on the disk, and a door for the next ssh.
   */
  async cutPower(): Promise<void> {
    const engine = this.#engine!;
    const ended = new Promise((done) => engine.once('exit', done));
    const inContainers = this.engine('ps', '--quiet')
      .split('\n')
      .filter((id) => id !== '')
      .map((id) => Number(this.engine('inspect', '--format', '{{.State.Pid}}', id)));
    const kept = [this.#machine!.pid, this.#sshd!.pid];
    const here = (pid: number | string) => {
      try {
        return readlinkSync(`/proc/${pid}/ns/mnt`);
      } catch {
        return ''; // ended meanwhile
      }
    };
    const ours = here(this.#machine!.pid!);
    const die = (pid: number) => {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // ended by itself
      }
    };
    die(engine.pid!);
    // whoever was begun while we looked is found by the next look
    for (let look = 0; look < 3; look++)
      for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
        if (!kept.includes(Number(pid)) && here(pid) === ours) die(Number(pid));
    for (const pid of inContainers) if (pid > 0) die(pid);
    await ended;
  }

  /** As the machine does when it starts: the engine, then what cloud-init.yaml put there to bring the release up. */
  async boot(bringUp: string): Promise<void> {
    this.startEngine();
    await this.answers();
    writeFileSync(join(this.folder, 'marketing-up'), bringUp);
    this.ssh(`bash ${this.folder}/marketing-up`);
  }

  async answers(): Promise<void> {
    await eventually('the engine answers', 60, async () => this.engine('info') !== '');
  }

  async end(): Promise<void> {
    try {
      this.engine('compose', '--project-name', this.project, 'down', '--volumes', '--timeout', '5');
    } catch {
      // it never came up
    }
    for (const daemon of this.#daemons.reverse()) daemon.kill();
    await eventually('the server is gone', 30, async () => !existsSync(join(this.folder, 'pid'))).catch(
      () => {},
    );
    ip('netns', 'del', this.#namespace);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** docker, of the server's engine */
  engine(...args: string[]): string {
    return execFileSync('docker', args, {
      env: { ...process.env, DOCKER_HOST: this.docker },
      stdio: ['ignore', 'pipe', 'pipe'],
    }).toString();
  }
  ssh(command: string): string {
    const { SSH_OPTIONS } = Server.laptop(join(this.folder, '..'));
    return execFileSync('ssh', [...SSH_OPTIONS!.split(' '), this.host, command], {
      stdio: ['ignore', 'pipe', 'pipe'],
    }).toString();
  }
  container(service: string): string {
    return `${this.project}-${service}-1`;
  }
  read(path: string): string {
    const file = join(this.appliance, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }
  sql(text: string): string {
    const command =
      'PGPASSWORD=$(cat /run/secrets/marketing/POSTGRES_PASSWORD) psql -h 127.0.0.1 -U marketing_owner -d marketing -v ON_ERROR_STOP=1 -AtX -c "$1"';
    return this.engine('exec', this.container('postgres'), 'sh', '-c', command, 'sql', text).trim();
  }
  /** Of its own Caddy. */
  get(path: string, ...options: string[]): string {
    return execFileSync('curl', [
      ...['-sk', '--max-time', '15', '--connect-to', `localhost:443:${this.address}:443`],
      ...[...options, `https://localhost${path}`],
    ]).toString();
  }
  send(path: string): string {
    const event = { anonId: 'ada-browser-1', eventType: 'page_view', path };
    return this.get('/v1/events', '-H', 'content-type: application/json', '-d', JSON.stringify(event));
  }
}
