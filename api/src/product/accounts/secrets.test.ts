// What stands sealed or hashed, and what it costs to guess: without a server.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { AppError } from '../../ground/lib/app-error.ts';
import { FAILURES_MAX, makeGuard } from './guard.ts';
import { makeHasher } from './hasher.ts';
import { newKeyring, readKeyring } from './keyring.ts';
import { refuseCommon } from './passwords.ts';
import { seal, unseal } from './seal.ts';

test('what is sealed opens with its key at its place only, and a changed byte closes it', () => {
  const key = randomBytes(32);
  const place = 'users.email_encrypted 1';
  const sealed = seal(key, Buffer.from('ada@example.com'), place);
  assert.equal(unseal(key, sealed, place)?.toString(), 'ada@example.com');
  assert.equal(unseal(key, sealed, 'users.email_encrypted 2'), null, 'moved to another row');
  assert.equal(unseal(key, sealed, 'users.full_name_encrypted 1'), null, 'moved to another column');
  assert.equal(unseal(randomBytes(32), sealed, place), null);
  for (let i = 0; i < sealed.length; i += 1) {
    const changed = Buffer.from(sealed);
    changed[i]! ^= 1;
    assert.equal(unseal(key, changed, place), null, `byte ${i}`);
  }
  for (const length of [0, 11, 28, sealed.length - 1])
    assert.equal(unseal(key, sealed.subarray(0, length), place), null, `${length} bytes`);
  assert.notDeepEqual(
    seal(key, Buffer.from('ada@example.com'), place),
    sealed,
    'a nonce of its own each time',
  );
});

test('each part of a keyring is its own secret, and the first wrapping key is the one in use', () => {
  const text = newKeyring();
  const ring = readKeyring(text);
  assert.equal(new Set([ring.wrapping[0].key, ring.pepper].map((one) => one.toString('hex'))).size, 2);
  assert.notDeepEqual(ring.index('email', 'a'), ring.index('device', 'a'));
  const rotated = readKeyring(`wrap:${'n'.repeat(40)},${text}`);
  assert.equal(rotated.wrapping.length, 2);
  assert.notEqual(rotated.wrapping[0].fingerprint, ring.wrapping[0].fingerprint);
  assert.equal(rotated.wrapping[1]!.fingerprint, ring.wrapping[0].fingerprint);
  assert.deepEqual(rotated.index('email', 'a'), ring.index('email', 'a'));
});

test('a hash fits its password and pepper and nothing else; nobody’s hash fits nothing', async () => {
  const hasher = makeHasher(Buffer.from('a pepper of thirty-two characters'));
  const phc = await hasher.hash('correct horse battery');
  assert.match(phc, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  assert.equal(await hasher.verify('correct horse battery', phc), true);
  assert.equal(await hasher.verify('correct horse battery ', phc), false);
  assert.equal(await hasher.verify('correct horse battery', null), false);
  const other = makeHasher(Buffer.from('another pepper of thirty-two char'));
  assert.equal(await other.verify('correct horse battery', phc), false);
});

test('of two thousand passwords at once one is looked at, eight wait, and the others are told to come back', async () => {
  const hasher = makeHasher(Buffer.from('a pepper of thirty-two characters'));
  let most = 0;
  const asked = Array.from({ length: 2000 }, () =>
    hasher.verify('whatever it is', null).then(
      () => {
        most = Math.max(most, hasher.depth.running);
        return 'looked at';
      },
      (error: AppError) => `${error.code} ${error.retryAfterSeconds}`,
    ),
  );
  assert.deepEqual(hasher.depth, { running: 1, waiting: 8 });
  const answers = await Promise.all(asked);
  const count = (what: string) => answers.filter((answer) => answer === what).length;
  assert.deepEqual([count('looked at'), count('unavailable 3'), most], [9, 1991, 1]);
  assert.deepEqual(hasher.depth, { running: 0, waiting: 0 });
  assert.equal(await hasher.verify('and afterwards', null), false, 'the place is free again');
});

test('a place is taken before anything is looked up for whoever comes, and given back when that fails', async () => {
  const hasher = makeHasher(Buffer.from('a pepper of thirty-two characters'));
  const { promise: lookedUp, resolve: found } = Promise.withResolvers<string>();
  let begun = 0;
  const asked = Array.from({ length: 100 }, () =>
    hasher.placed(async (verify) => {
      begun += 1;
      return verify('whatever it is', await lookedUp);
    }),
  );
  assert.equal(begun, 9);
  assert.throws(() => hasher.mustHavePlace(), { code: 'unavailable' });
  found('not a hash');
  const answers = await Promise.allSettled(asked);
  assert.ok(answers.every(({ status }) => status === 'rejected'));
  hasher.mustHavePlace();
  assert.deepEqual(hasher.depth, { running: 0, waiting: 0 });
});

test('a failing hash gives its place back', async () => {
  const hasher = makeHasher(Buffer.from('a pepper of thirty-two characters'));
  await assert.rejects(hasher.verify('x', 'not a hash'));
  await assert.rejects(hasher.verify('x', 'not a hash'));
  assert.deepEqual(hasher.depth, { running: 0, waiting: 0 });
});

test('any twelve characters make a password, but not the ones that everybody tries', () => {
  const names = ['The Bakery', 'bakery', 'www.bakery.example'];
  const isTaken = (typed: string) => {
    try {
      refuseCommon(typed, names, 'password');
      return true;
    } catch (error) {
      assert.ok(error instanceof AppError && error.issues?.[0]?.path === 'password');
      return false;
    }
  };
  for (const typed of [
    'password1234',
    'PASSWORD12345678',
    'passwordpassword',
    'qwertyuiop123!',
    'letmein2024!!',
    '111111111111',
    'abcabcabcabc',
    '123456789012',
    '210987654321',
    'thebakery1234',
    'The Bakery 2026',
    'bakery.......',
    'wwwbakeryexample',
  ])
    assert.equal(isTaken(typed), false, typed);
  for (const typed of [
    'correct horse battery',
    '394857203948',
    'ÄÖÜ ß ñ 漢字漢字 ok',
    '            a  b',
    'bakery of my aunt',
    '🥖🥐🥨🥯🥞🧇🍞🥖🥐🥨🥯🥞',
  ])
    assert.equal(isTaken(typed), true, typed);
});

test('who guesses is stopped after five tries, also many at once; a browser that was here before is not', async () => {
  const guard = makeGuard(true);
  const from = (network: string, device: string | null = null) => ({ network, account: 'ada', device });
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => guard.attempt(from('there'))));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, FAILURES_MAX.pair);
  await assert.rejects(guard.attempt(from('there')), (error: AppError) => error.code === 'rate_limited');
  await guard.attempt(from('there', 'her laptop'));
  await guard.attempt(from('elsewhere'));
  for (let i = 0; i < 200; i += 1) await guard.attempt(from(`network ${i}`)).catch(() => {});
  await assert.rejects(guard.attempt(from('a new one')), 'the account itself has a limit');
  const wasRight = await guard.attempt(from('there', 'her laptop'));
  await wasRight();
  for (let i = 0; i < FAILURES_MAX.device - 1; i += 1) await guard.attempt(from('there', 'her laptop'));
  await assert.rejects(
    guard.attempt(from('there', 'her laptop')),
    'a stolen browser guesses no more than others',
  );
});

test('a password that was right does not count', async () => {
  const guard = makeGuard(true);
  for (let i = 0; i < 20; i += 1) {
    const wasRight = await guard.attempt({ network: 'here', account: 'ada', device: null });
    await wasRight();
  }
});

test('the first try that is refused is told, once until tries are looked at again, and others’ on their own', async () => {
  let now = 0;
  const guard = makeGuard(true, () => now);
  const told: string[] = [];
  const tries = async (account: string, count: number) => {
    const refused = async () => void told.push(account);
    for (let i = 0; i < count; i += 1)
      await guard.attempt({ network: 'there', account, device: null, refused }).catch(() => {});
  };
  await tries('ada', FAILURES_MAX.pair);
  assert.deepEqual(told, []);
  await tries('ada', 10);
  await tries('bob', FAILURES_MAX.pair + 10);
  assert.deepEqual(told, ['ada', 'bob']);
  now = 15 * 60_000;
  await tries('ada', FAILURES_MAX.pair + 10);
  assert.deepEqual(told, ['ada', 'bob', 'ada'], 'and again when that window is full too');
});
