// The texts people agree to: GET and POST /v1/sites/{siteId}/consent-texts.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { insertConsentText, listConsentTexts } from './queries.ts';

const textInput = z
  .object({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine((name) => !name.startsWith('form:'), 'must not begin with form:'),
    language: z.string().trim().min(2).max(35).default('en'),
    words: z.string().trim().min(1).max(8000).describe('exactly what people read beside the box'),
  })
  .meta({ id: 'NewConsentText' });

const textShape = z
  .object({
    textId: z.uuid(),
    name: z.string(),
    version: z.int(),
    language: z.string(),
    words: z.string(),
    wordsSha256: z.string(),
    createdAt: utc,
  })
  .meta({ id: 'ConsentText' });

export function consentTextRoutes({ db }: { db: Pool }): Route[] {
  const common = { tag: 'consent', who: 'settings', of: 'path' } as const;
  return [
    route({
      ...common,
      at: 'GET /v1/sites/:siteId/consent-texts',
      id: 'listConsentTexts',
      says: 'The published texts of a site, every version',
      shows: 'no people',
      takes: { as: 'query', shape: z.object(paging(100, 500)) },
      answers: { 200: z.object({ texts: z.array(textShape), nextCursor }) },
      async run({ limit, cursor }, call) {
        const { siteId } = call.site;
        const after = readCursor(cursor, z.tuple([z.string(), z.string(), z.int()]));
        const texts = await inSites(db, siteId, (client) =>
          listConsentTexts(client, siteId, after, limit + 1),
        );
        const { page, nextCursor: next } = pageOf(texts, limit, (last) => [
          last.name,
          last.language,
          last.version,
        ]);
        return { texts: page, nextCursor: next };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/sites/:siteId/consent-texts',
      id: 'publishConsentText',
      says: 'Publishes a text; the same name and language again is the next version',
      takes: { as: ['json'], bytesMax: 32 * 1024, shape: textInput },
      answers: { 201: z.object({ text: textShape }) },
      async run(wanted, call) {
        const { siteId } = call.site;
        const text = await inSites(db, siteId, (client) => insertConsentText(client, siteId, wanted));
        call.note({ target: text.textId });
        return created({ text });
      },
    }),
  ];
}
