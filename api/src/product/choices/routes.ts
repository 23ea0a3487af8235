// POST /v1/choices: what a visitor answered to the consent control; GET /v1/sites/{siteId}/choices: the proof of it.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import {
  anonId,
  instant,
  nextCursor,
  pageOf,
  pageSite,
  paging,
  readCursor,
  utc,
} from '../../ground/http/fields.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { DayRoom } from '../events/day-room.ts';
import { choiceIdOf, visitorIdOf } from '../events/enrich.ts';
import { judgeOrigin } from '../events/origins.ts';
import { mustBeHere } from '../sites/stops.ts';
import { type ControlNeeds, controlRoute } from './control.ts';
import { insertChoice, listChoices } from './queries.ts';

export interface ChoiceNeeds extends ControlNeeds {
  db: Pool;
  dayRoom: DayRoom;
}

const mode = z
  .enum(['full', 'measure', 'page', 'off'])
  .describe("the script's modes; measure is its default");
const language = z
  .string()
  .trim()
  .regex(/^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8}){0,3}$/, 'a tag such as en or fr-CA');

const choiceInput = z
  .object({
    choiceId: z
      .string()
      .trim()
      .min(8)
      .max(128)
      .describe('minted by the page when the visitor chose, and kept when it is told again'),
    mode,
    words: z
      .string()
      .transform((text) => text.replace(/\s+/g, ' ').trim())
      .pipe(z.string().min(1).max(2000))
      .describe('exactly what was shown, the words on the buttons too'),
    language,
    anonId: anonId
      .optional()
      .describe(
        'of full: the id that the visitor agreed to; of the others: the id that was deleted by it, if there was one',
      ),
    chosenAt: z
      .union([z.int().min(0).max(4e12), instant])
      .transform((at) => new Date(at))
      .optional()
      .describe('epoch milliseconds or RFC 3339; without it the moment of arrival'),
    propertyId: pageSite,
  })
  .meta({ id: 'NewChoice' });

const choiceShape = z
  .object({
    choiceId: z.uuid(),
    mode,
    visitorId: z.uuid().nullable(),
    words: z.string().nullable().describe('null: more new wordings came that day than are kept'),
    wordsSha256: z.string(),
    language: z.string(),
    privacySignal: z.boolean().describe('whether the browser sent Global Privacy Control or Do Not Track'),
    chosenAt: utc,
    recordedAt: utc,
    endsAt: utc,
  })
  .meta({ id: 'Choice' });

export function choiceRoutes(needs: ChoiceNeeds): Route[] {
  const { db, sites, ledger, dayRoom } = needs;
  return [
    controlRoute(needs),
    route({
      at: 'POST /v1/choices',
      id: 'storeChoice',
      says: 'Writes down what a visitor answered to the consent control; told again it is one',
      tag: 'consent',
      who: 'anyone',
      of: 'page',
      bucket: 'choice',
      takes: { as: ['json', 'beacon'], bytesMax: 16 * 1024, shape: choiceInput },
      answers: { 200: z.object({ endsAt: utc.describe('when the visitor is to be asked again') }) },
      async run(input, call) {
        const { siteId } = call.site;
        judgeOrigin({ sites, ledger }, call, call.site);
        // who agrees to less may, wherever their data has to be
        if (input.mode === 'full' || input.mode === 'measure') mustBeHere(sites, siteId);
        dayRoom.takeEvent(siteId, call.client.limitKey, call.bodyBytes);
        const endsAt = await inSites(db, siteId, (tx) =>
          insertChoice(tx, siteId, {
            ...input,
            choiceId: choiceIdOf(siteId, input.choiceId),
            visitorId: input.anonId ? visitorIdOf(siteId, input.anonId) : null,
            privacySignal: call.privacySignal,
            chosenAt: input.chosenAt ?? call.receivedAt,
          }),
        );
        return { endsAt };
      },
    }),
    route({
      at: 'GET /v1/sites/:siteId/choices',
      id: 'listChoices',
      says: 'Lists what visitors answered to the consent control, with the words they saw; the newest first',
      tag: 'consent',
      who: 'evidence',
      of: 'path',
      takes: {
        as: 'query',
        shape: z.object({ visitorId: z.uuid().optional(), ...paging(100, 500) }),
      },
      answers: { 200: z.object({ choices: z.array(choiceShape), nextCursor }) },
      async run({ visitorId, limit, cursor }, call) {
        const { siteId } = call.site;
        const after = readCursor(cursor, z.tuple([utc, z.uuid()]));
        const found = await inSites(db, siteId, (tx) =>
          listChoices(tx, siteId, visitorId ?? null, after, limit + 1),
        );
        const { page, nextCursor: next } = pageOf(found, limit, (last) => [last.chosenAt, last.choiceId]);
        return { choices: page, nextCursor: next };
      },
    }),
  ];
}
