// Signing up, in and out: /v1/auth/*. JSON only, and never for a page of another origin.
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { Accounts } from './accounts.ts';
import { mustNotBeForeign } from './cookies.ts';
import { noteAuth } from './events.ts';
import { recoveryCodes } from './factor-routes.ts';
import { inAccounts } from './in-accounts.ts';
import { byLink } from './links.ts';
import { creationOptions, signUpPasskey } from './passkey-shapes.ts';
import { beginPasskeySignUp } from './passkey-sign-up.ts';
import { newPassword, password } from './passwords.ts';
import { askReset, resetPassword } from './reset.ts';
import { endSession } from './session-queries.ts';
import { forgotten } from './sessions.ts';
import { email, fullName, language, secondFactor, timeZone, token, typedEmail } from './shapes.ts';
import { prove, signIn } from './sign-in.ts';
import { signUp } from './sign-up.ts';
import { howLong, signedIn, welcome } from './welcome.ts';

const BODY_BYTES_MAX = 8 * 1024;
const SIGN_UP_BYTES_MAX = 32 * 1024; // with what a device made
const joinFields = { inviteToken: token, fullName };
const signUpFields = {
  ...joinFields,
  password: newPassword.optional(),
  passkey: signUpPasskey.optional().describe('in the place of a password'),
  language: language.default('en'),
  timeZone: timeZone.default('UTC'),
};
const documentedEmail = typedEmail.optional().describe('not needed when the invitation names it');
const signInFields = {
  password,
  ...secondFactor,
  ...howLong,
};

const signingUp = (call: Call) => ({ kind: 'sign_up', requestId: call.id }) as const;

function signUpRoutes(accounts: Accounts): Route[] {
  const common = { tag: 'sign-in', who: 'anyone' } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/auth/signup/options',
      id: 'beginPasskeySignUp',
      says: 'What a browser needs to make the passkey by which somebody joins; its challenge is good once, within five minutes, for this link',
      takes: {
        as: ['json'],
        bytesMax: BODY_BYTES_MAX,
        shape: z.object({ ...joinFields, email: email.optional() }),
        documents: z.object({ ...joinFields, email: documentedEmail }).meta({ id: 'PasskeySignUp' }),
      },
      answers: { 200: z.object({ options: creationOptions }) },
      async run(wanted, call) {
        mustNotBeForeign(call, accounts.publicUrl);
        const begin = () => beginPasskeySignUp(accounts, call, { ...wanted, email: wanted.email });
        return { options: await byLink(accounts.db, wanted.inviteToken, signingUp(call), begin) };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/auth/signup',
      id: 'signUp',
      says: 'Makes an account by the link of an invitation, or of scripts/setup-link, and signs in; with a password or with a passkey',
      takes: {
        as: ['json'],
        bytesMax: SIGN_UP_BYTES_MAX,
        shape: z
          .object({ ...signUpFields, email: email.optional() })
          .refine(({ password: typed, passkey }) => (typed === undefined) !== (passkey === undefined), {
            path: ['password'],
            message: 'is needed, or a passkey in its place',
          }),
        documents: z.object({ ...signUpFields, email: documentedEmail }).meta({ id: 'SignUp' }),
      },
      answers: {
        201: signedIn.extend({
          recoveryCodes: recoveryCodes.optional().describe('with a passkey; shown this once'),
        }),
      },
      async run(wanted, call) {
        mustNotBeForeign(call, accounts.publicUrl);
        const join = () => signUp(accounts, call, { ...wanted, email: wanted.email });
        const { recoveryCodes: codes, ...done } = await byLink(
          accounts.db,
          wanted.inviteToken,
          signingUp(call),
          join,
        );
        return welcome(accounts, 201, done, codes ? { recoveryCodes: codes } : {});
      },
    }),
  ];
}

export function authRoutes(accounts: Accounts): Route[] {
  const anyone = { tag: 'sign-in', who: 'anyone' } as const;
  const person = { tag: 'sign-in', who: 'person' } as const;
  const json = { as: ['json'], bytesMax: BODY_BYTES_MAX } as const;
  const notForeign = (call: Call) => mustNotBeForeign(call, accounts.publicUrl);
  return [
    ...signUpRoutes(accounts),
    route({
      ...anyone,
      at: 'POST /v1/auth/login',
      id: 'signIn',
      says: 'Signs in: the session is in a cookie that no script can read, or, as: token, in tokens for a program',
      takes: {
        ...json,
        shape: z.object({ ...signInFields, email }),
        documents: z.object({ ...signInFields, email: typedEmail }).meta({ id: 'SignIn' }),
      },
      mustHavePlace: accounts.mustHavePlace,
      answers: { 200: signedIn },
      async run(given, call) {
        notForeign(call);
        return welcome(accounts, 200, await signIn(accounts, call, given));
      },
    }),
    route({
      ...anyone,
      at: 'POST /v1/auth/reset',
      id: 'askReset',
      says: 'Sends a link for a new password to the address, if it has an account; the answer does not tell',
      bucket: 'delete',
      takes: {
        ...json,
        shape: z.object({ email }),
        documents: z.object({ email: typedEmail }).meta({ id: 'ResetRequest' }),
      },
      answers: { 202: z.object({}) },
      run(given, call) {
        notForeign(call);
        accounts.vault();
        setImmediate(() => {
          askReset(accounts, call, given.email).catch((err) =>
            accounts.log.error({ err, requestId: call.id }, 'a link for a new password could not be made'),
          );
        });
        return {};
      },
    }),
    route({
      ...anyone,
      at: 'POST /v1/auth/reset/confirm',
      id: 'resetPassword',
      says: 'Chooses a new password by such a link; all sessions end, a second factor stays',
      takes: { ...json, shape: z.object({ resetToken: token, newPassword }).meta({ id: 'PasswordReset' }) },
      answers: { 200: z.object({}) },
      async run(given, call) {
        notForeign(call);
        const event = { kind: 'password_reset', requestId: call.id } as const;
        await byLink(accounts.db, given.resetToken, event, () => resetPassword(accounts, call, given));
        return {};
      },
    }),
    route({
      ...person,
      at: 'POST /v1/auth/prove',
      id: 'proveIdentity',
      says: 'Proves again who one is, for what asks for that; good for ten minutes',
      takes: { ...json, shape: z.object({ password, ...secondFactor }).meta({ id: 'Proof' }) },
      mustHavePlace: accounts.mustHavePlace,
      answers: { 200: signedIn },
      async run(given, call) {
        return welcome(accounts, 200, await prove(accounts, call, given));
      },
    }),
    route({
      ...person,
      at: 'POST /v1/auth/logout',
      id: 'signOut',
      says: 'Ends this session and tells the browser to forget what it kept of it',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const { userId, sessionId } = call.caller.person!;
        await inAccounts(accounts.db, async (tx) => {
          await endSession(tx, userId, sessionId);
          await noteAuth(tx, { kind: 'sign_out', userId, requestId: call.id });
        });
        return new Reply(200, {}, forgotten(call, accounts));
      },
    }),
  ];
}
