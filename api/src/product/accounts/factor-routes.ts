// One's own second factor: /v1/users/me/totp and recovery codes.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { type AuthEvent, noteAuth, noteRefusal } from './events.ts';
import {
  deleteTotp,
  dropIdleRecoveryCodes,
  findTotp,
  insertTotp,
  replaceRecoveryCodes,
  useStep,
} from './factor-queries.ts';
import { newId } from './ids.ts';
import { inAccounts } from './in-accounts.ts';
import { userEmail } from './pii.ts';
import { findUser } from './queries.ts';
import { code } from './shapes.ts';
import { newRecoveryCode, newTotp, pictureOf, placeOfTotp, recoveryHash, stepOf } from './totp.ts';

const CODES = 10;
export const recoveryCodes = z
  .array(z.string())
  .describe('each takes the place of a code once; shown this once');

const notNow = () =>
  new AppError('invalid_request', 'This is not the code of now. Compare the clock of the device.', {
    issues: [{ path: 'code', message: 'is not the code of now' }],
  });

export async function makeRecoveryCodes(db: Db, userId: string): Promise<string[]> {
  const codes = Array.from({ length: CODES }, newRecoveryCode);
  await replaceRecoveryCodes(db, userId, codes.map(recoveryHash));
  return codes;
}

export function factorRoutes(accounts: Accounts): Route[] {
  const { db } = accounts;
  const common = { tag: 'users', who: 'person' } as const;
  const note = (tx: Db, call: Call, kind: AuthEvent['kind']) =>
    noteAuth(tx, { kind, userId: call.caller.person!.userId, requestId: call.id });
  return [
    route({
      ...common,
      at: 'POST /v1/users/me/totp',
      id: 'addTotp',
      says: 'Begins a second factor: the secret for an app, which counts once a code of it was sent',
      proof: 'fresh',
      answers: {
        201: z.object({
          secret: z.string().describe('base32'),
          uri: z.string().describe('what a QR code holds'),
          picture: z
            .object({ size: z.int(), path: z.string() })
            .describe(
              'that code, to be drawn: `d` of an SVG path of so many units each way, with a quiet border around it',
            ),
        }),
      },
      run: (_input, call) =>
        inAccounts(db, async (tx) => {
          const vault = accounts.vault();
          const user = (await findUser(tx, call.caller.person!.userId, true))!;
          if (user.hasTotp) throw new AppError('conflict', 'There is a second factor. Remove it first.');
          const made = await newTotp((await userEmail(tx, vault, user, call.caller)) ?? '');
          const factorId = await newId(tx);
          const sealed = await vault.seal(tx, made.secret, placeOfTotp(factorId));
          await insertTotp(tx, user.userId, factorId, sealed);
          return created({ ...made, picture: await pictureOf(made.uri) });
        }),
    }),
    route({
      ...common,
      at: 'POST /v1/users/me/totp/confirm',
      id: 'confirmTotp',
      says: 'From now on this second factor is asked for at sign-in; answers the recovery codes',
      takes: { as: ['json'], bytesMax: 4096, shape: z.object({ code }).meta({ id: 'TotpCode' }) },
      answers: { 200: z.object({ recoveryCodes }) },
      async run(given, call) {
        const { userId } = call.caller.person!;
        const codes = await inAccounts(db, async (tx) => {
          const totp = await findTotp(tx, userId);
          if (!totp || totp.confirmedAt) throw new AppError('conflict', 'No second factor was begun.');
          const secret = await accounts.vault().open(tx, totp, placeOfTotp(totp.factorId));
          const step = secret && (await stepOf(secret, given.code, Date.now()));
          if (!step || !(await useStep(tx, totp.factorId, step))) return null;
          await note(tx, call, 'totp_added');
          await accounts.post.tell(tx, (await findUser(tx, userId))!, 'factor_added');
          return makeRecoveryCodes(tx, userId);
        });
        if (codes) return { recoveryCodes: codes };
        await noteRefusal(db, { kind: 'totp_added', method: 'totp', userId, requestId: call.id });
        throw notNow();
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/users/me/totp',
      id: 'removeTotp',
      says: 'Removes the codes of an app; with the last second factor the recovery codes go too',
      proof: 'fresh',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        await inAccounts(db, async (tx) => {
          const user = (await findUser(tx, call.caller.person!.userId, true))!;
          if (!(await deleteTotp(tx, user.userId)))
            throw new AppError('not_found', 'There is no second factor.');
          await dropIdleRecoveryCodes(tx, user.userId);
          await note(tx, call, 'totp_removed');
          await accounts.post.tell(tx, user, 'factor_removed');
        });
        return {};
      },
    }),
    route({
      ...common,
      at: 'POST /v1/users/me/recovery-codes',
      id: 'renewRecoveryCodes',
      says: 'Makes new recovery codes; those from before are worth nothing then',
      proof: 'fresh',
      answers: { 201: z.object({ recoveryCodes }) },
      run: (_input, call) =>
        inAccounts(db, async (tx) => {
          const user = (await findUser(tx, call.caller.person!.userId, true))!;
          if (!user.hasSecondFactor) throw new AppError('conflict', 'Set up a second factor first.');
          await note(tx, call, 'recovery_codes_made');
          return created({ recoveryCodes: await makeRecoveryCodes(tx, user.userId) });
        }),
    }),
  ];
}
