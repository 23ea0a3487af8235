// What the command line did with people stands in the audit log: the verb, by which words, how many; never an address or a key.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PEPPER } from '../../../test/cluster.ts';
import { newOwner } from '../../../test/people.ts';
import { ACCOUNT_KEYS, admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { verbs } from './verbs.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
  for (const name of ['ada', 'bob'])
    await newOwner(server, `${name}@people.example`, 'rye, oats and a spoon');
});
after(() => server.end());

const cli = fileURLToPath(new URL('../../cli.ts', import.meta.url));
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, [cli, ...args], {
    env: {
      ...process.env,
      DATABASE_URL: server.database.ownerUrl,
      IP_HASH_PEPPER: PEPPER,
      ACCOUNT_KEYS,
      DATA_DIR: server.folder,
    },
  });
const noted = async () =>
  (
    await server.database.owner.query(
      "select actor, action, target, outcome, details from audit_log where action like 'marketing %' order by audit_id",
    )
  ).rows;

test('a purge notes by which options and what it ended; so does one that was only tried', async () => {
  const { stdout } = await run('retention', 'purge', '--dry-run');
  const [line, ...others] = await noted();
  assert.deepEqual(others, []);
  assert.deepEqual(
    [line.actor, line.action, line.target, line.outcome],
    ['machine', 'marketing retention purge', null, 200],
  );
  assert.deepEqual(line.details, { 'dry-run': true, result: JSON.parse(stdout) });
});

test('an account is looked at and shut: noted without the address', async () => {
  await run('account', 'list');
  await run('account', 'disable', 'ada@people.example');
  await assert.rejects(run('account', 'enable', 'nobody@people.example'));
  const lines = (await noted()).slice(1);
  assert.deepEqual(
    lines.map(({ action, outcome }) => [action, outcome]),
    [
      ['marketing account list', 200],
      ['marketing account disable', 200],
      ['marketing account enable', 500],
    ],
  );
  assert.deepEqual([lines[0].details, lines[1].details], [{ lines: 2 }, { sessions: 1 }]);
  assert.doesNotMatch(JSON.stringify(lines), /people\.example/);
});

test('who reads the audit log finds it there', async () => {
  const { body } = await call(`${server.url}/v1/audit`, 'GET', undefined, admin);
  const line = body.entries.find(({ action }: { action: string }) => action === 'marketing account list');
  assert.deepEqual([line.actor, line.requestId, line.siteId], ['machine', null, null]);
});

test('wrong words, and verbs that touch nobody, leave no line', async () => {
  const before = (await noted()).length;
  await assert.rejects(run('jobs', 'rollup', '--dry-run'));
  await run('rollups', 'status');
  await run('migrations');
  assert.equal((await noted()).length, before);
});

test('whatever copies, moves, repeats or ends people’s data is noted', () => {
  assert.deepEqual(
    verbs.filter(({ people }) => people !== 'nothing').map(({ words }) => words.split(' ')[0]),
    [
      'backup',
      'restore',
      'restore-finish',
      'restore-undo',
      'snapshot',
      'offsite',
      'fetch-offsite',
      'journal',
      'journal',
      'retention',
      'jobs',
      'account',
      'account',
      'account',
      'account',
      'account',
    ],
  );
});
