// The keys of personal data change under those who use them, and a keyring that is not the right one opens nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { newOwner, trySignIn } from '../../../test/people.ts';
import { admin, call, startServer } from '../../../test/server.ts';
import { FEATURES, tablesOf } from '../../features.ts';
import { MACHINE } from '../../ground/http/caller.ts';
import { putSecret } from '../integrations/secrets.ts';
import { keepAddress } from '../mail-reports/addresses.ts';
import { insertSecret } from '../webhooks/secrets.ts';
import { insertTotp } from './factor-queries.ts';
import { newId } from './ids.ts';
import { inAccounts } from './in-accounts.ts';
import { newKeyring } from './keyring.ts';
import { makeInvitation } from './links.ts';
import { insertMail } from './mail-queries.ts';
import { sealPerson, userEmail, userFullName } from './pii.ts';
import { insertUser, listUsers } from './queries.ts';
import { rotateKeys, SEALED } from './rotate.ts';
import { placeOfTotp } from './totp.ts';
import { openVault, type Sealed, type Vault } from './vault.ts';

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

/** One of each thing that is sealed, as its own room seals it; people are there already. */
async function sealOfEach(vault: Vault): Promise<void> {
  const { rows } = await database.owner.query("insert into sites (key) values ('mill') returning site_id");
  const siteId: string = rows[0].site_id;
  const made = await database.owner.query(
    `with i as (insert into integrations (site_id, kind, made_by) values ($1, 'generic', 'test') returning integration_id),
       r as (insert into mail_recipients (site_id, language, link_key) values ($1, 'en', 'key') returning recipient_id),
       w as (insert into webhooks (site_id, kind, url, types, made_by) values ($1, 'endpoint', 'https://x.example', '{lead.captured}', 'test') returning webhook_id)
     select integration_id, webhook_id, recipient_id, (select user_id from users limit 1) as user_id from i, w, r`,
    [siteId],
  );
  const {
    integration_id: integrationId,
    webhook_id: webhookId,
    user_id: userId,
    recipient_id: recipientId,
  } = made.rows[0];
  await inAccounts(database.app, async (db) => {
    const factorId = await newId(db);
    await insertTotp(db, userId, factorId, await vault.seal(db, 'a secret of codes', placeOfTotp(factorId)));
    const owner = { role: 'owner', siteIds: null, madeBy: 'test' } as const;
    await makeInvitation(db, vault, { email: 'invited@people.example', ...owner });
    const mail = { kind: 'new_device', language: 'en', userId } as const;
    await insertMail(db, mail, (mailId) => vault.seal(db, 'a mail', `account_mails.sealed ${mailId}`));
    await putSecret(db, vault, siteId, integrationId, 'a secret of a shop');
    await insertSecret(db, vault, siteId, webhookId, 'a secret of an endpoint');
    await keepAddress(db, vault, siteId, recipientId, 'reader@people.example');
  });
}
/** What stands in every sealed column, opened; null: it does not open. */
const opened = (vault: Vault): Promise<Record<string, (string | null)[]>> =>
  inAccounts(database.app, async (db) => {
    const all: Record<string, (string | null)[]> = {};
    for (const { table, id, column, key } of SEALED) {
      const { rows } = await db.query<Sealed & { id: string }>(
        `select ${id} as id, ${column} as sealed, ${key} as "keyId" from ${table} where ${key} is not null order by ${id}`,
      );
      const texts = [];
      for (const row of rows) texts.push(await vault.open(db, row, `${table}.${column} ${row.id}`));
      all[`${table}.${column}`] = texts;
    }
    return all;
  });

test('a rotation that stopped at any step leaves everything that is sealed readable, and is finished by the next one', async () => {
  /** Dies at the transaction after so many. */
  const dying = (after: number) => {
    let begun = 0;
    return new Proxy(database.app, {
      get(pool, name) {
        if (name !== 'connect') return Reflect.get(pool, name);
        begun += 1;
        if (begun > after) throw new Error('killed');
        return pool.connect.bind(pool);
      },
    });
  };
  await sealOfEach(vaultOf(second));
  const whole = await opened(vaultOf(second));
  for (const [column, texts] of Object.entries(whole))
    assert.ok(texts.length > 0 && !texts.includes(null), `${column}: ${texts.length}`);
  let step = 0;
  for (let isDone = false; !isDone; step += 1) {
    isDone = await rotateKeys(dying(step), vaultOf(second), true).then(
      () => true,
      ({ message }: Error) => {
        assert.equal(message, 'killed');
        return false;
      },
    );
    assert.deepEqual(await opened(vaultOf(second)), whole, `step ${step}`);
  }
  assert.ok(step > SEALED.length, `${step} steps`);
  assert.equal((await keyRows()).length, 1, 'the one that was not stopped ended the keys of all before');
});

test('the nightly job makes a new key once a year, seals everything anew with it, and who signs in notices nothing', async (t) => {
  const server = await startServer({ ACCOUNT_KEYS: newKeyring() });
  t.after(() => server.end());
  const [email, password] = ['ida@people.example', 'rye, oats and a spoon'];
  const { headers } = await newOwner(server, email, password);
  const night = async (daysOld: number) => {
    const sql = 'update encryption_keys set created_at = now() - make_interval(days => $1)';
    await server.database.owner.query(sql, [daysOld]);
    const { status, body } = await call(`${server.url}/v1/admin/jobs/account_keys`, 'POST', {}, admin);
    assert.equal(status, 200, JSON.stringify(body));
    return body.run.result;
  };
  const keyIds = async () =>
    (await server.database.owner.query('select key_id from encryption_keys')).rows.map((row) => row.key_id);
  const before = await keyIds();
  const nothing = { rewrapped: 0, renewed: false, resealed: 0, unopened: 0, ended: 0 };
  assert.deepEqual(await night(364), nothing);
  assert.deepEqual(await keyIds(), before);
  assert.deepEqual(await night(366), { ...nothing, renewed: true, resealed: 2, ended: 1 });
  const after = await keyIds();
  assert.equal(after.length, 1);
  assert.notDeepEqual(after, before);
  assert.deepEqual(await night(1), nothing);
  assert.equal((await trySignIn(server, email, password)).status, 200);
  assert.equal((await call(`${server.url}/v1/users/me`, 'GET', undefined, headers)).body.user.email, email);
});
