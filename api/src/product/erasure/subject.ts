// Everything held about an address on a site, for the person whose it is.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Tables } from '../../ground/tables.ts';
import { heldBackShape, listQuarantinedOf } from '../captures/quarantine.ts';
import { findLeadByAddress, listConversions, listMails, timelineOf } from '../leads/listing.ts';
import { leadConversionShape, leadShape, mailShape, timelineShape } from '../leads/shapes.ts';
import { countMentions } from './mentions.ts';

const EVENTS_MAX = 100_000;

const mentions = z
  .record(z.string(), z.int())
  .describe(
    'in how many rows the address stands in a text or in the name of a number, by table; an erasure takes it out',
  );
const ofLead = z.object({
  mentions,
  lead: leadShape,
  ...timelineShape.shape,
  mails: z.array(mailShape),
  quarantined: z.array(heldBackShape),
});
const ofNobody = z.object({
  mentions,
  lead: z.null(),
  quarantined: z.array(heldBackShape),
  conversions: z.array(leadConversionShape),
});
export const subjectShape = z
  .union([ofLead, ofNobody])
  .describe(
    'lead null: the address is no lead’s, but something of it was held back, told, or stands in a text',
  );
export type Subject = z.output<typeof subjectShape>;

/** returns  null when there is nothing */
export async function everythingAbout(
  db: Pool,
  tables: Tables,
  siteId: string,
  address: { normalized: string; hash: string },
): Promise<Subject | null> {
  return inSites(db, siteId, async (client) => {
    const lead = await findLeadByAddress(client, siteId, address.normalized);
    const mentions = await countMentions(client, tables, siteId, [
      address.normalized,
      ...(lead ? [lead.email.toLowerCase()] : []),
    ]);
    const quarantined = await listQuarantinedOf(client, siteId, address.normalized);
    if (!lead) {
      const conversions = await listConversions(client, siteId, { emailHash: address.hash });
      const isHeld = quarantined.length + conversions.length + Object.keys(mentions).length > 0;
      return isHeld ? { lead: null, mentions, quarantined, conversions } : null;
    }
    const mails = await listMails(client, siteId, lead.leadId);
    return { lead, mentions, ...(await timelineOf(client, lead, EVENTS_MAX)), mails, quarantined };
  });
}
