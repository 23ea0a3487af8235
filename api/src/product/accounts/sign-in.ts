// Signing in with a password, and proving again who one is. An address without an account costs the same time and gets the
// same answer.
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Address } from '../../ground/lib/email.ts';
import type { Accounts } from './accounts.ts';
import { failuresOf, noteAuth, noteRefusal, SECOND_MISSING, TOO_MANY } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { findUser, findUserByIndex, type User } from './queries.ts';
import { type As, type Begun, beginSession, knownDevice, proveSession } from './sessions.ts';
import { type SecondFactor, useSecondFactor } from './totp.ts';

export interface SignIn extends SecondFactor {
  email: Address;
  password: string;
  keep: boolean;
  as: As;
}

const FAILURES_TOLD = 5;
const NOBODY = '00000000-0000-0000-0000-000000000000';

const wrong = () => new AppError('unauthorized', 'The address, the password or the code is not right.');
const needsSecond = () =>
  new AppError(
    'second_factor_required',
    'This account has a second factor. Send the code of the app as code, or a recovery code as recoveryCode; or use a passkey.',
  );
const wrongOf = ({ recoveryCode }: SecondFactor) => (recoveryCode ? 'recovery' : 'totp');
const hasNone = ({ code, recoveryCode }: SecondFactor) => !code && !recoveryCode;

/**
 * Notes it, and tells whose account it is at the fifth within a quarter of an hour. Where there is no account the same is asked of
 * the database, and the mail is written after the answer, so that the time says no more than the words.
 */
async function fail(accounts: Accounts, call: Call, user: User | null, method: string): Promise<never> {
  const { db, post, log } = accounts;
  const failures = await inAccounts(db, async (tx) => {
    const userId = user?.userId ?? null;
    const what = { kind: 'sign_in', outcome: 'failed', method } as const;
    await noteAuth(tx, { ...what, userId, actor: 'nobody', requestId: call.id });
    return failuresOf(tx, userId ?? NOBODY, FAILURES_TOLD);
  });
  if (user && failures === FAILURES_TOLD)
    setImmediate(() => {
      inAccounts(db, (tx) => post.tell(tx, user, 'failures')).catch((err) =>
        log.error({ err, requestId: call.id }, 'a mail about failed sign-ins could not be written'),
      );
    });
  throw wrong();
}

/**
 * throws  unauthorized; second_factor_required, when the password was right and only that is missing; rate_limited;
 *         unavailable while too many wait for their turn
 */
export async function signIn(accounts: Accounts, call: Call, given: SignIn): Promise<{ user: User } & Begun> {
  const { db, hasher, guard } = accounts;
  const vault = accounts.vault();
  const emailIndex = vault.indexOf(given.email.normalized);
  const device = knownDevice(call, accounts, emailIndex);
  const tried = { kind: 'sign_in', actor: 'nobody', requestId: call.id } as const;
  const { wasRight, known, fits } = await hasher().placed(async (verify) => {
    const right = await guard.attempt({
      network: call.client.limitKey,
      account: emailIndex.toString('base64url'),
      device,
      async refused() {
        const whose = await inAccounts(db, (tx) => findUserByIndex(tx, emailIndex));
        await noteRefusal(db, { ...tried, method: TOO_MANY, userId: whose?.userId ?? null });
      },
    });
    const user = await inAccounts(db, (tx) => findUserByIndex(tx, emailIndex));
    return { wasRight: right, known: user, fits: await verify(given.password, user?.passwordPhc ?? null) };
  });
  if (!fits || !known || known.disabledAt) return fail(accounts, call, known, 'password');
  if (known.hasSecondFactor && hasNone(given)) {
    await wasRight();
    await noteRefusal(db, { ...tried, method: SECOND_MISSING, userId: known.userId });
    throw needsSecond();
  }
  const done = await inAccounts(db, async (tx) => {
    // who was disabled, or left, while the password was looked at
    const user = await findUser(tx, known.userId, true);
    if (!user || user.disabledAt) throw wrong();
    const second = user.hasSecondFactor ? await useSecondFactor(tx, vault, user, given) : 'none';
    if (!second) return null;
    const begun = await beginSession(tx, accounts, call, {
      userId: user.userId,
      emailIndex,
      keep: given.keep,
      as: given.as,
    });
    const method = second === 'none' ? 'password' : `password ${second}`;
    await noteAuth(tx, { kind: 'sign_in', method, userId: user.userId, requestId: call.id });
    if (!device) await accounts.post.tell(tx, user, 'new_device');
    return { user, ...begun };
  });
  if (!done) return fail(accounts, call, known, wrongOf(given));
  await wasRight();
  return done;
}

/** By all that signing in asks for. throws  forbidden, second_factor_required, rate_limited, unavailable */
export async function prove(
  accounts: Accounts,
  call: Call,
  given: { password: string } & SecondFactor,
): Promise<Begun & { user: User }> {
  const { db, hasher, guard } = accounts;
  const { userId, sessionId } = call.caller.person!;
  const user = (await inAccounts(db, (tx) => findUser(tx, userId)))!;
  const tried = { kind: 'proof', userId, requestId: call.id } as const;
  if (user.hasSecondFactor && hasNone(given)) {
    await noteRefusal(db, { ...tried, method: SECOND_MISSING });
    throw needsSecond();
  }
  const { wasRight, fits } = await hasher().placed(async (verify) => {
    const right = await guard.attempt({
      network: call.client.limitKey,
      account: userId,
      device: `session ${sessionId}`,
      refused: () => noteRefusal(db, { ...tried, method: TOO_MANY }),
    });
    return { wasRight: right, fits: await verify(given.password, user.passwordPhc) };
  });
  const begun = await inAccounts(db, async (tx) => {
    const second = !fits
      ? null
      : user.hasSecondFactor
        ? await useSecondFactor(tx, accounts.vault(), user, given)
        : 'none';
    const renewed = second && (await proveSession(tx, accounts, call, sessionId));
    if (renewed)
      await noteAuth(tx, { ...tried, method: second === 'none' ? 'password' : `password ${second}` });
    else await noteAuth(tx, { ...tried, outcome: 'failed', method: fits ? wrongOf(given) : 'password' });
    return renewed;
  });
  if (!begun) throw new AppError('forbidden', 'The password or the code is not right.');
  await wasRight();
  return { user, ...begun };
}
