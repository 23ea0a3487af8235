// Two stacks side by side on one machine: whatever is done to one, the other does not notice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { IMAGE, Stack } from './stack.ts';

const busy = new Stack('busy');
const quiet = new Stack('quiet');
const stacks = [busy, quiet];

before(async () => {
  for (const stack of stacks) {
    await stack.prepare('JOBS=off\nRATE_LIMITS=off\n');
    // as two operators have them: each says in its own .env who it is, and the environment says nothing
    const { COMPOSE_PROJECT_NAME, HTTP_PORT, HTTPS_PORT } = stack.environment;
    writeFileSync(
      join(stack.root, '.env'),
      `IMAGE=${IMAGE}\nJOBS=off\nRATE_LIMITS=off\nCOMPOSE_PROJECT_NAME=${COMPOSE_PROJECT_NAME}\nHTTP_PORT=${HTTP_PORT}\nHTTPS_PORT=${HTTPS_PORT}\n`,
    );
    for (const name of ['COMPOSE_PROJECT_NAME', 'HTTP_PORT', 'HTTPS_PORT', 'COMPOSE_FILE', 'MARKETING_STATE'])
      delete stack.environment[name];
  }
  await Promise.all(stacks.map((stack) => stack.up()));
  await quiet.send({ path: '/of-the-quiet-one' });
});
after(async () => {
  for (const stack of stacks) await stack.down();
  for (const stack of stacks) execFileSync('rm', ['-rf', `/run/marketing/${stack.project}`]);
});

const docker = (...args: string[]) => execFileSync('docker', args).toString().trim();
const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** All that can be seen of a stack from outside, and its rows. */
async function seen(stack: Stack): Promise<unknown> {
  const of = ['--filter', `label=com.docker.compose.project=${stack.project}`];
  const containers = lines(docker('ps', '--all', '--quiet', '--no-trunc', ...of)).sort();
  return {
    containers: containers.map((id) => {
      const [{ State, HostConfig, RestartCount, Config }] = JSON.parse(docker('inspect', id));
      return [id, Config.Image, State.Status, State.StartedAt, RestartCount, HostConfig.PortBindings];
    }),
    volumes: lines(docker('volume', 'ls', '--format', '{{.Name}}', ...of)).sort(),
    networks: lines(docker('network', 'ls', '--format', '{{.ID}} {{.Name}}', ...of)).sort(),
    files: readdirSync(stack.root).sort(),
    dotenv: readFileSync(join(stack.root, '.env'), 'utf8'),
    change: existsSync(join(stack.root, '.change')) ? readdirSync(join(stack.root, '.change')).sort() : [],
    key: await stack.adminKey(),
    databases: await stack.sql('select string_agg(datname, $$ $$ order by datname) from pg_database'),
    paths: await stack.sql('select string_agg(path, $$ $$ order by path) from events'),
  };
}

test('they share no volume, no network, no port, no secret and no file of their state', async () => {
  const [one, other] = (await Promise.all(stacks.map(seen))) as { key: string }[];
  assert.notEqual(one!.key, other!.key);
  const shared = stacks.map((stack) => {
    const ids = lines(
      docker('ps', '--all', '--quiet', '--filter', `label=com.docker.compose.project=${stack.project}`),
    );
    return new Set(
      ids.flatMap((id) => {
        const [{ Mounts, NetworkSettings }] = JSON.parse(docker('inspect', id));
        return [
          ...Mounts.map((mount: { Source?: string }) => mount.Source),
          // init has none at all, which Docker gives a name
          ...Object.keys(NetworkSettings.Networks).filter((name) => name !== 'none'),
          ...Object.values<{ HostPort: string }[] | null>(NetworkSettings.Ports ?? {}).flatMap((bound) =>
            (bound ?? []).map(({ HostPort }) => HostPort),
          ),
        ].filter((each) => each !== '');
      }),
    );
  });
  assert.ok(shared[0]!.size > 10);
  assert.deepEqual(
    [...shared[0]!].filter((each) => shared[1]!.has(each)),
    [],
  );
});

test('one is set, backed up, restored, upgraded in vain and with success, its power cut, watched and taken down: the other does not notice', async () => {
  // its own, as each minute: it writes down that this one has served
  await quiet.script('watchdog');
  const before = await seen(quiet);
  const done = async (name: string, ...args: string[]) => {
    const { code, said } = await busy.attempt(name, ...args);
    assert.equal(code, 0, said);
    assert.deepEqual(await seen(quiet), before, `${name} ${args.join(' ')}`);
  };
  await done('set', 'EVENT_RETENTION_DAYS', '200');
  await done('rotate', 'database-password');
  await done('backup', '--to', '-');
  await done('restore', 'newest', '--yes');
  const bad = await busy.release('bad-neighbour', {
    '/app/migrations/9501_bad.sql': 'select nothing_of_that_name from events;',
  });
  assert.equal((await busy.attempt('upgrade', bad)).code, 1);
  assert.deepEqual(await seen(quiet), before, 'an upgrade in vain');
  const next = await busy.release('neighbour', {
    '/app/migrations/9502_next.sql': 'create table of_the_next (id int);',
    '/app/appliance/caddy/Caddyfile': `${readFileSync(join(busy.root, 'caddy/Caddyfile'), 'utf8')}\n# of the next\n`,
  });
  await done('upgrade', next);
  // something that somebody left: only its own watchdog takes it up
  const state = join(busy.root, '.change/state');
  writeFileSync(state, 'verb=upgrade\nsince=2026-01-01T00:00:00Z\nfrom=a\nto=b\nstep=preparing\n');
  utimesSync(state, new Date(0), new Date(0));
  await quiet.script('watchdog');
  assert.ok(existsSync(state));
  await done('watchdog');
  assert.equal(existsSync(state), false);
  await busy.compose('down', '--volumes', '--timeout', '10');
  assert.deepEqual(await seen(quiet), before, 'taken down');
});

test('a second one that nobody gave a name is refused by its verbs before it takes the first one’s containers', async () => {
  const before = await seen(quiet);
  const dotenv = readFileSync(join(busy.root, '.env'), 'utf8');
  writeFileSync(join(busy.root, '.env'), dotenv.replace(busy.project, quiet.project));
  try {
    for (const [name, ...args] of [
      ['upgrade', IMAGE],
      ['restore', 'newest', '--yes'],
      ['set', 'EVENT_RETENTION_DAYS', '100'],
      ['rotate', 'admin-key'],
    ] as const) {
      const { code, said } = await busy.attempt(name, ...args);
      assert.notEqual(code, 0, said);
      assert.ok(said.includes(`lives in ${quiet.root}; give this one a name of its own`), said);
    }
  } finally {
    writeFileSync(join(busy.root, '.env'), dotenv);
  }
  assert.deepEqual(await seen(quiet), before);
});
