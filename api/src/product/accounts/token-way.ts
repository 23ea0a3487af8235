// The way in of programs that signed in as a person: an access token, and the session that it names, which is asked each time,
// so that ending it holds at once.
import type { WayIn } from '../../ground/http/caller.ts';
import type { Accounts } from './accounts.ts';
import { inAccounts } from './in-accounts.ts';
import { personCaller } from './person.ts';
import { findTokenSession } from './session-queries.ts';
import { noteUse } from './sessions.ts';

const SHAPE = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

export function tokenWay(accounts: Accounts): WayIn {
  return async (call) => {
    const token = SHAPE.exec(call.header('authorization'))?.[1];
    if (!token || !accounts.isConfigured) return null;
    const named = await accounts.tokens().read(token);
    if (!named) return null;
    return inAccounts(accounts.db, async (tx) => {
      const found = await findTokenSession(tx, named.userId, named.sessionId);
      if (!found) return null;
      await noteUse(tx, found.session);
      return personCaller(accounts.db, found.user, found.session);
    });
  };
}
