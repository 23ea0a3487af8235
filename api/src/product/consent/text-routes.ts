// The texts people agree to: GET and POST /v1/sites/{siteId}/consent-texts.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { nextCursor, pageOf, paging, readCursor, utc } from '../../ground/http/fields.ts';
import { created } from '../../ground/http/reply.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import { type SenderDefaults, senderOf } from '../sites/sender.ts';
import { composeWords, missingInWords } from './compose.ts';
import { insertConsentText, listConsentTexts } from './queries.ts';

const WORDS_MAX = 8000;

const textInput = z
  .object({
    name: z
      .string()
      .trim()
      .min(1)
      .max(100)
      .refine((name) => !name.startsWith('form:'), 'must not begin with form:'),
    language: z
      .string()
      .trim()
      .min(2)
      .max(35)
      .optional()
      .describe("default: the site's, else und (not known)"),
    words: z
      .string()
      .trim()
      .min(1)
      .max(WORDS_MAX)
      .describe(
        "exactly what people read beside the box; {sender} becomes the site's name, postal address and contact",
      ),
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

export interface TextNeeds {
  db: Pool;
  senderDefaults: SenderDefaults;
}

export function consentTextRoutes({ db, senderDefaults }: TextNeeds): Route[] {
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
      answers: {
        201: z.object({
          text: textShape.describe('its words are what must be shown'),
          warnings: z
            .array(z.object({ path: z.string(), message: z.string() }))
            .optional()
            .describe('what the law asks of such words and these do not say'),
        }),
      },
      async run({ name, language, words }, call) {
        const { siteId, settings } = call.site;
        const sender = senderOf(call.site, senderDefaults);
        const composed = composeWords(words, sender);
        if (composed.length > WORDS_MAX)
          throw new AppError('invalid_request', 'With the sender filled in, the words are too long.', {
            issues: [{ path: 'words', message: `at most ${WORDS_MAX} characters` }],
          });
        const text = await inSites(db, siteId, (client) =>
          insertConsentText(client, siteId, {
            name,
            language: language ?? (typeof settings.language === 'string' ? settings.language : 'und'),
            words: composed,
          }),
        );
        call.note({ target: text.textId });
        const warnings = missingInWords(composed, sender);
        return created(warnings.length > 0 ? { text, warnings } : { text });
      },
    }),
  ];
}
