// Forgets a person on one site: every row that a feature's tables say is theirs, in one transaction, without a race.
import { randomUUID } from 'node:crypto';
import { withRetries } from '../../ground/db/faults.ts';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import type { Tables } from '../../ground/tables.ts';
import { eraseInArchives } from '../archive/marks.ts';
import { type Forgotten, rememberForgotten } from '../consent/forget-journal.ts';
import { takeOutInside, takeOutOutside } from './mention-walk.ts';
import { countedNames, eraseNames, patternOf, searchedIn } from './mentions.ts';
import { browsersOf, formsOf, OF_THEIR_FORMS, type Person, theirRows } from './theirs.ts';
import { moveVisits, recount, scrubbed } from './visits.ts';

export interface ErasureRequest {
  siteId: string;
  /** null: only its hash is known (replaying after a restore). */
  emailNormalized: string | null;
  emailHash: string;
  /** Of addresses they had before, as the journal tells them after a restore; those that the lead still tells are added. */
  earlierHashes?: readonly string[] | undefined;
  /** Replaying after a restore: the lead of then, and when it was forgotten; younger traces are someone's new start. */
  again?: { leadId: string | null; at: string };
  /**
   * Nobody asked: the lead's time is over. What the numbers count of it stays under a random id, and what its browsers did,
   * who are nobody's then and end like anybody's.
   */
  isOver?: boolean | undefined;
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

/** Gives what the numbers count of a lead a random id. */
async function outlive(db: Db, tables: Tables, siteId: string, leadId: string): Promise<void> {
  const nameless = randomUUID();
  for (const [table, { outlives }] of Object.entries(tables)) {
    if (!outlives) continue;
    const set = ['lead_id = $3', outlives.set].filter(Boolean).join(', ');
    await db.query(
      `update ${table} t set ${set} where t.site_id = $1 and (${outlives.where ?? 't.lead_id = $2'})`,
      [siteId, leadId, nameless],
    );
  }
}

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

/** What the addresses of before are known by: a list from the time before a correction must not bring the person back. */
async function earlierOf(
  db: Db,
  siteId: string,
  leadId: string | null,
  emailHash: string,
  told: readonly string[] = [],
): Promise<string[]> {
  const { rows } = await db.query<{ hash: string }>(
    `select distinct '\\x' || encode(hash, 'hex') as hash from (
       select email_hash as hash from lead_rectifications where site_id = $1 and lead_id = $2
       union select unnest($3::bytea[])) known
     where hash <> $4 order by hash`,
    [siteId, leadId, told, emailHash],
  );
  return rows.map(({ hash }) => hash);
}

/** Without a lead and a count: the proof of the erasure is the one of their last address. */
async function rememberEarlier(
  db: Db,
  siteId: string,
  hashes: string[],
  erasedAt: string,
  isOver: boolean,
): Promise<void> {
  await db.query(
    `insert into erasures (site_id, email_hash, erased_at, cause)
     select $1, hash, $3, $4 from unnest($2::bytea[]) as t (hash)`,
    [siteId, hashes, erasedAt, isOver ? 'time' : 'request'],
  );
}

/** Nobody could write to them, so that no old list and no old link speaks of them. */
async function agreedToNothing(db: Db, siteId: string, leadId: string | null): Promise<boolean> {
  const { rows } = await db.query(
    "select from consent_records where site_id = $1 and lead_id = $2 and action not in ('requested', 'not_given') limit 1",
    [siteId, leadId],
  );
  return rows.length === 0;
}

async function forgetIn(
  db: Db,
  tables: Tables,
  { siteId, emailNormalized, emailHash, earlierHashes, again, isOver = false }: ErasureRequest,
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
  const wasStranger = isOver && (await agreedToNothing(db, siteId, leadId));
  const earlier = await earlierOf(db, siteId, leadId, emailHash, earlierHashes);

  // A browser that is another lead's too keeps what is theirs.
  const browsers = isOver ? { own: [], shared: [] } : await browsersOf(db, siteId, leadId, emailNormalized);
  const { own, shared } = browsers;
  const person: Person = { leadId, normalized: emailNormalized, hash: emailHash, ...browsers };
  if (!isOver) {
    const events = await formsOf(db, siteId, leadId, emailNormalized);
    count('archives', await eraseInArchives(db, { siteId, visitorIds: own, events }, journal));
  }
  const moved = await moveVisits(db, tables, siteId, own);
  for (const [table, rows] of Object.entries(moved.rows)) count(table, rows);
  const days = new Set(moved.days);
  if (shared.length > 0) {
    // visits that began with their form, before its event says less
    const begun = await db.query<{ path: string | null }>(
      `update sessions t set ${scrubbed(tables.sessions!)} where t.site_id = $1 and t.visitor_id = any ($4)
         and (t.visitor_id, t.session_id, t.started_at) in (select t.visitor_id, t.session_id, t.occurred_at from events t
           where t.site_id = $1 and ${OF_THEIR_FORMS} and t.visitor_id = any ($4)) returning old.landing_path as path`,
      [siteId, leadId, emailNormalized, shared],
    );
    count('sessions', begun.rowCount);
    // whoever left an address there after them came, as it was noted, by that form's page
    const pages = begun.rows.flatMap(({ path }) => path ?? []);
    if (pages.length > 0)
      await db.query(
        `update leads set first_path = null, first_referrer = null
         where site_id = $1 and lead_id is distinct from $2 and first_path = any ($3) and lead_id = any (array(
           select s.lead_id from events e join submissions s on s.site_id = $1 and s.event_id = e.event_id
           where e.site_id = $1 and e.visitor_id = any ($4) and e.event_type = 'form_submit'))`,
        [siteId, leadId, pages, shared],
      );
    const { rowCount, rows } = await db.query<{ day: string }>(
      `update events t set ${scrubbed(tables.events!)} where t.site_id = $1 and ${OF_THEIR_FORMS} and t.visitor_id = any ($4)
       returning site_day($1, t.occurred_at) as day`,
      [siteId, leadId, emailNormalized, shared],
    );
    count('events', rowCount);
    for (const { day } of rows) days.add(day);
  }

  // words that only this person's form sent along
  const words =
    leadId && !isOver // else the purge takes them when nobody shows them any more
      ? (
          await db.query<{ text_id: string }>(
            'select distinct text_id from consent_details where site_id = $1 and lead_id = $2 and text_id is not null',
            [siteId, leadId],
          )
        ).rows
      : [];
  if (isOver && leadId) await outlive(db, tables, siteId, leadId);
  for (const [table, rule] of goingIn(tables)) {
    if (isOver && rule.whose !== 'lead' && !rule.derived) continue;
    const { where, value } = theirRows(rule, person);
    count(
      table,
      (await db.query(`delete from ${table} where site_id = $1 and ${where}`, [siteId, value])).rowCount,
    );
    // what was told of others at this browser stays theirs, of no browser
    if (rule.whose === 'lead, visitor or hash')
      await db.query(`update ${table} set visitor_id = null where site_id = $1 and visitor_id = any ($2)`, [
        siteId,
        own,
      ]);
  }
  if (words.length > 0) {
    // whoever agrees to the same words in this moment holds them (consent_words): their proof must not lose them
    await db.query(
      "select from consent_texts where site_id = $1 and text_id = any ($2) and origin = 'form' order by text_id for update",
      [siteId, words.map(({ text_id }) => text_id)],
    );
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

  await recount(db, siteId, days);
  const found = Object.keys(erased).length > 0;
  // Last, so that a capture which began while this was under way is dropped too.
  const { rows } = await db.query<{ erasure_id: string; erased_at: Date }>(
    `insert into erasures (site_id, lead_id, email_hash, erased_at, unsubscribe_hash, erased, cause, was_stranger)
     values ($1, $2, $3, coalesce($4, clock_timestamp())::timestamptz(3), case when $5::text is not null then sha256(convert_to($5, 'UTF8')) end, $6, $7, $8)
     returning erasure_id, erased_at`,
    [
      siteId,
      leadId,
      emailHash,
      again?.at ?? null,
      lead?.unsubscribe_key ?? null,
      JSON.stringify(erased),
      isOver ? 'time' : 'request',
      wasStranger,
    ],
  );
  const erasedAt = rows[0]!.erased_at.toISOString();
  await rememberEarlier(db, siteId, earlier, erasedAt, isOver);
  if (journal && found) {
    const entry: Forgotten = {
      kind: 'erasure',
      siteId,
      leadId,
      emailHash,
      at: erasedAt,
      ...(isOver ? { isOver } : {}),
      ...(earlier.length > 0 ? { earlier } : {}),
    };
    await rememberForgotten(journal, entry);
  }
  return { found, erased, erasureId: rows[0]!.erasure_id, erasedAt };
}
