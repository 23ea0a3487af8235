// Lines that break and power that goes away in the middle of an upgrade or a restore: a defined state comes by itself, and no key is left.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { eventually, IMAGE, LONG, repository, Stack } from './stack.ts';

const { generateX25519Identity, identityToRecipient } = (await import(
  pathToFileURL(join(repository, 'api/node_modules/age-encryption/dist/index.js')).href
)) as typeof import('../../api/node_modules/age-encryption/dist/index.js');

const identity = await generateX25519Identity();
const stack = new Stack('cut');
const shelf = join(stack.folder, 'shelf');
before(async () => {
  await stack.prepare(
    `BACKUP_PUBLIC_KEY=${await identityToRecipient(identity)}\nRATE_LIMITS=off\nJOBS=off\n`,
  );
  mkdirSync(shelf, { recursive: true });
  writeFileSync(join(shelf, 'identity'), `${identity}\n`);
  await stack.up();
  await stack.send({ path: '/from-before' });
});
after(() => stack.down());

const at = (path: string) => join(stack.root, '.change', path);
const read = (path: string) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : '');
const reaches = (...steps: string[]) =>
  eventually(`step ${steps.join(' or ')}`, 150, async () => {
    if (steps.some((step) => read('state').includes(`step=${step}\n`))) return true;
    throw new Error(`${heard}\n${read('state')}\n${read('log')}`.slice(-500));
  });
let heard = '';

/** A script in a terminal that is closed without a word: nobody may expect its signal to be handled. */
function inTerminal(name: string, ...args: string[]): { close(): void } {
  const child = spawn(join(stack.root, 'scripts', name), args, {
    cwd: stack.root,
    env: stack.environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  heard = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      heard += chunk;
    });
  return { close: () => process.kill(-child.pid!, 'SIGKILL') };
}

/** The power goes away: whoever works, the database and the API end at once. */
async function cutPower(): Promise<void> {
  process.kill(-Number(read('pid')), 'SIGKILL');
  for (const service of ['postgres', 'api']) await stack.killMain(service).catch(() => {});
}

const keyIsNowhere = () => {
  assert.deepEqual(
    readdirSync('/dev/shm').filter((name) => name.startsWith(`${stack.project}-restore`)),
    [],
  );
  const inside = (path: string, volume: string) =>
    execFileSync('docker', [
      'run',
      '--rm',
      '--user',
      '0:0',
      '-v',
      `${volume}:/look`,
      '--entrypoint',
      'sh',
      IMAGE,
      '-c',
      `grep -rl AGE-SECRET-KEY /look${path} || :`,
    ]).toString();
  assert.equal(inside('', `${stack.project}_data`), '');
  assert.equal(inside('/.change', stack.root), '');
};

async function asBefore(image: string): Promise<void> {
  assert.equal(read('state'), '');
  assert.equal((await stack.inspect('api')).Config.Image, image);
  assert.equal(await stack.sql("select count(*) from events where path = '/from-before'"), '1');
  assert.equal(await stack.sql("select count(*) from pg_database where datname like 'marketing\\_%'"), '0');
  assert.equal((await stack.send()).status, 202);
  assert.deepEqual(
    ['before', 'rehearsal', 'back-wanted'].filter((name) => existsSync(at(name))),
    [],
  );
  assert.equal((await stack.compose('exec', '-T', 'api', 'ls', '/data')).includes('incoming'), false);
}

const slow = (name: string) => ({
  [`/app/migrations/${name}.sql`]: `select pg_sleep(8); create table of_${name} (id int);`,
});

for (const step of LONG ? ['stopping', 'starting', 'trying'] : ['starting'])
  test(`the power goes away at the step "${step}" of an upgrade: status says so, and the watchdog brings back what was before`, async () => {
    const release = await stack.release('cut', slow('9201_cut'));
    const terminal = inTerminal('upgrade', release);
    await reaches(step);
    await cutPower();
    terminal.close();
    assert.match(
      (await stack.attempt('status')).said,
      /CUT OFF: upgrade under way since .*scripts\/upgrade --back/,
    );
    // as if a minute had passed
    utimesSync(at('state'), new Date(Date.now() - 120_000), new Date(Date.now() - 120_000));
    const { code, said } = await stack.attempt('watchdog');
    assert.equal(code, 0, said);
    await asBefore(IMAGE);
  });

test('somebody who changes their mind goes back in the middle of an upgrade', async () => {
  const release = await stack.release('cut', slow('9201_cut'));
  const upgrading = stack.attempt('upgrade', release);
  await reaches('starting');
  const { said } = await stack.attempt('upgrade', '--back');
  assert.match(said, /asked to go back/);
  assert.equal((await upgrading).code, 1);
  await asBefore(IMAGE);
});

test('a terminal that is closed does not touch the upgrade it began, and another one comes back to it', async () => {
  const release = await stack.release('arrives', slow('9202_arrives'));
  const terminal = inTerminal('upgrade', release);
  await reaches('stopping', 'copying', 'starting');
  terminal.close();
  const refused = await stack.attempt('upgrade', release);
  assert.match(refused.said, /busy: upgrade under way since .*scripts\/upgrade --follow/);
  const { code, said } = await stack.attempt('upgrade', '--follow');
  assert.equal(code, 0, said);
  assert.match(said, /making a backup[\s\S]*done: \S+ serves/);
  await asBefore(release);
});

test('a restore goes on without its line, and the key that opens the backup is on no disk, before, meanwhile or after', async () => {
  const image = (await stack.inspect('api')).Config.Image;
  const backup = (await stack.script('backup', '--to', shelf)).trim().split('\n').at(-1)!;
  await stack.send({ path: '/since-then' });
  const terminal = inTerminal('restore', backup, '--identity', join(shelf, 'identity'), '--yes');
  await reaches('stopping', 'restoring');
  keyIsNowhere();
  terminal.close();
  const { code, said } = await stack.attempt('upgrade', '--follow');
  assert.equal(code, 0, said);
  assert.equal(await stack.sql("select count(*) from events where path = '/since-then'"), '0');
  await asBefore(image);
  keyIsNowhere();
  // and once more, with the power going away
  inTerminal('restore', backup, '--identity', join(shelf, 'identity'), '--yes');
  await reaches('restoring', 'starting');
  await cutPower();
  assert.match((await stack.attempt('upgrade', '--back')).said, /cut off: restore under way/);
  await asBefore(image);
  keyIsNowhere();
});

test('a line that breaks while a backup is sent leaves neither files nor key', async () => {
  const image = (await stack.inspect('api')).Config.Image;
  const child = spawn(join(stack.root, 'scripts/restore'), ['--received', '--yes', 'half.dump.age'], {
    cwd: stack.root,
    env: stack.environment,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin!.write(`${Buffer.from(identity).toString('base64')}\n${'x'.repeat(300)}`);
  await eventually('the key has arrived', 60, async () =>
    readdirSync('/dev/shm').some(
      (name) =>
        name.startsWith(`${stack.project}-restore`) && readFileSync(join('/dev/shm', name), 'utf8') !== '',
    ),
  );
  process.kill(-child.pid!, 'SIGKILL');
  utimesSync(at('state'), new Date(Date.now() - 120_000), new Date(Date.now() - 120_000));
  const { code, said } = await stack.attempt('watchdog');
  assert.equal(code, 0, said);
  keyIsNowhere();
  await asBefore(image);
});
