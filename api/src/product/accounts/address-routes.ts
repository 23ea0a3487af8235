// The address one signs in with: POST /v1/users/me/email, and the answer to the mail to it.
import { z } from 'zod';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { Accounts } from './accounts.ts';
import { mustNotBeForeign } from './cookies.ts';
import { inAccounts } from './in-accounts.ts';
import { byLink } from './links.ts';
import { changeAddress, confirmAddress } from './profile.ts';
import { findUser } from './queries.ts';
import { email, showUser, token, typedEmail, userShape } from './shapes.ts';

const json = { as: ['json'], bytesMax: 8 * 1024 } as const;

export function addressRoutes(accounts: Accounts): Route[] {
  return [
    route({
      at: 'POST /v1/users/me/email',
      id: 'changeEmail',
      says: 'Changes the address one signs in with: 202 where a mail is sent to it first, 200 where none can be',
      tag: 'users',
      who: 'person',
      proof: 'fresh',
      takes: {
        ...json,
        shape: z.object({ email }),
        documents: z.object({ email: typedEmail }).meta({ id: 'NewEmail' }),
      },
      answers: { 200: z.object({ user: userShape }), 202: z.object({}) },
      async run(wanted, call) {
        const { userId } = call.caller.person!;
        const counts = await changeAddress(accounts, { userId, email: wanted.email, requestId: call.id });
        if (!counts) return new Reply(202, {});
        const parts = { vault: accounts.vault(), sites: accounts.sites };
        return inAccounts(accounts.db, async (tx) => ({
          user: await showUser(tx, parts, (await findUser(tx, userId))!, call.caller),
        }));
      },
    }),
    route({
      at: 'POST /v1/auth/email/confirm',
      id: 'confirmEmail',
      says: 'Takes the new address of an account, by the link of the mail to it; the one from before is told',
      tag: 'sign-in',
      who: 'anyone',
      takes: { ...json, shape: z.object({ emailToken: token }).meta({ id: 'EmailConfirmation' }) },
      answers: { 200: z.object({}) },
      async run({ emailToken }, call) {
        mustNotBeForeign(call, accounts.publicUrl);
        const event = { kind: 'email_confirmed', requestId: call.id } as const;
        await byLink(accounts.db, emailToken, event, () => confirmAddress(accounts, emailToken, call.id));
        return {};
      },
    }),
  ];
}
