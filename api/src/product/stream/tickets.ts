// Tickets for a stream: made by whoever may open one, taken once within a minute, by any process.
import type { Pool } from '../../ground/db/pool.ts';
import { ADMIN_KEY, type Caller, type Capability, type WayIn } from '../../ground/http/caller.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { personAgain } from '../accounts/person.ts';
import { hashOf, newSecret } from '../accounts/secrets.ts';
import { keyAgain } from '../keys/way.ts';

export const TICKET_SECONDS = 60;
export const STREAM_PATH = '/v1/events/stream';

/** What a stream asks for; a ticket carries no more of what its maker may do. */
const CARRIED: readonly Capability[] = ['numbers', 'leadFacts'];

interface Ticket {
  siteId: string;
  /** Who made it, and by which session of theirs. */
  actor: string;
  sessionId: string | null;
  capabilities: Capability[];
}

export async function makeTicket(db: Pool, caller: Caller, siteId: string): Promise<string> {
  const ticket = newSecret();
  const capabilities = CARRIED.filter((what) => caller.may(what, siteId));
  await inAccounts(db, async (tx) => {
    await tx.query('delete from stream_tickets where expires_at < now()');
    await tx.query(
      `insert into stream_tickets (ticket_hash, site_id, actor, session_id, capabilities, expires_at)
       values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
      [hashOf(ticket), siteId, caller.actor, caller.person?.sessionId ?? null, capabilities, TICKET_SECONDS],
    );
  });
  return ticket;
}

/** Whoever made it, as they are by now. returns  null: nobody any more */
async function makerOf(db: Pool, { actor, sessionId }: Ticket): Promise<Caller | null> {
  if (sessionId) return personAgain(db, sessionId);
  const keyId = /^key:(.+)$/.exec(actor)?.[1];
  if (keyId) return keyAgain(db, keyId);
  return actor === ADMIN_KEY.actor ? ADMIN_KEY : null;
}

/** No more than the ticket carries, and than its maker may. */
async function carrier(db: Pool, ticket: Ticket): Promise<Caller | null> {
  const maker = await makerOf(db, ticket);
  if (!maker) return null;
  const { actor, siteId, capabilities } = ticket;
  return {
    actor,
    siteIds: [siteId],
    may: (what, at) =>
      capabilities.includes(what) && (at === undefined || at === siteId) && maker.may(what, siteId),
    again: () => carrier(db, ticket),
  };
}

/** The way in of a stream that brings a ticket; it is used up by that. */
export function ticketWay(db: Pool): WayIn {
  return async (call) => {
    if (call.pattern !== STREAM_PATH) return null;
    const ticket = new URLSearchParams(call.querystring).get('ticket');
    if (!ticket) return null;
    const { rows } = await inAccounts(db, (tx) =>
      tx.query<Ticket & { isGood: boolean }>(
        `delete from stream_tickets where ticket_hash = $1
         returning site_id as "siteId", actor, session_id as "sessionId", capabilities, expires_at > now() as "isGood"`,
        [hashOf(ticket)],
      ),
    );
    return rows[0]?.isGood ? carrier(db, rows[0]) : null;
  };
}
