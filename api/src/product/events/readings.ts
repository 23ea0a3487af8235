// What events tell about themselves: today's ledger, and whether visitors can be told apart.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { critical, reading, warning } from '../../ground/feature.ts';
import { keyedHash } from '../../ground/http/client.ts';
import { day } from '../../ground/http/fields.ts';
import { ownGateways } from '../../ground/http/gateway.ts';
import { numbersOfAll } from '../sites/across.ts';
import type { Sites } from '../sites/recognise.ts';
import type { DayRoom } from './day-room.ts';

interface House {
  config: { IP_HASH_PEPPER: string };
  db: Pool;
  sites: Sites;
  dayRoom: DayRoom;
}
const count = z.int().min(0);

const ledgerShape = z
  .object({
    day,
    received: count,
    accepted: count,
    duplicate: count,
    rejected: count,
    unbalanced: count.describe('site days of the last week'),
  })
  .describe('today');
const dayRoomShape = z
  .object({ bytes: count, bytesMax: count.describe('0: without end'), fullSites: count })
  .describe('what visits and forms of today (UTC) take of the disk, about, since the last start');
const visitorsShape = z
  .object({
    count: count.describe('visitors, and people who sent a form, whose address was noted'),
    addresses: count,
    browsers: count.describe('kinds of browsers'),
    busiest: count.describe('of the two addresses that most came from'),
    gateway: count.describe("of the address of this machine's own gateway"),
    gatewayBrowsers: count,
  })
  .describe('of the last hour');

const worst = (...counts: (number | null | undefined)[]): number =>
  Math.max(0, ...counts.map((each) => each ?? 0));

export const eventReadings = [
  reading<House, z.output<typeof ledgerShape>>({
    name: 'ledger',
    shape: ledgerShape,
    read: (house) =>
      numbersOfAll(
        house,
        `with days as (
           select site_id, day,
                  coalesce(sum(count) filter (where outcome = 'received'), 0) as received,
                  coalesce(sum(count) filter (where outcome = 'accepted'), 0) as accepted,
                  coalesce(sum(count) filter (where outcome = 'duplicate'), 0) as duplicate,
                  coalesce(sum(count) filter (where outcome = 'rejected'), 0) as rejected
             from ingest_ledger where day > (now() at time zone 'UTC')::date - 7 group by 1, 2)
         select to_char((now() at time zone 'UTC')::date, 'YYYY-MM-DD') as day,
                coalesce(sum(received) filter (where today), 0)::float as received,
                coalesce(sum(accepted) filter (where today), 0)::float as accepted,
                coalesce(sum(duplicate) filter (where today), 0)::float as duplicate,
                coalesce(sum(rejected) filter (where today), 0)::float as rejected,
                count(*) filter (where received <> accepted + duplicate + rejected)::int as unbalanced
           from (select *, day = (now() at time zone 'UTC')::date as today from days) d`,
      ),
    line: (ledger) =>
      `today ${ledger.received} received = ${ledger.accepted} accepted + ${ledger.duplicate} duplicate + ${ledger.rejected} rejected${ledger.unbalanced ? `; ${ledger.unbalanced} SITE DAYS DO NOT BALANCE` : ''}`,
    rules: [
      {
        id: 'ledger',
        minutes: 5,
        when: 'received is not accepted + duplicate + rejected on any day',
        // the last week as it is now, older days as the job found them
        check({ unbalanced }, { rollup }) {
          const days = worst(unbalanced, (rollup as { imbalances: number | null } | null)?.imbalances);
          return days > 0 ? critical(`The ledger does not balance for ${days} site days`) : null;
        },
      },
    ],
  }),
  reading<House, z.output<typeof dayRoomShape>>({
    name: 'dayRoom',
    shape: dayRoomShape,
    read: async ({ dayRoom }) => dayRoom.today(),
    line: ({ bytes, bytesMax, fullSites }) =>
      bytesMax === 0
        ? null
        : `${Math.round(bytes / 1e6)} of ${Math.round(bytesMax / 1e6)} MB that today may add${fullSites ? `; ${fullSites} SITES HAVE SPENT THEIRS` : ''}`,
    rules: [
      {
        id: 'day_room',
        minutes: 1,
        when: 'a site was sent more in a day than it may add to the disk',
        check: ({ fullSites }) =>
          fullSites > 0
            ? warning(
                `${fullSites} sites were sent all that a day may add to the disk; more is refused (daily_limit) until midnight UTC. ` +
                  'EVENTS_MB_PER_DAY raises it; GET /v1/metrics/quality shows what was refused',
              )
            : null,
      },
    ],
  }),
  reading<House, z.output<typeof visitorsShape>>({
    name: 'visitors',
    shape: visitorsShape,
    read: (house) =>
      numbersOfAll(
        house,
        // a form leaves its address with the consent, also where visits leave none; ids of its records begin with their moment
        `with seen as (
           select ip_hash, ua_hash, visitor_id as who from visitors
            where ip_hash is not null and last_seen_at > now() - interval '1 hour'
           union all
           select ip_hash, ua_hash, lead_id from consent_details
            where ip_hash is not null and record_id > uuidv7(interval '-1 hour')),
         addresses as (select ip_hash, count(distinct who) as people, count(distinct ua_hash) as browsers from seen group by 1)
         select coalesce(sum(people), 0)::int as count, count(*)::int as addresses,
                (select count(distinct ua_hash)::int from seen) as browsers,
                coalesce((select sum(people) from (select people from addresses order by people desc limit 2) two), 0)::int as busiest,
                coalesce(sum(people) filter (where own), 0)::int as gateway,
                (select count(distinct ua_hash)::int from seen where ip_hash = any ($1)) as "gatewayBrowsers"
           from (select *, ip_hash = any ($1) as own from addresses) a`,
        [ownGateways().map((address) => keyedHash(house.config.IP_HASH_PEPPER, address))],
      ),
    rules: [
      {
        id: 'one_address',
        minutes: 10,
        when: "20 visitors in an hour with 5 browsers from this machine's own gateway, or 95 % of at least 50 from two addresses",
        check: ({ count, browsers, busiest, gateway, gatewayBrowsers }) => {
          if (gateway >= 20 && gatewayBrowsers >= 5)
            return critical(
              `${gateway} of the ${count} visitors of the last hour seem to be this machine's own gateway: the engine's own proxy (IPv6 without a network for it), ` +
                'or a proxy on this machine, hides the real addresses, so limits and links are wrong; see docs/tls.md',
            );
          // two, for a proxy in front may have an address of each kind
          return count >= 50 && browsers >= 5 && busiest >= 0.95 * count
            ? critical(
                'All visitors of the last hour came from one or two addresses: a proxy in front hides the real ones, so limits and links are wrong; see docs/tls.md',
              )
            : null;
        },
      },
    ],
  }),
];
