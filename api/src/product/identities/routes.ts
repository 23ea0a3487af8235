// Identities by hand: a visitor is a lead, or after all is not. POST /v1/identities/merge, /v1/identities/unmerge.
import { z } from 'zod';
import { withRetries } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Call } from '../../ground/http/call.ts';
import { anonId, siteName } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { email } from '../captures/schema.ts';
import { visitorIdOf } from '../events/enrich.ts';
import { findLeadByAddress } from '../leads/listing.ts';
import { isLeftAlone, mergeIdentity, unmergeIdentity } from './links.ts';

const linkInput = z
  .object({
    leadId: z.uuid().optional(),
    email: email.optional(),
    visitorId: z.uuid().optional(),
    anonId: anonId.optional(),
    propertyId: siteName,
  })
  .refine((value) => (value.leadId === undefined) !== (value.email === undefined), {
    path: ['leadId'],
    message: 'either leadId or email',
  })
  .refine((value) => (value.visitorId === undefined) !== (value.anonId === undefined), {
    path: ['visitorId'],
    message: 'either visitorId or anonId',
  })
  .meta({ id: 'IdentityLink' });
type LinkInput = z.output<typeof linkInput>;
const linkSource = z.enum(['form_submit', 'same_ip_ua_window', 'manual_merge']);
const unlinkInput = linkInput
  .safeExtend({
    linkSource: linkSource
      .optional()
      .describe('which link; without it what an admin said, else whatever ties the two'),
  })
  .meta({ id: 'IdentityUnlink' });

const linkShape = z
  .object({
    identityId: z.uuid(),
    leadId: z.uuid(),
    visitorId: z.uuid(),
    linkSource: z.literal('manual_merge'),
    confidence: z.number().describe('0..1'),
  })
  .meta({ id: 'ManualLink' });

export function identityRoutes({ db }: { db: Pool }): Route[] {
  /** returns  what work made of the lead and the visitor that are meant; null: there is no such lead */
  async function withPair<T>(
    input: LinkInput,
    call: Call,
    work: (tx: Db, leadId: string, visitorId: string) => Promise<T>,
  ): Promise<T | null> {
    const { siteId } = call.site;
    const visitorId = input.visitorId ?? visitorIdOf(siteId, input.anonId!);
    // whoever of them is erased meanwhile is not there the second time
    return withRetries(() =>
      inSites(db, siteId, async (tx) => {
        const leadId = input.leadId ?? (await findLeadByAddress(tx, siteId, input.email!.normalized))?.leadId;
        if (!leadId) return null;
        call.note({ target: leadId, details: { visitorId } });
        return work(tx, leadId, visitorId);
      }),
    );
  }

  const common = { tag: 'leads', who: 'leads', of: 'named' } as const;
  const takes = { as: ['json'], bytesMax: 16 * 1024, shape: linkInput } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/identities/merge',
      id: 'mergeIdentity',
      says: 'Says that a visitor is a lead',
      takes,
      answers: {
        200: z.object({ link: linkShape, created: z.boolean().describe('false: it was there already') }),
      },
      async run(input, call) {
        const { siteId } = call.site;
        const merged = await withPair(input, call, async (tx, leadId, visitorId) => {
          if (await isLeftAlone(tx, siteId, leadId))
            throw new AppError(
              'conflict',
              'This lead objected to being tied to visits, or is restricted. Where that is over, take it back first: POST /v1/leads/{leadId}/restrict.',
            );
          return mergeIdentity(tx, siteId, leadId, visitorId);
        });
        if (!merged) throw new AppError('not_found', 'This site has no such lead or visitor.');
        return merged;
      },
    }),
    route({
      ...common,
      at: 'POST /v1/identities/unmerge',
      id: 'unmergeIdentity',
      says: 'Takes that back, and everything is as before; where nothing was said, undoes the link of a form or of an address for good',
      takes: { ...takes, shape: unlinkInput },
      answers: {
        200: z.object({ unlinked: z.literal(true), linkSources: z.array(linkSource) }),
      },
      async run(input, call) {
        const undone = await withPair(input, call, (tx, leadId, visitorId) =>
          unmergeIdentity(tx, call.site.siteId, leadId, visitorId, input.linkSource),
        );
        if (!undone?.length) throw new AppError('not_found', 'There is no such link between these two.');
        return { unlinked: true, linkSources: undone };
      },
    }),
  ];
}
