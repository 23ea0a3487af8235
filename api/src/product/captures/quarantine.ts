// Suspicious submissions: an admin looks, and releases or drops them. Until then they are no lead and nothing is sent.
import { z } from 'zod';
import { withRetries } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { openRecord, utc } from '../../ground/http/fields.ts';
import { todaysPartitions } from '../events/partitions.ts';
import type { Capture } from './capture.ts';
import { SIGNS } from './spam.ts';
import { storeCapture } from './store.ts';

export const quarantinedShape = z
  .object({
    quarantineId: z.uuid(),
    siteId: z.uuid(),
    receivedAt: utc,
    score: z.number(),
    reasons: z.array(z.enum(SIGNS)),
    email: z.string(),
    formName: z.string(),
    payload: openRecord.nullable(),
    path: z.string().nullable(),
  })
  .meta({ id: 'Quarantined' });

/** Newest first; inside inSites. before: the last quarantineId of the page before */
export async function listQuarantined(
  db: Db,
  before: string | null,
  limit: number,
): Promise<z.output<typeof quarantinedShape>[]> {
  return (
    await db.query<z.output<typeof quarantinedShape>>(
      // the page first: what was sent is unpacked for its rows alone
      `select quarantine_id as "quarantineId", site_id as "siteId", instant_text(received_at) as "receivedAt", score, reasons,
         capture ->> 'email' as email, capture ->> 'form_name' as "formName",
         case when json_typeof(capture -> 'review') = 'object' then json_build_object('payload', capture -> 'payload', 'review', (capture -> 'review')::jsonb - 'permission')
           else capture -> 'payload' end as payload, capture ->> 'path' as path
       from (select * from quarantine where decision is null and ($1::uuid is null or quarantine_id < $1) order by quarantine_id desc limit $2) page
       order by quarantine_id desc`,
      [before, limit],
    )
  ).rows;
}

/** returns null when nothing with that id waits; leadId only for a release */
export async function decideQuarantined(
  pool: Pool,
  siteIds: string[],
  quarantineId: string,
  decision: 'release' | 'drop',
): Promise<{ siteId: string; leadId: string | null; told: number | null } | null> {
  return withRetries(
    () =>
      inSites(pool, siteIds, async (db) => {
        // the address before the row, in the order of captures and erasures
        await db.query(
          `select pg_advisory_xact_lock(hashtextextended(site_id || ' ' || email_normalized, 7)) from quarantine
         where quarantine_id = $1 and decision is null and site_id = any (current_sites())`,
          [quarantineId],
        );
        const { rows } = await db.query<{ site_id: string; capture: Capture }>(
          'select site_id, capture from quarantine where quarantine_id = $1 and decision is null and site_id = any (current_sites()) for update',
          [quarantineId],
        );
        const waiting = rows[0];
        if (!waiting) return null;
        let leadId: string | null = null;
        let told: number | null = null;
        if (decision === 'release') {
          const stored = await storeCapture(db, { ...waiting.capture, is_release: true, suspicions: [] });
          told = stored.told ?? null;
          leadId = stored.outcome === 'erased' ? null : stored.leadId;
        }
        await db.query(
          `update quarantine set decision = $3, decided_at = now(), capture = null, email_normalized = null
         where site_id = $1 and quarantine_id = $2`,
          [waiting.site_id, quarantineId, decision === 'release' ? 'released' : 'dropped'],
        );
        return { siteId: waiting.site_id, leadId, told };
      }),
    todaysPartitions(pool),
  );
}
