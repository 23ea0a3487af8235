// What is kept of people who sign in, and that a restore brings nobody back: seven years of their sign-ins, 90 days of the
// failed ones, and a whole database from before an account was deleted.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeAuthenticator } from '../../../test/authenticator.ts';
import { PEPPER } from '../../../test/cluster.ts';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { addPasskey, addTotp, newOwner, passkeyOptions, signIn, trySignIn } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { makePool } from '../../ground/db/pool.ts';
import { makeLog } from '../../ground/lib/log.ts';
import { forgetAgain } from '../erasure/forget-again.ts';
import { newKeyring } from './keyring.ts';

const PASSWORD = 'rye, oats and a spoon';
const folder = mkdtempSync(join(tmpdir(), 'marketing-kept-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a sign-in is kept for seven years, and a failed one for 90 days', async (t) => {
  const server = await startServer();
  t.after(() => server.end());
  const { owner } = server.database;
  await newOwner(server, 'ada@people.example', PASSWORD);
  await signIn(server, 'ada@people.example', PASSWORD);
  assert.equal((await trySignIn(server, 'ada@people.example', `${PASSWORD}s`)).status, 401);
  const left = async (): Promise<Record<string, number>> => {
    const { rows } = await owner.query(
      "select outcome, count(*)::int as n from auth_events where kind = 'sign_in' group by 1",
    );
    return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]));
  };
  const night = async (dryRun = false) => {
    const { body } = await call(`${server.url}/v1/admin/jobs/purge`, 'POST', { dryRun }, admin);
    return [body.run.result.rows.failedSignIns, body.run.result.rows.signIns > 0];
  };
  const YEARS_7 = 7 * 365;
  for (const [days, ended, stays] of [
    [89, [0, false], { done: 1, failed: 1 }],
    [2, [1, false], { done: 1 }],
    [YEARS_7 - 91 - 2, [0, false], { done: 1 }],
    [6, [0, true], {}],
  ] as const) {
    // only these rows: a night after seven years without one would look at each of their days
    await owner.query('update auth_events set at = at - make_interval(days => $1)', [days]);
    assert.deepEqual(await night(true), ended, `said before, after ${days} days more`);
    assert.deepEqual(await night(), ended);
    assert.deepEqual(await left(), stays);
  }
});

/** Every row of a database, as a backup holds it and a restore brings it back beside the one that serves. */
async function copyOf(database: TestDatabase): Promise<TestDatabase> {
  const name = `${new URL(database.ownerUrl).pathname.slice(1)}_restored`;
  const there = new URL(database.ownerUrl);
  const at = (url: string) => Object.assign(new URL(url), { pathname: `/${name}` }).href;
  there.pathname = '/postgres';
  const options = { connectionsMax: 2, statementTimeoutMs: 60_000, log: makeLog('silent') };
  const server = makePool(there.href, { name: 'copy', ...options });
  await server.query(`create database ${name} template ${new URL(database.ownerUrl).pathname.slice(1)}`);
  const owner = makePool(at(database.ownerUrl), { name: 'copy-owner', ...options });
  const app = makePool(at(database.appUrl), { name: 'copy-app', ...options });
  return {
    ownerUrl: at(database.ownerUrl),
    appUrl: at(database.appUrl),
    owner,
    app,
    async drop() {
      await Promise.all([owner.end(), app.end()]);
      await server.query(`drop database ${name} with (force)`);
      await server.end();
    },
  };
}

test('an account that was deleted after the backup is nobody’s in the database that was restored', async (t) => {
  const [gone, stays] = ['gone@people.example', 'stays@people.example'];
  const settings = { DATA_DIR: folder, PUBLIC_URL: 'https://marketing.example' };
  const database = await makeDatabase();
  const device = makeAuthenticator(settings.PUBLIC_URL);
  let server: TestServer = await startServer(settings, database);
  t.after(() => server.stop());
  await newOwner(server, stays, PASSWORD);
  const leaver = await newOwner(server, gone, PASSWORD);
  await addTotp(server, leaver);
  await addPasskey(server, leaver, device);
  const { userId } = leaver;
  await server.stop();
  await Promise.all([database.owner.end(), database.app.end()]); // a database is copied when nobody is in it
  const restored = await copyOf(database);
  t.after(() => restored.drop());
  const since = new Date().toISOString();

  server = await startServer(settings, database);
  const signedIn = { ...leaver.headers };
  assert.equal((await call(`${server.url}/v1/users/me`, 'DELETE', undefined, signedIn)).status, 200);
  const journal = server.services.accounts.forgetJournal;
  await server.stop();

  const held = (table: string) =>
    restored.owner
      .query(`select count(*)::int as n from ${table} where user_id = $1`, [userId])
      .then(({ rows }) => rows[0].n as number);
  const TABLES = ['users', 'user_factors', 'passkeys', 'user_sessions'];
  for (const table of TABLES) assert.ok((await held(table)) > 0, `${table}: the backup holds them`);
  const again = { journal, since, pepper: PEPPER, tables: tablesOf(FEATURES) };
  assert.deepEqual(await forgetAgain(restored.app, again), { erased: 1, withdrawn: 0, unknown: 0 });

  server = await startServer(settings, restored);
  for (const table of TABLES) assert.equal(await held(table), 0, table);
  assert.equal((await trySignIn(server, gone, PASSWORD)).status, 401);
  const response = device.use(await passkeyOptions(server));
  const page = { 'sec-fetch-site': 'same-origin' };
  assert.equal((await call(`${server.url}/v1/auth/passkey`, 'POST', { response }, page)).status, 401);
  assert.equal((await trySignIn(server, stays, PASSWORD)).status, 200);
});

test('a database that was restored beside another keyring, or none, is served, says so, and takes a new owner', async (t) => {
  const [before, now] = ['before@people.example', 'now@people.example'];
  const database = await makeDatabase();
  const first = await startServer({}, database);
  const { userId } = await newOwner(first, before, PASSWORD);
  await first.stop();
  await Promise.all([database.owner.end(), database.app.end()]); // a database is copied when nobody is in it
  const restored = await copyOf(database);
  t.after(() => restored.drop());
  const lines: string[] = [];
  const log = makeLog('error', { write: (line) => void lines.push(line) });
  const from = (settings: Record<string, string>) => startServer(settings, restored, log);
  const users = async (server: TestServer) => {
    const { status, body } = await call(`${server.url}/v1/users`, 'GET', undefined, admin);
    assert.equal(status, 200, JSON.stringify(body));
    return body.users.map(({ email }: { email: string | null }) => email);
  };

  const without = await from({ ACCOUNT_KEYS: '' });
  assert.match(lines.join(''), /ACCOUNT_KEYS is not set.*scripts\/setup-link/);
  assert.equal((await call(`${without.url}/v1/healthz`)).status, 200);
  assert.equal((await trySignIn(without, before, PASSWORD)).status, 503);
  await without.stop();

  lines.length = 0;
  const other = await from({ ACCOUNT_KEYS: newKeyring() });
  assert.match(lines.join(''), /"unopened":1.*put the one of then back.*scripts\/setup-link/);
  assert.equal((await trySignIn(other, before, PASSWORD)).status, 401);
  await newOwner(other, now, PASSWORD);
  assert.equal((await trySignIn(other, now, PASSWORD)).status, 200);
  assert.deepEqual(await users(other), [now, null], 'whoever was here before is seen, and not who they are');
  const remove = await call(`${other.url}/v1/users/${userId}`, 'DELETE', undefined, admin);
  assert.equal(remove.status, 200, 'and can be removed');
  await other.stop();
});
