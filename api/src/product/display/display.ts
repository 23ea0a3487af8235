// What others do with the permission to be named, or to publish a review: read it off a form or an order, record it, take it
// back, ask for it.
import { z } from 'zod';
import type { Db } from '../../ground/db/pool.ts';

export const FIELDS = ['name', 'place', 'product'] as const;
export type Field = (typeof FIELDS)[number];

const text = (max: number) => z.string().trim().min(1).max(max);
const list = z.union([
  z.string().transform((words) => words.split(/[\s,]+/).filter(Boolean)),
  z.array(z.string()),
]);

/** As forms and orders say it. What cannot be read costs nobody a lead: it is no permission. */
export const displayInput = z
  .object({
    // a box that was not ticked is not sent, and the fields beside it are
    text: text(2000)
      .optional()
      .describe(
        'exactly the words beside the box, which was not ticked beforehand; without them nobody is named',
      ),
    fields: list
      .pipe(z.array(z.enum(FIELDS)).min(1).max(3))
      .optional()
      .describe('what the words name: name, place, product; default name, and place where one is sent'),
    name: text(100).optional().describe('a given name; only its first word is kept'),
    city: text(100).optional(),
    region: text(100).optional(),
    country: z
      .string()
      .trim()
      .toUpperCase()
      .regex(/^[A-Z]{2}$/)
      .optional(),
  })
  .meta({ id: 'DisplayConsent' });
export type DisplayInput = z.output<typeof displayInput>;

/** Letters of any script, with what joins them; no address, no number, no word of two lines. */
const GIVEN_NAME = /^\p{L}[\p{L}\p{M}'’.-]{0,29}$/u;
const PLACE = /^\p{L}[\p{L}\p{M}\s'’.,()-]{0,99}$/u;

/** The first word of a name; null: it is none. */
export function givenName(name: string | undefined): string | null {
  const [first = ''] = (name ?? '').normalize('NFC').trim().split(/\s+/);
  return GIVEN_NAME.test(first) && !/\.\p{L}/u.test(first) ? first : null;
}
const place = (name: string | undefined) =>
  name && PLACE.test(name.normalize('NFC')) ? name.normalize('NFC') : undefined;

interface Facts {
  basis: 'form' | 'order' | 'import' | 'admin';
  occurredAt: string;
  page?: string | null;
  formName?: string;
  privacySignal?: boolean;
}

/** As record_display takes it; null: nothing that could be shown was allowed. */
export function displayWanted(input: DisplayInput, facts: Facts): Record<string, unknown> | null {
  const wanted = permissionOf(input, facts);
  return wanted && wanted.fields.length > 0 ? wanted : null;
}

/**
 * The same for a review: to publish exactly these words, and beside them of the person what was allowed, which may be nothing.
 * evidence  where the proof is, of what came by no form
 */
export function publishWanted(
  input: DisplayInput,
  review: { reviewId: string; words: string; evidence?: string },
  facts: Facts,
): Record<string, unknown> | null {
  const wanted = permissionOf(input, facts);
  const { reviewId, words, evidence } = review;
  return wanted && { ...wanted, review_id: reviewId, review_words: words, evidence };
}

function permissionOf({ text: words, fields, name, city, region, country }: DisplayInput, facts: Facts) {
  if (words === undefined) return null;
  const given = givenName(name);
  const at = { city: place(city), region: place(region), country };
  const hasPlace = Object.values(at).some(Boolean);
  const allowed = (fields ?? ['name', 'place']).filter(
    (field) => (field === 'name' && given) || (field === 'place' && hasPlace) || field === 'product',
  );
  return {
    show: true,
    basis: facts.basis,
    occurred_at: facts.occurredAt,
    words: words.replace(/\s+/g, ' '),
    fields: allowed,
    name: allowed.includes('name') ? given : undefined,
    ...(allowed.includes('place') ? at : {}),
    page: facts.page ?? undefined,
    form_name: facts.formName,
    privacy_signal: facts.privacySignal ?? false,
  };
}

/** Inside inSites. */
export async function recordDisplay(
  db: Db,
  siteId: string,
  leadId: string,
  wanted: Record<string, unknown>,
): Promise<boolean> {
  const { rows } = await db.query<{ written: boolean }>('select record_display($1, $2, $3) as written', [
    siteId,
    leadId,
    JSON.stringify(wanted),
  ]);
  return rows[0]!.written;
}

export interface DisplayWithdrawal {
  site_id: string;
  at: string;
  basis: 'link' | 'request' | 'restore' | 'admin';
  key?: string;
  email_normalized?: string;
  /** Keyed, as \x…; with the address. */
  email_hash?: string;
  lead_id?: string;
}

/** Safe to call again. returns  the lead; null: nobody, or nothing to take back */
export async function withdrawDisplay(db: Db, request: DisplayWithdrawal): Promise<string | null> {
  const { rows } = await db.query<{ lead: string | null }>('select withdraw_display($1) as lead', [
    JSON.stringify(request),
  ]);
  return rows[0]!.lead;
}

/** SQL, of a row of quarantine: nobody decided yet, and it says that its person may be named or a review of theirs published. */
export const AWAITS_DISPLAY = `decision is null
    and (json_typeof(capture #> '{review,permission}') = 'object' or json_typeof(capture -> 'display') = 'object')`;

/** Whether whoever has this link allowed to be named, or a review of theirs to be published, or said so in what still waits; inside inSites. */
export async function isNamed(db: Db, siteId: string, key: string): Promise<boolean> {
  const { rows } = await db.query<{ named: boolean }>(
    `select display_stands($1, lead_id) or exists (select from quarantine q where q.site_id = $1 and q.email_normalized = l.email_normalized
       and q.received_at > coalesce(l.display_withdrawn_at, '-infinity') and ${AWAITS_DISPLAY}) as named
     from leads l where site_id = $1 and unsubscribe_key = $2`,
    [siteId, key],
  );
  return rows[0]?.named ?? false;
}

export interface Permission {
  leadId: string;
  action: 'granted' | 'withdrawn';
  fields: Field[];
  name: string | null;
  city: string | null;
  region: string | null;
  country: string | null;
}

/**
 * What stands for these leads, where anything does; who said not to be tracked allowed nothing. Who took back what they never
 * allowed wants nothing told of them all the same. Inside inSites.
 */
export async function permissionsOf(
  db: Db,
  siteId: string,
  leadIds: readonly string[],
): Promise<Map<string, Permission>> {
  if (leadIds.length === 0) return new Map();
  const { rows } = await db.query<Permission>(
    `select l.lead_id as "leadId", coalesce(s.action, 'withdrawn') as action, coalesce(s.fields, '{}') as fields, d.given_name as name, d.city, d.region, d.country
     from leads l cross join lateral display_standing($1, l.lead_id) s
     left join display_details d on d.site_id = s.site_id and d.record_id = s.record_id
     where l.site_id = $1 and l.lead_id = any ($2) and (s.seq is not null or l.display_withdrawn_at is not null)
       and (s.action is distinct from 'granted' or not l.privacy_signal)`,
    [siteId, leadIds],
  );
  return new Map(rows.map((row) => [row.leadId, row]));
}

export const PLACE_PEOPLE_MIN = 20;

interface Place {
  city: string | null;
  region: string | null;
  country: string | null;
}
/** The smallest level of a place that holds at least twenty of the site's people in a year; null: none does. Inside inSites. */
export async function placeOf(
  db: Db,
  siteId: string,
  { city, region, country }: Place,
): Promise<Place | null> {
  if (!country && !region && !city) return null;
  const { rows } = await db.query<{ cities: number; regions: number; countries: number }>(
    `select count(distinct lead_id) filter (where lower(city) = lower($2) and region is not distinct from $3) as cities,
       count(distinct lead_id) filter (where lower(region) = lower($3)) as regions, count(distinct lead_id) as countries
     from (
       select d.lead_id, d.city, d.region from display_details d join display_consents r using (site_id, record_id)
       where d.site_id = $1 and d.country is not distinct from $4 and r.occurred_at > now() - interval '365 days'
       union all select lead_id, null, null from conversions
       where site_id = $1 and country = $4 and lead_id is not null and voided_at is null and occurred_at > now() - interval '365 days'
     ) there`,
    [siteId, city, region, country],
  );
  const { cities, regions, countries } = rows[0]!;
  if (city && Number(cities) >= PLACE_PEOPLE_MIN) return { city, region, country };
  if (region && Number(regions) >= PLACE_PEOPLE_MIN) return { city: null, region, country };
  return country && Number(countries) >= PLACE_PEOPLE_MIN ? { city: null, region: null, country } : null;
}
