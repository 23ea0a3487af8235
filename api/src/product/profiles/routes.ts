// Visitors who agreed to be known again: GET /v1/sites/{siteId}/visitors and /visitors/{visitorId}. Of nobody else.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { CustomFields } from '../custom-fields/known.ts';
import { fitFields } from '../custom-fields/values.ts';
import { findProfile, listDeciles, listProfiles, listSaid, listVisits } from './queries.ts';
import { areScored, weightsOf } from './weights.ts';

const profileShape = z
  .object({
    visitorId: z.uuid(),
    firstSeenAt: utc,
    lastSeenAt: utc,
    sessions: z.int().describe('in 30 days, as engagedMinutes and intent'),
    engagedMinutes: z.number().describe('in which a page was in view and in use'),
    intent: z.number().describe('0..1, of events that show one: 1 − Π(1 − weight)'),
    behaviorScore: z.number().describe('0..100'),
    leadId: z.uuid().nullable().describe('whom a form or the site’s people tied to this visitor'),
  })
  .meta({ id: 'VisitorProfile' });

const decileShape = z
  .object({
    decile: z.int().describe('1: the tenth with the highest scores'),
    visitors: z.int(),
    leads: z.int(),
    leadRate: z.number().nullable().describe('0..1'),
    scoreFrom: z.number(),
    scoreTo: z.number(),
  })
  .meta({ id: 'ScoreDecile' });

const visitShape = z
  .object({
    sessionId: z.uuid(),
    startedAt: utc,
    landingPath: z.string(),
    source: z.string(),
    deviceType: z.string(),
    country: z.string().nullable(),
  })
  .meta({ id: 'VisitorVisit' });

/** As values of form fields and props are. */
const fieldValue = z.union([z.string(), z.number(), z.boolean()]);

interface ProfileNeeds {
  db: Pool;
  customFields: Pick<CustomFields, 'ofVisitor'>;
}

export function profileRoutes({ db, customFields }: ProfileNeeds): Route[] {
  const common = { tag: 'visitors', who: 'leadFacts', of: 'path' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/visitors',
      id: 'listVisitors',
      says: 'Visitors who agreed to be known again, by their score of the last hour, and what each tenth became',
      takes: { as: 'query', shape: z.object(paging(50, 100)) },
      bucket: 'summary',
      answers: {
        200: z.object({
          scored: z.boolean().describe('false: the site scores nobody, by its setting visitorScores'),
          visitors: z.array(profileShape),
          deciles: z.array(decileShape),
          nextCursor,
        }),
      },
      async run({ limit, cursor }, call) {
        const after = readCursor(cursor, z.tuple([z.number(), z.uuid()]));
        const { siteId } = call.site;
        if (!areScored(call.site)) return { scored: false, visitors: [], deciles: [], nextCursor: null };
        const [rows, deciles] = await inSites(db, siteId, async (tx) => [
          await listProfiles(tx, siteId, after, limit + 1),
          await listDeciles(tx, siteId),
        ]);
        const { page, nextCursor: next } = pageOf(rows, limit, (last) => [
          last.behaviorScore,
          last.visitorId,
        ]);
        call.note({ details: { visitors: page.length } });
        const withRates = deciles.map((one) => ({ ...one, leadRate: one.leads / one.visitors }));
        return { scored: true, visitors: page, deciles: withRates, nextCursor: next };
      },
    }),
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/visitors/:visitorId',
      id: 'getVisitor',
      says: 'A visitor who agreed to be known again: score as of now, and the newest 50 visits',
      answers: {
        200: z.object({
          visitor: profileShape,
          fields: z
            .record(z.string(), fieldValue)
            .describe('the site’s custom fields of visitors, as last said in 30 days'),
          visits: z.array(visitShape),
        }),
      },
      async run(_input, call) {
        const { siteId } = call.site;
        const visitorId = call.params.visitorId!;
        call.note({ target: visitorId });
        return inSites(db, siteId, async (tx) => {
          const visitor = areScored(call.site)
            ? await findProfile(tx, siteId, visitorId, weightsOf(call.site))
            : null;
          if (!visitor)
            throw new AppError(
              'not_found',
              'There is no visitor with this id who agreed to be known again, may be scored (site setting visitorScores) and came in the last 30 days.',
            );
          const shown = customFields
            .ofVisitor(siteId)
            .filter(({ personal }) => !personal || call.caller.may('leads', siteId));
          const names = shown.map(({ name }) => name);
          const said = names.length > 0 ? await listSaid(tx, siteId, visitorId, names) : {};
          const { values } = fitFields(shown, said, 'fields');
          return { visitor, fields: values, visits: await listVisits(tx, siteId, visitorId) };
        });
      },
    }),
  ];
}
