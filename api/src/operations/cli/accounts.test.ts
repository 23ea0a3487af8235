// marketing account …, as the operator calls it on the machine.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PEPPER } from '../../../test/cluster.ts';
import { addTotp, signedIn, signIn, signUpWith, trySignIn } from '../../../test/people.ts';
import { ACCOUNT_KEYS, call, startServer, type TestServer } from '../../../test/server.ts';

const CLI = fileURLToPath(new URL('../../cli.ts', import.meta.url));
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.end());

function marketing(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], {
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: server.database.ownerUrl,
      IP_HASH_PEPPER: PEPPER,
      ACCOUNT_KEYS,
      PUBLIC_URL: 'https://marketing.example',
      DATA_DIR: server.folder,
    },
  });
  return { status, said: stdout.trim(), stderr };
}

test('the machine makes the first owner, lists, disables, enables and lets back in', async () => {
  assert.match(marketing('account', 'list').said, /no account yet/);
  const link = marketing('account', 'setup').said;
  assert.match(link, /^https:\/\/marketing\.example\/app\/#\/setup\/[\w-]{43}$/);
  const owner = signedIn(await signUpWith(server, link.split('/').at(-1)!, 'ada@people.example', PASSWORD));
  const other = marketing('account', 'setup').said.split('/').at(-1)!;
  signedIn(await signUpWith(server, other, 'bob@people.example', PASSWORD));
  assert.equal(
    marketing('account', 'list').said,
    'bob@people.example · Somebody · owner · one factor\nada@people.example · Somebody · owner · one factor',
  );
  assert.equal(marketing('account', 'disable', 'Ada@people.example').said, 'disabled; 1 sessions ended');
  assert.equal((await call(`${server.url}/v1/users/me`, 'GET', undefined, owner.headers)).status, 401);
  assert.equal((await trySignIn(server, 'ada@people.example', PASSWORD)).status, 401);
  assert.match(marketing('account', 'list').said, /ada@.* · disabled/);
  const last = marketing('account', 'disable', 'bob@people.example');
  assert.deepEqual([last.status, /last owner/.test(last.stderr)], [3, true]);
  assert.equal(marketing('account', 'enable', 'ada@people.example').said, 'may sign in again');
  assert.equal((await trySignIn(server, 'ada@people.example', PASSWORD)).status, 200);
  assert.match(
    marketing('account', 'reset', 'ada@people.example').said,
    /^https:\/\/marketing\.example\/app\/#\/reset\/[\w-]{43}$/,
  );
  const who = await signIn(server, 'ada@people.example', PASSWORD);
  await addTotp(server, who);
  assert.equal((await trySignIn(server, 'ada@people.example', PASSWORD)).status, 403);
  assert.equal(marketing('account', 'reset', 'ada@people.example', '--second-factor').status, 0);
  assert.equal((await trySignIn(server, 'ada@people.example', PASSWORD)).status, 200);
  const nobody = marketing('account', 'reset', 'nobody@people.example');
  assert.deepEqual([nobody.status, nobody.stderr.includes('No account has this address')], [3, true]);
});
