// Who came without an id of their own: a keyed hash of network and user agent, whose key lives two days.
import { createHmac } from 'node:crypto';
import type { Db, Pool } from '../../ground/db/pool.ts';
import { type Client, networkOf } from '../../ground/http/client.ts';
import type { Log } from '../../ground/lib/log.ts';
import { asOwnUuid } from './enrich.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const LOOK_EVERY_MS = 60_000;
// A visit that is still going on so long after midnight is cut in two; until then each event is asked whether it goes on.
const CROSSING_MS = 6 * HOUR_MS;

export interface DayVisitor {
  id: string;
  /** Who it was yesterday: a visit goes on past midnight. Absent later in the day, and when yesterday's salt is unknown. */
  before: string | undefined;
}

/** Only what the hash is made of. */
export type Seen = Pick<Client, 'address' | 'userAgent'>;

export interface DaySalts {
  /** Out of memory, once that day's salt was read; undefined: ask later. */
  known(client: Seen, siteId: string, atMs: number): DayVisitor | undefined;
  /** Reads the salts first where they are not known. throws when the database is away */
  find(client: Seen, siteId: string, atMs: number): Promise<DayVisitor>;
  close(): void;
}

const startOf = (ms: number) => ms - (ms % DAY_MS);
const nameOf = (dayMs: number) => new Date(dayMs).toISOString().slice(0, 10);

/** pure, so that a test can say what a salt makes of whom */
export function dayVisitorId(salt: Buffer, siteId: string, { address, userAgent }: Seen): string {
  const parts = [siteId, networkOf(address), userAgent];
  const digest = createHmac('sha256', salt).update(parts.map((part) => `${part.length}:${part}`).join(''));
  return asOwnUuid(digest.digest());
}

/** Makes the salts of these UTC days where there are none, in any process; answers them. */
export async function saltsOf(db: Db, days: string[], nowMs = Date.now()): Promise<Map<string, Buffer>> {
  await db.query(
    'insert into day_salts (day, made_at) select unnest($1::date[]), $2 on conflict do nothing',
    [days, new Date(nowMs)],
  );
  const { rows } = await db.query<{ day: string; salt: Buffer }>(
    'select day::text, salt from day_salts where day = any ($1::date[])',
    [days],
  );
  return new Map(rows.map(({ day, salt }) => [day, salt]));
}

/**
 * The job: makes today's salt, from an hour before midnight on tomorrow's too, and forgets what is 48 h old.
 * returns  how many were forgotten
 */
export async function renewSalts(db: Db, nowMs = Date.now()): Promise<number> {
  await saltsOf(db, [nameOf(nowMs), nameOf(nowMs + HOUR_MS)], nowMs);
  const { rowCount } = await db.query(
    "delete from day_salts where day < $1::date - 1 or made_at <= $2::timestamptz - interval '48 hours'",
    [nameOf(nowMs), new Date(nowMs)],
  );
  return rowCount ?? 0;
}

// Of one client, remembered at once: a person is on one or two sites, and a machine may name all there are.
const SITES_MAX = 8;

/** Keeps the salts of yesterday, today and, shortly before midnight, tomorrow in memory. */
export async function openDaySalts(db: Pool, log: Log): Promise<DaySalts> {
  let salts = new Map<number, Buffer>();
  // one browser asks again and again; its Client is the same object as long as it is remembered at all
  let visitors = new WeakMap<Seen, Map<string, { crossing: DayVisitor; later: DayVisitor }>>();
  let dayOfVisitors = 0;

  async function read(atMs: number): Promise<void> {
    const today = startOf(atMs);
    const wanted = [...new Set([today, startOf(atMs + HOUR_MS)])];
    const found = await saltsOf(db, wanted.map(nameOf));
    const { rows } = await db.query<{ salt: Buffer }>('select salt from day_salts where day = $1', [
      nameOf(today - DAY_MS),
    ]);
    // what is older is forgotten here as well
    salts = new Map(wanted.map((day) => [day, found.get(nameOf(day))!]));
    if (rows[0]) salts.set(today - DAY_MS, rows[0].salt);
    visitors = new WeakMap();
  }

  function known(client: Seen, siteId: string, atMs: number): DayVisitor | undefined {
    const today = startOf(atMs);
    const salt = salts.get(today);
    if (!salt) return undefined;
    if (dayOfVisitors !== today) {
      visitors = new WeakMap();
      dayOfVisitors = today;
    }
    const ofClient = visitors.get(client) ?? new Map<string, { crossing: DayVisitor; later: DayVisitor }>();
    let visitor = ofClient.get(siteId);
    if (!visitor) {
      const id = dayVisitorId(salt, siteId, client);
      const yesterdays = salts.get(today - DAY_MS);
      const before = yesterdays && dayVisitorId(yesterdays, siteId, client);
      visitor = { crossing: { id, before }, later: { id, before: undefined } };
      if (ofClient.size >= SITES_MAX) ofClient.clear();
      visitors.set(client, ofClient.set(siteId, visitor));
    }
    return atMs - today < CROSSING_MS ? visitor.crossing : visitor.later;
  }

  const look = () => {
    const now = Date.now();
    if (salts.has(startOf(now)) && salts.has(startOf(now + HOUR_MS))) return;
    read(now).catch((err) => log.warn({ err }, "the day's salt could not be read yet"));
  };
  await read(Date.now());
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return {
    known,
    async find(client, siteId, atMs) {
      if (!salts.has(startOf(atMs))) await read(atMs);
      return known(client, siteId, atMs)!;
    },
    close: () => clearInterval(timer),
  };
}
