// Mails about accounts while the mail server is away, refuses, or comes back: none is lost, none leaves twice, none lies open.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:net';
import { after, before, test } from 'node:test';
import { until } from '../../../test/chromium.ts';
import { startMailServer } from '../../../test/mail-server.ts';
import { newOwner, trySignIn } from '../../../test/people.ts';
import { admin, call, startServer, type TestServer } from '../../../test/server.ts';
import { freePort } from '../../ground/db/embedded.ts';
import { type Delivered, openPost, type Post } from './post.ts';

const PASSWORD = 'rye, oats and a spoon';
const EMAIL = 'ada@people.example';
const settings = (url: string) => ({
  SMTP_URL: url,
  MAIL_FROM: 'accounts@marketing.example',
  PUBLIC_URL: 'https://marketing.example',
});
let server: TestServer;
before(async () => {
  server = await startServer(settings(`smtp://127.0.0.1:${await freePort()}`)); // nobody listens there
  await newOwner(server, EMAIL, PASSWORD);
});
after(() => server.end());

const rows = async (sql: string, values: unknown[] = []) =>
  (await server.database.owner.query(sql, values)).rows;
const waiting = async () =>
  (await rows('select kind from account_mails order by mail_id')).map(({ kind }) => kind);
const postAt = (url: string) => openPost(settings(url), server.services.accounts.vault(), server.services.db);
const dueNow = () => rows('update account_mails set due_at = now()');
/** What it does with the mail that waits; the API looks by itself as well, and may have put it off just now. */
async function handedBy(...posts: Post[]): Promise<Delivered> {
  const sum = { sent: 0, postponed: 0, givenUp: 0 };
  await until('it was looked at', async () => {
    await dueNow();
    for (const done of await Promise.all(posts.map((post) => post.deliver())))
      for (const name of ['sent', 'postponed', 'givenUp'] as const) sum[name] += done[name];
    return sum.sent + sum.postponed + sum.givenUp > 0;
  });
  return sum;
}

test('a mail of a new browser waits while the mail server is away, sealed, and is sent once when it is back', async () => {
  assert.equal((await trySignIn(server, EMAIL, PASSWORD)).status, 200, 'and nobody waits for the mail');
  await until(
    'it was tried',
    async () => (await rows('select from account_mails where attempts > 0')).length > 0,
  );
  assert.deepEqual(await waiting(), ['new_device']);
  const [row] = await rows('select m::text as line, due_at > now() as later from account_mails m');
  assert.ok(
    row.later &&
      !row.line.includes('people.example') &&
      !row.line.includes(Buffer.from(EMAIL).toString('hex')),
  );
  const mails = await startMailServer();
  const post = postAt(mails.url);
  assert.deepEqual(await post.deliver(), { sent: 0, postponed: 0, givenUp: 0 }, 'not before its time');
  assert.equal((await handedBy(post, postAt(mails.url))).sent, 1);
  assert.deepEqual(await waiting(), []);
  assert.equal(mails.mails.length, 1);
  assert.match(mails.mails[0]!, /new browser/);
  await post.close();
});

test('an invitation is kept with its link until it was taken; what the mail server refuses for good, and what is old, goes', async () => {
  const invite = () =>
    call(`${server.url}/v1/invitations`, 'POST', { role: 'viewer', email: 'guest@people.example' }, admin);
  const { body } = await invite();
  const later = postAt((await startMailServer('450 later')).url);
  assert.deepEqual(await handedBy(later), { sent: 0, postponed: 1, givenUp: 0 });
  const mails = await startMailServer();
  const post = postAt(mails.url);
  assert.equal((await handedBy(post)).sent, 1);
  assert.ok(mails.mails[0]!.replace(/=\n/g, '').replace(/=3D/g, '=').includes(body.link));
  await invite();
  const never = postAt((await startMailServer('550 no such person')).url);
  assert.deepEqual(await handedBy(never), { sent: 0, postponed: 0, givenUp: 1 });
  await invite();
  await rows("update account_mails set created_at = now() - interval '25 hours'");
  // the API's own look may come first, and gives it up as well
  await until('it is gone', async () => {
    await dueNow();
    await post.deliver();
    return (await waiting()).length === 0;
  });
  await invite();
  await rows("update account_mails set created_at = now() - interval '25 hours'");
  const none = openPost(
    { SMTP_URL: undefined, MAIL_FROM: undefined, PUBLIC_URL: undefined },
    null,
    server.services.db,
  );
  await none.deliver();
  assert.deepEqual(await waiting(), [], 'also where the mail server was taken away');
  assert.equal(mails.mails.length, 1);
  for (const one of [later, post, never]) await one.close();
});

test('a mail of what did not happen is none, and one of an account that is deleted goes with it', async () => {
  const { db, accounts } = server.services;
  const { inAccounts } = await import('./in-accounts.ts');
  const letter = { to: EMAIL, language: 'en', kind: 'failures' } as const;
  await inAccounts(db, async (tx) => {
    await accounts.post.send(tx, letter);
    throw new Error('it did not happen');
  }).catch(() => {});
  assert.deepEqual(await waiting(), []);
  const gone = await newOwner(server, 'gone@people.example', PASSWORD);
  await trySignIn(server, 'gone@people.example', PASSWORD);
  assert.deepEqual(await waiting(), ['new_device']);
  await call(`${server.url}/v1/users/${gone.userId}`, 'DELETE', undefined, admin);
  assert.deepEqual(await waiting(), []);
});

test('a mail server that hangs keeps nobody waiting who signs in', async () => {
  const silent: Server = createServer(() => {});
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  const { port } = silent.address() as { port: number };
  const own = await startServer(settings(`smtp://127.0.0.1:${port}`));
  try {
    await newOwner(own, EMAIL, PASSWORD);
    assert.equal((await trySignIn(own, EMAIL, PASSWORD)).status, 200);
    assert.equal((await own.database.owner.query('select from account_mails')).rowCount, 1);
  } finally {
    silent.close();
    await own.end();
  }
});
