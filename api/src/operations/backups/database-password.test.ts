// Another password for the owner of the database: the old one opens nothing any more, and a change that was cut off is ended.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import pg from 'pg';
import { makeDatabase, type TestDatabase } from '../../../test/database.ts';
import { changePassword } from './database-password.ts';

let database: TestDatabase;
const role = `owner_${randomBytes(6).toString('hex')}`;
const [first, second] = ['first-password-of-the-owner', 'second-password_of-the-owner'];
before(async () => {
  database = await makeDatabase();
  await database.owner.query(`create role ${role} login password '${first}'`);
});
after(async () => {
  await database.owner.query(`drop role ${role}`);
  await database.drop();
});
const urlWith = (password: string) => {
  const url = new URL(database.ownerUrl);
  url.username = role;
  url.password = password;
  return url.href;
};
const opens = async (password: string) => {
  const client = new pg.Client(urlWith(password));
  return client.connect().then(
    () => client.end().then(() => true),
    () => false,
  );
};

test('the new password opens the database and the old one does not; said twice, nothing more is done', async () => {
  assert.equal(await changePassword(urlWith(first), second), true);
  assert.deepEqual([await opens(first), await opens(second)], [false, true]);
  assert.equal(
    await changePassword(urlWith(first), second),
    false,
    'what was cut off before its end is ended',
  );
});

test('a password that is short or could be read in two ways is refused', async () => {
  for (const weak of ['', 'short', `${second} `, `${second}é`, `${second}'`])
    await assert.rejects(changePassword(urlWith(second), weak), /24 characters/);
  assert.equal(await opens(second), true);
});
