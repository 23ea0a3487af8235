// What waits in quarantine: GET /v1/admin/quarantine, and the decision to release or to drop.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, siteName } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { siteNamed } from '../../ground/http/which-site.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { SiteDirectory } from '../../ground/site.ts';
import type { Outbox } from '../outbox/outbox.ts';
import { decideQuarantined, listQuarantined, quarantinedShape } from './quarantine.ts';

export interface QuarantineNeeds {
  db: Pool;
  sites: SiteDirectory;
  outbox: Pick<Outbox, 'wrote'>;
}

export function quarantineRoutes({ db, sites, outbox }: QuarantineNeeds): Route[] {
  const common = { tag: 'quarantine', who: 'settings', of: 'all' } as const;
  const decide = (decision: 'release' | 'drop', says: string, answer: z.ZodType) =>
    route({
      ...common,
      at: `POST /v1/admin/quarantine/:quarantineId/${decision}`,
      id: `${decision}Quarantined`,
      says,
      answers: { 200: answer },
      async run(_input, call) {
        const quarantineId = call.params.quarantineId!;
        call.note({ target: quarantineId });
        const done = await decideQuarantined(db, call.siteIds, quarantineId, decision);
        if (!done) throw new AppError('not_found', 'Nothing with this id waits in quarantine.');
        call.note({ siteId: done.siteId });
        outbox.wrote(done.siteId, done.told);
        return done.leadId ? { leadId: done.leadId } : {};
      },
    });
  return [
    route({
      ...common,
      at: 'GET /v1/admin/quarantine',
      id: 'listQuarantined',
      says: 'Suspicious submissions that wait for a decision, newest first',
      takes: {
        as: 'query',
        shape: z.object({
          propertyId: siteName.describe("the site's key or id; without it every site of the caller"),
          ...paging(50, 200),
        }),
      },
      answers: { 200: z.object({ quarantined: z.array(quarantinedShape), nextCursor }) },
      async run({ propertyId, limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.uuid()]));
        const site =
          propertyId === undefined ? null : await siteNamed(sites, call.caller, propertyId, 'settings');
        if (site) call.note({ siteId: site.siteId });
        const rows = await inSites(db, site ? site.siteId : call.siteIds, (client) =>
          listQuarantined(client, after?.[0] ?? null, limit + 1),
        );
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [last.quarantineId]);
        return { quarantined: page, nextCursor: next };
      },
    }),
    decide(
      'release',
      'Takes it as a lead after all',
      z.object({
        leadId: z.uuid().optional().describe('absent when its address was erased meanwhile'),
      }),
    ),
    decide('drop', 'Forgets it', z.object({})),
  ];
}
