// What the machine writes by itself, so that nobody wonders later why a line has a step: another release, minutes without
// service, a restored backup; and of one site, days that were counted again or brought in.
import type { Db } from '../../ground/db/pool.ts';
import { insertImported, insertRecount } from './queries.ts';

/** A restart takes a minute or two; what is longer was noticed. */
export const OUTAGE_MINUTES = 5;
const MINUTES_A_DAY = 1440;
/** An outage is found by the first run after it, so these are many more than are needed. */
const DAYS_LOOKED_AT = 8;

export interface Outage {
  /** Epoch milliseconds of its first minute. */
  atMs: number;
  minutes: number;
}

/** days  with service, in their order: a UTC day, and 1440 of 0 and 1. What is before the first or after the last 1 is none. */
export function outagesIn(days: readonly { day: string; minutes: string }[]): Outage[] {
  const found: Outage[] = [];
  let last: number | null = null;
  for (const { day, minutes } of days) {
    const first = Date.parse(day) / 60_000;
    for (let n = minutes.indexOf('1'); n >= 0 && n < MINUTES_A_DAY; n = minutes.indexOf('1', n + 1)) {
      const away = last === null ? 0 : first + n - last - 1;
      if (away >= OUTAGE_MINUTES) found.push({ atMs: (last! + 1) * 60_000, minutes: away });
      last = first + n;
    }
  }
  return found;
}

/** Each once. returns  how many were new */
export async function noteOutages(db: Db): Promise<number> {
  const { rows } = await db.query<{ day: string; minutes: string }>(
    `select day::text, minutes::text from (select * from service_days order by day desc limit ${DAYS_LOOKED_AT}) newest order by day`,
  );
  const outages = outagesIn(rows);
  const { rowCount } = await db.query(
    `insert into machine_notes (at, kind, text)
     select to_timestamp(at_ms / 1000.0), 'outage', minutes || ' min' from json_to_recordset($1) as away (at_ms bigint, minutes int)
     on conflict (kind, at) do nothing`,
    [JSON.stringify(outages.map(({ atMs, minutes }) => ({ at_ms: atMs, minutes })))],
  );
  return rowCount ?? 0;
}

/** At the start of a release: it is noted when another one ran before. The first of all is remembered and shown nowhere. */
export async function noteRelease(db: Db, release: string): Promise<void> {
  await db.query(
    `insert into machine_notes (at, kind, text, release)
     select clock_timestamp(), case when before is null then 'installed' else 'upgrade' end,
       left(case when before is null then $1 else before || ' → ' || $1 end, 200), $1
     from (select (select release from machine_notes where release is not null order by note_id desc limit 1) as before) known
     where before is distinct from $1 on conflict (kind, at) do nothing`,
    [release],
  );
}

/** In the restored database. madeAt  when the backup was made, an instant */
export async function noteRestore(db: Db, madeAt: string): Promise<void> {
  await db.query("insert into machine_notes (at, kind, text) values (clock_timestamp(), 'restore', $1)", [
    `${new Date(madeAt).toISOString().slice(0, 16).replace('T', ' ')} UTC`,
  ]);
}

/** Inside inSites. Days of the site's zone, both included, that were counted again. */
export const noteRecount = (db: Db, siteId: string, from: string, to: string): Promise<void> =>
  insertRecount(db, siteId, from, to);

/** Inside inSites, with the end of the import; undone, it takes its note along. An import of no days has none. */
export async function noteImport(
  db: Db,
  siteId: string,
  one: { importId: string; source: string; firstDay: string | null; lastDay: string | null },
): Promise<void> {
  const { importId, source, firstDay, lastDay } = one;
  if (firstDay && lastDay)
    await insertImported(db, siteId, { importId, source, from: firstDay, to: lastDay });
}
