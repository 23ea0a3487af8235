// scripts/sql and scripts/dev, as whoever changes the code calls them. psql and docker are stood in for: what matters is
// how they would be called.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'marketing-scripts-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const TELL = '#!/bin/sh\nprintf "%s\\n" "password:$PGPASSWORD" "$@"\n';
const NO_DOCKER = '#!/bin/sh\nexit 1\n';
const DOCKER =
  '#!/bin/sh\ncase "$*" in *" ps "*) echo id ;; inspect*) echo healthy ;; *) printf "%s\\n" "$@" ;; esac\n';
const data = join(folder, 'data');

function run(script: string, args: string[], settings: Record<string, string> = {}, docker = NO_DOCKER) {
  for (const [name, text] of Object.entries({ psql: TELL, docker }))
    writeFileSync(join(folder, name), text, { mode: 0o755 });
  const { status, stdout, stderr } = spawnSync(join(scripts, script), args, {
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH}`, DATA_DIR: data, ...settings },
  });
  return { status, stderr, said: stdout.trimEnd().split('\n') };
}

test('scripts/sql without a database says how to start one', () => {
  const { status, stderr } = run('sql', ['-c', 'select 1']);
  assert.equal(status, 1);
  assert.match(stderr, /no database runs here; start one with scripts\/start/);
});

test('scripts/sql opens the database of DATABASE_URL, its password kept off the command line', () => {
  const cases: [string, string, string][] = [
    [
      'postgres://ada:a%5Cb%25c%20d@db:5433/shop?sslmode=require',
      'a\\b%c d',
      'postgres://ada@db:5433/shop?sslmode=require',
    ],
    ['postgresql://ada@db/shop', '', 'postgresql://ada@db/shop'],
  ];
  for (const [DATABASE_URL, password, url] of cases)
    assert.deepEqual(run('sql', ['-At', '-c', 'select 1'], { DATABASE_URL }).said, [
      `password:${password}`,
      `--dbname=${url}`,
      '-At',
      '-c',
      'select 1',
    ]);
});

test('scripts/sql opens the appliance’s database through its container, and keeps no history there', () => {
  const { said } = run('sql', ['-c', 'select 1'], {}, DOCKER);
  assert.deepEqual(said.slice(0, 8), [
    'compose',
    '--progress',
    'quiet',
    'exec',
    '-e',
    'PSQL_HISTORY=/dev/null',
    '-T',
    'postgres',
  ]);
  assert.ok(said.join('\n').includes('POSTGRES_PASSWORD'));
  assert.deepEqual(said.slice(-3), ['sql', '-c', 'select 1']);
});

test('scripts/sql opens the embedded server of scripts/start while that runs', () => {
  mkdirSync(join(data, 'db/pgdata'), { recursive: true });
  mkdirSync(join(data, 'secrets'), { recursive: true });
  writeFileSync(join(data, 'secrets/database_owner'), 'kept secret');
  const running = (pid: number) =>
    writeFileSync(
      join(data, 'db/pgdata/postmaster.pid'),
      `${pid}\n${data}\n1764115200\n54321\n\n127.0.0.1\n`,
    );
  running(process.pid);
  assert.deepEqual(run('sql', ['-l']).said, [
    'password:kept secret',
    '--host=127.0.0.1',
    '--port=54321',
    '--username=postgres',
    '--dbname=postgres',
    '-l',
  ]);
  // a server that was killed leaves its file behind; no process has so high a number
  running(2 ** 22 + 1);
  assert.match(run('sql', ['-l']).stderr, /no database runs here/);
});

test('scripts/account and scripts/setup-link hand their words to the API’s container, and refuse what they do not know', () => {
  const asked = (script: string, ...args: string[]) => run(script, args, {}, DOCKER).said.slice(5);
  assert.deepEqual(asked('setup-link'), ['api', 'marketing', 'account', 'setup']);
  assert.deepEqual(asked('account', 'list'), ['api', 'marketing', 'account', 'list']);
  assert.deepEqual(asked('account', '--second-factor', 'reset', 'ada@example.com'), [
    'api',
    'marketing',
    'account',
    'reset',
    'ada@example.com',
    '--second-factor',
  ]);
  for (const wrong of [
    [],
    ['reset'],
    ['reset', 'ada'],
    ['list', 'ada'],
    ['list', '--second-factor'],
    ['disable', 'ada@example.com', 'b'],
  ])
    assert.equal(run('account', wrong, {}, DOCKER).status, 2, wrong.join(' '));
});

test('start, dev and sql tell what they are for instead of doing it', () => {
  for (const [script, line] of [
    ['start', 'Starts the product in the foreground'],
    ['dev', 'Like scripts/start, for whoever changes the code'],
    ['sql', 'sql [user@server] [option of psql…]'],
  ] as const) {
    const { status, said } = run(script, ['--help']);
    assert.equal(status, 0);
    assert.ok(
      said.some((each) => each.startsWith(line)),
      script,
    );
  }
  for (const script of ['start', 'dev']) assert.equal(run(script, ['--prot=3000']).status, 2);
});

test('a setting that an upgrade writes leaves .env readable for whom it was, and the others as they were', () => {
  const root = join(folder, 'appliance');
  mkdirSync(join(root, 'scripts'), { recursive: true });
  copyFileSync(join(scripts, 'lib.sh'), join(root, 'scripts', 'lib.sh'));
  const file = join(root, '.env');
  const write = () =>
    spawnSync('bash', ['-c', `. "$1/scripts/lib.sh"; setting IMAGE new`, 'upgrade', root], {
      encoding: 'utf8',
    });
  for (const mode of [0o600, 0o640, 0o644]) {
    writeFileSync(file, 'IMAGE=old\nDOMAIN=a.example\n');
    chmodSync(file, mode);
    const { status, stderr } = write();
    assert.equal(status, 0, stderr);
    assert.equal(statSync(file).mode & 0o777, mode);
    assert.equal(readFileSync(file, 'utf8'), 'IMAGE=new\nDOMAIN=a.example\n');
  }
  rmSync(file);
  assert.equal(write().status, 0);
  assert.equal(readFileSync(file, 'utf8'), 'IMAGE=new\n');
});
