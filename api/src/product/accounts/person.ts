// A person who signed in, as a caller: their sites, and what their role lets them do at each.
import type { Pool } from '../../ground/db/pool.ts';
import type { Caller, Person } from '../../ground/http/caller.ts';
import { mayAs } from '../../ground/http/roles.ts';
import { inAccounts } from './in-accounts.ts';
import type { User } from './queries.ts';
import { findSessionById, type Session } from './session-queries.ts';

const SECOND_FACTOR_DAYS = 7;

/** Until when who has no second factor has time to set one up; null: none is asked of them (SECOND_FACTOR), or they have one. */
export function secondFactorDue(user: User): Date | null {
  if (user.hasSecondFactor || !user.strongSince) return null;
  return new Date(user.strongSince.getTime() + SECOND_FACTOR_DAYS * 86_400_000);
}

/** By the id of their session. returns  null when it has ended, or its user may not sign in */
export const personAgain = (db: Pool, sessionId: string): Promise<Caller | null> =>
  inAccounts(db, async (tx) => {
    const found = await findSessionById(tx, sessionId);
    return found && personCaller(db, found.user, found.session);
  });

export function personCaller(db: Pool, user: User, session: Pick<Session, 'sessionId' | 'provedAt'>): Caller {
  const due = secondFactorDue(user);
  const person: Person = {
    userId: user.userId,
    sessionId: session.sessionId,
    provedMs: session.provedAt.getTime(),
    needsSecondFactor: due !== null && due.getTime() < Date.now(),
  };
  const { isOwner, grants } = user;
  return {
    actor: `user:${user.userId}`,
    siteIds: isOwner ? 'all' : grants.map(({ siteId }) => siteId),
    may: (what, siteId) =>
      !person.needsSecondFactor &&
      (isOwner
        ? mayAs('owner', what)
        : grants.some((grant) => (siteId ?? grant.siteId) === grant.siteId && mayAs(grant.role, what))),
    person,
    again: () => personAgain(db, session.sessionId),
  };
}
