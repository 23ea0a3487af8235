// Owners who may not do everything: what is missing is said before anything is begun, with what to grant.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { PEPPER, startCluster } from '../../../test/cluster.ts';
import { readConfig } from '../../config.ts';
import { type Running, start } from '../../main.ts';
import { makeLog } from '../lib/log.ts';
import { refusePowerless } from './privileges.ts';

const log = makeLog('silent');
// as a managed server may be run, whose disks are another's care
const NO_FULL_PAGES = { full_page_writes: 'off' };
let cluster: Awaited<ReturnType<typeof startCluster>>;
let folder: string;
before(async () => {
  cluster = await startCluster(NO_FULL_PAGES);
  folder = mkdtempSync(join(tmpdir(), 'marketing-privileges-'));
});
after(async () => {
  await cluster.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function asAdministrator(database: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client(cluster.url(database));
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}
function urlOf(role: string, database: string): string {
  const url = new URL(cluster.url(database));
  url.username = role;
  url.password = 'secret';
  return url.href;
}
/** A role and a database of its own, in which it may do what is said. */
async function makeOwner(name: string, attributes = '', owns = true): Promise<string> {
  await asAdministrator('postgres', `create role ${name} login password 'secret' ${attributes}`);
  await asAdministrator('postgres', `create database ${name}${owns ? ` owner ${name}` : ''}`);
  return urlOf(name, name);
}
const startAs = (settings: Record<string, string>): Promise<Running> =>
  start(readConfig({ DATA_DIR: folder, PORT: '0', IP_HASH_PEPPER: PEPPER, JOBS: 'off', ...settings }), log);

test('each thing an owner may not do is a sentence that says what to grant', async () => {
  const alone = { isAppNamed: false, backsUp: true };
  const nothing = await makeOwner('nothing', '', false);
  await assert.rejects(refusePowerless(nothing, alone), ({ message }: Error) => {
    for (const grant of [
      'alter database nothing owner to nothing',
      'create role marketing_app login',
      'alter role nothing bypassrls',
      'alter role nothing createdb',
    ])
      assert.ok(message.replaceAll('"', '').includes(grant), `${grant} in: ${message}`);
    return true;
  });
  await refusePowerless(await makeOwner('everything', 'createrole createdb bypassrls'), alone);
  await refusePowerless(cluster.url(), alone);
});

test('an owner of nothing but the database serves, when the role is there and backups are another’s', async () => {
  const DATABASE_URL = await makeOwner('plain');
  await asAdministrator('postgres', "create role marketing_app login password 'secret'");
  const settings = { DATABASE_URL, BACKUPS: 'off' };
  await assert.rejects(startAs(settings), /name that role with its password in DATABASE_APP_URL/);
  const DATABASE_APP_URL = urlOf('marketing_app', 'plain');
  await assert.rejects(startAs({ ...settings, DATABASE_APP_URL }), /full_page_writes is off/);
  const whole = { ...settings, DATABASE_APP_URL, STORAGE: 'managed' };
  const running = await startAs(whole);
  assert.equal(
    running.services.runner.jobs.find(({ name }) => name === 'backup')!.cron,
    null,
    'no backup by the clock',
  );
  await running.stop();
  await assert.rejects(
    startAs({ ...whole, IP_HASH_PEPPER: 'another pepper than before' }),
    /IP_HASH_PEPPER is not the one that this database was made with/,
  );
});
