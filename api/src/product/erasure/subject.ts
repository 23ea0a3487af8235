// Everything held about a person on a site, for the person whose it is.
import { z } from 'zod';
import { inPieces } from '../../ground/db/pieces.ts';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { openRecord } from '../../ground/http/fields.ts';
import { Members } from '../../ground/http/json-stream.ts';
import type { Tables } from '../../ground/tables.ts';
import { archivedDaysOf } from '../archive/marks.ts';
import { linkToken } from '../consent/link.ts';
import { consentRecordList, consentRecordShape } from '../consent/record.ts';
import { findLeadByAddress, linkKeyOf } from '../leads/listing.ts';
import { leadShape } from '../leads/shapes.ts';
import { heldAbout, isAnythingHeld, isOthersVisit, LISTS } from './held.ts';
import { countMentions } from './mention-walk.ts';
import { browsersOf, type Person } from './theirs.ts';

/** Of which site it is. */
export const siteShape = z.object({ siteId: z.uuid(), key: z.string(), name: z.string() });

const someRows = () => z.array(heldRow).optional();
const heldRow = openRecord.meta({ id: 'HeldRow' }).describe('a row as it is kept, every column of it');

export const subjectShape = z
  .object({
    mentions: z
      .record(z.string(), z.int())
      .describe(
        'in how many rows the address stands in a text or in the name of a number, by table; an erasure takes it out',
      ),
    archivedDays: z
      .array(z.iso.date())
      .describe(
        'UTC days of which the archive holds what their browsers did; asked back by POST /v1/sites/{siteId}/archives/restore these rows stand under restoredEvents',
      ),
    lead: leadShape.nullable().describe('null: a browser, or an address that is no lead’s'),
    unsubscribeUrl: z.string().nullable(),
    consents: z.array(consentRecordShape).describe('with the exact words'),
    ...(Object.fromEntries(LISTS.map((name) => [name, someRows()])) as {
      [name in (typeof LISTS)[number]]: ReturnType<typeof someRows>;
    }),
  })
  .describe(
    'one list a table that is by person: events, sessions, submissions, identities, conversions, mails, optIns, visitors …; of a browser that others left an address in, too, only what hangs on this person’s own forms, not how the lead came; by the id of such a browser, nothing of the forms',
  )
  .meta({ id: 'HeldAboutSubject' });

interface Asked {
  db: Pool;
  /** Of all features. */
  tables: Tables;
  siteId: string;
  /** Where links of mails lead. */
  publicUrl: string;
}
export type Named =
  | { normalized: string; hash: string }
  /** A browser's own id, which only that browser knows. */
  | { visitorId: string; hash: string };

/**
 * Everything that is held, in lists that are read while they are sent: it may be far more than we may hold.
 * returns  null when there is nothing
 */
export async function everythingAbout(
  { db, tables, siteId, publicUrl }: Asked,
  named: Named,
): Promise<{ leadId: string | null; subject: object } | null> {
  return inSites(db, siteId, async (tx) => {
    const isAddress = 'normalized' in named;
    const lead = isAddress ? await findLeadByAddress(tx, siteId, named.normalized) : null;
    const leadId = lead?.leadId ?? null;
    const person: Person = isAddress
      ? { leadId, ...named, ...(await browsersOf(tx, siteId, leadId, named.normalized)) }
      : { leadId, normalized: null, hash: named.hash, own: [named.visitorId], shared: [] };
    const spellings = isAddress ? [named.normalized, ...(lead ? [lead.email.toLowerCase()] : [])] : [];
    const mentions = isAddress ? await countMentions(tx, tables, siteId, spellings) : {};
    const archivedDays = await archivedDaysOf(tx, siteId, person.own);
    const isHeld =
      Object.keys(mentions).length + archivedDays.length > 0 ||
      (await isAnythingHeld(tx, tables, siteId, person));
    if (!isHeld) return null;
    const key = leadId && (await linkKeyOf(tx, siteId, leadId));
    const subject = {
      mentions,
      archivedDays,
      lead:
        lead && isOthersVisit(lead, person)
          ? { ...lead, firstPath: null, firstReferrer: null, firstUtm: null }
          : lead,
      unsubscribeUrl: key && `${publicUrl.replace(/\/$/, '')}/v1/unsubscribe/${linkToken(siteId, key)}`,
      consents: leadId
        ? new Members(inPieces(db, siteId, consentRecordList, [siteId, leadId]))
        : ([] as never[]),
      ...(await heldAbout(tx, db, tables, siteId, person, lead)),
    };
    return { leadId, subject };
  });
}
