// Signing in, and proving again who one is, with a passkey: the device checked the person before it signed, so it is both factors.
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { type AuthEvent, noteAuth, noteRefusal, noteStranger } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { findPasskey, notePasskeyUse, type Passkey } from './passkey-queries.ts';
import type { Assertion } from './passkey-shapes.ts';
import { findUser, type User } from './queries.ts';
import { type As, type Begun, beginSession, knownDevice, proveSession } from './sessions.ts';
import { verifyUse } from './webauthn.ts';

interface Shown {
  passkey: Passkey | null;
  /** As the device says; null: what was sent proves nothing. */
  counter: number | null;
}

async function shownBy(accounts: Accounts, call: Call, given: Assertion): Promise<Shown> {
  const id = Buffer.from(given.id, 'base64url');
  const passkey = await inAccounts(accounts.db, (tx) => findPasskey(tx, id));
  return { passkey, counter: passkey && (await verifyUse(call, accounts, passkey, given)) };
}

const fail = ({ db }: Accounts, call: Call, kind: AuthEvent['kind'], userId: string): Promise<void> =>
  noteRefusal(db, { kind, method: 'passkey', actor: 'nobody', userId, requestId: call.id });

/** throws  unauthorized, whatever of it is wrong. Not slowed by others' wrong passwords: nobody locks an owner out */
export async function signInByPasskey(
  accounts: Accounts,
  call: Call,
  { response, keep, as }: { response: Assertion; keep: boolean; as: As },
): Promise<{ user: User } & Begun> {
  accounts.vault();
  const { passkey, counter } = await shownBy(accounts, call, response);
  const done =
    passkey &&
    counter !== null &&
    (await inAccounts(accounts.db, async (tx) => {
      const user = await findUser(tx, passkey.userId, true);
      if (!user || user.disabledAt || !(await notePasskeyUse(tx, passkey.passkeyId, counter))) return null;
      const { userId, emailIndex } = user;
      const isKnown = knownDevice(call, accounts, emailIndex) !== null;
      const begun = await beginSession(tx, accounts, call, { userId, emailIndex, keep, as });
      await noteAuth(tx, { kind: 'sign_in', method: 'passkey', userId, requestId: call.id });
      if (!isKnown) await accounts.post.tell(tx, user, 'new_device');
      return { user, ...begun };
    }));
  if (done) return done;
  if (passkey) await fail(accounts, call, 'sign_in', passkey.userId);
  else await noteStranger(accounts, call, { kind: 'sign_in', method: 'passkey' });
  throw new AppError('unauthorized', 'This passkey is not known here, or what it signed is not right.');
}

/** throws  forbidden, whatever of it is wrong, and for another one's passkey */
export async function proveByPasskey(
  accounts: Accounts,
  call: Call,
  response: Assertion,
): Promise<{ user: User } & Begun> {
  const { userId, sessionId } = call.caller.person!;
  const { passkey, counter } = await shownBy(accounts, call, response);
  const done =
    passkey?.userId === userId &&
    counter !== null &&
    (await inAccounts(accounts.db, async (tx) => {
      const user = (await findUser(tx, userId, true))!;
      if (!(await notePasskeyUse(tx, passkey.passkeyId, counter))) return null;
      const begun = await proveSession(tx, accounts, call, sessionId);
      if (!begun) return null;
      await noteAuth(tx, { kind: 'proof', method: 'passkey', userId, requestId: call.id });
      return { user, ...begun };
    }));
  if (done) return done;
  await fail(accounts, call, 'proof', userId);
  throw new AppError('forbidden', 'This is no passkey of yours, or what it signed is not right.');
}
