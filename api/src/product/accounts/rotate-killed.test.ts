// Keys are changed by a process that is killed again and again while people sign in to another: nobody notices, and nothing is lost.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { randomFrom } from '../../../demo/traffic.ts';
import { newOwner, OWN_PAGE, type SignedIn, trySignIn } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { newKeyring } from './keyring.ts';

const SEED = process.env.SEED ?? 'keys';
const KILLS = 12;
const PASSWORD = 'rye, oats and a spoon';
const EMAIL = 'ida@people.example';
const KEYS = newKeyring();
const random = randomFrom(SEED);

let server: TestServer;
let owner: SignedIn;
before(async () => {
  server = await startServer({ ACCOUNT_KEYS: KEYS });
  owner = await newOwner(server, EMAIL, PASSWORD);
  // enough that a rotation takes several bites
  for (let n = 0; n < 300; n += 1) {
    const made = await call(
      `${server.url}/v1/invitations`,
      'POST',
      { role: 'viewer', sites: ['default'], email: `guest${n}@people.example` },
      admin,
    );
    assert.equal(made.status, 201);
  }
});
after(() => server?.end());

const ROTATES = `
  import { makePool } from './src/ground/db/pool.ts';
  import { openVault } from './src/product/accounts/vault.ts';
  import { rotateKeys } from './src/product/accounts/rotate.ts';
  import { makeLog } from './src/ground/lib/log.ts';
  const pool = makePool(process.env.DATABASE_URL, {
    name: 'rotation', connectionsMax: 2, statementTimeoutMs: 60_000, log: makeLog('silent') });
  const vault = openVault(process.env.ACCOUNT_KEYS);
  process.stdout.write('ready ');
  for (;;) await rotateKeys(pool, vault, true);
`;

/** A process that makes new keys for ever, killed after so many milliseconds of that. */
async function killedAfter(ms: number): Promise<void> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', ROTATES], {
    env: { ...process.env, DATABASE_URL: server.database.appUrl, ACCOUNT_KEYS: KEYS },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  await new Promise((done) => setTimeout(done, ms));
  child.kill('SIGKILL');
  assert.equal((await ended)[1], 'SIGKILL', 'it was killed at work');
}

test(`whoever is there signs in, is named and is invited while ${KILLS} rotations are killed (SEED=${SEED})`, async () => {
  const keyIds = async (): Promise<string[]> =>
    (await server.database.owner.query('select key_id from encryption_keys order by 1')).rows.map(
      ({ key_id }) => key_id,
    );
  const before = await keyIds();
  let isOver = false;
  const done = { signIns: 0, looks: 0, invitations: 0 };
  const people = (async () => {
    while (!isOver) {
      const signedIn = await trySignIn(server, EMAIL, PASSWORD);
      assert.equal(signedIn.status, 200, JSON.stringify(signedIn.body));
      assert.equal(signedIn.body.user.email, EMAIL);
      done.signIns += 1;
      const me = await call(`${server.url}/v1/users/me`, 'GET', undefined, { ...owner.headers, ...OWN_PAGE });
      assert.equal(me.body.user.email, EMAIL);
      done.looks += 1;
      const wanted = { role: 'viewer', sites: ['default'], email: `late${done.invitations}@people.example` };
      const made = await call(`${server.url}/v1/invitations`, 'POST', wanted, admin);
      assert.equal(made.body.invitation?.email, wanted.email, JSON.stringify(made.body));
      done.invitations += 1;
    }
  })();
  try {
    for (let n = 0; n < KILLS; n += 1) await killedAfter(Math.floor(random() * 400));
  } finally {
    isOver = true;
  }
  await people;
  assert.ok(done.signIns >= KILLS, JSON.stringify(done));
  assert.notDeepEqual(await keyIds(), before, 'keys were changed meanwhile');
  // the next night ends what was left
  await server.database.owner.query("update encryption_keys set created_at = now() - interval '366 days'");
  const night = await call(`${server.url}/v1/admin/jobs/account_keys`, 'POST', {}, admin);
  assert.equal(night.body.run.result.unopened, 0);
  assert.equal((await keyIds()).length, 1);
  const listed = [];
  let cursor = '';
  do {
    const { body } = await call(`${server.url}/v1/invitations?limit=500${cursor}`, 'GET', undefined, admin);
    listed.push(...body.invitations.map(({ email }: { email: string }) => email));
    cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
  } while (cursor);
  assert.equal(new Set(listed).size, 300 + done.invitations);
  assert.ok(listed.every((email) => email?.endsWith('@people.example')));
});
