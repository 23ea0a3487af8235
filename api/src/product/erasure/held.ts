// What is held about a person, table by table: the rows an erasure would take or change, with every column they have.
import { inPieces, type ListOf } from '../../ground/db/pieces.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { Members } from '../../ground/http/json-stream.ts';
import type { Tables } from '../../ground/tables.ts';
import type { LeadRow } from '../leads/shapes.ts';
import { OF_THEIR_FORMS, type Person, theirRows } from './theirs.ts';

interface ColumnOf {
  table: string;
  name: string;
  type: string;
  inKey: boolean;
}

/** How lists are called where the table's name would say less. */
const CALLED: Record<string, string> = {
  lead_identities: 'identities',
  outgoing_mails: 'mails',
  quarantine: 'quarantined',
  people_requests: 'requests',
  audit_log: 'disclosures',
};
const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
export const listName = (table: string): string => CALLED[table] ?? camelCase(table);

/** Not a person's by `whose`, since they outlive an erasure, but about one: by the address's hash, or by the lead's id. */
const BY_HASH = ['withdrawal_requests', 'erasures', 'people_requests'];

/** Every list there may be, for the document; a test compares them with what the features say of their tables. */
export const LISTS = [
  'abExposures',
  'botVerdicts',
  'browserChoices',
  'consentDetails',
  'conversions',
  'deliveries',
  'disclosures',
  'displayDetails',
  'erasures',
  'eventKeys',
  'events',
  'identities',
  'leadCredits',
  'leadFacts',
  'leadRectifications',
  'leadTouches',
  'leads',
  'mailRecipients',
  'mails',
  'notificationEvents',
  'optIns',
  'outbox',
  'quarantined',
  'receiptActs',
  'requests',
  'restoredEvents',
  'reviews',
  'sessionDays',
  'sessions',
  'submissions',
  'visitFacts',
  'visitorDays',
  'visitorProfiles',
  'visitors',
  'withdrawalRequests',
  'yourDataLinks',
] as const;
export const listsOf = (tables: Tables): string[] =>
  [...personTables(tables), ...BY_HASH, 'audit_log'].map(listName).sort();

/** Marks for a job that runs within the minute: nothing is kept in them. */
const isMark = (table: string) => table === 'dirty_leads' || table === 'dirty_visits';

export const personTables = (tables: Tables): string[] =>
  Object.keys(tables).filter((table) => {
    const { whose } = tables[table]!;
    return whose && whose !== 'user' && !isMark(table);
  });

/** Of tables without a primary key of their own: events are unique by event_keys. */
const KEYS: Record<string, string[]> = {
  events: ['occurred_at', 'event_id'],
  session_days: ['visitor_id', 'day', 'nth'],
};

async function columnsOf(db: Db, tables: string[]): Promise<Map<string, ColumnOf[]>> {
  const { rows } = await db.query<ColumnOf>(
    `select c.relname as table, a.attname as name, a.atttypid::regtype::text as type,
       coalesce(a.attnum = any (i.indkey), false) as "inKey"
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     left join pg_index i on i.indrelid = c.oid and i.indisprimary
     where c.oid = any (select to_regclass('public.' || name) from unnest($1::text[]) as t (name))
     order by c.relname, a.attnum`,
    [tables],
  );
  return Map.groupBy(rows, ({ table }) => table);
}

function asJson({ name, type }: ColumnOf): string {
  const value =
    type === 'bytea'
      ? `encode(t.${name}, 'hex')`
      : type.startsWith('timestamp')
        ? `instant_text(t.${name})`
        : `t.${name}`;
  return `${value} as "${camelCase(name)}"`;
}

/** What says by which visit a lead came. */
const FIRST_VISIT: Record<string, string[]> = {
  leads: ['first_path', 'first_referrer', 'first_utm'],
  lead_facts: ['utm_source', 'utm_medium', 'campaign'],
  lead_credits: ['campaign'],
};

/** Whether the visit by which a lead came may have been somebody else's. */
export const isOthersVisit = (
  { firstVisitorId }: Pick<LeadRow, 'firstVisitorId'>,
  { shared }: Person,
): boolean => (firstVisitorId === null ? shared.length > 0 : shared.includes(firstVisitorId));

/** A look at several names each of them: to each only themselves. $3: the lead */
const THEMSELVES = `case when t.details ? 'leadIds' then jsonb_set(t.details, '{leadIds}',
  case when t.details -> 'leadIds' ? $3 then jsonb_build_array($3::text) else '[]' end) else t.details end`;

const columnOf = (table: string, column: ColumnOf, hidden: readonly string[]): string =>
  hidden.includes(column.name)
    ? `null as "${camelCase(column.name)}"`
    : table === 'audit_log' && column.name === 'details'
      ? `${THEMSELVES} as "details"`
      : asJson(column);

/** hidden: columns that are told as null */
const listOf = (table: string, columns: ColumnOf[], where: string, hidden: readonly string[]): ListOf => ({
  table,
  where: `t.site_id = $1 and ${where}`,
  columns: columns
    .filter(({ name }) => name !== 'site_id')
    .map((column) => columnOf(table, column, hidden))
    .join(', '),
  key: columns
    .filter(({ inKey, name }) => KEYS[table]?.includes(name) ?? (inKey && name !== 'site_id'))
    .map(({ name, type }) => [name, type]),
  newestFirst: false,
});

/** Who is known by the id of a browser alone. */
const isBrowser = ({ leadId, normalized }: Person) => leadId === null && normalized === null;
/** SQL: whether that event is of a form in which somebody left an address; the id of the browser does not tell who. */
const isOfForm = (
  event: string,
) => `(exists (select from submissions s where s.site_id = $1 and s.event_id = ${event})
  or exists (select from quarantine q where q.site_id = $1 and q.event_id = ${event}))`;
const withFormIn = (
  more: string,
) => `exists (select from events e where e.site_id = $1 and e.visitor_id = t.visitor_id
  and e.session_id = t.session_id ${more} and e.event_type = 'form_submit' and ${isOfForm('e.event_id')})`;
/** SQL, by table, of the table t: rows that say something of such a form. */
const OF_A_FORM: Record<string, string> = {
  events: isOfForm('t.event_id'),
  event_keys: isOfForm('t.event_id'),
  restored_events: isOfForm('t.event_id'),
  // visits that began with one, and what was counted of visits with one
  sessions: withFormIn('and e.occurred_at = t.started_at'),
  visit_facts: withFormIn(''),
  session_days: 't.forms_submitted > 0',
};

/**
 * db      for the catalogue, inside inSites; the lists are read by pool, when their turn comes
 * lead    the person's; how it came is left out where that may have been somebody else
 * returns lists by name, read in pieces: they may be far longer than what we may hold
 */
export async function heldAbout(
  db: Db,
  pool: Pool,
  tables: Tables,
  siteId: string,
  person: Person,
  lead: Pick<LeadRow, 'firstVisitorId'> | null,
): Promise<Record<string, Members>> {
  const named = personTables(tables);
  const columns = await columnsOf(db, [...named, ...BY_HASH, 'audit_log']);
  const hidden = lead && isOthersVisit(lead, person) ? FIRST_VISIT : {};
  const read = (table: string, where: string, values: unknown[]) =>
    inPieces(pool, siteId, listOf(table, columns.get(table)!, where, hidden[table] ?? []), [
      siteId,
      ...values,
    ]);

  async function* theirs(table: string): AsyncGenerator<string[]> {
    const rule = tables[table]!;
    if (rule.whose !== 'visitor') {
      const { where, value } = theirRows(rule, person);
      // visits of a browser that is another's too may be the other's
      if (table === 'lead_touches')
        yield* read(table, `${where} and t.visitor_id <> all ($3::uuid[])`, [value, person.shared]);
      // told of somebody else's lead, it is theirs, whoever's browser was named
      else if (rule.whose === 'lead or visitor')
        yield* read(table, `${where} and (t.lead_id is null or t.lead_id = $3::uuid)`, [
          value,
          person.leadId,
        ]);
      else yield* read(table, where, [value]);
      return;
    }
    const ofForm = isBrowser(person) && OF_A_FORM[table];
    const notTheirs = ofForm ? ` and not ${ofForm}` : '';
    // browser by browser: each is read along an index, whatever its length
    for (const visitor of person.own) yield* read(table, `t.visitor_id = $2::uuid${notTheirs}`, [visitor]);
    if (table === 'events' && person.shared.length > 0)
      yield* read(table, `${OF_THEIR_FORMS} and t.visitor_id = any ($4::uuid[])`, [
        person.leadId,
        person.normalized,
        person.shared,
      ]);
  }

  const held: Record<string, Members> = {};
  for (const table of named) held[listName(table)] = new Members(theirs(table));
  if (person.hash)
    for (const table of BY_HASH)
      held[listName(table)] = new Members(read(table, 't.email_hash = $2::bytea', [person.hash]));
  held[listName('audit_log')] = new Members(
    read('audit_log', "(t.target = any ($2::text[]) or t.details -> 'leadIds' ? $3)", [
      await targetsOf(db, siteId, person),
      person.leadId,
    ]),
  );
  return held;
}

/** What a line of the audit log names when it is about them: themselves, a browser of theirs, or something they sent or asked for. */
async function targetsOf(db: Db, siteId: string, person: Person): Promise<string[]> {
  const { leadId, normalized, hash, own } = person;
  const { rows } = await db.query<{ id: string }>(
    `select review_id as id from reviews where site_id = $1 and lead_id = $2::uuid
     union all select quarantine_id from quarantine where site_id = $1 and email_normalized = $3
     union all select link_id from your_data_links where site_id = $1 and email_normalized = $3
     union all select request_id from people_requests where site_id = $1 and email_hash = $4::bytea
     union all select erasure_id from erasures where site_id = $1 and email_hash = $4::bytea`,
    [siteId, leadId, normalized, hash],
  );
  const named = [leadId, hash?.replace('\\x', '')].filter((id) => typeof id === 'string');
  return [...named, ...own, ...rows.map(({ id }) => id)];
}

/** Whether any list has a row; marks of erasures and requests alone are nothing about a person who was never here. */
export async function isAnythingHeld(
  db: Db,
  tables: Tables,
  siteId: string,
  person: Person,
): Promise<boolean> {
  for (const table of personTables(tables)) {
    const { where, value } = theirRows(tables[table]!, person);
    const { rowCount } = await db.query(`select from ${table} where site_id = $1 and ${where} limit 1`, [
      siteId,
      value,
    ]);
    if (rowCount) return true;
  }
  return false;
}
