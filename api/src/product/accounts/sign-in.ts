// Signing in with a password, and proving again who one is. An address without an account costs the same time and gets the
// same answer.
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Address } from '../../ground/lib/email.ts';
import type { Accounts } from './accounts.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { findUser, findUserByIndex, type User } from './queries.ts';
import { type Begun, beginSession, knownDevice, proveSession } from './sessions.ts';

export interface SignIn {
  email: Address;
  password: string;
  keep: boolean;
}

const wrong = () => new AppError('unauthorized', 'The address or the password is not right.');

/** throws  unauthorized, rate_limited, unavailable while too many wait for their turn */
export async function signIn(accounts: Accounts, call: Call, given: SignIn): Promise<{ user: User } & Begun> {
  const { db, hasher, guard } = accounts;
  const emailIndex = accounts.vault().indexOf(given.email.normalized);
  const wasRight = await guard.attempt({
    network: call.client.limitKey,
    account: emailIndex.toString('base64url'),
    device: knownDevice(call, accounts, emailIndex),
  });
  const known = await inAccounts(db, (tx) => findUserByIndex(tx, emailIndex));
  const fits = await hasher().verify(given.password, known?.passwordPhc ?? null);
  const failed = { kind: 'sign_in', outcome: 'failed', method: 'password', requestId: call.id } as const;
  if (!fits || !known || known.disabledAt) {
    await inAccounts(db, (tx) => noteAuth(tx, { ...failed, userId: known?.userId ?? null, actor: 'nobody' }));
    throw wrong();
  }
  await wasRight();
  return inAccounts(db, async (tx) => {
    // who was disabled, or left, while the password was looked at
    const user = await findUser(tx, known.userId);
    if (!user || user.disabledAt) throw wrong();
    const begun = await beginSession(tx, accounts, call, { ...user, emailIndex, keep: given.keep });
    await noteAuth(tx, {
      kind: 'sign_in',
      method: 'password',
      userId: user.userId,
      requestId: call.id,
    });
    return { user, ...begun };
  });
}

/** throws  unauthorized, rate_limited, unavailable */
export async function prove(
  accounts: Accounts,
  call: Call,
  given: { password: string },
): Promise<Begun & { user: User }> {
  const { db, hasher, guard } = accounts;
  const { userId, sessionId } = call.caller.person!;
  const user = await inAccounts(db, (tx) => findUser(tx, userId));
  const wasRight = await guard.attempt({
    network: call.client.limitKey,
    account: userId,
    device: `session ${sessionId}`,
  });
  const fits = await hasher().verify(given.password, user?.passwordPhc ?? null);
  return inAccounts(db, async (tx) => {
    const begun = fits && user ? await proveSession(tx, accounts, call, sessionId) : null;
    const event = { kind: 'proof', method: 'password', userId, requestId: call.id } as const;
    await noteAuth(tx, { ...event, outcome: begun ? 'done' : 'failed' });
    return begun;
  }).then(async (begun) => {
    if (!begun || !user) throw new AppError('forbidden', 'The password is not right.');
    await wasRight();
    return { user, ...begun };
  });
}
