// GET /v1/users/me/sites: which sites a person may open, as what, and whose days they have.
import { z } from 'zod';
import { type Route, route } from '../../ground/http/route.ts';
import { timeZoneOf } from '../../ground/site.ts';
import type { Accounts } from './accounts.ts';
import { inAccounts } from './in-accounts.ts';
import { findUser } from './queries.ts';
import { role } from './shapes.ts';

const ownSite = z.object({
  siteId: z.uuid(),
  key: z.string(),
  name: z.string().describe('its key where it has none'),
  timeZone: z.string(),
  role,
});

export function ownSitesRoute({ db, sites }: Accounts): Route {
  return route({
    at: 'GET /v1/users/me/sites',
    id: 'listMySites',
    says: 'The sites one may open, and what one is at each',
    tag: 'users',
    who: 'person',
    answers: { 200: z.object({ sites: z.array(ownSite) }) },
    async run(_input, call) {
      const user = (await inAccounts(db, (tx) => findUser(tx, call.caller.person!.userId)))!;
      const roleAt = (siteId: string) =>
        user.isOwner ? 'owner' : user.grants.find((grant) => grant.siteId === siteId)?.role;
      return {
        sites: sites.list().flatMap((site) => {
          const at = roleAt(site.siteId);
          const { siteId, key, name } = site;
          return at ? [{ siteId, key, name: name || key, timeZone: timeZoneOf(site), role: at }] : [];
        }),
      };
    },
  });
}
