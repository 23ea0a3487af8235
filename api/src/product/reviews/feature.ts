// Reviews: what people wrote, published by permission for exactly those words, counted whether it pleases or not.
import type { Feature } from '../../ground/feature.ts';
import type { CaptureNeeds } from '../captures/receive.ts';
import type { Leads } from '../captures/start.ts';
import { knownTexts } from '../consent/texts.ts';
import { CAPTURE_REVIEW, type ReviewNeeds, reviewRoutes } from './routes.ts';
import { reviewTables } from './tables.ts';

interface House
  extends Pick<
      CaptureNeeds,
      'sites' | 'ledger' | 'countryOf' | 'daySalts' | 'dayRoom' | 'disk' | 'customFields'
    >,
    Pick<ReviewNeeds, 'db'> {
  leads: Pick<
    Leads,
    'captureLimits' | 'judgeChallenge' | 'capture' | 'settings' | 'withdrawDisplay' | 'hashAddress'
  >;
}

export const reviews: Feature<House> = {
  name: 'reviews',
  functions: [new URL('record_review.sql', import.meta.url)],
  tables: reviewTables,
  tells: [CAPTURE_REVIEW],
  routes: ({ leads, ...house }) => reviewRoutes({ ...leads, ...house, findText: knownTexts(house.db) }),
};
