// A release carried to a server of its own: another engine in another network, reached by ssh alone. Every byte of it travels.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually, figure, IMAGE, repository, Stack } from './stack.ts';

// only its folder and its way of making releases are used: the stack is the server's
const stack = new Stack('ship');
const server = {
  namespace: `mkt${process.pid}`,
  address: '198.18.7.2',
  ours: '198.18.7.1',
  folder: join(stack.folder, 'server'),
};
const appliance = join(server.folder, 'marketing');
const docker = `unix://${server.folder}/docker.sock`;
const daemons: ChildProcess[] = [];
let laptop: NodeJS.ProcessEnv;

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const there = (...args: string[]) =>
  execFileSync('docker', args, {
    env: { ...process.env, DOCKER_HOST: docker },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).toString();
/** In the server's network, and nothing else of its own: "ip netns exec" would hide the control groups. */
const runs = (file: string, ...args: string[]) => {
  const child = spawn('nsenter', [`--net=/run/netns/${server.namespace}`, file, ...args], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  daemons.push(child);
};

before(async () => {
  if (!existsSync('/usr/sbin/sshd')) {
    execFileSync('apt-get', ['update', '-qq']);
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'openssh-server'], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: 'ignore',
    });
  }
  const keys = join(stack.folder, 'keys');
  for (const folder of [keys, appliance, join(server.folder, 'shm')])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const cable = `v${process.pid}`;
  ip('netns', 'add', server.namespace);
  ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', server.namespace);
  ip('addr', 'add', `${server.ours}/24`, 'dev', cable);
  ip('link', 'set', cable, 'up');
  ip('-n', server.namespace, 'addr', 'add', `${server.address}/24`, 'dev', 'eth0');
  for (const device of ['lo', 'eth0']) ip('-n', server.namespace, 'link', 'set', device, 'up');
  runs(
    'dockerd',
    '--host',
    docker,
    '--data-root',
    join(server.folder, 'data'),
    '--exec-root',
    join(server.folder, 'exec'),
    '--pidfile',
    join(server.folder, 'pid'),
  );
  for (const name of ['host', 'client'])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, name)]);
  mkdirSync('/run/sshd', { recursive: true });
  writeFileSync(
    join(keys, 'sshd_config'),
    `Port 22\nListenAddress ${server.address}\nHostKey ${keys}/host\nAuthorizedKeysFile ${keys}/client.pub\nPasswordAuthentication no\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nPidFile none\nSetEnv DOCKER_HOST=${docker} MARKETING_STATE=${server.folder}/state\n`,
  );
  runs('/usr/sbin/sshd', '-D', '-e', '-f', join(keys, 'sshd_config'));
  const { PATH, HOME } = process.env;
  laptop = {
    PATH,
    HOME,
    MARKETING_FOLDER: appliance,
    SSH_OPTIONS: `-i ${keys}/client -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`,
  };
  await eventually(
    'the server answers',
    60,
    async () =>
      there('info') !== '' &&
      execFileSync('ssh', [...laptop.SSH_OPTIONS!.split(' '), `root@${server.address}`, 'docker ps']) !==
        null,
  );
  writeFileSync(join(appliance, '.env'), `JOBS=off\nCOMPOSE_PROJECT_NAME=${stack.project}\n`);
  await stack.prepare('JOBS=off\n');
});
after(async () => {
  try {
    there('compose', '--project-name', stack.project, 'down', '--volumes', '--timeout', '5');
  } catch {
    // it never came up
  }
  for (const daemon of daemons.reverse()) daemon.kill();
  await eventually('the server is gone', 30, async () => !existsSync(join(server.folder, 'pid'))).catch(
    () => {},
  );
  ip('netns', 'del', server.namespace);
  await stack.down();
  rmSync(server.folder, { recursive: true, force: true });
});

/** Of the server's own Caddy. */
const get = (path: string, ...options: string[]) =>
  execFileSync('curl', [
    '-sk',
    '--max-time',
    '15',
    '--connect-to',
    `localhost:443:${server.address}:443`,
    ...options,
    `https://localhost${path}`,
  ]).toString();
const ship = (image: string) =>
  new Promise<{ code: number; said: string }>((done) => {
    const child = spawn(join(repository, 'scripts/ship'), [`root@${server.address}`, image], {
      env: laptop,
      cwd: '/',
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (said += chunk));
    child.on('close', (code) => done({ code: code ?? -1, said }));
  });

test('a server that has nothing but an engine gets all three images through ssh, and serves', async () => {
  assert.equal(there('images', '--quiet'), '');
  const began = Date.now();
  const { code, said } = await ship(IMAGE);
  assert.equal(code, 0, said);
  figure('ship of three images through ssh, with the first start, s', (Date.now() - began) / 1000);
  assert.ok(said.includes(`sending ${IMAGE} postgres:18 caddy:2-alpine`), said);
  assert.equal(there('images', '--quiet').trim().split('\n').length, 3);
  assert.deepEqual(
    readdirSync(appliance).filter((name) => ['compose.yaml', 'caddy', 'postgres', 'scripts'].includes(name))
      .length,
    4,
  );
  assert.match(readFileSync(join(appliance, '.env'), 'utf8'), new RegExp(`^IMAGE=${IMAGE}$`, 'm'));
  assert.equal(JSON.parse(get('/v1/healthz')).ok, true);
});

test('the same name again with another Caddyfile: only what is new travels, and the new one is served', async () => {
  assert.match(get('/s.js', '-o', '/dev/null', '-D', '-'), /max-age=600/);
  const again = await stack.release('shipped', {
    '/app/appliance/caddy/Caddyfile': readFileSync(join(repository, 'caddy/Caddyfile'), 'utf8').replaceAll(
      'max-age=600',
      'max-age=611',
    ),
  });
  execFileSync('docker', ['tag', again, IMAGE]);
  const { code, said } = await ship(IMAGE);
  assert.equal(code, 0, said);
  assert.match(said, /an event in: stored/);
  assert.ok(said.includes(`sending ${IMAGE}\n`), said);
  assert.match(get('/s.js', '-o', '/dev/null', '-D', '-'), /max-age=611/);
});
