// What must be true after all of it, whatever happened on the way.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { pause } from '../kill.ts';
import { type Asking, rollUpNow, type Somebody } from './ask.ts';
import type { Acknowledged } from './load.ts';
import type { Product } from './product.ts';

const PATIENCE_MS = 120_000;

export interface Checked {
  lost: number;
  doubled: number;
  /** In words; empty when all is well. */
  faults: string[];
}

const journalFiles = (folder: string) =>
  (readdirSync(join(folder, 'journal'), { recursive: true, withFileTypes: true }) ?? []).filter((entry) =>
    entry.isFile(),
  );

/** Waits until nothing that came while the database was away waits any more. */
async function untilPlayed(folder: string): Promise<string[]> {
  const end = Date.now() + PATIENCE_MS;
  const waiting = () => journalFiles(folder).filter(({ name }) => /^\d+-.*\.(ndjson|open)$/.test(name));
  while (waiting().length > 0 && Date.now() < end) await pause(200);
  return waiting().map(({ name }) => `${name} was not played from the journal`);
}

export async function check(
  { databaseUrl, folder }: Product,
  asking: Asking,
  done: Acknowledged,
): Promise<Checked> {
  const faults = await untilPlayed(folder);
  await rollUpNow(asking);
  const db = new pg.Client(databaseUrl);
  await db.connect();
  const rows = async (sql: string, values: unknown[] = []) => (await db.query(sql, values)).rows;
  try {
    const counts = [await eventsOf(rows, done), await leadsOf(rows, done), await withdrawalsOf(rows, done)];
    const lost = counts.reduce((all, one) => all + one.lost, 0);
    const doubled = counts.reduce((all, one) => all + one.doubled, 0);
    faults.push(
      ...(lost + doubled > 0
        ? [`lost, doubled of events, leads, withdrawals: ${JSON.stringify(counts)}`]
        : []),
      ...(await ledgerFaults(rows)),
      ...(await chainFaults(asking.ask)),
      ...(await traces(rows, folder, done.erased, done.untied)),
    );
    return { lost, doubled, faults };
  } finally {
    await db.end();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: rows of every shape
type Rows = (sql: string, values?: unknown[]) => Promise<any[]>;

/** of  what must be there once each; stored: how often it is */
function compare(of: string[], stored: string[]): { lost: number; doubled: number } {
  const there = new Set(stored);
  return { lost: of.filter((one) => !there.has(one)).length, doubled: stored.length - there.size };
}

async function eventsOf(rows: Rows, done: Acknowledged) {
  const stored = await rows(
    `select event_id as id from events where event_id = any ($1)
     union all select event_id from notification_events where event_id = any ($1)`,
    [done.sent],
  );
  return compare(
    done.events,
    stored.map(({ id }) => id),
  );
}

async function leadsOf(rows: Rows, { leads, erased }: Acknowledged) {
  const stored = await rows(
    'select s.event_id, l.email_normalized as email from submissions s join leads l using (site_id, lead_id)',
  );
  return compare(
    leads.filter((one) => !erased.has(one)).map(({ email, eventId }) => `${email} ${eventId}`),
    stored.map(({ email, event_id: id }) => `${email} ${id}`),
  );
}

async function withdrawalsOf(rows: Rows, { withdrawn, erased }: Acknowledged) {
  const stored = await rows(
    `select l.email_normalized as email from leads l join consent_records r using (site_id, lead_id)
     where r.action = 'withdrawn' and l.consent_status = 'withdrawn'`,
  );
  return compare(
    [...withdrawn].filter((one) => !erased.has(one)).map(({ email }) => email),
    stored.map(({ email }) => email),
  );
}

async function ledgerFaults(rows: Rows): Promise<string[]> {
  const stored = (
    await rows(
      'select (select count(*) from events)::int + (select count(*) from notification_events)::int as n',
    )
  )[0].n;
  const counts = Object.fromEntries(
    (await rows('select outcome, sum(count)::int as n from ingest_ledger group by 1')).map(
      ({ outcome, n }) => [outcome, n],
    ),
  );
  const { received = 0, accepted = 0, duplicate = 0, rejected = 0 } = counts;
  return [
    ...(received === accepted + duplicate + rejected
      ? []
      : [`the ledger does not balance: ${JSON.stringify(counts)}`]),
    ...(accepted === stored ? [] : [`the ledger counts ${accepted} events, ${stored} are stored`]),
  ];
}

async function chainFaults(ask: Asking['ask']): Promise<string[]> {
  const answer = await ask('/v1/admin/jobs/consent_chains', {});
  if (!answer) return ['the chains of consent were not checked'];
  const { result } = JSON.parse(answer.body).run;
  return result.broken === 0 && result.leads > 0 ? [] : [`chains of consent: ${JSON.stringify(result)}`];
}

/**
 * Rows and files that hold a word of who was erased.
 * untied  those of whom only the address must be gone
 */
export async function traces(
  rows: Rows,
  folder: string,
  erased: Iterable<Somebody>,
  untied = new Set<Somebody>(),
): Promise<string[]> {
  const words = new Set([...erased].map((one) => (untied.has(one) ? `${one.word}@` : one.word)));
  const holds = (text: string) =>
    (text.match(/w[0-9a-f]{32}(@|%40)?/gi) ?? []).some((found) => {
      const plain = found.toLowerCase().replace('%40', '@');
      return words.has(plain) || words.has(plain.replace('@', ''));
    });
  const faults: string[] = [];
  const tables = await rows(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  for (const { name } of tables)
    for (const { line } of await rows(
      `select t::text as line from ${name} t where t::text ~ 'w[0-9a-f]{32}'`,
    ))
      if (holds(line)) faults.push(`${name} holds a word of who was erased: ${line.slice(0, 200)}`);
  for (const { parentPath, name } of journalFiles(folder))
    if (holds(readFileSync(join(parentPath, name), 'utf8')))
      faults.push(`${name} holds a word of who was erased`);
  return faults;
}
