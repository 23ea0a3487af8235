// What events tell about themselves: today's ledger, and whether visitors can be told apart.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { critical, reading, warning } from '../../ground/feature.ts';
import { day } from '../../ground/http/fields.ts';
import { numbersOfAll } from '../sites/across.ts';
import type { Sites } from '../sites/recognise.ts';
import type { DayRoom } from './day-room.ts';

interface House {
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
const visitorsShape = z.object({ count, addresses: count, browsers: count }).describe('of the last hour');

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
        `select count(*)::int as count, count(distinct ip_hash)::int as addresses, count(distinct ua_hash)::int as browsers
           from visitors where ip_hash is not null and last_seen_at > now() - interval '1 hour'`,
      ),
    rules: [
      {
        id: 'one_address',
        minutes: 10,
        when: 'at least 50 visitors with 5 browsers in an hour, all from one address',
        check: (visitors) =>
          visitors.count >= 50 && visitors.browsers >= 5 && visitors.addresses === 1
            ? critical(
                'All visitors of the last hour came from one address: a proxy in front hides the real ones, so limits and links are wrong',
              )
            : null,
      },
    ],
  }),
];
