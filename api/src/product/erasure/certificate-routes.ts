// Certificates of what was erased, to be found again by their id: what and when, and of whom only a keyed hash.
import { z } from 'zod';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, siteName, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { isUuid } from '../../ground/lib/uuid.ts';
import { backupsUntil } from './erase.ts';

const certificateShape = z
  .object({
    erasureId: z.uuid(),
    siteId: z.uuid(),
    erasedAt: utc,
    backupsUntil: utc.describe('until when backups may still hold it; one that is restored forgets again'),
    cause: z
      .enum(['request', 'time'])
      .nullable()
      .describe('whether somebody asked, or its time was over; null: of before this was kept'),
    emailHash: z.string().describe('of the address, or of the browser’s id, under this machine’s key'),
    erased: z.record(z.string(), z.int()).describe('rows per table'),
    rows: z.int().min(0).describe('of all tables'),
    consentRecords: z
      .int()
      .min(0)
      .describe('links of the chain of consent that stay, without a word of whose'),
  })
  .meta({ id: 'ErasureCertificate' });
export type ErasureCertificate = z.output<typeof certificateShape>;

/** erasureId  null: the newest. Without what was erased it is the trace of an earlier address, which its last one proves. */
async function findCertificates(
  tx: Db,
  backupDays: number,
  {
    erasureId = null,
    after = null,
    limit,
  }: { erasureId?: string | null; after?: string | null; limit: number },
): Promise<ErasureCertificate[]> {
  const { rows } = await tx.query<Omit<ErasureCertificate, 'backupsUntil' | 'rows'>>(
    `select e.erasure_id as "erasureId", e.site_id as "siteId", instant_text(e.erased_at) as "erasedAt", e.cause,
       encode(e.email_hash, 'hex') as "emailHash", e.erased,
       (select count(*)::int from consent_records r where r.site_id = e.site_id and r.lead_id = e.lead_id) as "consentRecords"
     from erasures e where e.site_id = any (current_sites()) and e.erased <> '{}'
       and ($1::uuid is null or e.erasure_id = $1) and ($2::uuid is null or e.erasure_id < $2)
     order by e.erasure_id desc limit $3`,
    [erasureId, after, limit],
  );
  return rows.map((row) => ({
    ...row,
    backupsUntil: backupsUntil(row.erasedAt, backupDays),
    rows: Object.values(row.erased).reduce((sum, n) => sum + n, 0),
  }));
}

export interface CertificateNeeds {
  db: Pool;
  /** For how long a backup may still hold what is erased. */
  backupDays: number;
}

export function certificateRoutes({ db, backupDays }: CertificateNeeds): Route[] {
  const common = { tag: 'erasure', who: 'evidence' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/admin/erasures',
      id: 'listErasures',
      says: 'Certificates of what was erased, the newest first',
      of: 'named or all',
      takes: {
        as: 'query',
        shape: z.object({
          ...paging(50, 500),
          propertyId: siteName.describe('only of this site; without it of every site of the caller'),
        }),
      },
      answers: { 200: z.object({ erasures: z.array(certificateShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]))?.[0] ?? null;
        const rows = await inSites(db, [...call.siteIds], (tx) =>
          findCertificates(tx, backupDays, { after, limit: limit + 1 }),
        );
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.erasureId]);
        return { erasures: page, nextCursor: next };
      },
    }),
    route({
      ...common,
      at: 'GET /v1/admin/erasures/:erasureId',
      id: 'getErasure',
      says: 'One certificate, by the id that whoever was erased was given',
      of: 'all',
      answers: { 200: z.object({ erasure: certificateShape }) },
      async run(_input, call) {
        const erasureId = call.params.erasureId!;
        const [erasure] = isUuid(erasureId)
          ? await inSites(db, [...call.siteIds], (tx) =>
              findCertificates(tx, backupDays, { erasureId, limit: 1 }),
            )
          : [];
        if (!erasure) throw new AppError('not_found', 'There is no certificate with this id.');
        call.note({ siteId: erasure.siteId, target: erasureId });
        return { erasure };
      },
    }),
  ];
}
