// Stores made-up days through the real ingestion statement; leads, spend and conversions beside them.
import type { Pool } from '../src/ground/db/pool.ts';
import { inSites } from '../src/ground/db/transaction.ts';
import { addDays } from '../src/ground/lib/days.ts';
import type { ArrivedEvent } from '../src/product/events/enrich.ts';
import { ingestEvents } from '../src/product/events/queries.ts';
import { type TrafficOptions, trafficOf } from './traffic.ts';

const BATCH_ROWS = 400;

/** Days from first to last; nothing later than `until`. returns  what was sent, duplicates of an earlier run included */
export async function storeTraffic(
  db: Pool,
  options: TrafficOptions & { last: string; until: number; progress?: (line: string) => void },
): Promise<{ events: number; leads: number }> {
  const { siteId, first, last, until, progress = () => {} } = options;
  const total = { events: 0, leads: 0 };
  await db.query('select make_event_partitions($1::date - 1, $2::date + 1)', [first, last]);
  for (let day = first; day <= last; day = addDays(day, 1)) {
    const made = trafficOf(day, options);
    const events = made.events.filter((event) => Date.parse(event.received_at!) <= until);
    for (let i = 0; i < events.length; i += BATCH_ROWS) {
      const batch: ArrivedEvent[] = events.slice(i, i + BATCH_ROWS);
      await ingestEvents(db, batch, new Map(), 30);
    }
    const past = (at: string | null) => (at !== null && Date.parse(at) <= until ? at : null);
    const leads = made.leads.filter((lead) => past(lead.at));
    await inSites(db, siteId, async (client) => {
      await client.query(
        `with told as (
           select * from json_to_recordset($2) as l ("leadId" uuid, email text, domain text, "domainClass" text, at timestamptz, source text,
             utm jsonb, path text, "visitorId" uuid, "verifiedAt" timestamptz, "signedUpAt" timestamptz, "activatedAt" timestamptz)
         ), stored as (
           insert into leads (site_id, lead_id, email, email_normalized, email_domain, domain_class, first_captured_at, last_submitted_at,
             first_source, first_utm, first_path, first_form_name, first_visitor_id, verified_at, unsubscribe_key)
           select $1, "leadId", email, email, domain, "domainClass", at, at, source, utm, path, 'newsletter', "visitorId", "verifiedAt",
             encode(sha256(gen_random_uuid()::text::bytea), 'hex') from told
           on conflict do nothing returning lead_id, first_visitor_id, first_captured_at
         ), linked as (
           insert into lead_identities (site_id, lead_id, visitor_id, link_source, confidence, linked_at)
           select $1, lead_id, first_visitor_id, 'form_submit', 1, first_captured_at from stored
         )
         insert into conversions (site_id, conversion_id, kind, origin, lead_id, occurred_at)
         select $1, 'demo ' || kind || ' ' || "leadId", kind, 'server', "leadId", made.at
         from told cross join lateral (values ('signup', "signedUpAt"), ('activation', "activatedAt")) as made (kind, at)
         join stored on stored.lead_id = "leadId" where made.at is not null
         on conflict do nothing`,
        [
          siteId,
          JSON.stringify(
            leads.map((lead) => ({
              ...lead,
              verifiedAt: past(lead.verifiedAt),
              signedUpAt: past(lead.signedUpAt),
              activatedAt: past(lead.activatedAt),
            })),
          ),
        ],
      );
      await client.query(
        `insert into ad_spend (site_id, day, source, campaign, currency, amount)
         select $1, $2, source, campaign, 'CAD', amount from json_to_recordset($3) as s (source text, campaign text, amount numeric)
         on conflict (site_id, day, source, campaign, currency) do update set amount = excluded.amount`,
        [siteId, day, JSON.stringify(made.spend)],
      );
    });
    total.events += events.length;
    total.leads += leads.length;
    progress(`${day}: ${events.length} events, ${leads.length} leads`);
  }
  return total;
}
