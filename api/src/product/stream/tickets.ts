// Tickets for a stream: made by whoever may open one, taken once within a minute, by any process.
import type { Pool } from '../../ground/db/pool.ts';
import type { Caller, Capability, WayIn } from '../../ground/http/caller.ts';
import { inAccounts } from '../accounts/in-accounts.ts';
import { hashOf, newSecret } from '../accounts/secrets.ts';

export const TICKET_SECONDS = 60;
export const STREAM_PATH = '/v1/events/stream';

/** What a stream asks for; a ticket carries no more of what its maker may do. */
const CARRIED: readonly Capability[] = ['numbers', 'leadFacts'];

export async function makeTicket(db: Pool, caller: Caller, siteId: string): Promise<string> {
  const ticket = newSecret();
  const capabilities = CARRIED.filter((what) => caller.may(what, siteId));
  await inAccounts(db, async (tx) => {
    await tx.query('delete from stream_tickets where expires_at < now()');
    await tx.query(
      `insert into stream_tickets (ticket_hash, site_id, actor, capabilities, expires_at)
       values ($1, $2, $3, $4, now() + make_interval(secs => $5))`,
      [hashOf(ticket), siteId, caller.actor, capabilities, TICKET_SECONDS],
    );
  });
  return ticket;
}

/** The way in of a stream that brings a ticket; it is used up by that. */
export function ticketWay(db: Pool): WayIn {
  return async (call) => {
    if (call.pattern !== STREAM_PATH) return null;
    const ticket = new URLSearchParams(call.querystring).get('ticket');
    if (!ticket) return null;
    const { rows } = await inAccounts(db, (tx) =>
      tx.query<{ siteId: string; actor: string; capabilities: Capability[]; isGood: boolean }>(
        `delete from stream_tickets where ticket_hash = $1
         returning site_id as "siteId", actor, capabilities, expires_at > now() as "isGood"`,
        [hashOf(ticket)],
      ),
    );
    const found = rows[0];
    if (!found?.isGood) return null;
    const { siteId, actor, capabilities } = found;
    return {
      actor,
      siteIds: [siteId],
      may: (what, at) => capabilities.includes(what) && (at === undefined || at === siteId),
    };
  };
}
