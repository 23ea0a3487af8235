// Everything held about an address on a site, for the person whose it is.
import { z } from 'zod';
import { inPieces, type ListOf } from '../../ground/db/pieces.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { Members } from '../../ground/http/json-stream.ts';
import type { Tables } from '../../ground/tables.ts';
import { heldBackList, heldBackShape } from '../captures/quarantine.ts';
import { consentRecordList } from '../consent/record.ts';
import {
  conversionList,
  identityList,
  mailList,
  submissionList,
  unclaimedConversionList,
  visitorEventList,
  visitorList,
  visitorSessionList,
} from '../leads/belongings.ts';
import { findLeadByAddress } from '../leads/listing.ts';
import { belongings, leadConversionShape, leadShape, mailShape } from '../leads/shapes.ts';
import { countMentions } from './mentions.ts';

const mentions = z
  .record(z.string(), z.int())
  .describe(
    'in how many rows the address stands in a text or in the name of a number, by table; an erasure takes it out',
  );
const ofLead = z.object({
  mentions,
  lead: leadShape,
  ...belongings,
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
interface Asked {
  db: Pool;
  /** Of all features. */
  tables: Tables;
  siteId: string;
  address: { normalized: string; hash: string };
}

/**
 * Everything that is held, in lists that are read while they are sent: it may be far more than we may hold.
 * returns  null when there is nothing
 */
export async function everythingAbout(
  asked: Asked,
): Promise<{ leadId: string | null; subject: object } | null> {
  const { db, tables, siteId, address } = asked;
  const all = (list: ListOf, of: string) => new Members(inPieces(db, siteId, list, [siteId, of]));
  const { lead, mentions, isHeld } = await inSites(db, siteId, async (client) => {
    const known = await findLeadByAddress(client, siteId, address.normalized);
    const spellings = [address.normalized, ...(known ? [known.email.toLowerCase()] : [])];
    return {
      lead: known,
      mentions: await countMentions(client, tables, siteId, spellings),
      isHeld: await isAnythingHeld(client, asked),
    };
  });
  const quarantined = all(heldBackList, address.normalized);
  if (!lead) {
    if (!isHeld && Object.keys(mentions).length === 0) return null;
    const conversions = all(unclaimedConversionList, address.hash);
    return { leadId: null, subject: { lead: null, mentions, quarantined, conversions } };
  }
  const { leadId } = lead;
  const ofTheirs = (list: ListOf) => new Members(ofVisitors(db, siteId, leadId, list));
  const subject = {
    lead,
    mentions,
    identities: all(identityList, leadId),
    sessions: ofTheirs(visitorSessionList),
    events: ofTheirs(visitorEventList),
    submissions: all(submissionList, leadId),
    consents: all(consentRecordList, leadId),
    conversions: all(conversionList, leadId),
    mails: all(mailList, leadId),
    quarantined,
  };
  return { leadId, subject };
}

/** Whether something waits or was told of an address that is nobody's lead. */
async function isAnythingHeld(db: Db, { siteId, address }: Asked): Promise<boolean> {
  const { rows } = await db.query<{ held: boolean }>(
    `select exists (select from quarantine where site_id = $1 and email_normalized = $2)
       or exists (select from conversions where site_id = $1 and email_hash = $3::bytea) as held`,
    [siteId, address.normalized, address.hash],
  );
  return rows[0]!.held;
}

/** A list browser by browser: each is read along an index, whatever its length. */
async function* ofVisitors(db: Pool, siteId: string, leadId: string, list: ListOf): AsyncGenerator<string[]> {
  for await (const visitors of inPieces(db, siteId, visitorList, [siteId, leadId]))
    for (const line of visitors)
      yield* inPieces(db, siteId, list, [siteId, (JSON.parse(line) as { id: string }).id]);
}
