// The operator's verbs from a laptop: over a real ssh server, against a stack in the server's own folder.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, IMAGE, repository, Stack } from './stack.ts';

const stack = new Stack('ssh');
const host = 'root@127.0.0.1';
let daemon: ChildProcess;
let laptop: NodeJS.ProcessEnv;

const freePort = () =>
  new Promise<number>((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => done(port));
    });
  });

before(async () => {
  if (!existsSync('/usr/sbin/sshd')) {
    execFileSync('apt-get', ['update', '-qq']);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'openssh-server'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: 'ignore',
    });
  }
  const keys = join(stack.folder, 'keys');
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  for (const name of ['host', 'client'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, name)]);
  const port = await freePort();
  mkdirSync('/run/sshd', { recursive: true });
  writeFileSync(
    join(keys, 'sshd_config'),
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${keys}/host\nAuthorizedKeysFile ${keys}/client.pub\nPasswordAuthentication no\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nPidFile none\n`,
  );
  daemon = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(keys, 'sshd_config')], { stdio: 'ignore' });
  await stack.prepare('JOBS=off\n');
  // on a server everything is said by .env, nothing by the caller's environment
  const { https, http } = stack;
  writeFileSync(
    join(stack.root, '.env'),
    `IMAGE=${IMAGE}\nJOBS=off\nCOMPOSE_PROJECT_NAME=${stack.project}\nHTTP_PORT=${http}\nHTTPS_PORT=${https}\n`,
  );
  const { PATH, HOME } = process.env;
  laptop = {
    PATH,
    HOME,
    MARKETING_FOLDER: stack.root,
    SSH_OPTIONS: `-p ${port} -i ${keys}/client -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`,
  };
  await eventually(
    'the ssh server answers',
    10,
    async () => execFileSync('ssh', [...laptop.SSH_OPTIONS!.split(' '), host, 'true']) !== null,
  );
});
after(async () => {
  daemon?.kill();
  await stack.down();
});

const verb = (name: string, ...args: string[]) =>
  execFileSync(join(repository, 'scripts', name), args, {
    env: laptop,
    cwd: '/',
    timeout: 400_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();

test('ship lays a release out on a server and starts it there', async () => {
  const folder = stack.root;
  execFileSync('sh', ['-c', `cd ${folder} && find . -mindepth 1 -maxdepth 1 ! -name .env -exec rm -rf {} +`]);
  verb('ship', host, IMAGE);
  assert.deepEqual(
    readdirSync(folder).filter((name) => ['compose.yaml', 'caddy', 'postgres', 'scripts'].includes(name))
      .length,
    4,
  );
  assert.equal((await stack.call('GET', '/v1/healthz')).status, 200);
});

test('the key, the status, a backup and a restore work over ssh', async () => {
  const key = verb('admin-key', host).trim();
  assert.equal((await stack.call('GET', '/v1/admin/status', undefined, { 'x-admin-key': key })).status, 200);
  assert.match(verb('status', host), /PostgreSQL 18/);
  const shelf = join(stack.folder, 'shelf');
  await stack.send({ path: '/before' });
  const file = verb('backup', host, '--to', shelf).trim().split('\n').at(-1)!;
  assert.ok(existsSync(file) && existsSync(`${file}.json`));
  await stack.send({ path: '/after' });
  assert.match(verb('restore', host, file, '--yes'), /every table has the rows/);
  assert.equal(await stack.sql("select string_agg(path, ' ') from events"), '/before');
});

test('a secret goes to the server by standard input and is read at the next start', async () => {
  execFileSync(join(repository, 'scripts/secret'), ['ALERT_EMAIL', host], {
    env: laptop,
    input: 'operator@example.com\n',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  assert.equal(verb('secret', 'ALERT_EMAIL', host, '--show').trim(), 'operator@example.com');
  await stack.compose('restart', 'api');
  await eventually('the API is healthy', 40, () => stack.healthy('api'));
});

test('an upgrade goes on when its ssh client is killed, and the laptop comes back to it', async () => {
  const release = await stack.release('over-ssh', {
    '/app/migrations/9301_slow.sql': 'select pg_sleep(8); create table of_the_release (id int);',
  });
  const state = join(stack.root, '.change/state');
  const reaches = (step: string) =>
    eventually(
      `step ${step}`,
      150,
      async () => existsSync(state) && readFileSync(state, 'utf8').includes(`step=${step}\n`),
    );
  const client = spawn(join(repository, 'scripts/upgrade'), [host, release], {
    env: laptop,
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await reaches('starting');
  // the script and its ssh, without a word
  process.kill(-client.pid!, 'SIGKILL');
  assert.match(verb('upgrade', host, '--follow'), /an event in: stored/);
  assert.equal((await stack.inspect('api')).Config.Image, release);
  assert.equal(existsSync(state), false);
});
