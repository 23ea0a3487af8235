// A purge that was meant as a trial stays one, however it is misspelt: from the command line, against rows that would go.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PEPPER } from '../../../test/cluster.ts';
import { partitions, record } from '../../../test/record.ts';
import { startServer, type TestServer } from '../../../test/server.ts';
import { addDays, dayOf } from '../../ground/lib/days.ts';

const CLI = fileURLToPath(new URL('../../cli.ts', import.meta.url));
const OLD = addDays(dayOf(Date.now()), -100);
let server: TestServer;

before(async () => {
  server = await startServer();
  await partitions(server.database.owner, OLD, addDays(OLD, 1));
  await record(server.database.app, server.services.sites.fallback().siteId, [
    { id: '1', visitor: 'ada', at: `${OLD}T10:00:00.000Z`, path: '/' },
    { id: '2', visitor: 'bob', at: `${OLD}T11:00:00.000Z`, path: '/bread' },
  ]);
});
after(() => server.end());

function marketing(args: string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    encoding: 'utf8',
    env: {
      ...process.env,
      DATABASE_URL: server.database.ownerUrl,
      IP_HASH_PEPPER: PEPPER,
      DATA_DIR: server.folder,
      ...environment,
    },
  });
  return { status, stdout, stderr };
}
const events = async () => (await server.database.owner.query('select from events')).rowCount;
const runs = async () => (await server.database.owner.query('select from job_runs')).rowCount;

const SLIPS: string[][] = [
  ['--dryrun'],
  ['--dry_run'],
  ['--dry-run=true'],
  ['--dry-run=false'],
  ['--Dry-Run'],
  ['--DRY-RUN'],
  ['--dry'],
  ['-n'],
  ['-dry-run'],
  ['—dry-run'],
  ['--no-dry-run'],
  ['dry-run'],
  ['now'],
  ['--', '--dry-run'],
  ['--dry-run', 'true'],
  ['--site', 'default'],
];
for (const [purge, slips] of [
  [['retention', 'purge'], SLIPS],
  [['jobs', 'purge'], SLIPS.slice(0, 3)],
] as const)
  test(`${purge.join(' ')} purges nothing when its words are wrong`, async () => {
    for (const slip of slips) {
      const { status, stdout, stderr } = marketing([...purge, ...slip]);
      assert.deepEqual([status, stdout], [2, ''], `${slip.join(' ')}: ${stderr}`);
      assert.match(stderr, /^marketing .*did nothing: .*--dry-run/, slip.join(' '));
    }
    assert.deepEqual([await events(), await runs()], [2, 0]);
  });

test('npm run retention:purge --dry-run, whose option npm keeps for itself, purges nothing', async () => {
  const { status, stderr } = marketing(['retention', 'purge'], {
    npm_lifecycle_event: 'retention:purge',
    npm_config_dry_run: 'true',
  });
  assert.equal(status, 2);
  assert.match(stderr, /npm kept --dry-run for itself/);
  assert.deepEqual([await events(), await runs()], [2, 0]);
});

test('a job refuses an option it would have ignored', async () => {
  const cases: [string[], RegExp][] = [
    [['rollup', '--dry-run'], /has no --dry-run; its options are: --from, --to, --site/],
    [['bots', '--dry-run'], /has no --dry-run; its options are: none/],
    [['purge', '--from', OLD, '--to', OLD], /has no --from; its options are: --dry-run/],
    [['rollup', '--from', OLD], /--to give both from and to/],
    [['--dry-run'], /options need the name of a job/],
  ];
  for (const [args, what] of cases) {
    const { status, stdout, stderr } = marketing(['jobs', ...args]);
    assert.deepEqual([status, stdout], [2, ''], stderr);
    assert.match(stderr, what);
  }
  assert.equal(await runs(), 0);
});

test('an unknown job is answered with those there are', () => {
  const { status, stdout, stderr } = marketing(['jobs', 'purgee']);
  assert.equal(status, 3);
  assert.equal(stderr, 'jobs: There is no job purgee\n');
  assert.deepEqual(
    stdout.split('\n').flatMap((line) => line.split(' ')[0] || []),
    server.services.runner.jobs.map(({ name }) => name),
  );
});

test('the numbers of one site are told by its key or its id, and a site that is not there is an error', () => {
  const { key, siteId } = server.services.sites.fallback();
  for (const site of [key, siteId]) {
    const { stdout } = marketing(['rollups', 'status', '--site', site]);
    assert.equal(JSON.parse(stdout).site, key);
  }
  const { status, stdout, stderr } = marketing(['rollups', 'status', '--site', 'nobody']);
  assert.deepEqual([status, stdout], [3, '']);
  assert.match(stderr, /There is no site nobody/);
});

test('said rightly, a trial tells what would go and leaves it, and the purge takes it', async () => {
  for (const trial of [
    ['retention', 'purge', '--dry-run'],
    ['jobs', 'purge', '--dry-run'],
  ]) {
    const { status, stdout } = marketing(trial);
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).dryRun, true);
    assert.equal(await events(), 2);
  }
  assert.equal(marketing(['retention', 'purge']).status, 0);
  assert.equal(await events(), 0);
});
