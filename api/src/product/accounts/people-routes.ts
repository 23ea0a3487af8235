// Other people's accounts: who there is, what they are where, and that they are not any more. /v1/users. Somebody of some
// sites sees who is something at those, and no owner.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';
import type { Call } from '../../ground/http/call.ts';
import { nextCursor, pageOf, paging, propertyId, readCursor } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Accounts } from './accounts.ts';
import { noteAuth } from './events.ts';
import { inAccounts } from './in-accounts.ts';
import { endingOwners, leave, mustNotBeLastOwner } from './leave.ts';
import { findUser, type Grant, listUsers, setDisabled, setRoles, type User } from './queries.ts';
import { mustHaveSeats } from './seats.ts';
import { endSessions } from './session-queries.ts';
import { showUser, siteRole, userShape } from './shapes.ts';
import { reachOf, sitesNamed } from './sites-named.ts';

const userPatch = z
  .object({
    isOwner: z.boolean().optional().describe('only an owner makes or unmakes one; their roles at sites go'),
    grants: z
      .array(z.object({ site: propertyId, role: siteRole }))
      .max(100)
      .optional()
      .describe('what they are at the caller’s sites from now on; at one that is not named: nothing'),
    disabled: z.boolean().optional().describe('may not sign in; sessions end'),
  })
  .meta({ id: 'UserPatch' });
type UserPatch = z.output<typeof userPatch>;

/** throws  not_found: there is none, or none the caller may see, which is the same to them */
async function seen(db: Db, call: Call): Promise<User> {
  const user = await findUser(db, call.params.userId!, true);
  const reach = reachOf(call);
  const isSeen =
    user && (reach === null || (!user.isOwner && user.grants.some(({ siteId }) => reach.includes(siteId))));
  if (!isSeen) throw new AppError('not_found', 'There is no user with this id.');
  call.note({ target: user.userId });
  return user;
}

/** For what concerns the whole account. throws  forbidden, when it is something at a site that is not the caller's */
function mustBeWhollyTheirs(call: Call, user: User): void {
  const reach = reachOf(call);
  if (reach !== null && !user.grants.every(({ siteId }) => reach.includes(siteId)))
    throw new AppError('forbidden', 'This account is something at other sites too. Ask an owner.');
}

export function peopleRoutes(accounts: Accounts): Route[] {
  const { db, sites } = accounts;
  const common = { tag: 'users', who: 'people', of: 'all' } as const;
  const one = z.object({ user: userShape });
  const show = (tx: Db, user: User, call: Call) =>
    showUser(tx, { vault: accounts.vault(), sites }, user, call.caller);
  return [
    route({
      ...common,
      at: 'GET /v1/users',
      id: 'listUsers',
      says: 'Who has an account, the newest first',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ users: z.array(userShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        return inAccounts(db, async (tx) => {
          const rows = await listUsers(tx, reachOf(call), after, limit + 1);
          const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.userId]);
          const users = [];
          for (const user of page) users.push(await show(tx, user, call));
          return { users, nextCursor: next };
        });
      },
    }),
    route({
      ...common,
      at: 'GET /v1/users/:userId',
      id: 'getUser',
      says: 'One account',
      answers: { 200: one },
      run: (_input, call) =>
        inAccounts(db, async (tx) => ({ user: await show(tx, await seen(tx, call), call) })),
    }),
    route({
      ...common,
      at: 'PATCH /v1/users/:userId',
      id: 'updateUser',
      says: 'Changes what somebody is where, or shuts them out; the last owner stays',
      proof: 'fresh',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: userPatch },
      answers: { 200: one },
      async run(patch, call) {
        const grants = patch.grants && (await grantsOf(accounts, call, patch.grants));
        return endingOwners(db, async (tx) => {
          const user = await seen(tx, call);
          await change(tx, accounts, call, user, { ...patch, grants });
          call.note({ details: { changes: Object.keys(patch) } });
          return { user: await show(tx, (await findUser(tx, user.userId))!, call) };
        });
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/users/:userId/sessions',
      id: 'endUserSessions',
      says: 'Signs somebody out everywhere',
      proof: 'fresh',
      answers: { 200: z.object({ sessionsEnded: z.int() }) },
      run: (_input, call) =>
        inAccounts(db, async (tx) => {
          const user = await seen(tx, call);
          mustBeWhollyTheirs(call, user);
          const { userId } = user;
          await noteAuth(tx, {
            kind: 'sessions_ended',
            userId,
            actor: call.caller.actor,
            requestId: call.id,
          });
          return { sessionsEnded: await endSessions(tx, userId) };
        }),
    }),
    route({
      ...common,
      at: 'DELETE /v1/users/:userId',
      id: 'deleteUser',
      says: 'Deletes an account for good, also in a backup that is restored; the last owner stays',
      proof: 'fresh',
      answers: { 200: z.object({ deleted: z.literal(true) }) },
      run: (_input, call) =>
        endingOwners(db, async (tx) => {
          const user = await seen(tx, call);
          mustBeWhollyTheirs(call, user);
          await mustNotBeLastOwner(tx, user.userId);
          const how = { journal: accounts.forgetJournal, actor: call.caller.actor, requestId: call.id };
          await leave(tx, user.userId, how);
          return { deleted: true as const };
        }),
    }),
  ];
}

async function grantsOf(
  accounts: Accounts,
  call: Call,
  wanted: NonNullable<UserPatch['grants']>,
): Promise<Grant[]> {
  const names = wanted.map(({ site }) => site);
  const grants = [];
  for (const [i, { role }] of wanted.entries()) {
    const [siteId] = await sitesNamed(accounts.sites, [names[i]!], call, `grants.${i}.site`);
    grants.push({ siteId: siteId!, role });
  }
  if (new Set(grants.map(({ siteId }) => siteId)).size < grants.length)
    throw new AppError('invalid_request', 'Somebody is one thing at a site.', {
      issues: [{ path: 'grants', message: 'names a site twice' }],
    });
  return grants;
}

/** In a transaction that holds the user. throws  forbidden, conflict for the last owner, invalid_request */
async function change(
  tx: Db,
  { strongRoles }: Accounts,
  call: Call,
  user: User,
  { isOwner, grants, disabled }: Omit<UserPatch, 'grants'> & { grants?: Grant[] | undefined },
): Promise<void> {
  const { userId } = user;
  const { actor } = call.caller;
  const isOwnerThen = isOwner ?? user.isOwner;
  if (isOwner !== undefined && isOwner !== user.isOwner && reachOf(call) !== null)
    throw new AppError('forbidden', 'Only an owner makes or unmakes an owner.');
  if (isOwnerThen && grants?.length)
    throw new AppError('invalid_request', 'An owner is one at every site and has no other role.', {
      issues: [{ path: 'grants', message: 'is not for owners' }],
    });
  if (user.isOwner && (!isOwnerThen || disabled)) await mustNotBeLastOwner(tx, userId);
  if (isOwner !== undefined || grants)
    await setRoles(
      tx,
      userId,
      { isOwner: isOwnerThen, siteIds: grants ? call.siteIds : [], grants: grants ?? [] },
      { grantedBy: actor, strongRoles },
    );
  await mustHaveSeats(tx, grants?.map(({ siteId }) => siteId) ?? []);
  if (disabled === undefined || disabled === (user.disabledAt !== null)) return;
  mustBeWhollyTheirs(call, user);
  await setDisabled(tx, userId, disabled);
  if (disabled) await endSessions(tx, userId);
  const kind = disabled ? 'account_disabled' : 'account_enabled';
  await noteAuth(tx, { kind, userId, actor, requestId: call.id });
}
