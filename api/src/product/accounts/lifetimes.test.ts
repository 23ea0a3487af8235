// How long each thing lives that lets somebody in: read off the rows that are made, against what the documents promise.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  emailToken,
  newOwner,
  resetToken,
  type SignedIn,
  setupToken,
  trySignIn,
} from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { inAccounts } from './in-accounts.ts';
import { makeResetLink } from './links.ts';

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
const EMAIL = 'ada@people.example';
const PASSWORD = 'rye, oats and a spoon';
let server: TestServer;
let ada: SignedIn;
before(async () => {
  server = await startServer({ PUBLIC_URL: 'https://marketing.example' });
  ada = await newOwner(server, EMAIL, PASSWORD);
});
after(() => server.end());

const post = (path: string, body: unknown) => call(`${server.url}${path}`, 'POST', body, admin);
const signIn = (keep: boolean) => trySignIn(server, EMAIL, PASSWORD, { keep });

/** What is made, in which table it stands, and how many seconds it lives. */
const LIVES: Record<string, { make: () => Promise<unknown>; table: string; life: number; idle?: number }> = {
  'a link of the machine for the first owner': {
    make: () => setupToken(server),
    table: 'one_time_links',
    life: DAY,
  },
  'an invitation': {
    make: () => post('/v1/invitations', { role: 'viewer' }),
    table: 'one_time_links',
    life: 7 * DAY,
  },
  'a link by mail for a new password': {
    make: () => inAccounts(server.services.db, (tx) => makeResetLink(tx, ada.userId, 'nobody')),
    table: 'one_time_links',
    life: 10 * MINUTE,
  },
  'a link of the machine for a new password': {
    make: () => resetToken(server, EMAIL),
    table: 'one_time_links',
    life: HOUR,
  },
  'a link for a new address': {
    make: () => emailToken(server, ada.userId, 'else@people.example'),
    table: 'one_time_links',
    life: HOUR,
  },
  'a session': { make: () => signIn(false), table: 'user_sessions', life: 7 * DAY, idle: 8 * HOUR },
  'a session that is kept': {
    make: () => signIn(true),
    table: 'user_sessions',
    life: 30 * DAY,
    idle: 14 * DAY,
  },
  'a key of a program': {
    make: () => post('/v1/keys', { name: 'x', scopes: ['read'] }),
    table: 'api_keys',
    life: 365 * DAY,
  },
  'a shared view': {
    make: () => post('/v1/sites/default/shares', { name: 'the board', views: ['summary'] }),
    table: 'shares',
    life: 30 * DAY,
  },
};

test('everything that lets somebody in ends when it is said to', async () => {
  const { owner } = server.database;
  for (const [what, { make, table, life, idle }] of Object.entries(LIVES)) {
    await make();
    const { rows } = await owner.query(
      `select extract(epoch from expires_at - created_at)::float as life, ${idle === undefined ? 'null' : 'idle_minutes * 60'} as idle
       from ${table} order by created_at desc limit 1`,
    );
    // a share counts from when it was asked for, a moment before its row is there
    assert.ok(Math.abs(rows[0].life - life) < MINUTE, `${what}: ${rows[0].life} s, not ${life}`);
    assert.equal(rows[0].idle, idle ?? null, what);
  }
});
