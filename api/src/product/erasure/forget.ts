// Forgets a person on one site: every row that a feature's tables say is theirs, in one transaction, without a race.
import { randomUUID } from 'node:crypto';
import { withRetries } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { TableRule, Tables } from '../../ground/tables.ts';
import { type Forgotten, rememberForgotten } from '../consent/forget-journal.ts';
import { takeOutInside, takeOutOutside } from './mention-walk.ts';
import { countedNames, eraseNames, patternOf, searchedIn } from './mentions.ts';
import { browsersOf, type Person, theirRows } from './theirs.ts';

export interface ErasureRequest {
  siteId: string;
  /** null: only its hash is known (replaying after a restore). */
  emailNormalized: string | null;
  emailHash: string;
  /** Replaying after a restore: the lead of then, and when it was forgotten; younger traces are someone's new start. */
  again?: { leadId: string | null; at: string };
}

export interface Erased {
  found: boolean;
  /** Rows per table that were deleted or changed. */
  erased: Record<string, number>;
  erasureId: string;
  erasedAt: string;
}

/** Forgets a person on one site. found: false when nothing was known of the address; captures of it that are under way are dropped all the same */
export type Forget = (request: ErasureRequest) => Promise<Erased>;

/** A statement of an erasure may take longer than a request's: it reads what strangers wrote. */
export const ERASURE_MS_MAX = 120_000;

const scrubbed = ({ columns }: TableRule) =>
  Object.entries(columns)
    .flatMap(([name, column]) => (typeof column === 'object' ? [`${name} = ${column.scrub}`] : []))
    .join(', ');

/** SQL of an update that gives rows of the visitors in $2 ({from, to_id}) to others. */
const moving = (rule: TableRule) =>
  rule.moved === 'in visitor_ids'
    ? `visitor_ids = (select array_agg(coalesce(m.to_id, v.id)) from unnest(t.visitor_ids) as v (id)
         left join json_to_recordset($2) as m ("from" uuid, to_id uuid) on m."from" = v.id)
       where t.site_id = $1 and t.visitor_ids && array(select "from" from json_to_recordset($2) as m ("from" uuid))`
    : `${['visitor_id = moves.to_id', scrubbed(rule)].filter(Boolean).join(', ')}
       from json_to_recordset($2) as moves ("from" uuid, to_id uuid) where t.site_id = $1 and t.visitor_id = moves."from"`;

/** The person's tables in the order their rows go: what stands on something before it, what triggers write anew last. */
const goingIn = (tables: Tables) => {
  const all = Object.entries(tables).filter(
    ([, { whose }]) => whose && whose !== 'visitor' && whose !== 'user',
  );
  return [...all.filter(([, rule]) => rule.derived), ...all.filter(([, rule]) => !rule.derived)].reverse();
};

/**
 * tables    of all features: the erasure is made from what they say of their columns
 * journal   path of the journal of what was forgotten, written before the commit; null: none
 */
export function forgetting(pool: Pool, tables: Tables, journal: string | null): Forget {
  return async (request) => {
    const walked = { at: Date.now(), erased: await outside(pool, tables, request) };
    return withRetries(() =>
      inSites(pool, request.siteId, (db) => forgetIn(db, tables, request, journal, walked)),
    );
  };
}

/** What was done before the transaction: since when, and by table how many rows were changed. */
interface Walked {
  at: number;
  erased: Record<string, number>;
}

async function outside(pool: Pool, tables: Tables, { siteId, emailNormalized }: ErasureRequest) {
  if (!emailNormalized) return {};
  const { rows } = await inSites(pool, siteId, (db) =>
    db.query<{ email: string }>('select email from leads where site_id = $1 and email_normalized = $2', [
      siteId,
      emailNormalized,
    ]),
  );
  return takeOutOutside(pool, tables, siteId, spellingsOf(emailNormalized, rows[0]?.email));
}

/** As an address may be written: the one spelling it is known by, and as its lead typed it. */
const spellingsOf = (normalized: string, typed: string | undefined) => [
  normalized,
  ...(typed === undefined ? [] : [typed.toLowerCase()]),
];

async function forgetIn(
  db: Db,
  tables: Tables,
  { siteId, emailNormalized, emailHash, again }: ErasureRequest,
  journal: string | null,
  walked: Walked,
): Promise<Erased> {
  const erased: Record<string, number> = { ...walked.erased };
  const count = (table: string, rows: number | null) => {
    if (rows) erased[table] = (erased[table] ?? 0) + rows;
  };
  await db.query(`set local statement_timeout = ${ERASURE_MS_MAX}`);
  await db.query('select pg_advisory_xact_lock(hashtextextended($1, 7))', [`${siteId} ${emailNormalized}`]);
  const [lead] = (
    await db.query<{
      lead_id: string;
      email: string;
      unsubscribe_key: string;
      first_visitor_id: string | null;
    }>(
      // locked: who withdraws or confirms by a link, or is told to have bought, writes only with the lead in hand
      'select lead_id, email, unsubscribe_key, first_visitor_id from leads where site_id = $1 and email_normalized = $2 for update',
      [siteId, emailNormalized],
    )
  ).rows;
  const leadId = lead?.lead_id ?? null;

  // A browser that is another lead's too keeps what is theirs.
  const browsers = await browsersOf(db, siteId, leadId, emailNormalized);
  const { own, shared } = browsers;
  const person: Person = { leadId, normalized: emailNormalized, hash: emailHash, ...browsers };
  // Batches lock visitors in this order too; from here on nothing more is written for these.
  await db.query(
    'select from visitors where site_id = $1 and visitor_id = any ($2) order by visitor_id for update',
    [siteId, own],
  );

  const days = new Set<string>();
  const note = (rows: { day: string }[]) => {
    for (const { day } of rows) days.add(day);
  };
  const moves = own.map((from) => ({ from, to: randomUUID() }));
  for (const [table, rule] of Object.entries(tables).filter(([, { moved }]) => moved)) {
    // The browser starts anew when it comes back: its id is made from the site and its anonId, and no row has that now.
    const { rowCount, rows } = await db.query<{ day: string }>(
      `update ${table} t set ${moving(rule)}${table === 'events' ? ' returning site_day($1, t.occurred_at) as day' : ''}`,
      [siteId, JSON.stringify(moves.map(({ from, to }) => ({ from, to_id: to })))],
    );
    count(table, rowCount);
    if (table === 'events') note(rows);
  }
  if (shared.length > 0) {
    const { rowCount, rows } = await db.query<{ day: string }>(
      `update events e set ${scrubbed(tables.events!)} from event_keys k
       where k.site_id = $1 and k.event_id in (select event_id from submissions where site_id = $1 and lead_id = $2)
         and e.site_id = $1 and e.visitor_id = k.visitor_id and e.occurred_at = k.occurred_at and e.event_id = k.event_id and e.visitor_id = any ($3)
       returning site_day($1, e.occurred_at) as day`,
      [siteId, leadId, shared],
    );
    count('events', rowCount);
    note(rows);
  }

  // words that only this person's form sent along
  const words = leadId
    ? (
        await db.query<{ text_id: string }>(
          'select distinct text_id from consent_details where site_id = $1 and lead_id = $2 and text_id is not null',
          [siteId, leadId],
        )
      ).rows
    : [];
  for (const [table, rule] of goingIn(tables)) {
    const { where, value } = theirRows(rule, person);
    count(
      table,
      (await db.query(`delete from ${table} where site_id = $1 and ${where}`, [siteId, value])).rowCount,
    );
  }
  if (words.length > 0) {
    // whoever agrees to the same words in this moment holds it shared (consent_words): their proof must not lose them
    await db.query("select pg_advisory_xact_lock(hashtextextended($1 || ' consent texts', 8))", [siteId]);
    const { rowCount } = await db.query(
      `delete from consent_texts t where site_id = $1 and text_id = any ($2) and origin = 'form'
       and not exists (select from consent_details d where d.site_id = $1 and d.text_id = t.text_id)`,
      [siteId, words.map(({ text_id }) => text_id)],
    );
    count('consent_texts', rowCount);
  }

  // Wherever else someone wrote the address.
  const spellings = emailNormalized ? spellingsOf(emailNormalized, lead?.email) : [];
  const pattern = patternOf(spellings);
  for (const place of emailNormalized ? searchedIn(tables) : []) {
    if (place.table === 'consent_details') {
      // proof: the app may change none of it but by this
      const { rows } = await db.query<{ rows: number }>('select erase_from_details($1, $2) as rows', [
        siteId,
        pattern,
      ]);
      count(place.table, rows[0]!.rows);
      continue;
    }
    count(place.table, await takeOutInside(db, siteId, place, pattern, walked.at));
  }
  for (const counted of emailNormalized ? countedNames(tables) : [])
    count(counted.table, await eraseNames(db, siteId, counted, spellings));

  await db.query("insert into dirty_days (site_id, day, cause) select $1, unnest($2::date[]), 'erasure'", [
    siteId,
    [...days],
  ]);
  const found = Object.keys(erased).length > 0;
  // Last, so that a capture which began while this was under way is dropped too.
  const { rows } = await db.query<{ erasure_id: string; erased_at: Date }>(
    `insert into erasures (site_id, lead_id, email_hash, erased_at, unsubscribe_hash, erased)
     values ($1, $2, $3, coalesce($4, clock_timestamp())::timestamptz(3), case when $5::text is not null then sha256(convert_to($5, 'UTF8')) end, $6)
     returning erasure_id, erased_at`,
    [siteId, leadId, emailHash, again?.at ?? null, lead?.unsubscribe_key ?? null, JSON.stringify(erased)],
  );
  const erasedAt = rows[0]!.erased_at.toISOString();
  if (journal && found) {
    const entry: Forgotten = {
      kind: 'erasure',
      siteId,
      leadId,
      emailHash,
      at: erasedAt,
    };
    await rememberForgotten(journal, entry);
  }
  return { found, erased, erasureId: rows[0]!.erasure_id, erasedAt };
}
