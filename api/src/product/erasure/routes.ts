// What a person may ask for, done by an admin: everything held about an address, and its erasure.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { siteName, utc } from '../../ground/http/fields.ts';
import { streamedJson } from '../../ground/http/json-stream.ts';
import { type Route, route } from '../../ground/http/route.ts';
import { AppError } from '../../ground/lib/app-error.ts';
import type { Tables } from '../../ground/tables.ts';
import type { Journal } from '../captures/journal.ts';
import { email } from '../captures/schema.ts';
import type { Forget } from './forget.ts';
import { everythingAbout, subjectShape } from './subject.ts';

export interface ErasureNeeds {
  db: Pool;
  /** Of all features. */
  tables: Tables;
  forget: Forget;
  hashAddress: (siteId: string, normalized: string) => string;
  journal: Journal;
}

const subjectInput = z.object({ email, propertyId: siteName }).meta({ id: 'Subject' });

export function erasureRoutes({ db, tables, forget, hashAddress, journal }: ErasureNeeds): Route[] {
  const common = {
    tag: 'erasure',
    who: 'evidence',
    of: 'named',
    takes: { as: ['json'], bytesMax: 16 * 1024, shape: subjectInput },
  } as const;
  return [
    route({
      ...common,
      at: 'POST /v1/leads/delete',
      id: 'eraseSubject',
      says: 'Forgets everything about an address on a site',
      bucket: 'delete',
      answers: {
        200: z.object({
          deleted: z.literal(true),
          erased: z.record(z.string(), z.int()).describe('rows per table'),
        }),
      },
      async run({ email: { normalized } }, call) {
        const { siteId } = call.site;
        const { found, erased } = await forget({
          siteId,
          emailNormalized: normalized,
          emailHash: hashAddress(siteId, normalized),
        });
        const failed = await journal.forgetFailed(
          ({ body }) => (body as { email_normalized?: string } | null)?.email_normalized === normalized,
        );
        if (failed > 0) erased.journal = failed;
        call.note({ details: { erased } });
        if (!found && failed === 0) throw unknown();
        return { deleted: true, erased };
      },
    }),
    route({
      ...common,
      at: 'POST /v1/leads/export-subject',
      id: 'exportSubject',
      says: 'Everything held about an address; streamed, whatever its length',
      answers: {
        200: z.object({
          site: z.object({ siteId: z.uuid(), key: z.string(), name: z.string() }),
          generatedAt: utc,
          subject: subjectShape,
        }),
      },
      async run({ email: { normalized } }, call) {
        const { siteId, key, name } = call.site;
        const address = { normalized, hash: hashAddress(siteId, normalized) };
        const found = await everythingAbout({ db, tables, siteId, address });
        if (!found) throw unknown();
        call.note({ target: found.leadId });
        const generatedAt = new Date().toISOString();
        return streamedJson({ site: { siteId, key, name }, generatedAt, subject: found.subject });
      },
    }),
  ];
}

const unknown = () => new AppError('not_found', 'There is nothing about this address.');
