// People who sign in: accounts, sessions, what they are at which site.

import { z } from 'zod';
import type { Config } from '../../config.ts';
import type { Pool } from '../../ground/db/pool.ts';
import type { Feature } from '../../ground/feature.ts';
import type { Ending } from '../../ground/retention/purge.ts';
import type { Accounts } from './accounts.ts';
import { addressRoutes } from './address-routes.ts';
import { authRoutes } from './auth-routes.ts';
import { endRows } from './end-rows.ts';
import { eventRoutes } from './event-routes.ts';
import { factorRoutes } from './factor-routes.ts';
import { inAccounts } from './in-accounts.ts';
import { invitationRoutes } from './invitation-routes.ts';
import { meRoutes } from './me-routes.ts';
import { oidcRoutes } from './oidc-routes.ts';
import { ownSitesRoute } from './own-sites.ts';
import { passkeyRoutes } from './passkey-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { openPost } from './post.ts';
import { rotateKeys } from './rotate.ts';
import { sessionWay } from './sessions.ts';
import { accountTables } from './tables.ts';
import { tokenRoutes } from './token-routes.ts';
import { tokenWay } from './token-way.ts';
import { openVault } from './vault.ts';

export const accounts: Feature<{ accounts: Accounts }, { db: Pool; config: Config }> = {
  name: 'accounts',
  tables: accountTables,
  routes: ({ accounts: parts }) => [
    ...authRoutes(parts),
    ...tokenRoutes(parts),
    ...meRoutes(parts),
    ownSitesRoute(parts),
    ...addressRoutes(parts),
    ...factorRoutes(parts),
    ...passkeyRoutes(parts),
    ...oidcRoutes(parts),
    ...eventRoutes(parts),
    ...invitationRoutes(parts),
    ...peopleRoutes(parts),
  ],
  ways: ({ accounts: parts }) => [sessionWay(parts), tokenWay(parts)],
  jobs: ({ db, config }) => [
    {
      name: 'account_mails',
      cron: '* * * * *',
      why: 'mails about accounts wait in the database until a mail server has taken them',
      run: async () => {
        const post = openPost(config, openVault(config.ACCOUNT_KEYS), db);
        try {
          return { ...(await post.deliver()) };
        } finally {
          await post.close();
        }
      },
    },
    {
      name: 'account_keys',
      cron: '25 4 * * *',
      why: 'the keys of users’ personal data are a year old at most, and follow ACCOUNT_KEYS when that changes',
      options: z.object({ renew: z.boolean().default(false).describe('a new key now') }),
      run: async ({ options: { renew } }) => {
        const vault = openVault(config.ACCOUNT_KEYS);
        return vault ? { ...(await rotateKeys(db, vault, renew === true)) } : { rewrapped: 0 };
      },
    },
  ],
  endings: ({ db }) => ({
    'old sessions': endRows(db, 'user_sessions', 'expires_at < $1', 'userSessions', [
      'used_refresh_tokens',
      'session_id',
    ]),
    'old links': endRows(db, 'one_time_links', 'expires_at < $1', 'oneTimeLinks'),
    'old sign-ins': endEvents(db, false),
    'failed sign-ins': endEvents(db, true),
  }),
};

/** The app's role may delete none; PostgreSQL's own function does. */
function endEvents(db: Pool, onlyFailed: boolean): Ending {
  return async ({ bound, dryRun, left }) => {
    const count = await inAccounts(db, async (tx) => {
      const sql = dryRun
        ? `select count(*)::int as count from auth_events target where at < $1 and (outcome = 'failed' or not $2) and ${left}`
        : 'select purge_auth_events($1, $2)::int as count';
      return (await tx.query<{ count: number }>(sql, [bound, onlyFailed])).rows[0]!.count;
    });
    return { rows: { [onlyFailed ? 'failedSignIns' : 'signIns']: count } };
  };
}
