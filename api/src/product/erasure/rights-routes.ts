// POST /v1/leads/{leadId}/restrict and PATCH /v1/leads/{leadId}.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { readAddress } from '../../ground/lib/email.ts';
import { email } from '../captures/schema.ts';
import { existingLead } from '../leads/listing.ts';
import { answered } from '../requests/register.ts';
import { correctAddress, restrictLead } from './rights.ts';

export interface RightsNeeds {
  db: Pool;
  hashAddress: (siteId: string, normalized: string) => string;
}

const how = z
  .string()
  .trim()
  .min(1)
  .max(2000)
  .optional()
  .describe('evidence: by telephone, in which letter, to whom');

const restriction = z
  .object({
    profiling: z
      .boolean()
      .optional()
      .describe(
        'true: objects to being profiled; links to browsers are undone for good and no new ones made',
      ),
    all: z
      .boolean()
      .optional()
      .describe(
        'true: kept and nothing else; in no list for mailing, in no export, no mail, told to nobody; links to browsers end',
      ),
    how,
  })
  .refine(({ profiling, all }) => profiling !== undefined || all !== undefined, {
    path: ['profiling'],
    message: 'give profiling, all, or both',
  })
  .meta({ id: 'Restriction' });

export function rightsRoutes({ db, hashAddress }: RightsNeeds): Route[] {
  const common = { tag: 'erasure', who: 'evidence', of: 'all' } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/leads/:leadId/restrict',
      id: 'storeRestriction',
      says: 'Restricts what is done with a lead, or takes that back',
      takes: { as: ['json'], bytesMax: 16 * 1024, shape: restriction },
      answers: {
        200: z.object({ noProfiling: z.boolean(), restricted: z.boolean(), linksUndone: z.int() }),
      },
      async run({ how: note, ...wanted }, call) {
        const { siteId, leadId, email: address } = await existingLead(db, call);
        call.note({ details: { ...wanted } });
        return inSites(db, siteId, async (tx) => {
          const now = await restrictLead(tx, siteId, leadId, wanted);
          const { normalized } = readAddress(address)!;
          // who asked for both has two requests open, each with a day of its own
          for (const kind of [wanted.profiling && 'objection', wanted.all && 'restriction'] as const)
            if (kind)
              await answered(tx, {
                siteId,
                kind,
                emailHash: hashAddress(siteId, normalized),
                receivedAt: call.receivedAt.toISOString(),
                note,
              });
          return now;
        });
      },
    }),
    route({
      ...common,
      at: 'PATCH /v1/leads/:leadId',
      id: 'updateLead',
      says: 'Corrects the address of a lead; its history, consent and first touch stay',
      takes: {
        as: ['json'],
        bytesMax: 16 * 1024,
        shape: z.object({ email, how }).meta({ id: 'Rectification' }),
      },
      answers: { 200: z.object({ rectified: z.literal(true), leadId: z.uuid() }) },
      async run({ email: after, how: evidence }, call) {
        const lead = await existingLead(db, call);
        const { siteId, leadId } = lead;
        const { normalized: before } = readAddress(lead.email)!;
        const isDone = await inSites(db, siteId, (tx) =>
          correctAddress(tx, siteId, leadId, {
            before,
            beforeHash: hashAddress(siteId, before),
            after,
            afterHash: hashAddress(siteId, after.normalized),
            evidence: evidence ?? null,
            receivedAt: call.receivedAt,
          }),
        );
        if (!isDone)
          throw new AppError('conflict', 'Another lead of this site has this address.', {
            issues: [{ path: 'email', message: 'is another lead’s' }],
          });
        return { rectified: true, leadId };
      },
    }),
  ];
}
