// Whether anything of a site arrives, for who has just pasted the script: its newest page views, or what came instead.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { day, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { Sites } from '../sites/recognise.ts';
import type { Ledger } from './ledger.ts';
import { findPulse, listPageOrigins } from './queries.ts';

export const pulseShape = z
  .object({
    firstDay: day.nullable().describe('the first day with events of people that was counted'),
    lastEvents: z
      .array(z.object({ path: z.string(), browser: z.string().nullable(), at: utc }))
      .describe('of people, in the last hour; the newest five'),
    refusals: z.array(
      z.object({ origin: z.string(), reason: z.literal('origin_not_allowed'), n: z.int().min(1) }),
    ),
    botsOnly: z.boolean().describe('robots came in the last hour, and nobody else'),
    origins: z.array(z.string()).describe('whose pages may send; empty: any'),
  })
  .meta({ id: 'Pulse' });
export type Pulse = z.output<typeof pulseShape>;

export function pulseRoute({ db, ledger, sites }: { db: Pool; ledger: Ledger; sites: Sites }): Route {
  return route({
    at: 'GET /v1/sites/:siteId/pulse',
    id: 'getPulse',
    says: 'Whether events of this site arrive, and what came instead',
    tag: 'sites',
    who: 'numbers',
    of: 'path',
    shows: 'no people',
    answers: { 200: pulseShape },
    async run(_input, call) {
      await Promise.all([ledger.flush(), sites.reload()]);
      const { siteId, origins } = sites.find(call.site.siteId) ?? call.site;
      const [pulse, seen] = await Promise.all([
        inSites(db, siteId, (tx) => findPulse(tx, siteId)),
        listPageOrigins(db, siteId),
      ]);
      const refusals = seen
        .filter(({ origin, refused }) => refused > 0 && !origins.includes(origin))
        .map(({ origin, refused }) => ({ origin, reason: 'origin_not_allowed' as const, n: refused }));
      return { ...pulse, refusals, origins };
    },
  });
}
