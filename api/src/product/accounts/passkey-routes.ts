// Passkeys: one's own at /v1/users/me/passkeys, and signing in and proving with one at /v1/auth/.
import { z } from 'zod';
import { isUniqueViolation } from '../../ground/db/faults.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { mustNotBeForeign } from './cookies.ts';
import { noteAuth } from './events.ts';
import { dropIdleRecoveryCodes, hasRecoveryCodes } from './factor-queries.ts';
import { makeRecoveryCodes, recoveryCodes } from './factor-routes.ts';
import { inAccounts } from './in-accounts.ts';
import {
  deletePasskey,
  insertPasskey,
  listPasskeys,
  type Passkey,
  renamePasskey,
} from './passkey-queries.ts';
import {
  assertion,
  attestation,
  creationOptions,
  passkeyName,
  passkeyShape,
  requestOptions,
} from './passkey-shapes.ts';
import { proveByPasskey, signInByPasskey } from './passkey-sign-in.ts';
import { userEmail, userFullName } from './pii.ts';
import { findUser } from './queries.ts';
import { creationOptionsFor, notAsked, PURPOSES, requestOptionsFor, verifyCreation } from './webauthn.ts';
import { howLong, signedIn, welcome } from './welcome.ts';

const BODY_BYTES_MAX = 32 * 1024;
const PASSKEYS_MAX = 20;

const shown = ({ passkeyId, name, createdAt, usedAt }: Passkey) => ({
  passkeyId,
  name,
  createdAt: createdAt.toISOString(),
  usedAt: usedAt?.toISOString() ?? null,
});
const none = () => new AppError('not_found', 'You have no passkey with this id.');

export function passkeyRoutes(accounts: Accounts): Route[] {
  return [...ownRoutes(accounts), ...signInRoutes(accounts)];
}

function ownRoutes(accounts: Accounts): Route[] {
  const { db } = accounts;
  const common = { tag: 'users', who: 'person' } as const;
  const json = { as: ['json'], bytesMax: BODY_BYTES_MAX } as const;
  const one = z.object({ passkey: passkeyShape });
  const meOf = (call: Call) => call.caller.person!.userId;
  return [
    route({
      ...common,
      at: 'GET /v1/users/me/passkeys',
      id: 'listMyPasskeys',
      says: 'One’s own passkeys, the oldest first',
      answers: { 200: z.object({ passkeys: z.array(passkeyShape) }) },
      async run(_input, call) {
        const passkeys = await inAccounts(db, (tx) => listPasskeys(tx, meOf(call)));
        return { passkeys: passkeys.map(shown) };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/users/me/passkeys/options',
      id: 'beginPasskey',
      says: 'What a browser needs to make a passkey; its challenge is good once, within five minutes',
      proof: 'fresh',
      answers: { 200: z.object({ options: creationOptions }) },
      run: (_input, call) =>
        inAccounts(db, async (tx) => {
          const vault = accounts.vault();
          const user = (await findUser(tx, meOf(call)))!;
          const who = {
            userId: user.userId,
            email: (await userEmail(tx, vault, user, call.caller)) ?? '',
            fullName: (await userFullName(tx, vault, user, call.caller)) ?? '',
          };
          const passkeys = await listPasskeys(tx, user.userId);
          const purpose = PURPOSES.add(user.userId);
          return { options: creationOptionsFor(call, accounts, who, { purpose, passkeys }) };
        }),
    }),
    route({
      ...common,
      at: 'POST /v1/users/me/passkeys',
      id: 'addPasskey',
      says: 'Adds the passkey that a browser made; it signs in by itself, and counts as a second factor',
      proof: 'fresh',
      takes: {
        ...json,
        shape: z.object({ name: passkeyName, response: attestation }).meta({ id: 'NewPasskey' }),
      },
      answers: {
        201: z.object({
          passkey: passkeyShape,
          recoveryCodes: recoveryCodes.nullable().describe('null: those from before still count'),
        }),
      },
      run: (given, call) => add(accounts, call, given),
    }),
    route({
      ...common,
      at: 'PATCH /v1/users/me/passkeys/:passkeyId',
      id: 'renamePasskey',
      says: 'Gives one’s own passkey another name',
      takes: { ...json, shape: z.object({ name: passkeyName }).meta({ id: 'PasskeyName' }) },
      answers: { 200: one },
      async run({ name }, call) {
        const { passkeyId } = call.params;
        const renamed = await inAccounts(db, (tx) => renamePasskey(tx, meOf(call), passkeyId!, name));
        if (!renamed) throw none();
        call.note({ target: renamed.passkeyId });
        return { passkey: shown(renamed) };
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/users/me/passkeys/:passkeyId',
      id: 'removePasskey',
      says: 'Removes one’s own passkey, unless nothing else signs them in; with the last second factor the recovery codes go too',
      proof: 'fresh',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const passkeyId = call.params.passkeyId!;
        await inAccounts(db, async (tx) => {
          const user = (await findUser(tx, meOf(call), true))!;
          const { userId } = user;
          if (!(await deletePasskey(tx, userId, passkeyId))) throw none();
          if (user.passwordPhc === null && !user.hasIdentity && !(await listPasskeys(tx, userId)).length)
            throw new AppError(
              'conflict',
              'Nothing else signs you in: choose a password, or make another passkey first.',
            );
          await dropIdleRecoveryCodes(tx, userId);
          await noteAuth(tx, { kind: 'passkey_removed', userId, requestId: call.id });
          await accounts.post.tell(tx, user, 'factor_removed');
        });
        call.note({ target: passkeyId });
        return {};
      },
    }),
  ];
}

async function add(
  accounts: Accounts,
  call: Call,
  given: { name: string; response: z.output<typeof attestation> },
) {
  const { userId } = call.caller.person!;
  const key = await verifyCreation(call, accounts, PURPOSES.add(userId), given.response);
  if (!key) throw notAsked('response');
  return inAccounts(accounts.db, async (tx) => {
    const user = (await findUser(tx, userId, true))!;
    if ((await listPasskeys(tx, userId)).length >= PASSKEYS_MAX)
      throw new AppError('conflict', `There are ${PASSKEYS_MAX} passkeys. Remove one you do not use first.`);
    const passkey = await insertPasskey(tx, { ...key, userId, name: given.name });
    await noteAuth(tx, { kind: 'passkey_added', userId, requestId: call.id });
    await accounts.post.tell(tx, user, 'factor_added');
    const codes = (await hasRecoveryCodes(tx, userId)) ? null : await makeRecoveryCodes(tx, userId);
    call.note({ target: passkey.passkeyId });
    return created({ passkey: shown(passkey), recoveryCodes: codes });
  }).catch((error: unknown) => {
    if (isUniqueViolation(error)) throw new AppError('conflict', 'This passkey is here already.');
    throw error;
  });
}

function signInRoutes(accounts: Accounts): Route[] {
  const json = { as: ['json'], bytesMax: BODY_BYTES_MAX } as const;
  const foreignRefused = (call: Call) => mustNotBeForeign(call, accounts.publicUrl);
  return [
    route({
      at: 'POST /v1/auth/passkey/options',
      id: 'beginPasskeySignIn',
      says: 'What a browser needs to sign in, or to prove again, with a passkey; good once, within five minutes',
      tag: 'sign-in',
      who: 'anyone',
      answers: { 200: z.object({ options: requestOptions }) },
      run(_input, call) {
        foreignRefused(call);
        accounts.vault();
        return { options: requestOptionsFor(call, accounts) };
      },
    }),
    route({
      at: 'POST /v1/auth/passkey',
      id: 'signInByPasskey',
      says: 'Signs in with a passkey, which is both factors',
      tag: 'sign-in',
      who: 'anyone',
      takes: {
        ...json,
        shape: z.object({ response: assertion, ...howLong }).meta({ id: 'PasskeySignIn' }),
      },
      answers: { 200: signedIn },
      async run(given, call) {
        foreignRefused(call);
        return welcome(accounts, 200, await signInByPasskey(accounts, call, given));
      },
    }),
    route({
      at: 'POST /v1/auth/prove/passkey',
      id: 'proveByPasskey',
      says: 'Proves again who one is with a passkey of one’s own; good for ten minutes',
      tag: 'sign-in',
      who: 'person',
      takes: { ...json, shape: z.object({ response: assertion }).meta({ id: 'PasskeyProof' }) },
      answers: { 200: signedIn },
      async run({ response }, call) {
        return welcome(accounts, 200, await proveByPasskey(accounts, call, response));
      },
    }),
  ];
}
