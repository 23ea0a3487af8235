// What the customer's server tells of people: POST /v1/conversions.
import { z } from 'zod';
import type { Pool } from '../../ground/db/pool.ts';
import { inSites } from '../../ground/db/transaction.ts';
import { type Route, route } from '../../ground/http/route.ts';
import type { MetricsCache } from '../metrics/cache.ts';
import type { Outbox } from '../outbox/outbox.ts';
import type { Sites } from '../sites/recognise.ts';
import { mustBeHere } from '../sites/stops.ts';
import { conversionsBody, conversionsDocument, toldShape } from './schema.ts';
import { storeConversions } from './store.ts';

export interface ConversionNeeds {
  db: Pool;
  cache: MetricsCache;
  hashAddress(siteId: string, normalized: string): string;
  outbox: Pick<Outbox, 'wrote'>;
  sites: Pick<Sites, 'stopOf'>;
}

const results = z.array(toldShape);

export function conversionRoutes({ db, cache, hashAddress, outbox, sites }: ConversionNeeds): Route[] {
  return [
    route({
      at: 'POST /v1/conversions',
      id: 'tellConversions',
      says: 'Tells what became of people (signup, activation, purchase), by email or anonId; idempotent by id',
      tag: 'conversions',
      who: 'spend',
      of: 'named',
      takes: {
        as: ['json'],
        bytesMax: 1024 * 1024,
        shape: conversionsBody,
        documents: conversionsDocument,
      },
      answers: { 200: z.union([toldShape.extend({ results }), z.object({ results })]) },
      async run({ conversions, isOne }, call) {
        const { siteId } = call.site;
        mustBeHere(sites, siteId);
        const { results: told, seq } = await inSites(db, siteId, (tx) =>
          storeConversions(tx, siteId, conversions, hashAddress),
        );
        call.note({ details: { conversions: told.length } });
        cache.clear([siteId]);
        outbox.wrote(siteId, seq);
        return { ...(isOne ? told[0] : {}), results: told };
      },
    }),
  ];
}
