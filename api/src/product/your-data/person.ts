// Whose data a link opens: the same rows that an erasure would take.
import type { Db } from '../../ground/db/pool.ts';
import type { Tables } from '../../ground/tables.ts';
import { isAnythingHeld } from '../erasure/held.ts';
import { browsersOf, type Person } from '../erasure/theirs.ts';
import { findLeadByAddress } from '../leads/listing.ts';

/** hash  keyed, as \x…. Inside inSites. */
export async function personAt(db: Db, siteId: string, normalized: string, hash: string): Promise<Person> {
  const lead = await findLeadByAddress(db, siteId, normalized);
  const leadId = lead?.leadId ?? null;
  return { leadId, normalized, hash, ...(await browsersOf(db, siteId, leadId, normalized)) };
}

/** Whether anything is held about a person; that an address is mentioned by others alone is not looked for. Inside inSites. */
export const isKnown = (db: Db, tables: Tables, siteId: string, person: Person): Promise<boolean> =>
  person.leadId ? Promise.resolve(true) : isAnythingHeld(db, tables, siteId, person);
