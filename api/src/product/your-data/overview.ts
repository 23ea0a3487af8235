// What a person is shown of what is held about them: the newest of each kind, and how much there is. All of it is in the file.
import type { Db } from '../../ground/db/pool.ts';
import { consentStandings } from '../consent/record.ts';
import { AWAITS_DISPLAY } from '../display/display.ts';
import type { Person } from '../erasure/theirs.ts';
import { PERMISSION, STANDING } from '../reviews/counted.ts';

const SHOWN_MAX = 20;
const HISTORY_MAX = 100;

export interface Overview {
  contact: {
    email: string;
    name: string | null;
    attributes: [string, string][];
    firstCapturedAt: Date;
    verifiedAt: Date | null;
    firstPath: string | null;
    importedAt: Date | null;
    noProfiling: boolean;
    restricted: boolean;
  } | null;
  consents: {
    purpose: string;
    status: 'pending' | 'implied' | 'express' | 'withdrawn' | 'expired';
    since: string | null;
    expiresAt: string | null;
    words: string | null;
  }[];
  history: { action: string; purpose: string; at: Date }[];
  submissions: Counted<{ at: Date; form: string; path: string | null; answers: [string, string][] | null }>;
  heldBack: number;
  visits: { pages: number; visits: number; browsers: number; from: Date | null; to: Date | null };
  conversions: Counted<{ kind: string; at: Date; amount: string | null; currency: string | null }>;
  shown: {
    isNamed: boolean;
    reviews: Counted<ShownReview>;
    /** Held back, with a permission that nothing took back since. */
    held: number;
    /** Whether there is anything to take back. */
    isAny: boolean;
  };
  requests: Counted<{
    kind: string;
    receivedAt: Date;
    dueAt: Date;
    outcome: 'done' | 'refused' | 'dropped' | null;
  }>;
}

export interface ShownReview {
  at: Date;
  text: string | null;
  rating: number | null;
  product: string | null;
  status: 'waiting' | 'published' | 'declined';
  permission: 'granted' | 'none' | 'withdrawn';
}

export interface Counted<Row> {
  rows: Row[];
  /** Of all, shown or not. */
  count: number;
}

/** Inside inSites. */
export async function overviewOf(db: Db, siteId: string, person: Person): Promise<Overview> {
  const { leadId, hash, normalized, own, shared } = person;
  const submissions = await newest<{ at: Date; form: string; path: string | null; payload: object | null }>(
    db,
    'submitted_at as at, form_name as form, path, payload',
    'submissions where site_id = $1 and lead_id = $2',
    'submitted_at',
    [siteId, leadId],
  );
  return {
    contact: leadId ? await contactOf(db, siteId, leadId, shared) : null,
    consents: leadId ? await consentsOf(db, siteId, leadId) : [],
    history: leadId ? await historyOf(db, siteId, leadId) : [],
    submissions: {
      count: submissions.count,
      rows: submissions.rows.map(({ payload, ...row }) => ({
        ...row,
        answers: payload && fieldsOf(payload),
      })),
    },
    heldBack: await countOf(db, 'quarantine where site_id = $1 and email_normalized = $2', [
      siteId,
      normalized,
    ]),
    visits: await visitsOf(db, siteId, own),
    conversions: await newest(
      db,
      'kind, occurred_at as at, amount::text, currency',
      'conversions where site_id = $1 and (lead_id = $2 or (visitor_id = any ($3::uuid[]) and lead_id is null and email_hash is null) or email_hash = $4::bytea)',
      'occurred_at',
      [siteId, leadId, own, hash],
    ),
    shown: await shownOf(db, siteId, person),
    requests: await newest(
      db,
      'kind, received_at as "receivedAt", due_at as "dueAt", outcome',
      'people_requests where site_id = $1 and email_hash = $2::bytea',
      'received_at',
      [siteId, hash],
    ),
  };
}

/** What of them may be shown on the site: their name, their reviews. */
async function shownOf(
  db: Db,
  siteId: string,
  { leadId, normalized, hash }: Person,
): Promise<Overview['shown']> {
  const { rows } = await db.query<{ isNamed: boolean; stands: boolean; held: number }>(
    `select coalesce((display_standing($1, $2)).action = 'granted', false) as "isNamed", display_stands($1, $2) as stands,
       (select count(*)::int from quarantine where site_id = $1 and email_normalized = $3 and ${AWAITS_DISPLAY}
          and received_at > greatest((select display_withdrawn_at from leads where site_id = $1 and lead_id = $2),
            (select requested_at from withdrawal_requests where site_id = $1 and email_hash = $4::bytea and purpose = 'display'), '-infinity')) as held`,
    [siteId, leadId, normalized, hash],
  );
  const { isNamed, stands, held } = rows[0]!;
  return {
    isNamed,
    held,
    isAny: stands || held > 0,
    reviews: await newest(
      db,
      `r.written_at as at, r.words as text, r.rating, r.product, r.status, ${PERMISSION} as permission`,
      `reviews r ${STANDING} where r.site_id = $1 and r.lead_id = $2`,
      'r.written_at',
      [siteId, leadId],
    ),
  };
}

async function countOf(db: Db, from: string, values: unknown[]): Promise<number> {
  const { rows } = await db.query<{ count: number }>(`select count(*)::int as count from ${from}`, values);
  return rows[0]!.count;
}

async function newest<Row extends object>(
  db: Db,
  columns: string,
  from: string,
  by: string,
  values: unknown[],
): Promise<Counted<Row>> {
  const { rows } = await db.query<Row>(
    `select ${columns} from ${from} order by ${by} desc limit ${SHOWN_MAX}`,
    values,
  );
  return { rows, count: rows.length < SHOWN_MAX ? rows.length : await countOf(db, from, values) };
}

type Contact = NonNullable<Overview['contact']>;

/** shared: browsers that are another's too; what was seen there may be the other's */
async function contactOf(db: Db, siteId: string, leadId: string, shared: string[]): Promise<Contact | null> {
  const { rows } = await db.query<
    Omit<Contact, 'name' | 'attributes'> & { attributes: object | null; typed: string | null }
  >(
    `select email, attributes, first_captured_at as "firstCapturedAt", verified_at as "verifiedAt", case when cardinality($3::uuid[]) = 0 or first_visitor_id <> all ($3::uuid[]) then first_path end as "firstPath", imported_at as "importedAt", no_profiling as "noProfiling", restricted,
       (select s.payload ->> 'name' from submissions s where s.site_id = l.site_id and s.lead_id = l.lead_id and s.payload ? 'name'
        order by s.submitted_at desc limit 1) as typed
     from leads l where site_id = $1 and lead_id = $2`,
    [siteId, leadId, shared],
  );
  if (!rows[0]) return null;
  const { attributes, typed, ...contact } = rows[0];
  const fields = fieldsOf(attributes ?? {});
  return {
    ...contact,
    name: fields.find(([field]) => field === 'name')?.[1] ?? typed,
    attributes: fields.filter(([field]) => field !== 'name'),
  };
}

/** As a person reads them: what is nested, as JSON. */
const fieldsOf = (fields: object): [string, string][] =>
  Object.entries(fields)
    .filter(([name]) => !name.startsWith('_'))
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);

async function consentsOf(db: Db, siteId: string, leadId: string): Promise<Overview['consents']> {
  const standings = await consentStandings(db, siteId, leadId);
  const { rows } = await db.query<{ purpose: string; words: string }>(
    `select distinct on (purpose) purpose, words from (
       select purpose_of(r, d.purpose) as purpose, r.seq, t.words from consent_records r
       join consent_details d using (site_id, record_id)
       join consent_texts t on t.site_id = d.site_id and t.text_id = d.text_id
       where r.site_id = $1 and r.lead_id = $2
     ) shown order by purpose, seq desc`,
    [siteId, leadId],
  );
  const words = new Map(rows.map((row) => [row.purpose, row.words]));
  return standings
    .filter(({ since }) => since !== null) // of email, when nobody ever said anything
    .map((one) => ({ ...one, words: words.get(one.purpose) ?? null }));
}

async function historyOf(db: Db, siteId: string, leadId: string): Promise<Overview['history']> {
  const { rows } = await db.query<Overview['history'][number]>(
    `select r.action, purpose_of(r, d.purpose) as purpose, r.occurred_at as at from consent_records r
     left join consent_details d using (site_id, record_id)
     where r.site_id = $1 and r.lead_id = $2 order by r.seq desc limit ${HISTORY_MAX}`,
    [siteId, leadId],
  );
  return rows;
}

async function visitsOf(db: Db, siteId: string, own: string[]): Promise<Overview['visits']> {
  const { rows } = await db.query<Overview['visits']>(
    `select count(*) filter (where event_type = 'page_view')::int as pages, count(distinct session_id)::int as visits,
       count(distinct visitor_id)::int as browsers, min(occurred_at) as from, max(occurred_at) as to
     from events where site_id = $1 and visitor_id = any ($2::uuid[])`,
    [siteId, own],
  );
  return rows[0]!;
}
