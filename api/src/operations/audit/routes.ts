// The audit log to read: GET /v1/audit, by whom, what, which site and when.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import {
  instant,
  nextCursor,
  openRecord,
  pageOf,
  paging,
  readCursor,
  siteName,
  utc,
} from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { NO_SITE } from '../../ground/site.ts';

export const entryShape = z
  .object({
    auditId: z.uuid(),
    siteId: z.uuid().nullable().describe('null: it belonged to no site'),
    at: utc,
    actor: z.string(),
    action: z
      .string()
      .describe('the route, the verb of the command line, or `job` and its name: what it changed by itself'),
    target: z.string().nullable(),
    outcome: z
      .int()
      .describe('the status of the answer; of the command line 200, or 500 when it failed; of a job 200'),
    requestId: z.string().nullable().describe('null: of the command line, or of a job'),
    details: openRecord.nullable(),
  })
  .meta({ id: 'AuditEntry' });

const asked = z.object({
  ...paging(100, 500),
  propertyId: siteName.describe('only of this site; without it of every site of the caller'),
  actor: z
    .string()
    .trim()
    .min(1)
    .max(100)
    .optional()
    .describe('admin_key, user:ID, key:ID, subject, machine'),
  action: z.string().trim().min(1).max(200).optional().describe('such as POST /v1/keys'),
  from: instant.optional().describe('not before'),
  to: instant.optional().describe('before'),
});

export function auditRoutes({ db }: { db: Pool }): Route[] {
  return [
    route({
      at: 'GET /v1/audit',
      id: 'listAuditEntries',
      says: 'Who did what, newest first',
      tag: 'audit',
      who: 'access',
      of: 'named or all',
      takes: { as: 'query', shape: asked },
      answers: { 200: z.object({ entries: z.array(entryShape), nextCursor }) },
      async run({ limit, cursor, propertyId, actor, action, from, to }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]));
        // what belonged to no site is seen by whoever has all of them, and asks for no single one
        const seesAll = call.caller.siteIds === 'all' && propertyId === undefined;
        const siteIds = seesAll ? [...call.siteIds, NO_SITE] : call.siteIds;
        const { rows } = await inSites(db, siteIds, (client) =>
          client.query<z.output<typeof entryShape>>(
            `select audit_id as "auditId", nullif(site_id, $3) as "siteId", instant_text(at) as at, actor, action, target, outcome, request_id as "requestId", details
             from audit_log where site_id = any (current_sites()) and ($1::uuid is null or audit_id < $1)
               and ($4::text is null or actor = $4) and ($5::text is null or action = $5)
               and ($6::timestamptz is null or at >= $6) and ($7::timestamptz is null or at < $7)
             order by audit_id desc limit $2`,
            [after?.[0] ?? null, limit + 1, NO_SITE, actor ?? null, action ?? null, from ?? null, to ?? null],
          ),
        );
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.auditId]);
        return { entries: page, nextCursor: next };
      },
    }),
  ];
}
