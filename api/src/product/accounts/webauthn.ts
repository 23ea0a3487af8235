// What a browser and its device send when a passkey is made or used, verified. The library is loaded where somebody uses one: it
// costs more memory than all other parts of accounts together.

import type { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { ownOrigin } from './cookies.ts';
import type { Passkey } from './passkey-queries.ts';
import type { Assertion, Attestation, creationOptions, requestOptions } from './passkey-shapes.ts';
import { hashOf } from './secrets.ts';

const TIMEOUT_MS = 5 * 60_000;
const ALGORITHMS = [-8, -7, -257]; // EdDSA, ES256, RS256
const RP_NAME = 'marketing';
const TRANSPORTS = ['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal'];

const load = () => import('@simplewebauthn/server');

/** Where a passkey counts: this installation's own origin, and its name. */
function placeOf(call: Call, { publicUrl }: Accounts): { origin: string; rpId: string } {
  const origin = ownOrigin(call, publicUrl);
  return { origin, rpId: new URL(origin).hostname };
}
/** What a challenge is good for: nothing that was made for one of these is taken for another. */
export const PURPOSES = {
  /** Whoever holds one of ours. */
  use: 'get',
  add: (userId: string) => `create ${userId}`,
  /** The first one of an account that is not there yet, by this link alone. */
  join: (userId: string, inviteToken: string) => `join ${userId} ${hashOf(inviteToken).toString('hex')}`,
};

/** What a device keeps beside the key: the account's id, as bytes. */
export const handleOf = (userId: string): Buffer => Buffer.from(userId.replaceAll('-', ''), 'hex');
export const userIdOf = (handle: string): string =>
  Buffer.from(handle, 'base64url')
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');

export function creationOptionsFor(
  call: Call,
  accounts: Accounts,
  user: { userId: string; email: string; fullName: string },
  { purpose, passkeys }: { purpose: string; passkeys: readonly Passkey[] },
): z.output<typeof creationOptions> {
  const { rpId } = placeOf(call, accounts);
  return {
    challenge: accounts.challenges.make(purpose),
    rp: { name: RP_NAME, id: rpId },
    user: { id: handleOf(user.userId).toString('base64url'), name: user.email, displayName: user.fullName },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ alg, type: 'public-key' })),
    timeout: TIMEOUT_MS,
    attestation: 'none',
    excludeCredentials: passkeys.map(({ credentialId, transports }) => ({
      id: credentialId.toString('base64url'),
      type: 'public-key',
      transports,
    })),
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
  };
}

export function requestOptionsFor(call: Call, accounts: Accounts): z.output<typeof requestOptions> {
  return {
    challenge: accounts.challenges.make(PURPOSES.use),
    rpId: placeOf(call, accounts).rpId,
    timeout: TIMEOUT_MS,
    userVerification: 'required',
  };
}

const challengeIn = (clientData: string): string =>
  JSON.parse(Buffer.from(clientData, 'base64url').toString()).challenge;

/** The library says by throwing what does not fit; none of it is said to who sent it. */
async function fits<T>(verify: () => Promise<T>): Promise<T | null> {
  try {
    return await verify();
  } catch {
    return null;
  }
}

export const notAsked = (path: string) =>
  new AppError('invalid_request', 'This passkey is not what was asked for. Ask for new options.', {
    issues: [{ path, message: 'does not answer the options, or not from this page' }],
  });

export type NewKey = Pick<Passkey, 'credentialId' | 'publicKey' | 'counter' | 'transports'>;

/** returns  null when any of it is not what was asked for */
export async function verifyCreation(
  call: Call,
  accounts: Accounts,
  purpose: string,
  given: Attestation,
): Promise<NewKey | null> {
  const { origin, rpId } = placeOf(call, accounts);
  const { verifyRegistrationResponse } = await load();
  const { transports = [], ...response } = given.response;
  const done = await fits(() =>
    verifyRegistrationResponse({
      response: { ...given, response: { ...response, transports }, clientExtensionResults: {} },
      expectedChallenge: (challenge) => accounts.challenges.isGood(challenge, purpose),
      expectedOrigin: origin,
      expectedRPID: rpId,
      supportedAlgorithmIDs: ALGORITHMS,
    }),
  );
  if (!done?.verified) return null;
  const { id, publicKey, counter } = done.registrationInfo.credential;
  // the library looks at the one that was attested alone
  if (given.id !== id || !accounts.challenges.useUp(challengeIn(response.clientDataJSON))) return null;
  return {
    credentialId: Buffer.from(id, 'base64url'),
    publicKey: Buffer.from(publicKey),
    counter,
    transports: TRANSPORTS.filter((one) => transports.includes(one)),
  };
}

/** returns  the counter that the device says; null when any of it is not what was asked for */
export async function verifyUse(
  call: Call,
  accounts: Accounts,
  passkey: Passkey,
  given: Assertion,
): Promise<number | null> {
  const { origin, rpId } = placeOf(call, accounts);
  const { verifyAuthenticationResponse } = await load();
  const { userHandle, ...response } = given.response;
  if (userHandle && !Buffer.from(userHandle, 'base64url').equals(handleOf(passkey.userId))) return null;
  const done = await fits(() =>
    verifyAuthenticationResponse({
      response: { ...given, response, clientExtensionResults: {} },
      expectedChallenge: (challenge) => accounts.challenges.isGood(challenge, PURPOSES.use),
      expectedOrigin: origin,
      expectedRPID: rpId,
      credential: {
        id: passkey.credentialId.toString('base64url'),
        publicKey: new Uint8Array(passkey.publicKey),
        counter: passkey.counter,
      },
    }),
  );
  if (!done?.verified || !accounts.challenges.useUp(challengeIn(response.clientDataJSON))) return null;
  return done.authenticationInfo.newCounter;
}
