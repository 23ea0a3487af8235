// Single acts that a card may tell of: people's, some minutes old, none of them named unless they agreed to it.
import { createHash } from 'node:crypto';
import type { Db } from '../../ground/db/pool.ts';
import { CONVERTED, converterIs, SENT, senderIs } from '../bots/people.ts';
import { type Permission, permissionsOf, placeOf } from '../display/display.ts';
import type { Notification } from '../notifications/at-work.ts';
import { KIND_OF, windowOf } from './claims.ts';

/** As its row tells it. */
type Told = Omit<Act, 'name' | 'place'>;

export interface Act {
  /** Of its row: a conversion, a lead or a review. */
  actId: string;
  leadId: string;
  occurredAt: Date;
  product: string | null;
  country: string | null;
  /** By permission; null: "someone". */
  name: string | null;
  /** As small as twenty of the site's people make it. */
  place: { city: string | null; region: string | null; country: string | null } | null;
}

const CARDS_MAX = 10;
const LOOKED_AT_MAX = 60;
const DELAY_MIN = 10;
const DELAY_MAX = 30;

/** 10 to 30 minutes, the same for an act each time: nobody learns from a card that somebody is at it now. */
export function delayMs(actId: string): number {
  const [byte] = createHash('sha256').update(actId).digest();
  return (DELAY_MIN + (byte! % (DELAY_MAX - DELAY_MIN + 1))) * 60_000;
}

/** The newest that may be told. mayName: the site is not one where that says too much. Inside inSites */
export async function recentActs(
  db: Db,
  siteId: string,
  notification: Notification,
  at: Date,
  mayName: boolean,
): Promise<Act[]> {
  const { claim } = notification;
  if (!claim) return [];
  const { from } = windowOf(notification.kind, claim, at);
  const until = new Date(at.getTime() - DELAY_MIN * 60_000);
  const { rows } =
    claim.of === 'leads'
      ? await db.query<Told>(
          `select l.lead_id::text as "actId", l.lead_id as "leadId", l.first_captured_at as "occurredAt", null as product, null as country
           from ${SENT}
           where l.site_id = $1 and l.first_captured_at between $2 and $3 and l.imported_at is null and not l.restricted
             and ${senderIs('v')} = 'human'
             and ($4::text is null or l.first_form_name = $4)
           order by l.first_captured_at desc, l.lead_id limit $5`,
          [siteId, from, until, claim.where.form ?? null, LOOKED_AT_MAX],
        )
      : await db.query<Told>(
          `select c.conversion_id as "actId", c.lead_id as "leadId", c.occurred_at as "occurredAt", coalesce($6, c.items[1]) as product, c.country
           from ${CONVERTED}
           where c.site_id = $1 and c.kind = $2 and c.origin = 'server' and c.voided_at is null and not l.restricted and ${converterIs} = 'human'
             and c.occurred_at between $3 and $4 and ($6::text is null or $6 = any (c.items)) and ($7::text is null or c.country = $7)
           order by c.occurred_at desc, c.conversion_id limit $5`,
          [
            siteId,
            KIND_OF[claim.of],
            from,
            until,
            LOOKED_AT_MAX,
            claim.where.product ?? null,
            claim.where.country ?? null,
          ],
        );
  const told = rows.filter(({ actId, occurredAt }) => occurredAt.getTime() + delayMs(actId) <= at.getTime());
  return byPermission(db, siteId, told, mayName);
}

/** Whether the row of an act that was shown still counts: a person's, not taken back, and nobody asked to leave it alone. */
export async function actStands(
  db: Db,
  siteId: string,
  { leadId, conversionId }: { leadId: string; conversionId: string | null },
): Promise<boolean> {
  const { rowCount } =
    conversionId === null
      ? await db.query(
          `select from ${SENT}
           where l.site_id = $1 and l.lead_id = $2 and not l.restricted and ${senderIs('v')} = 'human'`,
          [siteId, leadId],
        )
      : await db.query(
          `select from ${CONVERTED} where c.site_id = $1 and c.lead_id = $2 and c.conversion_id = $3 and c.origin = 'server'
             and c.voided_at is null and not l.restricted and ${converterIs} = 'human'`,
          [siteId, leadId, conversionId],
        );
  return rowCount === 1;
}

/** Whoever took their permission back is in no card at all; who never gave one is "someone". */
async function byPermission(db: Db, siteId: string, told: Told[], mayName: boolean): Promise<Act[]> {
  const permissions = await permissionsOf(db, siteId, [...new Set(told.map(({ leadId }) => leadId))]);
  const shown = told
    .filter(({ leadId }) => permissions.get(leadId)?.action !== 'withdrawn')
    .slice(0, CARDS_MAX);
  const acts: Act[] = [];
  for (const act of shown)
    acts.push(await shownOf(db, siteId, act, mayName ? (permissions.get(act.leadId) ?? null) : null));
  return acts;
}

/** given  what its person allowed; null: nothing of them */
export async function shownOf(
  db: Db,
  siteId: string,
  act: Told,
  given: Pick<Permission, 'fields' | 'name' | 'city' | 'region' | 'country'> | null,
): Promise<Act> {
  const fields = given?.fields ?? [];
  const isNamed = fields.includes('name') && given!.name !== null;
  const smallest = isNamed && fields.includes('place') ? given! : null;
  return {
    ...act,
    name: isNamed ? given!.name : null,
    product: isNamed && !fields.includes('product') ? null : act.product,
    // without a name no place below the country; with one none that was not allowed
    place: smallest
      ? await placeOf(db, siteId, smallest)
      : isNamed
        ? null
        : await placeOf(db, siteId, { city: null, region: null, country: act.country }),
  };
}
