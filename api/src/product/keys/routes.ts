// Keys of programs: GET and POST /v1/keys, DELETE /v1/keys/{keyId}.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { nextCursor, pageOf, paging, readCursor } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import type { Accounts } from '../accounts/accounts.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { hashOf, newSecret } from '../accounts/secrets.ts';
import { reachOf, sitesNamed } from '../accounts/sites-named.ts';
import { insertKey, listKeys } from './queries.ts';
import { revoke } from './revoke.ts';
import { keyShape, newKey } from './schema.ts';
import { writeToken } from './token.ts';

const DAY_MS = 86_400_000;

/** throws  invalid_request with path expiresAt */
function expiryOf(wanted: string | undefined, now: number): Date {
  const at = wanted === undefined ? now + 365 * DAY_MS : Date.parse(wanted);
  if (at > now && at <= now + 731 * DAY_MS) return new Date(at);
  throw new AppError('invalid_request', 'A key ends within two years from now.', {
    issues: [{ path: 'expiresAt', message: 'must be after now, and at most two years away' }],
  });
}

export interface KeyNeeds {
  db: Pool;
  sites: SiteDirectory;
  accounts: Pick<Accounts, 'forgetJournal'>;
}

export function keyRoutes({ db, sites, accounts }: KeyNeeds): Route[] {
  const common = { tag: 'keys', who: 'people', of: 'all' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/keys',
      id: 'listKeys',
      says: 'Lists keys of programs, the newest first; those that reach further than the caller are not theirs to see',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ keys: z.array(keyShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]));
        const rows = await inAccounts(db, (tx) => listKeys(tx, reachOf(call), after?.[0] ?? null, limit + 1));
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.keyId]);
        return { keys: page, nextCursor: next };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/keys',
      id: 'createKey',
      says: 'Makes a key of a program; its secret is in this answer and nowhere else',
      proof: 'fresh',
      takes: { as: ['json'], bytesMax: 32 * 1024, shape: newKey },
      answers: {
        201: z.object({ key: keyShape, token: z.string().describe('mk_…, shown this once') }),
      },
      async run({ name, scopes, sites: wanted, expiresAt }, call) {
        const secret = newSecret();
        const key = await inAccounts(db, async (tx) =>
          insertKey(tx, {
            name,
            scopes: [...new Set(scopes)],
            siteIds: wanted ? await sitesNamed(sites, wanted, call) : reachOf(call),
            secretHash: hashOf(secret),
            madeBy: call.caller.actor,
            expiresAt: expiryOf(expiresAt, call.receivedMs),
          }),
        );
        call.note({ target: key.keyId, details: { scopes: key.scopes } });
        return created({ key, token: writeToken(key.keyId, secret) });
      },
    }),
    route({
      ...common,
      at: 'DELETE /v1/keys/:keyId',
      id: 'revokeKey',
      says: 'Ends a key at once',
      proof: 'fresh',
      answers: { 200: z.object({ key: keyShape }) },
      async run(_input, call) {
        const key = await revoke(db, reachOf(call), call.params.keyId!, accounts.forgetJournal);
        if (!key) throw new AppError('not_found', 'There is no key with this id.');
        call.note({ target: key.keyId });
        return { key };
      },
    }),
  ];
}
