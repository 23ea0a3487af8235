// A server of its own, reached by ssh alone: a release is carried there, its settings and secrets are changed, lines break, its
// engine is killed, it moves to another one. Every byte of it travels.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Poll } from './poll.ts';
import { type Heard, Server } from './server.ts';
import { chance, eventually, figure, IMAGE, LONG, repository, SEED, Stack, sleep } from './stack.ts';

const { generateX25519Identity, identityToRecipient } = (await import(
  pathToFileURL(join(repository, 'api/node_modules/age-encryption/dist/index.js')).href
)) as typeof import('../../api/node_modules/age-encryption/dist/index.js');

// only its folder and its way of making releases are used: the stack is the server's
const stack = new Stack('ship');
const server = new Server(join(stack.folder, 'first'), stack.project);
const another = new Server(join(stack.folder, 'second'), stack.project);
const laptop = Server.laptop(stack.folder);
const shelf = join(stack.folder, 'shelf');
const identity = await generateX25519Identity();
const started: Server[] = [];
// a name that is given to another image in the course of this, as "marketing-api:dev" is with every build
const OURS = `${IMAGE}-ours`;

before(async () => {
  figure('seed', SEED);
  mkdirSync(shelf, { recursive: true });
  writeFileSync(join(shelf, 'identity'), `${identity}\n`);
  started.push(server);
  await server.start();
  execFileSync('docker', ['tag', IMAGE, OURS]);
  appendFileSync(
    join(server.appliance, '.env'),
    `BACKUP_PUBLIC_KEY=${await identityToRecipient(identity)}\n`,
  );
  await stack.prepare('JOBS=off\n');
});
after(async () => {
  for (const each of started) await each.end();
  await stack.down();
});

/** A verb typed on the laptop; when  ends it and its ssh without a word as soon as that has come true */
function verb(
  name: string,
  args: string[],
  { input = '', when }: { input?: string; when?: () => Promise<unknown> } = {},
) {
  return new Promise<Heard>((done, failed) => {
    const child = spawn(join(repository, 'scripts', name), args, {
      env: laptop,
      cwd: '/',
      detached: true,
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        said += chunk;
      });
    let happened: Promise<unknown> = Promise.resolve();
    // who was faster than that has ended by itself
    child.on('close', (code) => happened.then(() => done({ code: code ?? -1, said })));
    child.stdin.on('error', () => {}).end(input);
    if (!when) return;
    happened = when().then(
      () => {
        try {
          process.kill(-child.pid!, 'SIGKILL');
        } catch {
          // with the line that it lost it has ended by itself
        }
      },
      (error) => failed(new Error(`${error.message}\n${said}`)),
    );
  });
}
async function well(name: string, args: string[], input = ''): Promise<string> {
  const { code, said } = await verb(name, args, { input });
  assert.equal(code, 0, said);
  return said;
}

const stepOf = (of: Server) => /^step=(.*)$/m.exec(of.read('.change/state'))?.[1] ?? '';
const reaches = (step: string) => () =>
  eventually(`step ${step}`, 400, async () => {
    if (stepOf(server) === step) return true;
    throw new Error(server.read('.change/log').slice(-500));
  });
const healthy = (of: Server) =>
  JSON.parse(of.engine('inspect', of.container('api')))[0].State.Health.Status === 'healthy';

/** Whoever works goes on; what nobody works at any more is a minute old then, and the watchdog looks at it. */
async function nextMinute(of: Server): Promise<void> {
  // also what had only just been begun over the line that broke
  const working = () =>
    execFileSync('ps', ['-eo', 'args']).toString().includes(`${laptop.MARKETING_FOLDER}/`);
  await eventually('whoever works is done', 400, async () => !working());
  if (of.read('.change/state') !== '') {
    const before = new Date(Date.now() - 120_000);
    utimesSync(join(of.appliance, '.change/state'), before, before);
    of.ssh(`${laptop.MARKETING_FOLDER}/scripts/watchdog`);
  }
  await eventually('all is well', 180, async () => of.read('.change/state') === '' && healthy(of));
}

/** The key that opens the backups is on no disk of the server and in no file of its memory; nor is anything that was sent. */
function nothingIsLeft(): void {
  const found = filesWith(String(identity), server.folder, '/dev/shm');
  assert.equal(found, '');
  assert.equal(server.engine('exec', server.container('api'), 'ls', '/data').includes('incoming'), false);
  assert.equal(server.sql("select count(*) from pg_database where datname like 'marketing\\_%'"), '0');
  assert.equal(existsSync(join(server.appliance, 'caddy/closed')), false);
}
function filesWith(word: string, ...folders: string[]): string {
  return execFileSync('sh', [
    '-c',
    'grep -rlaF --devices=skip -e "$0" "$@" 2>/dev/null || :',
    word,
    ...folders,
  ]).toString();
}

test('a server that has nothing but an engine gets all three images through ssh, and serves', async () => {
  assert.equal(server.engine('images', '--quiet'), '');
  const began = Date.now();
  const said = await well('ship', [server.host, OURS]);
  figure('ship of three images through ssh, with the first start, s', (Date.now() - began) / 1000);
  assert.ok(said.includes(`sending ${OURS} postgres:18 caddy:2-alpine`), said);
  assert.equal(server.engine('images', '--quiet').trim().split('\n').length, 3);
  assert.deepEqual(
    readdirSync(server.appliance).filter((name) =>
      ['compose.yaml', 'caddy', 'postgres', 'scripts'].includes(name),
    ).length,
    4,
  );
  assert.match(server.read('.env'), new RegExp(`^IMAGE=${OURS}$`, 'm'));
  assert.equal(JSON.parse(server.get('/v1/healthz')).ok, true);
  assert.match(server.send('/from-before'), /"ok":true/);
});

/** Somebody knocks ten times a second while something is done: nobody ever finds the door closed. */
async function knocking(name: string, done: () => Promise<unknown>): Promise<void> {
  const poll = new Poll(server);
  try {
    await done();
  } finally {
    await poll.stop();
  }
  assert.deepEqual(poll.faults, [], name);
  assert.deepEqual(
    [...new Set(poll.statuses)].filter((status) => ![200, 503].includes(status)),
    [],
    name,
  );
  assert.ok(poll.statuses.includes(200), name);
  figure(`asked through ${name}`, {
    answers: poll.statuses.length,
    of503: poll.statuses.filter((status) => status === 503).length,
  });
}

test('the same name again with another Caddyfile: only what is new travels, no connection is refused meanwhile, and the new one is served', async () => {
  assert.match(server.get('/s.js', '-o', '/dev/null', '-D', '-'), /max-age=600/);
  const again = await stack.release('shipped', {
    '/app/appliance/caddy/Caddyfile': readFileSync(join(repository, 'caddy/Caddyfile'), 'utf8').replaceAll(
      'max-age=600',
      'max-age=611',
    ),
  });
  execFileSync('docker', ['tag', again, OURS]);
  let said = '';
  await knocking('a ship with another Caddyfile', async () => {
    said = await well('ship', [server.host, OURS]);
  });
  assert.match(said, /an event in: stored/);
  assert.ok(said.includes(`sending ${OURS}\n`), said);
  assert.match(server.get('/s.js', '-o', '/dev/null', '-D', '-'), /max-age=611/);
});

const inApi = (name: string) =>
  server.engine('exec', server.container('api'), 'sh', '-c', `printenv ${name} || :`).trim();
const key = async () => (await well('admin-key', [server.host])).trim();
const asks = (with_: string) =>
  server.get('/v1/admin/status', '-H', `x-admin-key: ${with_}`, '-o', '/dev/null', '-w', '%{http_code}');
const secrets = () =>
  server.engine(
    'run',
    '--rm',
    '--user',
    '0:0',
    '-v',
    `${server.project}_secrets:/s:ro`,
    '--entrypoint',
    'ls',
    OURS,
    '/s',
  );

test('the status is told over ssh, and a secret goes there by standard input and is read at the next start', async () => {
  assert.match((await verb('status', [server.host])).said, /PostgreSQL 18/);
  await well('secret', ['ALERT_EMAIL', server.host], 'operator@example.com\n');
  assert.match(await well('secret', ['ALERT_EMAIL', server.host, '--show']), /^operator@example\.com$/m);
  assert.match(await well('secret', [server.host, '--list']), /^ALERT_EMAIL$/m);
  assert.match(await well('logs', [server.host, 'api', '--tail', '5']), /"level"/);
  assert.match(
    (await verb('secret', ['ALERT_EMAIL', server.host])).said,
    /an empty value; nothing was changed/,
  );
  await well('secret', ['ALERT_EMAIL', server.host, '--remove']);
  assert.doesNotMatch(await well('secret', [server.host, '--list']), /ALERT_EMAIL/);
});

test('a setting is checked, written and known to the containers; a wrong one changes nothing', async () => {
  assert.match(await well('set', ['EVENT_RETENTION_DAYS', '200', server.host]), /restarting: api[\s\S]*done/);
  assert.equal(inApi('EVENT_RETENTION_DAYS'), '200');
  const before = server.read('.env');
  for (const [name, value] of [
    ['EVENT_RETENTION_DAYS', 'many'],
    ['EVENT_RETENTION_DAY', '20'],
    ['ADMIN_API_KEY', 'a-secret-that-belongs-elsewhere'],
  ]) {
    const { code, said } = await verb('set', [name!, value!, server.host]);
    assert.equal(code, 1, said);
    assert.match(said, /nothing was changed/);
  }
  assert.equal(server.read('.env'), before);
  assert.ok((await well('set', ['--list', server.host])).includes('EVENT_RETENTION_DAYS=200\n'));
  await well('set', ['EVENT_RETENTION_DAYS', '--remove', server.host]);
  assert.equal(inApi('EVENT_RETENTION_DAYS'), '');
  assert.equal(server.read('.change/state'), '');
});

test('a new admin key opens and the old one does not; a new password of the database is known to both sides; the pepper is compared', async () => {
  const old = await key();
  assert.equal(asks(old), '200');
  await well('rotate', ['admin-key', server.host]);
  assert.equal(asks(old), '401');
  assert.equal(asks(await key()), '200');
  const password = () =>
    server.engine('exec', server.container('postgres'), 'cat', '/run/secrets/marketing/POSTGRES_PASSWORD');
  const before = password();
  assert.match(await well('rotate', ['database-password', server.host]), /done/);
  assert.notEqual(password(), before);
  // asked over the network, where the password counts
  const opens = (with_: string) =>
    worked(server, [
      'exec',
      '-e',
      `PGPASSWORD=${with_}`,
      server.container('postgres'),
      'psql',
      '-h',
      '127.0.0.1',
      '-U',
      'marketing_owner',
      '-d',
      'marketing',
      '-c',
      'select 1',
    ]);
  assert.deepEqual([opens(before), opens(password())], [false, true]);
  assert.match(server.send('/after-the-rotation'), /"ok":true/);
  assert.doesNotMatch(secrets(), /next|new/);
  const pepper = (await well('secret', ['IP_HASH_PEPPER', server.host, '--show'])).trim();
  await well('rotate', ['pepper-check', server.host], `${pepper}\n`);
  assert.equal(
    (
      await verb('rotate', ['pepper-check', server.host], {
        input: `${pepper}x\n`,
      })
    ).code,
    1,
  );
  assert.equal(server.read('.change/state'), '');
});
function worked(of: Server, args: string[]): boolean {
  try {
    of.engine(...args);
    return true;
  } catch {
    return false;
  }
}

// seconds after which the line breaks
const moments = LONG ? [0.3, 0.7, 1.2, 2, 3.5] : [0.7];
const forward = [
  ['rotate', 'database-password'],
  ['set', 'EVENT_RETENTION_DAYS'],
  ['rotate', 'admin-key'],
] as const;
// the first is the one of several steps
for (const [name, ...args] of LONG ? forward : forward.slice(0, 1))
  test(`the laptop is gone in the middle of ${name} ${args[0]}: it is done or it is not, and nothing half`, async () => {
    for (const [n, moment] of moments.entries()) {
      const more = name === 'set' ? [`${201 + n}`] : [];
      await verb(name, [...args, ...more, server.host], {
        when: () => sleep(moment * 1000),
      });
      await nextMinute(server);
      assert.equal(
        /^EVENT_RETENTION_DAYS=(.*)$/m.exec(server.read('.env'))?.[1] ?? '',
        inApi('EVENT_RETENTION_DAYS'),
      );
      assert.equal(asks(await key()), '200');
      assert.doesNotMatch(secrets(), /next|new/);
      assert.match(server.send(`/after-${moment}`), /"ok":true/);
    }
  });

test('whoever changes a setting is killed on the server itself before the containers know it: within minutes they do', async () => {
  // who worked before
  rmSync(join(server.appliance, '.change/pid'));
  await verb('set', ['EVENT_RETENTION_DAYS', '300', server.host], {
    when: async () => {
      const worker = await eventually('somebody works', 20, async () => {
        const pid = Number(server.read('.change/pid'));
        return (
          pid > 0 && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('/scripts/set\0--work') && pid
        );
      });
      process.kill(-worker, 'SIGKILL');
    },
  });
  await nextMinute(server);
  assert.match(server.read('.env'), /^EVENT_RETENTION_DAYS=300$/m);
  assert.equal(inApi('EVENT_RETENTION_DAYS'), '300');
});

/** Of what cloud-init.yaml makes a machine do at its start, all but installing packages; for this server's folder. */
const bringUp = (() => {
  const text = readFileSync(join(repository, 'cloud-init.yaml'), 'utf8');
  const script = /path: \/usr\/local\/sbin\/marketing-up\n[\s\S]*?content: \|\n((?: {6}.*\n|\n)+)/.exec(
    text,
  )![1]!;
  return script.replace(/^ {6}/gm, '').replaceAll('/opt/marketing', laptop.MARKETING_FOLDER!);
})();
async function comesBack(of: Server): Promise<void> {
  await of.boot(bringUp);
  await eventually('all is well', 180, async () => of.read('.change/state') === '' && healthy(of));
}

// seconds after the change was begun: anywhere until the API is back, by chance
for (const [name, ...args] of LONG ? forward : forward.slice(0, 1))
  test(`the power goes away in the middle of ${name} ${args[0]}: the machine's next start ends it, with nothing half`, async () => {
    for (let n = 0; n < (LONG ? 4 : 1); n++) {
      const value = `${310 + n}`;
      const before = await key();
      const later = chance() * 9;
      await verb(name, [...args, ...(name === 'set' ? [value] : []), server.host], {
        when: async () => {
          await reaches('applying')();
          await sleep(later * 1000);
          await server.cutPower();
        },
      });
      const left = stepOf(server);
      await comesBack(server);
      figure(`${name} ${args[0]}, power gone ${later.toFixed(1)} s after it was begun`, left || 'arrived');
      // what was begun goes forward: its value stood on the disk before any container was told
      if (name === 'set') {
        assert.match(server.read('.env'), new RegExp(`^EVENT_RETENTION_DAYS=${value}$`, 'm'));
        assert.equal(inApi('EVENT_RETENTION_DAYS'), value);
      }
      if (args[0] === 'admin-key') {
        assert.notEqual(await key(), before);
        assert.equal(asks(before), '401');
      }
      assert.equal(asks(await key()), '200');
      assert.doesNotMatch(secrets(), /next|new/);
      assert.match(server.send(`/after-power-${name}-${n}`), /"ok":true/);
      assert.equal(server.sql("select count(*) from events where path = '/from-before'"), '1');
    }
  });

/** A release that takes its time, of content that is not there yet, and that knows what those before it did. */
const migrations: Record<string, string> = {};
function release(name: string, seconds = 8): Promise<string> {
  const number = 9410 + Object.keys(migrations).length;
  migrations[`/app/migrations/${number}_${name.replaceAll('-', '_')}.sql`] = `select pg_sleep(${seconds});`;
  return stack.release(name, {
    ...migrations,
    '/app/of-this-release': randomBytes(30_000_000).toString('base64'),
  });
}
const running = () => JSON.parse(server.engine('inspect', server.container('api')))[0].Config.Image;
let sent = 0;
/** What takes minutes for the same kind of proof: in the long tier. */
const whenLong: typeof test = LONG ? test : (((): void => {}) as unknown as typeof test);
/** As it was before, and serving. */
async function asBefore(image: string): Promise<void> {
  assert.equal(running(), image);
  assert.match(server.send(`/still-${++sent}`), /"ok":true/);
  assert.equal(server.sql("select count(*) from events where path = '/from-before'"), '1');
  nothingIsLeft();
}

whenLong(
  'the laptop is gone while a release is carried: nothing of it counts, and the next time it arrives',
  async () => {
    const image = running();
    const next = await release('carried');
    for (const moment of [0.5, 1.5, 2.5, 4, 6]) {
      await verb('ship', [server.host, next], {
        when: () => sleep(moment * 1000),
      });
      await sleep(500);
      if (stepOf(server) !== '' || running() !== image) break;
      await asBefore(image);
    }
    await nextMinute(server);
    if (running() === image) await well('ship', [server.host, next]);
    await asBefore(next);
  },
);

async function engineBack(): Promise<void> {
  server.startEngine();
  await server.answers();
}

whenLong(
  'the engine is killed while images arrive, and in the middle of an upgrade: what was before serves, and then the release arrives',
  async () => {
    const image = running();
    const next = await release('engine-killed', 10);
    let shipping = verb('ship', [server.host, next]);
    await eventually('images arrive', 60, async () => runs('docker load'));
    await server.killEngine();
    assert.notEqual((await shipping).code, 0);
    await engineBack();
    await nextMinute(server);
    await asBefore(image);
    shipping = verb('ship', [server.host, next]);
    await reaches('starting')();
    await server.killEngine();
    const { code, said } = await shipping;
    assert.equal(code, 1, said);
    await engineBack();
    await nextMinute(server);
    await asBefore(image);
    const began = Date.now();
    await well('ship', [server.host, next]);
    figure('ship of a release with 40 MB that are new, s', (Date.now() - began) / 1000);
    await asBefore(next);
  },
);
const runs = (words: string) => execFileSync('ps', ['-eo', 'args']).toString().includes(words);

test('the engine is killed in the middle of a restore: the database from before serves, and neither key nor backup stays', async () => {
  const image = running();
  const file = (await well('backup', [server.host, '--to', shelf])).trim().split('\n').at(-1)!;
  server.send('/since-the-backup');
  const options = [server.host, file, '--identity', join(shelf, 'identity'), '--yes'];
  for (const step of LONG ? ['receiving', 'stopping', 'restoring', 'starting'] : ['restoring']) {
    const restoring = verb('restore', options);
    await reaches(step)();
    await server.killEngine();
    assert.notEqual((await restoring).code, 0);
    await engineBack();
    await nextMinute(server);
    assert.equal(server.sql("select count(*) from events where path = '/since-the-backup'"), '1', step);
    await asBefore(image);
  }
  await knocking('a restore', () => well('restore', options));
  assert.equal(server.sql("select count(*) from events where path = '/since-the-backup'"), '0');
  await asBefore(image);
});

whenLong(
  'the laptop is gone in the middle of an upgrade and of a restore: each arrives, and whoever asks again sees it',
  async () => {
    for (const step of ['preparing', 'stopping', 'copying', 'starting', 'trying']) {
      const next = await release(`gone-at-${step}`, 3);
      execFileSync('sh', ['-c', `docker save ${next} | DOCKER_HOST=${server.docker} docker load -q`]);
      await verb('upgrade', [server.host, next], { when: reaches(step) });
      assert.match(await well('upgrade', [server.host, '--follow']), /an event in: stored/, step);
      await nextMinute(server);
      await asBefore(next);
    }
    const image = running();
    const file = (await well('backup', [server.host, '--to', shelf])).trim().split('\n').at(-1)!;
    for (const step of ['receiving', 'stopping', 'restoring', 'starting', 'finishing']) {
      server.send('/since-the-backup');
      const options = [server.host, file, '--identity', join(shelf, 'identity'), '--yes'];
      await verb('restore', options, { when: reaches(step) });
      await nextMinute(server);
      const gone = server.sql("select count(*) = 0 from events where path = '/since-the-backup'");
      // what had not arrived whole was given up before anything was touched
      if (step !== 'receiving') assert.equal(gone, 't', step);
      await asBefore(image);
    }
  },
);

whenLong(
  'the power goes away at a step of an upgrade, and of a restore: the machine starts with what was before, and then the release arrives',
  async () => {
    const image = running();
    const next = await release('power-cut', 5);
    execFileSync('sh', ['-c', `docker save ${next} | DOCKER_HOST=${server.docker} docker load -q`]);
    for (const step of ['preparing', 'stopping', 'copying', 'starting', 'trying']) {
      await verb('upgrade', [server.host, next], {
        when: () => reaches(step)().then(() => server.cutPower()),
      });
      await comesBack(server);
      await asBefore(image);
    }
    await well('upgrade', [server.host, next]);
    await asBefore(next);
    const file = (await well('backup', [server.host, '--to', shelf])).trim().split('\n').at(-1)!;
    server.send('/since-the-backup');
    const options = [server.host, file, '--identity', join(shelf, 'identity'), '--yes'];
    for (const step of ['receiving', 'received', 'stopping', 'restoring', 'starting']) {
      await verb('restore', options, { when: () => reaches(step)().then(() => server.cutPower()) });
      await comesBack(server);
      assert.notEqual(server.sql("select count(*) from events where path = '/since-the-backup'"), '0', step);
      await asBefore(next);
    }
  },
);

test('a move whose laptop is gone leaves the old machine serving; one that arrives brings data, secrets and settings, and stops the old one', async () => {
  const image = running();
  started.push(another);
  await another.start();
  await well('ship', [another.host, image]);
  await well('set', ['EVENT_RETENTION_DAYS', '150', server.host]);
  const options = [server.host, another.host, '--identity', join(shelf, 'identity'), '--yes'];
  const holding = () => eventually('the old one is stopped', 400, async () => stepOf(server) === 'holding');
  for (const later of LONG ? [0, 1.5, 3, 5, 8] : []) {
    await verb('move', options, {
      when: async () => {
        await holding();
        await sleep(later * 1000);
      },
    });
    await eventually('the old one serves again', 90, async () => stepOf(server) === '' && healthy(server));
    await asBefore(image);
    await nextMinute(another);
  }
  // the power of either machine goes away: the old one serves, and the new one is as it was
  for (const of of LONG ? [server, another] : []) {
    await verb('move', options, {
      when: async () => {
        await holding();
        if (of === another)
          await eventually('the new one restores', 400, async () =>
            ['restoring', 'starting'].includes(stepOf(another)),
          );
        await of.cutPower();
      },
    });
    await comesBack(of);
    await eventually('the old one serves again', 90, async () => stepOf(server) === '' && healthy(server));
    await asBefore(image);
    await nextMinute(another);
    assert.match(another.send('/still-empty'), /"ok":true/);
    assert.equal(another.sql("select count(*) from events where path = '/from-before'"), '0');
  }
  assert.match(await well('move', options), /done: /);
  assert.equal(another.sql("select count(*) from events where path = '/from-before'"), '1');
  assert.match(another.send('/on-the-new-one'), /"ok":true/);
  const shown = (of: Server) => well('secret', ['IP_HASH_PEPPER', of.host, '--show']);
  assert.equal(await shown(another), await shown(server));
  assert.match(another.read('.env'), /^EVENT_RETENTION_DAYS=150$/m);
  assert.match(
    another.engine('exec', another.container('api'), 'printenv', 'EVENT_RETENTION_DAYS'),
    /^150$/m,
  );
  assert.equal(JSON.parse(server.engine('inspect', server.container('api')))[0].State.Status, 'exited');
  assert.deepEqual(
    [server, another].map((of) => of.read('.change/state')),
    ['', ''],
  );
  assert.equal(filesWith(String(identity), another.folder, '/dev/shm'), '');
});
