// What people see and change of themselves: /v1/users/me and their sessions.
import { z } from 'zod';
import type { Call } from '../../ground/http/call.ts';
import { Reply } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type Accounts, namesHere } from './accounts.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { endingOwners, leave, mustNotBeLastOwner } from './leave.ts';
import { newPassword, refuseCommon } from './passwords.ts';
import { changeProfile } from './profile.ts';
import { findUser, setPassword } from './queries.ts';
import { endSession, endSessions, listSessions } from './session-queries.ts';
import { forgotten } from './sessions.ts';
import { fullName, language, sessionShape, showSession, showUser, timeZone, userShape } from './shapes.ts';

const BODY_BYTES_MAX = 8 * 1024;
const profile = {
  fullName: fullName.optional(),
  language: language.optional(),
  timeZone: timeZone.optional(),
};

export function meRoutes(accounts: Accounts): Route[] {
  const { db, sites } = accounts;
  const common = { tag: 'users', who: 'person' } as const;
  const json = { as: ['json'], bytesMax: BODY_BYTES_MAX } as const;
  const meOf = (call: Call) => call.caller.person!;
  const shown = (call: Call) =>
    inAccounts(db, async (tx) => {
      const user = (await findUser(tx, meOf(call).userId))!;
      return { user: await showUser(tx, { vault: accounts.vault(), sites }, user, call.caller) };
    });
  return [
    route({
      ...common,
      at: 'GET /v1/users/me',
      id: 'getMe',
      says: 'Who is signed in, and what they are at which site',
      shows: 'oneself',
      answers: { 200: z.object({ user: userShape }) },
      run: (_input, call) => shown(call),
    }),
    route({
      ...common,
      at: 'PATCH /v1/users/me',
      id: 'updateMe',
      says: 'Changes one’s own name, language and time zone',
      takes: { ...json, shape: z.object(profile).meta({ id: 'Profile' }) },
      answers: { 200: z.object({ user: userShape }) },
      async run(patch, call) {
        await inAccounts(db, async (tx) => {
          const user = (await findUser(tx, meOf(call).userId, true))!;
          await changeProfile(tx, accounts, { user, change: patch, requestId: call.id });
        });
        call.note({ details: { changes: Object.keys(patch) } });
        return shown(call);
      },
    }),
    route({
      ...common,
      at: 'POST /v1/users/me/password',
      id: 'changePassword',
      says: 'Chooses another password; all other sessions end',
      proof: 'fresh',
      takes: { ...json, shape: z.object({ newPassword }).meta({ id: 'NewPassword' }) },
      answers: { 200: z.object({ sessionsEnded: z.int() }) },
      async run(wanted, call) {
        refuseCommon(wanted.newPassword, namesHere(accounts), 'newPassword');
        const phc = await accounts.hasher().hash(wanted.newPassword);
        const { userId, sessionId } = meOf(call);
        const sessionsEnded = await inAccounts(db, async (tx) => {
          await setPassword(tx, userId, phc);
          await accounts.post.tell(tx, (await findUser(tx, userId))!, 'password_changed');
          await noteAuth(tx, { kind: 'password_changed', userId, requestId: call.id });
          return endSessions(tx, userId, sessionId);
        });
        return { sessionsEnded };
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/users/me',
      id: 'deleteMe',
      says: 'Deletes one’s own account for good, also in a backup that is restored; the last owner stays',
      proof: 'fresh',
      answers: { 200: z.object({ deleted: z.literal(true) }) },
      async run(_input, call) {
        const { userId } = meOf(call);
        await endingOwners(db, async (tx) => {
          await mustNotBeLastOwner(tx, userId);
          const how = { journal: accounts.forgetJournal, actor: call.caller.actor, requestId: call.id };
          await leave(tx, userId, how);
        });
        return new Reply(200, { deleted: true }, forgotten(call, accounts));
      },
    }),
    ...ownSessionRoutes(accounts),
  ];
}

function ownSessionRoutes({ db }: Accounts): Route[] {
  const common = { tag: 'users', who: 'person' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/users/me/sessions',
      id: 'listMySessions',
      says: 'Where one is signed in, the newest first',
      answers: { 200: z.object({ sessions: z.array(sessionShape) }) },
      async run(_input, call) {
        const { userId, sessionId } = call.caller.person!;
        const sessions = await inAccounts(db, (tx) => listSessions(tx, userId));
        return { sessions: sessions.map((one) => showSession(one, sessionId)) };
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/users/me/sessions',
      id: 'endMyOtherSessions',
      says: 'Ends every session but this one',
      proof: 'fresh',
      answers: { 200: z.object({ sessionsEnded: z.int() }) },
      async run(_input, call) {
        const { userId, sessionId } = call.caller.person!;
        return inAccounts(db, async (tx) => {
          await noteAuth(tx, { kind: 'sessions_ended', userId, requestId: call.id });
          return { sessionsEnded: await endSessions(tx, userId, sessionId) };
        });
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/users/me/sessions/:sessionId',
      id: 'endMySession',
      says: 'Ends one of one’s own sessions',
      proof: 'fresh',
      answers: { 200: z.object({}) },
      async run(_input, call) {
        const { userId } = call.caller.person!;
        const sessionId = call.params.sessionId!;
        const ended = await inAccounts(db, async (tx) => {
          await noteAuth(tx, { kind: 'sessions_ended', userId, requestId: call.id });
          return endSession(tx, userId, sessionId);
        });
        if (!ended) throw new AppError('not_found', 'You have no session with this id.');
        call.note({ target: sessionId });
        return {};
      },
    }),
  ];
}
