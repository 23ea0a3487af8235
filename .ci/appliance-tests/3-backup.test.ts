// Backups that are really backups: made, damaged in many ways, restored into a fresh stack; upgrades that go back by themselves.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type Answer, eventually, figure, IMAGE, repository, Stack, sleep } from './stack.ts';

const { generateX25519Identity, identityToRecipient } = (await import(
  pathToFileURL(join(repository, 'api/node_modules/age-encryption/dist/index.js')).href
)) as typeof import('../../api/node_modules/age-encryption/dist/index.js');

const identity = await generateX25519Identity();
const stack = new Stack('backup');
const fresh = new Stack('fresh');
const shelf = join(stack.folder, 'shelf');
const PASSWORD = 'rye, oats and a spoon';
let backup = '';

/** Refusals and latencies are written every second or two, apart from their events: until then a copy would differ. */
const settled = () => sleep(3000);

// they grow by themselves while a stack runs, or tell about the stack and not about its data
const BY_ITSELF = [
  'job_runs',
  'service_days',
  'machine_notes', // a restore is one
  'recent_bodies',
  'schema_migrations',
  'admin_audit',
  'audit_log',
  'processes',
  'leases',
  // never in a backup
  'day_salts',
  'user_sessions',
  'one_time_links',
];

/** Every table's rows and a digest of them, by another way than the product's own. */
async function contentOf(of: Stack): Promise<string> {
  // asked all at once: each call into the container costs most of a second
  const tables = (
    await of.sql(
      "select relname from pg_class where relkind in ('r','p') and not relispartition and relnamespace = 'public'::regnamespace order by 1",
    )
  )
    .split('\n')
    .filter((table) => !BY_ITSELF.includes(table));
  assert.ok(tables.length > 20);
  return of.sql(
    tables
      .map((table) => {
        // the mark of the pepper is this machine's
        const rows = table === 'installation' ? '(select id from installation)' : `"${table}"`;
        return `select '${table} ' || count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), ',' order by md5(t::text))), '') from ${rows} t`;
      })
      .join(' union all '),
  );
}

const OWN_PAGE = { 'sec-fetch-site': 'same-origin' };

/** An owner, by the link that only the machine gives. */
async function joins(email: string): Promise<void> {
  const inviteToken = (await stack.script('setup-link')).trim().split('/').at(-1)!;
  const who = { inviteToken, email, fullName: 'Somebody', password: PASSWORD };
  const { status, body } = await stack.call('POST', '/v1/auth/signup', who, OWN_PAGE);
  assert.equal(status, 201, JSON.stringify(body));
}

const signIn = (email: string): Promise<Answer> =>
  stack.call('POST', '/v1/auth/login', { email, password: PASSWORD }, OWN_PAGE);

before(async () => {
  await stack.prepare(
    `BACKUP_PUBLIC_KEY=${await identityToRecipient(identity)}\nRATE_LIMITS=off\nJOBS=off\n`,
  );
  mkdirSync(shelf, { recursive: true });
  writeFileSync(join(shelf, 'identity'), `# made for this test\n${identity}\n`);
  await stack.up();
  for (let batch = 0; batch < 10; batch++)
    await stack.call('POST', '/v1/events', {
      events: Array.from({ length: 50 }, (_, n) => ({
        anonId: `visitor-${batch}-${n}`,
        eventType: 'page_view',
        path: `/page/${n}`,
        eventId: crypto.randomUUID(),
      })),
    });
  for (const email of ['ada@example.com', 'bob@example.com', 'eve@example.com']) {
    const consent = { text: 'Send me the weekly bake.', language: 'en' };
    const lead = {
      email,
      anonId: `visitor-of-${email}`,
      path: '/',
      formName: 'newsletter',
      consentStatus: 'express',
      consent,
    };
    assert.equal((await stack.call('POST', '/v1/leads/capture', lead)).status, 200);
  }
  await joins('stays@people.example');
  await joins('leaves@people.example');
  await settled();
});
after(async () => {
  await stack.down();
  await fresh.down();
});

test('scripts/backup brings a fresh backup here, encrypted to the operator’s key', async () => {
  const said = await stack.script('backup', '--to', shelf);
  backup = said.trim().split('\n').at(-1)!;
  assert.match(backup, /marketing-\d{8}T\d{6}Z\.dump\.age$/);
  assert.equal(readFileSync(backup).subarray(0, 21).toString(), 'age-encryption.org/v1');
  assert.ok(JSON.parse(readFileSync(`${backup}.json`, 'utf8')).content.tables.events.rows >= 500);
});

test('the newest backup is restored on trial and compared table by table', async () => {
  const check = JSON.parse(await stack.compose('exec', '-T', 'api', 'marketing', 'verify'));
  assert.equal(check.ok, true);
  figure('trial restore, ms', check.ms);
  const key = await stack.adminKey();
  const { body } = await stack.call('GET', '/v1/admin/status', undefined, { 'x-admin-key': key });
  assert.equal(body.backups.lastVerified.ageHours < 1, true);
});

test('damaged in thirty ways, opened with a wrong key, empty or without its manifest: each is refused before anything is touched', async () => {
  const dump = readFileSync(backup);
  const manifest = readFileSync(`${backup}.json`);
  const name = backup.split('/').at(-1)!;
  const victims: Record<string, [Buffer | null, Buffer | null, string?]> = {};
  for (let n = 0; n < 12; n++) {
    const flipped = Buffer.from(dump);
    flipped[Math.floor((n / 12) * dump.length)]! ^= 1 << (n % 8);
    victims[`bit ${n} of the dump`] = [flipped, manifest];
  }
  for (let n = 0; n < 8; n++) {
    const flipped = Buffer.from(manifest);
    flipped[Math.floor((n / 8) * manifest.length)]! ^= 1 << (n % 7);
    victims[`bit ${n} of the manifest`] = [dump, flipped];
  }
  for (const share of [0, 0.1, 0.5, 0.9, 0.9999])
    victims[`dump cut at ${share}`] = [dump.subarray(0, Math.floor(dump.length * share)), manifest];
  victims['a byte too many'] = [Buffer.concat([dump, Buffer.from('x')]), manifest];
  victims['an empty manifest'] = [dump, Buffer.alloc(0)];
  victims['half a manifest'] = [dump, manifest.subarray(0, manifest.length / 2)];
  victims['no manifest'] = [dump, null];
  victims['another product'] = [dump, Buffer.from('{"product":"something","format":1}')];
  victims['a later release'] = [
    dump,
    Buffer.from(manifest.toString().replace(/("migrations": \[\s*")0001/, '$19001')),
  ];
  victims['a wrong key'] = [dump, manifest, await generateX25519Identity()];
  const folder = join(stack.folder, 'victims');
  let n = 0;
  for (const [file, paper, key] of Object.values(victims)) {
    const at = join(folder, String(n++));
    mkdirSync(at, { recursive: true });
    if (file) writeFileSync(join(at, name), file);
    if (paper) writeFileSync(join(at, `${name}.json`), paper);
    writeFileSync(join(at, 'identity'), key ?? identity);
  }
  execFileSync(
    'sh',
    [
      '-c',
      `docker run --rm -i -v ${stack.project}_data:/data --user 1000:1000 --entrypoint tar ${IMAGE} -C /data --one-top-level=victims -xf -`,
    ],
    {
      input: execFileSync('tar', ['-C', folder, '-cf', '-', '.'], { maxBuffer: 1 << 28 }),
    },
  );
  const verdicts = await stack.compose(
    'exec',
    '-T',
    'api',
    'bash',
    '-c',
    `for n in $(seq 0 ${n - 1}); do marketing inspect /data/victims/$n/${name} --identity /data/victims/$n/identity >/dev/null 2>/tmp/said && echo "$n accepted" || echo "$n refused: $(head -c 200 /tmp/said | tr '\\n' ' ')"; done`,
  );
  const lines = verdicts.trim().split('\n');
  assert.equal(lines.length, n);
  Object.keys(victims).forEach((what, at) => {
    assert.match(lines[at]!, /refused: inspect: (The|This|There|marketing-)/, `${what}: ${lines[at]}`);
  });
  assert.ok(n >= 30);
  // and the whole script says no as well, before it stops anything
  const started = (await stack.inspect('api')).State.StartedAt;
  const refused = await stack.attempt(
    'restore',
    join(folder, '0', name),
    '--identity',
    join(folder, '0', 'identity'),
    '--yes',
  );
  assert.notEqual(refused.code, 0);
  assert.match(refused.said, /nothing was touched/);
  assert.equal((await stack.inspect('api')).State.StartedAt, started);
});

test('a good one, restored into a fresh stack, has the same content', async () => {
  await fresh.prepare('JOBS=off\n');
  await fresh.up();
  const began = Date.now();
  const done = await fresh.attempt(
    'restore',
    backup,
    '--identity',
    join(shelf, 'identity'),
    '--from-another-installation',
    '--yes',
  );
  assert.equal(done.code, 0, done.said);
  figure('restore with two restarts of the API, s', (Date.now() - began) / 1000);
  assert.equal(await contentOf(fresh), await contentOf(stack));
  // and it goes on living, as the role that row level security holds for
  assert.equal((await fresh.send()).status, 202);
  assert.equal((await fresh.compose('exec', '-T', 'api', 'ls', '/data')).includes('incoming'), false);
});

test('the database’s volumes gone for good (or left behind for another major version), the newest backup of the machine brings all of it back', async () => {
  await settled();
  await fresh.script('backup', '--to', '-');
  const before = await contentOf(fresh);
  await fresh.compose('down', '--timeout', '30');
  for (const volume of ['postgres-data', 'postgres-state'])
    execFileSync('docker', ['volume', 'rm', `${fresh.project}_${volume}`]);
  await fresh.up();
  assert.equal(await fresh.sql('select count(*) from leads'), '0');
  const done = await fresh.attempt('restore', 'newest', '--yes');
  assert.equal(done.code, 0, done.said);
  assert.equal(await contentOf(fresh), before);
});

test('a restore takes writes since the backup away, but not what people asked for since: erasure, withdrawal and the end of an account are repeated', async () => {
  const key = { 'x-admin-key': await stack.adminKey() };
  assert.equal((await stack.send({ path: '/after-the-backup' })).status, 202);
  assert.equal(
    (await stack.call('POST', '/v1/leads/delete', { email: 'ada@example.com' }, key)).body.deleted,
    true,
  );
  assert.equal((await stack.call('POST', '/v1/leads/unsubscribe', { email: 'bob@example.com' })).status, 200);
  const cookie = (await signIn('leaves@people.example')).headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
  const left = await stack.call('DELETE', '/v1/users/me', undefined, { ...OWN_PAGE, cookie });
  assert.equal(left.status, 200, JSON.stringify(left.body));
  const done = await stack.attempt('restore', 'newest', '--yes');
  assert.equal(done.code, 0, done.said);
  assert.match(done.said, /repeated/);
  assert.equal(await stack.sql('select count(*) from users'), '1');
  assert.equal((await signIn('leaves@people.example')).status, 401);
  assert.equal((await signIn('stays@people.example')).status, 200);
  assert.equal(await stack.sql("select count(*) from events where path = '/after-the-backup'"), '0');
  assert.equal(
    await stack.sql("select string_agg(email, ' ' order by email) from leads"),
    'bob@example.com eve@example.com',
  );
  const status = (email: string) =>
    stack.sql(
      `select status from consent_records join leads using (site_id, lead_id) where email = '${email}' order by recorded_at desc limit 1`,
    );
  assert.equal(await status('bob@example.com'), 'withdrawn');
  assert.equal(await status('eve@example.com'), 'express');
  // and the old database is not left behind
  assert.equal(await stack.sql("select count(*) from pg_database where datname like 'marketing\\_%'"), '0');
});

test('an upgrade whose migration fails goes back to the release and the data from before, by itself', async () => {
  const bad = await stack.release('bad', {
    '/app/migrations/9000_fails.sql':
      "create table half_done (id int); insert into events (site_id) values ('x');",
  });
  await settled();
  const before = await contentOf(stack);
  const files = readFileSync(join(stack.root, 'compose.yaml'), 'utf8');
  const failed = await stack.attempt('upgrade', bad);
  assert.equal(failed.code, 1, failed.said);
  assert.match(failed.said, /the release from before serves again, with the data from before/);
  assert.equal((await stack.call('GET', '/v1/healthz')).status, 200);
  assert.equal(await contentOf(stack), before);
  assert.equal(await stack.sql("select to_regclass('half_done') is null"), 't');
  assert.equal(readFileSync(join(stack.root, 'compose.yaml'), 'utf8'), files);
});

test('an upgrade whose migration succeeds but breaks the product goes back too', async () => {
  const broken = await stack.release('broken', {
    '/app/migrations/9001_breaks.sql':
      'revoke insert on events, sessions, visitors from marketing_app; alter table events add constraint nothing_fits check (false) not valid;',
  });
  await settled();
  const before = await contentOf(stack);
  const failed = await stack.attempt('upgrade', broken);
  assert.equal(failed.code, 1, failed.said);
  assert.match(failed.said, /an event in: answered|not become healthy/);
  assert.equal((await stack.send({ path: '/still-works' })).status, 202);
  assert.equal(await stack.sql("select count(*) from events where path = '/still-works'"), '1');
  assert.ok(before.length > 0);
});

test('a good upgrade arrives, keeps the data, and its canary went through', async () => {
  const good = await stack.release('good', {
    '/app/migrations/9002_fine.sql': 'create table of_the_new_release (id int);',
  });
  const count = await stack.sql('select count(*) from events');
  const began = Date.now();
  const done = await stack.attempt('upgrade', good);
  assert.equal(done.code, 0, done.said);
  figure('upgrade with backup, copy, migration and canary, s', (Date.now() - began) / 1000);
  assert.match(done.said, /an event in: stored/);
  // the release from before keeps a name that no other stack of this machine uses
  assert.ok(done.said.includes(`kept as marketing-api:before-upgrade-${stack.project})`), done.said);
  assert.equal((await stack.inspect('api')).Config.Image, good);
  assert.ok(Number(await stack.sql('select count(*) from events')) >= Number(count));
  assert.equal(await stack.sql("select to_regclass('of_the_new_release') is not null"), 't');
  assert.equal(await stack.sql("select count(*) from pg_database where datname like 'marketing\\_%'"), '0');
  await eventually('it is healthy', 30, () => stack.healthy('api'));
});

test('a release older than the database is refused before anything is stopped', async () => {
  const started = (await stack.inspect('api')).State.StartedAt;
  const refused = await stack.attempt('upgrade', IMAGE);
  assert.notEqual(refused.code, 0);
  assert.match(refused.said, /older than the database/);
  assert.equal((await stack.inspect('api')).State.StartedAt, started);
});

test('a status is shown in a terminal, with the backup and its trial restore', async () => {
  const { said } = await stack.attempt('status');
  for (const word of ['postgres', 'api', 'caddy', 'healthy', 'PostgreSQL 18', 'backup', 'ledger'])
    assert.ok(said.includes(word), said);
  assert.ok(readdirSync(shelf).length > 0);
});
