// An account whose first way in is a passkey: made for a link before the account is, so that the id of both is one.
import type { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Address } from '../../ground/lib/email.ts';
import type { Accounts } from './accounts.ts';
import { newId } from './ids.ts';
import { inAccounts } from './in-accounts.ts';
import { addressFor, KINDS, taken } from './joining.ts';
import { liveLink } from './links.ts';
import type { creationOptions, SignUpPasskey } from './passkey-shapes.ts';
import { findUserByIndex } from './queries.ts';
import { creationOptionsFor, type NewKey, notAsked, PURPOSES, userIdOf, verifyCreation } from './webauthn.ts';

interface Wanted {
  inviteToken: string;
  email: Address | undefined;
  fullName: string;
}

/**
 * Whatever would refuse the account is said before a device keeps a key for it.
 * throws  not_found for a spent link, invalid_request for another address than the invited one, conflict for a taken one
 */
export async function beginPasskeySignUp(
  accounts: Accounts,
  call: Call,
  { inviteToken, email, fullName }: Wanted,
): Promise<z.output<typeof creationOptions>> {
  const vault = accounts.vault();
  const userId = await inAccounts(accounts.db, async (tx) => {
    const link = await liveLink(tx, inviteToken, KINDS);
    const address = await addressFor(tx, accounts, link, email);
    if (await findUserByIndex(tx, vault.indexOf(address.normalized))) throw taken();
    return newId(tx);
  });
  // an address that only the invitation names is not told to whoever has the link
  const who = { userId, email: email?.email ?? fullName, fullName };
  return creationOptionsFor(call, accounts, who, {
    purpose: PURPOSES.join(userId, inviteToken),
    passkeys: [],
  });
}

export type FirstPasskey = NewKey & { userId: string; name: string };

/** throws  invalid_request, when any of it is not what was asked for by this link */
export async function verifyFirstPasskey(
  accounts: Accounts,
  call: Call,
  inviteToken: string,
  { userHandle, response, name }: SignUpPasskey,
): Promise<FirstPasskey> {
  const userId = userIdOf(userHandle);
  const key = await verifyCreation(call, accounts, PURPOSES.join(userId, inviteToken), response);
  if (!key) throw notAsked('passkey');
  return { ...key, userId, name };
}

export const hereAlready = () => new AppError('conflict', 'This passkey is here already.');
