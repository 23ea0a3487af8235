// Social proof: claims counted, shown by permission, signed. This room alone turns rows into words about people.
import type { Feature } from '../../ground/feature.ts';
import { type FeedNeeds, feedRoutes } from './feed-routes.ts';
import { type FeedStreamNeeds, feedStreamRoute } from './feed-stream-route.ts';
import { frameRoutes, SHOW_BADGE, SHOW_FEED } from './frame-routes.ts';
import { previewRoute } from './preview-route.ts';
import { receiptListRoute } from './receipt-list-route.ts';
import { type ReceiptNeeds, receiptRoutes, SHOW_RECEIPT } from './receipt-routes.ts';
import { proofTables } from './tables.ts';

export const proof: Feature<FeedNeeds & FeedStreamNeeds & ReceiptNeeds> = {
  name: 'proof',
  tables: proofTables,
  tells: [SHOW_RECEIPT, SHOW_FEED, SHOW_BADGE],
  routes: (needs) => [
    ...feedRoutes(needs),
    ...frameRoutes(needs),
    feedStreamRoute(needs),
    ...receiptRoutes(needs),
    receiptListRoute(needs),
    previewRoute(needs),
  ],
};
