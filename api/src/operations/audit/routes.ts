// The audit log to read: GET /v1/admin/audit-log.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, openRecord, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { NO_SITE } from '../../ground/site.ts';

const entryShape = z
  .object({
    auditId: z.uuid(),
    siteId: z.uuid().nullable().describe('null: it belonged to no site'),
    at: utc,
    actor: z.string(),
    action: z.string().describe('the route'),
    target: z.string().nullable(),
    outcome: z.int().describe('the status of the answer'),
    requestId: z.string(),
    details: openRecord.nullable(),
  })
  .meta({ id: 'AuditEntry' });

export function auditRoutes({ db }: { db: Pool }): Route[] {
  return [
    route({
      at: 'GET /v1/admin/audit-log',
      id: 'listAuditEntries',
      says: 'What administrators did, newest first',
      tag: 'audit',
      who: 'access',
      of: 'all',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ entries: z.array(entryShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]));
        const siteIds = call.caller.siteIds === 'all' ? [...call.siteIds, NO_SITE] : call.siteIds;
        const { rows } = await inSites(db, siteIds, (client) =>
          client.query<z.output<typeof entryShape>>(
            `select audit_id as "auditId", nullif(site_id, $3) as "siteId", instant_text(at) as at, actor, action, target, outcome, request_id as "requestId", details
             from audit_log where site_id = any (current_sites()) and ($1::uuid is null or audit_id < $1) order by audit_id desc limit $2`,
            [after?.[0] ?? null, limit + 1, NO_SITE],
          ),
        );
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.auditId]);
        return { entries: page, nextCursor: next };
      },
    }),
  ];
}
