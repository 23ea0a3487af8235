// The keys of personal data change under those who use them, and a keyring that is not the right one opens nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import { newId } from './ids.ts';
import { inAccounts } from './in-accounts.ts';
import { newKeyring } from './keyring.ts';
import { sealPerson, userEmail, userFullName } from './pii.ts';
import { insertUser, listUsers } from './queries.ts';
import { rotateKeys, SEALED } from './rotate.ts';

import { openVault, type Vault } from './vault.ts';

let database: TestDatabase;
before(async () => {
  database = await makeDatabase();
});
after(() => database.drop());

const first = newKeyring();
const rest = first.split(',').slice(1).join(',');
/** With another wrapping key in front. */
const second = `wrap:${'second-wrapping-key-'.repeat(2)},${first}`;
const vaultOf = (keys: string): Vault => openVault(keys)!;

async function join(vault: Vault, name: string): Promise<void> {
  await inAccounts(database.app, async (db) => {
    const userId = await newId(db);
    const person = await sealPerson(db, vault, userId, { email: `${name}@people.example`, fullName: name });
    await insertUser(db, {
      ...person,
      emailIndex: vault.indexOf(`${name}@people.example`),
      passwordPhc: null,
      language: 'en',
      timeZone: 'UTC',
    });
  });
}
const read = (vault: Vault) =>
  inAccounts(database.app, async (db) => {
    const names = [];
    for (const user of await listUsers(db, null, null, 1000))
      names.push(
        `${await userFullName(db, vault, user, MACHINE)} ${await userEmail(db, vault, user, MACHINE)}`,
      );
    return names.sort();
  });
const keyRows = async () =>
  (await database.owner.query('select key_id, wrapped_by from encryption_keys order by created_at')).rows;
const EXPECTED = ['ada ada@people.example', 'bob bob@people.example'];

test('every sealed column is among those that a rotation seals anew', () => {
  const said = Object.entries(tablesOf(FEATURES)).flatMap(([table, { columns }]) =>
    Object.entries(columns).flatMap(([name, column]) => (column === 'sealed' ? [`${table}.${name}`] : [])),
  );
  assert.deepEqual(SEALED.map(({ table, column }) => `${table}.${column}`).sort(), said.sort());
});

test('another keyring opens nothing, and one that holds the old key beside a new one opens everything', async () => {
  const vault = vaultOf(first);
  await join(vault, 'ada');
  await join(vault, 'bob');
  assert.deepEqual(await read(vaultOf(first)), EXPECTED);
  assert.deepEqual(await read(vaultOf(second)), EXPECTED);
  const stranger = vaultOf(`wrap:${'another-key-'.repeat(4)},${rest}`);
  assert.deepEqual(await read(stranger), ['null null', 'null null']);
  const { unopened, resealed } = await rotateKeys(database.app, stranger, false);
  assert.deepEqual([unopened, resealed], [4, 0]);
  assert.deepEqual(await read(vaultOf(first)), EXPECTED, 'and a rotation without the key destroys nothing');
});

test('a new wrapping key takes over, and then the old one is not needed any more', async () => {
  const old = vaultOf(first);
  assert.deepEqual(await read(old), EXPECTED);
  const { rewrapped } = await rotateKeys(database.app, vaultOf(second), true);
  assert.ok(rewrapped >= 1);
  const newRing = `${second.split(',')[0]},${rest}`;
  assert.deepEqual(await read(vaultOf(newRing)), EXPECTED);
  assert.deepEqual(
    await read(old),
    EXPECTED.map(() => 'null null'),
    'the old ring alone opens nothing of the new',
  );
});

test('a rotation gives every row the new key and ends the old one, also while people join', async () => {
  const vault = vaultOf(second);
  const before = (await keyRows()).map(({ key_id }) => key_id);
  const joining = (async () => {
    for (let i = 0; i < 12; i += 1) await join(vault, `guest${i}`);
  })();
  await rotateKeys(database.app, vaultOf(second), true);
  await joining;
  await rotateKeys(database.app, vaultOf(second), false);
  const after = (await keyRows()).map(({ key_id }) => key_id);
  assert.equal(after.length, 1);
  assert.ok(!before.includes(after[0]));
  const names = await read(vaultOf(second));
  assert.equal(names.length, 14);
  assert.ok(!names.some((name) => name.includes('null')));
  assert.equal((await read(vault)).length, 14, 'who had the old keys in memory finds the new one');
  await join(vault, 'late');
  assert.equal((await keyRows()).length, 1, 'and makes no key of its own');
});

test('a rotation that stopped at any step is finished by the next one', async () => {
  const fail = (at: number) => {
    let calls = 0;
    return new Proxy(database.app, {
      get(pool, name) {
        if (name !== 'connect') return Reflect.get(pool, name);
        calls += 1;
        if (calls > at) throw new Error('killed');
        return pool.connect.bind(pool);
      },
    });
  };
  const whole = (await read(vaultOf(second))).length;
  for (let step = 0; step < 7; step += 1) {
    await rotateKeys(fail(step), vaultOf(second), true).catch(() => {});
    assert.ok(!(await read(vaultOf(second))).some((name) => name.includes('null')), `step ${step}`);
  }
  await rotateKeys(database.app, vaultOf(second), false);
  assert.equal((await keyRows()).length, 1);
  assert.equal((await read(vaultOf(second))).length, whole);
});
