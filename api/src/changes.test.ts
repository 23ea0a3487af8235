// Changes of the appliance, as scripts make them: a first release that does not start can be replaced until one has served; one that
// was cut off is taken back, or told; a machine that was moved starts nothing. Docker is stood in for by files that say which
// containers there are and how they fare.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are bash's
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'marketing-first-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** "bad" is an image whose API never becomes healthy. $APP/engine: containers, postgres and api (their health), cluster, sites. */
const DOCKER = `
cd "$APP"
echo "docker $*" >>engine/calls
say() { if [[ -e engine/$1 ]]; then cat "engine/$1"; else echo "$2"; fi; }
# whole at once: an engine that is asked meanwhile says what was or what is, and never nothing
now() { echo "$2" >"engine/$1.new" && mv "engine/$1.new" "engine/$1"; }
case "$*" in
  "ps --all --quiet "*) [[ ! -e engine/containers ]] || echo p a c ;;
  "ps "*) ;;
  *" ps --all --quiet") [[ ! -e engine/containers ]] || echo p a c ;;
  *" api marketing alarm --cut-off" | *" api alarm --cut-off") cat >>engine/alarms; [[ ! -e engine/mute ]] ;;
  *" --entrypoint bash api "*) cat >/dev/null ;;
  *" api inspect "*) exit 1 ;;
  *" ps --all --quiet "*) [[ ! -e engine/containers ]] || echo "${'${*: -1}'}" ;;
  "inspect "*Config.Labels*)
    echo "postgres running $(say postgres starting) 0 p"; echo "api running $(say api starting) $(say restarts 0) a"; echo "caddy running healthy 0 c" ;;
  "inspect --format {{.Image}}"*) echo sha256:old ;;
  "inspect "*" api") say api ;;
  "inspect "*" postgres") say postgres ;;
  *" up -d --no-build postgres")
    touch engine/containers engine/cluster
    now postgres healthy
    [[ -e engine/api ]] || { now api starting; now restarts 0; } ;;
  *" up -d "*)
    if [[ -e engine/going-down ]]; then rm engine/going-down; kill -TERM "$(cat .change/pid)"; sleep 1; exit 1; fi
    touch engine/containers engine/cluster
    now postgres healthy
    if grep -q '^IMAGE=bad' .env; then now api unhealthy; now restarts 5; else now api healthy; now restarts 0; fi ;;
  *" exec -T postgres cat /tmp/configuration") (cd postgres && LC_ALL=C sha256sum -- *) ;;
  *" exec -T postgres sh -c "*to_regclass*) [[ ! -e engine/sites ]] || echo sites ;;
  *" exec -T postgres sh -c "*"from sites"*) say sites ;;
  *" --entrypoint test postgres "*) [[ -e engine/cluster ]] ;;
  "logs "*) echo "the last words of a container" ;;
  "run "*install-appliance*) echo "${'${*: -1}'}" >>engine/laid-out ;;
esac`;

const app = join(folder, 'app');
const at = (name: string) => join(app, 'engine', name);
const engine = (facts: Record<string, string>) => {
  for (const [name, fact] of Object.entries(facts)) writeFileSync(at(name), `${fact}\n`);
};
beforeEach(() => {
  rmSync(app, { recursive: true, force: true });
  for (const each of ['engine', 'bin', 'caddy']) mkdirSync(join(app, each), { recursive: true });
  for (const each of ['scripts', 'postgres'])
    cpSync(join(repository, each), join(app, each), { recursive: true });
  writeFileSync(join(app, 'compose.yaml'), 'services: {}\n');
  writeFileSync(join(app, 'bin/docker'), `#!/bin/bash\n${DOCKER}\n`, { mode: 0o755 });
  // engine/faster: somebody takes back what is under way in the moment when nobody holds the lock
  writeFileSync(
    join(app, 'bin/setsid'),
    `#!/bin/bash
if [[ -e $APP/engine/faster ]]; then
  rm "$APP/engine/faster"
  until flock -n "$APP/.change/lock" true; do sleep 0.1; done
  "$APP/scripts/upgrade" --back >"$APP/engine/faster.log" 2>&1
  /usr/bin/setsid --wait "$@"
  echo $? >"$APP/engine/late"
  exit
fi
exec /usr/bin/setsid "$@"\n`,
    { mode: 0o755 },
  );
  const detached = '#!/bin/bash\nwhile [[ $1 == --* ]]; do shift; done\nexec setsid "$@"\n';
  writeFileSync(join(app, 'bin/systemd-run'), detached, { mode: 0o755 });
});

function run(script: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(join(app, 'scripts', script), words, {
    encoding: 'utf8',
    env: {
      ...{ PATH: `${join(app, 'bin')}:${process.env.PATH}`, APP: app, UPGRADE_TIMEOUT: '120' },
      MARKETING_STATE: join(app, 'state'),
    },
  });
  return { status, said: stdout + stderr };
}
const image = () => /^IMAGE=(.*)$/m.exec(readFileSync(join(app, '.env'), 'utf8'))?.[1];

test('a first release that does not start is replaced by one that does; from then on only a healthy one may be', () => {
  const bad = run('upgrade', 'bad:1');
  assert.equal(bad.status, 1, bad.said);
  assert.match(bad.said, /no release has served here yet[\s\S]*bad:1 did not start/);
  assert.deepEqual([image(), existsSync(join(app, '.change/served'))], ['bad:1', false]);
  const good = run('upgrade', 'good:1');
  assert.equal(good.status, 0, good.said);
  assert.match(good.said, /done: good:1 serves/);
  assert.deepEqual([image(), readFileSync(at('laid-out'), 'utf8')], ['good:1', 'bad:1\ngood:1\n']);

  engine({ api: 'unhealthy' });
  const later = run('upgrade', 'good:2');
  assert.equal(later.status, 1);
  assert.match(later.said, /an upgrade starts from a healthy system/);
  assert.equal(image(), 'good:1');
});

test('a first start that the engine was killed in is done again, whether or not a database was made', () => {
  for (const made of [[], ['cluster']]) {
    rmSync(at('cluster'), { force: true });
    rmSync(join(app, '.change'), { recursive: true, force: true });
    engine({ containers: '', postgres: 'starting', api: 'created', restarts: '0' });
    for (const each of made) engine({ [each]: '' });
    const again = run('upgrade', 'good:1');
    assert.equal(again.status, 0, again.said);
    assert.match(again.said, /done: good:1 serves/);
  }
});

test('a machine that goes down in the middle of a change tells nobody that it has arrived', () => {
  engine({
    containers: '',
    cluster: '',
    postgres: 'healthy',
    api: 'healthy',
    restarts: '0',
    'going-down': '',
  });
  const cut = run('upgrade', 'good:1');
  assert.deepEqual([cut.status, /done:/.test(cut.said)], [143, false], cut.said);
  assert.equal(existsSync(at('going-down')), false, 'it went that far');
});

test('who goes back before anything was started is not told that it has arrived', () => {
  // what a child that is ended at once would write, had it our trap still
  const { stdout } = spawnSync(
    'bash',
    [
      '-c',
      `root=$APP verb=upgrade; . "$APP/scripts/lib.sh"; . "$APP/scripts/change.sh"; mkdir -p "$change"
       export MARKETING_WORK=one; echo one >"$change/work"
       (result 0); [[ -e $change/result ]] || echo "nothing by a child"; result 3; cat "$change/result"`,
      join(app, 'scripts/upgrade'),
    ],
    { encoding: 'utf8', env: { PATH: process.env.PATH, APP: app } },
  );
  assert.equal(stdout, 'nothing by a child\n3 one\n');
});

test('a stack whose database holds a site has served, whoever wrote that down', () => {
  writeFileSync(join(app, '.env'), 'IMAGE=good:1\n');
  engine({ containers: '', cluster: '', postgres: 'exited', api: 'unhealthy', restarts: '0', sites: 't' });
  const refused = run('upgrade', 'good:2');
  assert.equal(refused.status, 1);
  assert.match(refused.said, /an upgrade starts from a healthy system/);
  assert.deepEqual([image(), existsSync(at('laid-out'))], ['good:1', false]);
  rmSync(join(app, '.change'), { recursive: true });
  engine({ api: 'healthy' });
  assert.equal(run('watchdog').status, 0);
  assert.equal(
    existsSync(join(app, '.change/served')),
    true,
    'also one that was started without these scripts',
  );
});

const dotenv = () => `COMPOSE_PROJECT_NAME=changes-${process.pid}\nIMAGE=good:1\n`;
/** A stack that serves, unless facts say otherwise. */
function serves(facts: Record<string, string> = {}) {
  writeFileSync(join(app, '.env'), dotenv());
  mkdirSync(join(app, '.change'), { recursive: true });
  writeFileSync(join(app, '.change/served'), '');
  engine({
    containers: '',
    cluster: '',
    postgres: 'healthy',
    api: 'healthy',
    restarts: '0',
    sites: 't',
    ...facts,
  });
}
/** What was cut off two minutes ago. */
function cutOff(state: string) {
  writeFileSync(join(app, '.change/state'), state);
  aged();
}
function aged() {
  const then = new Date(Date.now() - 120_000);
  utimesSync(join(app, '.change/state'), then, then);
}
const read = (name: string) => (existsSync(at(name)) ? readFileSync(at(name), 'utf8') : '');

test('what the watchdog could not take back in three tries it tells once, with the API down too, and the status says so', () => {
  serves({ api: 'unhealthy' });
  writeFileSync(join(app, 'caddy/closed'), '');
  cutOff('verb=upgrade\nsince=2026-11-27T00:00:00Z\nfrom=good:1\nto=good:2\nstep=starting\ntries=3\n');
  for (let look = 0; look < 2; look += 1) {
    assert.match(run('watchdog').said, /leaving it to a person/);
    aged();
  }
  assert.match(
    read('alarms'),
    /^upgrade was cut off, and three times it could not be taken back\.[^\n]*from good:1 to good:2, step "starting"\n$/,
  );
  const { status, said } = run('status');
  assert.equal(status, 1);
  assert.match(said, /three times it could not be taken back; NOTHING MORE IS TRIED: upgrade under way/);
  assert.match(said, /CLOSED: Caddy answers every visitor with 503/);
});

test('an alarm of the watchdog that does not get out is tried three times, not for ever', () => {
  serves({ mute: '' });
  cutOff('verb=restore\nsince=2026-11-27T00:00:00Z\nfrom=a\nto=b\nstep=starting\ntries=3\n');
  for (let look = 0; look < 4; look += 1) {
    assert.equal(run('watchdog').said.includes('the alarm could not be sent'), look < 3, `${look}`);
    aged();
  }
  assert.equal(read('alarms').trim().split('\n').length, 3);
});

test('whoever asks for a restore hears of that one, or that another change took its place', () => {
  serves();
  const own = run('restore', 'newest', '--yes');
  assert.equal(own.status, 1);
  assert.match(own.said, /the backup was refused; nothing was touched/);
  assert.equal(existsSync(join(app, '.change/state')), false);

  engine({ faster: '', calls: '' });
  const overtaken = run('restore', 'newest', '--yes');
  assert.equal(overtaken.status, 1, overtaken.said);
  assert.match(overtaken.said, /something else was begun here before this was, and took its place/);
  const late = `until [[ -s '${at('late')}' ]]; do sleep 0.2; done`;
  assert.equal(spawnSync('timeout', ['120', 'bash', '-c', late]).status, 0, 'both have ended');
  assert.match(read('faster.log'), /cut off: restore under way .*step "received"[\s\S]*done: /);
  assert.equal(read('late'), '1\n', 'the half that came too late does nothing');
  assert.doesNotMatch(read('calls'), / api (inspect|restore) | stop api/);
  assert.equal(existsSync(join(app, '.change/state')), false);
});

test('a machine that was moved starts its API for nobody who does not say so', () => {
  serves({ api: 'exited' });
  writeFileSync(join(app, '.moved'), '2026-11-26T18:00:00Z\n');
  for (const words of [
    ['upgrade', 'good:2'],
    ['set', 'EVENT_RETENTION_DAYS', '60'],
    ['rotate', 'admin-key'],
  ]) {
    const { status, said } = run(words[0]!, ...words.slice(1));
    assert.equal(status, 1);
    assert.match(
      said,
      /was moved to another machine on 2026-11-26T18:00:00Z.*nothing was changed.*rm .*\.moved/,
    );
  }
  assert.equal(readFileSync(join(app, '.env'), 'utf8'), dotenv());
  // the power went away between the word that all had arrived and the end of the move
  cutOff('verb=move\nsince=2026-11-26T17:00:00Z\nfrom=this machine\nto=another one\nstep=holding\n');
  assert.equal(run('watchdog').status, 0);
  assert.equal(existsSync(join(app, '.change/state')), false);
  assert.doesNotMatch(read('calls'), / up -d | restart | start api/);
});
