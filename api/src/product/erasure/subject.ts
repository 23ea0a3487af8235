// Everything held about an address on a site, for the person whose it is.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { heldBackShape, listQuarantinedOf } from '../captures/quarantine.ts';
import { findLeadByAddress, listConversions, listMails, timelineOf } from '../leads/listing.ts';
import { leadConversionShape, leadShape, mailShape, timelineShape } from '../leads/shapes.ts';

const EVENTS_MAX = 100_000;

const ofLead = z.object({
  lead: leadShape,
  ...timelineShape.shape,
  mails: z.array(mailShape),
  quarantined: z.array(heldBackShape),
});
const ofNobody = z.object({
  lead: z.null(),
  quarantined: z.array(heldBackShape),
  conversions: z.array(leadConversionShape),
});
export const subjectShape = z
  .union([ofLead, ofNobody])
  .describe('lead null: the address is no lead’s, but something of it was held back or told');
export type Subject = z.output<typeof subjectShape>;

/** returns  null when there is nothing */
export async function everythingAbout(
  db: Pool,
  siteId: string,
  address: { normalized: string; hash: string },
): Promise<Subject | null> {
  return inSites(db, siteId, async (client) => {
    const lead = await findLeadByAddress(client, siteId, address.normalized);
    const quarantined = await listQuarantinedOf(client, siteId, address.normalized);
    if (!lead) {
      const conversions = await listConversions(client, siteId, { emailHash: address.hash });
      return quarantined.length + conversions.length > 0 ? { lead: null, quarantined, conversions } : null;
    }
    const mails = await listMails(client, siteId, lead.leadId);
    return { lead, ...(await timelineOf(client, lead, EVENTS_MAX)), mails, quarantined };
  });
}
