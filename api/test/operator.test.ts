// The operator's verbs, run as they are, on a folder of their own: .env is really written, secrets really change, the
// database really takes another password. Docker and ssh are stood in for: what they would run, runs here.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are bash's
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { makeSet } from './backup-set.ts';
import { PEPPER } from './cluster.ts';
import { makeDatabase, type TestDatabase } from './database.ts';
import { startMailServer } from './mail-server.ts';

const top = mkdtempSync(join(tmpdir(), 'marketing-verbs-'));
const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url));

let database: TestDatabase;
const role = `owner_${randomBytes(6).toString('hex')}`;
before(async () => {
  database = await makeDatabase();
  await database.owner.query(`create role ${role} login password 'the-first-password-there-was'`);
  await database.owner.query(`grant pg_read_all_data to ${role}`);
  mkdirSync(join(top, 'bin'));
  // TEST_BASH=/path/to/bash-3.2 runs every script as a Mac would
  if (process.env.TEST_BASH) symlinkSync(process.env.TEST_BASH, join(top, 'bin/bash'));
  for (const [name, body] of Object.entries({
    docker: DOCKER,
    ssh: SSH,
    chown: ':',
    sync: ':',
    flock: FLOCK,
  }))
    writeFileSync(join(top, 'bin', name), `#!/bin/bash\n${body}\n`, { mode: 0o755 });
});
after(async () => {
  await database.owner.query(`drop role ${role}`);
  await database.drop();
  rmSync(top, { recursive: true, force: true });
});

// a Mac has none
const FLOCK = '[[ ! -x /usr/bin/flock ]] || exec /usr/bin/flock "$@"';

/** "compose … init -c SCRIPT" and "compose … api VERB" do what they would do, on folders of ours. */
const DOCKER = `
echo "docker $*" >>"$APP/calls"
words=("$@")
while (($#)) && [[ $1 != init && $1 != api && $1 != caddy && $1 != postgres ]]; do shift; done
service=$1; shift
case " ${'${words[*]}'} " in
  *" ps "*) [[ -e $APP/down ]] || echo id ;;
  *" inspect "*) if [[ -e $APP/sick ]]; then echo unhealthy; else echo healthy; fi ;;
  *" up "*)
    if [[ -n $REFUSES ]] && grep -qs "^$REFUSES" .env; then echo "Bind for 0.0.0.0:8081 failed: port is already allocated" >&2; exit 1; fi ;;
  *" logs "* | *" restart "* | *" stop "* | *" start "*) ;;
  *" --entrypoint cat "*) cat "$APP/secrets/${'${1##*/}'}" ;;
  *" sh "* | *" --entrypoint sh "*)
    while [[ $1 != -c ]]; do shift; done
    exec sh -c "${'${2//\\/data\\//$APP/data/}'}" ;;
  *" init "*)
    shift
    script=${'${1//\\/init\\/secrets/$APP/secrets}'}
    shift
    exec bash -c "$script" "$@" ;;
  *" api "*)
    [[ $1 != marketing ]] || shift
    [[ $1 != "backup" ]] || { echo "$BACKUP"; exit "$BACKUP_CODE"; }
    while IFS= read -r line; do [[ $line != *=* ]] || export "$line"; done <.env
    for file in "$APP"/secrets/*; do export "${'${file##*/}'}_FILE=$file"; done
    unset POSTGRES_PASSWORD_FILE DATABASE_URL_FILE
    export DATABASE_URL="${'${DATABASE//PASSWORD/$(cat "$APP/secrets/POSTGRES_PASSWORD")}'}"
    exec "$NODE" "$CLI" "$@" ;;
esac`;

/**
 * "ssh … user@server COMMAND" runs it here, in the folder of that server. A command with the words CUT loses its line: after
 * CUT_IN bytes of what goes there, or CUT_OUT of what comes back.
 */
const SSH = `
while [[ $1 != *@* ]]; do shift; done
server=${'${1#*@}'}; shift
export APP=$TOP/$server
echo "ssh $server $*" >>"$TOP/ssh-calls"
id() { echo 0; }
export -f id
if [[ -n $CUT && "$*" == *"$CUT"* ]]; then
  head -c "${'${CUT_IN:-1000000}'}" | bash -c "${'${*//\\/opt\\/marketing/$APP}'}" | head -c "${'${CUT_OUT:-1000000}'}"
  exit 255
fi
exec bash -c "${'${*//\\/opt\\/marketing/$APP}'}"`;

/** An appliance's folder, as install-appliance lays it out, and its volume of secrets. */
function appliance(name: string): string {
  const app = join(top, name);
  rmSync(app, { recursive: true, force: true });
  mkdirSync(join(app, 'secrets'), { recursive: true });
  mkdirSync(join(app, 'data/backups'), { recursive: true });
  mkdirSync(join(app, 'data/journal'), { recursive: true });
  cpSync(SCRIPTS, join(app, 'scripts'), { recursive: true });
  writeFileSync(join(app, '.env'), '# mine\nIMAGE=marketing-api:dev\nEVENT_RETENTION_DAYS=30\n');
  chmodSync(join(app, '.env'), 0o640);
  for (const [secret, value] of Object.entries({
    POSTGRES_PASSWORD: 'the-first-password-there-was',
    DATABASE_URL: 'postgres://marketing_owner:the-first-password-there-was@postgres:5432/marketing',
    IP_HASH_PEPPER: PEPPER,
    ADMIN_API_KEY: 'the-first-admin-key-there-was',
  }))
    writeFileSync(join(app, 'secrets', secret), value);
  return app;
}

let app = '';
beforeEach(() => {
  app = appliance('here');
  rmSync(join(top, 'ssh-calls'), { force: true });
});

async function run(
  script: string,
  words: string[],
  { input = '', env = {} }: { input?: string; env?: Record<string, string> } = {},
) {
  const url = new URL(database.ownerUrl);
  const child = spawn(join(app, 'scripts', script), words, {
    env: {
      ...{ PATH: `${join(top, 'bin')}:${process.env.PATH}`, APP: app, TOP: top, NODE: process.execPath, CLI },
      ...{ DATABASE: `postgres://${role}:PASSWORD@${url.host}${url.pathname}`, DATA_DIR: join(app, 'data') },
      ...{ MARKETING_STATE: join(app, 'state'), HOME: top, BACKUP_CODE: '0', ...env },
    },
  });
  child.stdin.end(input);
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { status, stdout, stderr };
}
const env = (at = app) => readFileSync(join(at, '.env'), 'utf8');
const secret = (name: string, at = app) => readFileSync(join(at, 'secrets', name), 'utf8');
const calls = () => readFileSync(join(app, 'calls'), 'utf8');

test('scripts/set puts one line into .env, keeps the others and the mode, and restarts what reads it', async () => {
  const done = await run('set', ['EVENT_RETENTION_DAYS', '60']);
  assert.equal(done.status, 0, done.stderr);
  assert.equal(env(), '# mine\nIMAGE=marketing-api:dev\nEVENT_RETENTION_DAYS=60\n');
  assert.equal(statSync(join(app, '.env')).mode & 0o777, 0o640);
  assert.match(done.stderr, /restarting: api/);
  assert.match(calls(), /compose .*up -d --no-build --wait/);
  assert.equal(
    (await run('set', ['ALERT_EMAIL', 'ops@example.com'])).status,
    0,
    'an address is a value, not a server',
  );
  assert.equal((await run('set', ['MAIL_SENDER', "The Baker's, 1 Main St #2"])).status, 0);
  assert.match(env(), /\nALERT_EMAIL=ops@example\.com\nMAIL_SENDER='The Baker\\'s, 1 Main St #2'\n$/);
  assert.equal((await run('set', ['EVENT_RETENTION_DAYS', '--remove'])).status, 0);
  assert.doesNotMatch(env(), /EVENT_RETENTION_DAYS/);
  const listed = await run('set', ['--list']);
  assert.match(listed.stdout, /^IMAGE=marketing-api:dev\nALERT_EMAIL=/);
});

test('a value that passes the check and with which nothing starts is taken back, and says why', async () => {
  const before = env();
  const refused = await run('set', ['HTTP_PORT', '8081'], { env: { REFUSES: 'HTTP_PORT=8081' } });
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /port is already allocated/);
  assert.match(refused.stderr, /HTTP_PORT is as it was before/);
  assert.equal(env(), before);
  assert.equal(statSync(join(app, '.env')).mode & 0o777, 0o640);
  assert.equal(existsSync(join(app, '.change/state')), false, 'nothing is under way');
  assert.equal((await run('set', ['EVENT_RETENTION_DAYS', '60'])).status, 0);
  // cut off where the value stood there already: the next change takes it back first
  mkdirSync(join(app, '.change/before'), { recursive: true });
  const kept = env();
  writeFileSync(join(app, '.change/before/env'), kept);
  writeFileSync(join(app, '.env'), `${kept}HTTP_PORT=8081\n`);
  writeFileSync(
    join(app, '.change/state'),
    'verb=set\nsince=2026-01-31T12:00:00Z\nfrom=what was before\nto=HTTP_PORT\nstep=applying\n',
  );
  const next = await run('set', ['EVENT_RETENTION_DAYS', '90'], { env: { REFUSES: 'HTTP_PORT=8081' } });
  assert.equal(next.status, 0, next.stderr);
  assert.doesNotMatch(env(), /HTTP_PORT/);
  assert.match(env(), /EVENT_RETENTION_DAYS=90/);
});

test('what the start would refuse, a secret, or a name that is none never gets into .env', async () => {
  const before = env();
  for (const [name, value, what] of [
    ['EVENT_RETENTION_DAYS', 'ninety', /must be a whole number/],
    ['EVENT_RETENTION_DAY', '60', /is no setting; EVENT_RETENTION_DAYS was meant/],
    ['SMTP_URL', 'smtp://u:p@host', /scripts\/secret SMTP_URL/],
    ['IMAGE', 'other', /scripts\/upgrade/],
    ['BACKUP_S3_URL', 'https://s3.example.com/b', /configured by halves/],
  ] as const) {
    const { status, stderr } = await run('set', [name, value]);
    assert.equal(status, 1, name);
    assert.match(stderr, what);
    assert.match(stderr, /nothing was changed/);
  }
  assert.equal(env(), before);
  assert.deepEqual(
    readdirSync(app).filter((name) => name.startsWith('.env')),
    ['.env'],
  );
});

test('scripts/rotate admin-key makes another key, which the API is restarted with', async () => {
  const done = await run('rotate', ['admin-key']);
  assert.equal(done.status, 0, done.stderr);
  assert.match(secret('ADMIN_API_KEY'), /^[\w-]{48}$/);
  assert.match(calls(), /restart api/);
  writeFileSync(join(app, '.env'), 'ADMIN_API_KEY=the-key-that-stands-in-env-comes-first\n');
  assert.match((await run('rotate', ['admin-key'])).stderr, /stands in \.env/);
});

const opens = async (password: string) => {
  const url = new URL(database.ownerUrl);
  url.username = role;
  url.password = password;
  const client = new pg.Client(url.href);
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  );
};

test('scripts/rotate database-password changes it in the database and for the API; cut off anywhere, it is ended by saying it again', async () => {
  await database.owner.query(`alter role ${role} password 'the-first-password-there-was'`);
  assert.equal((await run('rotate', ['database-password'])).status, 0);
  const second = secret('POSTGRES_PASSWORD');
  assert.match(second, /^[\w-]{48}$/);
  assert.deepEqual([await opens('the-first-password-there-was'), await opens(second)], [false, true]);
  assert.equal(secret('DATABASE_URL'), `postgres://marketing_owner:${second}@postgres:5432/marketing`);
  assert.equal(existsSync(join(app, 'secrets/POSTGRES_PASSWORD.next')), false);

  // cut off after the database took the new one: the old one still stands in the files
  const third = randomBytes(36).toString('base64url');
  writeFileSync(join(app, 'secrets/POSTGRES_PASSWORD.next'), third);
  await database.owner.query(`alter role ${role} password '${third}'`);
  assert.equal((await run('rotate', ['database-password'])).status, 0);
  assert.equal(secret('POSTGRES_PASSWORD'), third);
  assert.equal(await opens(third), true);
  await database.owner.query(`alter role ${role} password 'the-first-password-there-was'`);
});

test('scripts/rotate pepper-check says whether the pepper that was kept, and those of the backups, are the one in use', async () => {
  await makeSet(join(app, 'data/backups'), new Date('2026-03-01T02:15:00Z'));
  const fits = await run('rotate', ['pepper-check'], { input: `${PEPPER}\n` });
  assert.equal(fits.status, 0, fits.stdout + fits.stderr);
  assert.match(
    fits.stdout,
    /the one you gave: the pepper in use\nmarketing-20260301T021500Z\.dump: the pepper in use/,
  );
  assert.doesNotMatch(fits.stdout, new RegExp(PEPPER));
  writeFileSync(join(app, 'secrets/IP_HASH_PEPPER'), 'another pepper that came later');
  const other = await run('rotate', ['pepper-check'], { input: PEPPER });
  assert.equal(other.status, 1);
  assert.match(other.stdout, /the one you gave: ANOTHER pepper\n.*\.dump: ANOTHER pepper/);
});

test('scripts/mail and scripts/alarm try the way out, and say what came of it', async () => {
  const { url, mails } = await startMailServer();
  writeFileSync(join(app, 'secrets/SMTP_URL'), url);
  writeFileSync(join(app, '.env'), 'MAIL_FROM=box@example.com\nALERT_EMAIL=ops@example.com\n');
  const mail = await run('mail', ['--test', 'ada@example.com']);
  assert.equal(mail.status, 0, mail.stderr);
  assert.match(mail.stdout, /^250/);
  const alarm = await run('alarm', ['--test']);
  assert.deepEqual([alarm.status, alarm.stdout], [0, 'mail: sent\n'], alarm.stderr);
  assert.equal(mails.length, 2);
  writeFileSync(join(app, '.env'), '');
  const none = await run('alarm', ['--test']);
  assert.equal(none.status, 1);
  assert.match(none.stdout, /no way out is set up/);
});

test('scripts/logs asks for the lines of what is named, here or on a server', async () => {
  assert.equal((await run('logs', ['api', '--since', '10m', '--tail', '5'])).status, 0);
  assert.match(calls(), /compose logs --no-color --tail 5 --since 10m api/);
  appliance('far');
  assert.equal((await run('logs', ['root@far', 'caddy'])).status, 0);
  assert.match(readFileSync(join(top, 'far/calls'), 'utf8'), /compose logs --no-color --tail 100 caddy/);
  assert.equal((await run('logs', ['nginx'])).status, 2);
});

test('scripts/status on a server works without options too, and with the API down says the rest', async () => {
  const far = appliance('far');
  writeFileSync(join(far, 'sick'), '');
  const { status, stdout } = await run('status', ['root@far'], { env: { PORT: '65000' } });
  assert.equal(status, 1);
  assert.match(stdout, /^release .*the API DOES NOT ANSWER/m);
  assert.match(stdout, /^database +PostgreSQL 18/m);
  assert.match(stdout, /^hint /m);
});

test('scripts/secret --list names what is kept and shows none', async () => {
  const { stdout } = await run('secret', ['--list']);
  assert.equal(stdout, 'ADMIN_API_KEY\nDATABASE_URL\nIP_HASH_PEPPER\nPOSTGRES_PASSWORD\n');
});

test('a secret that a broken line cut is not kept, and none is removed but by --remove', async () => {
  const far = appliance('far');
  writeFileSync(join(far, 'secrets/SMTP_URL'), 'smtp://u:first@mail');
  const value = 'smtp://u:a-second-one-that-is-longer@mail';
  const sealed = Buffer.from(`${value}\n`).toString('base64').length;
  // nothing at all, a part, all of it but the word that says so, and a part of that word
  for (const bytes of [0, 8, sealed, sealed + 1, sealed + 4]) {
    const cut = await run('secret', ['SMTP_URL', 'root@far'], {
      input: `${value}\n`,
      env: { CUT: 'secret SMTP_URL', CUT_IN: `${bytes}` },
    });
    assert.notEqual(cut.status, 0, `${bytes}`);
    assert.match(cut.stderr, /did not arrive whole; nothing was changed/);
    assert.equal(secret('SMTP_URL', far), 'smtp://u:first@mail', `${bytes}`);
  }
  for (const words of [['SMTP_URL', 'root@far'], ['ADMIN_API_KEY']]) {
    const empty = await run('secret', words);
    assert.equal(empty.status, 1, empty.stderr);
    assert.match(empty.stderr, /an empty value; nothing was changed \(--remove/);
  }
  assert.equal(secret('ADMIN_API_KEY'), 'the-first-admin-key-there-was');

  const shown = await run('secret', ['SMTP_URL', 'root@far', '--show'], {
    env: { CUT: 'secret SMTP_URL', CUT_OUT: '12' },
  });
  assert.notEqual(shown.status, 0);
  assert.deepEqual([shown.stdout, /did not arrive whole/.test(shown.stderr)], ['', true]);
  assert.equal((await run('secret', ['SMTP_URL', 'root@far'], { input: `${value}\n` })).status, 0);
  assert.equal((await run('secret', ['SMTP_URL', 'root@far', '--show'])).stdout, value);
  const key = '-----BEGIN KEY-----\nabc=\n-----END KEY-----';
  assert.equal((await run('secret', ['BACKUP_SSH_KEY'], { input: `${key}\n` })).status, 0);
  assert.equal(secret('BACKUP_SSH_KEY'), key);
  assert.equal((await run('secret', ['SMTP_URL', 'root@far', '--remove'])).status, 0);
  assert.equal(existsSync(join(far, 'secrets/SMTP_URL')), false);
});

test('statements from a file go to a server’s database whole, or none of them does', async () => {
  const far = appliance('far');
  writeFileSync(join(top, 'bin/psql'), '#!/bin/bash\ncat >"$APP/asked"\n', { mode: 0o755 });
  const text = "delete from leads where email like '%@spam.example';\nselect 'é';\n";
  const sealed = Buffer.from(text).toString('base64').length;
  for (const bytes of [0, 8, sealed, sealed + 1, sealed + 4]) {
    const cut = await run('sql', ['root@far'], {
      input: text,
      env: { CUT: 'scripts/sql', CUT_IN: `${bytes}` },
    });
    assert.notEqual(cut.status, 0, `${bytes}`);
    assert.match(cut.stderr, /did not arrive whole; none of them was run/);
    assert.equal(existsSync(join(far, 'asked')), false, `${bytes}`);
  }
  assert.equal((await run('sql', ['root@far', '-At'], { input: text })).status, 0);
  assert.equal(readFileSync(join(far, 'asked'), 'utf8'), text);
  // what asks by an option waits for no input
  assert.equal((await run('sql', ['root@far', '-Atc', 'select 1'])).status, 0);
  assert.equal(readFileSync(join(far, 'asked'), 'utf8'), '');
});

test('scripts/backup brings a backup here whatever became of its copy elsewhere, and asks no bucket for it', async () => {
  const far = appliance('far');
  const path = await makeSet(join(far, 'data/backups'), new Date('2026-03-01T02:15:00Z'));
  const BACKUP = path.slice(path.lastIndexOf('/') + 1);
  const shelf = join(top, 'shelf');
  const done = await run('backup', ['root@far', '--to', shelf], { env: { BACKUP, BACKUP_CODE: '4' } });
  assert.equal(done.status, 0, done.stderr);
  assert.equal(done.stdout, `${join(shelf, BACKUP)}\n`);
  assert.ok(readFileSync(join(shelf, BACKUP)).equals(readFileSync(path)));
  assert.match(readFileSync(join(far, 'calls'), 'utf8'), /api marketing backup --name --no-copy/);

  // a pull that was cut off leaves nothing, and the next one takes away what one that was killed left; not what is being pulled
  const { pid: dead } = spawnSync('true');
  for (const number of [dead, process.pid])
    writeFileSync(join(shelf, `marketing-20260228T021500Z.dump.${number}.partial`), 'in the clear');
  const broken = await run('backup', ['root@far', '--to', shelf], {
    env: { BACKUP, BACKUP_CODE: '0', CUT: `--send ${BACKUP}`, CUT_OUT: '100' },
  });
  assert.notEqual(broken.status, 0);
  assert.deepEqual(
    readdirSync(shelf).filter((name) => name.endsWith('.partial')),
    [`marketing-20260228T021500Z.dump.${process.pid}.partial`],
  );

  const there = await run('backup', ['root@far', '--to', '-'], { env: { BACKUP, BACKUP_CODE: '4' } });
  assert.equal(there.status, 4, 'a copy failed');
  assert.match(there.stderr, /marketing-20260301T021500Z\.dump is there/);
  const none = await run('backup', ['root@far', '--to', shelf], { env: { BACKUP: '', BACKUP_CODE: '3' } });
  assert.match(none.stderr, /no backup was made/);
});

test('scripts/backup --list and --check-offsite answer with the API down too', async () => {
  await makeSet(join(app, 'data/backups'), new Date('2026-03-01T02:15:00Z'), { proven: true });
  writeFileSync(join(app, 'sick'), '');
  const listed = await run('backup', ['--list']);
  assert.equal(listed.status, 0, listed.stderr);
  assert.match(
    listed.stdout,
    /^marketing-20260301T021500Z\.dump +2026-03-01 02:15 UTC +0\.0 MB +proven +here$/m,
  );
  const nowhere = await run('backup', ['--check-offsite']);
  assert.notEqual(nowhere.status, 0);
  assert.match(nowhere.stderr, /No place for copies is set up/);
});

test('scripts/restore --from-offsite sends no file: the server fetches it', async () => {
  const far = appliance('far');
  writeFileSync(join(far, 'scripts/restore'), '#!/bin/bash\necho "$*" >"$APP/restored"; cat >/dev/null\n');
  const done = await run('restore', [
    'root@far',
    '--from-offsite',
    'latest',
    '--from-another-installation',
    '--yes',
  ]);
  assert.equal(done.status, 0, done.stderr);
  assert.match(
    readFileSync(join(far, 'restored'), 'utf8'),
    /^--received --yes --from-another-installation offsite:latest$/m,
  );
});

/** Two servers; the new one's restore only notes what it is given: a tar stream, with or without a line before it. */
function twoServers(): { old: string; new: string } {
  const [old, fresh] = [appliance('old'), appliance('new')];
  writeFileSync(join(old, 'secrets/SMTP_URL'), 'smtp://u:p@mail');
  writeFileSync(
    join(old, '.env'),
    "IMAGE=x\nSITE_ADDRESS=old.example\nMAIL_SENDER='The Baker\\'s #2'\nHTTP_PORT=81\n",
  );
  writeFileSync(join(fresh, '.env'), 'IMAGE=marketing-api:2\nSITE_ADDRESS=new.example\n');
  writeFileSync(join(fresh, 'secrets/IP_HASH_PEPPER'), 'the pepper that the new one made itself');
  writeFileSync(
    join(fresh, 'scripts/restore'),
    '#!/bin/bash\necho "$*" >"$APP/restored"; mkdir "$APP/incoming"; cat >"$APP/stream"; tar -C "$APP/incoming" -xf "$APP/stream" 2>/dev/null || tail -n +2 "$APP/stream" | tar -C "$APP/incoming" -xf -\n[[ ! -e $APP/refuses ]]\n',
  );
  return { old, new: fresh };
}
const moved = (words: string[] = ['--yes'], env: Record<string, string> = {}) =>
  run('move', ['root@old', 'root@new', ...words], { env });

test('scripts/move brings the data, the secrets and the settings, and leaves the old machine stopped', async () => {
  const at = twoServers();
  const path = await makeSet(join(at.old, 'data/backups'), new Date('2026-03-01T02:15:00Z'));
  writeFileSync(join(at.old, 'data/journal/forgotten.ndjson'), '{"at":"1"}\n');
  const name = path.slice(path.lastIndexOf('/') + 1);
  const done = await moved(['--yes'], { BACKUP: name });
  assert.equal(done.status, 0, done.stderr);
  assert.deepEqual(
    readdirSync(join(at.new, 'incoming')).sort(),
    ['forgotten.ndjson', name, `${name}.json`].sort(),
  );
  assert.ok(readFileSync(join(at.new, 'incoming', name)).equals(readFileSync(path)));
  assert.match(
    readFileSync(join(at.new, 'restored'), 'utf8'),
    /--received --yes --from-another-installation marketing-/,
  );
  for (const each of ['IP_HASH_PEPPER', 'ADMIN_API_KEY', 'SMTP_URL'])
    assert.equal(secret(each, at.new), secret(each, at.old));
  assert.match(
    secret('DATABASE_URL', at.new),
    /the-first-password/,
    'its own database keeps its own password',
  );
  assert.equal(
    env(at.new),
    "IMAGE=marketing-api:2\nSITE_ADDRESS=new.example\nMAIL_SENDER='The Baker\\'s #2'\n",
  );
  const asked = readFileSync(join(at.old, 'calls'), 'utf8');
  assert.ok(asked.indexOf('stop api') < asked.indexOf('api backup'), 'nothing comes in behind the backup');
  assert.doesNotMatch(asked.slice(asked.indexOf('stop api')), / up -d |start api/);
  assert.match(readFileSync(join(at.old, '.moved'), 'utf8'), /^\d{4}-\d\d-\d\dT/, 'nor at its next boot');
});

test('a move that does not succeed leaves the old machine serving', async () => {
  const at = twoServers();
  const path = await makeSet(join(at.old, 'data/backups'), new Date('2026-03-01T02:15:00Z'));
  const BACKUP = path.slice(path.lastIndexOf('/') + 1);
  writeFileSync(join(at.new, 'refuses'), '');
  const failed = await moved(['--yes'], { BACKUP });
  assert.notEqual(failed.status, 0);
  assert.match(readFileSync(join(at.old, 'calls'), 'utf8'), /stop api[\s\S]* up -d /);
  assert.match(failed.stderr, /root@old starts its API again/);
  assert.equal(existsSync(join(at.old, '.moved')), false);

  const encrypted = twoServers();
  writeFileSync(join(encrypted.old, '.env'), 'BACKUP_PUBLIC_KEY=age1x\n');
  const keyless = await moved(['--yes'], { BACKUP });
  assert.match(keyless.stderr, /say --identity/);
  assert.doesNotMatch(readFileSync(join(encrypted.old, 'calls'), 'utf8'), /stop api/);
  assert.match((await run('move', ['root@old'])).stderr, /name both servers/);
});

test('a move whose line breaks while secrets or settings are brought changes none of those by halves', async () => {
  for (const [cut, what] of [
    [{ CUT: 'secret IP_HASH_PEPPER --show', CUT_OUT: '9' }, /IP_HASH_PEPPER could not be brought/],
    [{ CUT: 'secret IP_HASH_PEPPER --show', CUT_OUT: '0' }, /IP_HASH_PEPPER could not be brought/],
    [{ CUT: 'secret IP_HASH_PEPPER --sealed', CUT_IN: '9' }, /IP_HASH_PEPPER could not be brought/],
    [{ CUT: 'secret --list', CUT_OUT: '14' }, /secrets of root@old could not be listed/],
    [{ CUT: 'set --list', CUT_OUT: '14' }, /settings of root@old could not be read/],
    [{ CUT: 'set --take', CUT_IN: '40' }, /settings did not arrive whole; nothing was changed/],
    [{ CUT: 'set --take', CUT_IN: '0' }, /settings did not arrive whole; nothing was changed/],
  ] as const) {
    const at = twoServers();
    const before = [env(at.new), secret('IP_HASH_PEPPER', at.new)];
    const done = await moved(['--yes'], cut);
    assert.notEqual(done.status, 0, cut.CUT);
    assert.match(done.stderr, what);
    assert.equal(env(at.new), before[0], cut.CUT);
    if (cut.CUT !== 'set --take') assert.equal(secret('IP_HASH_PEPPER', at.new), before[1], cut.CUT);
    assert.doesNotMatch(readFileSync(join(at.old, 'calls'), 'utf8'), /stop api/);
  }
});

test('settings that the new machine would not start with are refused together, and none while a change is under way', async () => {
  const sealedLines = (text: string) => `${Buffer.from(text).toString('base64')}\nwhole\n`;
  const before = env();
  const wrong = await run('set', ['--take'], {
    input: sealedLines('MAIL_SENDER=me\nBACKUP_S3_URL=https://s3.example.com/b\n'),
  });
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /configured by halves[\s\S]*nothing was changed/);
  assert.equal(env(), before);
  mkdirSync(join(app, '.change'), { recursive: true });
  writeFileSync(join(app, '.change/state'), 'verb=upgrade\nstep=starting\n');
  const meanwhile = await run('set', ['--take'], { input: sealedLines('MAIL_SENDER=me\n') });
  assert.equal(meanwhile.status, 1);
  assert.match(meanwhile.stderr, /cut off: upgrade under way/);
  assert.equal(env(), before);
  rmSync(join(app, '.change/state'));
  const taken = await run('set', ['--take'], {
    input: sealedLines('IMAGE=other\nMAIL_SENDER=me\nEVENT_RETENTION_DAYS=60\n'),
  });
  assert.equal(taken.status, 0, taken.stderr);
  assert.equal(env(), '# mine\nIMAGE=marketing-api:dev\nEVENT_RETENTION_DAYS=60\nMAIL_SENDER=me\n');
  assert.equal(statSync(join(app, '.env')).mode & 0o777, 0o640);
  assert.equal(existsSync(join(app, '.change/trial')), false);
});
