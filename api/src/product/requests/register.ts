// The SQL door of the register of requests, for its own routes and for those that answer a request.
import type { Db } from '../../ground/db/pool.ts';
import type { PeopleRequest, RequestKind, RequestPatch } from './schema.ts';

const AS_REQUEST = `request_id as "requestId", site_id as "siteId", kind, how, note, outcome,
  instant_text(received_at) as "receivedAt", instant_text(due_at) as "dueAt", instant_text(done_at) as "doneAt"`;

export interface NewEntry {
  siteId: string;
  kind: RequestKind;
  /** Keyed hash as \x…; null: whoever asked named no address. */
  emailHash: string | null;
  receivedAt: string;
  dueAt: string;
  how?: string | null | undefined;
  note?: string | null | undefined;
}

/** db  a transaction that sees the site */
export async function enterRequest(db: Db, entry: NewEntry): Promise<PeopleRequest> {
  const { siteId, kind, emailHash, receivedAt, dueAt, how = null, note = null } = entry;
  const { rows } = await db.query<PeopleRequest>(
    `insert into people_requests (site_id, kind, email_hash, received_at, due_at, how, note)
     values ($1, $2, $3, $4, $5, $6, $7)
     returning ${AS_REQUEST}`,
    [siteId, kind, emailHash, receivedAt, dueAt, how, note],
  );
  return rows[0]!;
}

export type RequestCursor = [dueAt: string, requestId: string];
export interface Wanted {
  state: 'open' | 'answered' | 'all';
  emailHashes: string[] | null;
}

/** Of the sites that the transaction sees, the one due first first. */
export async function listRequests(
  db: Db,
  { state, emailHashes }: Wanted,
  after: RequestCursor | null,
  limit: number,
): Promise<PeopleRequest[]> {
  const { rows } = await db.query<PeopleRequest>(
    `select ${AS_REQUEST} from people_requests
     where site_id = any (current_sites()) and ($1 = 'all' or (done_at is null) = ($1 = 'open'))
       and ($2::bytea[] is null or email_hash = any ($2))
       and ($3::timestamptz is null or (due_at, request_id) > ($3, $4::uuid))
     order by due_at, request_id limit $5`,
    [state, emailHashes, ...(after ?? [null, null]), limit],
  );
  return rows;
}

/** returns  null when none of the sites that the transaction sees has it */
export async function changeRequest(
  db: Db,
  requestId: string,
  { outcome, doneAt, dueAt, note }: RequestPatch,
): Promise<PeopleRequest | null> {
  const { rows } = await db.query<PeopleRequest>(
    `update people_requests set
       outcome = case when $2 then $3 else outcome end,
       done_at = case when $2 then case when $3::text is not null then coalesce($4::timestamptz, now()) end else done_at end,
       due_at = coalesce($5, due_at), note = coalesce($6, note)
     where request_id = $1 and site_id = any (current_sites()) returning ${AS_REQUEST}`,
    [requestId, outcome !== undefined, outcome ?? null, doneAt ?? null, dueAt ?? null, note ?? null],
  );
  return rows[0] ?? null;
}

/** What is answered along: everything that is held, as a file that programs read, is both. */
const ALONG: Partial<Record<RequestKind, RequestKind>> = { access: 'portability' };

/**
 * A request that was answered on the spot: the open one of this kind and address is done, with what it answers along, or an
 * entry is made that is.
 * before   keyed hash of the address they may have asked by, where it changed since
 * returns  the entry's id
 */
export async function answered(
  db: Db,
  entry: Omit<NewEntry, 'dueAt'>,
  before: string | null = null,
): Promise<string> {
  const { siteId, kind, emailHash } = entry;
  const { rows } = await db.query<{ request_id: string }>(
    `update people_requests set outcome = 'done', done_at = greatest(now(), received_at), email_hash = $3
     where site_id = $1 and request_id in (select distinct on (kind) request_id from people_requests
       where site_id = $1 and kind in ($2, $5) and email_hash in ($3, $4) and done_at is null order by kind, received_at)
     returning request_id`,
    [siteId, kind, emailHash, before, ALONG[kind] ?? null],
  );
  if (rows[0]) return rows[0].request_id;
  const { requestId } = await enterRequest(db, { ...entry, dueAt: entry.receivedAt });
  await changeRequest(db, requestId, { outcome: 'done' });
  return requestId;
}
