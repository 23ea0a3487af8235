// Sign-ins and changes of how people prove who they are, to read: GET /v1/auth/events.
import { z } from 'zod';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { Accounts } from './accounts.ts';
import { inAccounts } from './in-accounts.ts';
import { reachOf } from './sites-named.ts';

const eventShape = z
  .object({
    eventId: z.uuid(),
    at: utc,
    kind: z.string().describe('sign_in, proof, password_changed, share_unlocked, …'),
    outcome: z.enum(['done', 'failed']),
    method: z
      .string()
      .nullable()
      .describe(
        'password, password totp, passkey, oidc, …; of one that failed what was wrong, or second_factor_missing (the password was right), or too_many_tries (once, until tries are looked at again)',
      ),
    userId: z.uuid().nullable().describe('null: no account was known'),
    actor: z.string().describe('user:ID, share:ID for the password of a shared view, nobody, …'),
    requestId: z.uuid().nullable(),
  })
  .meta({ id: 'AuthEvent' });

export function eventRoutes({ db }: Accounts): Route[] {
  return [
    route({
      at: 'GET /v1/auth/events',
      id: 'listAuthEvents',
      says: 'Sign-ins and changes of how people prove who they are, newest first; of the people at the caller’s sites, and tries at the passwords of their shared views',
      tag: 'audit',
      who: 'access',
      of: 'all',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ events: z.array(eventShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        const rows = await inAccounts(
          db,
          async (tx) =>
            (
              await tx.query<z.output<typeof eventShape>>(
                `select e.event_id as "eventId", instant_text(e.at) as at, e.kind, e.outcome, e.method, e.user_id as "userId", e.actor, e.request_id as "requestId"
                 from auth_events e
                 where ($1::uuid[] is null or exists (select from site_grants g join users u using (user_id) where u.user_id = e.user_id and not u.is_owner and g.site_id = any ($1))
                     or (e.kind = 'share_unlocked' and exists (select from shares s where e.actor = 'share:' || s.share_id and s.site_id = any ($1))))
                   and ($2::uuid is null or e.event_id < $2) order by e.event_id desc limit $3`,
                [reachOf(call), after, limit + 1],
              )
            ).rows,
        );
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.eventId]);
        return { events: page, nextCursor: next };
      },
    }),
  ];
}
